# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run this file's module in Ansible's own process. In the playbook, the module uses the results of the servers."""

from __future__ import annotations

import typing as t

from ..modules.xmpp_preflight_info import TASK
from ..plugin_utils._actions.deployment import DeploymentAction, connected
from ..plugin_utils._actions.in_process import PLAYBOOK
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._actions.playbook import results_of
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._playbooks import server_reads as _server_reads
from ..plugin_utils._playbooks.accepted import codes_of, today
from ..plugin_utils._playbooks.outcome import FAILED, OK, RunOutcome
from ..plugin_utils._servers.connected import JUDGED
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.certificate import NAME
from ..plugin_utils._settings.source import settings_of


class ActionModule(DeploymentAction, ReportingAction):
    work_of = TASK

    def _finished(self, result: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        result = super()._finished(result, variables)
        if result.get("failed"):
            return result
        # A setting of the role decides which findings stop a run.
        own = RunOutcome(FAILED if result.get("blocking") else OK)
        mine = servers_in(variables).of(str(variables["inventory_hostname"]))
        return self._reported(result, variables, results_of(variables, mine.hosts, JUDGED).values(), own)

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if task_vars.get(PLAYBOOK):
            hostvars, own = task_vars["hostvars"], str(task_vars["inventory_hostname"])
            deployment = servers_in(task_vars).of(own)
            everywhere = bool(self._templar.template(task_vars.get(NAME)))
            declared = [host for host in deployment.edges if everywhere or hostvars[host].get(NAME)]
            results = {host: connected(task_vars, host) for host in deployment.hosts}
            self._task.args.update(_server_reads.servers(deployment, results, declared))
            settings = settings_of(self, task_vars, self.playbook).values
            entries = (settings.get("audit") or {}).get("accepted") or ()
            given = plain(self._task.args.get("ignore")) or []
            self._task.args["ignore"] = [*given, *codes_of(entries, deployment.label, today())]
        return super()._work(task_vars)
