# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts services: stop, start, and start again whatever stopped with them. Says how long each was down.

A service is started only where it is Stopped. One that is Paused drains, and Windows would refuse the start.
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
    """One service's stop and start. stop: None where the service does not run, or drains already and may go on.

    Without ``graceful`` both are sent together, so that the start runs whatever becomes of the controller.
    """

    service: WindowsService
    stop: Step | None
    start: Step
    graceful: Graceful | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """As they are planned. A plain stop that follows a graceful one in the end is not foreseen."""
        return (self.stop, self.start) if self.stop else (self.start,)


@dataclass(frozen=True)
class Restarted:
    """What came of it. complete: every one was restarted, and all runs. down: seconds by name, at most, of those that
    were restarted, dependents included. left: the name of the one that was left draining, and of those that do not run
    with it; then no further one was restarted.
    """

    complete: bool
    down: t.Mapping[str, float]
    left: tuple[str, ...] = ()


def restart_of(service: WindowsService, graceful: Graceful | None = None) -> Restart:
    return Restart(service, stop_of(service, graceful), start(service.name), graceful)


def stop_of(service: WindowsService, graceful: Graceful | None = None) -> Step | None:
    """How a service is stopped; None where it has stopped, or drains already and may go on."""
    if service.stopped or (graceful and service.draining):
        return None
    return stop_gracefully(service.name) if graceful else stop(service.name)


def second_restart_of(service: WindowsService) -> Restart:
    """Of a service that was restarted just now. It is plain, since the sessions of before have ended."""
    return Restart(service, stop(service.name), start(service.name))


def restart_all(
    restarts: t.Sequence[Restart], before: t.Sequence[WindowsService], log: StepLog, read: ReadServices
) -> Restarted:
    """Restart one service after the other; in the end everything that ran ``before`` runs again.

    Nothing is stopped twice: what stopped as a dependent, or whose answer was lost, is only started.
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
            # From here on it is as if nobody had asked for a graceful stop.
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
    """The restart of a service whose status was pending when it was planned, as it is once that is over; None if it
    stays pending or cannot be read, which is recorded.
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
    """Start those that are stopped. The names of those that had to be started, and whether all run now."""
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
            log.fail(step, errors.get(name, "the service does not run, although no error was reported"))
        else:
            log.fail(step, why_not_started(service.status))
    return started, all(name in found and found[name].running for name in starts)


def _statuses(names: t.Collection[str], read: ReadServices) -> dict[str, WindowsService]:
    return {service.name: service for service in settled(read, names) if service.name in names}
