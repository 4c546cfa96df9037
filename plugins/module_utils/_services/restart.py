# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts services: stop, start, and start again whatever stopped with them. Says how long each was down."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._base.reading import UNREADABLE
from .._base.step import Step
from .._base.step_log import StepLog
from .._shell.statement import ServerError
from .services import Service, start, stop

# So many seconds a service may take to get from a pending status into another one.
_PATIENCE = 120.0
_PAUSE = 1.0

ReadServices = t.Callable[[], "list[Service]"]


@dataclass(frozen=True)
class Restart:
    """One service's stop and start, sent together so that the start runs whatever becomes of the controller."""

    service: Service
    stop: Step
    start: Step


@dataclass(frozen=True)
class Restarted:
    """What came of it. complete: every one was restarted, and all runs. down: seconds by name, at most, of those that
    were restarted, dependents included.
    """

    complete: bool
    down: t.Mapping[str, float]


def restart_of(service: Service) -> Restart:
    return Restart(service, stop(service.name), start(service.name))


def restart_all(
    restarts: t.Sequence[Restart], before: t.Sequence[Service], log: StepLog, read: ReadServices
) -> Restarted:
    """Stop and start one service after the other; in the end everything that ran ``before`` runs again.

    Nothing is stopped twice: what stopped as a dependent, or whose answer was lost, is only started.
    """
    began: dict[str, float] = {}
    down: dict[str, float] = {}
    first = time.monotonic()
    for restart in restarts:
        name = restart.service.name
        began[name] = time.monotonic()
        errors = log.send(restart.stop, restart.start)
        if restart.stop.cmdlet in errors:
            log.fail(restart.stop, errors[restart.stop.cmdlet])
            del began[name]
        elif not errors:
            down[name] = time.monotonic() - began[name]
    starts = {service.name: start(service.name) for service in before if service.running}
    starts.update({restart.service.name: restart.start for restart in restarts})
    started, runs = make_run(starts, log, read)
    if runs:
        for name in began:
            down.setdefault(name, time.monotonic() - began[name])
        for name in started:
            if name not in began and not any(restart.service.name == name for restart in restarts):
                down[name] = time.monotonic() - first
    complete = runs and len(began) == len(restarts)
    return Restarted(complete, {name: round(seconds, 1) for name, seconds in down.items()})


def make_run(starts: t.Mapping[str, Step], log: StepLog, read: ReadServices) -> tuple[list[str], bool]:
    """Start those that do not run. The names of those that had to be started, and whether all run now."""
    errors: dict[str, ServerError] = {}
    try:
        stopped = started = _not_running(starts, read)
        for name in started:
            for error in log.send(starts[name]).values():
                errors[name] = error
        if started:
            stopped = _not_running(starts, read)
    except UNREADABLE as exc:
        log.fail(list(starts.values())[-1], exc)
        return [], False
    for name, step in starts.items():
        if name in stopped:
            log.fail(step, errors.get(name, "the service does not run, although no error was reported"))
        elif log.was_sent(step):
            log.done(step)
    return started, not stopped


def settled(read: ReadServices) -> list[Service]:
    """The services once none of them is in between; after two minutes as they are. Raises what reading raises."""
    end = time.monotonic() + _PATIENCE
    found = read()
    while any(service.changing for service in found) and time.monotonic() < end:
        time.sleep(_PAUSE)
        found = read()
    return found


def _not_running(names: t.Collection[str], read: ReadServices) -> list[str]:
    return [service.name for service in settled(read) if service.name in names and not service.running]
