# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replicas of the Central Management Store: their state, a push, and the wait until every one has it.

What management_store_replication does. Servers work from their replica, so a change is in force only once it is there.
"""

from __future__ import annotations

import datetime
import time
import typing as t
from dataclasses import dataclass

from .._base.reading import UNREADABLE, objects_of
from .._base.result import Params, Refused, Result, Unreadable
from .._base.step import Step
from .._base.step_log import StepLog
from .._base.task import Task
from .._federation.homes import STATUS, build_of
from .._shell.statement import Answer, Shell, Statement

PUSH = "Invoke-CsManagementStoreReplication"
# Seconds between two looks. A status changes within minutes, and each look is a request.
_PAUSES = (1.0, 2.0, 5.0)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["current", "pushed"], "default": "current"},
    "timeout": {"type": "int", "default": 300},
}


@dataclass(frozen=True)
class Replica:
    """One replica. up_to_date, last_update_creation: as the server says; the time is None if it had no update.

    build: the first two numbers of the product's version there, empty where it is not told.
    """

    fqdn: str
    up_to_date: bool
    last_update_creation: datetime.datetime | None
    build: str = ""

    def as_dict(self) -> dict[str, t.Any]:
        made = self.last_update_creation
        return {
            "fqdn": self.fqdn,
            "up_to_date": self.up_to_date,
            "last_update_creation": made.isoformat() if made else None,
        }


class Time(t.Protocol):
    """The two functions of the module ``time`` by which a wait is measured, in seconds."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def sleep(self, seconds: float, /) -> None:
        """Waits so long."""


def replicas_of(answer: Answer) -> tuple[Replica, ...]:
    """The replicas that an answer of STATUS tells of, by name. Raises ServerRefused.

    The page of the cmdlet: UpToDate, ReplicaFqdn and LastUpdateCreation of each.
    """
    return tuple(sorted(map(_replica, objects_of(STATUS, answer)), key=lambda one: one.fqdn.casefold()))


def _replica(item: t.Mapping[str, t.Any]) -> Replica:
    fqdn, up_to_date, made = (item.get(name) for name in ("ReplicaFqdn", "UpToDate", "LastUpdateCreation"))
    if not isinstance(fqdn, str) or not fqdn:
        raise Unreadable(STATUS, "", "ReplicaFqdn is %r; a name was expected" % (fqdn,))
    if not isinstance(up_to_date, bool):
        raise Unreadable(STATUS, fqdn, "UpToDate is %r; true or false was expected" % (up_to_date,))
    try:
        when = datetime.datetime.fromisoformat(made.replace("Z", "+00:00")) if made is not None else None
    except (AttributeError, ValueError):
        raise Unreadable(STATUS, fqdn, "LastUpdateCreation is %r; a time was expected" % (made,)) from None
    if when is not None and when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return Replica(fqdn, up_to_date, when, build_of(item))


def read_replicas(shell: Shell) -> tuple[Replica, ...]:
    """All replicas. Raises Refused, ServerRefused, ShellError; a store without any is an error too."""
    found = replicas_of(shell.invoke([Statement(STATUS)]))
    if not found:
        raise Refused(["%s names no replica, so it cannot be known whether one is behind" % STATUS])
    return found


def behind(before: t.Sequence[Replica], now: t.Sequence[Replica]) -> list[str]:
    """The replicas without an update that was made after those of ``before``; their names.

    UpToDate alone says too little: it may still be true from before the push. All times are by the servers' clocks.
    """
    newest = max((one.last_update_creation for one in before if one.last_update_creation), default=None)

    def has_it(one: Replica) -> bool:
        made = one.last_update_creation
        return one.up_to_date and made is not None and (newest is None or made > newest)

    known = {one.fqdn.casefold() for one in now}
    gone = [one.fqdn for one in before if one.fqdn.casefold() not in known]
    return [*(one.fqdn for one in now if not has_it(one)), *gone]


def wait(
    shell: Shell,
    before: t.Sequence[Replica],
    timeout: float,
    clock: Time = time,
    awaited: t.Collection[str] | None = None,
) -> tuple[tuple[Replica, ...], list[str]]:
    """Look until no replica is behind, or the time is over. Returns the last look and who is behind.

    timeout: seconds. awaited: the FQDNs that count; all of them without it. Raises what reading raises.
    """
    end = clock.monotonic() + timeout
    pauses = iter(_PAUSES)
    pause = 0.0
    while True:
        now = read_replicas(shell)
        late = [fqdn for fqdn in behind(before, now) if awaited is None or fqdn in awaited]
        left = end - clock.monotonic()
        if not late or left <= 0:
            return now, late
        pause = next(pauses, pause)
        clock.sleep(min(pause, left))


def work(params: Params, shell: Shell, check: bool, clock: Time = time) -> Result:
    """management_store_replication. Raises Refused, ServerRefused, ShellError before anything was pushed."""
    if params["timeout"] < 0:
        raise Refused(["timeout: %d is below 0; it is a number of seconds" % params["timeout"]])
    before = read_replicas(shell)
    step = Step(PUSH, "", {})
    log = StepLog(shell, [step])
    if check:
        return _result(log, before, "planned")
    now = before
    if log.do(step):
        try:
            if params["state"] == "pushed":
                now = read_replicas(shell)
            else:
                now, late = wait(shell, before, params["timeout"], clock)
                for fqdn in late:
                    text = "%s has not the newest update after %d seconds; what was written is not in force there"
                    log.note(STATUS, fqdn, "OperationTimeout", text % (fqdn, params["timeout"]))
        except UNREADABLE as exc:
            log.note(STATUS, "", "ConnectionError", "pushed, but the replicas cannot be read now: %s" % exc)
    return _result(log, now, "not_sent")


def _result(log: StepLog, replicas: t.Sequence[Replica], untouched: str) -> Result:
    steps = log.shown(untouched)
    return Result(
        values={"replicas": [one.as_dict() for one in replicas]},
        changed=steps[0]["result"] in ("planned", "done"),
        steps=steps,
        failures=log.failures,
        warnings=log.warnings,
    )


TASK = Task(ARGUMENT_SPEC, work, writes=True)
