# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""That the benchmark runs, and what it says about requests, which do not depend on how busy the machine is."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.benchmarks.contenders import CONTENDERS
from tests.integration.plays import CHECKOUT


def figures(path: Path, *arguments: str) -> dict[tuple[str, int, int], dict[str, t.Any]]:
    """By contender, number of partners and share."""
    delays = ["--round-trip", "0", "--open", "0", "--runs", "1", "--json", str(path)]
    command = [sys.executable, "-m", "tests.benchmarks", *delays, *arguments]
    done = subprocess.run(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    found = json.loads(path.read_text(encoding="utf-8"))["figures"]
    for one in found:
        assert one["contender"] in done.stdout
    return {(one["contender"], one["partners"], one["changed"]): one for one in found}


@pytest.mark.nightly
def test_every_contender_does_its_work_and_is_measured(tmp_path: Path) -> None:
    found = figures(tmp_path / "figures.json", "--partners", "2", "--changed", "100")
    assert {name for name, _partners, _changed in found} == {one.name for one in CONTENDERS}
    for one in found.values():
        assert min(one[name] for name in ("wall", "cpu", "requests", "received", "sent", "memory")) > 0


def test_the_requests_of_a_run_without_changes_do_not_grow_with_the_list(tmp_path: Path) -> None:
    """But for those that fetch the answer, however it is cut."""
    arguments = ("--partners", "1", "60", "--changed", "0", "--contenders", "floor", "plural")
    found = figures(tmp_path / "figures.json", *arguments)
    asked = {key: one["requests"] - one["receives"] for key, one in found.items()}
    assert asked["plural", 1, 0] == asked["plural", 60, 0]
    assert asked["floor", 1, 0] == asked["floor", 60, 0]
    # The call that reads, and the word that its answer need not be kept any longer.
    assert [asked["plural", number, 0] - asked["trivial", number, 0] for number in (1, 60)] == [2, 2]


@pytest.mark.nightly
def test_reading_all_users_is_measured_both_ways() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.users", "--users", "30", "--runs", "1"]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    _title, _bare, whole, holders, cut, _cut_holders = done.stdout.splitlines()
    megabytes = [float(line.rpartition(" ")[2]) for line in (holders, cut, whole)]
    assert 0 < megabytes[0] < megabytes[1] < megabytes[2], "whole objects are the larger ones"
