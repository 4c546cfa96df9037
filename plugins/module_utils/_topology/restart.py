# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart services and their dependent services. Measure how long each service was down.

A service is started only if the service is Stopped. Windows refuses to start a Paused service, which still drains.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, replace

from .._base.reading import UNREADABLE
from .._base.step import Step
from .._base.step_log import StepLog
from .._shell.statement import ServerError
from .graceful_stop import Graceful, ReadServices, drain, note_left, settled, why_not_started
from .services import WindowsService, start, stop, stop_gracefully


@dataclass(frozen=True)
class Restart:
    """Describe the stop and the start of one service.

    Without ``graceful`` both steps are sent together, so that the start runs even if the controller fails.

    stop: None if the service does not run, or if the service drains and may continue.
    graceful: the option; None for a plain stop.
    """

    service: WindowsService
    stop: Step | None
    start: Step
    graceful: Graceful | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the planned steps. A plain stop after a graceful stop is not planned."""
        return (self.stop, self.start) if self.stop else (self.start,)


@dataclass(frozen=True)
class Restarted:
    """Describe the result of the restarts.

    complete: whether all services were restarted and run.
    down: the most seconds that each restarted service was down, by name, with the dependent services.
    left: the name of the service that still drains, and of the services that depend on this service. No other service
        was restarted afterwards.
    """

    complete: bool
    down: t.Mapping[str, float]
    left: tuple[str, ...] = ()


def restart_of(service: WindowsService, graceful: Graceful | None = None) -> Restart:
    return Restart(service, stop_of(service, graceful), start(service.name), graceful)


def stop_of(service: WindowsService, graceful: Graceful | None = None) -> Step | None:
    """Return the stop of a service; None if the service has stopped, or if the service drains and may continue."""
    if service.stopped or (graceful and service.draining):
        return None
    return stop_gracefully(service.name) if graceful else stop(service.name)


def second_restart_of(service: WindowsService) -> Restart:
    """Return a second restart. The second restart is not graceful, because the earlier sessions have ended."""
    return Restart(service, stop(service.name), start(service.name))


def restart_all(
    restarts: t.Sequence[Restart], before: t.Sequence[WindowsService], log: StepLog, read: ReadServices
) -> Restarted:
    """Restart one service after the other. At the end all services that ran ``before`` run again.

    No service is stopped twice. If a dependent service stopped, or if the answer to a stop was lost, the service is
    only started.
    """
    began: dict[str, float] = {}
    down: dict[str, float] = {}
    first = time.monotonic()
    left: tuple[str, ...] = ()
    reached: dict[str, Step] = {}
    for planned in restarts:
        restart, name = _when_settled(planned, log, read), planned.service.name
        if restart is None:
            continue
        began[name] = time.monotonic()
        reached[name] = restart.start
        if restart.graceful:
            drained = drain(name, restart.stop, restart.start, restart.graceful, log, read)
            if not drained.status:
                del began[name]
                continue
            if not drained.stopped and restart.graceful.leaves:
                note_left(name, drained, restart.graceful, True, log)
                left = (name, *drained.along)
                del began[name]
                break
            # From here on the restart is not graceful.
            restart = replace(restart, stop=None if drained.stopped else stop(name))
            if restart.stop:
                log.insert(restart.stop, restart.start)
        errors = log.send(*restart.steps)
        if restart.stop and restart.stop.cmdlet in errors:
            log.fail(restart.stop, errors[restart.stop.cmdlet])
            del began[name]
        elif not errors:
            down[name] = time.monotonic() - began[name]
    starts = {service.name: start(service.name) for service in before if service.running}
    starts.update(reached)
    starts = {name: step for name, step in starts.items() if name not in left}
    started, runs = make_run(starts, log, read)
    if runs:
        for name in began:
            down.setdefault(name, time.monotonic() - began[name])
        for name in started:
            if name not in began and not any(restart.service.name == name for restart in restarts):
                down[name] = time.monotonic() - first
    complete = runs and len(began) == len(restarts)
    return Restarted(complete, {name: round(seconds, 1) for name, seconds in down.items()}, left)


def _when_settled(restart: Restart, log: StepLog, read: ReadServices) -> Restart | None:
    """Wait until the service's status is no longer pending.

    Return the service's restart, or None after a recorded failure.

    A status that stays pending or cannot be read is a failure.
    """
    name = restart.service.name
    if not restart.service.pending:
        return restart
    try:
        found = settled(read, [name], waits=lambda service: service.pending)
    except UNREADABLE as exc:
        log.fail(restart.start, exc)
        return None
    service = next((one for one in found if one.name == name), restart.service)
    if service.pending:
        log.fail(restart.start, why_not_started(service.status))
        return None
    if restart.stop and service.stopped:
        log.withdraw(restart.stop)
        return replace(restart, stop=None)
    return restart


def make_run(starts: t.Mapping[str, Step], log: StepLog, read: ReadServices) -> tuple[list[str], bool]:
    """Start the stopped services. Return the names of the started services, and whether all services run."""
    if not starts:
        return [], True
    errors: dict[str, ServerError] = {}
    try:
        found = _statuses(starts, read)
        started = [name for name, service in found.items() if service.stopped]
        for name in started:
            for error in log.send(starts[name]).values():
                errors[name] = error
        if started:
            found = _statuses(starts, read)
    except UNREADABLE as exc:
        log.fail(list(starts.values())[-1], exc)
        return [], False
    for name, step in starts.items():
        service = found.get(name)
        if service is not None and service.running:
            if log.was_sent(step):
                log.done(step)
        elif service is None or service.stopped:
            log.fail(step, errors.get(name, "the service does not run, but the server reported no error"))
        else:
            log.fail(step, why_not_started(service.status))
    return started, all(name in found and found[name].running for name in starts)


def _statuses(names: t.Collection[str], read: ReadServices) -> dict[str, WindowsService]:
    return {service.name: service for service in settled(read, names) if service.name in names}
