# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain that federation hangs on, link after link in the order of the documentation, and what is broken. Pure.

What is not observable is a finding of its own, neither good nor broken, and never stops a run.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR, UNKNOWN, WARNING, Finding
from .._base.names import key as key_of
from .._base.texts import some
from .._federation.deployment import Deployment, User
from .._federation.pools import LATER, LEGACY
from .topology import EdgePool, Topology

# How lines for people begin.
MARKS = {ERROR: "!", UNKNOWN: "?", WARNING: "*"}
# Of hosts, of names and of the account: findings that a run which looks at the store alone has no way to make.
_ELSEWHERE = ("gateway_", "proxy_", "clock_", "certificate_", "srv_", "rights")

BUILDER = "Topology Builder"
_NOTHING = "nobody exchanges a message with any XMPP partner"
_OLDER = "Lync Server 2013 or Skype for Business Server 2015"


@dataclass(frozen=True)
class Obstacle(Finding):
    """A broken link. message: the cause. effect: on users. where: the place in the product to change it.

    blocks: whether additions are pointless until it is mended, so that a run has to stop before it writes.
    """

    # Those of a finding once more, since tools that read one file at a time take a class for what stands in it.
    code: str
    severity: str
    message: str
    remedy: str = ""
    subject: str = ""
    effect: str = ""
    where: str = ""
    blocks: bool = False

    def as_dict(self) -> dict[str, t.Any]:
        return {**super().as_dict(), "effect": self.effect, "where": self.where, "blocks": self.blocks}


@dataclass(frozen=True)
class HostService:
    """An XMPP service of a host. kind: gateway (Front End) or proxy (Edge). status: as the product spells it, '' where
    the host has none, None where it could not be read.
    """

    host: str
    kind: t.Literal["gateway", "proxy"]
    status: str | None


def check_chain(
    topology: Topology,
    deployment: Deployment,
    services: t.Sequence[HostService] | None = None,
    *,
    all_users: bool = True,
) -> list[Obstacle]:
    """All that is broken, the first link first.

    deployment: what the plan will make of it. Kinds that are not in it could not be read. services: None where nobody
    looked at hosts. all_users: whether they were to be read, so that it is a finding where they were not.
    """
    return [
        *_release(topology),
        *_edge(topology),
        *_services(services),
        *_route(topology, deployment),
        *_access_edge(deployment),
        *_partners(topology, deployment),
        *_homes(topology, deployment, all_users),
        *_policies(deployment),
        *_replicas(topology),
    ]


def idle(ignore: t.Sequence[str], ignored: t.Collection[str]) -> list[str]:
    """The codes that match nothing, in a run that looks at the store alone."""
    return [code for code in ignore if code not in ignored and not code.startswith(_ELSEWHERE)]


def _unknown(code: str, what: str, cmdlet: str) -> Obstacle:
    return Obstacle(
        code,
        UNKNOWN,
        "%s is not observable with this account" % what,
        "look with an account that is offered %s" % cmdlet,
        effect="it is not known whether this link holds",
        where="the account's RBAC roles (Get-CsAdminRole)",
    )


# What there is


def _release(topology: Topology) -> t.Iterator[Obstacle]:
    pools = [pool for pool in topology.pools or () if pool.registrar is not False]
    if topology.pools is None or not (any(p.has_xmpp for p in pools) or all(p.has_xmpp is False for p in pools)):
        yield _unknown("pools_unknown", "which pools are legacy Front End pools", "Get-CsPool and Get-CsService")
    elif not any(pool.has_xmpp for pool in pools):
        yield Obstacle(
            "no_legacy_pool",
            ERROR,
            "no Front End pool is of %s, and later releases have no XMPP gateway" % _OLDER,
            "keep or install a legacy pool beside the later ones (coexistence), and home there who needs XMPP",
            effect=_NOTHING,
            where="%s, a Front End pool and an Edge pool of the former release" % BUILDER,
        )
    if topology.release not in (None, *LEGACY):
        yield Obstacle(
            "server_later",
            WARNING,
            "the server that answers is of %s" % LATER,
            "use a Front End of the legacy pool in sfb_management",
            effect="none by itself; its cmdlets for XMPP may be missing or may not be supported",
            where="the inventory, group sfb_management",
        )


def _good_edges(topology: Topology) -> list[EdgePool]:
    return [edge for edge in topology.edges or () if edge.has_xmpp and edge.legacy is not False]


def _edge(topology: Topology) -> t.Iterator[Obstacle]:
    if topology.edges is None:
        yield _unknown("edge_unknown", "whether an Edge pool has XMPP federation", "Get-CsService")
        return
    good = _good_edges(topology)
    if any(edge.legacy for edge in good):
        return
    if good:
        yield _unknown("edge_unknown", "the release of %s" % some([edge.fqdn for edge in good]), "Get-CsPool")
        return
    legacy = [edge.fqdn for edge in topology.edges if edge.legacy is not False]
    yield Obstacle(
        "edge_without_xmpp",
        ERROR,
        "XMPP federation is not enabled on %s" % some(legacy)
        if legacy
        else "the topology has no Edge pool of %s" % _OLDER,
        "enable it, publish the topology, and run the deployment wizard on each Edge server again",
        effect=_NOTHING,
        where="%s, Edge pools, Edit Properties, Enable XMPP federation (port 5269)" % BUILDER,
        blocks=True,
    )


def _services(services: t.Sequence[HostService] | None) -> t.Iterator[Obstacle]:
    """First whether they are there, then whether they run. One host that has none leaves the others in service."""
    kinds = (("gateway", "XMPP gateway", "Front End"), ("proxy", "XMPP proxy", "Edge"))
    for state in ("missing", "stopped", "unknown"):
        for kind, title, role in kinds:
            own = [one for one in services or () if one.kind == kind]
            if state == "missing":
                hosts = [one.host for one in own if one.status == ""]
            elif state == "stopped":
                hosts = [one.host for one in own if one.status and one.status != "Running"]
            else:
                hosts = [one.host for one in own if one.status is None]
            if not hosts:
                continue
            if state == "unknown":
                yield _unknown("%s_unknown" % kind, "the %s on %s" % (title, some(hosts)), "Get-CsWindowsService")
                continue
            all_of_them = len(hosts) == len(own)
            yield Obstacle(
                "%s_%s" % (kind, "not_installed" if state == "missing" else "stopped"),
                ERROR if all_of_them else WARNING,
                "%s has no %s service" % (some(hosts), title)
                if state == "missing"
                else "the %s does not run on %s" % (title, some(hosts)),
                "run the deployment wizard there, step 2 (Setup or Remove Components)"
                if state == "missing"
                else "start it (sfb.xmpp.xmpp_gateway_service, or Start-CsWindowsService)",
                effect=_NOTHING if all_of_them else "the other servers carry it alone",
                where="the %s server itself" % role,
            )


# What it is set to


def routes_of(topology: Topology, deployment: Deployment) -> dict[str, str] | None:
    """Site -> Edge pool in lower case, as they will be."""
    if "federation_routes" in deployment.records:
        found = deployment.of("federation_routes").values()
        return {record.identity: str(record.values.get("edge_pool", "")).casefold() for record in found}
    if topology.sites is None:
        return None
    return {site.name: site.xmpp_route.casefold() for site in topology.sites}


def _route(topology: Topology, deployment: Deployment) -> t.Iterator[Obstacle]:
    routes = routes_of(topology, deployment)
    if routes is None:
        yield _unknown("route_unknown", "the XMPP federation route of the sites", "Get-CsSite")
        return
    where = "%s, the site's properties, Federation route, Enable XMPP federation" % BUILDER
    targets = sorted(set(routes.values()) - {""})
    good = {edge.fqdn.casefold() for edge in _good_edges(topology)}
    # A route to the Edge pool that is to get XMPP is as it should be.
    possible = good or {edge.fqdn.casefold() for edge in topology.edges or () if edge.legacy is not False}
    if not targets:
        yield Obstacle(
            "no_route",
            ERROR,
            "no site has an XMPP federation route",
            "set one (sfb_xmpp_federation_routes), to an Edge pool that has XMPP%s" % _named(good),
            effect=_NOTHING,
            where=where,
            blocks=True,
        )
    elif possible and not possible & set(targets):
        yield Obstacle(
            "route_elsewhere",
            ERROR,
            "the XMPP federation route leads to %s, which has no XMPP" % some(targets),
            "lead it to an Edge pool that has%s" % _named(good),
            effect=_NOTHING,
            where=where,
            blocks=True,
        )
    if len(targets) > 1:
        yield Obstacle(
            "two_routes",
            ERROR,
            "the XMPP federation routes lead to several Edge pools: %s" % some(targets),
            "let all sites use the same one",
            effect="partners reach only one of them by DNS, and what the other sends comes from another server",
            where=where,
        )


def _named(edges: t.Collection[str]) -> str:
    return ": " + some(sorted(edges)) if edges else ""


def _access_edge(deployment: Deployment) -> t.Iterator[Obstacle]:
    record = deployment.of("access_edge").get("global")
    if record is None:
        yield _unknown("access_edge_unknown", "whether federation is on", "Get-CsAccessEdgeConfiguration")
    elif not record.values.get("allow_federated_users"):
        yield Obstacle(
            "federation_off",
            ERROR,
            "the Access Edge does not allow federated users",
            "set allow_federated_users in sfb_xmpp_access_edge; it opens SIP federation too",
            effect=_NOTHING,
            where="Control Panel, Federation and External Access, Access Edge Configuration",
        )


def _partners(topology: Topology, deployment: Deployment) -> t.Iterator[Obstacle]:
    """A domain that SIP federation handles is not asked by XMPP (pages of XMPP partners and SIP federated domains)."""
    if "partners" not in deployment.records:
        yield _unknown("partners_unknown", "which partners there are", "Get-CsXmppAllowedPartner")
        return
    own = {
        str(domain)
        for record in deployment.of("partners").values()
        for domain in (record.identity, *record.values["additional_domains"])
    }
    lists = (
        ("partner_allowed", topology.allowed_domains, "allowed", "Get-CsAllowedDomain"),
        ("partner_blocked", topology.blocked_domains, "blocked", "Get-CsBlockedDomain"),
    )
    for code, domains, word, cmdlet in lists:
        if domains is None and own:
            yield _unknown(code + "_unknown", "which SIP domains are %s" % word, cmdlet)
        both = sorted(own & set(domains or ()))
        if both:
            yield Obstacle(
                code,
                ERROR,
                "%s: XMPP partner and %s SIP domain at once" % (some(both), word),
                "take %s off the list of %s SIP domains, or out of sfb_xmpp_partners"
                % ("it" if len(both) == 1 else "them", word),
                effect="no message is exchanged with %s over XMPP" % some(both),
                where="Control Panel, Federation and External Access, SIP Federated Domains",
            )


# Who uses it


def _giving(deployment: Deployment) -> set[str]:
    """Keys of the policies that give XMPP."""
    policies = deployment.of("policies")
    return {key for key, record in policies.items() if record.values.get("enable_xmpp_access")}


def _homes(topology: Topology, deployment: Deployment, all_users: bool) -> t.Iterator[Obstacle]:
    """Users with XMPP who are homed where there is none. They are told nothing; their messages vanish."""
    giving = _giving(deployment)
    if not giving:
        return
    later = [pool.fqdn for pool in topology.pools or () if pool.has_xmpp is False and pool.registrar]
    if later and all_users and not deployment.all_users:
        yield _unknown("homes_unknown", "who is homed on %s" % some(later), "Get-CsUser")
    wrong = []
    for user in sorted(deployment.users.values(), key=lambda one: one.name):
        pool = topology.pool(user.pool) if user.pool else None
        elsewhere = not user.pool or (pool is not None and pool.has_xmpp is False)
        if elsewhere and _policy_of(user, topology, deployment) in giving:
            wrong.append("%s (%s)" % (user.name.removeprefix("sip:"), user.pool or "no pool of the deployment"))
    if wrong:
        yield Obstacle(
            "users_elsewhere",
            ERROR,
            "homed where there is no XMPP, with a policy that gives it: %s" % some(wrong),
            "move them to a legacy Front End pool (Move-CsUser), or do without XMPP for them",
            effect="they have no XMPP, and nothing tells them so",
            where="Control Panel, Users, Move selected users to pool",
        )


def _policy_of(user: User, topology: Topology, deployment: Deployment) -> str:
    """The key of the policy that acts on a user: his own, his site's, or the global one."""
    if user.policy:
        return key_of(user.policy)
    pool = topology.pool(user.pool)
    site = "site:%s" % pool.site.casefold() if pool else ""
    return site if site in deployment.of("policies") else "global"


def _policies(deployment: Deployment) -> t.Iterator[Obstacle]:
    if "policies" not in deployment.records:
        yield _unknown("policies_unknown", "what the policies give", "Get-CsExternalAccessPolicy")
        return
    where = "Control Panel, Federation and External Access, External Access Policy"
    giving = [record for key, record in sorted(deployment.of("policies").items()) if key in _giving(deployment)]
    without = [record.identity for record in giving if not record.values.get("enable_federation_access")]
    if without:
        yield Obstacle(
            "policy_without_federation",
            ERROR,
            "%s: XMPP without federation access" % some(without),
            "set enable_federation_access as well",
            effect="who has such a policy has no XMPP",
            where=where,
        )
    inside = [record.identity for record in giving if not record.values.get("enable_outside_access")]
    if inside:
        yield Obstacle(
            "policy_without_outside",
            WARNING,
            "%s: XMPP without outside access" % some(inside),
            "set enable_outside_access as well if its users sign in from outside",
            effect="who has such a policy has XMPP in the internal network only",
            where=where,
        )


def _replicas(topology: Topology) -> t.Iterator[Obstacle]:
    if topology.replicas is None:
        yield _unknown(
            "replicas_unknown", "whether the replicas are up to date", "Get-CsManagementStoreReplicationStatus"
        )
        return
    late = [replica.fqdn for replica in topology.replicas if not replica.up_to_date]
    if late:
        yield Obstacle(
            "replica_behind",
            WARNING,
            "the replica of %s is not up to date" % some(late),
            "wait some minutes; then check the service Replica Replicator Agent there, and port 4443 to an Edge; a push"
            " (sfb.xmpp.management_store_replication, push and replicas) starts a full copy",
            effect="what was written last is not in force there",
            where="the server itself",
        )
