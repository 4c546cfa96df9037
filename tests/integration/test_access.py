# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight on the first day: several hosts that are broken in different ways at once, and what was sent to them."""

from __future__ import annotations

import socket
import typing as t

from lab.testing import Lab
from tests.integration.plays import Plays, Run, own_winrm
from tests.unit import certificates

# What opens a session and says what it offers. Nothing of the deployment is read.
SENT = {"Get-Command", "Get-Date", "Import-Module", "Select-Object"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def day_one(plays: Plays) -> dict[str, t.Any]:
    """The inventory of somebody who has just begun, by the way in which each host is broken."""
    lab = plays.lab
    hosts = plays.hosts()
    root = plays.directory / "other-ca.pem"
    root.write_bytes(certificates.issue("Root", ca=True).pem)
    door = {"ansible_host": lab.addresses["fe01"]}
    hosts["sfb_management"]["hosts"] = {
        "fine": door,
        "misspelt": {"ansible_host": "fe01.contoso.invalid"},
        "closed": {**door, "ansible_port": free_port()},
        "refused": {**door, "ansible_user": "CONTOSO\\viewer", "ansible_password": "not-to-be-seen"},
        "again": {**door, "ansible_host": "127.0.0.10", "ansible_user": "viewer@contoso.test"},
        "elsewhere": {**door, "ansible_psrp_path": "Powershell"},
    }
    hosts["sfb_edge"]["hosts"]["module"] = {
        "ansible_host": lab.addresses["edge01"],
        "ansible_user": ".\\Administrator",
        "ansible_management_shell_modules": ["Lync"],
    }
    hosts["sfb_front_end"] = own_winrm(hosts)
    hosts["sfb_front_end"]["hosts"] = {"untrusted": {**door, "ansible_psrp_ca_cert": str(root)}}
    return hosts


def check(plays: Plays, hosts: dict[str, t.Any], *arguments: str) -> tuple[Run, dict[str, dict[str, t.Any]]]:
    run = plays.run("sfb.xmpp.preflight", "--tags", "access", *arguments, inventory=plays.write("day1.yml", hosts))
    return run, {one["host"]: one for one in run.result("Check the access to the servers")["hosts"]}


def test_each_host_names_its_first_broken_link_and_nothing_else_is_read(plays: Plays) -> None:
    store = plays.lab.store()
    store.set_setting("clock_ahead", 400.0)
    store.set_setting("cmdlets_hidden", ["edge02:Get-CsCertificate", "edge02:Get-CsWindowsService"])
    hosts = day_one(plays)
    del hosts["sfb_management"]["hosts"]["again"]
    run, found = check(plays, hosts)
    assert run.code == 2, run.output
    assert {name: one["broken"] for name, one in found.items()} == {
        "fine": "", "misspelt": "dns", "closed": "port", "refused": "login", "elsewhere": "session",
        "untrusted": "tls", "module": "session", "edge01": "clock", "edge02": "cmdlets",
    }  # fmt: skip
    # The recap has the broken ones as failed, each with its own sentence.
    said = {one.host: one.result["msg"] for one in run.failures() if one.task.startswith("Fail if the server")}
    assert sorted(said) == sorted(name for name, one in found.items() if one["broken"])
    for name, words in {
        "misspelt": "Check ansible_host, and the name resolution",
        "closed": "Connection refused. Check ansible_host, ansible_port",
        "refused": "the server did not accept the account 'CONTOSO\\viewer'",
        "elsewhere": "HTTP status 404. Check ansible_psrp_path",
        "untrusted": "Set ansible_psrp_ca_cert to the PEM file of the authority",
        "module": "Check ansible_management_shell_modules",
        "edge01": "s ahead of the controller's. Set the clock of the server",
        "edge02": "Get-CsWindowsService, Get-CsCertificate",
    }.items():
        assert words in said[name], said[name]
        assert words in run.output
    states = {link["link"]: link["state"] for link in found["untrusted"]["links"]}
    assert list(states.values()) == ["ok", "ok", "ok", "broken"] + ["not_looked_at"] * 4
    assert run.stats["sfb_xmpp_result"] == "failed"
    assert "not-to-be-seen" not in run.output
    events = store.events()
    assert {event.cmdlet for event in events if event.kind == "statement"} <= SENT
    assert [event.user for event in events if event.kind == "login-refused"] == ["CONTOSO\\viewer"], "once"


def test_a_refused_password_is_not_tried_on_the_next_host(plays: Plays, lab: Lab) -> None:
    hosts = day_one(plays)
    doors = hosts["sfb_management"]["hosts"]
    other = {**doors["refused"], "ansible_psrp_configuration_name": "Other", "ansible_psrp_path": "OCSPOWERSHELL"}
    hosts["sfb_management"]["hosts"] = {"refused": doors["refused"], "again": other}
    del hosts["sfb_edge"], hosts["sfb_front_end"]
    _run, found = check(plays, hosts)
    assert {one["broken"] for one in found.values()} == {"login"}, [one["links"] for one in found.values()]
    messages = " ".join(link["message"] for one in found.values() for link in one["links"])
    assert "so the same password is not tried" in messages
    assert len([event for event in lab.store().events() if event.kind == "login-refused"]) == 1


def test_an_inventory_that_works_is_green_and_says_who_has_what_an_account_lacks(plays: Plays) -> None:
    plays.lab.store().set_setting("clock_at_doors", True)
    hosts = plays.hosts()
    hosts["sfb_front_end"] = own_winrm(hosts)
    run, found = check(plays, hosts)
    assert run.code == 0, run.output
    assert {link["state"] for one in found.values() for link in one["links"]} == {"ok"}
    assert not any(one["missing"] for one in found.values())
    assert run.stats["sfb_xmpp_result"] == "ok"
    hosts["sfb_management"]["vars"].update(ansible_user="CONTOSO\\viewer", ansible_password="Lab-viewer-1")
    run, found = check(plays, hosts, "--limit", "fe01")
    assert run.code == 0, run.output
    (cmdlets,) = (link for link in found["fe01"]["links"] if link["link"] == "cmdlets")
    assert cmdlets["state"] == "warning"
    assert "enough for read, not for routes, policies, partners, gateway, grants" in cmdlets["message"]
    assert {one["cmdlet"]: one["roles"][0] for one in found["fe01"]["missing"]}["Grant-CsExternalAccessPolicy"] == (
        "CsUserAdministrator"
    )
