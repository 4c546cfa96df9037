# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which replicas are behind, how long a wait takes, and what is no answer about replicas."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replication import (
    Replica,
    behind,
    replicas_of,
    wait,
    work,
)

START = datetime.datetime(2027, 3, 1, 10, tzinfo=datetime.timezone.utc)


def replica(fqdn: str, minute: int | None, up_to_date: bool = True) -> Replica:
    return Replica(fqdn, up_to_date, None if minute is None else START + datetime.timedelta(minutes=minute))


class Clock:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Store:
    """Has an update since minute 0, and one since the push. late: seconds from the push until a replica has it."""

    def __init__(self, clock: Clock, **late: float) -> None:
        self.clock, self.late, self.pushed = clock, late, 0

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        (statement,) = statements
        if statement.cmdlet.startswith("Invoke-"):
            assert dict(statement.parameters) == {}
            self.pushed += 1
            return Answer()
        objects = []
        for name, seconds in self.late.items():
            has_it = self.pushed and self.clock.now >= seconds
            objects.append(
                {
                    "ReplicaFqdn": name,
                    # Not yet noticed within the first second.
                    "UpToDate": bool(has_it or not self.pushed or self.clock.now < 1),
                    "LastUpdateCreation": (START + datetime.timedelta(minutes=1 if has_it else 0)).isoformat(),
                }
            )
        return Answer(tuple(objects))


BEHIND: list[tuple[list[Replica], list[Replica], list[str]]] = [
    ([replica("a", 0)], [replica("a", 1)], []),
    # called up to date, but the update is the former one, or that of another replica
    ([replica("a", 0)], [replica("a", 0)], ["a"]),
    ([replica("a", 0), replica("b", 5)], [replica("a", 5), replica("b", 6)], ["a"]),
    ([replica("a", 0)], [replica("a", 1, up_to_date=False)], ["a"]),
    ([replica("a", None)], [replica("a", None)], ["a"]),
    ([replica("a", None)], [replica("a", 0)], []),
    # a replica that has gone is not one that is current; one that has come is looked at
    ([replica("a", 0), replica("b", 0)], [replica("a", 1)], ["b"]),
    ([replica("A", 0)], [replica("a", 1), replica("b", 0)], ["b"]),
]


@pytest.mark.parametrize(("before", "now", "names"), BEHIND)
def test_who_is_behind(before: list[Replica], now: list[Replica], names: list[str]) -> None:
    assert behind(before, now) == names


def test_one_that_is_late_is_awaited() -> None:
    clock = Clock()
    result = work({"state": "current", "timeout": 300}, Store(clock, edge=20, fe=0), False, clock)
    assert (result.changed, result.failures) == (True, [])
    assert clock.slept == [1.0, 2.0, 5.0, 5.0, 5.0, 5.0]
    assert [one["last_update_creation"] for one in result.values["replicas"]] == ["2027-03-01T10:01:00+00:00"] * 2


def test_one_that_never_has_it_ends_the_wait_at_its_limit() -> None:
    clock = Clock()
    result = work({"state": "current", "timeout": 7}, Store(clock, edge=1e9, fe=0), False, clock)
    assert clock.now == 7
    assert result.changed
    assert [failure.identity for failure in result.failures] == ["edge"]
    assert result.message.startswith("Get-CsManagementStoreReplicationStatus of edge failed: edge has not the newest")


def test_pushing_alone_waits_for_nothing() -> None:
    clock = Clock()
    store = Store(clock, edge=1e9)
    result = work({"state": "pushed", "timeout": 300}, store, False, clock)
    assert (result.changed, store.pushed, clock.slept) == (True, 1, [])


def test_check_mode_pushes_nothing() -> None:
    clock = Clock()
    store = Store(clock, edge=0)
    result = work({"state": "current", "timeout": 300}, store, True, clock)
    assert (result.changed, store.pushed, clock.slept) == (True, 0, [])
    assert [step["result"] for step in result.steps or []] == ["planned"]


def test_a_store_that_can_no_longer_be_read_is_a_failure() -> None:
    class Lost(Store):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            return Answer(lost="reset") if self.pushed else super().invoke(statements)

    clock = Clock()
    result = work({"state": "current", "timeout": 300}, Lost(clock, edge=0), False, clock)
    assert result.changed
    assert "pushed, but the replicas cannot be read now" in result.message


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ReplicaFqdn": None}, "ReplicaFqdn is None"),
        ({"UpToDate": "True"}, "edge: UpToDate is 'True'"),
        ({"LastUpdateCreation": "yesterday"}, "LastUpdateCreation is 'yesterday'; a time was expected"),
        ({"LastUpdateCreation": 5}, "LastUpdateCreation is 5"),
    ],
)
def test_what_is_no_replica_is_an_error(change: dict[str, t.Any], told: str) -> None:
    item = {"ReplicaFqdn": "edge", "UpToDate": True, "LastUpdateCreation": None}
    assert replicas_of(Answer((item,))) == (replica("edge", None),)
    with pytest.raises(ServerRefused, match=told):
        replicas_of(Answer(({**item, **change},)))


def test_no_replica_and_no_answer_are_errors() -> None:
    clock = Clock()
    with pytest.raises(Refused, match="names no replica"):
        wait(Store(clock), (), 1, clock)
    with pytest.raises(ServerRefused, match="denied"):
        replicas_of(Answer(errors=(ServerError("X", "", "", "denied"),)))
