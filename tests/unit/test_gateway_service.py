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
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.service_tasks import work

from tests.unit.certificates import EVER, SERVICES, XMPP, Clock, EdgeShell, Fault

SECOND = "RTCXMPPOTHER"


def two() -> EdgeShell:
    """A host with two XMPP services, of which the second depends on the first."""
    services = {**SERVICES, SECOND: "Skype for Business Server XMPP Something"}
    return EdgeShell(services=services, running=set(services), dependents={XMPP: [SECOND]})


def calls(shell: EdgeShell) -> list[tuple[str, t.Any]]:
    return [(verb(s.cmdlet, s.parameters), s.parameters["Name"]) for s in shell.writes]


def verb(cmdlet: str, parameters: t.Mapping[str, t.Any]) -> str:
    """Stop, Start, or Drain for a graceful stop."""
    return "Drain" if parameters.get("Graceful") else cmdlet.partition("-")[0]


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


def test_stops_are_plain_unless_asked() -> None:
    """As in the documented procedure. A graceful one may last for ever, and says what it is."""
    shell = EdgeShell()
    work({"state": "restarted"}, shell, False)
    assert shell.writes[0].parameters == {"Name": XMPP, "Confirm": False}
    shell.writes.clear()
    work({"state": "restarted", "graceful": {"timeout": 5, "then": "stop"}}, shell, False)
    assert shell.writes[0].parameters == {"Name": XMPP, "Graceful": True, "NoWait": True, "Confirm": False}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("state", "graceful", "paused", "sessions", "sent", "status", "most"),
    [
        # Without graceful: sessions are ended, also those of a service that drains already.
        ("restarted", None, 0, EVER, ["Stop", "Start"], "running", 0),
        ("restarted", None, EVER, EVER, ["Stop", "Start"], "running", 0),
        ("stopped", None, EVER, EVER, ["Stop"], "stopped", 0),
        # A service that is Paused has not settled, and cannot be started.
        ("started", None, 20, EVER, ["Start"], "running", 30),
        ("started", None, EVER, EVER, [], "paused", 120),
        # In time; too late; too late and left.
        ("restarted", "stop", 0, 20, ["Drain", "Start"], "running", 30),
        ("restarted", "stop", 0, EVER, ["Drain", "Stop", "Start"], "running", 60),
        ("restarted", "leave", 0, EVER, ["Drain"], "paused", 60),
        ("stopped", "stop", 0, 20, ["Drain"], "stopped", 30),
        ("stopped", "stop", 0, EVER, ["Drain", "Stop"], "stopped", 60),
        ("stopped", "leave", 0, EVER, ["Drain"], "paused", 60),
        # It drains already: it is not stopped again.
        ("restarted", "leave", 20, 0, ["Start"], "running", 30),
        ("restarted", "stop", EVER, 0, ["Stop", "Start"], "running", 60),
        ("restarted", "leave", EVER, 0, [], "paused", 60),
        ("stopped", "leave", 20, 0, [], "stopped", 30),
    ],
)
def test_a_service_that_drains(
    clock: Clock,
    state: str,
    graceful: str | None,
    paused: float,
    sessions: float,
    sent: list[str],
    status: str,
    most: float,
) -> None:
    """most: seconds that it may take. A failure says that it is Paused, and nothing else fails."""
    shell = EdgeShell(sessions=sessions)
    if paused:
        shell.running.discard(XMPP)
        shell.paused[XMPP] = paused
    params = {"state": state, "graceful": graceful and {"timeout": 60, "then": graceful}}
    planned = work(params, shell, True)
    assert (shell.writes, clock.now) == ([], 0.0)
    assert bool(planned.warnings) == (state == "started"), "check mode does not know whether it stops in time"
    result = work(params, shell, False)
    assert [name for name, _service in calls(shell)] == sent
    # A stop that comes when the time is over is the one thing that nobody can foresee.
    foreseen = [
        step for step in result.steps or [] if not (verb(step["cmdlet"], step["parameters"]) == "Stop" and graceful)
    ]
    assert [step["parameters"] for step in planned.steps or []] == [step["parameters"] for step in foreseen]
    told = [verb(step["cmdlet"], step["parameters"]) for step in result.steps or [] if step["result"] == "done"]
    assert told == sent, "in the order in which they were sent"
    assert statuses(result) == {XMPP: status}
    assert clock.now <= most
    assert result.changed == bool(sent)
    assert bool(result.failures) == (status == "paused")
    for failure in result.failures:
        assert failure.identity == XMPP
        assert "is Paused" in failure.error.message
        assert "un again" in failure.error.message


def test_a_service_that_never_settles_is_not_started(clock: Clock) -> None:
    class Stuck(EdgeShell):
        def _status(self, name: str) -> str:
            return "StopPending" if name == XMPP else super()._status(name)

    for state in ("started", "restarted"):
        shell = Stuck()
        (failure,) = work({"state": state}, shell, False).failures
        assert shell.writes == []
        assert "is StopPending" in failure.error.message
        assert "event log" in failure.error.message


def test_another_service_that_drains_is_nobodys_concern(clock: Clock) -> None:
    shell = EdgeShell(paused={"RTCSRV": EVER}, running=set(SERVICES) - {"RTCSRV"})
    assert work({"state": "restarted"}, shell, False).failures == []
    assert (calls(shell), clock.now) == ([("Stop", XMPP), ("Start", XMPP)], 0.0)


def test_dependents_drain_as_well(clock: Clock) -> None:
    """What drained with another one is only started, and what is left is named and not started."""
    shell = two()
    shell.sessions = 20
    result = work({"state": "restarted", "graceful": {"timeout": 60, "then": "stop"}}, shell, False)
    assert result.failures == []
    assert calls(shell) == [("Drain", XMPP), ("Start", XMPP), ("Start", SECOND)]
    assert {step["result"] for step in result.steps or []} == {"done"}
    shell = EdgeShell(dependents={XMPP: ["RTCSRV"]}, sessions=EVER)
    result = work({"state": "restarted", "graceful": {"timeout": 60, "then": "leave"}}, shell, False)
    assert calls(shell) == [("Drain", XMPP)]
    (failure,) = result.failures
    assert "do not run: RTCSRV" in failure.error.message
    assert [step["result"] for step in result.steps or []] == ["done", "not_sent"]


@pytest.mark.parametrize("kind", ["error", "late", "lost", "cut", "refused"])
@pytest.mark.parametrize("number", range(3))
def test_every_step_of_a_graceful_restart_fails_once(clock: Clock, number: int, kind: str) -> None:
    shell = EdgeShell(fault=Fault(number, kind), sessions=EVER)
    result = work({"state": "restarted", "graceful": {"timeout": 60, "then": "stop"}}, shell, False)
    assert statuses(result) == {XMPP: shell._status(XMPP).lower()}
    assert len([sent for sent in calls(shell) if sent[0] == "Drain"]) <= 1
    if shell._status(XMPP) != "Running" or any(step["result"] == "failed" for step in result.steps or []):
        assert result.failures
    shell.fault = None
    assert work({"state": "restarted"}, shell, False).failures == []
    assert shell.running == set(SERVICES)


def test_a_time_that_is_none() -> None:
    with pytest.raises(Refused, match=r"graceful\.timeout: must be at least 1 second, not 0"):
        work({"state": "restarted", "graceful": {"timeout": 0, "then": "stop"}}, EdgeShell(), False)


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
    assert result.warnings == ["RTCSRV also stopped, because of a dependency on a stopped service"]


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


@pytest.mark.parametrize(("state", "quiet"), [("started", "Start"), ("stopped", "Stop"), ("restarted", "Start")])
def test_success_that_is_none(state: str, quiet: str) -> None:
    class Quiet(EdgeShell):
        def _start_cswindowsservice(self, Name: str, Confirm: bool) -> None:
            if quiet != "Start":
                super()._start_cswindowsservice(Name, Confirm)

        def _stop_cswindowsservice(
            self, Name: str, Confirm: bool, Graceful: bool = False, NoWait: bool = False
        ) -> None:
            if quiet != "Stop":
                super()._stop_cswindowsservice(Name, Confirm, Graceful, NoWait)

    shell = Quiet(running=set(SERVICES) - {XMPP} if state == "started" else set(SERVICES))
    result = work({"state": state}, shell, False)
    (failure,) = result.failures
    assert (failure.identity, failure.cmdlet) == (XMPP, "%s-CsWindowsService" % quiet)
    assert "reported no error" in failure.error.message


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
    with pytest.raises(Refused, match="Status of a service is not a string"):
        work({"state": "started"}, shell, False)
    assert shell.writes == []


def test_a_service_that_comes_back_twice_is_refused() -> None:
    """Else it would be restarted twice, and the restart would count as not complete."""

    class Twice(EdgeShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            answer = super().invoke(statements)
            return replace(answer, output=answer.output * 2)

    shell = Twice()
    with pytest.raises(Refused, match="returned the service REPLICA twice"):
        work({"state": "restarted"}, shell, False)
    assert shell.writes == []


@pytest.mark.parametrize("check", [True, False])
def test_what_the_session_does_not_offer_is_refused_before_anything_is_sent(check: bool) -> None:
    shell = EdgeShell(lacks=frozenset(("Start-CsWindowsService", "Stop-CsWindowsService")))
    with pytest.raises(Refused, match=r"does not offer Start-CsWindowsService, Stop-CsWindowsService.*sfb_front_end"):
        work({"state": "restarted"}, shell, check)
    assert shell.writes == []
    # It may be read, where nothing has to be done.
    assert work({"state": "started"}, shell, check).changed is False
