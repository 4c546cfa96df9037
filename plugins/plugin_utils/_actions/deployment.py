# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host of a deployment does the work of a task, in the playbooks of the collection.

Hosts of one deployment are several ways into the same store. They take turns: the first in the inventory's order does
the work, and only where it does not answer does the next one. Each host of a play has a process of its own, so a host
leaves small files for the next, in the directory that Ansible makes for a run and removes after it.

A host's process may fail before it comes here, for example because a connection variable cannot be templated. So a
host claims its turn with a file that it keeps locked while it lives. If no process has claimed the turn of an earlier
host after a few seconds, the next host claims that turn too. A turn is claimed once: two hosts never do the same work.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
import typing as t

from ansible import constants

from .._servers.inventory import servers_in
from .._servers.servers import DOORS, EDGES, VARIABLE
from .in_process import PLAYBOOK, DirectAction, failed, runs, skipped

# Seconds between two looks whether it is this host's turn.
_LOOK = 0.05
# Seconds for the process of an earlier host to begin. Ansible starts the processes of a task in the order of the hosts.
BEGINS = 5.0
# Seconds after which a host no longer waits for an earlier one that is at work: longer than any run takes.
_AT_MOST = 24 * 3600.0

Result = dict[str, t.Any]


class DeploymentAction(DirectAction):
    """In the playbooks and roles of the collection one host of a deployment does the work; elsewhere each its own."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        variables = task_vars or {}
        if not runs(variables):
            return super().run(tmp, variables)
        self.playbook = runs(variables)
        inventory = Inventory(variables)
        if inventory.own not in inventory.hosts and not variables.get(PLAYBOOK):
            # In a user's own play, a host of no group of ours: nobody says that another host leads to the same store.
            return super().run(tmp, variables)
        if not inventory.hosts:
            return self._without_hosts(variables)
        turn = Turn("%s/%s" % (vars(constants)["DEFAULT_LOCAL_TMP"], key_of(self._task)), inventory)
        try:
            silent = turn.wait()
        except TurnError as exc:
            turn.end(None)
            return failed([str(exc)])
        if silent is None:
            return skipped("another host of the deployment has answered")
        # With run_once no other host is asked.
        turn.last = turn.last or bool(self._task.run_once)
        answered = True
        try:
            result = self._perform(variables)
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

    def _without_hosts(self, variables: t.Mapping[str, t.Any]) -> Result:
        if variables["groups"].get(EDGES):
            return skipped("there are no hosts in %s" % DOORS)
        text = "the inventory has neither hosts in %s, the way into a deployment, nor in %s, its Edge servers"
        return failed([text % (DOORS, EDGES)])


class Inventory:
    """The management hosts of a host's deployment, as far as the play has them, in the inventory's order.

    playing: those that are left of the play.
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
        """Whether the inventory has other deployments."""
        return self.servers.several


def key_of(task: t.Any) -> str:
    """What a task has in common on all hosts of a run. task: of Ansible.

    A file of tasks or a role that is included at run time is loaded for each host by itself with the strategy ``free``
    and with ``serial``, and its tasks get numbers of their own. Then the place of the task in its file counts, together
    with the task that includes it.
    """
    include = task.get_first_parent_include()
    while include is not None and include.statically_loaded:
        include = include.get_first_parent_include()
    if include is None:
        return str(task._uuid)
    return "%s-%s" % (key_of(include), hashlib.sha256(str(task.get_path()).encode()).hexdigest()[:12])


class TurnError(Exception):
    """It is not known what became of the work of an earlier host."""


class Turn:
    """When it is a host's turn with a task. files: how the names of the task's files begin.

    ``NUMBER`` is what a host leaves for the next ones. ``NUMBER.turn`` holds the name of the host that has claimed the
    turn, and is locked as long as that host's process lives.
    """

    _held: t.ClassVar[list[int]] = []  # handles of the locks of this process; the end of the process closes them

    def __init__(self, files: str, inventory: Inventory) -> None:
        self._files, self._hosts, self._playing = files, inventory.hosts, inventory.playing
        self._number = inventory.hosts.index(inventory.own)
        self.last = not self._playing.intersection(inventory.hosts[self._number + 1 :])

    def _file(self, number: int) -> str:
        return "%s-%s-%d" % (self._files, self._hosts[0].replace("/", "_"), number)

    def wait(self) -> list[str] | None:
        """What the hosts before said that do not answer, once all of them were tried; None where one has answered, or
        where a later host has taken this host's turn. Raises TurnError.
        """
        if not self._claim(self._number):
            return None
        absent: list[str] = []
        begun = time.monotonic()
        for number in range(self._number - 1, -1, -1):
            if self._comes(number, begun):
                with open(self._file(number), encoding="utf-8") as stream:
                    silent: list[str] | None = json.load(stream)
                if silent is None:
                    self.end(None)
                    return None
                return [*silent, *reversed(absent)]
            if self._hosts[number] in self._playing:
                absent.append("%s: its process failed before it could connect" % self._hosts[number])
        return list(reversed(absent))

    def _comes(self, number: int, begun: float) -> bool:
        """Wait until an earlier host has left word. False if nothing will come from it. Raises TurnError.

        begun: when the waiting began (time.monotonic).
        """
        file, host = self._file(number), self._hosts[number]
        while not os.path.exists(file):
            waited = time.monotonic() - begun
            claimant = self._claimant(number)
            if claimant == self._hosts[self._number]:
                return False
            if not claimant:
                # A host that has left the play before this task does not begin.
                if (host not in self._playing or waited >= BEGINS) and self._claim(number):
                    return False
            elif self._ended(number) and not os.path.exists(file):
                text = "the process of %s ended during the work; nothing is known of what it wrote. Run again"
                raise TurnError(text % host)
            elif waited >= _AT_MOST:
                text = "%s has been at work for %d hours. End the run, and look at that host"
                raise TurnError(text % (host, _AT_MOST // 3600))
            time.sleep(_LOOK)
        return True

    def _claim(self, number: int) -> bool:
        """Take a turn for this host. Returns whether this host has it, now or since an earlier item of a loop."""
        own = self._hosts[self._number]
        handle = os.open(self._file(number) + ".turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not self._claimant(number):  # the other process is about to write its name
                    time.sleep(_LOOK)
                    continue
                os.close(handle)
                return self._claimant(number) == own
        if claimant := self._claimant(number):
            os.close(handle)
            return claimant == own
        os.write(handle, own.encode())
        self._held.append(handle)
        return True

    def _claimant(self, number: int) -> str:
        """The host that has claimed a turn; empty if none has."""
        try:
            with open(self._file(number) + ".turn", encoding="utf-8") as stream:
                return stream.read()
        except FileNotFoundError:
            return ""

    def _ended(self, number: int) -> bool:
        """Whether the process that has claimed a turn is gone."""
        with open(self._file(number) + ".turn", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def end(self, silent: list[str] | None) -> None:
        """Leave word for the next host: what those said that do not answer, or None where one has answered."""
        if self.last:
            return
        file = self._file(self._number)
        with open(file + "~", "w", encoding="utf-8") as stream:
            json.dump(silent, stream)
        os.replace(file + "~", file)
