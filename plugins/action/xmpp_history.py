# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows the journal of runs and the snapshots, and names the newest snapshots of a deployment."""

from __future__ import annotations

import os
import typing as t

from ansible import constants

from ..module_utils._base.result import Refused
from ..module_utils._federation.files import Snapshots, default_directory
from ..module_utils._shell.statement import Place
from ..modules.xmpp_history import TASK
from ..plugin_utils._actions.in_process import DirectAction
from ..plugin_utils._documents import history
from ..plugin_utils._documents.show import show
from ..plugin_utils._files import journal as _journal
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]
Variables = dict[str, t.Any]


class ActionModule(DirectAction):
    """The first host of the play shows the directories of all hosts, each once. Each host names its snapshots."""

    work_of = TASK

    def _work(self, task_vars: Variables) -> Result:
        try:
            return self._history(task_vars)
        except Refused as exc:
            return {"failed": True, "changed": False, "msg": "\n".join(exc.reasons), "reasons": list(exc.reasons)}

    def _history(self, variables: Variables) -> Result:
        """Raises Refused."""
        own = str(variables["inventory_hostname"])
        hosts = [str(host) for host in variables.get("ansible_play_hosts_all") or (own,)]
        shown: list[str] = []
        if own == hosts[0]:
            for directory in dict.fromkeys(self._directory(host, variables) for host in hosts):
                shown += history.lines(directory, _journal.read(directory), _journal.snapshots(directory))
            show(shown)
        place = Place(deployment=servers_in(variables).of(own).label)
        kept = Snapshots(self._directory(own, variables), "sfb_xmpp_snapshot_directory", place).files()
        wanted = int(settings_of(self, variables, "history").values.get("history", {}).get("changes") or 0)
        return {"changed": False, "report": shown, "newest": [os.path.basename(path) for path in kept[:wanted]]}

    def _directory(self, host: str, variables: Variables) -> str:
        """Where the snapshots of a host's deployment are kept. Raises Refused."""
        of_host = variables if host == variables["inventory_hostname"] else variables["hostvars"][host]
        found = settings_of(self, of_host, "history").values.get("snapshot_directory")
        return str(found or default_directory(constants.config.get_config_value("ANSIBLE_HOME")))
