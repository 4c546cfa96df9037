# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.export of a deployment made by hand, and converge with what it wrote, over the wire."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import yaml

from lab.deployment.faults import Faults
from tests.integration.plays import Plays, Run
from tests.integration.test_converge import mark, writes
from tests.integration.test_plan_file import ROW, play

TEMPLATE = "{{ lookup('ansible.builtin.pipe', 'false') }} {% raw %}"
BY_HAND: dict[str, t.Any] = {
    "sfb_xmpp_policies": [
        {"identity": "global", "enable_federation_access": True, "enable_outside_access": True},
        {"identity": "site:Redmond", "enable_federation_access": True, "description": "# : - ünï 'quoted' \"twice\""},
        {"identity": "Desk & <door>", "enable_federation_access": True, "enable_xmpp_access": True,
         "enable_outside_access": True, "granted_to": ["sip:mbell@contoso.test", "sip:akelly@contoso-emea.test"]},
    ],
    "sfb_xmpp_partners": [
        {"domain": "a.test", "connection_limit": 5, "additional_domains": ["y.a.test", "x.a.test"], **ROW},
        {"domain": "bücher.test", "description": "yes", "partner_type": "federated", **ROW},
        {"domain": "c.test", "enable_keep_alive": False, **ROW},
    ],
    "sfb_xmpp_gateway": {"keep_alive_interval": 240, "dialback_passphrase": "s3cret-words"},
    "sfb_xmpp_access_edge": {"allow_federated_users": True},
    "sfb_xmpp_federation_routes": [{"site": "Redmond", "edge_pool": "edge.contoso.test"}],
}  # fmt: skip
ALL_OF_IT: dict[str, t.Any] = {
    "sfb_xmpp_partners_purge": True, "sfb_xmpp_policies_purge": True, "sfb_xmpp_exclusive_grants": True,
}  # fmt: skip


def export(plays: Plays, into: Path, *arguments: str) -> Run:
    return play(plays, "export", "-e", "sfb_xmpp_into=%s" % into, *arguments)


def test_converge_with_an_export_has_nothing_to_do(plays: Plays) -> None:
    """In a restricted session, whose Select-Object cuts nothing that is read here."""
    made = play(plays, "converge", **BY_HAND)
    assert made.code == 0, made.output
    store = plays.lab.store()
    store.put("partner", "c.test", {**store.partners()["c.test"], "Description": TEMPLATE})
    begin = mark(plays)
    into = plays.directory / "kept"
    done = export(plays, into)
    assert done.code == 0, done.output
    events = [event for event in store.events(begin) if event.kind == "statement"]
    assert {event.cmdlet for event in events if not event.cmdlet.startswith("Get-")} <= {"Select-Object"}
    assert [event.cmdlet for event in events if event.cmdlet == "Select-Object" and event.outcome != "ok"] == []
    file = into / "group_vars" / "all" / "sfb_xmpp.yml"
    text = file.read_text(encoding="utf-8")
    assert "s3cret-words" not in text
    assert "s3cret-words" not in done.output

    # As a user would: the directory is the inventory, with the hosts beside the variables.
    (into / "hosts.yml").write_text(yaml.safe_dump({"sfb_management": plays.hosts()["sfb_management"]}))
    for more in ({}, ALL_OF_IT):
        extra = ["-e", "@%s" % plays.write("more.yml", more)] if more else []
        run = plays.run("sfb.xmpp.converge", "--check", *extra, inventory=into)
        assert run.code == 0, run.output
        assert "changed=0" in run.output
        assert "[WARNING]" not in run.output
        assert run.result("Apply the plan of the federation")["steps"] == []
    assert writes(plays, begin) == []

    again = export(plays, into)
    assert again.code == 0, again.output
    assert "changed=0" in again.output
    assert file.read_text(encoding="utf-8") == text


def test_it_overwrites_nothing_of_others_and_says_where(plays: Plays) -> None:
    into = plays.directory / "mine"
    (into / "group_vars" / "all").mkdir(parents=True)
    mine = into / "group_vars" / "all" / "sfb_xmpp.yml"
    mine.write_text("sfb_xmpp_partners: []\n")
    run = export(plays, into)
    assert run.code == 2, run.output
    assert "was not written by sfb.xmpp.export" in run.output
    assert mine.read_text() == "sfb_xmpp_partners: []\n"
    assert not (into / "README.md").exists()
    shutil.rmtree(into)
    assert export(plays, into, "--check").code == 0
    assert not into.exists()


def test_what_cannot_be_read_is_an_error_and_leaves_no_half_of_an_export(plays: Plays) -> None:
    Faults(plays.lab.store()).add("Get-CsXmppGatewayConfiguration", times=9, message="Access is denied.")
    into = plays.directory / "none"
    run = export(plays, into)
    assert run.code == 2, run.output
    assert "Access is denied." in run.output
    assert not into.exists()


def test_each_of_several_deployments_has_a_directory_of_its_own(plays: Plays) -> None:
    host = plays.hosts()["sfb_management"]["hosts"]["fe01"]
    hosts = {name: {**host, "sfb_xmpp_deployment": of} for name, of in (("one", "a"), ("two", "a"), ("three", "b"))}
    management = {**plays.hosts()["sfb_management"], "hosts": hosts}
    inventory = plays.write("several.yml", {"sfb_management": management})
    begin = mark(plays)
    into = plays.directory / "several"
    run = plays.run("sfb.xmpp.export", "-e", "sfb_xmpp_into=%s" % into, inventory=inventory)
    assert run.code == 0, run.output
    assert sorted(path.relative_to(into).parts[0] for path in into.rglob("sfb_xmpp.yml")) == ["a", "b"]
    assert len([e for e in plays.lab.store().events(begin) if e.kind == "session-open"]) <= 2
