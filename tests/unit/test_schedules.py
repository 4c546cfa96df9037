# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders of the requests of two runs: no right is lost, and no change is overwritten without a word.

``make explore`` tries all pairs with all faults.
"""

from __future__ import annotations

import itertools
import re
import typing as t
from pathlib import Path

import pytest

from tests.explore.jobs import SHIPPED
from tests.explore.orders import explore
from tests.explore.scheduler import FAULTS, Course
from tests.explore.trial import Scenario, Trial, parse, prepare, with_faults

# The pairs of modules and converges that take a right from a policy, or remove it, while it is granted.
OF_POLICIES = (
    ("policies", "policies"),
    ("module", "policies"),
    ("policies", "module"),
    ("module", "module"),
    ("purge", "module"),
    ("removal", "policies"),
)
PAIRS = [pair for pair in itertools.combinations_with_replacement(SHIPPED, 2) if "certificate" not in pair]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    prepare()
    return str(tmp_path_factory.mktemp("one")), str(tmp_path_factory.mktemp("two"))


@pytest.mark.parametrize("shared", [True, False], ids=["one controller", "two controllers"])
@pytest.mark.parametrize("names", [*PAIRS, *OF_POLICIES], ids="+".join)
def test_nothing_is_lost_without_a_word(names: tuple[str, str], shared: bool, homes: tuple[str, str]) -> None:
    """Every schedule. Both runs end, and they end otherwise where they meet than where they do not."""
    tally = Trial(Scenario(names, shared), homes).all()
    assert tally.complete
    assert tally.orders > 1
    assert tally.failing == [], "%d of %d schedules" % (tally.wrong, tally.orders)
    if "revoke" not in names:
        # The lock comes before the first reading. A revocation does not wait for it.
        assert bool(tally.met) is not shared


def test_two_certificates_for_one_edge(homes: tuple[str, str]) -> None:
    """The schedules with one switch at most: all of them are too many."""
    tally = Trial(Scenario(("certificate", "certificate")), homes).all(most=1)
    assert tally.failing == []
    assert "success and warned" in tally.states
    assert "failed and success" in tally.states


@pytest.mark.parametrize("kind", FAULTS)
def test_one_fault(kind: str, homes: tuple[str, str]) -> None:
    """At every second request of the run that takes a right, and of the one that grants it."""
    scenario = Scenario(("converge", "converge"))
    requests = (5, 5)  # of a run that meets nobody
    chosen = [one for one in with_faults(scenario, requests) if one.fault and one.fault.kind == kind]
    failing = [line for one in chosen[1::2] for line in Trial(one, homes).all().failing]
    assert failing == []


def test_what_remains_between_the_statements_of_a_request(homes: tuple[str, str]) -> None:
    """A number of the page, which says that the rest is none."""
    tally = Trial(Scenario(("converge", "converge"), statements=True), homes).all()
    page = (Path(__file__).parents[2] / "docs/docsite/rst/schedules.rst").read_text(encoding="utf-8")
    found = re.search(r'"converge and converge", "two", "stops at statements",(.*)', page)
    assert found
    covered, _all, _which, carried_out, wrong = re.findall(r'"([^"]*)"', found[1])
    assert [covered, carried_out, wrong] == ["{:,}".format(n) for n in (tally.orders, tally.carried_out, tally.wrong)]


def _ends(trial: Trial, *, reduce: bool) -> tuple[int, int, set[t.Any]]:
    """Schedules that were carried out, schedules that these stand for, and all that they came to."""
    ends, carried_out, orders = set(), 0, 0

    def end(course: Course) -> t.Any:
        return tuple(party.told.words for party in course.parties), repr(sorted(trial.world.things().items()))

    for course, found in explore(trial.start, reduce=reduce):
        ends.add(end(course))
        carried_out, orders = carried_out + 1, orders + found.orders
    return carried_out, orders, ends


def test_one_schedule_stands_for_those_that_differ_in_independent_requests(homes: tuple[str, str]) -> None:
    few = _ends(Trial(Scenario(("policies", "policies")), homes), reduce=True)
    every = _ends(Trial(Scenario(("policies", "policies")), homes), reduce=False)
    assert few[0] < every[0] == every[1] == few[1]
    assert few[2] == every[2]


def test_a_line_replays_its_schedule(homes: tuple[str, str]) -> None:
    scenario = Scenario(
        ("converge", "restore"), shared=True, fault=with_faults(Scenario(("revoke", "revoke")), (2, 2))[1].fault
    )
    course, _found = next(iter(explore(Trial(scenario, homes).start)))
    line = scenario.line([0, 0, 1, 0])
    assert parse(line) == (scenario, (0, 0, 1, 0))
    again, wrong = Trial(scenario, homes).one(parse(line)[1])
    assert wrong == []
    assert [party.state for party in (*course.parties, *again.parties)] == ["over"] * 4
    with pytest.raises(ValueError, match="must be a line that a failing schedule printed"):
        parse("converge+nothing order=01")
