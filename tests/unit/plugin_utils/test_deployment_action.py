# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host of a deployment does the work, as its hosts find out from each other's files."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
import typing as t
from pathlib import Path

import pytest
from ansible import constants
from ansible_collections.sfb.xmpp.plugins.module_utils._base.inside_task import TASK
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions import deployment as _deployment_action
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.deployment import (
    DeploymentAction,
    Inventory,
    Turn,
    TurnError,
    key_of,
)

TOP = Path(__file__).parents[3]
HOSTVARS: dict[str, dict[str, t.Any]] = {
    "a1": {"sfb_xmpp_deployment": "a"},
    "b1": {"sfb_xmpp_deployment": "b"},
    "a2": {"sfb_xmpp_deployment": "a"},
    "a3": {"sfb_xmpp_deployment": "a"},
}


def inventory(own: str, **variables: t.Any) -> Inventory:
    groups = {"sfb_management": list(HOSTVARS)}
    return Inventory({"hostvars": HOSTVARS, "groups": groups, "inventory_hostname": own, **variables})


def turn(directory: Path, own: str, **variables: t.Any) -> Turn:
    return Turn(str(directory / "task"), inventory(own, **variables))


def test_hosts_of_the_deployment_in_the_order_of_the_inventory() -> None:
    assert inventory("a3").hosts == ["a1", "a2", "a3"]
    assert inventory("b1").hosts == ["b1"]
    assert inventory("b1").several
    assert inventory("a3", ansible_play_hosts_all=["a3", "a2"]).hosts == ["a2", "a3"]


def test_the_first_begins_at_once_and_the_others_wait_for_what_it_says(tmp_path: Path) -> None:
    first, second, third = (turn(tmp_path, host) for host in ("a1", "a2", "a3"))
    assert first.wait() == []
    said: dict[str, list[str] | None] = {}
    threads = [
        threading.Thread(target=lambda host=host, waits=waits: said.update({host: waits.wait()}))
        for host, waits in (("a2", second), ("a3", third))
    ]
    for thread in threads:
        thread.start()
    first.end(["a1: no route"])
    threads[0].join(10)
    assert said == {"a2": ["a1: no route"]}, "the third goes on waiting for the second"
    second.end(None)
    threads[1].join(10)
    assert said["a3"] is None


def test_a_host_that_has_left_the_play_is_not_waited_for(tmp_path: Path) -> None:
    assert turn(tmp_path, "a3", ansible_play_hosts=["a3", "b1"]).wait() == []
    # But what it said of this task counts, also if it has failed in the meantime.
    turn(tmp_path, "a1").end(None)
    assert turn(tmp_path, "a2", ansible_play_hosts=["a2", "a3"]).wait() is None
    assert turn(tmp_path, "a3", ansible_play_hosts=["a3"]).wait() is None


def test_where_the_hosts_after_it_have_left_a_host_is_the_last(tmp_path: Path) -> None:
    assert [turn(tmp_path, host).last for host in ("a1", "a2", "a3")] == [False, False, True]
    assert turn(tmp_path, "a1", ansible_play_hosts=["a1", "b1"]).last


def test_a_host_whose_process_never_begins_is_passed_over_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_deployment_action, "BEGINS", 0.2)
    last = turn(tmp_path, "a3")
    second = turn(tmp_path, "a2")
    assert second.wait() == ["a1: its process failed before it could connect"]
    # The one that comes too late does nothing, in each item of a loop.
    for _item in range(2):
        assert turn(tmp_path, "a1").wait() is None
    second.end(["a1: its process failed", "a2: no route"])
    assert last.wait() == ["a1: its process failed", "a2: no route"]
    assert turn(tmp_path, "a2").wait() == ["a1: its process failed before it could connect"], "the next item"


def test_a_middle_host_whose_process_never_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_deployment_action, "BEGINS", 0.2)
    first, last = turn(tmp_path, "a1"), turn(tmp_path, "a3")
    assert first.wait() == []
    first.end(["a1: no route"])
    assert last.wait() == ["a1: no route", "a2: its process failed before it could connect"]
    assert turn(tmp_path, "a2").wait() is None


@pytest.mark.slow
def test_a_host_at_work_is_waited_for_as_long_as_its_process_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_deployment_action, "BEGINS", 0.2)
    code = (
        "import sys; sys.path.insert(0, %r)\n"
        "from pathlib import Path\n"
        "from tests.unit.plugin_utils.test_deployment_action import turn\n"
        "turn(Path(sys.argv[1]), 'a1').wait(); print('begun', flush=True); sys.stdin.read()\n" % str(TOP)
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as working:
        assert working.stdout is not None
        assert working.stdout.readline() == "begun\n"
        found: list[str] = []

        def wait() -> None:
            try:
                turn(tmp_path, "a2").wait()
            except TurnError as exc:
                found.append(str(exc))

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        assert found == []
        working.kill()
        thread.join(10)
    assert found == ["the process of a1 ended during the work; nothing is known of what it wrote. Run again"]


def test_no_wait_is_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert turn(tmp_path, "a1").wait() == []
    monkeypatch.setattr(_deployment_action, "_AT_MOST", 0.2)
    with pytest.raises(TurnError, match="a1 has been at work for"):
        turn(tmp_path, "a2").wait()


def test_deployments_do_not_wait_for_each_other(tmp_path: Path) -> None:
    assert turn(tmp_path, "b1").wait() == []
    assert turn(tmp_path, "b1").last


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
    """An action whose server does not answer."""

    work_of = TASK

    def _mistakes(self, variables: dict[str, t.Any]) -> list[str]:
        return []

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        return {"failed": True, "unanswered": True, "msg": "no route"}


@pytest.mark.parametrize(
    ("own", "variables", "run_once", "skipped"),
    [
        ("a1", {"xmpp_federation_role": "federation"}, False, True),
        ("a1", {"xmpp_federation_playbook": "converge"}, False, True),
        # Nobody goes on after the only host of a task.
        ("a1", {"xmpp_federation_role": "federation"}, True, False),
        # A module of a user's own task, and a host of no group.
        ("a1", {}, False, False),
        ("elsewhere", {"xmpp_federation_role": "federation"}, False, False),
    ],
)
def test_who_goes_on_where_a_host_does_not_answer(
    own: str,
    variables: dict[str, t.Any],
    run_once: bool,
    skipped: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    action = object.__new__(Working)
    action._task = task("1")
    action._task.run_once = run_once
    action._templar = t.cast(t.Any, types.SimpleNamespace(template=lambda value: value))
    groups = {"sfb_management": list(HOSTVARS)}
    found = action.run(
        None,
        {
            "hostvars": {**HOSTVARS, own: HOSTVARS.get(own, {})},
            "groups": groups,
            "inventory_hostname": own,
            **variables,
        },
    )
    assert (found.get("skipped", False), found.get("failed", False)) == (skipped, not skipped)


def test_a_host_of_no_group_has_the_label_that_it_says() -> None:
    found = inventory("elsewhere", sfb_xmpp_deployment="contoso")
    assert (found.deployment, found.own in found.hosts) == ("contoso", False)
