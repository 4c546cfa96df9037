# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several labs at once: deployments of their own, which neither share nor notice anything of each other.

Labs of one shape side by side, and two different deployments with the inventory inventories/lab-two.
"""

from __future__ import annotations

import socket
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement

from lab import process
from lab.deployment.shape import read_shape
from lab.inventory import Place, inventory
from lab.partners import control, zone
from lab.talk import talk
from lab.testing import Lab, running_deployments, running_labs
from tests.integration.management import Management, renewed, target
from tests.integration.plays import CHECKOUT, Plays

COUNT = 5
SHAPES = {"contoso": read_shape("two-sites"), "fourthcoffee": read_shape("fourthcoffee")}
USERS = {"contoso": "ialmeida@contoso.test", "fourthcoffee": "nadams@fourthcoffee.test"}
PEER = "romeo@fabrikam.example"


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[list[Lab]]:
    with running_labs(tmp_path_factory.mktemp("labs"), COUNT) as found:
        yield found


def test_each_is_a_deployment_of_its_own(labs: list[Lab]) -> None:
    assert len({lab.port for lab in labs}) == len({lab.xmpp_port for lab in labs}) == COUNT
    for number, lab in enumerate(labs):
        shell = Management(lab, target(lab, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
        try:
            answer = shell.invoke([Statement("New-CsXmppAllowedPartner", {"Identity": "p%d.example" % number})])
        finally:
            shell.session.close()
        assert answer.errors == ()
    assert [list(lab.store().partners()) for lab in labs] == [["p%d.example" % number] for number in range(COUNT)]
    assert all(len([e for e in lab.store().events() if e.kind == "session-open"]) == 1 for lab in labs)


def test_one_may_die_and_come_back_while_the_others_go_on(labs: list[Lab]) -> None:
    victim, *others = labs
    victim.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((victim.addresses["fe01"], victim.port), 5.0)
    assert all(process.find(lab.directory) is not None for lab in others)
    before = victim.port
    victim.start()
    assert victim.port == before
    assert len(victim.store().partners()) == 1
    victim.stop()
    assert process.find(victim.directory) is None


def test_none_is_left_and_nothing_was_complained_about(tmp_path: Path) -> None:
    with running_labs(tmp_path, 2, "lync2013") as found:
        assert all(lab.store().setting("profile") == "lync2013" for lab in found)
    assert all(process.find(lab.directory) is None for lab in found)
    assert "Traceback" not in "".join((lab.directory / "lab.log").read_text() for lab in found)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, Lab]]:
    with running_deployments(tmp_path_factory.mktemp("two"), SHAPES) as found:
        yield {name: renewed(lab) for name, lab in found.items()}


def test_two_deployments_are_told_apart_at_every_door(two: dict[str, Lab]) -> None:
    for name, doors in (("contoso", ("fe01", "fe11")), ("fourthcoffee", ("fe01", "fe02"))):
        shape = SHAPES[name]
        for door in doors:
            account = (shape.netbios + "\\admin", shape.passwords["admin"])
            shell = Management(two[name], target(two[name], door, *account))
            try:
                central = shell.invoke([Statement("Get-CsService", {"CentralManagement": True})])
                domains = shell.invoke([Statement("Get-CsSipDomain")])
            finally:
                shell.session.close()
            assert [one["PoolFqdn"] for one in central.output] == [shape.sites[shape.home]]
            assert [one["Name"] for one in domains.output] == list(shape.sip_domains)


def test_one_run_over_two_deployments_ends_in_messages_of_both(two: dict[str, Lab]) -> None:
    """The run of inventories/lab-two; a partner that talks with both; the event logs say which servers were reached."""
    first = two["contoso"]
    began = {name: max((e.id for e in lab.store().events()), default=0) for name, lab in two.items()}
    plays = Plays(first)
    try:
        where = {"SFB_LAB_DIRECTORY": str(first.directory.parent), "SFB_LAB_PORT": str(first.port)}
        inventory_file = CHECKOUT / "inventories" / "lab-two"
        done = plays.run("sfb.xmpp.converge", inventory=inventory_file, environment=where)
        assert done.code == 0, done.output[-3000:]
    finally:
        plays.close()
    for name, lab in two.items():
        shape, events = SHAPES[name], lab.store().events(began[name])
        statements = [event for event in events if event.kind == "statement"]
        # One door read and wrote everything; the other one was only asked what it offers. A Front End's WinRM was not
        # needed, since nothing restarts there.
        reached = [event for event in events if event.kind == "session-open" and not event.host.startswith("edge")]
        assert {event.user for event in reached} == {shape.netbios + "\\admin"}
        assert len(reached) == len({event.host for event in reached}) == 2, "one session for each door"
        asked = {event.host for event in statements if "-Cs" in event.cmdlet and not event.host.startswith("edge")}
        assert asked == {"fe01"}
        written = [e for e in statements if e.cmdlet.startswith(("New-", "Set-", "Grant-"))]
        assert {event.host for event in written} == {"fe01", *shape.edges()}
        restarted = {event.host for event in statements if event.cmdlet == "Start-CsWindowsService"}
        assert restarted == set(shape.edges())
        assert [event for event in events if event.kind == "login-refused"] == []
        assert lab.store().get("policy", "Tag:XMPP Partner Desk") is not None
        assert list(lab.store().partners()) == ["fabrikam.example"]
    partners = control.start(first.directory, first.xmpp_port, ("prosody",))
    try:
        other = two["fourthcoffee"]
        partners.set_records("fourthcoffee.test", *zone.own(other.shape, other.shape.pools[0].fqdn, other.xmpp_port))
        other.store().set_setting(control.SETTING, partners.nameserver)
        for name, lab in two.items():
            outcomes = talk(lab.store(), partners, PEER, USERS[name])
            assert all(outcome.is_as("S") for outcome in outcomes), (name, outcomes)
            messages = lab.store().messages()
            assert [(m.direction, m.status) for m in messages] == [("in", "delivered"), ("out", "sent")]
            assert {m.edge for m in messages} <= set(lab.shape.edges(lab.shape.pools[0].fqdn))
    finally:
        partners.stop()
    assert all("Traceback" not in (lab.directory / "lab.log").read_text() for lab in two.values())


def test_the_inventory_has_the_hosts_of_both(two: dict[str, Lab]) -> None:
    places = {name: Place(lab.directory, lab.port, lab.profile, lab.shape) for name, lab in two.items()}
    made = inventory(places)
    written = yaml.safe_load((CHECKOUT / "inventories/lab-two/hosts.yml").read_text())
    for group in made:
        assert list(written[group]["hosts"]) == list(made[group]["hosts"])
        for host, variables in made[group]["hosts"].items():
            stated = written[variables["sfb_xmpp_deployment"]]["hosts"][host]
            assert stated == {"ansible_host": variables["ansible_host"]}
