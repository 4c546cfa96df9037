# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print the summary of a run, as the last task of a playbook (see plugin_utils/_playbooks/run_summary.py)."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.vars import merge_hash

from ..modules.xmpp_run_summary import TASK
from ..plugin_utils._actions.in_process import CHECKED, skipped
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks import run_summary as _run_summary
from ..plugin_utils._playbooks.outcome import CHANGES, RunOutcome, stats
from ..plugin_utils._servers.inventory import servers_in

Variables = t.Mapping[str, t.Any]


class ActionModule(ReportingAction):
    """Summarize the results that the plays of this collection have registered."""

    work_of = TASK
    BYPASS_HOST_LOOP = True

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts = task_vars["hostvars"]
        deployments = servers_in(task_vars).deployments
        doors = {one.label: [_of(hosts[door], "xmpp_federation") for door in one.doors] for one in deployments}
        plans = [result.get("report") for results in doors.values() for result in results]
        edges: dict[str, dict[str, _run_summary.Results]] = {}
        for one in deployments:
            for host in one.edges:
                results = (_of(hosts[host], "gateway_certificate_" + word) for word in ("staged", "switched"))
                edges.setdefault(one.label, {})[host] = _run_summary.last(*results)
        lines = _run_summary.lines(filter(None, plans), edges)
        if not boolean(self._task.args.get("stats", False), strict=False):
            if not any(result for results in edges.values() for result in results.values()):
                return skipped("this run checked no certificate")
            show(lines)
            return {"changed": False, "report": lines}
        # In sfb.xmpp.converge, a certificate that is only staged is not a change.
        later = self._templar.template(task_vars.get("gateway_certificate_switch")) not in (None, "converge")
        checked = task_vars.get(CHECKED) or {}
        of_run = checked.get("deployments") or [one.label for one in deployments]
        several = len(of_run) > 1
        planned = RunOutcome()
        data: dict[str, t.Any] = {}
        for label, of_edges in edges.items():
            if label not in of_run:
                continue
            own = _run_summary.outcome(of_edges.values(), later)
            planned = planned.and_then(own)
            ended = stats(_run_summary.total(doors[label], own), label, several)
            data = merge_hash(data, ended["data"])
        return {
            "changed": False,
            "report": lines,
            "sentence": self._held_to_no_changes(planned, task_vars).sentence if planned.word == CHANGES else "",
            "ansible_stats": {"data": data, "aggregate": several, "per_host": False},
        }


def _of(variables: Variables, name: str) -> Variables:
    found: Variables = variables.get(name) or {}
    return found
