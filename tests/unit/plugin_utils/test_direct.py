# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tasks run directly, what a result is made of, and that an unforeseen error shows no secret."""

from __future__ import annotations

import datetime
import importlib
import typing as t
from pathlib import Path

import pytest
from ansible.cli.scripts.ansible_connection_cli_stub import ConnectionProcess
from ansible.executor import task_executor
from ansible.module_utils.connection import ConnectionError as RpcError
from ansible.plugins.connection import ssh
from ansible_collections.sfb.xmpp.plugins.module_utils._base import perform as _perform
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions import daemon as forked
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions import in_process as _direct
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.plain_values import plain

from tests.unit.plugin_utils.test_management_shell import daemon, plugin, worker

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
INFO = "sfb.xmpp.external_access_policy_info"


def directly(**keys: t.Any) -> bool:
    connection = plugin()
    variables = keys.pop("variables", {})
    connection.set_options(task_keys={"action": INFO, **keys}, var_options={"inventory_hostname": "fe01", **variables})
    return not connection.force_persistence


def test_a_misspelt_option_does_not_show_what_it_holds() -> None:
    spec = {
        "name": {"type": "str", "aliases": ["title"]},
        "passphrase": {"type": "str", "no_log": True},
        "source": {"type": "dict", "options": {"path": {"type": "str"}}},
        "partners": {"type": "list", "elements": "dict", "options": {"domain": {"type": "str"}}},
    }
    given = {
        "title": "x", "pasphrase": "hush", "passphrase": "hush", "source": {"path": "p", "pasphrase": "hush"},
        "partners": [{"domain": "a", "secret": "hush"}, "hush"],
    }  # fmt: skip
    hidden = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert _direct._without_unknown(spec, given) == {
        "title": "x", "pasphrase": hidden, "passphrase": hidden, "source": {"path": "p", "pasphrase": hidden},
        "partners": [{"domain": "a", "secret": hidden}, hidden],
    }  # fmt: skip


def test_every_module_has_an_action_with_its_task() -> None:
    there = "ansible_collections.sfb.xmpp.plugins."
    tasks = {name: importlib.import_module(there + "modules." + name).TASK for name in MODULES}
    actions = sorted(path.stem for path in (PLUGINS / "action").glob("*.py"))
    assert actions == MODULES
    for name in actions:
        action = importlib.import_module(there + "action." + name).ActionModule
        assert action.work_of is tasks[name]
        assert issubclass(action, _direct.DirectAction)


def test_this_ansible_core_has_what_is_needed() -> None:
    assert _direct.possible()
    assert directly()


@pytest.mark.parametrize(
    "keys",
    [
        {"action": "external_access_policy_info"},
        {"action": "ansible.builtin.ping"},
        {"async_val": 10},
        {"environment": [{"A": "b"}]},
        {"variables": {"ansible_management_shell_direct": False}},
    ],
)
def test_other_tasks_take_the_ordinary_path(keys: dict[str, t.Any]) -> None:
    assert not directly(**keys)
    assert directly(async_val=0, environment=[])


def test_without_an_internal_all_tasks_take_the_ordinary_path(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(task_executor, "start_connection")
        assert not directly()
    with monkeypatch.context() as patch:
        patch.setattr(task_executor, "start_connection", lambda play_context, options: "")
        assert not directly()
    with monkeypatch.context() as patch:
        patch.delattr(ssh.Connection, "_create_control_path")
        assert not _direct.possible()


def test_without_the_class_of_its_process_ansible_starts_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    assert forked.can_fork()
    with monkeypatch.context() as patch:
        patch.setattr(ConnectionProcess, "start", lambda self, options, more: None)
        assert not forked.can_fork()
    with monkeypatch.context() as patch:
        patch.delattr(ConnectionProcess, "run")
        assert not forked.can_fork()


def test_the_daemon_tells_hosts_apart_in_one_call() -> None:
    """Also when Ansible's own two calls for another host lie around it."""
    connection = daemon(ansible_psrp_path="OcsPowershell")
    other = worker(inventory_hostname="edge01", ansible_psrp_path="wsman").get_options()
    with pytest.raises(RpcError, match="host 'edge01' is refused"):
        connection.adopt(plain(other))
    connection.set_options(direct=other)
    connection.queue_message("vvv", "hello")
    assert connection.adopt(plain(worker(ansible_psrp_path="OcsPowershell").get_options())) == [("vvv", "hello")]
    with pytest.raises(RpcError, match="host 'edge01' is refused"):
        connection.update_play_context("")


class Tagged(str):
    """Stands for the tagged values of ansible-core."""


def test_what_json_would_make_of_values() -> None:
    value = {Tagged("a"): [Tagged("b"), (1, None)], "when": datetime.date(2026, 1, 2), "set": {True}}
    made = plain(value)
    assert made == {"a": ["b", [1, None]], "when": "2026-01-02", "set": [True]}
    assert {text.__class__ for text in (*made, made["a"][0])} == {str}


def test_an_unforeseen_error_says_where_and_not_what() -> None:
    secret = "hush-hush"

    def work(params: t.Any, shell: t.Any, check: bool) -> Result:
        raise KeyError(secret)

    result, warnings = _perform.perform(Task({}, work), {}, "/nowhere", False)
    assert warnings == []
    assert result["failed"]
    assert "KeyError in test_direct.py:" in result["msg"]
    assert secret not in str(result)
