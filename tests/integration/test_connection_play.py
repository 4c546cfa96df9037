# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection plugin in real playbook runs: one session per play, and everything that could break that."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from lab.deployment.faults import Faults
from lab.deployment.store import Event
from lab.testing import Lab
from tests.integration.plays import CHECKOUT, TOOLS, Plays

PASSWORD = "Lab-admin-1"

READ = {"session_probe": {"cmdlet": "Get-CsXmppAllowedPartner"}}
Task = dict[str, t.Any]


def write(domain: str) -> Task:
    return {"session_probe": {"cmdlet": "New-CsXmppAllowedPartner", "parameters": {"Identity": domain}}}


class Controller(Plays):
    """Plays of numbered tasks: what the first returned is ``r0`` of the results, and so on."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        content = self.hosts()
        self.management = content["sfb_management"]["vars"]
        self.doors: dict[str, dict[str, t.Any]] = content["sfb_management"]["hosts"]
        self.content = content

    def numbered(self, tasks: list[Task], hosts: str = "fe01", **keywords: t.Any) -> list[dict[str, t.Any]]:
        """The playbook, with the inventory as it stands now."""
        self.write("inventory.yml", self.content)
        return self.tasks([{"name": "r%d" % number, **task} for number, task in enumerate(tasks)], hosts, **keywords)

    def play(self, tasks: list[Task], *arguments: str, code: int = 0, **more: t.Any) -> tuple[str, dict[str, t.Any]]:
        """Run a play. Returns what it printed, and what its tasks returned (on the last host, if there are several)."""
        environment = more.pop("environment", None)
        run = self.run(self.numbered(tasks, **more), *arguments, environment=environment)
        assert run.code == code, run.output
        return run.output, {task.task: task.result for task in run.tasks}

    def events(self, kind: str, host: str = "") -> list[Event]:
        return [e for e in self.lab.store().events() if e.kind == kind and host in ("", e.host)]

    def statements(self) -> list[str]:
        return [event.cmdlet for event in self.events("statement")]

    def closed(self, number: int) -> bool:
        """Whether so many sessions were closed, at the latest in a few seconds."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if len(self.events("session-close")) == number:
                return True
            time.sleep(0.2)
        return False


@pytest.fixture
def controller(fresh_lab: Lab) -> t.Iterator[Controller]:
    runner = Controller(fresh_lab)
    yield runner
    runner.close()


def test_one_session_serves_tasks_loops_async_and_delegation(controller: Controller) -> None:
    _text, results = controller.play(
        [
            write("a.example"),
            {**write("{{ item }}.example"), "loop": ["b", "c", "d"]},
            {**READ, "async": 60, "poll": 1},
            {"session_probe": {"cmdlet": "Get-CsCertificate"}, "delegate_to": "edge01"},
            {**READ, "check_mode": True},
            {**write("never.example"), "check_mode": True},
            READ,
        ]
    )
    assert len(results["r6"]["output"]) == len(results["r2"]["output"]) == 4
    assert results["r3"]["output"][0]["Use"]
    assert results["r5"]["skipped_write"]
    assert sorted(controller.lab.store().partners()) == ["a.example", "b.example", "c.example", "d.example"]
    assert len(controller.events("session-open", "fe01")) == 1
    assert len(controller.events("session-open", "edge01")) == 1
    # Also that of the host which was only delegated to, which Ansible itself would leave behind.
    assert controller.closed(2)


def test_a_whole_run_in_check_mode_and_a_session_after_reset(controller: Controller) -> None:
    _text, results = controller.play([READ, write("a.example"), {"meta": "reset_connection"}, READ], "--check")
    assert results["r1"]["skipped_write"]
    assert controller.statements() == ["Get-CsXmppAllowedPartner"] * 2
    assert len(controller.events("session-open")) == 2
    assert controller.closed(2)


REFUSED: list[Task] = [
    {"ansible.builtin.raw": "id"},
    {"ansible.builtin.command": "id"},
    {"ansible.builtin.setup": {}},
    {"ansible.builtin.copy": {"content": "x", "dest": "/nowhere/x"}},
    {"ansible.builtin.fetch": {"src": "/nowhere/x", "dest": "/nowhere/y"}},
]


def test_refusals_name_the_remedy(controller: Controller) -> None:
    become = {**READ, "become": True}
    text, results = controller.play([{**task, "ignore_errors": True} for task in [*REFUSED, become]])
    assert "ignored=%d" % (len(REFUSED) + 1) in text
    for number, task in enumerate(REFUSED):
        result = results["r%d" % number]
        assert "ansible_connection: ansible.builtin.psrp" in result["msg"]
        assert "'%s'" % next(iter(task)) in result["msg"]
    assert "become: false" in results["r%d" % len(REFUSED)]["msg"]
    assert controller.events("session-open") == []


# Those that work on the controller do so over any connection.
WITHOUT_SESSION = {
    "xmpp_access", "xmpp_affected_services", "xmpp_audit", "xmpp_capture", "xmpp_connect", "xmpp_decommission",
    "xmpp_edge_certificate", "xmpp_export", "xmpp_failover", "xmpp_history", "xmpp_import", "xmpp_migration_report",
    "xmpp_onboarding", "xmpp_partner_probe_info", "xmpp_rehearse", "xmpp_run_summary", "xmpp_settings", "xmpp_show",
    "xmpp_verification",
}  # fmt: skip
ACTIONS = sorted({path.stem for path in (CHECKOUT / "plugins" / "action").glob("*.py")} - WITHOUT_SESSION)


@pytest.mark.parametrize("connection", ["ansible.builtin.local", "ansible.builtin.ssh", "ansible.builtin.psrp", ""])
def test_modules_over_another_connection_say_what_to_set(controller: Controller, connection: str) -> None:
    given = {"xmpp_partner_revocation": {"domain": "a.test"}}
    tasks = [{"sfb.xmpp.%s" % name: given.get(name, {}), "ignore_errors": True} for name in ACTIONS]
    playbook = controller.numbered(tasks)
    playbook[0]["vars"] = {"ansible_connection": connection} if connection else {}
    run = controller.run(playbook)
    assert run.code == 0, run.output
    for name, task in zip(ACTIONS, run.tasks, strict=True):
        assert task.result["msg"].startswith("sfb.xmpp.%s works over the connection sfb.xmpp.management_shell" % name)
        assert "not over %s. Set 'ansible_connection: " % (connection.rpartition(".")[2] or "ssh") in task.result["msg"]
    assert controller.events("session-open") == []


def test_an_ad_hoc_call_says_what_to_set_and_then_works(controller: Controller) -> None:
    controller.numbered([])
    command = [str(TOOLS / "ansible"), "-i", str(controller.inventory), "fe01"]
    command += ["-m", "sfb.xmpp.xmpp_federated_partner_info"]
    texts = []
    for more in ([], ["-e", "ansible_connection=sfb.xmpp.management_shell"]):
        done = subprocess.run(
            [*command, *more],
            cwd=CHECKOUT,
            env=controller.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        texts.append(done.stdout + done.stderr)
    assert "add -e ansible_connection=sfb.xmpp.management_shell" in texts[0]
    assert '"partners": []' in texts[1]


@pytest.mark.parametrize("direct", ["true", "false"])
def test_a_certificate_that_is_not_checked_is_a_warning_in_the_output(controller: Controller, direct: str) -> None:
    controller.management["ansible_psrp_cert_validation"] = "ignore"
    info: Task = {"sfb.xmpp.xmpp_federated_partner_info": {}}
    text, _results = controller.play([info, info, READ], environment={"ANSIBLE_MANAGEMENT_SHELL_DIRECT": direct})
    flat = " ".join(text.replace("[WARNING]:", "").split())
    assert flat.count("host 'fe01': the server's certificate is not checked") == 1
    assert "Set ansible_psrp_ca_cert to the PEM file" in flat


def test_a_host_that_would_share_anothers_session_is_refused_by_name(controller: Controller) -> None:
    controller.doors["fe02"] = {**controller.doors["fe01"], "ansible_psrp_auth": "ntlm"}
    text, _results = controller.play([{**READ, "throttle": 1}, READ], hosts="fe01,fe02", code=2)
    assert "hosts 'fe01' and 'fe02' have the same address, port, path and user" in text
    assert "differ in auth, so host 'fe02' is refused" in text
    assert "fe01                       : ok=2" in text


def test_the_same_host_with_other_settings_gets_a_session_of_its_own(controller: Controller) -> None:
    other = {"ansible_psrp_auth": "ntlm"}
    _text, results = controller.play([READ, {**READ, "vars": other}, READ])
    assert all(results[name]["output"] == [] for name in ("r0", "r1", "r2"))
    assert len(controller.events("session-open")) == 3


def test_a_lost_write_is_reported_and_the_next_task_has_a_new_session(controller: Controller) -> None:
    Faults(controller.lab.store()).add("New-CsXmppAllowedPartner", action="cut", when="after")
    _text, results = controller.play([write("a.example"), READ])
    assert "was lost" in results["r0"]["lost"]
    assert len(results["r1"]["output"]) == 1
    assert controller.statements().count("New-CsXmppAllowedPartner") == 1
    assert len(controller.events("session-open")) == 2


def test_the_command_timeout_gives_up_the_session_not_the_play(controller: Controller) -> None:
    Faults(controller.lab.store()).add("New-CsXmppAllowedPartner", action="delay", seconds=5)
    _text, results = controller.play([{**write("a.example"), "vars": {"ansible_command_timeout": 2}}, READ])
    assert "not finished within 2 s (ansible_command_timeout)" in results["r0"]["lost"]
    assert results["r1"]["lost"] == ""
    assert len(controller.events("session-open")) == 2


def test_failures_to_connect_fail_the_task_with_what_to_check(controller: Controller) -> None:
    wrong = {"ansible_password": "not-to-be-seen"}
    text, results = controller.play([{**READ, "vars": wrong, "ignore_errors": True}], "-vvv")
    assert "Check ansible_user" in results["r0"]["msg"]
    assert "not-to-be-seen" not in text
    # Neither the same host nor another one of the run is asked for a login that was refused.
    text, results = controller.play([{**READ, "vars": wrong, "ignore_errors": True}] * 2)
    assert "refused the account 'CONTOSO\\admin' before in this run" in results["r1"]["msg"]
    assert len(controller.events("login-refused")) == 2, "one for each run"


def test_secrets_are_shown_nowhere(controller: Controller, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.write_text("key", encoding="utf-8")
    encrypted = subprocess.run(
        [str(TOOLS / "ansible-vault"), "encrypt_string", "--vault-password-file", str(vault)],
        input=PASSWORD,
        capture_output=True,
        encoding="utf-8",
        env=controller.environment(),
        check=True,
    ).stdout
    (controller.directory / "group_vars").mkdir()
    (controller.directory / "group_vars" / "all.yml").write_text("secret_password: %s" % encrypted, encoding="utf-8")
    controller.management["ansible_password"] = "{{ secret_password }}"
    log_file = tmp_path / "ansible.log"
    faults = Faults(controller.lab.store())
    repeated = "Wrong: HUSH-HUSH, %s" % base64.b64encode(PASSWORD.encode()).decode().rstrip("=")
    faults.add("Get-CsXmppAllowedPartner", skip=1, times=2, message=repeated)
    secret = {"cmdlet": "Set-CsXmppGatewayConfiguration", "parameters": {"Identity": "Global"}}
    text, results = controller.play(
        [
            {"session_probe": {**secret, "secrets": {"DialbackPassphrase": "hush-hush"}}},
            {"session_probe": {**secret, "secrets": {"ConnectionLimit": "hush-hush"}}},
            READ,
            # A server that repeats what it was told before, in its own way.
            READ,
            {**READ, "vars": {"ansible_psrp_auth": "ntlm"}},
        ],
        "-vvvvv",
        "--vault-password-file",
        str(vault),
        vars={"ansible_persistent_log_messages": True},
        environment={"ANSIBLE_LOG_PATH": str(log_file)},
    )
    assert results["r0"]["errors"] == []
    assert results["r1"]["errors"] != []
    log = log_file.read_text(encoding="utf-8")
    for place in (text, log, json.dumps(results)):
        assert PASSWORD not in place
        assert repeated.rpartition(" ")[2] not in place
        assert "hush-hush" not in place.lower()
    assert [error["message"] for error in results["r3"]["errors"]] == ["Wrong: ********, ********"]
    assert log.count("error: Wrong: ********, ********") == 2
    assert len(controller.events("session-open")) == 2
    # But what happened is on record.
    assert "management_shell fe01: session opened on https://" in log
    assert "Set-CsXmppGatewayConfiguration {'Identity': 'Global', 'DialbackPassphrase': {'secret': True}}" in log
    assert "management_shell fe01: error: " in log


def daemons(controller: Controller) -> tuple[set[str], set[str]]:
    """The names of a playbook's daemons, and what they have open, apart from sockets.

    They have left the processes of the playbook.
    """
    mark, names, found = ("HOME=%s" % controller.directory).encode(), set(), set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == "1" and mark in (process / "environ").read_bytes().split(b"\0"):
                names.add((process / "cmdline").read_text().rstrip("\0").partition(" ")[0])
                found |= {os.readlink(path) for path in (process / "fd").iterdir()}
    return names, {name for name in found if not name.startswith("socket:")}


@pytest.mark.parametrize("direct", ["true", "false"])
def test_a_killed_playbook_leaves_no_session_and_no_files_behind(controller: Controller, direct: str) -> None:
    info: Task = {"sfb.xmpp.xmpp_federated_partner_info": {}}
    pause: Task = {"ansible.builtin.pause": {"seconds": 60}}
    playbook = subprocess.Popen(
        controller.command(controller.numbered([info, pause])),
        cwd=controller.directory,
        env={**controller.environment(), "ANSIBLE_MANAGEMENT_SHELL_DIRECT": direct},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not controller.statements() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert controller.events("session-close") == []
        assert list((controller.directory / "home" / "tmp").glob("ansible-local-%d*" % playbook.pid))
        if direct == "true":
            # No list of processes has the command line of the playbook, with its variables, as long as the session.
            assert daemons(controller) == ({"ansible_connection"}, {os.devnull})
    finally:
        os.killpg(playbook.pid, signal.SIGKILL)
        playbook.wait()
    assert controller.closed(1)
    temporary = controller.directory / "home" / "tmp"
    deadline = time.monotonic() + 20
    while list(temporary.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.2)  # the daemon closes the session first
    assert list(temporary.iterdir()) == []
