# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The XMPP services of a host: what is sent, whatever step fails, and what is told."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._services.tasks import work
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement

from tests.unit.certificates import SERVICES, XMPP, EdgeShell, Fault

SECOND = "RTCXMPPOTHER"


def two() -> EdgeShell:
    """A host with two XMPP services, of which the second depends on the first."""
    services = {**SERVICES, SECOND: "Skype for Business Server XMPP Something"}
    return EdgeShell(services=services, running=set(services), dependents={XMPP: [SECOND]})


def calls(shell: EdgeShell) -> list[tuple[str, t.Any]]:
    return [(s.cmdlet.partition("-")[0], s.parameters["Name"]) for s in shell.writes]


def statuses(result: Result) -> dict[str, str | None]:
    return {one["name"]: one["status"] for one in result.values["services"]}


@pytest.mark.parametrize(
    ("state", "running", "sent"),
    [
        ("started", True, []),
        ("started", False, ["Start"]),
        ("stopped", True, ["Stop"]),
        ("stopped", False, []),
        ("restarted", True, ["Stop", "Start"]),
        ("restarted", False, ["Start"]),
    ],
)
def test_what_is_sent(state: str, running: bool, sent: list[str]) -> None:
    shell = EdgeShell()
    if not running:
        shell.running.discard(XMPP)
    planned = work({"state": state}, shell, True)
    assert shell.writes == []
    done = work({"state": state}, shell, False)
    assert done.failures == []
    assert calls(shell) == [(verb, XMPP) for verb in sent]
    assert [{**step, "result": "done"} for step in planned.steps or []] == done.steps
    assert planned.changed == done.changed == bool(sent)
    assert planned.diff == done.diff
    assert statuses(planned) == statuses(done) == {XMPP: "stopped" if state == "stopped" else "running"}
    (service,) = done.values["services"]
    assert (service["seconds_down"] is not None) == (state == "restarted" and running)
    assert shell.running == set(SERVICES) - ({XMPP} if state == "stopped" else set())
    if state != "restarted":
        assert not work({"state": state}, shell, False).changed


def test_stops_are_graceful() -> None:
    shell = EdgeShell()
    work({"state": "restarted"}, shell, False)
    assert shell.writes[0].parameters == {"Name": XMPP, "Graceful": True, "Confirm": False}


def test_dependents_run_again() -> None:
    shell = EdgeShell(dependents={XMPP: ["RTCSRV"]})
    result = work({"state": "restarted"}, shell, False)
    assert result.failures == []
    assert shell.running == set(SERVICES)
    assert calls(shell) == [("Stop", XMPP), ("Start", XMPP), ("Start", "RTCSRV")]


def test_nothing_is_stopped_twice() -> None:
    shell = two()
    result = work({"state": "restarted"}, shell, False)
    assert result.failures == []
    stops = [name for verb, name in calls(shell) if verb == "Stop"]
    assert sorted(stops) == sorted(set(stops))
    assert shell.running == set(shell.services)
    assert all(one["seconds_down"] is not None for one in result.values["services"])


def test_what_stops_along_is_named() -> None:
    shell = EdgeShell(dependents={XMPP: ["RTCSRV"]})
    result = work({"state": "stopped"}, shell, False)
    assert result.failures == []
    assert result.warnings == ["RTCSRV stopped as well, since it depends on what was stopped"]


@pytest.mark.parametrize("kind", ["error", "late", "lost", "cut", "refused"])
@pytest.mark.parametrize("number", range(2))
def test_every_step_of_a_restart_fails_once(number: int, kind: str) -> None:
    """The services run, nothing is stopped twice, and what was not done is told."""
    shell = EdgeShell(fault=Fault(number, kind))
    result = work({"state": "restarted"}, shell, False)
    assert shell.running == set(SERVICES)
    sent = calls(shell)
    assert sent.count(("Stop", XMPP)) <= 1
    if not shell.presented and shell.running and ("Start", XMPP) not in sent:
        assert result.failures
    assert statuses(result) == {XMPP: "running"}
    if any(step["result"] == "failed" for step in result.steps or []):
        assert result.failures


def test_the_host_falls_silent() -> None:
    result = work({"state": "restarted"}, EdgeShell(fault=Fault(0, "dead")), False)
    assert result.failures
    assert statuses(result) == {XMPP: None}
    assert result.diff == []


@pytest.mark.parametrize(("state", "verb"), [("started", "Start"), ("stopped", "Stop"), ("restarted", "Start")])
def test_success_that_is_none(state: str, verb: str) -> None:
    class Quiet(EdgeShell):
        def _start_cswindowsservice(self, Name: str, Confirm: bool) -> None:
            if verb != "Start":
                super()._start_cswindowsservice(Name, Confirm)

        def _stop_cswindowsservice(self, Name: str, Graceful: bool, Confirm: bool) -> None:
            if verb != "Stop":
                super()._stop_cswindowsservice(Name, Graceful, Confirm)

    shell = Quiet(running=set(SERVICES) - {XMPP} if state == "started" else set(SERVICES))
    result = work({"state": state}, shell, False)
    (failure,) = result.failures
    assert (failure.identity, failure.cmdlet) == (XMPP, "%s-CsWindowsService" % verb)
    assert "no error was reported" in failure.error.message


def test_it_waits_for_a_service_that_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    class Slow(EdgeShell):
        def _get_cswindowsservice(self) -> list[t.Any]:
            found = super()._get_cswindowsservice()
            pending = bool(self.writes) and len(waited) < 3
            return [{**one, "Status": "StartPending"} if pending and one["Name"] == XMPP else one for one in found]

    monkeypatch.setattr(time, "sleep", waited.append)
    result = work({"state": "restarted"}, Slow(), False)
    assert (result.failures, statuses(result), len(waited)) == ([], {XMPP: "running"}, 3)


def test_a_host_without_the_gateway() -> None:
    shell = EdgeShell()
    del shell.services[XMPP]
    with pytest.raises(Refused, match="no service of the XMPP gateway"):
        work({"state": "started"}, shell, False)


def test_a_status_that_is_none() -> None:
    class Odd(EdgeShell):
        def _get_cswindowsservice(self) -> list[t.Any]:
            return [{**one, "Status": None} for one in super()._get_cswindowsservice()]

    shell = Odd()
    with pytest.raises(Refused, match="Status of a service is not a text"):
        work({"state": "started"}, shell, False)
    assert shell.writes == []


def test_a_service_that_comes_back_twice_is_refused() -> None:
    """Else it would be restarted twice, and the restart would count as not complete."""

    class Twice(EdgeShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            answer = super().invoke(statements)
            return replace(answer, output=answer.output * 2)

    shell = Twice()
    with pytest.raises(Refused, match="the service REPLICA came back twice"):
        work({"state": "restarted"}, shell, False)
    assert shell.writes == []
