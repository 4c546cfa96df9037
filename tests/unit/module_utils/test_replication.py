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
    """Has an update since minute 0, and one since a push, which deletes the status of its replicas first.

    late: seconds from the beginning until a replica has the newest update. gone: until its status is there again after
    a push; for as long again it is empty.
    """

    def __init__(self, clock: Clock, gone: float = 0, **late: float) -> None:
        self.clock, self.late, self.gone = clock, late, gone
        self.pushed: list[str] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        (statement,) = statements
        if statement.cmdlet.startswith("Invoke-"):
            self.pushed.append(str(statement.parameters.get("ReplicaFqdn", "*")))
            return Answer()
        if "CentralManagementStoreStatus" in statement.parameters:
            return Answer(({"ActiveReplicas": sorted(self.late)},))
        return Answer(tuple(row for name in self.late if (row := self.row(name))))

    def row(self, name: str) -> dict[str, t.Any] | None:
        pushed = name in self.pushed or "*" in self.pushed
        if pushed and self.clock.now < self.gone:
            return None
        if pushed and self.clock.now < 2 * self.gone:
            return {"ReplicaFqdn": name, "UpToDate": False, "LastUpdateCreation": ""}
        has_it = self.clock.now >= self.late[name]
        made = START + datetime.timedelta(minutes=1 if pushed and has_it else 0)
        return {"ReplicaFqdn": name, "UpToDate": has_it, "LastUpdateCreation": made.isoformat()}


def params(**given: t.Any) -> dict[str, t.Any]:
    return {"state": "current", "push": False, "replicas": None, "timeout": 300, **given}


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


def test_without_a_push_it_waits_until_all_are_up_to_date() -> None:
    clock = Clock()
    store = Store(clock, edge=20, fe=0)
    result = work(params(), store, False, clock)
    assert (result.changed, result.failures, result.steps, store.pushed) == (False, [], [], [])
    assert clock.slept == [1.0, 2.0, 5.0, 5.0, 5.0, 5.0]
    assert [one["up_to_date"] for one in result.values["replicas"]] == [True, True]


def test_a_push_is_waited_for_while_the_status_is_deleted_and_empty() -> None:
    clock = Clock()
    store = Store(clock, gone=4, edge=20, fe=0)
    result = work(params(push=True), store, False, clock)
    assert (result.changed, result.failures, store.pushed) == (True, [], ["*"])
    assert [one["last_update_creation"] for one in result.values["replicas"]] == ["2027-03-01T10:01:00+00:00"] * 2
    assert clock.now > 20


def test_named_replicas_are_pushed_and_waited_for_one_by_one() -> None:
    clock = Clock()
    store = Store(clock, gone=1, edge=0, fe=0, branch=1e9)
    result = work(params(push=True, replicas=["EDGE.", "fe"]), store, False, clock)
    assert (result.changed, result.failures, store.pushed) == (True, [], ["edge", "fe"])
    assert [one["fqdn"] for one in result.values["replicas"]] == ["edge", "fe"]


def test_a_replica_whose_status_a_push_has_deleted_is_known_and_behind() -> None:
    clock = Clock()
    store = Store(clock, gone=1e9, edge=0, fe=0)
    store.pushed = ["edge"]
    for given in ({}, {"replicas": ["edge"]}):
        result = work(params(timeout=3, **given), store, False, clock)
        assert [failure.identity for failure in result.failures] == ["edge"]
        assert result.values["replicas"][0] == {"fqdn": "edge", "up_to_date": False, "last_update_creation": None}


def test_an_unknown_replica_is_an_error_that_names_near_ones() -> None:
    clock = Clock()
    store = Store(clock, edge01=0, fe01=0)
    with pytest.raises(Refused, match=r"replicas: there is no replica 'edgeo1' \(did you mean edge01\?\)"):
        work(params(replicas=["edgeo1"], push=True), store, False, clock)
    with pytest.raises(Refused, match=r"no replica 'x' \(the replicas are: edge01, fe01\)"):
        work(params(replicas=["x"]), store, False, clock)
    with pytest.raises(Refused, match="replicas: the list is empty"):
        work(params(replicas=[]), store, False, clock)
    assert store.pushed == []


@pytest.mark.parametrize("push", [False, True])
def test_one_that_never_has_it_ends_the_wait_at_its_limit(push: bool) -> None:
    clock = Clock()
    result = work(params(timeout=7, push=push), Store(clock, edge=1e9, fe=0), False, clock)
    assert clock.now == 7
    assert result.changed is push
    assert [failure.identity for failure in result.failures] == ["edge"]
    assert result.message.startswith("Get-CsManagementStoreReplicationStatus of edge failed: edge does not have the")


def test_pushing_alone_waits_for_nothing() -> None:
    clock = Clock()
    store = Store(clock, gone=5, edge=1e9)
    result = work(params(state="pushed"), store, False, clock)
    assert (result.changed, store.pushed, clock.slept) == (True, ["*"], [])
    assert result.values["replicas"] == [{"fqdn": "edge", "up_to_date": False, "last_update_creation": None}]


@pytest.mark.parametrize("push", [False, True])
def test_check_mode_pushes_nothing_and_does_not_wait(push: bool) -> None:
    clock = Clock()
    store = Store(clock, edge=9)
    result = work(params(push=push), store, True, clock)
    assert (result.changed, store.pushed, clock.slept) == (push, [], [])
    assert [step["result"] for step in result.steps or []] == ["planned"] * push


def test_a_store_that_can_no_longer_be_read_is_a_failure() -> None:
    class Lost(Store):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            return Answer(lost="reset") if self.pushed else super().invoke(statements)

    clock = Clock()
    result = work(params(push=True), Lost(clock, edge=0), False, clock)
    assert result.changed
    assert "pushed, but the replicas cannot be read" in result.message


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ReplicaFqdn": None}, "ReplicaFqdn of an object is missing or is not a string"),
        ({"ReplicaFqdn": "System.Collections.ArrayList"}, "ReplicaFqdn of an object is missing or is not a string"),
        ({"UpToDate": "True"}, "edge: UpToDate must be true or false, not 'True'"),
        ({"LastUpdateCreation": "yesterday"}, "LastUpdateCreation must be a time, not 'yesterday'"),
        ({"LastUpdateCreation": 5}, "LastUpdateCreation must be a time, not 5"),
    ],
)
def test_what_is_no_replica_is_an_error(change: dict[str, t.Any], told: str) -> None:
    item = {"ReplicaFqdn": "edge", "UpToDate": True, "LastUpdateCreation": None}
    assert replicas_of(Answer((item,))) == (replica("edge", None),)
    with pytest.raises(ServerRefused, match=told):
        replicas_of(Answer(({**item, **change},)))


def test_no_replica_and_no_answer_are_errors() -> None:
    clock = Clock()
    with pytest.raises(Refused, match="returned no replica"):
        wait(Store(clock), (), 1, clock)
    with pytest.raises(ServerRefused, match="denied"):
        replicas_of(Answer(errors=(ServerError("X", "", "", "denied"),)))
