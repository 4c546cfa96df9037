# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of every module that works on the host of its task alone (see plugin_utils/_actions/module_task.py).

meta/runtime.yml routes the others here.
"""

from __future__ import annotations

from ..plugin_utils._actions.module_task import ModuleAction


class ActionModule(ModuleAction):
    pass
