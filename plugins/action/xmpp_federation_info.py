# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module with the name of this file in Ansible's own process (see plugin_utils/_actions/deployment.py)."""

from __future__ import annotations

from ..modules.xmpp_federation_info import TASK
from ..plugin_utils._actions.deployment import DeploymentAction


class ActionModule(DeploymentAction):
    work_of = TASK
