# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.audit over the wire: what somebody changed by hand is found, all of it and nothing else, in every format."""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_answers import CMDLETS as EDGE_CMDLETS
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import parse

from lab.deployment.faults import Faults
from tests.integration.plays import Plays, Run, own_winrm
from tests.integration.test_converge import ROW, mark
from tests.integration.test_plan_file import FULL, play
from tests.integration.xmpp_peer import Manners, NameServer, Peer
from tests.unit.certificates import elliptic_key, issue

DECLARED: dict[str, t.Any] = {
    "sfb_xmpp_policies": [
        {"identity": "global", "enable_outside_access": True, "description": "everybody"},
        {"identity": "Desk", **FULL, "granted_to": ["sip:mbell@contoso.test", "sip:akelly@contoso-emea.test"]},
        {"identity": "Bell", **FULL, "granted_to": []},
    ],
    "sfb_xmpp_partners": [{"domain": "p%d.test" % n, "connection_limit": 5, **ROW} for n in range(8)],
    "sfb_xmpp_partners_purge": True,
    "sfb_xmpp_gateway": {"keep_alive_interval": 240},
    "sfb_xmpp_access_edge": {"allow_federated_users": True},
    "sfb_xmpp_audit": {"probe": False},
}
# What the audit calls the objects that by_hand() changes.
CHANGED = {
    "partner p1.test", "partner p2.test", "partner p3.test", "partner p4.test", "partner extra.test",
    "policy global", "policy Desk", "gateway", "access edge", "user sip:mbell@contoso.test",
}  # fmt: skip


def by_hand(plays: Plays) -> None:
    """Ten changes that no inventory knows of."""
    store = plays.lab.store()

    def change(kind: str, key: str, **values: t.Any) -> None:
        store.put(kind, key, {**store.all(kind)[key], **values})

    change("partner", "p1.test", ConnectionLimit=6)
    change("partner", "p2.test", SaslNegotiation="NotSupported")
    change("partner", "p3.test", EnableKeepAlive=True, ConnectionLimit=9)
    store.put("partner", "extra.test", {**store.partners()["p0.test"]})
    store.delete("partner", "p4.test")
    change("policy", "Global", Description="somebody else's words")
    change("policy", "Tag:Desk", EnableOutsideAccess=False)
    change("gateway", "Global", KeepAliveInterval=300)
    change("access_edge", "Global", AllowFederatedUsers=False)
    (bell,) = (dn for dn, user in store.all("user").items() if user["SipAddress"] == "sip:mbell@contoso.test")
    store.grant(bell, "Tag:Bell", "dc01.contoso.test", 0.0)


def audit(plays: Plays, into: Path, *arguments: str, **variables: t.Any) -> Run:
    return play(plays, "audit", "-e", "sfb_xmpp_into=%s" % into, *arguments, **{**DECLARED, **variables})


def read(into: Path) -> dict[str, t.Any]:
    return parse((into / "audit.json").read_text(encoding="utf-8"))


def only_reads(plays: Plays, since: int) -> bool:
    sent = [str(e.cmdlet) for e in plays.lab.store().events(since) if e.kind == "statement"]
    others = {cmdlet for cmdlet in sent if not cmdlet.startswith(("Get-", "Select-", "Import-Module"))}
    others -= set(EDGE_CMDLETS)
    assert others == set()
    return bool(sent)


def test_ten_changes_by_hand_are_the_ten_in_every_format(plays: Plays) -> None:
    made = play(plays, "converge", **DECLARED)
    assert made.code == 0, made.output
    into = plays.directory / "audit"
    begin = mark(plays)
    clean = audit(plays, into)
    assert clean.code == 0, clean.output
    assert read(into)["summary"]["drift"] == 0
    assert read(into)["since"] is None
    by_hand(plays)
    run = audit(plays, into)
    assert run.code == 2, run.output
    assert only_reads(plays, begin)

    found = read(into)
    drift = [one for one in found["findings"] if one["area"] == "drift"]
    assert {one["object"] for one in drift} == CHANGED
    assert len(drift) == found["summary"]["drift"] == len(found["drift"]["steps"]) == 10
    assert {one["severity"] for one in drift} == {"error"}
    assert {one["object"] for one in found["findings"] if one["severity"] == "error"} == CHANGED
    assert {one["object"] for one in found["since"]["new"] if one["area"] == "drift"} == CHANGED

    cases = ET.parse(into / "audit.xml").getroot().iter("testcase")
    assert {case.get("name") for case in cases if case.find("failure") is not None} == CHANGED
    markdown = (into / "audit.md").read_text(encoding="utf-8")
    page = (into / "audit.html").read_text(encoding="utf-8")
    for name in CHANGED:
        assert name in markdown, name
        assert name in page, name
        assert name in run.output, name
    for name in ("p5.test", "p6.test", "p7.test"):
        assert "partner " + name not in markdown + page
    numbers = re.findall(r"^sfb_xmpp_drift_objects\{.*\} (\d+)$", (into / "audit.prom").read_text(), re.MULTILINE)
    assert sum(map(int, numbers)) == 10

    # What the guide says of them.
    assert (into / "audit.prom").stat().st_mode & 0o777 == 0o644
    for name in ("audit.json", "audit.md", "audit.html", "audit.xml"):
        assert (into / name).stat().st_mode & 0o777 == 0o600
    never = audit(plays, into, sfb_xmpp_audit={"probe": False, "fail_on": "never"})
    assert never.code == 0, never.output
    assert read(into)["since"]["new"] == []
    assert "<failure" not in (into / "audit.xml").read_text()
    wrong = audit(plays, into, sfb_xmpp_audit={"probe": False, "fail_on": "errors"})
    assert wrong.code == 2
    assert "sfb_xmpp_audit.fail_on: must be error, " in wrong.output


def test_what_would_be_refused_and_what_cannot_be_read_is_found(plays: Plays) -> None:
    into = plays.directory / "audit"
    useless = {"identity": "Useless", "enable_xmpp_access": True, "enable_federation_access": False}
    run = audit(plays, into, sfb_xmpp_policies=[useless])
    assert run.code == 2, run.output
    (refused,) = [one for one in read(into)["findings"] if one["code"] == "refused"]
    assert "enable_xmpp_access has no effect" in refused["message"]
    before = {path.name: path.read_bytes() for path in into.iterdir()}
    faults = Faults(plays.lab.store())
    # The reading is the first of the calls; with the second one only the plan fails.
    faults.add("Get-CsXmppAllowedPartner", times=9, message="Access is denied.")
    run = audit(plays, into)
    assert run.code == 2, run.output
    assert "Access is denied." in run.output
    faults.clear()
    faults.add("Get-CsXmppGatewayConfiguration", skip=1, times=9, message="Not today.")
    run = audit(plays, into, sfb_xmpp_audit={"probe": False, "fail_on": "never"})
    assert run.code == 2, run.output
    text = "default could not be compared with the settings, so the files of the last audit are not replaced: "
    assert run.result("Audit the deployment and show the result")["reasons"][0].startswith(text)
    assert "Not today." in run.output
    assert {path.name: path.read_bytes() for path in into.iterdir()} == before


def test_each_of_two_deployments_has_its_edges_and_those_that_do_not_answer_are_named(plays: Plays) -> None:
    made = play(plays, "converge", **DECLARED)
    assert made.code == 0, made.output
    hosts = plays.hosts()
    doors, edges = hosts["sfb_management"]["hosts"], hosts["sfb_edge"]["hosts"]
    doors["fe01"]["sfb_xmpp_deployment"] = edges["edge01"]["sfb_xmpp_deployment"] = "one"
    edges["edge02"].update(ansible_port=1, sfb_xmpp_deployment="two")
    # The same store by another name; the first way into it does not answer.
    doors["dead"] = {**doors["fe01"], "sfb_xmpp_deployment": "two", "ansible_port": 1}
    doors["other"] = {**doors["fe01"], "sfb_xmpp_deployment": "two"}
    # The other end of MTLS, through its own WinRM.
    hosts["sfb_front_end"] = own_winrm(hosts)
    for name in ("dead-winrm", "other-winrm"):
        del hosts["sfb_front_end"]["hosts"][name]
    # Nobody but the Edges knows of it, and each has its own.
    of_all = {"usages": ["XmppServer", "AccessEdgeExternal"]}
    edges["edge01"]["sfb_xmpp_certificate"] = {"names": ["access.contoso.test", "contoso.test"], **of_all}
    edges["edge02"]["sfb_xmpp_certificate"] = {"names": ["access2.contoso.test", "contoso-emea.test"]}
    into = plays.directory / "audit"
    begin = mark(plays)
    # One partner answers, with what would move the cursor of a terminal.
    authority = issue("x\n\x1b[2J\u202eowned", key=elliptic_key(), ca=True)
    forged = issue("x", authority, key=elliptic_key())
    with NameServer() as dns, Peer(Manners(forged)) as peer:
        dns.silent.update(["contoso.test", "contoso-emea.test", *("p%d.test" % n for n in range(1, 8))])
        dns.service("p0.test", peer.port)
        settings = {"nameservers": [dns.place], "timeout": 1.0, "allow_local": True}
        variables = {**DECLARED, "sfb_xmpp_audit": {"forecast_days": 250}, "sfb_xmpp_verification": settings}
        inventory = plays.write("edges.yml", {"all": {"vars": variables, "children": hosts}})
        run = plays.run("sfb.xmpp.audit", "--check", "-e", "sfb_xmpp_into=%s" % into, inventory=inventory)
    assert run.code == 2, run.output
    assert [one for one in read(into / "one")["findings"] if "CN=x\\n\\x1b[2J\\u202eowned" in one["message"]]
    for file in (into / "one").iterdir():
        lines = file.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if not line.replace("\t", "").isprintable()], file.name
    assert only_reads(plays, begin)
    first, second = read(into / "one"), read(into / "two")
    assert (first["host"], second["host"]) == ("fe01", "other")
    assert (first["own"]["edges"], second["own"]["edges"]) == (["edge01"], ["edge02"])
    assert {one["host"] for one in first["certificates"]} == {"edge01", "fe01-winrm"}
    ends = {(one["host"], one["usage"]): one["not_after"] for one in first["certificates"]}
    assert min(ends["edge01", "Internal"], ends["fe01-winrm", "Default"]) > first["time"]
    unread = [one for one in second["findings"] if "edge02" in one["message"]]
    assert sorted((one["severity"], one["code"]) for one in unread) == [
        ("unknown", "certificate_unknown"), ("unknown", "proxy_unknown"),
    ]  # fmt: skip
    assert [one["access_edge_fqdn"] for one in (first["own"], second["own"])] == [
        "access.contoso.test", "access2.contoso.test",
    ]  # fmt: skip
    assert [[one["domain"] for one in found["own"]["domains"]] for found in (first, second)] == [
        ["contoso.test"], ["contoso-emea.test"],
    ]  # fmt: skip
    codes = {one["code"] for one in first["findings"] if one["object"] == "edge01 AccessEdgeExternal"}
    assert "names_missing" in codes, ("it is compared with the names of its own Edge", codes)
    codes = {one["code"] for one in first["findings"] if one["object"] == "edge01 DataEdgeExternal"}
    assert codes.isdisjoint({"names_missing", "untrusted"}), "nobody manages it with this collection"
    assert len(first["partners"]) == 8
    assert {"not_probed", "ok"}.isdisjoint({one["verdict"] for one in first["partners"]})
    asked = sorted(name for group in first["what_if"]["partners"] for name in group["domains"])
    assert asked == sorted(one["domain"] for one in first["partners"])
    assert first["drift"]["steps"] == []
    seen = {one["certificate_end"] for one in first["partners"]} - {None}
    ahead = [one for one in first["forecast"]["items"] if one["code"] == "certificate_expired"]
    assert [(one["object"], one["at"]) for one in ahead] == [("p0.test", end) for end in seen], "200 days from now"
    assert "Forecast for 250 days:" in run.output

    begin = mark(plays)
    blind = plays.run("sfb.xmpp.audit", "--limit", "sfb_edge", "-e", "into=%s" % into, inventory=inventory)
    assert blind.code == 2, blind.output
    assert "audit reads the deployment through a host of sfb_management. Add one to --limit" in blind.output
    assert "into: this variable is called sfb_xmpp_into now" in blind.output
    assert mark(plays) == begin, "nothing connects"
