# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long lists over the wire: batches and their limits, progress in the output, and runs that are killed half way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import plural

from lab.deployment.faults import Faults
from lab.deployment.store import Document
from tests.integration.management import Management
from tests.integration.plays import CHECKOUT, Plays
from tests.integration.test_modules_in_plays import ROW, sessions, task

NUMBER = 90
# A run is killed after so many partners were created; with it, or without it, the process that keeps the session.
POINTS = [
    (40, True),
    (40, False),
    *(pytest.param(point, True, marks=pytest.mark.nightly) for point in (0, 1, NUMBER - 1)),
]
WHOLE = {
    "Description": "one",
    "ConnectionLimit": 7,
    "EnableKeepAlive": False,
    "AdditionalDomains": ["x.test", "y.test"],
}


def partners(number: int) -> list[dict[str, t.Any]]:
    given = {"description": "one", "connection_limit": 7, "enable_keep_alive": False}
    return [
        {"domain": "p%04d.test" % i, "additional_domains": ["x.test", "y.test"], **ROW, **given} for i in range(number)
    ]


def halves(there: t.Mapping[str, Document]) -> list[str]:
    """Partners that are not as the list says."""
    return [domain for domain, body in there.items() if any(body[name] != value for name, value in WHOLE.items())]


def pids(plays: Plays) -> list[int]:
    """What runs in the name of these plays: the playbook, its workers, the process that keeps the session."""
    mark = ("HOME=%s" % plays.directory).encode()
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open("/proc/%s/environ" % number, "rb") as file:
            if mark in file.read().split(b"\0"):
                found.append(int(number))
    return found


def wait_until(condition: t.Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "in vain for " + what
        time.sleep(0.02)


@pytest.mark.parametrize(("point", "whole_tree"), POINTS)
def test_a_killed_run_leaves_whole_partners_and_the_next_does_the_rest(
    plays: Plays, point: int, whole_tree: bool
) -> None:
    store = plays.lab.store()
    playbook = plays.tasks([task("xmpp_federated_partners", {"partners": partners(NUMBER)}, "all")])
    store.set_setting("cmdlet_seconds", 0.02)
    process = subprocess.Popen(
        plays.command(playbook),
        cwd=CHECKOUT,
        env=plays.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: sessions(store.events()) == 1 and len(store.partners()) >= point, "%d partners" % point)
    finally:
        for pid in pids(plays) if whole_tree else [process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    there = store.partners()
    assert point <= len(there) < NUMBER or point == NUMBER - 1
    assert halves(there) == []
    again = plays.run(playbook)
    assert again.code == 0, again.output
    assert len(again.result("all")["steps"]) <= NUMBER - len(there)
    assert len(store.partners()) == NUMBER
    assert halves(store.partners()) == []
    third = plays.run(playbook)
    assert third.result("all")["changed"] is False


def test_progress_of_long_work_shows_in_the_output(plays: Plays) -> None:
    Faults(plays.lab.store()).add("New-CsXmppAllowedPartner", times=3, action="delay", seconds=3)
    playbook = plays.tasks([task("xmpp_federated_partners", {"partners": partners(60)}, "all")])
    run = plays.run(playbook)
    assert run.code == 0, run.output
    assert (
        "sfb.xmpp.xmpp_federated_partners: %s: 20 of 60 calls sent after " % plays.lab.addresses["fe01"] in run.output
    )


def test_an_endpoint_that_takes_one_statement_at_a_time_gets_one_at_a_time(management: Management) -> None:
    management.store.set_setting("one_statement", True)
    wanted = partners(30)
    work = plural(PARTNER)
    mark = management.mark()
    result = management.run(work, partners=wanted)
    assert [step["result"] for step in result.steps or []] == ["done"] * 30
    assert result.failures == []
    assert [event.parameters["Identity"] for event in management.writes(mark)] == [one["domain"] for one in wanted]
    assert not management.run(work, partners=wanted).changed
    # In the same session nothing is refused any more.
    mark = management.mark()
    Faults(management.store).add("Set-CsXmppAllowedPartner", "p0003.test", times=2, message="Not that one.")
    changed = management.run(work, partners=[{**one, "description": "two"} for one in wanted[:9]])
    assert [failure.error.message for failure in changed.failures] == ["Not that one."]
    assert [step["result"] for step in changed.steps or []].count("done") == 8
    assert len(management.writes(mark)) == 10
    assert len([event for event in management.store.events() if event.kind == "session-open"]) == 1
