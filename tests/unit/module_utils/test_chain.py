# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain: each link broken alone, any two at once, and what is not known."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import ERROR, UNKNOWN, WARNING
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import (
    DEFAULT,
    INTERNAL,
    XMPP,
    DomainRecord,
    HostService,
    Known,
    ServerRead,
    UsedCertificate,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.links import LINKS
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.walk import Obstacle, idle, looked_at, walk
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import Pool
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_view import (
    EdgeTarget,
    EdgeView,
    LoggedEvent,
    Sight,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replication import Replica
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import EdgePool, Site, Topology

EDGE = EdgePool("edge.contoso.com", "sip.contoso.com", 5269, 23456, "2015")
EDGE_2019 = EdgePool("edge19.contoso.com", "sip19.contoso.com", None, None, "2019")
FE = Pool("fe01.contoso.com", "Redmond", ("fe01.contoso.com",), "2015", True, True)
EDGES = Pool("edge.contoso.com", "Redmond", ("edge01.contoso.com",), "2015", False, False)
SBA = Pool("sba.contoso.com", "Redmond", ("sba.contoso.com",), "2015", True, False)
FE_2019 = Pool("fe19.contoso.com", "Redmond", ("fe19.contoso.com",), "2019", True, True)


class State(Known):
    """A deployment of which one thing is changed."""

    def findings(self) -> list[Obstacle]:
        return walk(self)

    def with_topology(self, **changed: t.Any) -> State:
        assert self.topology is not None
        return replace(self, topology=replace(self.topology, **changed))

    def with_deployment(self, **changed: t.Any) -> State:
        assert self.deployment is not None
        return replace(self, deployment=replace(self.deployment, **changed))

    def with_record(self, part: str, identity: str, **values: t.Any) -> State:
        assert self.deployment is not None
        old = self.deployment.records[part]
        had = old[identity.casefold()].values if identity.casefold() in old else {}
        new = {**old, identity.casefold(): Record(identity, {**had, **values})}
        return self.with_deployment(records={**self.deployment.records, part: new})

    def without(self, part: str) -> State:
        assert self.deployment is not None
        return self.with_deployment(records={n: own for n, own in self.deployment.records.items() if n != part})

    def with_service(self, host: str, status: str | None) -> State:
        def changed(services: tuple[HostService, ...] | None) -> tuple[HostService, ...]:
            return tuple(replace(one, status=status) if one.host.startswith(host) else one for one in services or ())

        return replace(self, gateways=changed(self.gateways), proxies=changed(self.proxies))

    def with_user(self, **changed: t.Any) -> State:
        assert self.deployment is not None
        return self.with_deployment(users={k: replace(user, **changed) for k, user in self.deployment.users.items()})

    def with_server(self, host: str, **changed: t.Any) -> State:
        def those(servers: tuple[ServerRead, ...] | None) -> tuple[ServerRead, ...]:
            return tuple(replace(one, **changed) if one.host.startswith(host) else one for one in servers or ())

        return replace(self, edges=those(self.edges), front_ends=those(self.front_ends))

    def with_domain(self, state: t.Any, text: str = "") -> State:
        return replace(self, domains=(DomainRecord("contoso.com", state, text),))

    def with_sight(self, *sights: Sight) -> State:
        """What the Edges see of a partner: an Edge for each sight."""
        views = tuple(EdgeView("edge%02d" % number, (one,)) for number, one in enumerate(sights, 1))
        return replace(self, reach=(*(self.reach or ()), *views))


def used(usage: str, *faults: str) -> UsedCertificate:
    return UsedCertificate((usage,), dict.fromkeys(faults, "it expired on 2026-01-01T00:00:00Z"))


def _records(**values: dict[str, t.Any]) -> dict[str, Record]:
    return {name.casefold(): Record(name, given) for name, given in values.items()}


GIVES = {"enable_xmpp_access": True, "enable_federation_access": True, "enable_outside_access": True}
HEALTHY = State(
    Topology(
        release="2015",
        pools=(FE, EDGES),
        edges=(EDGE,),
        sites=(Site("Redmond", "edge.contoso.com", "edge.contoso.com"), Site("Dublin", "", "")),
        sip_domains=("contoso.com",),
        allowed_domains=("litware.com",),
        blocked_domains=("spam.example",),
        replicas=(Replica("edge01.contoso.com", True, None), Replica("fe01.contoso.com", True, None)),
    ),
    Deployment(
        "",
        {
            "federation_routes": _records(Redmond={"edge_pool": "edge.contoso.com"}, Dublin={"edge_pool": ""}),
            "policies": _records(Global={}, Xmpp=GIVES),
            "partners": {"fabrikam.com": Record("fabrikam.com", {"additional_domains": ["b.fabrikam.com"]})},
            "access_edge": _records(Global={"allow_federated_users": True}),
        },
        {"cn=ann": User("CN=ann", "sip:ann@contoso.com", "Xmpp", "fe01.contoso.com")},
        all_users=True,
    ),
    (HostService("fe01", "gateway", "Running"),),
    (HostService("edge01", "proxy", "Running"), HostService("edge02", "proxy", "Running")),
    tuple(ServerRead(host, (used(XMPP), used(INTERNAL)), 1.5) for host in ("edge01", "edge02")),
    (ServerRead("fe01", (used(DEFAULT),), 0.5),),
    (DomainRecord("contoso.com", "holds"),),
    "",
)

LOGGED = LoggedEvent(44002, 2, "LS XMPP Translating Gateway Proxy", 3, "2027-03-01T06:00:00Z", "no answer")

# What breaks a link, in the order of the links; the codes that are found then.
BROKEN: dict[str, tuple[t.Callable[[State], State], list[str]]] = {
    "no_legacy_pool": (
        lambda s: s.with_topology(pools=(FE_2019, EDGES)),
        ["no_legacy_pool"],
    ),
    "server_later": (lambda s: s.with_topology(release="2019"), ["server_later"]),
    "edge_without_xmpp": (
        lambda s: s.with_topology(edges=(replace(EDGE, listening_port=None, internal_port=None),)),
        ["edge_without_xmpp"],
    ),
    "gateway_not_installed": (lambda s: s.with_service("fe", ""), ["gateway_not_installed"]),
    "proxy_not_installed": (lambda s: s.with_service("edge", ""), ["proxy_not_installed"]),
    "gateway_stopped": (lambda s: s.with_service("fe", "Stopped"), ["gateway_stopped"]),
    "proxy_stopped": (lambda s: s.with_service("edge", "StopPending"), ["proxy_stopped"]),
    "no_route": (lambda s: s.with_record("federation_routes", "Redmond", edge_pool=""), ["no_route"]),
    "route_elsewhere": (
        lambda s: s.with_record("federation_routes", "Redmond", edge_pool="edge19.contoso.com"),
        ["route_elsewhere"],
    ),
    "two_routes": (
        lambda s: s.with_record("federation_routes", "Dublin", edge_pool="edge19.contoso.com"),
        ["two_routes"],
    ),
    "federation_off": (
        lambda s: s.with_record("access_edge", "Global", allow_federated_users=False),
        ["federation_off"],
    ),
    "partner_allowed": (lambda s: s.with_topology(allowed_domains=("b.fabrikam.com",)), ["partner_allowed"]),
    "partner_blocked": (lambda s: s.with_topology(blocked_domains=("fabrikam.com",)), ["partner_blocked"]),
    "users_elsewhere": (lambda s: s.with_user(pool=""), ["users_elsewhere"]),
    "policy_without_federation": (
        lambda s: s.with_record("policies", "Xmpp", enable_federation_access=False),
        ["policy_without_federation"],
    ),
    "policy_without_outside": (
        lambda s: s.with_record("policies", "Xmpp", enable_outside_access=False),
        ["policy_without_outside"],
    ),
    "replica_behind": (
        lambda s: s.with_topology(replicas=(Replica("edge01.contoso.com", False, None),)),
        ["replica_behind"],
    ),
    "srv_missing": (lambda s: s.with_domain("missing"), ["srv_missing"]),
    "srv_elsewhere": (lambda s: s.with_domain("elsewhere", "contoso.com names old.contoso.com"), ["srv_elsewhere"]),
    "rights": (lambda s: replace(s, rights="the account can read but not write"), ["rights"]),
    "certificate_missing": (
        lambda s: s.with_server("edge", certificates=(used(INTERNAL),)),
        ["certificate_missing"],
    ),
    "certificate_expired": (
        lambda s: s.with_server("edge", certificates=(used(XMPP, "expired"), used(INTERNAL))),
        ["certificate_expired"],
    ),
    "certificate_invalid": (
        lambda s: s.with_server("edge", certificates=(used(XMPP, "name_mismatch"), used(INTERNAL))),
        ["certificate_invalid"],
    ),
    "internal_certificate_expired": (
        lambda s: s.with_server("edge", certificates=(used(XMPP), used(INTERNAL, "expired"))),
        ["internal_certificate_expired"],
    ),
    "default_certificate_expired": (
        lambda s: s.with_server("fe", certificates=(used(DEFAULT, "not_yet_valid"),)),
        ["default_certificate_expired"],
    ),
    "clock_apart": (lambda s: s.with_server("edge01", clock_ahead=601.0), ["clock_apart"]),
    "edge_not_reachable": (
        lambda s: s.with_sight(Sight("fabrikam.com", "found", (), (EdgeTarget("x.f.com", "192.0.2.1", 5269, False),))),
        ["edge_not_reachable"],
    ),
    "edge_no_address": (lambda s: s.with_sight(Sight("b.fabrikam.com", "none")), ["edge_no_address"]),
    "edge_events": (lambda s: replace(s, views=(EdgeView("edge01", events=(LOGGED,), hours=24),)), ["edge_events"]),
}
BLOCKING = {"edge_without_xmpp", "no_route", "route_elsewhere"}


def test_a_healthy_deployment_has_no_finding() -> None:
    assert HEALTHY.findings() == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_link_is_named_with_all_that_there_is_to_say(name: str) -> None:
    breaks, codes = BROKEN[name]
    found = breaks(HEALTHY).findings()
    assert [one.code for one in found] == codes
    first = found[0]
    assert all((first.message, first.remedy, first.effect, first.where))
    assert first.blocks is (name in BLOCKING)
    assert set(first.as_dict()) == {"code", "severity", "message", "remedy", "effect", "where", "blocks"}


# Those that change the same thing.
_SAME = [
    {"gateway_not_installed", "gateway_stopped"},
    {"proxy_not_installed", "proxy_stopped"},
    {"no_route", "route_elsewhere"},
    {"no_route", "two_routes"},
    {"route_elsewhere", "two_routes"},
    {"srv_missing", "srv_elsewhere"},
]
_OF_EDGES = {"certificate_missing", "certificate_expired", "certificate_invalid", "internal_certificate_expired"}
_SAME += [{one, two} for one in _OF_EDGES for two in _OF_EDGES]
PAIRS = [pair for pair in itertools.combinations(BROKEN, 2) if set(pair) not in _SAME]


@pytest.mark.parametrize(("earlier", "later"), PAIRS)
def test_of_two_broken_links_the_earlier_is_named_first(earlier: str, later: str) -> None:
    found = [one.code for one in BROKEN[later][0](BROKEN[earlier][0](HEALTHY)).findings()]
    assert found[0] == earlier
    assert later in found


def test_a_route_to_the_only_edge_pool_is_no_second_finding_where_that_has_no_xmpp() -> None:
    without = BROKEN["edge_without_xmpp"][0](HEALTHY)
    assert [one.code for one in without.findings()] == ["edge_without_xmpp"]
    nowhere = BROKEN["route_elsewhere"][0](HEALTHY.with_topology(edges=(EDGE_2019,))).findings()
    assert [one.code for one in nowhere] == ["edge_without_xmpp"]


LACKING: dict[str, t.Callable[[State], State]] = {
    "pools_unknown": lambda s: s.with_topology(pools=None),
    "edge_unknown": lambda s: s.with_topology(edges=None),
    "gateway_unknown": lambda s: s.with_service("fe", None),
    "proxy_unknown": lambda s: s.with_service("edge", None),
    "route_unknown": lambda s: s.with_topology(sites=None).without("federation_routes"),
    "access_edge_unknown": lambda s: s.without("access_edge"),
    "partners_unknown": lambda s: s.without("partners"),
    "partner_allowed_unknown": lambda s: s.with_topology(allowed_domains=None),
    "partner_blocked_unknown": lambda s: s.with_topology(blocked_domains=None),
    "policies_unknown": lambda s: s.without("policies"),
    "replicas_unknown": lambda s: s.with_topology(replicas=None),
    "unreadable": lambda s: s.with_deployment(unreadable={"Get-CsSite": "the answer cannot be read: x"}),
    "srv_unknown": lambda s: s.with_domain("unknown", "SERVFAIL"),
    "certificate_unknown": lambda s: s.with_server("edge02", certificates=None),
    "edge_view_unknown": lambda s: replace(s, views=(EdgeView("edge01", left=2),)),
}


@pytest.mark.parametrize("code", LACKING)
def test_what_is_not_observable_is_never_a_pass_and_never_blocks(code: str) -> None:
    found = LACKING[code](HEALTHY).findings()
    assert [(one.code, one.severity, one.blocks) for one in found] == [(code, UNKNOWN, False)]
    assert all((found[0].message, found[0].remedy, found[0].effect, found[0].where))


def test_who_is_homed_on_a_branch_appliance_has_no_xmpp() -> None:
    with_sba = HEALTHY.with_topology(pools=(FE, EDGES, SBA))
    assert with_sba.findings() == []
    (found,) = with_sba.with_user(pool="sba.contoso.com").findings()
    assert (found.code, found.severity) == ("users_elsewhere", ERROR)
    assert "ann@contoso.com (sba.contoso.com)" in found.message
    # It is no legacy Front End pool either, though its release is a legacy one.
    assert [one.code for one in HEALTHY.with_topology(pools=(FE_2019, EDGES, SBA)).findings()] == ["no_legacy_pool"]
    unread = HEALTHY.with_topology(pools=(replace(FE, front_end=None), EDGES))
    assert [one.code for one in unread.findings()] == ["pools_unknown"]


def test_of_a_server_whose_name_is_none_of_the_topology_nothing_is_said() -> None:
    assert HEALTHY.with_topology(release=None).findings() == []


def test_a_release_that_is_not_known_is_no_good_one() -> None:
    unknown = HEALTHY.with_topology(pools=(replace(FE, release=None),), edges=(replace(EDGE, release=None),))
    assert [one.code for one in unknown.findings()] == ["pools_unknown", "edge_unknown"]


def test_a_later_pool_beside_the_legacy_one_is_no_finding() -> None:
    assert HEALTHY.with_topology(pools=(FE, FE_2019), edges=(EDGE, EDGE_2019)).findings() == []


def test_who_is_homed_there_is_named_and_only_if_he_would_have_xmpp() -> None:
    beside = HEALTHY.with_topology(pools=(FE, FE_2019))
    (found,) = beside.with_user(pool="FE19.contoso.com").findings()
    assert (found.code, found.severity) == ("users_elsewhere", ERROR)
    assert "ann@contoso.com (FE19.contoso.com)" in found.message
    assert beside.with_user(pool="fe19.contoso.com", policy="").findings() == []
    site = beside.with_record("policies", "site:Redmond", **GIVES).with_user(pool="fe19.contoso.com", policy="")
    assert [one.code for one in site.findings()] == ["users_elsewhere"]
    nobody = beside.with_deployment(users={}, all_users=False)
    assert [one.code for one in nobody.findings()] == ["homes_unknown"]


def test_one_server_of_several_is_a_warning() -> None:
    (found,) = HEALTHY.with_service("edge02", "Stopped").findings()
    assert (found.code, found.severity, found.message) == (
        "proxy_stopped", "warning", "the XMPP proxy does not run on edge02",
    )  # fmt: skip


def test_nobody_looked_at_hosts() -> None:
    assert walk(Known()) == walk(Known(HEALTHY.topology, HEALTHY.deployment)) == []


def test_routes_that_were_not_read_as_a_kind_come_from_the_topology() -> None:
    state = HEALTHY.without("federation_routes")
    assert state.findings() == []
    assert [one.code for one in state.with_topology(sites=(Site("Redmond", "", ""),)).findings()] == ["no_route"]


def test_a_code_stands_once_in_the_table_and_every_link_of_a_deployment_is_broken_above() -> None:
    codes = [link.code for link in LINKS]
    assert len(codes) == len(set(codes))
    of_two = {"row_invalid", "row_risky", "user_unknown", "user_not_enabled", "partner_not_allowed"}
    of_two |= {"partner_unverified", "policy_without_xmpp"}
    assert set(codes) == {*BROKEN, *LACKING, "homes_unknown", *of_two}
    assert {link.code for link in LINKS if link.stops} == BLOCKING
    assert all(link.severity == UNKNOWN for link in LINKS if link.code.endswith("_unknown"))


def test_a_partner_that_another_edge_reaches_is_a_warning() -> None:
    target = EdgeTarget("x.fabrikam.com", "192.0.2.1", 5269, False)
    bad = Sight("fabrikam.com", "found", (), (target,))
    good = replace(bad, targets=(replace(target, reached=True),))
    (found,) = HEALTHY.with_sight(bad, good).findings()
    assert (found.code, found.severity) == ("edge_not_reachable", WARNING)
    assert HEALTHY.with_sight(good, good).findings() == []
    # Of two partners the one that nobody reaches counts.
    (found,) = HEALTHY.with_sight(bad, good).with_sight(replace(bad, domain="litware.com")).findings()
    assert (found.severity, found.effect) == (ERROR, "no message is exchanged with litware.com")


def test_events_of_other_services_are_no_finding() -> None:
    view = EdgeView("edge01", events=(replace(LOGGED, provider="LS Protocol Stack"),), hours=24)
    assert replace(HEALTHY, views=(view,)).findings() == []


def test_services_that_are_missing_and_stopped_leave_none_that_works() -> None:
    found = HEALTHY.with_service("edge01", "").with_service("edge02", "Stopped").findings()
    assert [(one.code, one.severity) for one in found] == [("proxy_not_installed", ERROR), ("proxy_stopped", ERROR)]
    unknown = HEALTHY.with_service("edge01", None).with_service("edge02", "Stopped").findings()
    assert [(one.code, one.severity) for one in unknown] == [("proxy_stopped", WARNING), ("proxy_unknown", UNKNOWN)]


def test_an_accepted_code_is_idle_only_where_its_link_was_looked_at() -> None:
    known = Known(HEALTHY.topology, HEALTHY.deployment)
    assert idle(["no_route", "proxy_stopped", "two_routes", "nonsense"], ["no_route"], known) == [
        "two_routes",
        "nonsense",
    ]
    assert not any(looked_at(link, Known()) for link in LINKS)


def test_what_is_valid_on_one_server_of_two_is_a_warning() -> None:
    for usage, code in ((XMPP, "certificate_expired"), (INTERNAL, "internal_certificate_expired")):
        others = tuple(used(one) for one in (XMPP, INTERNAL) if one != usage)
        (found,) = HEALTHY.with_server("edge01", certificates=(*others, used(usage, "expired"))).findings()
        assert (found.code, found.severity) == (code, WARNING)
        assert "edge01 (it expired on" in found.message


def test_a_certificate_that_the_next_run_assigns_is_no_obstacle() -> None:
    assert HEALTHY.with_server("edge", certificates=(used(INTERNAL),), declared=True).findings() == []


def test_a_front_end_or_an_edge_of_which_the_certificates_of_mtls_were_not_read_is_left_out() -> None:
    bare = HEALTHY.with_server("edge", certificates=(used(XMPP),)).with_server("fe", certificates=None)
    assert bare.findings() == []
    assert {link.code for link in LINKS if not looked_at(link, bare)} >= {
        "internal_certificate_expired", "default_certificate_expired",
    }  # fmt: skip


@pytest.mark.parametrize(("ahead", "told"), [(601.0, "edge01 (601 s ahead)"), (-301.0, "edge01 (301 s behind)")])
def test_a_clock_that_is_wrong_is_named(ahead: float, told: str) -> None:
    (found,) = HEALTHY.with_server("edge01", clock_ahead=ahead).findings()
    assert (found.code, found.severity) == ("clock_apart", WARNING)
    assert told in found.message
    assert HEALTHY.with_server("edge01", clock_ahead=ahead / abs(ahead) * 300).findings() == []
