# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain: each link broken alone, any two at once, and what is not known."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import ERROR, UNKNOWN
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import Pool
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.chain import HostService, Obstacle, check_chain
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replication import Replica
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import EdgePool, Site, Topology

EDGE = EdgePool("edge.contoso.com", "sip.contoso.com", 5269, 23456, "2015")
EDGE_2019 = EdgePool("edge19.contoso.com", "sip19.contoso.com", None, None, "2019")
FE = Pool("fe01.contoso.com", "Redmond", ("fe01.contoso.com",), "2015", True, True)
EDGES = Pool("edge.contoso.com", "Redmond", ("edge01.contoso.com",), "2015", False, False)
SBA = Pool("sba.contoso.com", "Redmond", ("sba.contoso.com",), "2015", True, False)
FE_2019 = Pool("fe19.contoso.com", "Redmond", ("fe19.contoso.com",), "2019", True, True)


@dataclass(frozen=True)
class State:
    topology: Topology
    deployment: Deployment
    services: tuple[HostService, ...]

    def findings(self) -> list[Obstacle]:
        return check_chain(self.topology, self.deployment, self.services)

    def with_topology(self, **changed: t.Any) -> State:
        return replace(self, topology=replace(self.topology, **changed))

    def with_record(self, part: str, identity: str, **values: t.Any) -> State:
        old = self.deployment.records[part]
        had = old[identity.casefold()].values if identity.casefold() in old else {}
        new = {**old, identity.casefold(): Record(identity, {**had, **values})}
        return replace(self, deployment=replace(self.deployment, records={**self.deployment.records, part: new}))

    def with_service(self, host: str, status: str | None) -> State:
        services = tuple(replace(one, status=status) if one.host.startswith(host) else one for one in self.services)
        return replace(self, services=services)

    def with_user(self, **changed: t.Any) -> State:
        users = {key: replace(user, **changed) for key, user in self.deployment.users.items()}
        return replace(self, deployment=replace(self.deployment, users=users))


def _records(**values: dict[str, t.Any]) -> dict[str, Record]:
    return {name.casefold(): Record(name, given) for name, given in values.items()}


XMPP = {"enable_xmpp_access": True, "enable_federation_access": True, "enable_outside_access": True}
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
            "policies": _records(Global={}, Xmpp=XMPP),
            "partners": {"fabrikam.com": Record("fabrikam.com", {"additional_domains": ["b.fabrikam.com"]})},
            "access_edge": _records(Global={"allow_federated_users": True}),
        },
        {"cn=ann": User("CN=ann", "sip:ann@contoso.com", "Xmpp", "fe01.contoso.com")},
        all_users=True,
    ),
    (
        HostService("fe01", "gateway", "Running"),
        HostService("edge01", "proxy", "Running"),
        HostService("edge02", "proxy", "Running"),
    ),
)

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
]
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
    "route_unknown": lambda s: _without(s.with_topology(sites=None), "federation_routes"),
    "access_edge_unknown": lambda s: _without(s, "access_edge"),
    "partners_unknown": lambda s: _without(s, "partners"),
    "partner_allowed_unknown": lambda s: s.with_topology(allowed_domains=None),
    "partner_blocked_unknown": lambda s: s.with_topology(blocked_domains=None),
    "policies_unknown": lambda s: _without(s, "policies"),
    "replicas_unknown": lambda s: s.with_topology(replicas=None),
}


def _without(state: State, part: str) -> State:
    records = {name: own for name, own in state.deployment.records.items() if name != part}
    return replace(state, deployment=replace(state.deployment, records=records))


@pytest.mark.parametrize("code", LACKING)
def test_what_is_not_observable_is_never_a_pass_and_never_blocks(code: str) -> None:
    found = LACKING[code](HEALTHY).findings()
    assert [(one.code, one.severity, one.blocks) for one in found] == [(code, UNKNOWN, False)]
    assert "not observable" in found[0].message


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
    site = beside.with_record("policies", "site:Redmond", **XMPP).with_user(pool="fe19.contoso.com", policy="")
    assert [one.code for one in site.findings()] == ["users_elsewhere"]
    nobody = replace(beside, deployment=replace(beside.deployment, users={}, all_users=False))
    assert [one.code for one in nobody.findings()] == ["homes_unknown"]


def test_one_server_of_several_is_a_warning() -> None:
    (found,) = HEALTHY.with_service("edge02", "Stopped").findings()
    assert (found.code, found.severity, found.message) == (
        "proxy_stopped", "warning", "the XMPP proxy does not run on edge02",
    )  # fmt: skip


def test_nobody_looked_at_hosts() -> None:
    assert check_chain(HEALTHY.topology, HEALTHY.deployment) == []


def test_routes_that_were_not_read_as_a_kind_come_from_the_topology() -> None:
    state = _without(HEALTHY, "federation_routes")
    assert state.findings() == []
    assert [one.code for one in state.with_topology(sites=(Site("Redmond", "", ""),)).findings()] == ["no_route"]
