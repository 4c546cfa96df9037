# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replication at the end of a run that wrote: pushed, and awaited where XMPP is.

Those are the legacy Front Ends and the Edge servers to which a route leads. Other replicas are named and not awaited,
since a branch office that is off the network keeps no message from passing.
"""

from __future__ import annotations

import time
import typing as t

from .._base.reading import UNREADABLE
from .._base.result import Failure, ServerRefused
from .._base.texts import some
from .._federation.deployment import Deployment
from .._federation.homes import STATUS
from .._shell.statement import ServerError, Shell, ShellError, Statement
from .chain import routes_of
from .replication import PUSH, Replica, Time, read_replicas, wait
from .topology import Topology, read_topology

WAIT, PUSHED, NONE = "wait", "push", "none"
_BY_ITSELF = "what was written reaches the servers by itself, usually within minutes"


class Replication:
    """mode: wait, push or none. timeout: seconds."""

    def __init__(self, mode: str, timeout: int, clock: Time = time) -> None:
        self._mode, self._timeout, self._clock = mode, timeout, clock
        self._told = ""
        self._result: dict[str, t.Any] = {}
        self._who = ""  # to whom PUSH is not offered

    def not_offered(self, account: str) -> None:
        self._who = account

    def run(self, shell: Shell, topology: Topology | None, deployment: Deployment) -> list[Failure]:
        """After writes. What kept it from being pushed or awaited is told; a replica that stays behind is a failure."""
        if self._mode == NONE:
            return []
        self._result = {"pushed": False, "awaited": [], "late": [], "not_awaited": [], "seconds": 0.0}
        if self._who:
            self._told = "Replication was not pushed: %s is not offered to %s; %s." % (PUSH, self._who, _BY_ITSELF)
            return []
        before, why = self._replicas(shell) if self._mode == WAIT else ((), "")
        try:
            answer = shell.invoke([Statement(PUSH)])
            said = answer.errors[0].message if answer.errors else answer.lost
        except ShellError as exc:
            said = str(exc)
        if said:
            self._told = "Replication was not pushed: %s; %s." % (said, _BY_ITSELF)
            return []
        self._result["pushed"] = True
        if self._mode != WAIT:
            self._told = "Replication was pushed, and not awaited."
            return []
        if why:
            self._told = "Replication was pushed, and cannot be awaited: %s" % why
            return []
        return self._wait(shell, before, _carrying(shell, topology, deployment))

    def _wait(self, shell: Shell, before: t.Sequence[Replica], carrying: t.Collection[str] | None) -> list[Failure]:
        names = [one.fqdn for one in before]
        awaited = [fqdn for fqdn in names if carrying is None or fqdn.casefold() in carrying] or names
        others = [fqdn for fqdn in names if fqdn not in awaited]
        started = self._clock.monotonic()
        try:
            _now, late = wait(shell, before, self._timeout, self._clock, awaited)
        except UNREADABLE as exc:
            self._told = "Replication was pushed, and then the replicas could not be read: %s" % exc
            return [_failure("", "ConnectionError", "pushed, but the replicas cannot be read now: %s" % exc)]
        seconds = self._clock.monotonic() - started
        self._result.update(awaited=awaited, late=late, not_awaited=others, seconds=round(seconds, 1))
        rest = "; not awaited: %s" % some(others) if others else ""
        if late:
            self._told = "NOT REPLICATED after %.0f s: %s%s." % (seconds, some(late), rest)
        else:
            self._told = "Replicated after %.0f s to %s%s." % (seconds, some(awaited), rest)
        text = "%s has not the newest update after %d seconds; what was written is not in force there"
        return [_failure(fqdn, "OperationTimeout", text % (fqdn, self._timeout)) for fqdn in late]

    @staticmethod
    def _replicas(shell: Shell) -> tuple[tuple[Replica, ...], str]:
        """As they are after the writes and before the push, or why that is not known."""
        try:
            return read_replicas(shell), ""
        except UNREADABLE as exc:
            return (), str(exc)

    def lines(self) -> list[str]:
        return [self._told] if self._told else []

    def values(self) -> dict[str, t.Any]:
        return {"replication": self._result} if self._result else {}


def _failure(fqdn: str, category: str, text: str) -> Failure:
    return Failure(STATUS, fqdn, ServerError(STATUS, "", category, text))


def _carrying(shell: Shell, topology: Topology | None, deployment: Deployment) -> set[str] | None:
    """The computers whose replica counts, in lower case; None where they are not known: then all of them do."""
    if topology is None:
        try:
            topology = read_topology(shell)
        except (ServerRefused, ShellError):
            return None
    return carrying(topology, (routes_of(topology, deployment) or {}).values())


def carrying(topology: Topology, edge_pools: t.Iterable[str]) -> set[str] | None:
    """The computers of legacy Front End pools and of these Edge pools (FQDNs in lower case), in lower case; None where
    they are not known.
    """
    if topology.pools is None:
        return None
    edges = set(edge_pools)
    # A release that is not known may be a legacy one.
    pools = [
        p for p in topology.pools if (p.registrar is not False and p.legacy is not False) or p.fqdn.casefold() in edges
    ]
    return {computer.casefold() for pool in pools for computer in pool.computers}
