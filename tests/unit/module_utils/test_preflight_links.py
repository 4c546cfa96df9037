# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where SRV records lead, by address; and what the options say of servers, as values."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import ERROR, UNKNOWN
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.conditions import access_edges
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import XMPP, Known
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.records import look_up, read_records
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.servers import servers_known
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.walk import Obstacle, walk
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import Addresses, ServiceRecord, Services
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import EdgePool, Topology
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.budget import Budget, TimeUp

EDGE = "sip.contoso.com"
HOSTS = {
    EDGE: ("192.0.2.1", "2001:db8::1"),
    "xmpp.contoso.com": ("192.0.2.1",),
    "old.contoso.com": ("192.0.2.9",),
    "nowhere.contoso.com": (),
}


class Names:
    """Answers from ``records``: a domain's targets, a state that is none of found, or an exception."""

    def __init__(self, **records: t.Any) -> None:
        self._records = {name.replace("_", "."): value for name, value in records.items()}
        self.silent: set[str] = set()

    def services(self, domain: str, budget: Budget) -> Services:
        found = self._records[domain]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, str):
            return Services(found, (), "SERVFAIL")
        return Services("found", tuple(ServiceRecord(host, 5269) for host in found))

    def addresses(self, host: str, budget: Budget) -> Addresses:
        if host in self.silent:
            return Addresses("unknown", (), "no answer for %s" % host)
        return Addresses("found" if HOSTS[host] else "none", HOSTS[host])


def look(names: Names, domains: t.Sequence[str] = ("contoso.com",)) -> list[Obstacle]:
    topology = Topology(edges=(EdgePool("edge.contoso.com", EDGE, 5269, 23456, "2015"),), pools=None)
    known = Known(topology=topology, domains=read_records(domains, [EDGE], names))
    return [one for one in walk(known) if one.code.startswith("srv_")]


@pytest.mark.parametrize("targets", [[EDGE], ["xmpp.contoso.com"], ["old.contoso.com", "xmpp.contoso.com"]])
def test_addresses_decide_and_one_record_is_enough(targets: list[str]) -> None:
    assert look(Names(contoso_com=targets)) == []


@pytest.mark.parametrize(
    ("answer", "code", "severity", "told"),
    [
        ("none", "srv_missing", ERROR, "there is no record _xmpp-server._tcp of contoso.com"),
        ("not_offered", "srv_missing", ERROR, "there is no record"),
        (["old.contoso.com"], "srv_elsewhere", ERROR, "contoso.com leads to old.contoso.com (192.0.2.9)"),
        (["nowhere.contoso.com"], "srv_elsewhere", ERROR, "nowhere.contoso.com (no address)"),
        ("unknown", "srv_unknown", UNKNOWN, "SERVFAIL"),
        (TimeUp(), "srv_unknown", UNKNOWN, "no name server answered in time"),
    ],
)
def test_what_is_wrong_is_said(answer: t.Any, code: str, severity: str, told: str) -> None:
    (found,) = look(Names(contoso_com=answer))
    assert (found.code, found.severity, found.blocks) == (code, severity, False)
    assert told in found.message


def test_what_cannot_be_seen_is_no_error() -> None:
    names = Names(contoso_com=["old.contoso.com"])
    for silent in (EDGE, "old.contoso.com"):
        names.silent = {silent}
        assert [one.code for one in look(names)] == ["srv_unknown"]


def test_several_domains_share_a_finding() -> None:
    names = Names(a_com="none", b_com=[EDGE], c_com="none", d_com=["old.contoso.com"])
    missing, elsewhere = look(names, ("a.com", "b.com", "c.com", "d.com"))
    assert "a.com, c.com" in missing.message
    assert "d.com leads to" in elsewhere.message


def test_without_a_gateway_or_a_domain_there_is_nothing_to_look_up() -> None:
    assert look_up(Topology(), ["contoso.com"], ["192.0.2.53"]) is None
    assert look_up(Topology(edges=(), sip_domains=("contoso.com",)), [], ["192.0.2.53"]) is None


def test_records_lead_to_xmpp_and_where_there_is_none_to_where_it_may_be() -> None:
    has, may = EdgePool("a", EDGE, 5269, 23456, "2015"), EdgePool("b", "old.contoso.com", None, None, "2015")
    later = EdgePool("c", "later.contoso.com", None, None, "2019")
    assert access_edges(Topology(edges=(later, may, has))) == [EDGE]
    assert access_edges(Topology(edges=(later, may))) == ["old.contoso.com"]
    assert access_edges(Topology(edges=(later,))) == []


@pytest.mark.parametrize(("domains", "servers"), [(["*.contoso.com"], []), (["contoso.com"], ["dns.contoso.com"])])
def test_mistakes_name_their_option(domains: list[str], servers: list[str]) -> None:
    topology = Topology(edges=(EdgePool("edge.contoso.com", EDGE, 5269, 23456),))
    with pytest.raises(Invalid, match="^nameservers: " if servers else "^domains: "):
        look_up(topology, domains, servers)


# Servers


def certificate(usage: str, *codes: str, severity: str = "error") -> dict[str, t.Any]:
    found = [{"code": code, "message": "it expired", "severity": severity} for code in codes]
    return {"usages": [usage], "findings": found}


def test_what_the_options_say_of_servers() -> None:
    assert servers_known({}) == Known()
    assert servers_known({"services": [], "edges": None, "front_ends": []}) == Known()
    edges = [
        {"host": "edge01", "certificates": [certificate(XMPP, "expired")], "clock_ahead": 1.5},
        {"host": "edge02", "certificates": [certificate(XMPP, "expires_soon", severity="warning")]},
        {"host": "edge03", "certificates": [certificate("AccessEdgeExternal")], "declared": True},
        {"host": "edge04", "certificates": []},
        {"host": "edge05", "certificates": None},
        {"host": "edge06", "certificates": [certificate(XMPP, "name_mismatch")]},
    ]
    services = [{"host": "fe01", "kind": "gateway", "status": ""}, {"host": "edge01", "kind": "proxy"}]
    known = servers_known({"services": services, "edges": edges})
    states = [one.state(XMPP) for one in known.edges or ()]
    assert states == ["over", "holds", "holds", "missing", "unknown", "invalid"]
    assert [one.status for one in (*(known.gateways or ()), *(known.proxies or ()))] == ["", None]
    assert known.front_ends is None
