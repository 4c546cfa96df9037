# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host of a deployment does the work, as it follows from what the run learned when it connected."""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

import pytest
from ansible import constants
from ansible_collections.sfb.xmpp.plugins.module_utils._base.inside_task import TASK
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.deployment import (
    DeploymentAction,
    Inventory,
    Result,
    key_of,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.connected import BY_ROLE, CONNECTED, Connected

HOSTVARS: dict[str, dict[str, t.Any]] = {
    "a1": {"sfb_xmpp_deployment": "a"},
    "b1": {"sfb_xmpp_deployment": "b"},
    "a2": {"sfb_xmpp_deployment": "a"},
    "a3": {"sfb_xmpp_deployment": "a"},
}


def inventory(own: str, **variables: t.Any) -> Inventory:
    groups = {"sfb_management": list(HOSTVARS)}
    return Inventory({"hostvars": HOSTVARS, "groups": groups, "inventory_hostname": own, **variables})


def test_hosts_of_the_deployment_in_the_order_of_the_inventory() -> None:
    assert inventory("a3").hosts == ["a1", "a2", "a3"]
    assert inventory("b1").hosts == ["b1"]
    assert inventory("b1").several
    assert inventory("a3", ansible_play_hosts_all=["a3", "a2"]).hosts == ["a2", "a3"]


def task(uuid: str, parent: t.Any = None, static: bool = False, **keys: t.Any) -> t.Any:
    """As Ansible has tasks and includes."""
    return types.SimpleNamespace(
        _uuid=uuid, statically_loaded=static, get_first_parent_include=lambda: parent, get_path=lambda: "main.yml:8",
        run_once=False, **keys,
    )  # fmt: skip


def test_what_is_included_for_each_host_by_itself_has_one_key() -> None:
    assert key_of(task("1")) == "1"
    assert key_of(task("1", task("role", static=True))) == "1", "a static import has the numbers of the play"
    include = task("include")
    keys = {key_of(task(uuid, task("role", include, static=True))) for uuid in ("of-host-a", "of-host-b")}
    assert len(keys) == 1
    assert keys != {key_of(task("of-host-a", task("another include")))}


class Working(DeploymentAction):
    """An action that says that it works. lost: whether its server no longer answers."""

    work_of = TASK
    lost = False

    def _mistakes(self, variables: dict[str, t.Any]) -> list[str]:
        return []

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        return {"failed": True, "unanswered": True, "msg": "no route"} if self.lost else {"worked": True}


Reached = t.Mapping[str, bool]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Result]:
    """Run the task on a host. reached: which hosts the play has connected to, and whether they answered."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))

    def of(own: str, reached: Reached, lost: bool = False, run_once: bool = False, **variables: t.Any) -> Result:
        action = object.__new__(Working)
        action.lost = lost
        action._task, action._templar = task("1"), types.SimpleNamespace(template=lambda value: value)  # type: ignore[assignment]
        action._task.run_once = run_once
        action._connection = t.cast(t.Any, object())
        given = {host: dict(HOSTVARS.get(host, {})) for host in {*HOSTVARS, own}}
        for host, answered in reached.items():
            one = Connected(host, answered, "" if answered else "no route")
            given[host].update(dict.fromkeys((CONNECTED, BY_ROLE), one.as_dict()))
        groups = {"sfb_management": list(HOSTVARS)}
        role = {} if "xmpp_federation_playbook" in variables else {"xmpp_federation_role": "federation"}
        return action.run(None, {"hostvars": given, "groups": groups, "inventory_hostname": own, **role, **variables})

    return of


def of_all(run: t.Callable[..., Result], reached: Reached, order: str = "a1 a2 a3", **variables: t.Any) -> list[str]:
    """What each door came to, in the order in which they come to the task."""
    found = []
    for own in order.split():
        result = run(own, reached, **variables)
        found.append(own if result.get("worked") else "failed" if result.get("failed") else "")
        assert bool(result.get("skipped")) is (found[-1] == "")
    return found


def test_the_first_that_answered_works_whoever_comes_first(run: t.Callable[..., Result]) -> None:
    reached = {"a1": False, "a2": True, "a3": True}
    assert of_all(run, reached, "a3 a2 a1") == ["", "a2", ""]


def test_where_nobody_answered_one_of_them_fails_with_the_reasons_of_all(run: t.Callable[..., Result]) -> None:
    reached = dict.fromkeys(("a1", "a2", "a3"), False)
    first = run("a2", reached)
    assert first["msg"] == (
        "Nothing was written: no host of the deployment answers. a1: no route; a2: no route; a3: no route"
    )
    assert of_all(run, reached, "a1 a3") == ["", ""]
    assert run("b1", {"b1": False})["msg"] == "no route", "another deployment"


@pytest.mark.parametrize(
    ("seen", "worked"),
    [
        # Each line: who comes to the task, and what the play knows then. First ``serial: 1``.
        ([("a1", {"a1": True}), ("a2", {"a1": True, "a2": True})], ["a1", ""]),
        ([("a1", {"a1": False}), ("a2", {"a1": False, "a2": True})], ["", "a2"]),
        ([("a1", {"a1": False}), ("a2", {"a1": False, "a2": False})], ["", "failed"]),
        # The strategy ``free``.
        ([("a2", {"a2": True}), ("a1", {"a1": True, "a2": True})], ["a2", ""]),
        ([("a2", {"a2": False}), ("a1", {"a1": True, "a2": False})], ["", "a1"]),
        ([("a2", {"a2": False}), ("a1", {"a1": False, "a2": False})], ["", "failed"]),
    ],
)
def test_in_a_play_of_ones_own_doors_come_later(
    seen: list[tuple[str, Reached]], worked: list[str], run: t.Callable[..., Result]
) -> None:
    of_play = {"ansible_play_hosts_all": ["a1", "a2"], "ansible_play_hosts": ["a1", "a2"]}
    assert [of_all(run, reached, own, **of_play)[0] for own, reached in seen] == worked


def test_a_loop_comes_again(run: t.Callable[..., Result]) -> None:
    assert of_all(run, {"a1": True, "a2": True, "a3": True}, "a1 a1 a2") == ["a1", "a1", ""]


def test_nobody_is_waited_for_who_does_not_come(run: t.Callable[..., Result]) -> None:
    """With run_once no other host is asked. A door may have left the play."""
    assert run("b1", {"b1": False}, run_once=True)["failed"]
    assert run("a2", {"a2": False}, ansible_play_hosts=["a2"])["failed"]


def test_without_the_rule_each_host_does_its_own(run: t.Callable[..., Result]) -> None:
    assert run("elsewhere", {})["worked"]
    assert run("a2", {}, xmpp_federation_role="")["worked"]


def test_a_door_that_is_lost_says_to_run_again(run: t.Callable[..., Result]) -> None:
    result = run("a1", {"a1": True, "a2": True}, lost=True, xmpp_federation_playbook="converge")
    assert result["failed"]
    assert "no route." in result["msg"]
    assert "Run again" in result["msg"]
    assert run("a2", {"a1": True, "a2": True}, xmpp_federation_playbook="converge")["skipped"]


def test_a_host_of_no_group_has_the_label_that_it_says() -> None:
    found = inventory("elsewhere", sfb_xmpp_deployment="contoso")
    assert (found.deployment, found.own in found.hosts) == ("contoso", False)
