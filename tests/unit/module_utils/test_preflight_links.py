# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The links that are not in the store: SRV records by address, certificates and clocks of the Edges."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import ERROR, UNKNOWN, WARNING
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.module_utils._preflight.edges import check_edges
from ansible_collections.sfb.xmpp.plugins.module_utils._preflight.records import access_edges, check_records, look_up
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import Addresses, Service, Services
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.chain import Obstacle
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
        return Services("found", tuple(Service(host, 5269) for host in found))

    def addresses(self, host: str, budget: Budget) -> Addresses:
        if host in self.silent:
            return Addresses("unknown", (), "no answer for %s" % host)
        return Addresses("found" if HOSTS[host] else "none", HOSTS[host])


def look(names: Names, domains: t.Sequence[str] = ("contoso.com",)) -> list[Obstacle]:
    return check_records(domains, [EDGE], names)


@pytest.mark.parametrize("targets", [[EDGE], ["xmpp.contoso.com"], ["old.contoso.com", "xmpp.contoso.com"]])
def test_addresses_decide_and_one_record_is_enough(targets: list[str]) -> None:
    assert look(Names(contoso_com=targets)) == []


@pytest.mark.parametrize(
    ("answer", "code", "severity", "told"),
    [
        ("none", "srv_missing", ERROR, "there is no record _xmpp-server._tcp of contoso.com"),
        ("not_offered", "srv_missing", ERROR, "there is no record"),
        (["old.contoso.com"], "srv_elsewhere", ERROR, "contoso.com names old.contoso.com (192.0.2.9)"),
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
    assert "d.com names" in elsewhere.message


def test_without_a_gateway_or_a_domain_there_is_nothing_to_look_up() -> None:
    assert look_up(Topology(), ["contoso.com"], ["192.0.2.53"]) == []
    assert look_up(Topology(edges=(), sip_domains=("contoso.com",)), [], ["192.0.2.53"]) == []


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


# Edges


def edge(host: str, *codes: str, usage: str = "XmppServer", **more: t.Any) -> dict[str, t.Any]:
    found = [{"code": code, "message": "it expired on 2026-01-01T00:00:00Z"} for code in codes]
    return {"host": host, "certificates": [{"usages": [usage], "findings": found}], "clock_ahead": 1.5, **more}


def test_edges_on_which_all_is_well() -> None:
    assert check_edges(None) == check_edges([]) == []
    assert check_edges([edge("edge01"), edge("edge02", "expires_soon", clock_ahead=None)]) == []


def test_a_certificate_that_is_over_on_one_of_two_is_a_warning() -> None:
    (one,) = check_edges([edge("edge01", "expired"), edge("edge02")])
    assert (one.code, one.severity) == ("certificate_expired", WARNING)
    assert "edge01 (it expired on" in one.message
    (both,) = check_edges([edge("edge01", "expired"), edge("edge02", "not_yet_valid")])
    assert both.severity == ERROR


def test_a_certificate_of_another_usage_does_not_count() -> None:
    other = edge("edge01", usage="AccessEdgeExternal")
    assert [one.code for one in check_edges([other])] == ["certificate_missing"]
    assert check_edges([{**other, "declared": True}]) == []


@pytest.mark.parametrize(("ahead", "told"), [(601.0, "edge01 (601 s ahead)"), (-301.0, "edge01 (301 s behind)")])
def test_a_clock_that_is_wrong_is_named(ahead: float, told: str) -> None:
    (found,) = check_edges([edge("edge01", clock_ahead=ahead), edge("edge02")])
    assert (found.code, found.severity) == ("clock_apart", WARNING)
    assert told in found.message
    assert check_edges([edge("edge01", clock_ahead=ahead / abs(ahead) * 300)]) == []


def test_what_could_not_be_read_is_not_observable() -> None:
    (found,) = check_edges([{"host": "edge01"}, edge("edge02")])
    assert (found.code, found.severity) == ("certificate_unknown", UNKNOWN)
    assert "edge01" in found.message
