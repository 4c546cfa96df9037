# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run this file's module in Ansible's own process (see plugin_utils/_actions/in_process.py)."""

from __future__ import annotations

import os
import typing as t

from ..module_utils._base.result import Refused
from ..modules.xmpp_capture_info import TASK
from ..plugin_utils._actions import state
from ..plugin_utils._actions.in_process import DirectAction, failed
from ..plugin_utils._playbooks.capture import role_of
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of


class ActionModule(DirectAction):
    """In the playbook, take the options from the settings, and the role from the group of the host."""

    work_of = TASK

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if self.playbook:
            try:
                settings = settings_of(self, task_vars, self.playbook).values.get("capture", {})
            except Refused as exc:
                return failed(exc.reasons)
            host = str(task_vars["inventory_hostname"])
            given = {name: settings[name] for name in ("key_file", "users") if settings.get(name)}
            self._task.args.update(role=role_of(servers_in(task_vars).of(host), host), **given)
        if not self._task.args.get("key_file"):
            self._task.args["key_file"] = os.path.join(state.state_directory(self, task_vars), "capture.key")
        return super()._work(task_vars)
