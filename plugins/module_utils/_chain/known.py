# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the values that links check: a deployment, its servers, a user and a partner. Pure.

None has two meanings. In ``Known``, None means that a thing was not checked: the links of this thing are skipped. In
the values inside ``Known``, None means that a thing could not be read: the link is unknown, neither working nor broken.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import Finding
from .._base.names import key as key_of
from .._base.step import Record
from .._federation.deployment import Deployment, User
from .._federation.negotiation import Row
from .._federation.pools import Pool
from .._federation.rules import negotiation_row
from .._topology.topology import EdgePool, Topology

# The usages of the certificates that a message depends on. Front Ends and Edges connect with MTLS (port 23456). The
# Edge presents its internal certificate, and the Front End presents its default certificate.
XMPP, INTERNAL, DEFAULT = "XmppServer", "Internal", "Default"
# Faults of a certificate outside its period of validity.
OVER = ("expired", "not_yet_valid")

if t.TYPE_CHECKING:
    from .._probe.edge_view import EdgeView

Scope = t.Literal["user", "site", "global"]
State = t.Literal["holds", "missing", "over", "invalid", "unknown"]


@dataclass(frozen=True)
class HostService:
    """Describe an XMPP service of a host.

    kind: gateway (Front End) or proxy (Edge).
    status: in the product's spelling. '' if the host has no such service; None if the status could not be read.
    """

    host: str
    kind: t.Literal["gateway", "proxy"]
    status: str | None


@dataclass(frozen=True)
class UsedCertificate:
    """Describe a certificate that is assigned.

    faults: by code, why the certificate cannot be used.
    """

    usages: tuple[str, ...]
    faults: t.Mapping[str, str]


@dataclass(frozen=True)
class ServerRead:
    """Describe the values that were read on an Edge or a Front End.

    certificates: None if the certificates could not be read.
    clock_ahead: seconds, compared with the controller; None if unknown.
    declared: whether the next run assigns a certificate to XmppServer.
    """

    host: str
    certificates: tuple[UsedCertificate, ...] | None
    clock_ahead: float | None = None
    declared: bool = False

    def of(self, usage: str) -> UsedCertificate | None:
        return next((one for one in self.certificates or () if usage in one.usages), None)

    def state(self, usage: str) -> State:
        """Return the state of the certificate for a usage."""
        if self.certificates is None:
            return "unknown"
        own = self.of(usage)
        if own is None:
            return "holds" if self.declared and usage == XMPP else "missing"
        if any(code in OVER for code in own.faults):
            return "over"
        return "invalid" if own.faults else "holds"


@dataclass(frozen=True)
class DomainRecord:
    """Describe the target of the SRV record of a SIP domain.

    text: the target, or why the target is unknown.
    """

    domain: str
    state: t.Literal["holds", "missing", "elsewhere", "unknown"]
    text: str = ""


@dataclass(frozen=True)
class Pair:
    """Describe a user and a domain of a partner.

    user: None if the user could not be read.
    absent: whether the user does not exist.
    policy: the policy in effect; None if unknown.
    scope: the level of this policy.
    """

    address: str
    domain: str
    user: User | None = None
    absent: bool = False
    policy: Record | None = None
    scope: Scope | None = None


@dataclass(frozen=True)
class Probed:
    """Describe the results of a probe of the partner and of the user's domain.

    partner: findings about the partner; None: not probed.
    own: findings about the published records and the gateway of the user's domain; None: not probed.
    requires_tls: whether the partner's server required TLS.
    view: the servers that tested the partner without a finding; '' if no Edge tested the partner.
    what_if: the effect of possible events on the partner's domain, in plain values.
    """

    partner: tuple[Finding, ...] | None = None
    own: tuple[Finding, ...] | None = None
    requires_tls: bool = False
    view: str = ""
    what_if: tuple[t.Mapping[str, t.Any], ...] = ()

    @property
    def no_dialback(self) -> bool:
        """Return whether the partner refuses dialback, although its settings allow dialback and certificates."""
        return any(one.code in ("dialback_not_offered", "dialback_refused") for one in self.partner or ())


@dataclass(frozen=True)
class Known:
    """Describe all known values. A value that was not checked is None.

    deployment: the expected deployment after the plan. A kind that is missing could not be read.
    gateways, proxies: the XMPP services of Front Ends and Edges.
    edges, front_ends: the values that were read on these servers.
    domains: the targets of the SRV records.
    rights: the part of the plan for which the account has no rights; '' if the account has all rights.
    pair: the user and the partner to check. None: all users and all partners are checked.
    wants_users: whether unread users are a finding.
    views: the test results of Edges for partners.
    reach: the test results of Edges, for a caller that does not probe the partners (_probe/edge_judge.py).
    """

    topology: Topology | None = None
    deployment: Deployment | None = None
    gateways: tuple[HostService, ...] | None = None
    proxies: tuple[HostService, ...] | None = None
    edges: tuple[ServerRead, ...] | None = None
    front_ends: tuple[ServerRead, ...] | None = None
    domains: tuple[DomainRecord, ...] | None = None
    rights: str | None = None
    pair: Pair | None = None
    wants_users: bool = True
    views: tuple[EdgeView, ...] | None = None
    reach: tuple[EdgeView, ...] | None = None

    @property
    def store(self) -> StoreView | None:
        """Return the content of the Central Management Store. None if the topology or the deployment was not read."""
        if self.topology is None or self.deployment is None:
            return None
        return StoreView(self.topology, self.deployment)

    @property
    def users(self) -> tuple[User, ...] | None:
        """Return the users to check; None if no users were read."""
        if self.pair is not None:
            return (self.pair.user,) if self.pair.user else None
        if self.deployment is None or not (self.deployment.users or self.deployment.all_users):
            return None
        return tuple(sorted(self.deployment.users.values(), key=lambda one: one.name))

    @property
    def partner(self) -> Record | None:
        """Return the partner of the pair; None if the partner is not allowed or is unknown."""
        if self.pair is None or self.deployment is None:
            return None
        return partners_by_domain(self.deployment.of("partners")).get(key_of(self.pair.domain))

    @property
    def row(self) -> Row | None:
        """Return the negotiation settings of the partner of the pair."""
        return None if self.partner is None else negotiation_row(self.partner.values)

    @property
    def servers(self) -> tuple[ServerRead, ...] | None:
        found = (*(self.edges or ()), *(self.front_ends or ()))
        return found or None

    @property
    def internal(self) -> tuple[ServerRead, ...] | None:
        """Return the Edges whose internal certificate was read. An Edge without this certificate does not work."""
        return tuple(one for one in self.edges or () if one.of(INTERNAL)) or None

    @property
    def defaults(self) -> tuple[ServerRead, ...] | None:
        """Return the Front Ends whose default certificate was read."""
        return tuple(one for one in self.front_ends or () if one.of(DEFAULT)) or None


def partners_by_domain(partners: t.Mapping[str, Record]) -> dict[str, Record]:
    """Return the partner that allows each domain. A partner's own domain wins over additional domains."""
    found = dict(partners)
    for record in partners.values():
        for domain in record.values["additional_domains"]:
            found.setdefault(key_of(str(domain)), record)
    return found


@dataclass(frozen=True)
class StoreView:
    """Give links the values of the store. Upper and lower case are the same in site names and FQDNs."""

    topology: Topology
    deployment: Deployment

    @property
    def good_edges(self) -> list[EdgePool]:
        """Return the Edge pools that have XMPP, without the pools of a later release."""
        return [edge for edge in self.topology.edges or () if edge.has_xmpp and edge.legacy is not False]

    @property
    def front_pools(self) -> list[Pool]:
        return [pool for pool in self.topology.pools or () if pool.registrar is not False]

    @property
    def giving(self) -> list[Record]:
        """Return the policies that give XMPP."""
        policies = sorted(self.deployment.of("policies").items())
        return [record for _key, record in policies if record.values.get("enable_xmpp_access")]

    def home(self, user: User) -> Pool | None:
        return self.topology.pool(user.pool) if user.pool and not user.provider else None

    def policy_of(self, user: User) -> str:
        """Return the key of the policy in effect: the user's own, the site's or the global policy."""
        if user.policy:
            return key_of(user.policy)
        pool = self.topology.pool(user.pool)
        site = "site:%s" % pool.site.casefold() if pool else ""
        return site if site in self.deployment.of("policies") else "global"

    def in_effect(self, user: User) -> tuple[Scope | None, Record | None]:
        """Return the policy in effect and the level of this policy.

        Both are None if unknown. Either the user's own policy does not exist, or sites have policies and the user's
        site is unknown.
        """
        policies = self.deployment.of("policies")
        if user.policy:
            own = policies.get(key_of(user.policy))
            return ("user", own) if own else (None, None)
        home = user.unread or (user.pool and self.topology.pool(user.pool) is None)
        if home and any(key.startswith("site:") for key in policies):
            return None, None
        found = self.policy_of(user)
        record = policies.get(found)
        return ("global" if found == "global" else "site", record) if record else (None, None)
