# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_gateway_service does: this host's XMPP services are started, stopped or restarted."""

from __future__ import annotations

import typing as t

from .._base.reading import UNREADABLE
from .._base.result import Params, Refused, Result
from .._base.step import Step, difference
from .._base.step_log import StepLog
from .._base.task import Task
from .._shell.statement import Shell
from .restart import make_run, restart_all, restart_of, settled
from .services import Service, read_services, start, stop

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_gateway_service. Raises Refused, ServerRefused, ShellError before anything was changed."""
    state = params["state"]

    def read() -> list[Service]:
        return read_services(shell)

    before = read()
    mine = [service for service in before if service.is_xmpp]
    if not mine:
        raise Refused(
            [
                "this host has no service of the XMPP gateway (none of %d has XMPP in its display name); use a Front "
                "End or an Edge on which XMPP federation is installed" % len(before)
            ]
        )
    restarts = [restart_of(service) for service in mine if service.running] if state == "restarted" else []
    starts = {s.name: start(s.name) for s in mine if not s.running} if state != "stopped" else {}
    stops = {s.name: stop(s.name) for s in mine if not s.stopped} if state == "stopped" else {}
    steps = [step for one in restarts for step in (one.stop, one.start)] + [*starts.values(), *stops.values()]
    log = StepLog(shell, steps)
    if check or not steps:
        wanted = "Stopped" if state == "stopped" else "Running"
        expected = {service.name: wanted for service in mine}
        return _result(log, mine, expected, {}, [one.service.name for one in restarts], "planned")
    down: dict[str, float] = {}
    if restarts:
        down.update(restart_all(restarts, before, log, read).down)
    if starts:
        make_run(starts, log, read)
    after = _stop(stops, before, log, read) if stops else _after(log, read)
    return _result(log, mine, after, down, list(down), "not_sent")


def _stop(
    stops: t.Mapping[str, Step], before: t.Sequence[Service], log: StepLog, read: t.Callable[[], list[Service]]
) -> dict[str, str]:
    """Stop services, which stops their dependents as well. Returns the status of each afterwards."""
    errors = {name: log.send(step).get(step.cmdlet) for name, step in stops.items()}
    after = _after(log, read)
    if not after:
        return after
    for name, step in stops.items():
        if after.get(name) == "Stopped":
            log.done(step, errors[name])
        else:
            log.fail(step, errors[name] or "the service is not stopped, although no error was reported")
    with_them = [s.name for s in before if s.running and s.name not in stops and after.get(s.name) == "Stopped"]
    if with_them:
        log.warnings.append("%s stopped as well, since it depends on what was stopped" % ", ".join(with_them))
    return after


def _after(log: StepLog, read: t.Callable[[], list[Service]]) -> dict[str, str]:
    """The status of each service; empty where that cannot be read, which is a failure."""
    try:
        return {service.name: service.status for service in settled(read)}
    except UNREADABLE as exc:
        log.note("Get-CsWindowsService", "", "ConnectionError", "what the services do now cannot be read: %s" % exc)
        return {}


def _result(
    log: StepLog,
    mine: t.Sequence[Service],
    after: t.Mapping[str, str],
    down: t.Mapping[str, float],
    restarted: t.Sequence[str],
    untouched: str,
) -> Result:
    """after: the status by name. down: seconds by name. restarted: names."""
    steps = log.shown(untouched)
    changed = any(step["result"] in ("planned", "done") for step in steps)
    services = [
        {
            "name": service.name,
            "display_name": service.display_name,
            "status": _word(after.get(service.name)),
            "seconds_down": down.get(service.name),
        }
        for service in mine
    ]
    shown_before: dict[str, t.Any] = {service.name: _word(service.status) for service in mine}
    shown_after: dict[str, t.Any] = {str(one["name"]): one["status"] for one in services}
    if restarted:
        shown_before["restarted"], shown_after["restarted"] = [], list(restarted)
    return Result(
        values={"services": services},
        changed=changed,
        diff=[difference("XMPP services", shown_before, shown_after)] if changed and after else [],
        steps=steps,
        failures=log.failures,
        warnings=log.warnings,
    )


def _word(status: str | None) -> str | None:
    """A status as it is returned: ``running``, ``stopped``, ``startpending``."""
    return status.lower() if status else None


TASK = Task(ARGUMENT_SPEC, work)
