# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault at some messages of each run, and two runs at once; ``make faults`` tries every message."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest

from tests.faults.place import NAMES
from tests.faults.together import TASKS, pair
from tests.faults.trial import Course, course, places, trial
from tests.faults.world import SCENARIOS, Partners, Scenario, World, world_of

Prepared = tuple[Scenario, World, Course]
# What is tried of each scenario: every fault once, each at another place; of those that take long the worst.
SAMPLE = {
    "converge": NAMES,
    "certificate": ("cut_after", "dead_after", "killed_after"),
    "restore": ("cut_after_statement", "killed_after"),
    "decommission": ("cut_within", "killed_after"),
}
# Pairs of runs.
PAIRS = 3


@pytest.fixture(scope="module", params=list(SCENARIOS))
def prepared(request: pytest.FixtureRequest) -> t.Iterator[Prepared]:
    scenario = SCENARIOS[request.param]()
    with (
        tempfile.TemporaryDirectory(prefix="sfb-faults-") as directory,
        world_of(scenario, Path(directory) / "world") as world,
    ):
        yield scenario, world, course(scenario, world)


def test_nothing_is_lost_or_done_twice(prepared: Prepared) -> None:
    scenario, world, usual = prepared
    verdicts = []
    for number, fault in enumerate(SAMPLE[scenario.name]):
        possible = places(usual, fault, 0)
        verdicts.append(trial(scenario, world, usual, fault, possible[(7 + 11 * number) % len(possible)]))
    assert len(verdicts) == len(SAMPLE[scenario.name])
    assert [one for one in verdicts if one.mistakes or one.lost or one.doubled or not one.converged] == []


@pytest.fixture(scope="module")
def partners(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with world_of(Partners(), tmp_path_factory.mktemp("together") / "world") as world:
        yield world


@pytest.mark.parametrize("task", TASKS)
def test_two_at_once(partners: World, task: str) -> None:
    for _turn in range(PAIRS):
        found = pair(partners, task, ("ours", "theirs"))
        assert (found.lost, found.mistakes) == ([], [])
        assert "broken" not in found.told
    same = pair(partners, task, ("ours", "ours"))
    assert (same.lost, same.mistakes, same.told) == ([], [], ("success", "success"))
