# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of this name, in Ansible's own process (see plugin_utils/_actions/in_process.py)."""

from __future__ import annotations

import os
import typing as t

from ..modules.xmpp_capture_info import TASK
from ..plugin_utils._actions import state
from ..plugin_utils._actions.in_process import DirectAction


class ActionModule(DirectAction):
    work_of = TASK

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if not self._task.args.get("key_file"):
            self._task.args["key_file"] = os.path.join(state.state_directory(self, task_vars), "capture.key")
        return super()._work(task_vars)
