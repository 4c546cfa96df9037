# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the actions of one playbook have in common: they refuse to work elsewhere; the results of other hosts."""

from __future__ import annotations

import typing as t

from .._servers.servers import Servers
from .in_process import DirectAction, failed
from .plain_values import plain

Result = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]

# The name under which the playbook failover keeps the topology of each deployment.
TOPOLOGY = "failover_topology"


class PlaybookAction(DirectAction):
    """An action that decides for a playbook of the collection, and leaves the work to the action of a module."""

    def _work(self, task_vars: Result) -> Result:
        if not self.playbook:
            return failed(["this module is internal to the playbooks of the collection"])
        return self._decide(task_vars)

    def _decide(self, variables: Result) -> Result:
        raise NotImplementedError


def results_of(variables: Variables, hosts: t.Iterable[str], name: str) -> dict[str, Result]:
    """What a task of an earlier play registered, by host; without the hosts on which it did not run."""
    found = {}
    for host in hosts:
        result = variables["hostvars"][host].get(name)
        if result is not None:
            found[host] = plain(result)
    return found


def reads_of(servers: Servers, variables: Variables) -> dict[str, list[Result]]:
    """What the hosts of each deployment of the run returned when they read its topology for a failover."""
    read = {one.label: list(results_of(variables, one.doors, TOPOLOGY).values()) for one in servers.deployments}
    return {label: results for label, results in read.items() if results}
