# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The XMPP services of the lab's Front End and Edges, over the wire and in a play."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.service_tasks import TASK

from lab.deployment.faults import Faults
from lab.testing import Lab
from tests.integration.management import Management, calls, logged, target
from tests.integration.plays import Plays
from tests.integration.test_gateway_cert import edge_of

Server = tuple[Management, str, str]


@pytest.fixture(params=[("edge01", "RTCXMPPTGWPROXY"), ("fe01", "RTCXMPPTGW")], ids=["edge", "front end"])
def server(request: pytest.FixtureRequest, fresh_lab: Lab) -> t.Iterator[Server]:
    """A session, its host, and the name of the service there."""
    host, key = request.param
    management = target(fresh_lab, "fe01", "CONTOSO\\admin", "Lab-admin-1", ("SkypeForBusiness",), winrm=True)
    shell = edge_of(fresh_lab) if host == "edge01" else Management(fresh_lab, management)
    yield shell, host, shell.store.service_name(host, key)
    shell.session.close()


def test_stopped_started_and_restarted(server: Server) -> None:
    shell, host, name = server
    for state, sent in (("stopped", ["Stop"]), ("started", ["Start"]), ("restarted", ["Stop", "Start"])):
        mark = shell.mark()
        planned = shell.run(TASK, check=True, state=state)
        assert planned.changed
        assert shell.writes(mark) == []
        done = shell.run(TASK, state=state)
        assert [str(failure) for failure in done.failures] == []
        events = shell.writes(mark)
        assert [event.cmdlet.partition("-")[0] for event in events] == sent
        assert {event.parameters["Name"] for event in events} == {name}
        assert done.diff == planned.diff
        (service,) = done.values["services"]
        assert (service["name"], service["status"]) == (name, shell.store.services(host)[name].lower())
        assert service["status"] == ("stopped" if state == "stopped" else "running")
        assert (service["seconds_down"] is not None) == (state == "restarted")


@pytest.mark.parametrize(("action", "when"), [("error", "before"), ("cut", "before"), ("cut", "after")])
@pytest.mark.parametrize("verb", ["Stop", "Start"])
def test_each_step_fails_once(server: Server, verb: str, action: t.Any, when: t.Any) -> None:
    shell, host, _name = server
    Faults(shell.store).add("%s-CsWindowsService" % verb, action=action, when=when)
    mark = shell.mark()
    shell.run(TASK, state="restarted")
    assert Faults(shell.store).armed() == []
    assert set(shell.store.services(host).values()) == {"Running"}
    assert sum(event.cmdlet.startswith("Stop-") for event in shell.writes(mark)) == 1


@pytest.mark.parametrize("blocks", [False, True], ids=["returns at once", "blocks"])
def test_a_graceful_restart_in_time(server: Server, blocks: bool) -> None:
    shell, host, name = server
    shell.store.set_setting("drain_seconds", 0.5)
    shell.store.set_setting("drain_blocks", blocks)
    mark = shell.mark()
    planned = shell.run(TASK, check=True, state="restarted", graceful={"timeout": 30})
    assert shell.writes(mark) == []
    done = shell.run(TASK, state="restarted", graceful={"timeout": 30})
    assert [str(failure) for failure in done.failures] == []
    assert sent(shell, mark) == [("Stop", name, True), ("Start", name, False)]
    assert calls(planned.steps or []) == calls(done.steps or []) == logged(shell.writes(mark))
    assert shell.store.services(host)[name] == "Running"
    mark = shell.mark()
    shell.run(TASK, state="restarted")
    assert sent(shell, mark) == [("Stop", name, False), ("Start", name, False)], "graceful is asked for"


def test_sessions_that_last_too_long(server: Server) -> None:
    """They are ended, or last and are told; nobody starts a service that is Paused."""
    shell, host, name = server
    shell.store.set_setting("drain_seconds", 600)
    mark = shell.mark()
    assert shell.run(TASK, state="restarted", graceful={"timeout": 1}).failures == []
    assert sent(shell, mark) == [("Stop", name, True), ("Stop", name, False), ("Start", name, False)]
    mark = shell.mark()
    left = shell.run(TASK, state="restarted", graceful={"timeout": 1, "then": "leave"})
    assert [failure.identity for failure in left.failures] == [name]
    assert left.changed
    assert sent(shell, mark) == [("Stop", name, True)]
    assert shell.store.services(host)[name] == left.values["services"][0]["status"].capitalize() == "Paused"
    mark = shell.mark()
    assert shell.run(TASK, state="restarted").failures == []
    assert sent(shell, mark) == [("Stop", name, False), ("Start", name, False)]
    assert set(shell.store.services(host).values()) == {"Running"}


def test_a_paused_service_is_started_when_it_has_stopped(server: Server) -> None:
    shell, host, name = server
    shell.store.set_setting("drain_seconds", 2)
    shell.run(TASK, state="stopped", graceful={"timeout": 1, "then": "leave"})
    assert shell.store.services(host)[name] == "Paused"
    mark = shell.mark()
    assert shell.run(TASK, state="started").failures == []
    assert [event.outcome for event in shell.writes(mark)] == ["ok"]
    assert sent(shell, mark) == [("Start", name, False)]


def sent(shell: Management, mark: int) -> list[tuple[str, str, bool]]:
    """The verb, the service, and whether it is graceful, of each call that changes something."""
    return [
        (event.cmdlet.partition("-")[0], event.parameters["Name"], bool(event.parameters.get("Graceful")))
        for event in shell.writes(mark)
    ]


def test_in_a_play(plays: Plays) -> None:
    task = {"name": "Restart", "sfb.xmpp.xmpp_gateway_service": {"state": "restarted"}}
    run = plays.run(plays.tasks([task], hosts="sfb_edge"), "--diff")
    assert run.code == 0, run.output
    results = [found.result for found in run.tasks if found.task == "Restart"]
    assert [one["services"][0]["status"] for one in results] == ["running"] * 2
    assert [one["changed"] for one in results] == [True] * 2
