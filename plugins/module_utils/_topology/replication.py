# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replicas of the Central Management Store: their state, a push, and the wait until they have an update.

What management_store_replication does. Servers work from their replica, so a change is in effect only once it is there.
The product replicates by itself. A push deletes the status of the replicas and starts a full copy, so the page of its
cmdlet advises to leave replication to the product as a rule.
"""

from __future__ import annotations

import datetime
import difflib
import time
import typing as t
from dataclasses import dataclass, replace

from .._base.reading import UNREADABLE, objects_of
from .._base.result import Params, Refused, Result, Unreadable
from .._base.server_time import CLOCK, in_zone, server_clock, server_time
from .._base.step import Step
from .._base.step_log import StepLog
from .._base.task import Task
from .._base.texts import some
from .._federation.pools import STATUS, build_of, text_of
from .._shell.statement import Answer, Shell, Statement

PUSH = "Invoke-CsManagementStoreReplication"
# Seconds between two looks. A status changes within minutes, and each look is a request.
_PAUSES = (1.0, 2.0, 5.0)
LATE = "%s does not have the newest update after %d seconds, so the changes are not in effect there"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["current", "pushed"], "default": "current"},
    "push": {"type": "bool", "default": False},
    "replicas": {"type": "list", "elements": "str"},
    "timeout": {"type": "int", "default": 300},
}


@dataclass(frozen=True)
class Replica:
    """One replica. up_to_date, last_update_creation: as the server says; the time is None where it shows none,
    and without a zone where the server's offset is unknown.

    build: the first number of the product's version there, empty where it is not told.
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
    fqdn, up_to_date, made = text_of(STATUS, item, "ReplicaFqdn"), item.get("UpToDate"), item.get("LastUpdateCreation")
    if not isinstance(up_to_date, bool):
        raise Unreadable(STATUS, fqdn, "UpToDate is %r; true or false was expected" % (up_to_date,))
    try:
        # After a push the server has deleted the status, and the time stays empty for a while.
        when = server_time(made) if made not in (None, "") else None
    except ValueError:
        raise Unreadable(STATUS, fqdn, "LastUpdateCreation is %r; a time was expected" % (made,)) from None
    return Replica(fqdn, up_to_date, when, build_of(item))


def read_replicas(shell: Shell) -> tuple[Replica, ...]:
    """All replicas. Raises Refused, ServerRefused, ShellError; a store without any is an error too."""
    found = _read(shell)
    if not found:
        raise Refused(["%s names no replica, so it cannot be known whether one is behind" % STATUS])
    return found


def _read(shell: Shell) -> tuple[Replica, ...]:
    """Times without an offset are the server's local time, whose offset only its own clock tells."""
    rows = replicas_of(shell.invoke([Statement(STATUS)]))
    times = [one.last_update_creation for one in rows if one.last_update_creation]
    if all(time.tzinfo for time in times):
        return rows
    clock = server_clock(shell)
    if any(time.tzinfo for time in times) and (clock is None or clock.tzinfo is None):
        text = "LastUpdateCreation has an offset from UTC for some replicas only, and %s does not show the server's"
        raise Unreadable(STATUS, "", text % CLOCK)
    return tuple(
        replace(one, last_update_creation=in_zone(one.last_update_creation, clock)) if one.last_update_creation else one
        for one in rows
    )


def _names_of(replicas: t.Iterable[Replica]) -> list[str]:
    return [one.fqdn for one in replicas]


def _newest(replicas: t.Iterable[Replica]) -> datetime.datetime | None:
    return max((one.last_update_creation for one in replicas if one.last_update_creation), default=None)


def _later(made: datetime.datetime, newest: datetime.datetime | None) -> bool:
    """Whether a time is later. Times with and without an offset cannot be compared, so the answer is no."""
    if newest is None:
        return True
    return (made.tzinfo is None) == (newest.tzinfo is None) and made > newest


def behind(before: t.Sequence[Replica], now: t.Sequence[Replica], names: t.Sequence[str] | None = None) -> list[str]:
    """The replicas without an update that was made after those of ``before``; their names.

    names: the FQDNs that count; all of both readings without it. A replica without a status, or with an empty one, is
    behind: a push has deleted it. UpToDate alone says too little, because it may still be true from before the writes.
    All times are by the servers' clocks.
    """
    newest = _newest(before)
    rows = {one.fqdn.casefold(): one for one in now}

    def has_it(one: Replica | None) -> bool:
        made = one.last_update_creation if one else None
        return one is not None and one.up_to_date and made is not None and _later(made, newest)

    if names is None:
        names = [*_names_of(now), *(fqdn for fqdn in _names_of(before) if fqdn.casefold() not in rows)]
    return [fqdn for fqdn in names if not has_it(rows.get(fqdn.casefold()))]


def moved(before: t.Sequence[Replica], now: t.Sequence[Replica]) -> list[str]:
    """The replicas that have a newer update than any had before; their names."""
    newest = _newest(before)
    return _names_of(one for one in now if one.last_update_creation and _later(one.last_update_creation, newest))


def wait(
    shell: Shell,
    before: t.Sequence[Replica],
    timeout: float,
    clock: Time = time,
    names: t.Sequence[str] | None = None,
) -> tuple[tuple[Replica, ...], list[str]]:
    """Look until no replica is behind, or the time is over. Returns the last look and who is behind.

    before: as the replicas were before what is waited for; empty: any update will do. timeout: seconds. names: the
    FQDNs that count; all of them without it. Raises what reading raises.
    """
    end = clock.monotonic() + timeout
    pauses = iter(_PAUSES)
    pause = 0.0
    while True:
        # A push deletes every status: then none is an answer as well.
        now = _read(shell) if before or names else read_replicas(shell)
        late = behind(before, now, names)
        left = end - clock.monotonic()
        if not late or left <= 0:
            return now, late
        pause = next(pauses, pause)
        clock.sleep(min(pause, left))


def push_steps(names: t.Iterable[str]) -> list[Step]:
    """A push of these replicas, one call each (ReplicaFqdn takes one name); of all where no name is given."""
    return [Step(PUSH, fqdn, {"ReplicaFqdn": fqdn}) for fqdn in names] or [Step(PUSH, "", {})]


def _known(shell: Shell, rows: t.Sequence[Replica]) -> list[str]:
    """The names of all replicas: those with a status, and those whose status a push has just deleted.

    The page of STATUS describes CentralManagementStoreStatus without its properties, so what cannot be read of it adds
    nothing.
    """
    names = _names_of(rows)
    try:
        found = objects_of(STATUS, shell.invoke([Statement(STATUS, {"CentralManagementStoreStatus": True})]))
    except UNREADABLE:
        return names
    active = [one.get("ActiveReplicas") for one in found]
    more = [name for value in active for name in (value if isinstance(value, list) else [value])]
    known = {name.casefold() for name in names}
    return [*names, *(name for name in more if isinstance(name, str) and name and name.casefold() not in known)]


def _chosen(wanted: t.Sequence[str], known: t.Sequence[str]) -> list[str]:
    """The names that are meant, as the server spells them. Raises Refused for those that it does not know."""
    spelled = {name.casefold(): name for name in known}
    keys = [name.strip().rstrip(".").casefold() for name in wanted]
    mistakes = []
    for name, key in zip(wanted, keys, strict=True):
        if key not in spelled:
            near = difflib.get_close_matches(key, list(spelled), 3, 0.7)
            hint = "did you mean %s?" % " or ".join(spelled[one] for one in near) if near else "there are: %s"
            mistakes.append(
                "replicas: there is no replica '%s' (%s)" % (name, hint if near else hint % some(sorted(known)))
            )
    if mistakes:
        raise Refused(mistakes)
    return list(dict.fromkeys(spelled[key] for key in keys))


def work(params: Params, shell: Shell, check: bool, clock: Time = time) -> Result:
    """management_store_replication. Raises Refused, ServerRefused, ShellError before anything was pushed."""
    if params["timeout"] < 0:
        raise Refused(["timeout: %d is below 0; it is a number of seconds" % params["timeout"]])
    if params["replicas"] == []:
        raise Refused(["replicas: the list is empty; name the replicas, or leave the option out for all of them"])
    rows = _read(shell)
    known = _known(shell, rows)
    if not known:
        raise Refused(["%s names no replica, so it cannot be known whether one is behind" % STATUS])
    chosen = _chosen(params["replicas"] or (), known)
    names = chosen or known
    pushes = params["push"] or params["state"] == "pushed"
    steps = push_steps(chosen) if pushes else []
    log = StepLog(shell, steps)
    if check:
        return _result(log, rows, names, "planned")
    pushed = [step for step in steps if log.do(step)]
    now = rows
    if pushed or not steps:
        what = "pushed, but " if pushed else ""
        try:
            if params["state"] == "pushed":
                now = _read(shell)
            else:
                awaited = names if not steps or not chosen else [step.identity for step in pushed]
                now, late = wait(shell, rows if steps else (), params["timeout"], clock, awaited)
                for fqdn in late:
                    log.note(STATUS, fqdn, "OperationTimeout", LATE % (fqdn, params["timeout"]))
        except UNREADABLE as exc:
            log.note(STATUS, "", "ConnectionError", "%sthe replicas cannot be read now: %s" % (what, exc))
    return _result(log, now, names, "not_sent")


def _result(log: StepLog, rows: t.Sequence[Replica], names: t.Sequence[str], untouched: str) -> Result:
    steps = log.shown(untouched)
    found = {one.fqdn.casefold(): one for one in rows}
    replicas = [found.get(name.casefold(), Replica(name, False, None)) for name in names]
    return Result(
        values={"replicas": [one.as_dict() for one in sorted(replicas, key=lambda one: one.fqdn.casefold())]},
        changed=any(step["result"] in ("planned", "done") for step in steps),
        steps=steps,
        failures=log.failures,
        warnings=log.warnings,
    )


TASK = Task(ARGUMENT_SPEC, work, writes=True)
