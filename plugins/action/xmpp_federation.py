# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module with the name of this file in Ansible's own process (see plugin_utils/_actions/federation.py)."""

from __future__ import annotations

from ..modules.xmpp_federation import TASK
from ..plugin_utils._actions.federation import FederationAction


class ActionModule(FederationAction):
    work_of = TASK
