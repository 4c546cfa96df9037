# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of xmpp_gateway_service: start, stop or restart the XMPP services of a host."""

from __future__ import annotations

import typing as t

from .._base.reading import UNREADABLE
from .._base.result import Params, Refused, Result
from .._base.step import Step, difference
from .._base.step_log import StepLog
from .._base.task import Task
from .._shell.rights import missing
from .._shell.statement import ServerError, Shell
from .graceful_stop import OPTION, PATIENCE, Graceful, ReadServices, drain, note_left, settled
from .restart import make_run, restart_all, restart_of, stop_of
from .services import WindowsService, read_services, start, stop

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
    "graceful": OPTION,
}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Do the work of xmpp_gateway_service. Raises Refused, ServerRefused, ShellError before anything is changed."""
    state, graceful = params["state"], Graceful.read(params.get("graceful"))

    def read() -> list[WindowsService]:
        return read_services(shell)

    before = read()
    mine = [service for service in before if service.is_xmpp]
    if not mine:
        text = "this host has no service of the XMPP gateway (no display name of %d services has XMPP). Use a Front End"
        text += " or an Edge server with XMPP federation"
        # The empty list shows callers that only read that the services could be read.
        raise Refused([text % len(before)], {"services": []})
    names = [service.name for service in mine]
    if not check and any(service.pending for service in mine):
        before = settled(read, names, waits=lambda service: service.pending)
        mine = [service for service in before if service.name in names]
    restarts = [restart_of(s, graceful) for s in mine if s.running or s.draining] if state == "restarted" else []
    starts = {s.name: start(s.name) for s in mine if not s.running} if state != "stopped" else {}
    starts = {name: step for name, step in starts.items() if not any(name == one.service.name for one in restarts)}
    stops = {s.name: stop_of(s, graceful) for s in mine if not s.stopped} if state == "stopped" else {}
    steps = [step for one in restarts for step in one.steps] + list(starts.values())
    planned = steps + [step for step in stops.values() if step]
    _refuse_what_is_not_offered(shell, planned, mine)
    log = StepLog(shell, planned)
    if check or not (restarts or starts or stops):
        wanted = "Stopped" if state == "stopped" else "Running"
        expected = {service.name: wanted for service in mine}
        for service in mine:
            if check and service.draining and service.name in starts:
                text = (
                    "%s is %s, because its sessions have not ended. A run waits at most %d seconds until it has stopped"
                )
                log.warnings.append(text % (service.name, service.status, PATIENCE))
        return _result(log, mine, expected, {}, [one.service.name for one in restarts], "planned")
    down: dict[str, float] = {}
    if restarts:
        down.update(restart_all(restarts, before, log, read).down)
    if starts:
        make_run(starts, log, read)
    after = _stop(stops, graceful, before, log, read) if stops else _after((), log, read)
    return _result(log, mine, after, down, list(down), "not_sent")


def _refuse_what_is_not_offered(shell: Shell, planned: t.Sequence[Step], mine: t.Sequence[WindowsService]) -> None:
    """Raise Refused if the session lacks a cmdlet of the steps, or ShellError.

    Only Get-CsWindowsService is documented for a remote shell. The refused task still returns the services.
    """
    lacks = missing(shell, {step.cmdlet for step in planned})
    if lacks:
        text = (
            "this session can read the services but not change them, because it does not offer %s. Add the Front End to"
            " sfb_front_end with its own WinRM (port 5986). Set ansible_management_shell_modules to [SkypeForBusiness],"
            " or to [Lync] for Lync Server 2013"
        )
        as_they_are = _result(StepLog(shell, planned), mine, {one.name: one.status for one in mine}, {}, [], "not_sent")
        values = {"services": as_they_are.values["services"], "steps": as_they_are.steps}
        raise Refused([text % ", ".join(sorted(lacks))], values)


def _stop(
    stops: t.Mapping[str, Step | None],
    graceful: Graceful | None,
    before: t.Sequence[WindowsService],
    log: StepLog,
    read: ReadServices,
) -> dict[str, str]:
    """Stop services and the services that depend on them. Return the status of each service afterwards."""
    sent: dict[str, tuple[Step, ServerError | None]] = {}
    following = dict(zip(stops, [*list(stops.values())[1:], None], strict=True))
    for name, planned in stops.items():
        step = planned
        if graceful:
            drained = drain(name, planned, following[name], graceful, log, read)
            if drained.status and not drained.stopped and graceful.leaves:
                note_left(name, drained, graceful, False, log)
            if not drained.status or drained.stopped or graceful.leaves:
                continue
            step = stop(name)
            log.insert(step, following[name])
        if step:
            sent[name] = step, log.send(step).get(step.cmdlet)
    # The run does not wait again for a service that still drains.
    after = _after(sent, log, read)
    if not after:
        return after
    for name, (step, error) in sent.items():
        if _is_stopped(after, name):
            log.done(step, error)
        else:
            log.fail(step, error or "the service is not stopped, but the server reported no error")
    with_them = [s.name for s in before if s.running and s.name not in stops and _is_stopped(after, s.name)]
    if with_them:
        log.warnings.append("%s also stopped, because of a dependency on a stopped service" % ", ".join(with_them))
    return after


def _is_stopped(after: t.Mapping[str, str], name: str) -> bool:
    return after.get(name, "").casefold() == "stopped"


def _after(names: t.Collection[str], log: StepLog, read: ReadServices) -> dict[str, str]:
    """Wait until the named services have a final status. Return the status of each service.

    If the status cannot be read, a failure is recorded and the result is empty.
    """
    try:
        return {service.name: service.status for service in settled(read, names)}
    except UNREADABLE as exc:
        log.note("Get-CsWindowsService", "", "ConnectionError", "the status of the services cannot be read: %s" % exc)
        return {}


def _result(
    log: StepLog,
    mine: t.Sequence[WindowsService],
    after: t.Mapping[str, str],
    down: t.Mapping[str, float],
    restarted: t.Sequence[str],
    untouched: str,
) -> Result:
    """Return the result of the module.

    after: the status by name.
    down: seconds by name.
    restarted: the names of restarted services.
    untouched: the result of steps that were not sent.
    """
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
    """Return a status in the form of a module's result: ``running``, ``stopped``, ``startpending``."""
    return status.lower() if status else None


TASK = Task(ARGUMENT_SPEC, work, writes=True)
