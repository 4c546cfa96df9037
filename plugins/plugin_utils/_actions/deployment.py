# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the host of a deployment that does the work of a task, in the playbooks and roles of the collection.

All management hosts of one deployment use the same Central Management Store. An earlier task has connected to all
management hosts. The first host that answered does the work (see _servers/connected.py). In a playbook all results are
known.

In a user's own play, strategy ``free`` and ``serial`` can run this task on a host before the play has connected to all
hosts. So the host that works claims the task with a file. The file is in the directory that Ansible makes for a run and
removes after the run.
"""

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible import constants

from .._servers.connected import BY_ROLE, CONNECTED, Connected, DoorChoice, choose, connected_of
from .._servers.inventory import servers_in
from .._servers.servers import DOORS, EDGES, VARIABLE
from .in_process import PLAYBOOK, DirectAction, failed, runs, skipped
from .plain_values import plain

Result = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]

_LOST = "%s The connection was lost during the run. Run again. The next run uses a host that answers"


class DeploymentAction(DirectAction):
    """Choose one host of a deployment for the action, in the collection's playbooks and roles.

    In users' own plays, each host does the action.
    """

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        variables = task_vars or {}
        if not runs(variables):
            return super().run(tmp, variables)
        self.playbook = runs(variables)
        inventory = Inventory(variables)
        if inventory.own not in inventory.hosts and not variables.get(PLAYBOOK):
            # In a user's own play, this host is in no group of the collection. So the host does its own work.
            return super().run(tmp, variables)
        if not inventory.hosts:
            return self._without_hosts(variables)
        choice = choice_of(inventory, variables, bool(self._task.run_once))
        if choice.skip or not _claim(self._task, inventory):
            self._end_with_play()
            return skipped(choice.skip or "another host of the deployment does this task")
        if choice.fail:
            return self._finished({"failed": True, "changed": False, "unanswered": True, "msg": choice.fail}, variables)
        result = self._perform(variables)
        if result.get("unanswered") and connected(variables, inventory.own) is not None:
            result["msg"] = _LOST % _sentence(str(result["msg"]))
        return self._finished(result, variables)

    def _without_hosts(self, variables: t.Mapping[str, t.Any]) -> Result:
        if variables["groups"].get(EDGES):
            return skipped("the group %s has no hosts" % DOORS)
        text = "the groups %s and %s have no hosts. Add the management hosts or the Edge servers to the inventory"
        return failed([text % (DOORS, EDGES)])


def _sentence(text: str) -> str:
    return text if text.endswith(".") else text + "."


def connected(variables: Variables, host: str) -> Connected | None:
    """Return the result of the connect task for a host; None if the task did not connect. Raises Refused."""
    name = CONNECTED if variables.get(PLAYBOOK) else BY_ROLE
    return connected_of(host, plain(variables["hostvars"][host].get(name)))


def choice_of(inventory: Inventory, variables: Variables, alone: bool = False) -> DoorChoice:
    """Decide whether the host of a task does the work for the host's deployment. Raises Refused.

    alone: whether only this host is considered.
    """
    results = {door: connected(variables, door) for door in inventory.hosts}
    return choose(inventory.own, inventory.hosts, results, inventory.playing, alone)


def _claim(task: t.Any, inventory: Inventory) -> bool:
    """Claim the task.

    Return False if another host of the deployment has the claim. A host may claim a task again (loop).
    """
    words = "%s %s" % (key_of(task), inventory.deployment)
    name = "sfb-xmpp-door-" + hashlib.sha256(words.encode()).hexdigest()[:24]
    path = "%s/%s" % (vars(constants)["DEFAULT_LOCAL_TMP"], name)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        with open(path, encoding="utf-8") as stream:
            return stream.read() == inventory.own
    try:
        os.write(handle, inventory.own.encode())
    finally:
        os.close(handle)
    return True


class Inventory:
    """Hold the management hosts of a host's deployment that are in the play, in the inventory's order.

    playing: the hosts that are still in the play.
    """

    def __init__(self, variables: t.Mapping[str, t.Any]) -> None:
        self.servers = servers_in(variables)
        self.own = str(variables["inventory_hostname"])
        mine = self.servers.of(self.own)
        self.deployment = mine.label if mine.hosts else str(variables.get(VARIABLE) or mine.label)
        # --limit leaves hosts out.
        of_play = set(variables.get("ansible_play_hosts_all") or variables["groups"].get(DOORS) or ())
        self.hosts = [host for host in mine.doors if host in of_play]
        self.deployments = sorted(one.label for one in self.servers.deployments if of_play.intersection(one.doors))
        self.playing = set(variables.get("ansible_play_hosts") or of_play)

    @property
    def several(self) -> bool:
        """Return whether the inventory has other deployments."""
        return self.servers.several


def key_of(task: t.Any) -> str:
    """Return a key of a task that is the same on all hosts of a run. task: Ansible's task.

    With strategy ``free`` and with ``serial``, Ansible loads dynamic includes for each host separately. Then the
    included tasks have different numbers on each host. The key of an included task is its place in the file, with the
    including task.
    """
    include = task.get_first_parent_include()
    while include is not None and include.statically_loaded:
        include = include.get_first_parent_include()
    if include is None:
        return str(task._uuid)
    return "%s-%s" % (key_of(include), hashlib.sha256(str(task.get_path()).encode()).hexdigest()[:12])
