# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for services: until they have settled, or, after a graceful stop, until their sessions have ended."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._base.reading import UNREADABLE
from .._base.result import Params, Refused
from .._base.step import Step
from .._base.step_log import StepLog
from .services import WindowsService, stop, stop_gracefully

# So many seconds a service may take to settle.
PATIENCE = 120.0
# Between two reads: at first, and at most.
_PAUSE = 1.0
_LONGEST = 5.0

ReadServices = t.Callable[[], "list[WindowsService]"]

OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "timeout": {"type": "int", "default": 300},
        "then": {"type": "str", "choices": ["stop", "leave"], "default": "stop"},
    },
}


@dataclass(frozen=True)
class Graceful:
    """The option ``graceful``. timeout: seconds that sessions have to end; leaves: a service that has some after that
    goes on draining, else it is stopped plainly.
    """

    timeout: int
    leaves: bool

    @classmethod
    def read(cls, given: Params | None) -> Graceful | None:
        """From a module's parameter. Raises Refused."""
        if given is None:
            return None
        if given["timeout"] < 1:
            raise Refused(["graceful.timeout: must be at least 1 second, not %d" % given["timeout"]])
        return cls(given["timeout"], given["then"] == "leave")


@dataclass(frozen=True)
class Drained:
    """How a service is after a graceful stop. status: empty after a failure, which is recorded. along: the names of the
    other services that ran before and do not run now: they depend on it.
    """

    status: str = ""
    along: tuple[str, ...] = ()

    @property
    def stopped(self) -> bool:
        return self.status.casefold() == "stopped"


def settled(
    read: ReadServices,
    names: t.Collection[str],
    patience: float = PATIENCE,
    waits: t.Callable[[WindowsService], bool] = lambda service: service.changing,
) -> list[WindowsService]:
    """All services once ``waits`` is true for none of those that are named; after ``patience`` seconds as they are.

    Raises what reading raises.
    """
    end, pause = time.monotonic() + patience, _PAUSE
    found = read()
    while any(waits(service) for service in found if service.name in names):
        left = end - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(_LONGEST, pause * 1.2)
        found = read()
    return found


def drain(
    name: str, planned: Step | None, following: Step | None, graceful: Graceful, log: StepLog, read: ReadServices
) -> Drained:
    """Stop a service gracefully if it runs, and wait until it has stopped or the time is over.

    planned: the stop. It is not sent if the service does not run any more, as it depends on one that was stopped.
    following: the step that comes after the stop.
    """
    end = time.monotonic() + graceful.timeout
    error = None
    try:
        before = read()
        runs = any(service.name == name and service.running for service in before)
        if planned and not runs:
            log.withdraw(planned)
            planned = None
        elif runs and not planned:
            planned = stop_gracefully(name)
            log.insert(planned, following)
        if planned:
            # The call may last as long as the sessions. Then the session's own time limit ends it, and what is read
            # next tells what became of it.
            error = log.send(planned).get(planned.cmdlet)
        failed = error is not None

        def waits(service: WindowsService) -> bool:
            return not service.stopped and not (failed and service.running)

        after = settled(read, [name], end - time.monotonic(), waits)
    except UNREADABLE as exc:
        log.fail(planned or stop(name), error or exc)
        return Drained()
    status = next((service.status for service in after if service.name == name), "")
    if planned and error and status.casefold() == "running":
        log.fail(planned, error)
        return Drained()
    if not status:
        log.fail(planned or stop(name), error or "Get-CsWindowsService does not show the service any more")
        return Drained()
    if planned:
        log.done(planned, error)
    ran = [service.name for service in before if service.running and service.name != name]
    return Drained(status, tuple(service.name for service in after if service.name in ran and not service.running))


def note_left(name: str, drained: Drained, graceful: Graceful, restart: bool, log: StepLog) -> None:
    """Record that a service was left as it is when the time was over. restart: it was to be started again."""
    text = "it is %s after %d seconds: its sessions have not ended. " % (drained.status, graceful.timeout)
    text += "It goes on draining (graceful.then is leave)%s. " % (" and was not restarted" if restart else "")
    if drained.along:
        text += "These services depend on it and do not run either: %s. " % ", ".join(drained.along)
    text += "Run again later, or set graceful.then to stop, which ends the sessions"
    log.note("Stop-CsWindowsService", name, "NotInEffect", text)


def why_not_started(status: str) -> str:
    """Why a service that is in a status was not started, and what there is to do."""
    if WindowsService("", "", status).draining:
        return (
            "the service is %s: it was stopped gracefully, and its sessions have not ended after %d seconds. Windows "
            "cannot start it now. Run again when it has stopped, or restart it without graceful. The latter ends the "
            "sessions" % (status, PATIENCE)
        )
    return (
        "the service is %s after %d seconds. Windows cannot start it in this status. Check the event log of this "
        "server, then run again" % (status, PATIENCE)
    )
