# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known: of a deployment, of its servers, and of a user and a partner. The values that links look at. Pure.

Two things are told apart. What nobody looked at is None in ``Known``, and its links are left out. What could not be
read is None in a value below it, and its link is unknown: neither good nor broken.
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

# The usages of the certificates that a message depends on. Between a Front End and an Edge it is MTLS (port 23456): the
# Edge presents its internal certificate, and the Front End its default one.
XMPP, INTERNAL, DEFAULT = "XmppServer", "Internal", "Default"
# Faults of a certificate whose time is over, or not yet there.
OVER = ("expired", "not_yet_valid")

if t.TYPE_CHECKING:
    from .._probe.edge_view import EdgeView

Scope = t.Literal["user", "site", "global"]
State = t.Literal["holds", "missing", "over", "invalid", "unknown"]


@dataclass(frozen=True)
class HostService:
    """An XMPP service of a host. kind: gateway (Front End) or proxy (Edge). status: as the product spells it, '' if the
    host has none, None if it could not be read.
    """

    host: str
    kind: t.Literal["gateway", "proxy"]
    status: str | None


@dataclass(frozen=True)
class UsedCertificate:
    """A certificate that is assigned. faults: by code, why it cannot be used, in a text."""

    usages: tuple[str, ...]
    faults: t.Mapping[str, str]


@dataclass(frozen=True)
class ServerRead:
    """What was read on an Edge or a Front End.

    certificates: None if they could not be read. clock_ahead: seconds; None if unknown. declared: whether the next run
    assigns a certificate to XmppServer.
    """

    host: str
    certificates: tuple[UsedCertificate, ...] | None
    clock_ahead: float | None = None
    declared: bool = False

    def of(self, usage: str) -> UsedCertificate | None:
        return next((one for one in self.certificates or () if usage in one.usages), None)

    def state(self, usage: str) -> State:
        """Of the certificate for a usage."""
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
    """Where the SRV record of a SIP domain leads. text: where, or why that is unknown."""

    domain: str
    state: t.Literal["holds", "missing", "elsewhere", "unknown"]
    text: str = ""


@dataclass(frozen=True)
class Pair:
    """A user, and a domain of a partner.

    user: None if the user could not be read. absent: there is no such user. policy: the one in effect; None if unknown.
    scope: whose policy it is.
    """

    address: str
    domain: str
    user: User | None = None
    absent: bool = False
    policy: Record | None = None
    scope: Scope | None = None


@dataclass(frozen=True)
class Probed:
    """Findings about the partner, and about what is published of the user's domain; None: not probed.

    requires_tls: whether the partner's server was seen to require TLS. view: on whose view it rests that nothing was
    found against the partner; '' where no Edge looked.
    """

    partner: tuple[Finding, ...] | None = None
    own: tuple[Finding, ...] | None = None
    requires_tls: bool = False
    view: str = ""

    @property
    def no_dialback(self) -> bool:
        """Whether the partner was seen not to take dialback, where its row has it beside certificates."""
        return any(one.code in ("dialback_not_offered", "dialback_refused") for one in self.partner or ())


@dataclass(frozen=True)
class Known:
    """What is known. Each is None where nobody looked.

    deployment: as the plan will leave it; a kind that is not in it could not be read. gateways, proxies: the XMPP
    services of Front Ends and Edges. edges, front_ends: what was read there. domains: where SRV records lead. rights:
    what the account may not send of the plan, '' if nothing. pair: the two of whom is asked; without it all users and
    partners are looked at. wants_users: whether it is a finding that the users were not read. views: what Edges see of
    partners. reach: the same where no probe of partners takes it in (_probe/edge_judge.py).
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
        """What the Central Management Store has, where both of its halves were looked at."""
        if self.topology is None or self.deployment is None:
            return None
        return StoreView(self.topology, self.deployment)

    @property
    def users(self) -> tuple[User, ...] | None:
        """The users that are looked at; None if none were read."""
        if self.pair is not None:
            return (self.pair.user,) if self.pair.user else None
        if self.deployment is None or not (self.deployment.users or self.deployment.all_users):
            return None
        return tuple(sorted(self.deployment.users.values(), key=lambda one: one.name))

    @property
    def partner(self) -> Record | None:
        """The partner of the pair; None if it is not allowed, or if that is unknown."""
        if self.pair is None or self.deployment is None:
            return None
        return partners_by_domain(self.deployment.of("partners")).get(key_of(self.pair.domain))

    @property
    def row(self) -> Row | None:
        """The negotiation settings of the partner of the pair."""
        return None if self.partner is None else negotiation_row(self.partner.values)

    @property
    def servers(self) -> tuple[ServerRead, ...] | None:
        found = (*(self.edges or ()), *(self.front_ends or ()))
        return found or None

    @property
    def internal(self) -> tuple[ServerRead, ...] | None:
        """The Edges of which the internal certificate was read; an Edge without one does not work at all."""
        return tuple(one for one in self.edges or () if one.of(INTERNAL)) or None

    @property
    def defaults(self) -> tuple[ServerRead, ...] | None:
        """The Front Ends of which the default certificate was read."""
        return tuple(one for one in self.front_ends or () if one.of(DEFAULT)) or None


def partners_by_domain(partners: t.Mapping[str, Record]) -> dict[str, Record]:
    """The partner that allows each domain: its own domain before the additional domains of others."""
    found = dict(partners)
    for record in partners.values():
        for domain in record.values["additional_domains"]:
            found.setdefault(key_of(str(domain)), record)
    return found


@dataclass(frozen=True)
class StoreView:
    """What links ask of the store. Site names and FQDNs are compared without case."""

    topology: Topology
    deployment: Deployment

    @property
    def good_edges(self) -> list[EdgePool]:
        """The Edge pools with XMPP that are not of a later release."""
        return [edge for edge in self.topology.edges or () if edge.has_xmpp and edge.legacy is not False]

    @property
    def front_pools(self) -> list[Pool]:
        return [pool for pool in self.topology.pools or () if pool.registrar is not False]

    @property
    def giving(self) -> list[Record]:
        """The policies that give XMPP."""
        policies = sorted(self.deployment.of("policies").items())
        return [record for _key, record in policies if record.values.get("enable_xmpp_access")]

    def home(self, user: User) -> Pool | None:
        return self.topology.pool(user.pool) if user.pool and not user.provider else None

    def policy_of(self, user: User) -> str:
        """The key of the policy in effect: the user's own, the site's, or the global one."""
        if user.policy:
            return key_of(user.policy)
        pool = self.topology.pool(user.pool)
        site = "site:%s" % pool.site.casefold() if pool else ""
        return site if site in self.deployment.of("policies") else "global"

    def in_effect(self, user: User) -> tuple[Scope | None, Record | None]:
        """The policy in effect, and whose it is.

        None where it is not known: the user's own policy does not exist, or sites have policies and the user's site is
        not known.
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
