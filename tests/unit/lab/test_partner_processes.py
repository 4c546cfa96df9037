# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes are found by the mark that they carry, and ended for certain; strangers are left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.partners import processes


@pytest.fixture
def folder(tmp_path: Path) -> t.Iterator[Path]:
    folder = tmp_path / "a"
    folder.mkdir()
    yield folder
    processes.end(tmp_path, patience=0.1)


def until(happened: t.Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_program_runs_in_its_folder_with_a_clean_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFB_TEST_SECRET", "s3cret")
    processes.spawn(["sh", "-c", "pwd; env"], folder, {"MORE": "1"}).wait()
    said = (folder / "output.log").read_text()
    assert said.startswith(str(folder))
    assert "MORE=1" in said
    assert "s3cret" not in said


def test_it_is_found_and_ended(folder: Path) -> None:
    process = processes.spawn(["sleep", "300"], folder, {})
    until(lambda: processes.running(folder) == [process.pid])
    assert processes.running(folder.parent) == [process.pid]
    assert processes.end(folder)
    assert processes.running(folder) == []
    assert process.wait(30) == -signal.SIGTERM
    assert not processes.end(folder)


def test_children_in_sessions_of_their_own_go_too(folder: Path) -> None:
    processes.spawn(["sh", "-c", "setsid sleep 300 & setsid sleep 300 & wait"], folder, {})
    until(lambda: len(processes.running(folder)) == 3)
    processes.end(folder)
    assert processes.running(folder) == []


def test_a_child_whose_parent_died_goes_too(folder: Path) -> None:
    process = processes.spawn(["sh", "-c", "sleep 300 & wait"], folder, {})
    until(lambda: len(processes.running(folder)) == 2)
    process.kill()
    process.wait()
    assert processes.end(folder, patience=0.2)
    assert processes.running(folder) == []


def test_one_that_does_not_heed_sigterm_is_killed(folder: Path) -> None:
    process = processes.spawn(["sh", "-c", "trap '' TERM; touch trapped; while :; do sleep 1; done"], folder, {})
    until((folder / "trapped").exists)
    processes.end(folder, patience=0.2)
    assert process.wait(30) == -signal.SIGKILL


def test_others_are_left_alone(folder: Path) -> None:
    neighbour = folder.with_name("ab")
    neighbour.mkdir()
    near = processes.spawn(["sleep", "300"], neighbour, {})
    with subprocess.Popen(["sleep", "300"], cwd=folder, env={**os.environ, "FOLDER": str(folder)}) as stranger:
        try:
            assert processes.running(folder) == []
            assert not processes.end(folder)
            assert near.poll() is None
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_program_that_is_not_there(folder: Path) -> None:
    with pytest.raises(LabError, match="sfb-no-such-program cannot be started"):
        processes.spawn(["sfb-no-such-program"], folder, {})
