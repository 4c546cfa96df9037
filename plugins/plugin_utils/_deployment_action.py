# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host of a deployment does the work of a task, in the playbooks of the collection.

Hosts of one deployment are several ways into the same store. They take turns: the first in the inventory's order does
the work, and only where it does not answer does the next one. Each host of a play has a process of its own, so a host
leaves a small file for the next, in the directory that Ansible makes for a run and removes after it.
"""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible import constants

from ._direct import PLAYBOOK, DirectAction, failed, skipped
from ._plain import plain
from ._settings.settings import contradictions

GROUP = "sfb_management"
EDGES = "sfb_edge"
# Seconds between two looks whether it is this host's turn.
_LOOK = 0.05

Result = dict[str, t.Any]


class DeploymentAction(DirectAction):
    """In a playbook of the collection one host of a deployment does the work; elsewhere each host its own."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        variables = task_vars or {}
        if not variables.get(PLAYBOOK):
            return self._finished(super().run(tmp, variables), variables)
        inventory = Inventory(variables)
        if not inventory.hosts:
            return self._without_hosts(variables)
        turn = Turn("%s/%s" % (vars(constants)["DEFAULT_LOCAL_TMP"], self._task._uuid), inventory)
        silent = turn.wait()
        if silent is None:
            return skipped("another host of the deployment has answered")
        answered = True
        try:
            result = super().run(tmp, variables)
            answered = not (result.get("failed") and result.get("unanswered"))
        finally:
            words = None if answered else [*silent, "%s: %s" % (inventory.own, result["msg"])]
            turn.end(words)
        if words is None:
            return self._finished(result, variables)
        if turn.last:
            if len(words) > 1:
                result["msg"] = "Nothing was written: no host of the deployment answers. " + "; ".join(words)
            return self._finished(result, variables)
        text = "%s does not answer, so the next host of the deployment is used: %s" % (inventory.own, result["msg"])
        return {**skipped("another host of the deployment is tried"), "unanswered": result["msg"], "warnings": [text]}

    def _mistakes(self, variables: dict[str, t.Any]) -> list[str]:
        return super()._mistakes(variables) + Inventory(variables).mistakes()

    def _without_hosts(self, variables: t.Mapping[str, t.Any]) -> Result:
        if variables["groups"].get(EDGES):
            return skipped("there are no hosts in %s" % GROUP)
        text = "the inventory has neither hosts in %s, the way into a deployment, nor in %s, its Edge servers"
        return failed([text % (GROUP, EDGES)])

    def _finished(self, result: Result, variables: dict[str, t.Any]) -> Result:
        """The result of the host that did the work, or of the last one that was tried."""
        return result


class Inventory:
    """The management hosts of a host's deployment, as far as the play has them, in the inventory's order.

    playing: those that are left of the play.
    """

    def __init__(self, variables: t.Mapping[str, t.Any]) -> None:
        self._hostvars, self._group = variables["hostvars"], variables["groups"].get(GROUP) or []
        self.own = str(variables["inventory_hostname"])
        self.deployment = self._deployment(self.own)
        self._declaring = [str(host) for host in self._group if self._deployment(host) == self.deployment]
        # --limit leaves hosts out.
        of_play = set(variables.get("ansible_play_hosts_all") or self._group)
        self.hosts = [host for host in self._declaring if host in of_play]
        self.deployments = sorted({self._deployment(host) for host in self._group if host in of_play})
        self.playing = set(variables.get("ansible_play_hosts") or of_play)

    def _deployment(self, host: str) -> str:
        return str(self._hostvars[host].get("sfb_xmpp_deployment") or "default")

    @property
    def several(self) -> bool:
        """Whether the inventory has other deployments."""
        return any(self._deployment(host) != self.deployment for host in self._group)

    def mistakes(self) -> list[str]:
        """What hosts of the deployment declare differently."""
        if len(self._declaring) < 2:
            return []
        return contradictions({host: self._declared(host) for host in self._declaring})

    def _declared(self, host: str) -> Result:
        values = self._hostvars[host]
        return {str(name): plain(values[name]) for name in values if str(name).startswith("sfb_xmpp_")}


class Turn:
    """When it is a host's turn with a task. files: how the names of the task's files begin."""

    def __init__(self, files: str, inventory: Inventory) -> None:
        self._files, self._hosts, self._playing = files, inventory.hosts, inventory.playing
        self._number = inventory.hosts.index(inventory.own)
        self.last = not self._playing.intersection(inventory.hosts[self._number + 1 :])

    def _file(self, number: int) -> str:
        return "%s-%s-%d" % (self._files, self._hosts[0].replace("/", "_"), number)

    def wait(self) -> list[str] | None:
        """What the hosts before said that do not answer, once all of them were tried; None where one has answered."""
        for number in range(self._number - 1, -1, -1):
            file = self._file(number)
            # Ansible starts the hosts of a task in their order, and ends the run where one's process dies, so the file
            # comes; but not from a host that has left the play before this task.
            while self._hosts[number] in self._playing and not os.path.exists(file):
                time.sleep(_LOOK)
            if os.path.exists(file):
                with open(file, encoding="utf-8") as stream:
                    silent: list[str] | None = json.load(stream)
                if silent is None:
                    self.end(None)
                return silent
        return []

    def end(self, silent: list[str] | None) -> None:
        """Leave word for the next host: what those said that do not answer, or None where one has answered."""
        if self.last:
            return
        file = self._file(self._number)
        with open(file + "~", "w", encoding="utf-8") as stream:
            json.dump(silent, stream)
        os.replace(file + "~", file)
