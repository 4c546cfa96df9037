# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a link is broken or unknown: the conditions of the table in links.py. Pure.

A condition returns the values for the texts of its link, or None if the link works. A condition is called only if its
values are known (``needs`` in the table).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.result import UNREADABLE_ANSWER
from .._base.step import Record
from .._base.texts import some
from .._federation.deployment import USERS
from .._federation.pools import LEGACY
from .._federation.readings import unreadable as unreadable_of
from .._topology.topology import Topology, routes_of
from .known import DEFAULT, INTERNAL, XMPP, HostService, Known, ServerRead, State, StoreView

OLDER = "Lync Server 2013 or Skype for Business Server 2015"
# Seconds. Kerberos, which the product uses, tolerates five minutes. Another server checks a certificate with its own
# clock.
TOLERANCE = 300


@dataclass(frozen=True)
class Found:
    """Describe a broken or unknown link.

    fields: values for the texts of the link.
    rest: whether other servers do the work without the faulty servers.
    """

    fields: t.Mapping[str, str] = field(default_factory=dict)
    rest: bool = False


Condition = t.Callable[[Known], "Found | None"]


def found(**fields: str) -> Found:
    return Found(fields)


def unseen(what: str, cmdlet: str) -> Found:
    """Return the values for a link that is unknown.

    what: the value that could not be read.
    cmdlet: the cmdlet that failed.
    """
    return found(what=what, cmdlet=cmdlet)


def _topology(known: Known) -> Topology:
    return known.topology or Topology()


def _store(known: Known) -> StoreView:
    """Return the store. The table checks the links of the store only if the store was read."""
    return t.cast(StoreView, known.store)


# Pools and Edges


def pools_unknown(known: Known) -> Found | None:
    pools = [pool for pool in _topology(known).pools or () if pool.registrar is not False]
    readable = any(pool.has_xmpp for pool in pools) or all(pool.has_xmpp is False for pool in pools)
    if _topology(known).pools is not None and readable:
        return None
    return unseen("which pools are legacy Front End pools", "Get-CsPool and Get-CsService")


def no_legacy_pool(known: Known) -> Found | None:
    pools = [pool for pool in _topology(known).pools or () if pool.registrar is not False]
    return found() if not pools_unknown(known) and not any(pool.has_xmpp for pool in pools) else None


def server_later(known: Known) -> Found | None:
    return None if _topology(known).release in (None, *LEGACY) else found()


def edge_unknown(known: Known) -> Found | None:
    topology = _topology(known)
    if topology.edges is None:
        return unseen("whether an Edge pool has XMPP federation", "Get-CsService")
    good = [edge for edge in topology.edges if edge.has_xmpp and edge.legacy is not False]
    if not good or any(edge.legacy for edge in good):
        return None
    return unseen("the release of %s" % some([edge.fqdn for edge in good]), "Get-CsPool")


def edge_without_xmpp(known: Known) -> Found | None:
    edges = _topology(known).edges
    if edges is None or any(edge.has_xmpp and edge.legacy is not False for edge in edges):
        return None
    legacy = [edge.fqdn for edge in edges if edge.legacy is not False]
    text = "XMPP federation is not enabled on %s" % some(legacy)
    return found(what=text if legacy else "the topology has no Edge pool of %s" % OLDER)


# Services


def _services(known: Known, kind: str) -> tuple[HostService, ...]:
    return (known.gateways if kind == "gateway" else known.proxies) or ()


def _of_services(kind: str, wrong: t.Callable[[str], bool]) -> Condition:
    """Find the hosts with a wrong status.

    Another host that runs the service, or possibly runs the service, is enough.
    """

    def condition(known: Known) -> Found | None:
        own = _services(known, kind)
        hosts = [one.host for one in own if one.status is not None and wrong(one.status)]
        rest = any(one.status in (None, "Running") for one in own)
        return Found({"hosts": some(hosts)}, rest) if hosts else None

    return condition


def not_installed(kind: str) -> Condition:
    return _of_services(kind, lambda status: not status)


def stopped(kind: str) -> Condition:
    return _of_services(kind, lambda status: status not in ("", "Running"))


def services_unknown(kind: str, name: str) -> Condition:
    def condition(known: Known) -> Found | None:
        hosts = [one.host for one in _services(known, kind) if one.status is None]
        return unseen("whether the %s runs on %s" % (name, some(hosts)), "Get-CsWindowsService") if hosts else None

    return condition


# Routes and federation


def route_unknown(known: Known) -> Found | None:
    store = _store(known)
    unread = routes_of(store.topology, store.deployment) is None
    return unseen("the XMPP federation route of the sites", "Get-CsSite") if unread else None


def targets(store: StoreView) -> list[str] | None:
    """Return the Edge pools of the routes, in lower case. None if the routes could not be read."""
    routes = routes_of(store.topology, store.deployment)
    return None if routes is None else sorted(set(routes.values()) - {""})


def _named(store: StoreView) -> str:
    good = sorted({edge.fqdn.casefold() for edge in store.good_edges})
    return ": " + some(good) if good else ""


def no_route(known: Known) -> Found | None:
    store = _store(known)
    return found(named=_named(store)) if targets(store) == [] else None


def route_elsewhere(known: Known) -> Found | None:
    store = _store(known)
    leads = targets(store)
    good = {edge.fqdn.casefold() for edge in store.good_edges}
    # Without an Edge pool that has XMPP, a route to a pool that can get XMPP is correct.
    may = {edge.fqdn.casefold() for edge in store.topology.edges or () if edge.legacy is not False}
    possible = good or may
    if not leads or not possible or possible & set(leads):
        return None
    return found(targets=some(leads), named=_named(store))


def two_routes(known: Known) -> Found | None:
    leads = targets(_store(known)) or []
    return found(targets=some(leads)) if len(leads) > 1 else None


def access_edge_unknown(known: Known) -> Found | None:
    unread = _store(known).deployment.of("access_edge").get("global") is None
    return unseen("whether federation is enabled", "Get-CsAccessEdgeConfiguration") if unread else None


def federation_off(known: Known) -> Found | None:
    record = _store(known).deployment.of("access_edge").get("global")
    return None if record is None or record.values.get("allow_federated_users") else found()


# Partners


def partners_unknown(known: Known) -> Found | None:
    readable = "partners" in _store(known).deployment.records
    return None if readable else unseen("which partners are allowed", "Get-CsXmppAllowedPartner")


def partner_not_allowed(known: Known) -> Found | None:
    if partners_unknown(known) or known.partner is not None:
        return None
    return found(domain=known.pair.domain if known.pair else "")


def _domains(known: Known) -> set[str]:
    """Return the partners' domains to check."""
    if known.pair is not None:
        return {known.pair.domain} if known.partner is not None else set()
    partners = _store(known).deployment.of("partners").values()
    return {str(one) for record in partners for one in (record.identity, *record.values["additional_domains"])}


def _sip_domains(known: Known, word: str) -> tuple[str, ...] | None:
    topology = _store(known).topology
    return topology.allowed_domains if word == "allowed" else topology.blocked_domains


def sip_unknown(word: str, cmdlet: str) -> Condition:
    def condition(known: Known) -> Found | None:
        unread = _sip_domains(known, word) is None and bool(_domains(known))
        return unseen("which SIP domains are %s" % word, cmdlet) if unread else None

    return condition


def sip_too(word: str) -> Condition:
    """Find domains that are also in a list of SIP domains. SIP federation handles such domains, so XMPP is not used.

    Source: the product pages on XMPP partners and on SIP federated domains.
    """

    def condition(known: Known) -> Found | None:
        both = sorted(_domains(known) & set(_sip_domains(known, word) or ()))
        return found(domains=some(both), it="it" if len(both) == 1 else "them") if both else None

    return condition


def partner_unverified(known: Known) -> Found | None:
    unverified = known.partner is not None and known.partner.values["partner_type"] == "public_unverified"
    return found(domain=known.pair.domain) if unverified and known.pair else None


def row(level: str) -> Condition:
    def condition(known: Known) -> Found | None:
        settings = known.row
        if settings is None or settings.level != level:
            return None
        return found(row=str(settings), why=settings.why, remedy=settings.remedy)

    return condition


# Users and their policies


def user_unknown(known: Known) -> Found | None:
    pair = known.pair
    if pair is None or pair.absent or (pair.user is not None and pair.user.enabled is not None):
        return None
    return unseen("whether %s is an enabled user" % pair.address, "Get-CsUser")


def user_not_enabled(known: Known) -> Found | None:
    pair = known.pair
    off = pair is not None and (pair.absent or (pair.user is not None and pair.user.enabled is False))
    return found(address=pair.address) if pair and off else None


def homes_unknown(known: Known) -> Found | None:
    store = _store(known)
    if known.pair is not None:
        user = known.pair.user
        pool = store.home(user) if user else None
        if user is not None and user.unread:
            return unseen("where %s is homed" % known.pair.address, "Get-CsUser")
        open_ = user is not None and user.pool and not user.provider and (pool is None or pool.has_xmpp is None)
        return unseen("whether %s has XMPP" % user.pool, "Get-CsPool and Get-CsService") if user and open_ else None
    later = [pool.fqdn for pool in store.topology.pools or () if pool.has_xmpp is False and pool.registrar]
    if not store.giving or not later or not known.wants_users or store.deployment.all_users:
        return None
    return unseen("which users are homed on %s" % some(later), "Get-CsUser")


def users_elsewhere(known: Known) -> Found | None:
    """Find users with an XMPP policy whose pool has no XMPP. The messages of these users are lost without an error.

    For a pair, the user is found even without an XMPP policy: the policy is another link.
    """
    store = _store(known)
    giving = {record.identity.casefold() for record in store.giving}
    wrong = []
    for user in known.users or ():
        pool = store.home(user)
        homeless = not user.pool and not user.unread
        elsewhere = homeless or user.provider or (pool is not None and pool.has_xmpp is False)
        if elsewhere and (known.pair is not None or store.policy_of(user) in giving):
            home = user.pool or (user.provider and "%s (online)" % user.provider) or "no pool of the deployment"
            wrong.append("%s (%s)" % (user.name.removeprefix("sip:"), home))
    return found(users=some(wrong)) if wrong else None


def policies_unknown(known: Known) -> Found | None:
    if known.pair is not None:
        unread = known.pair.policy is None
        what = "the policy of %s and its rights" % known.pair.address
        return unseen(what, "Get-CsEffectivePolicy and Get-CsExternalAccessPolicy") if unread else None
    unread = "policies" not in _store(known).deployment.records
    return unseen("which rights the policies give", "Get-CsExternalAccessPolicy") if unread else None


def _policies(known: Known) -> list[Record]:
    """Return the policies that give XMPP: the policy of the pair, or all."""
    if known.pair is not None:
        policy = known.pair.policy
        return [policy] if policy is not None and policy.values.get("enable_xmpp_access") else []
    return _store(known).giving


def policy_without_xmpp(known: Known) -> Found | None:
    policy = known.pair.policy if known.pair else None
    without = policy is not None and not policy.values.get("enable_xmpp_access")
    return found(policy=policy.identity, address=known.pair.address) if policy and known.pair and without else None


def policy_without(right: str) -> Condition:
    def condition(known: Known) -> Found | None:
        without = [record.identity for record in _policies(known) if not record.values.get(right)]
        return found(policies=some(without)) if without else None

    return condition


# Replicas, records, rights


def replicas_unknown(known: Known) -> Found | None:
    unread = _topology(known).replicas is None
    return unseen("whether the replicas are up to date", "Get-CsManagementStoreReplicationStatus") if unread else None


def replica_behind(known: Known) -> Found | None:
    late = [replica.fqdn for replica in _topology(known).replicas or () if not replica.up_to_date]
    return found(replicas=some(late)) if late else None


def _records(known: Known, state: str) -> list[tuple[str, str]]:
    return [(one.domain, one.text) for one in known.domains or () if one.state == state]


def srv_missing(known: Known) -> Found | None:
    missing = _records(known, "missing")
    edges = access_edges(_topology(known))
    return found(domains=some([name for name, _text in missing]), edges=some(edges)) if missing else None


def srv_elsewhere(known: Known) -> Found | None:
    elsewhere = _records(known, "elsewhere")
    return found(told=some([text for _name, text in elsewhere])) if elsewhere else None


def srv_unknown(known: Known) -> Found | None:
    unknown = _records(known, "unknown")
    return found(domains=some([name for name, _text in unknown]), why=unknown[0][1]) if unknown else None


def access_edges(topology: Topology) -> list[str]:
    """Return the Access Edge names to which SRV records must lead.

    The names are of the Edge pools that have XMPP. If no pool has XMPP, the names are of the pools that can get XMPP.
    """
    pools = topology.edges or ()
    chosen = [edge for edge in pools if edge.has_xmpp] or [edge for edge in pools if edge.legacy is not False]
    return sorted({edge.access_edge for edge in chosen if edge.access_edge})


def unreadable(known: Known) -> Found | None:
    """Find objects in an unknown form. All other objects are still checked."""
    store = _store(known)
    odd = {**unreadable_of(store.topology.unobserved), **store.deployment.unreadable}
    homes = ["%s: %s: %s: %s" % (USERS, UNREADABLE_ANSWER, *one) for one in store.deployment.odd_homes.items()]
    told = [*("%s: %s" % one for one in odd.items()), *([some(homes, 3)] if homes else [])]
    return found(what="; ".join(told)) if told else None


def rights(known: Known) -> Found | None:
    return found(what=known.rights) if known.rights else None


# Certificates and clocks


def certificate(usage: str, state: State) -> Condition:
    """Find the servers whose certificate for a usage has a certain state.

    If another server has a valid or unknown certificate, the finding is less severe, because that server can do the
    work.
    """

    def condition(known: Known) -> Found | None:
        servers = _servers(known, usage)
        hosts = [_told(one, usage, state) for one in servers if one.state(usage) == state]
        rest = any(one.state(usage) in ("holds", "unknown") for one in servers)
        return Found({"hosts": some(hosts)}, rest and state != "unknown") if hosts else None

    return condition


def _servers(known: Known, usage: str) -> tuple[ServerRead, ...]:
    found_ = {XMPP: known.edges, INTERNAL: known.internal, DEFAULT: known.defaults}[usage]
    return found_ or ()


def _told(server: ServerRead, usage: str, state: State) -> str:
    own = server.of(usage)
    texts = list(own.faults.values()) if own is not None and state in ("over", "invalid") else []
    return "%s (%s)" % (server.host, texts[0]) if texts else server.host


def clock_apart(known: Known) -> Found | None:
    apart = [
        "%s (%d s %s)" % (one.host, abs(one.clock_ahead), "ahead" if one.clock_ahead > 0 else "behind")
        for one in known.servers or ()
        if one.clock_ahead is not None and abs(one.clock_ahead) > TOLERANCE
    ]
    return found(hosts=some(apart)) if apart else None
