# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the replicas of the Central Management Store, push replication, and wait until the replicas have an update.

The module management_store_replication does this work. Servers use their replica, so a change takes effect only when
their replica has it. The product replicates by itself. A push deletes the status of the replicas and starts a full
copy. So the page of the cmdlet recommends the product's own replication.
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
# Seconds between two reads. A status changes within minutes, so more requests would not help.
_PAUSES = (1.0, 2.0, 5.0)
LATE = "%s does not have the newest update after %d seconds. The changes are not in effect on this server"
_NONE = "%s returned no replica, so the state of replication is unknown"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["current", "pushed"], "default": "current"},
    "push": {"type": "bool", "default": False},
    "replicas": {"type": "list", "elements": "str"},
    "timeout": {"type": "int", "default": 300},
}


@dataclass(frozen=True)
class Replica:
    """Describe one replica.

    fqdn: the computer of the replica.
    up_to_date: the server's UpToDate.
    last_update_creation: the server's LastUpdateCreation; None if the property is empty, without a zone if the server's
        offset is unknown.
    build: the first number of the product's version on the computer; empty if unknown.
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
    """Describe the two functions of the module ``time`` that measure a wait, in seconds."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""

    def sleep(self, seconds: float, /) -> None:
        """Wait for this number of seconds."""


def replicas_of(answer: Answer) -> tuple[Replica, ...]:
    """Return the replicas of an answer of STATUS, sorted by name. Raises ServerRefused.

    Source of the properties UpToDate, ReplicaFqdn and LastUpdateCreation: the page of the cmdlet.
    """
    return tuple(sorted(map(_replica, objects_of(STATUS, answer)), key=lambda one: one.fqdn.casefold()))


def _replica(item: t.Mapping[str, t.Any]) -> Replica:
    fqdn, up_to_date, made = text_of(STATUS, item, "ReplicaFqdn"), item.get("UpToDate"), item.get("LastUpdateCreation")
    if not isinstance(up_to_date, bool):
        raise Unreadable(STATUS, fqdn, "UpToDate must be true or false, not %r" % (up_to_date,))
    try:
        # After a push the time is empty for a while, because the server has deleted the status.
        when = server_time(made) if made not in (None, "") else None
    except ValueError:
        raise Unreadable(STATUS, fqdn, "LastUpdateCreation must be a time, not %r" % (made,)) from None
    return Replica(fqdn, up_to_date, when, build_of(item))


def read_replicas(shell: Shell) -> tuple[Replica, ...]:
    """Return all replicas. Raises Refused, ServerRefused, ShellError. A store without replicas is also an error."""
    found = _read(shell)
    if not found:
        raise Refused([_NONE % STATUS])
    return found


def _read(shell: Shell) -> tuple[Replica, ...]:
    """Return all replicas.

    A time without an offset is the server's local time, and gets the offset of the server's clock.
    """
    rows = replicas_of(shell.invoke([Statement(STATUS)]))
    times = [one.last_update_creation for one in rows if one.last_update_creation]
    if all(time.tzinfo for time in times):
        return rows
    clock = server_clock(shell)
    if any(time.tzinfo for time in times) and (clock is None or clock.tzinfo is None):
        text = "LastUpdateCreation has an offset from UTC for some replicas only, and %s does not show an offset"
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
    """Return whether a time is later.

    If only one of the times has an offset, the two times cannot be compared: False.
    """
    if newest is None:
        return True
    return (made.tzinfo is None) == (newest.tzinfo is None) and made > newest


def behind(before: t.Sequence[Replica], now: t.Sequence[Replica], names: t.Sequence[str] | None = None) -> list[str]:
    """Return the names of the replicas that have no newer update than ``before``.

    A replica without a status, or with an empty status, is behind, because a push has deleted the status. UpToDate
    alone is not enough, because its value may be older than the writes. All times are from the servers' clocks.

    names: the FQDNs to check; None for all of both readings.
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
    """Return the names of the replicas that have a newer update than all replicas before."""
    newest = _newest(before)
    return _names_of(one for one in now if one.last_update_creation and _later(one.last_update_creation, newest))


def wait(
    shell: Shell,
    before: t.Sequence[Replica],
    timeout: float,
    clock: Time = time,
    names: t.Sequence[str] | None = None,
) -> tuple[tuple[Replica, ...], list[str]]:
    """Wait until no replica is behind, or the time is over.

    Return the last replicas, and the names of the replicas that are behind.

    before: the replicas before the change; empty if any update is enough.
    timeout: seconds.
    names: the FQDNs to check; None for all.
    Raises the exceptions of reading.
    """
    end = clock.monotonic() + timeout
    pauses = iter(_PAUSES)
    pause = 0.0
    while True:
        # A push deletes every status, so an empty answer is possible.
        now = _read(shell) if before or names else read_replicas(shell)
        late = behind(before, now, names)
        left = end - clock.monotonic()
        if not late or left <= 0:
            return now, late
        pause = next(pauses, pause)
        clock.sleep(min(pause, left))


def push_steps(names: t.Iterable[str]) -> list[Step]:
    """Return one push for each of these replicas, because ReplicaFqdn takes one name. No name means all replicas."""
    return [Step(PUSH, fqdn, {"ReplicaFqdn": fqdn}) for fqdn in names] or [Step(PUSH, "", {})]


def _known(shell: Shell, rows: t.Sequence[Replica]) -> list[str]:
    """Return the names of all replicas: replicas with a status, and replicas whose status a push has just deleted.

    The page of STATUS does not describe the properties of CentralManagementStoreStatus. So an unknown form adds no
    name.
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
    """Return the wanted names as the server spells them. Raises Refused for unknown names."""
    spelled = {name.casefold(): name for name in known}
    keys = [name.strip().rstrip(".").casefold() for name in wanted]
    mistakes = []
    for name, key in zip(wanted, keys, strict=True):
        if key not in spelled:
            near = difflib.get_close_matches(key, list(spelled), 3, 0.7)
            hint = "did you mean %s?" % " or ".join(spelled[one] for one in near) if near else "the replicas are: %s"
            mistakes.append(
                "replicas: there is no replica '%s' (%s)" % (name, hint if near else hint % some(sorted(known)))
            )
    if mistakes:
        raise Refused(mistakes)
    return list(dict.fromkeys(spelled[key] for key in keys))


def work(params: Params, shell: Shell, check: bool, clock: Time = time) -> Result:
    """Do the work of management_store_replication. Raises Refused, ServerRefused, ShellError before a push."""
    if params["timeout"] < 0:
        raise Refused(["timeout: must be a number of seconds, 0 or more, not %d" % params["timeout"]])
    if params["replicas"] == []:
        raise Refused(["replicas: the list is empty. Name the replicas, or remove the option to use all replicas"])
    rows = _read(shell)
    known = _known(shell, rows)
    if not known:
        raise Refused([_NONE % STATUS])
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
            log.note(STATUS, "", "ConnectionError", "%sthe replicas cannot be read: %s" % (what, exc))
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
