# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller fails: no room, no right to write, killed in the middle. What it cannot keep it does not begin."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from lab.testing import Lab
from tests.faults.run import Job
from tests.faults.world import CHECKOUT, Converge, World, world_of
from tests.integration.management import READS
from tests.integration.plays import Plays


@pytest.fixture(scope="module")
def world() -> t.Iterator[World]:
    with (
        tempfile.TemporaryDirectory(prefix="sfb-faults-") as directory,
        world_of(Converge(), Path(directory) / "world") as one,
    ):
        yield one


def refused(world: World, **more: t.Any) -> str:
    """Why the run was refused. Nothing was written to the server."""
    start = world.begin()
    code, told = world.apart(Converge().jobs(world), **more)
    assert (code, list(told)) == (0, ["refused"])
    written = [e.cmdlet for e in world.store.events(start) if e.cmdlet and not e.cmdlet.startswith(READS)]
    assert written == []
    return str(told["refused"])


@pytest.mark.parametrize("room", [0, 200])
def test_a_full_disk_is_found_before_the_first_write(world: World, room: int) -> None:
    """No room for the lock, and room for the lock but not for the snapshot."""
    text = refused(world, room=room)
    assert "cannot be written" in text
    assert str(world.home) in text
    assert [path.name for path in (world.home / "snapshots").glob("[!.]*")] == [], "nothing half is left"
    assert not list(world.home.rglob(".sfb-xmpp-*"))


def test_a_directory_that_cannot_be_written_to_is_found_before_the_first_write(world: World) -> None:
    start = world.begin()
    (job,) = Converge().jobs(world)
    # No rights help there, not even root's.
    code, told = world.apart([Job(**{**vars(job), "arguments": {**job.arguments, "snapshot_directory": "/proc/kept"}})])
    assert (code, list(told)) == (0, ["refused"])
    assert "snapshot_directory: /proc/kept cannot be used" in told["refused"]
    assert [e.cmdlet for e in world.store.events(start) if e.cmdlet] == []


def waiting(lock: Path) -> bool:
    """Whether another process has opened a lock."""
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if handle.parts[2] != str(os.getpid()) and handle.readlink() == lock:
                return True
    return False


@pytest.mark.parametrize("direct", [True, False])
def test_a_run_has_the_lock_before_it_reads(direct: bool, fresh_lab: Lab, plays: Plays) -> None:
    """As a module of its own too: both ways take the same file."""
    home = plays.directory / "home"
    home.mkdir()
    task = {"name": "x", "sfb.xmpp.xmpp_federated_partner": {"domain": "adatum.example"}}
    play = plays.tasks([task], vars={"ansible_management_shell_direct": direct})
    with (home / ".default.lock").open("w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("process 1 of ann\n")
        held.flush()
        planned = plays.run(play, "--check")
        assert planned.code == 0, planned.output
        begin = max(event.id for event in fresh_lab.store().events())
        with subprocess.Popen(
            plays.command(play), cwd=CHECKOUT, env=plays.environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            while process.poll() is None and not waiting(home / ".default.lock"):
                time.sleep(0.2)
            time.sleep(1)
            assert process.poll() is None
            assert fresh_lab.store().events(begin) == [], "it does not even open a session"
            fcntl.flock(held, fcntl.LOCK_UN)
            output, _nothing = process.communicate(timeout=60)
    assert process.returncode == 0, output
    text = "waits up to 30 minutes for another run that can write to default: process 1 of ann"
    assert (text in output) is direct, "only Ansible's own process can say so meanwhile"
    assert "adatum.example" in fresh_lab.store().partners()


def test_a_plan_that_cannot_be_saved_is_said(fresh_lab: Lab, plays: Plays) -> None:
    variables = {"sfb_xmpp_partners": [{"domain": "adatum.example"}], "sfb_xmpp_plan_file": "/dev/full/plan.json"}
    inventory = plays.hosts()
    inventory["sfb_management"]["vars"].update(variables)
    place = plays.write("i.yml", {"sfb_management": inventory["sfb_management"]})
    run = plays.run("sfb.xmpp.converge", "--check", inventory=place)
    assert (run.code, "sfb_xmpp_plan_file: /dev/full" in run.output) == (2, True), run.output
    assert "Traceback" not in run.output


def test_a_journal_that_cannot_be_written_is_found_before_the_first_write(fresh_lab: Lab, plays: Plays) -> None:
    kept = plays.directory / "kept"
    (kept / "runs.jsonl").mkdir(parents=True)
    inventory = plays.hosts()
    own = {"sfb_xmpp_partners": [{"domain": "adatum.example"}], "sfb_xmpp_snapshot_directory": str(kept)}
    inventory["sfb_management"]["vars"].update(own)
    kept.chmod(0o700)
    place = plays.write("i.yml", {"sfb_management": inventory["sfb_management"]})
    run = plays.run("sfb.xmpp.converge", inventory=place)
    assert (run.code, "runs.jsonl cannot be written: Is a directory" in run.output) == (2, True)
    assert fresh_lab.store().partners() == {}
    assert plays.run("sfb.xmpp.converge", "--check", inventory=place).code == 0, "a plan writes nothing down"
    (kept / "runs.jsonl").rmdir()
    assert plays.run("sfb.xmpp.converge", inventory=place).code == 0
    assert list(fresh_lab.store().partners()) == ["adatum.example"]


@pytest.mark.parametrize("after", [*(pytest.param(one, marks=pytest.mark.nightly) for one in (1, 9)), 22])
def test_a_playbook_that_is_killed_is_made_good_by_the_next(fresh_lab: Lab, plays: Plays, after: int) -> None:
    """kill -9 of ansible-playbook with its workers, right after so many writes."""
    store = fresh_lab.store()
    store.set_setting("cmdlet_seconds", 0.03)
    partners = [{"domain": "p%d.example" % number} for number in range(30)]
    inventory = plays.hosts()
    inventory["sfb_management"]["vars"].update(sfb_xmpp_partners=partners, sfb_xmpp_gateway={"connection_limit": 7})
    place = plays.write("i.yml", {"sfb_management": inventory["sfb_management"]})

    def written() -> int:
        return sum(e.kind == "statement" and not e.cmdlet.startswith(READS) for e in store.events())

    process = subprocess.Popen(
        plays.command("sfb.xmpp.converge", inventory=place),
        cwd=CHECKOUT, env=plays.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while written() < after and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    assert process.poll() is None, "it ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    plays.end_all()
    time.sleep(0.3)
    store.set_setting("cmdlet_seconds", 0.0)
    run = plays.run("sfb.xmpp.converge", inventory=place)
    assert run.code == 0, run.output
    assert len(store.partners()) == 30
    again = plays.run("sfb.xmpp.converge", inventory=place)
    assert not again.result("Apply the plan of the federation")["changed"]
    made = [
        e.parameters["Identity"] for e in store.events() if e.cmdlet == "New-CsXmppAllowedPartner" and e.outcome == "ok"
    ]
    assert sorted(made) == sorted(set(made)), "nothing was made twice"
