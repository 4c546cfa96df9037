# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for services: until their status is final or, after a graceful stop, until their sessions have ended."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._base.reading import UNREADABLE
from .._base.result import Params, Refused
from .._base.step import Step
from .._base.step_log import StepLog
from .services import WindowsService, stop, stop_gracefully

# Seconds that a service may take to reach its final status.
PATIENCE = 120.0
# Seconds between two reads: at the start, and at most.
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
    """Describe the option ``graceful``.

    timeout: seconds in which the sessions may end.
    leaves: whether a service with sessions after this time continues to drain. Otherwise the service is stopped.
    """

    timeout: int
    leaves: bool

    @classmethod
    def read(cls, given: Params | None) -> Graceful | None:
        """Read the module's parameter. Raises Refused."""
        if given is None:
            return None
        if given["timeout"] < 1:
            raise Refused(["graceful.timeout: must be at least 1 second, not %d" % given["timeout"]])
        return cls(given["timeout"], given["then"] == "leave")


@dataclass(frozen=True)
class Drained:
    """Describe a service after a graceful stop.

    status: the status of the service; empty after a failure, which is recorded.
    along: the names of the dependent services that stopped together with this service.
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
    """Return all services when ``waits`` is false for all named services, or after ``patience`` seconds.

    Raises the exceptions of reading.
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
    """Stop a running service gracefully, and wait until the service has stopped or the time is over.

    planned: the stop. If the service stopped together with another service, the stop is not sent.
    following: the step after the stop.
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
            # The call may last as long as the sessions, until the time limit of the shell ends the call. The next read
            # shows the result.
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
        log.fail(planned or stop(name), error or "Get-CsWindowsService no longer shows the service")
        return Drained()
    if planned:
        log.done(planned, error)
    ran = [service.name for service in before if service.running and service.name != name]
    return Drained(status, tuple(service.name for service in after if service.name in ran and not service.running))


def note_left(name: str, drained: Drained, graceful: Graceful, restart: bool, log: StepLog) -> None:
    """Record that a service was still draining when the time was over.

    restart: whether a start was planned.
    """
    text = "the service is %s after %d seconds, because its sessions have not ended. " % (
        drained.status,
        graceful.timeout,
    )
    text += "It continues to drain (graceful.then is leave)%s. " % (" and was not restarted" if restart else "")
    if drained.along:
        text += "These services depend on this service and do not run: %s. " % ", ".join(drained.along)
    text += "Run again later, or set graceful.then to stop. Then the sessions are ended"
    log.note("Stop-CsWindowsService", name, "NotInEffect", text)


def why_not_started(status: str) -> str:
    """Return why a service with this status was not started, and the remedy."""
    if WindowsService("", "", status).draining:
        return (
            "the service is %s. It was stopped gracefully, and its sessions have not ended after %d seconds. Windows "
            "cannot start it now. Run again when it has stopped, or restart it without graceful. A restart without "
            "graceful ends the sessions" % (status, PATIENCE)
        )
    return (
        "the service is %s after %d seconds. Windows cannot start it in this status. Check the event log of this "
        "server, then run again" % (status, PATIENCE)
    )
