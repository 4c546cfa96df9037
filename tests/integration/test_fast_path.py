# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules in Ansible's own process and as ordinary modules: one result, one session, the same refusals."""

from __future__ import annotations

import json
import re
import time
import typing as t
from pathlib import Path

import pytest

from lab.deployment.faults import Faults
from lab.deployment.seed import seed
from lab.deployment.store import Event
from tests.integration.plays import Plays, Run
from tests.integration.test_gateway_cert import wanted
from tests.integration.test_modules_in_plays import INFOS, MODULES, ROW, SECRETS, every_file, sessions, task
from tests.unit.certificates import PASSPHRASE, leaf

AS_MODULES = {"ANSIBLE_MANAGEMENT_SHELL_DIRECT": "false"}
# Ansible writes this line at -vvv whenever it runs a module in a process of its own.
A_MODULE_RAN = "Using module file"
READ: tuple[str, dict[str, t.Any]] = ("xmpp_federated_partner_info", {})

PARTNERS = {"partners": [{"domain": "ok.test", **ROW}, {"domain": "bad.test", **ROW}]}
WRONG: list[tuple[str, dict[str, t.Any]]] = [
    ("xmpp_federated_partners", {"partners": [{"domain": "*.x.test"}, {"domain": "y.test"}, {"domain": "Y.test"}]}),
    ("xmpp_federated_partners", {"partners": []}),
    ("xmpp_federated_partners", {"partners": [], "purge": True}),
    ("xmpp_federated_partners", {"partners": [{"domain": "x.test", "domains": ["y"]}]}),
    ("xmpp_federated_partner", {"domain": "x.test", "tls_negotiation": "maybe"}),
    ("xmpp_federated_partner", {"domain": "x.test", "connection_limit": "many"}),
    ("xmpp_federated_partner", {"domian": "x.test"}),
    ("xmpp_federated_partner", {}),
    ("xmpp_gateway_cert", {}),
    ("xmpp_gateway_configuration", {"connection_limit": -1, "dialback_passphrase": "s3cret-enough"}),
    ("access_edge_configuration", {"allow_federated_users": False}),
]


def fresh(plays: Plays) -> None:
    store = plays.lab.store()
    with store.transaction():
        store.clear()
        seed(store, plays.lab.profile)


def both(plays: Plays, playbook: list[dict[str, t.Any]], *arguments: str, faults: t.Any = None) -> tuple[Run, Run]:
    """The same playbook over the same deployment in both ways: directly, and as modules."""
    runs = []
    for environment in ({}, AS_MODULES):
        fresh(plays)
        if faults:
            faults(Faults(plays.lab.store()))
        runs.append(plays.run(playbook, *arguments, environment=environment))
        assert sessions(plays.lab.store().events()) == 1
        assert "Traceback" not in runs[-1].output
    direct, modules = runs
    assert (A_MODULE_RAN in direct.output) is False
    assert (A_MODULE_RAN in modules.output) is ("-vvv" in arguments)
    return direct, modules


def compared(run: Run) -> list[str]:
    """Results as text, so that types count. What Ansible finds out about Python before a module runs is left out, and
    of the measured times only the type counts. What a misspelt option holds is hidden by the fast path, and shown by
    Ansible's own.
    """
    found = []
    for one in run.tasks:
        result = {name: value for name, value in one.result.items() if name != "ansible_facts"}
        if "clock_ahead" in result:  # by a fraction of a second
            result["clock_ahead"] = abs(result["clock_ahead"]) < 5
        if one.state in ("failed", "ignored") and not result.keys() & {"reasons", "failures"}:
            result.pop("invocation", None)
        if "restarts" in result:
            result["restarts"] = {name: type(seconds).__name__ for name, seconds in result["restarts"].items()}
        result["warnings"] = [text for text in result.get("warnings", []) if "Python interpreter" not in text]
        found.append(json.dumps([one.state, one.host, one.task, result], sort_keys=True))
    return found


def assert_same(direct: Run, modules: Run) -> None:
    assert direct.code == modules.code, direct.output
    for one, other in zip(compared(direct), compared(modules), strict=True):
        assert _NAMES.sub("", one) == _NAMES.sub("", other)


# The ends of the names of the XMPP services, others in each lab.
_NAMES = re.compile(r"(?<=\w)-[0-9A-F]{4}(?=[\\\"])")


def test_every_module_returns_the_same_both_ways(plays: Plays) -> None:
    tasks = [
        task(module, arguments, "%s %s" % (module, turn), check_mode=turn == "check", diff=turn == "check")
        for module, arguments, _key in MODULES
        for turn in ("check", "do", "again")
    ]
    tasks += [task(module, {}, module) for module, _key in INFOS]
    direct, modules = both(plays, plays.tasks(tasks), "-vvv")
    assert direct.code == 0, direct.output
    assert_same(direct, modules)
    passphrase = direct.result("xmpp_gateway_configuration do")["invocation"]["module_args"]["dialback_passphrase"]
    assert passphrase == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_the_edges_modules_return_the_same_both_ways(plays: Plays) -> None:
    given = wanted(plays.directory, leaf())
    tasks = [
        task("xmpp_gateway_cert", given, "check", check_mode=True),
        task("xmpp_gateway_cert", given, "do", diff=True),
        task("xmpp_gateway_cert", given, "again"),
        task("xmpp_gateway_cert_info", {}, "info"),
        task("xmpp_server_info", {}, "server"),
    ]
    runs = []
    for environment in ({}, AS_MODULES):
        fresh(plays)
        runs.append(plays.run(plays.tasks(tasks, hosts="edge01"), "-vvv", environment=environment))
        assert runs[-1].code == 0, runs[-1].output
        assert PASSPHRASE not in runs[-1].output
        assert sessions(plays.lab.store().events(), "edge01") == 1
    assert [(A_MODULE_RAN in run.output) for run in runs] == [False, True]
    assert_same(*runs)
    assert runs[0].result("do")["changed"]
    assert runs[0].result("do")["restarts"]


def test_refusals_and_failures_are_the_same_both_ways(plays: Plays) -> None:
    def faults(lab: Faults) -> None:
        lab.add("New-CsXmppAllowedPartner", "bad.test", times=2, message="No.")
        lab.add("Get-CsXmppGatewayConfiguration", times=1, message="Not now.")

    tasks = [
        task(module, arguments, "%d %s" % (number, module), ignore_errors=True)
        for number, (module, arguments) in enumerate(
            [("xmpp_gateway_configuration_info", {}), *WRONG, ("xmpp_federated_partners", PARTNERS)]
        )
    ]
    direct, modules = both(plays, plays.tasks(tasks), "-vvv", faults=faults)
    assert direct.code == 0, direct.output
    assert_same(direct, modules)
    assert [one.state for one in direct.tasks].count("ignored") >= 10
    assert [step["result"] for step in direct.tasks[-1].result["steps"]] == ["done", "failed"]


def test_loops_delegation_run_once_until_and_defaults(plays: Plays) -> None:
    each = {"domain": "{{ item }}.test", **ROW}
    tasks = [
        task("xmpp_federated_partner", each, "loop", loop=["a", "b", "c"]),
        task("xmpp_gateway_cert_info", {}, "delegated", delegate_to="edge01", run_once=True),
        task(READ[0], READ[1], "until", register="read", until="read.partners | length > 9", retries=2, delay=0)
        | {"ignore_errors": True},
        task("xmpp_federated_partner", {"domain": "d.test"}, "defaults"),
        task(READ[0], READ[1], "hidden", no_log=True),
    ]
    defaults = {"group/sfb.xmpp.management": {}, "sfb.xmpp.xmpp_federated_partner": {**ROW, "connection_limit": 7}}
    runs, opened = [], []
    for environment in ({}, AS_MODULES):
        fresh(plays)
        runs.append(plays.run(plays.tasks(tasks, module_defaults=defaults), environment=environment))
        assert runs[-1].code == 0, runs[-1].output
        events = plays.lab.store().events()
        opened.append((sessions(events), sessions(events, "edge01")))
    assert opened[0] == (1, 1)
    assert_same(*runs)
    assert runs[0].result("defaults")["partner"]["connection_limit"] == 7
    assert runs[0].result("until")["attempts"] == 2


def closed(plays: Plays, number: int) -> list[Event]:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = [event for event in plays.lab.store().events() if event.kind == "session-close"]
        if len(found) == number:
            break
        time.sleep(0.1)
    return found


def test_ansible_ends_the_session_with_the_play(plays: Plays) -> None:
    """By itself, before the second play: not because the playbook's process is gone."""
    play = plays.tasks([task(*READ, "read")])
    wait = {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.pause": {"seconds": 3}}]}
    run = plays.run([*play, wait, *play])
    assert run.code == 0, run.output
    kinds = [event.kind for event in plays.lab.store().events() if event.host == "fe01"]
    assert kinds == ["session-open", "statement", "session-close"] * 2


def test_async_tasks_environment_and_the_switch_run_modules(plays: Plays) -> None:
    for keywords in (
        {"async": 60, "poll": 1},
        {"environment": {"LANG": "C"}},
        {"vars": {"ansible_management_shell_direct": False}},
    ):
        fresh(plays)
        run = plays.run(plays.tasks([task(*READ, "first"), task(*READ, "second", **keywords)]), "-vvv")
        assert run.code == 0, run.output
        assert A_MODULE_RAN in run.output
        assert run.result("second")["partners"] == run.result("first")["partners"] == []
        assert sessions(plays.lab.store().events()) == 1


def test_another_ansible_core_runs_modules(plays: Plays) -> None:
    """One whose function to start the daemon takes something else: Ansible itself goes on to call it."""
    environment = {"ANSIBLE_CALLBACKS_ENABLED": "recorder,other_core"}
    run = plays.run(plays.tasks([task(*READ, "first"), task(*READ, "second")]), "-vvv", environment=environment)
    assert run.code == 0, run.output
    assert run.output.count(A_MODULE_RAN) == 2
    assert sessions(plays.lab.store().events()) == 1


def test_two_hosts_that_would_share_a_session_are_told_apart(plays: Plays) -> None:
    content = plays.hosts()
    doors = content["sfb_management"]["hosts"]
    for number in (2, 3, 4):
        doors["fe0%d" % number] = {**doors["fe01"], "ansible_psrp_auth": "ntlm"}
    inventory = plays.write("shared.yml", content)
    read = [task(*READ, "first", throttle=1), *(task(*READ, "read %d" % number) for number in range(6))]
    run = plays.run(plays.tasks(read, hosts="fe01,fe02,fe03,fe04"), "-f", "4", "-vvv", inventory=inventory)
    assert A_MODULE_RAN not in run.output
    assert {one.host for one in run.failures()} == {"fe02", "fe03", "fe04"}
    for one in run.failures():
        assert "hosts 'fe01' and '%s' have the same address" % one.host in one.result["msg"]
        assert "differ in auth" in one.result["msg"]
    assert [event.kind for event in plays.lab.store().events()].count("statement") == 7


def test_become_and_the_command_timeout(plays: Plays) -> None:
    Faults(plays.lab.store()).add("New-CsXmppAllowedPartner", action="delay", seconds=5)
    one = {"domain": "a.test", **ROW}
    tasks = [
        task(*READ, "read"),
        task(*READ, "become", become=True, ignore_errors=True),
        task("xmpp_federated_partner", one, "slow", vars={"ansible_command_timeout": 2}, ignore_errors=True),
    ]
    begun = time.monotonic()
    run = plays.run(plays.tasks(tasks))
    assert time.monotonic() - begun < 200  # not ten minutes
    assert "become: false" in run.result("become")["msg"]
    assert "no end within 2 s (ansible_command_timeout)" in json.dumps(run.result("slow"))
    assert len(closed(plays, 2)) == 2


@pytest.mark.parametrize("failing", [False, True], ids=["well", "badly"])
def test_secrets_are_shown_nowhere_by_either_way(plays: Plays, failing: bool) -> None:
    if failing:
        Faults(plays.lab.store()).add("Set-CsXmppGatewayConfiguration", times=None, message="No.")
    secret = SECRETS["dialback passphrase"]
    arguments = {"dialback_passphrase": secret, "connection_limit": 77}
    log = plays.directory / "ansible.log"
    environment = {"ANSIBLE_LOG_PATH": str(log), "ANSIBLE_PERSISTENT_LOG_MESSAGES": "true"}
    tasks = [
        task("xmpp_gateway_configuration", arguments, "set", diff=True, ignore_errors=True),
        task("xmpp_gateway_configuration", {**arguments, "keep_alive_interval": secret}, "wrong", ignore_errors=True),
        task("xmpp_gateway_configuration_info", {}, "read"),
    ]
    run = plays.run(plays.tasks(tasks), "-vvvvv", environment=environment)
    assert run.code == 0, run.output
    assert A_MODULE_RAN not in run.output
    assert run.result("set")["changed"] is not failing
    assert "cannot be converted" in run.result("wrong")["msg"]
    ours = ("inventory.yml", "play1.yml")
    texts = [run.output, str(run.tasks), str(plays.lab.store().events())]
    texts += [
        content.decode(errors="replace") for path, content in every_file(Path(plays.directory)) if path.name not in ours
    ]
    for what, hidden in SECRETS.items():
        assert not any(hidden in text for text in texts), what
