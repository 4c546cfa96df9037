# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run this file's module in Ansible's own process (see plugin_utils/_actions/in_process.py)."""

from __future__ import annotations

from ..modules.xmpp_server_info import TASK
from ..plugin_utils._actions.in_process import DirectAction


class ActionModule(DirectAction):
    work_of = TASK
