# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replicate the changes at the end of a run that wrote to the Central Management Store, and wait for servers with XMPP.

Servers with XMPP are the legacy Front Ends and the Edge servers of the routes. The run lists other replicas, but does
not wait for these replicas, because a branch office without network does not stop messages. The product replicates by
itself. So replication is pushed only on request. A push deletes the status of the replicas and starts a full copy to
all replicas.
"""

from __future__ import annotations

import time
import typing as t

from .._base.reading import UNREADABLE
from .._base.result import Failure, ServerRefused
from .._base.step import Step
from .._base.step_log import StepLog
from .._base.texts import some
from .._federation.deployment import Deployment
from .._federation.pools import STATUS, Pool
from .._shell.rights import missing
from .._shell.statement import ServerError, Shell, ShellError, place_of
from .replication import LATE, PUSH, Replica, Time, moved, push_steps, read_replicas, wait
from .topology import Topology, read_topology, routes_of

WAIT, PUSHED, NONE = "wait", "push", "none"
_BY_ITSELF = "The product replicates the changes by itself, usually within minutes"


class Replication:
    """Push replication, and wait until the replicas have the changes.

    mode: wait, push or none.
    timeout: seconds to wait.
    clock: measures the wait.
    option: the name of the mode's option in messages.
    """

    def __init__(self, mode: str, timeout: int, clock: Time = time, option: str = "replication") -> None:
        self.mode, self._timeout, self._clock, self._option = mode, timeout, clock, option
        self._before: tuple[Replica, ...] = ()
        self._unread = ""  # why the replicas could not be read before the writes
        self._told: list[str] = []
        self._result: dict[str, t.Any] = {}
        self._who = ""  # the account whose session does not offer PUSH

    def not_offered(self, account: str) -> None:
        self._who = account

    def before(self, shell: Shell, steps: t.Sequence[Step]) -> None:
        """Read the replicas right before the first write. Later a replica may already have the changes."""
        if self.mode == NONE or not _to_the_store(steps):
            return
        try:
            if missing(shell, [STATUS]):
                who = place_of(shell).account or "the session's account"
                self._unread = "%s is not offered to %s" % (STATUS, who)
                return
            self._before = read_replicas(shell)
        except UNREADABLE as exc:
            self._unread = str(exc)

    def run(
        self, shell: Shell, topology: Topology | None, deployment: Deployment, done: t.Sequence[Step]
    ) -> list[Failure]:
        """Push and wait after the writes. A late replica is a failure. If a push or a wait fails, show why."""
        if self.mode == NONE or not _to_the_store(done):
            return []
        self._result = {"pushed": False, "awaited": [], "late": [], "moved": [], "not_awaited": [], "seconds": 0.0}
        awaited = carrying_replicas(self._before, _carrying(shell, topology, deployment))
        if self.mode == PUSHED:
            self._push(shell, awaited)
        if self._unread:
            self._told.append("The run cannot wait for replication: %s" % self._unread)
            return []
        return self._wait(shell, awaited or [one.fqdn for one in self._before])

    def _push(self, shell: Shell, names: t.Sequence[str]) -> None:
        """Push replication. If the push is impossible, the product still replicates, and the run waits."""
        steps = push_steps(names)
        log = StepLog(shell, steps)
        if self._who:
            why = "%s is not offered to %s" % (PUSH, self._who)
        else:
            self._result["pushed"] = [log.do(step) for step in steps].count(True) > 0
            failed = [(one.identity, one.error.message) for one in log.failures]
            why = "; ".join("%s: %s" % one if one[0] else one[1] for one in failed)
        if why:
            self._told.append("Replication was not pushed: %s. %s." % (why, _BY_ITSELF))

    def _wait(self, shell: Shell, awaited: t.Sequence[str]) -> list[Failure]:
        counted = {fqdn.casefold() for fqdn in awaited}
        others = [one.fqdn for one in self._before if one.fqdn.casefold() not in counted]
        started = self._clock.monotonic()
        try:
            now, late = wait(shell, self._before, self._timeout, self._clock, awaited)
        except UNREADABLE as exc:
            text = "the changes are written, but the replicas cannot be read: %s" % exc
            self._told.append("Replication is unknown: %s" % text)
            return [_failure("", "ConnectionError", text)]
        seconds = self._clock.monotonic() - started
        has = moved(self._before, now)
        self._result.update(awaited=list(awaited), late=late, moved=has, not_awaited=others, seconds=round(seconds, 1))
        rest = ". The run did not wait for %s" % some(others) if others else ""
        if late:
            self._told += ["NOT REPLICATED after %.0f s: %s%s." % (seconds, some(late), rest), *self._advice(has, late)]
        else:
            self._told.append("Replicated after %.0f s to %s%s." % (seconds, some(awaited), rest))
        return [_failure(fqdn, "OperationTimeout", LATE % (fqdn, self._timeout)) for fqdn in late]

    def _advice(self, has: t.Sequence[str], late: t.Sequence[str]) -> list[str]:
        seen = "  These replicas have a newer update than before the run: %s." % some(has)
        if not has:
            seen = "  No replica has a newer update than before the run."
        check = "  Check the service Replica Replicator Agent on these servers, and port 4443 to the Edge servers."
        if self._result["pushed"]:
            return [seen, check]
        push = (
            "  To start a full copy, run sfb.xmpp.management_store_replication with push: true and replicas: [%s]."
            " With %s: push, every run that writes does this."
        )
        return [seen, check, push % (", ".join(late), self._option)]

    def lines(self) -> list[str]:
        return list(self._told)

    def values(self) -> dict[str, t.Any]:
        return {"replication": self._result} if self._result else {}


def _to_the_store(steps: t.Iterable[Step]) -> bool:
    """Return whether a step writes to the Central Management Store. Grants are written to Active Directory."""
    return any(step.part != "grants" for step in steps)


def carrying_replicas(replicas: t.Sequence[Replica], carry: t.Collection[str] | None) -> list[str]:
    """Return the replicas of these computers, sorted by name; none if the computers are unknown.

    carry: FQDNs in lower case. A computer without a status is included, because a push may have just deleted the
        status.
    """
    if not carry:
        return []
    spelled = {one.fqdn.casefold(): one.fqdn for one in replicas}
    return sorted((spelled.get(name, name) for name in carry), key=str.casefold)


def _failure(fqdn: str, category: str, text: str) -> Failure:
    return Failure(STATUS, fqdn, ServerError(STATUS, "", category, text))


def _carrying(shell: Shell, topology: Topology | None, deployment: Deployment) -> set[str] | None:
    """Return the computers to wait for, in lower case; None if unknown. With None, the run waits for all computers."""
    if topology is None:
        try:
            topology = read_topology(shell)
        except (ServerRefused, ShellError):
            return None
    return carrying(topology, routed_edges(topology, deployment))


def routed_edges(topology: Topology, deployment: Deployment | None = None) -> list[str]:
    """Return the Edge pools of the routes, in lower case. If the routes are unknown, return all Edge pools."""
    routes = routes_of(topology, deployment or Deployment(""))
    if routes is None:
        return [edge.fqdn.casefold() for edge in topology.edges or ()]
    return [pool for pool in routes.values() if pool]


def carrying(topology: Topology, edge_pools: t.Iterable[str]) -> set[str] | None:
    """Return the computers of legacy Front End pools and of these Edge pools, in lower case; None if unknown.

    edge_pools: FQDNs in lower case.
    """
    if topology.pools is None or any(pool.registrar is None for pool in topology.pools):
        return None
    edges = set(edge_pools)

    def counts(pool: Pool) -> bool:
        # An unknown release may be a legacy release. A pool of an unknown kind may be a Front End pool.
        return (pool.registrar is True and pool.has_xmpp is not False) or pool.fqdn.casefold() in edges

    return {computer.casefold() for pool in topology.pools if counts(pool) for computer in pool.computers}
