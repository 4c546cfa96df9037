# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show lines on the screen (see plugin_utils/_documents/show.py)."""

from __future__ import annotations

import typing as t

from ..modules.xmpp_show import TASK
from ..plugin_utils._actions.deployment import Inventory
from ..plugin_utils._actions.in_process import DirectAction, failed
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._documents.show import show


class ActionModule(DirectAction):
    """Show lines. If the inventory has several deployments, the name of the deployment comes first."""

    work_of = TASK

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        lines = plain(self._task.args.get("lines"))
        if not isinstance(lines, list):
            return failed(["lines: must be a list of strings"])
        inventory = Inventory(task_vars)
        shown = ["Deployment %s" % inventory.deployment, *lines] if inventory.several else lines
        show(map(str, shown))
        return {"changed": False, "report": shown}
