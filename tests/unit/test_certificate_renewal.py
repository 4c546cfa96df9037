# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When certificates are renewed: boundaries, and a thousand simulated years of runs."""

from __future__ import annotations

import datetime
import random

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.names import InvalidNames, required_names
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.renewal import (
    DAY,
    due_at,
    interval,
    renewal,
    slot_end,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.renewal import RenewalRule as Rule
from hypothesis import given
from hypothesis import strategies as st

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
LIFETIMES = (6, 47, 90, 200, 398)


@pytest.mark.parametrize(
    ("lifetime", "rule", "days"),
    [
        (90, Rule(), 60),
        (90, Rule(days=40), 50),
        (90, Rule(days=10), 60),
        (398, Rule(share=0.5), 199),
        (6, Rule(), 4),
        (6, Rule(days=3), 3),
        (6, Rule(days=30), 4),  # more than half of the lifetime: the share alone counts
    ],
)
def test_when_it_is_due(lifetime: int, rule: Rule, days: float) -> None:
    end = START + lifetime * DAY
    at = due_at(START, end, rule)
    assert at == START + days * DAY
    assert renewal(START, end, at, rule).due
    assert not renewal(START, end, at - interval(end - START) - HOUR, rule).due


def test_the_whole_day_decides_alike() -> None:
    start = START + 5 * HOUR
    end = start + 90 * DAY
    day = start + 60 * DAY - 5 * HOUR
    assert {renewal(start, end, day + hour * HOUR, Rule()).due for hour in range(24)} == {True}
    assert {renewal(start, end, day - HOUR - hour * HOUR, Rule()).due for hour in range(24)} == {False}


def test_short_ones_are_looked_at_four_times_a_day() -> None:
    assert [interval(days * DAY) for days in (6, 9, 10, 47)] == [6 * HOUR, 6 * HOUR, DAY, DAY]


def test_what_it_says() -> None:
    end = START + 100 * DAY
    assert renewal(START, end, START + 25 * DAY, Rule()).as_dict() == {
        "due": False,
        "at": "2026-03-08T16:00:00Z",
        "lifetime_left": 0.75,
        "reason": "75 % of its lifetime is left, and it is due on 2026-03-08",
    }
    late = renewal(START, end, end + DAY, Rule())
    assert (late.due, late.left, late.reason) == (True, 0.0, "it has expired")
    assert "it is due since 2026-03-08" in renewal(START, end, START + 80 * DAY, Rule()).reason


def test_mistakes() -> None:
    assert Rule().mistakes == []
    for rule, option in (
        (Rule(share=0), "share"),
        (Rule(share=1), "share"),
        (Rule(days=0), "days"),
    ):
        (text,) = rule.mistakes
        assert option in text


TIMES = st.integers(0, 40 * 365 * 24 * 3600).map(lambda seconds: START + datetime.timedelta(seconds=seconds))


@given(TIMES, st.integers(1, 9000), st.floats(0.05, 0.95), st.none() | st.integers(1, 400), st.lists(TIMES, min_size=2))
def test_once_due_it_stays_due(
    start: datetime.datetime, hours: int, share: float, days: int | None, times: list[datetime.datetime]
) -> None:
    end, rule = start + hours * HOUR, Rule(share, days)
    verdicts = [renewal(start, end, now, rule).due for now in sorted(times)]
    assert verdicts == sorted(verdicts)
    assert renewal(start, end, end, rule).due
    assert start < due_at(start, end, rule) < end


@given(TIMES, st.sampled_from([DAY, DAY / 4]))
def test_slots(now: datetime.datetime, length: datetime.timedelta) -> None:
    end = slot_end(now, length)
    assert now < end <= now + length
    assert slot_end(end, length) == end + length


@pytest.mark.parametrize(("rule", "years"), [(Rule(), 1000), (Rule(days=21), 100), (Rule(share=0.8), 100)])
@pytest.mark.parametrize("lifetime", LIFETIMES)
@pytest.mark.slow
def test_a_thousand_years(lifetime: int, rule: Rule, years: int) -> None:
    """Runs at any minute of their slot; a third of them fails, never more than three in a row.

    No certificate in force expires, and none is issued before the one before is due. Runs that are surely before the
    day on which something is due are skipped: whether it is due only ever changes from no to yes (see above).
    """
    chance = random.Random(lifetime)
    step = interval(lifetime * DAY)
    slot, horizon = START, START + years * 365 * DAY
    issued = (START, START + lifetime * DAY)  # the newest
    in_force = issued
    gaps: list[datetime.timedelta] = []
    failures = 0
    while slot < horizon:
        idle = (due_at(*issued, rule) - slot - 2 * step) // step
        if in_force == issued and idle > 0:
            slot += idle * step
        now = slot + step * chance.random()
        slot += step
        assert now < in_force[1], "missed"
        fails = failures < 3 and chance.random() < 1 / 3
        failures = failures + 1 if fails else 0
        if fails and chance.random() < 0.5:
            continue  # before anything was done
        if renewal(*issued, now, rule).due:
            fresh = (now - HOUR, now - HOUR + lifetime * DAY)
            gaps.append(fresh[0] - issued[0])
            issued = fresh
        if not fails:  # else it failed between issue and switch, and the next run finds what was issued
            in_force = issued
    assert len(gaps) > years * 365 / lifetime
    at = due_at(START, START + lifetime * DAY, rule) - START
    assert min(gaps) > at - step - HOUR, "done twice"


class TestNeeds:
    def test_names_from_domains(self) -> None:
        found = required_names(
            ["webcon.contoso.com"], "Access.contoso.com", ["contoso.com", "contoso.de"], ["contoso.com", "bücher.de."]
        )
        assert found == [
            *("access.contoso.com", "webcon.contoso.com", "sip.contoso.com", "sip.contoso.de"),
            *("contoso.com", "xn--bcher-kva.de"),
        ]

    def test_names_alone(self) -> None:
        assert required_names(["b.contoso.com", "A.contoso.com.", "b.contoso.com"]) == [
            "b.contoso.com",
            "a.contoso.com",
        ]
        assert required_names() == []

    def test_every_mistake_with_its_place(self) -> None:
        with pytest.raises(InvalidNames) as caught:
            required_names(["*"], "10.0.0.1", ["contoso.com", "x y"], [""])
        places = [text.partition(":")[0] for text in caught.value.texts]
        assert places == ["access_edge", "names[0]", "sip_domains[1]", "xmpp_domains[0]"]

    def test_domains_need_the_access_edge(self) -> None:
        with pytest.raises(InvalidNames, match="access_edge"):
            required_names(sip_domains=["contoso.com"])
