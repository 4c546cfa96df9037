# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules in real Ansible runs: one session a play, the rhythm of every module, secrets nowhere."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from lab.deployment.faults import Faults
from lab.deployment.store import Event
from tests.integration.management import READS
from tests.integration.plays import Plays, Run

ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
XMPP = {"enable_federation_access": True, "enable_xmpp_access": True}
USERS = ["sip:ialmeida@contoso.test", "sip:mbell@contoso.test"]

# Every module that changes something, in an order in which each can work; (module, arguments, the key it returns)
MODULES: list[tuple[str, dict[str, t.Any], str]] = [
    ("external_access_policy", {"identity": "XMPP users", **XMPP}, "policy"),
    ("external_access_policies", {"policies": [{"identity": "site:Redmond", **XMPP}]}, "policies"),
    ("external_access_policy_grant", {"policy": "XMPP users", "users": USERS}, "grant"),
    ("xmpp_federated_partner", {"domain": "a.test", "connection_limit": 5, **ROW}, "partner"),
    (
        "xmpp_federated_partners",
        {"partners": [{"domain": "b.test", **ROW}], "purge": True, "removal_limit": 100},
        "partners",
    ),
    (
        "xmpp_gateway_configuration",
        {"keep_alive_interval": 100, "dialback_passphrase": "s3cret-enough"},
        "configuration",
    ),
    ("access_edge_configuration", {"allow_federated_users": True}, "configuration"),
]
INFOS = [
    ("external_access_policy_info", "policies"),
    ("xmpp_federated_partner_info", "partners"),
    ("xmpp_gateway_configuration_info", "configuration"),
    ("access_edge_configuration_info", "configuration"),
]


def task(module: str, arguments: dict[str, t.Any], name: str, **more: t.Any) -> dict[str, t.Any]:
    return {"name": name, "sfb.xmpp." + module: arguments, **more}


def written(events: t.Sequence[Event]) -> list[str]:
    return [e.cmdlet for e in events if e.kind == "statement" and not e.cmdlet.startswith(READS)]


def sessions(events: t.Sequence[Event], host: str = "fe01") -> int:
    return sum(e.kind == "session-open" and e.host == host for e in events)


def test_every_module_checks_does_and_repeats_over_one_session(plays: Plays) -> None:
    store = plays.lab.store()
    tasks = [
        task(module, arguments, "%s %s" % (module, turn), check_mode=turn == "check", diff=True)
        for module, arguments, _key in MODULES
        for turn in ("check", "do", "again")
    ]
    run = plays.run(plays.tasks([*tasks, *(task(module, {}, module) for module, _key in INFOS)]))
    assert run.code == 0, run.output
    for module, _arguments, key in MODULES:
        planned, done, again = (run.result("%s %s" % (module, turn)) for turn in ("check", "do", "again"))
        assert planned["changed"], module
        assert done["changed"], module
        assert not again["changed"], module
        assert again["steps"] == []
        assert planned[key] == done[key] == again[key]
        assert planned["diff"] == done["diff"]
        assert [{**step, "result": "done"} for step in planned["steps"]] == done["steps"]
    sent = [step["cmdlet"] for m, _arguments, _key in MODULES for step in run.result(m + " do")["steps"]]
    assert written(store.events()) == sent, "check mode and the second turn wrote nothing"
    assert sessions(store.events()) == 1
    assert [e.kind for e in store.events()][-1] == "session-close"
    for module, key in INFOS:
        assert not run.result(module)["changed"]
        assert run.result(module)[key]
    assert "s3cret" not in run.output
    assert "Traceback" not in run.output
    assert "[DEPRECATION" not in run.output


@pytest.mark.nightly
def test_fifteen_tasks_a_pause_and_a_slow_cmdlet_share_one_session(plays: Plays) -> None:
    """A minute of silence between two tasks, and a cmdlet of 45 seconds: Ansible's own limits are 30."""
    store = plays.lab.store()
    Faults(store).add("Get-CsXmppAllowedPartner", action="delay", seconds=45, skip=7)
    reads = [task("xmpp_federated_partner_info", {}, "read %d" % number) for number in range(14)]
    pause = {"name": "pause", "ansible.builtin.pause": {"seconds": 60}}
    run = plays.run(plays.tasks([*reads[:4], pause, *reads[4:]]))
    assert run.code == 0, run.output
    events = [event for event in store.events() if event.host == "fe01"]
    assert [event.kind for event in events] == ["session-open", *["statement"] * 14, "session-close"]
    assert max(event.seconds for event in events) >= 45


def test_errors_say_what_is_wrong_and_where(plays: Plays) -> None:
    store = plays.lab.store()
    Faults(store).add("New-CsXmppAllowedPartner", "bad.test", times=2, message="No.")
    lists = {"partners": [{"domain": "ok.test", **ROW}, {"domain": "bad.test", **ROW}]}
    tasks = [
        task("xmpp_federated_partners", {"partners": [{"domain": "*.x.test"}]}, "wildcard", ignore_errors=True),
        task(
            "xmpp_federated_partners",
            {"partners": [{"domain": "x.test"}, {"domain": "X.test."}]},
            "twice",
            ignore_errors=True,
        ),
        task("xmpp_federated_partner", {"domain": "x.test", "tls_negotiation": "maybe"}, "choice", ignore_errors=True),
        task("xmpp_federated_partners", lists, "server says no", ignore_errors=True),
        task("xmpp_federated_partners", lists, "rerun"),
    ]
    run = plays.run(plays.tasks(tasks))
    assert run.code == 0, run.output
    assert "partners[0]: domain '*.x.test' is a wildcard" in run.result("wildcard")["msg"]
    assert "partners[0] and partners[1] are both 'x.test'" in run.result("twice")["msg"]
    assert "value of tls_negotiation must be one of" in run.result("choice")["msg"]
    failed = run.result("server says no")
    assert (
        failed["msg"] == "New-CsXmppAllowedPartner of bad.test failed: No. (InvalidOperation)" or "No." in failed["msg"]
    )
    assert failed["changed"]
    assert [step["result"] for step in failed["steps"]] == ["done", "failed"]
    assert failed["failures"][0]["identity"] == "bad.test"
    assert [s["identity"] for s in run.result("rerun")["steps"]] == ["bad.test"]


def test_without_the_connection_the_remedy_is_named(plays: Plays) -> None:
    run = plays.run(
        [{"hosts": "localhost", "gather_facts": False, "tasks": [task("xmpp_federated_partner_info", {}, "local")]}]
    )
    assert "sfb.xmpp.management_shell" in run.result("local")["msg"]


SECRETS = {
    "password": "Lab-admin-1",
    "edge password": "Lab-edge-1",
    "dialback passphrase": "v3ry-unusual-dialback-words",
}


def every_file(directory: Path) -> t.Iterator[tuple[Path, bytes]]:
    for path in directory.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


@pytest.mark.parametrize("failing", [False, True], ids=["well", "badly"])
def test_secrets_are_in_no_output_and_no_log(plays: Plays, failing: bool) -> None:
    log = plays.directory / "ansible.log"
    if failing:
        Faults(plays.lab.store()).add("Set-CsXmppGatewayConfiguration", times=None, message="No.")
    arguments = {"dialback_passphrase": SECRETS["dialback passphrase"], "connection_limit": 77}
    tasks = [
        task("xmpp_gateway_configuration", arguments, "plan", check_mode=True, diff=True),
        task("xmpp_gateway_configuration", arguments, "set", diff=True, ignore_errors=True),
        task("xmpp_gateway_configuration_info", {}, "read"),
    ]
    playbook = plays.tasks(tasks)
    run: Run = plays.run(
        playbook,
        "-vvvvv",
        "--diff",
        environment={
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_PERSISTENT_LOG_MESSAGES": "true",
            "ANSIBLE_DEBUG": "false",
        },
    )
    assert run.code == 0, run.output
    assert run.result("set")["changed"] is not failing
    assert log.stat().st_size > 1000
    for what, secret in SECRETS.items():
        assert secret not in run.output, what
        assert secret not in str(run.tasks), what
        assert secret not in str(plays.lab.store().events()), what
        for path, content in every_file(plays.directory):
            if path.name in ("inventory.yml", "play1.yml"):
                continue  # what the test itself wrote
            assert secret.encode() not in content, (what, path)
