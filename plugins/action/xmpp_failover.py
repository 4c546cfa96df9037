# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Move the XMPP federation route to another Edge pool, in the pool's deployment (see _playbooks/failover.py)."""

from __future__ import annotations

import typing as t

from ..modules.xmpp_failover import TASK
from ..plugin_utils._actions.deployment import Inventory
from ..plugin_utils._actions.in_process import skipped
from ..plugin_utils._actions.playbook import PlaybookAction, reads_of, results_of
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks.failover import before_the_move, elsewhere, move_of, owner, topologies_of
from ..plugin_utils._playbooks.outcome import went_wrong
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]

# The name under which the playbook registers the state of each server before the move.
LOOKED = "xmpp_services_looked"
_PASSED_ON = ("replication", "replication_timeout", "snapshot_directory", "snapshot_keep")


class ActionModule(PlaybookAction, ReportingAction):
    """Compare the pool with the topology of every deployment of the run, then write."""

    work_of = TASK

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        return self._reported(super().run(tmp, task_vars), task_vars or {})

    def _decide(self, variables: Result) -> Result:
        inventory = Inventory(variables)
        values = settings_of(self, variables, self.playbook).values
        to = str(values["failover_to"])
        topologies = topologies_of(reads_of(inventory.servers, variables))
        found = owner(topologies, to)
        if found != inventory.deployment:
            reason = elsewhere(inventory.deployment, to, found)
            show([reason])
            return {**skipped(reason), "report": [reason]}
        move = move_of(topologies[found] or {}, to, str(values.get("failover_site", "")))
        mine = inventory.servers.of(inventory.own)
        show(before_the_move(mine.front_ends, mine.edges, results_of(variables, mine.hosts, LOOKED)))
        options = {name: values[name] for name in _PASSED_ON if name in values}
        moves = {"federation_routes": list(move.routes), "force": True}
        result = self._hand_on("xmpp_federation", {"replication": "wait", **options, **moves}, variables)
        if not result.get("skipped") and not went_wrong(result):
            show(move.left)
            result.update(deployment=found, pool=move.edge_pool, left=list(move.left))
        return result
