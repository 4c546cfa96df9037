# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints what the run came to, as the last of a playbook (see plugin_utils/_playbooks/run_summary.py)."""

from __future__ import annotations

import typing as t

from ..module_utils._base.texts import one_line
from ..modules.xmpp_run_summary import TASK
from ..plugin_utils._actions.in_process import DirectAction, skipped
from ..plugin_utils._playbooks import run_summary as _run_summary
from ..plugin_utils._servers.inventory import servers_in

Variables = t.Mapping[str, t.Any]


class ActionModule(DirectAction):
    """See above. The results are those that the plays of this collection keep."""

    work_of = TASK
    BYPASS_HOST_LOOP = True

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts = task_vars["hostvars"]
        deployments = servers_in(task_vars).deployments
        plans = [_of(hosts[door], "xmpp_federation").get("report") for one in deployments for door in one.doors]
        edges: dict[str, dict[str, _run_summary.Results]] = {}
        for one in deployments:
            for host in one.edges:
                results = (_of(hosts[host], "gateway_certificate_" + word) for word in ("staged", "switched"))
                edges.setdefault(one.label, {})[host] = _run_summary.last(*results)
        if not any(result for results in edges.values() for result in results.values()):
            return skipped("no certificate was looked at in this run")
        lines = _run_summary.lines(filter(None, plans), edges)
        for line in lines:
            self._display.display(one_line(line))
        return {"changed": False, "lines": lines}


def _of(variables: Variables, name: str) -> Variables:
    found: Variables = variables.get(name) or {}
    return found
