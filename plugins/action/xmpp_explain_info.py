# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run this file's module in Ansible's own process. In the playbook, the module uses the results of the servers."""

from __future__ import annotations

import typing as t

from ..module_utils._base.perform import refusal
from ..module_utils._base.result import Refused
from ..modules.xmpp_explain_info import TASK
from ..plugin_utils._actions.deployment import DeploymentAction, connected
from ..plugin_utils._actions.in_process import failed
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._playbooks import server_reads as _server_reads
from ..plugin_utils._playbooks.verification import own_certificate
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.table import PREFIX


class ActionModule(DeploymentAction):
    work_of = TASK

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if self.playbook != "explain":
            return super()._work(task_vars)
        deployment = servers_in(task_vars).of(str(task_vars["inventory_hostname"]))
        results = {host: connected(task_vars, host) for host in deployment.hosts}
        self._task.args.update(_server_reads.servers(deployment, results))
        try:
            own = own_certificate(certificate_of(self, task_vars))
        except Refused as exc:
            return failed(exc.reasons)
        declared = {"access_edge": own.access_edge, "certificate": own.file}
        given = plain(self._task.args.get("probe") or {})
        self._task.args["probe"] = {**{name: value for name, value in declared.items() if value}, **given}
        return in_words_of_playbook(super()._work(task_vars))


def in_words_of_playbook(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a refusal with the names of the user's variables instead of the module's options."""
    reasons = list(result.get("reasons") or ())
    for option in ("user", "partner"):
        reasons = [PREFIX + "for_" + one if one.startswith(option + ":") else one for one in reasons]
    return {**result, "reasons": reasons, "msg": refusal(reasons, False)} if reasons else result
