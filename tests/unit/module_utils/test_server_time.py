# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dates of servers in all forms that .NET writes, and what they are compared with."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.server_time import in_zone, server_clock, server_time
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.edge import EdgeReader
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replication import behind, read_replicas

UTC = datetime.timezone.utc
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
WEST = datetime.timezone(-datetime.timedelta(hours=3, minutes=30))
_DIGITS = ("", ".1", ".12", ".123", ".1234", ".12345", ".123456", ".1234567")
_ZONES: tuple[tuple[str, datetime.timezone | None], ...] = (
    ("Z", UTC), ("", None), ("+00:00", UTC), ("+05:30", EAST), ("-03:30", WEST), ("+0530", EAST),
)  # fmt: skip


@pytest.mark.parametrize(("suffix", "zone"), _ZONES)
@pytest.mark.parametrize("digits", _DIGITS)
def test_every_form_is_read(digits: str, suffix: str, zone: datetime.timezone | None) -> None:
    micro = int(digits[1:7].ljust(6, "0") or 0)
    expected = datetime.datetime(2027, 3, 1, 9, 30, 5, micro, zone)
    assert server_time("2027-03-01T09:30:05%s%s" % (digits, suffix)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2027-03-01", "2027-13-01T00:00:00", "2027-03-01T24:00:00Z", "2027-03-01T09:30:00.12345678Z",
        "2027-03-01T09:30:00+25:00", "2027-03-01T09:30:00+01:60", "01/03/2027 09:30:00", "2027-03-01T09:30:00Z ago",
        "٢٠٢٧-03-01T09:30:00", None, 5, True,
    ],
)  # fmt: skip
def test_what_is_no_date_is_an_error(text: t.Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        server_time(text)


class Server:
    """Replicas with these times; dates: what Get-Date says, None where it is not offered."""

    def __init__(self, dates: list[t.Any] | None, *times: str | None) -> None:
        self.dates, self.times = dates, times
        self.asked: list[str] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        (statement,) = statements
        self.asked.append(statement.cmdlet)
        if statement.cmdlet == "Get-Date":
            if self.dates is None:
                return Answer(errors=(ServerError("Get-Date", "CommandNotFoundException", "ObjectNotFound", "no"),))
            return Answer(tuple(self.dates))
        rows = [
            {"ReplicaFqdn": "fe%d" % number, "UpToDate": True, "LastUpdateCreation": time}
            for number, time in enumerate(self.times)
        ]
        return Answer(tuple(rows))


def test_times_with_an_offset_need_no_clock() -> None:
    server = Server(None, "2027-03-01T09:30:00.1234567Z", "2027-03-01T10:30:00.12+01:00", None)
    assert [one.last_update_creation is None for one in read_replicas(server)] == [False, False, True]
    assert server.asked == ["Get-CsManagementStoreReplicationStatus"]


def test_a_time_without_an_offset_is_in_the_zone_of_the_servers_clock() -> None:
    # 10:00 local time is 04:30 UTC: before 05:00 UTC, though its hours are later.
    rows = read_replicas(Server(["2027-03-01T10:05:00.1+05:30"], "2027-03-01T10:00:00", "2027-03-01T05:00:00Z"))
    assert [one.as_dict()["last_update_creation"] for one in rows] == [
        "2027-03-01T10:00:00+05:30", "2027-03-01T05:00:00+00:00",
    ]  # fmt: skip
    assert behind(rows[1:], rows) == ["fe0", "fe1"]
    assert behind(rows[:1], rows[1:]) == ["fe0"]


@pytest.mark.parametrize("dates", [None, [], ["soon"], ["2027-03-01T10:05:00"]])
def test_without_a_zone_local_times_are_compared_with_each_other_only(dates: list[t.Any] | None) -> None:
    before = read_replicas(Server(dates, "2027-03-01T10:00:00", "2027-03-01T09:00:00.5"))
    now = read_replicas(Server(dates, "2027-03-01T10:00:00.1234567", "2027-03-01T10:00:00"))
    assert behind(before, now) == ["fe1"]
    assert behind(before, read_replicas(Server(dates, "2027-03-01T11:00:00Z", "2027-03-01T11:00:00Z"))) == [
        "fe0",
        "fe1",
    ]
    with pytest.raises(ServerRefused, match="has an offset from UTC for some replicas only, and Get-Date"):
        read_replicas(Server(dates, "2027-03-01T10:00:00", "2027-03-01T09:00:00Z"))


def test_the_clock_is_what_get_date_says() -> None:
    assert server_clock(Server(["noise", "2027-03-01T10:05:00.1234567+05:30"])) == datetime.datetime(
        2027, 3, 1, 10, 5, 0, 123456, EAST
    )
    assert server_clock(Server(None)) is None
    naive = datetime.datetime(2027, 3, 1)  # noqa: DTZ001 (a server's local time has none)
    assert in_zone(naive, None) is naive
    assert in_zone(naive, naive.replace(tzinfo=EAST)).tzinfo is EAST
    assert in_zone(naive.replace(tzinfo=UTC), naive.replace(tzinfo=EAST)).tzinfo is UTC


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S.%f0Z", "%Y-%m-%dT%H:%M:%S.%f0+00:00", "%Y-%m-%dT%H:%M:%SZ"])
def test_an_edges_clock_is_compared_with_seven_digits_too(form: str) -> None:
    ahead = datetime.datetime.now(UTC) + datetime.timedelta(minutes=10)
    found = EdgeReader(Server([ahead.strftime(form)])).clock_ahead()
    assert found == pytest.approx(600, abs=5)
    assert EdgeReader(Server([ahead.strftime("%Y-%m-%dT%H:%M:%S")])).clock_ahead() is None
