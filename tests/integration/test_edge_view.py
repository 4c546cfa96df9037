# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Edges see of partners, in the four playbooks that ask them: one that only the Edges reach, one that only
the controller reaches, one that both reach.
"""

from __future__ import annotations

import contextlib
import json
import re
import typing as t
from pathlib import Path

import pytest

from lab.gateway.events import KIND
from lab.testing import Lab
from tests.integration.plays import Plays, Run
from tests.integration.test_probe import FALLBACK, good
from tests.integration.xmpp_peer import NameServer, Peer, deaf_port
from tests.unit import certificates

EDGE_ONLY, HERE_ONLY, BOTH = "edge.fabrikam.test", "here.fabrikam.test", "fabrikam.test"
CMDLETS = {"Resolve-DnsName", "Test-NetConnection", "Get-NetTCPConnection", "Get-WinEvent"}
USER = "ialmeida@contoso.test"
PARTNER: dict[str, t.Any] = {
    "AdditionalDomains": [], "ConnectionLimit": None, "Description": None, "EnableKeepAlive": True,
    "PartnerType": "Federated", "ProxyFqdn": None, "TlsNegotiation": "Required", "SaslNegotiation": "Optional",
    "SupportDialbackNegotiation": True,
}  # fmt: skip


@pytest.fixture
def plays(fresh_lab: Lab) -> t.Iterator[Plays]:
    runner = Plays(fresh_lab)
    yield runner
    runner.close()


@pytest.fixture
def world(plays: Plays) -> t.Iterator[dict[str, t.Any]]:
    """The settings of an inventory with three partners, in a network that the Edges see in another way."""
    roots = plays.directory / "roots.pem"
    roots.write_bytes(certificates.root().pem)
    with contextlib.ExitStack() as stack:
        dns = stack.enter_context(NameServer())
        deaf = stack.enter_context(deaf_port())
        beyond, here, both = (
            stack.enter_context(Peer(good(), address="127.0.0.%d" % number)) for number in (43, 42, 44)
        )
        dns.service(EDGE_ONLY, deaf)
        dns.service(HERE_ONLY, here.port, address="127.0.0.42")
        dns.service(BOTH, both.port, address="127.0.0.44")
        store = plays.lab.store()
        store.set_setting("xmpp_nameserver", dns.place)
        store.set_setting("edge_network", {"127.0.0.1": "127.0.0.43:%d" % beyond.port, "127.0.0.42": False})
        yield {
            "sfb_xmpp_partners": [{"domain": domain, **FALLBACK} for domain in (EDGE_ONLY, HERE_ONLY, BOTH)],
            "sfb_xmpp_verification": {
                "nameservers": [dns.place],
                "trust_store": str(roots),
                "timeout": 1.0,
                "allow_local": True,
            },
        }


def run(plays: Plays, playbook: str, variables: dict[str, t.Any], **more: t.Any) -> Run:
    inventory = plays.write("view.yml", {"all": {"vars": variables, "children": plays.hosts()}})
    given = [part for name, value in more.items() for part in ("-e", "%s=%s" % (name, value))]
    return plays.run("sfb.xmpp." + playbook, *given, inventory=inventory)


def asked(plays: Plays, since: int = 0) -> dict[str, set[str]]:
    """Host -> the cmdlets about partners that it was sent."""
    found: dict[str, set[str]] = {}
    for event in plays.lab.store().events(since):
        if event.cmdlet in CMDLETS:
            found.setdefault(event.host, set()).add(event.cmdlet)
    return found


def last(plays: Plays) -> int:
    return plays.lab.store().events()[-1].id


def test_each_playbook_shows_on_whose_view_it_rests(plays: Plays, world: dict[str, t.Any]) -> None:
    failed = {"action": "failed", "direction": "outgoing"}
    for _time in range(3):
        plays.lab.store().log(KIND, "edge01", "1", BOTH, "", failed, "failed", "no answer\x1b[2J\u202e")

    for domain in (EDGE_ONLY, HERE_ONLY, BOTH):
        plays.lab.store().put("partner", domain, PARTNER)

    run_ = run(plays, "verify", world)
    assert asked(plays) == {"edge01": CMDLETS, "edge02": CMDLETS}
    entries = {one["domain"]: one for one in run_.result("Verify the partners and the own domains")["domains"]}
    told = {domain: (one["verdict"], one["view"]) for domain, one in entries.items()}
    assert told == {
        EDGE_ONLY: ("not_observable", "edge"),
        HERE_ONLY: ("failed", "edge"),
        BOTH: ("ok", "both"),
    }
    assert [one["reached"] for one in entries[EDGE_ONLY]["edges"]] == [True, True]
    assert [one["reached"] for one in entries[HERE_ONLY]["edges"]] == [False, False]
    assert run_.code == 2
    assert "[Edge's view]" in run_.output
    assert "verdict: both views" in run_.output
    assert "3 of event 44002" in run_.output
    assert "\x1b[2J" not in run_.output

    run_ = run(plays, "preflight", world)
    findings = {one["code"]: one for one in run_.result("Check what federation depends on")["findings"]}
    assert HERE_ONLY in findings["edge_not_reachable"]["effect"]
    assert EDGE_ONLY not in findings["edge_not_reachable"]["effect"]
    assert "edge01" in findings["edge_events"]["message"]
    assert not {"edge_no_address", "edge_view_unknown"}.intersection(findings)
    assert "edge_not_reachable" not in run_.result("Check what federation depends on")["blocking"]

    mark = last(plays)
    run_ = run(plays, "explain", world, sfb_xmpp_for_user=USER, sfb_xmpp_for_partner="joe@" + HERE_ONLY)
    links = run_.result("Check the links between the user and the partner")["links"]
    (link,) = (one for one in links if one["code"] == "edge_not_reachable")
    assert (link["view"], link["name"]) == ("edge", "partner_server")
    assert "out" in link["blocks"]
    tests = [event for event in plays.lab.store().events(mark) if event.cmdlet == "Test-NetConnection"]
    assert {event.parameters["ComputerName"] for event in tests} == {"127.0.0.42"}, "only about the partner in question"

    into = plays.directory / "audit"
    run(plays, "audit", world, sfb_xmpp_into=into)
    audit = json.loads((into / "audit.json").read_text(encoding="utf-8"))
    partners = {one["domain"]: (one["verdict"], one["view"]) for one in audit["partners"]}
    assert partners == told
    found = {(one["code"], one["object"]): one for one in audit["findings"]}
    assert found["edge_not_reachable", HERE_ONLY]["view"] == "edge"
    assert found["only_edge_reaches", EDGE_ONLY]["severity"] == "unknown"
    assert ("edge_events", "default") in found
    assert [(one["id"], one["count"]) for one in audit["edge_events"] if one["host"] == "edge01"] == [(44002, 3)]
    for name in ("audit.md", "audit.html"):
        assert re.search(r"\\?\[Edge(\'|&#39;)s view\\?\]", (into / name).read_text(encoding="utf-8")), name
    # Nothing that an Edge says leads the controller anywhere.
    assert {event.host for event in plays.lab.store().events() if event.cmdlet in CMDLETS} == {"edge01", "edge02"}


def test_what_an_edge_cannot_tell_is_unknown(plays: Plays, world: dict[str, t.Any], tmp_path: Path) -> None:
    """Windows Server 2008 R2; a limit; a time that is too short for all."""
    store = plays.lab.store()
    store.set_setting("cmdlets_hidden", ["Resolve-DnsName", "Test-NetConnection", "Get-NetTCPConnection"])
    run_ = run(plays, "preflight", world)
    findings = {one["code"]: one for one in run_.result("Check what federation depends on")["findings"]}
    assert findings["edge_view_unknown"]["severity"] == "unknown"
    assert "Test-NetConnection" in findings["edge_view_unknown"]["message"]
    assert not {"edge_not_reachable", "edge_no_address"}.intersection(findings)
    assert asked(plays) == {"edge01": {"Get-WinEvent"}, "edge02": {"Get-WinEvent"}}

    # The first two are asked about. Of these one test fits into the time: each may take 25 s.
    store.set_setting("cmdlets_hidden", [])
    store.set_setting("unreachable_seconds", 3.5)
    store.set_setting("edge_network", {"127.0.0.1": False, "127.0.0.42": False})
    mark = last(plays)
    settings = {**world["sfb_xmpp_verification"], "edge_limit": 2, "edge_timeout": 28}
    run_ = run(plays, "verify", {**world, "sfb_xmpp_verification": settings})
    entries = {one["domain"]: one for one in run_.result("Verify the partners and the own domains")["domains"]}
    assert [one["reached"] for one in entries[EDGE_ONLY]["edges"]] == [False, False]
    assert [one["reached"] for one in entries[HERE_ONLY]["edges"]] == [None, None]
    assert (entries[HERE_ONLY]["verdict"], entries[HERE_ONLY]["view"]) == ("warning", "controller")
    assert "edges" not in entries[BOTH]
    assert "1 domains were not tested (edge_limit)" in run_.output
    assert "edge_timeout" in run_.output
    tests = [event for event in store.events(mark) if event.cmdlet == "Test-NetConnection"]
    assert [event.host for event in tests].count("edge01") == 1
