# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run must bring, and when it may write."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.change_control import (
    DAYS,
    Brought,
    Control,
    control_of,
    reasons,
    window_of,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from hypothesis import given
from hypothesis import strategies as st

UTC = datetime.timezone.utc
NIGHT = {"days": ["fri"], "from": "22:00", "to": "05:00", "timezone": "Europe/Berlin"}
NOW = datetime.datetime(2026, 11, 27, 22, 30, tzinfo=UTC)  # a Friday, 23:30 in Berlin


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "now", "inside"),
    [
        (NIGHT, "2026-11-27 20:59", False),
        (NIGHT, "2026-11-27 21:00", True),
        (NIGHT, "2026-11-28 03:59", True),  # Saturday in Berlin; it began on Friday
        (NIGHT, "2026-11-28 04:00", False),
        (NIGHT, "2026-11-27 03:00", False),  # it would have begun on Thursday
        (NIGHT, "2026-07-03 20:30", True),  # summer time
        ({"from": "08:00", "to": "17:00"}, "2026-11-27 08:00", True),
        ({"from": "08:00", "to": "17:00"}, "2026-11-27 17:00", False),
        ({"from": "00:00", "to": "00:00"}, "2026-11-27 17:00", True),
        ({"days": ["sat", "sun"], "from": "0:00", "to": "0:00"}, "2026-11-27 17:00", False),
        ({"days": ["sat", "sun"], "from": "0:00", "to": "0:00"}, "2026-11-29 23:59", True),
    ],
)
def test_windows(window: dict[str, t.Any], now: str, inside: bool) -> None:
    found = reasons(control_of({"windows": [window]}), Brought(), at(now))
    assert (found == []) is inside
    assert reasons(control_of({"windows": [window]}, ["outside_window"]), Brought(), at(now)) == []


@given(st.sampled_from(DAYS), st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 14 * 1440))
def test_a_window_is_as_long_as_it_says(day: str, start: int, end: int, minute: int) -> None:
    """Against a plain count of the minutes since the window's last beginning."""
    clock = {"from": "%d:%02d" % divmod(start, 60), "to": "%d:%02d" % divmod(end, 60)}
    window = window_of({"days": [day], **clock})
    monday = datetime.datetime(2026, 11, 23, tzinfo=UTC)
    begun = DAYS.index(day) * 1440 + start
    length = (end - start) % 1440 or 1440
    assert window.covers(monday + datetime.timedelta(minutes=minute)) is ((minute - begun) % (7 * 1440) < length)


@pytest.mark.parametrize(
    ("freeze", "now", "frozen"),
    [
        ({"from": "2026-12-20", "to": "2027-01-06"}, "2026-12-19 23:59", False),
        ({"from": "2026-12-20", "to": "2027-01-06"}, "2027-01-06 23:59", True),
        ({"from": "2026-12-20", "to": "2027-01-06"}, "2027-01-07 00:00", False),
        ({"from": datetime.date(2026, 12, 20), "to": datetime.date(2026, 12, 20)}, "2026-12-20 12:00", True),
        ({"from": "2026-12-20T18:00+01:00", "to": "2026-12-20T19:00Z"}, "2026-12-20 17:00", True),
        ({"from": "2026-12-20T18:00+01:00", "to": "2026-12-20T19:00Z"}, "2026-12-20 19:00", False),
    ],
)
def test_freezes(freeze: dict[str, t.Any], now: str, frozen: bool) -> None:
    found = reasons(control_of({"freeze": [{**freeze, "reason": "Christmas"}]}), Brought(), at(now))
    assert [("Christmas" in text) for text in found] == ([True] if frozen else [])
    assert reasons(control_of({"freeze": [freeze]}, ["outside_window"]), Brought(), at(now)) == []


PLANNED = Brought(digest=True, ticket="CHG-1", planner="ann", applier="bob")


@pytest.mark.parametrize(
    ("require", "pattern", "brought", "variables"),
    [
        (["plan"], "", Brought(), ["sfb_xmpp_plan_digest"]),
        (["plan"], "", Brought(digest=True), []),
        (["ticket"], "", Brought(), ["sfb_xmpp_ticket"]),
        (["ticket"], r"CHG-\d+", Brought(ticket="CHG-1 x"), ["sfb_xmpp_ticket_pattern"]),
        (["ticket"], r"CHG-\d+", Brought(ticket="CHG-12"), []),
        ([], r"CHG-\d+", Brought(), []),  # a ticket need not be given, but if it is, it is a right one
        ([], r"CHG-\d+", Brought(ticket="none"), ["sfb_xmpp_ticket_pattern"]),
        (["other_person"], "", Brought(applier="bob"), ["sfb_xmpp_plan_file"]),
        (["other_person"], "", Brought(planner="Bob", applier="bob"), ["Both are bob"]),
        (["plan", "ticket", "other_person"], r"CHG-\d+", PLANNED, []),
        (["plan", "ticket", "other_person"], "", Brought(), ["_plan_digest", "_ticket", "_plan_file"]),
    ],
)  # fmt: skip
def test_what_a_run_must_bring(require: list[str], pattern: str, brought: Brought, variables: list[str]) -> None:
    found = reasons(control_of({"require": require, "ticket_pattern": pattern}), brought, NOW)
    assert len(found) == len(variables)
    assert all(word in text for word, text in zip(variables, found, strict=True))


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (
            {"windows": [{"from": 1320, "to": "05:00"}]},
            "sfb_xmpp_windows[0].from: YAML reads the time as the number 1320",
        ),
        ({"windows": [{"from": "22:00", "to": "25:00"}]}, "sfb_xmpp_windows[0].to: "),
        ({"windows": [{"from": "22:00"}]}, "sfb_xmpp_windows[0].to: "),
        ({"windows": [{"days": ["monday"], "from": "1:00", "to": "2:00"}]}, "sfb_xmpp_windows[0].days: "),
        ({"windows": [{"timezone": "Berlin", "from": "1:00", "to": "2:00"}]}, "sfb_xmpp_windows[0].timezone: "),
        ({"windows": [{"timezone": "../etc/passwd", "from": "1:00", "to": "2:00"}]}, "sfb_xmpp_windows[0].timezone: "),
        ({"freeze": [{"from": "Christmas", "to": "2027-01-01"}]}, "sfb_xmpp_freeze[0].from: "),
        ({"freeze": [{"from": "2026-12-20"}]}, "sfb_xmpp_freeze[0].to: "),
        ({"freeze": [{"from": "2026-12-20", "to": "2026-12-19"}]}, "sfb_xmpp_freeze[0].to: "),
        ({"ticket_pattern": "CHG-("}, "sfb_xmpp_ticket_pattern: "),
    ],
)
def test_a_mistake_is_named_with_its_place(settings: dict[str, t.Any], place: str) -> None:
    with pytest.raises(Invalid) as caught:
        control_of(settings)
    assert str(caught.value).startswith(place)


def test_without_settings_there_is_no_control() -> None:
    assert not control_of({})
    assert reasons(Control(), Brought(), NOW) == []
