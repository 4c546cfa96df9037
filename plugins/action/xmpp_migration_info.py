# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of this name, in Ansible's own process (see plugin_utils/_actions/deployment.py)."""

from __future__ import annotations

import typing as t

from ..modules.xmpp_migration_info import TASK
from ..plugin_utils._actions.deployment import DeploymentAction, Inventory, Result
from ..plugin_utils._playbooks.migration import report


class ActionModule(DeploymentAction):
    """Adds what was found as a document."""

    work_of = TASK

    def _finished(self, result: Result, variables: dict[str, t.Any]) -> Result:
        if "nobody_left" in result:
            result["report"] = report(result, Inventory(variables).deployment)
        return result
