# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Those that are compared: each one's command line, and the files that it needs."""

from __future__ import annotations

import json
import os
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from lab.testing import Lab
from tests.integration.plays import CONNECTION, TOOLS

HERE = Path(__file__).parent
ACCOUNT = ("CONTOSO\\admin", "Lab-admin-1")
DESCRIPTION = "as it should be"
# As on the server; options and properties of the same partner.
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
PROPERTIES = {"TlsNegotiation": "Required", "SaslNegotiation": "Optional", "SupportDialbackNegotiation": True}
KINDS = ["Get-CsExternalAccessPolicy", "Get-CsXmppGatewayConfiguration", "Get-CsAccessEdgeConfiguration"]


@dataclass(frozen=True)
class Contender:
    """most: the largest list for which it is tried by default; full: with --full."""

    name: str
    title: str
    most: int
    full: int


# Only opens a session and closes it, for what that takes of the floor's requests.
OPENING = Contender("opening", "bare pypsrp script without work", 0, 0)
CONTENDERS = (
    Contender("floor", "bare pypsrp script", 10_000, 10_000),
    Contender("trivial", "play with one trivial task", 10_000, 10_000),
    Contender("plural", "xmpp_federated_partners", 10_000, 10_000),
    Contender(
        "script_and_play",
        "bare pypsrp script that reads four kinds, and a play of three trivial local tasks",
        1_000,
        10_000,
    ),
    Contender("converge", "sfb.xmpp.converge", 1_000, 10_000),
    Contender("loop", "xmpp_federated_partner in a loop", 20, 100),
    Contender("own_session", "a task and a session per partner", 20, 200),
)


def domain(number: int) -> str:
    return "p%05d.example" % number


class Setting:
    """The files of the contenders in a directory, for one lab and one length of the list."""

    def __init__(self, lab: Lab, directory: Path, number: int) -> None:
        self.lab = lab
        self.number = number
        self.directory = directory / str(number)
        self.directory.mkdir()
        names = [domain(i) for i in range(number)]
        # In the inventory, where such lists are kept: Ansible would read a play's vars_files anew for every task.
        wanted = [{"domain": n, "description": DESCRIPTION, **ROW} for n in names]
        self._write("floor.json", {"wsman": self._wsman(), "partners": [
            {"Identity": name, "Description": DESCRIPTION, **PROPERTIES} for name in names]})  # fmt: skip
        # What converge reads, and writes, without what it does for it: rules, guards, plan, snapshot, journal.
        self._write("script_and_play.json", {"wsman": self._wsman(), "also": KINDS, "partners": [
            {"Identity": name, "Description": DESCRIPTION, **PROPERTIES} for name in names]})  # fmt: skip
        local = {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}] * 3}
        self._write("local.json", [local])
        declared: dict[str, t.Any] = {
            "sfb_xmpp_partners": wanted,
            "sfb_xmpp_policies": [],
            "sfb_xmpp_gateway": {"keep_alive_interval": 30},
        }
        declared.update(sfb_xmpp_access_edge={"allow_outside_users": True}, sfb_xmpp_update_limit=100)
        # The script awaits no replica.
        declared.update(sfb_xmpp_replication="none")
        groups = {"sfb_management": {"hosts": {"fe01": self._host()}, "vars": declared}}
        self._write("converge.json", {"all": {"children": groups}})
        self._write("opening.json", {"wsman": self._wsman(), "partners": None})
        self._write("inventory.json", {"all": {"hosts": {"fe01": self._host()}, "vars": {"partners": wanted}}})
        (self.directory / "ansible.cfg").touch()
        trivial = {"name": "trivial", "sfb.xmpp.xmpp_gateway_configuration_info": {}}
        module = "sfb.xmpp.xmpp_federated_partner"
        item = {key: "{{ item.%s }}" % key for key in ("domain", "description", *ROW)}
        self._play("trivial", [trivial])
        self._play("plural", [trivial, {"name": "all", module + "s": {"partners": "{{ partners }}", "force": True}}])
        self._play("loop", [trivial, {"name": "each", module: item, "loop": "{{ partners }}"}])
        self._play(
            "own_session",
            [{"name": n, "partner_over_psrp": {"domain": n, "description": DESCRIPTION}} for n in names[:200]],
            "ansible.builtin.psrp",
        )

    def command(self, contender: Contender) -> list[str]:
        if contender.name in ("floor", "opening"):
            settings = self.directory / (contender.name + ".json")
            return [sys.executable, "-m", "tests.benchmarks.floor", str(settings)]
        if contender.name == "script_and_play":
            script = "%s -m tests.benchmarks.floor %s" % (sys.executable, self.directory / "script_and_play.json")
            return ["bash", "-c", "%s && %s %s" % (script, TOOLS / "ansible-playbook", self.directory / "local.json")]
        if contender.name == "converge":
            inventory = self.directory / "converge.json"
            return [str(TOOLS / "ansible-playbook"), "-i", str(inventory), "sfb.xmpp.converge"]
        play = self.directory / (contender.name + ".json")
        return [str(TOOLS / "ansible-playbook"), "-i", str(self.directory / "inventory.json"), str(play)]

    def environment(self) -> dict[str, str]:
        """Nothing of the user's own settings."""
        return {
            "PATH": "%s:%s" % (TOOLS, os.environ.get("PATH", os.defpath)),
            "HOME": str(self.directory.parent),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(self.directory.parent / "home"),
            "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
            "ANSIBLE_ACTION_PLUGINS": str(HERE / "action_plugins"),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "seconds",
            "ANSIBLE_NOCOLOR": "1",
        }

    def _host(self) -> dict[str, t.Any]:
        return {
            "ansible_host": self.lab.addresses["fe01"],
            "ansible_port": self.lab.port,
            "ansible_user": ACCOUNT[0],
            "ansible_password": ACCOUNT[1],
            "ansible_psrp_path": "OcsPowershell",
            "ansible_psrp_auth": "ntlm",
            "ansible_psrp_protocol": "https",
            "ansible_psrp_ca_cert": str(self.lab.ca),
        }

    def _wsman(self) -> dict[str, t.Any]:
        return {
            "server": self.lab.addresses["fe01"],
            "port": self.lab.port,
            "path": "OcsPowershell",
            "auth": "ntlm",
            "username": ACCOUNT[0],
            "password": ACCOUNT[1],
            "cert_validation": str(self.lab.ca),
        }

    def _play(self, name: str, tasks: list[dict[str, t.Any]], connection: str = CONNECTION) -> None:
        play = {"hosts": "fe01", "gather_facts": False, "vars": {"ansible_connection": connection}, "tasks": tasks}
        self._write(name + ".json", [play])

    def _write(self, name: str, content: t.Any) -> None:
        (self.directory / name).write_text(json.dumps(content), encoding="utf-8")
