# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The link between the partners and the gateway: the SRV record of each SIP domain leads to the Access Edge.

Names may differ (``xmpp.DOMAIN`` is as usual as the Access Edge's own); addresses decide. From inside a network another
DNS may answer than the one that partners ask, so name servers can be given.
"""

from __future__ import annotations

import functools
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._base.findings import ERROR, UNKNOWN
from .._base.names import Invalid, canonical_domain
from .._base.texts import some
from .._probe import dns
from .._probe.facts import Addresses, Services
from .._topology.chain import Obstacle
from .._topology.topology import Topology
from .._xmpp.budget import Budget, TimeUp

# Seconds for one question, and for all of one domain.
_STEP, _TOTAL = 3.0, 9.0
_WHERE = "the public DNS zone of the SIP domain"


class Resolver(t.Protocol):
    def services(self, domain: str, budget: Budget) -> Services:
        """The SRV records of a domain."""

    def addresses(self, host: str, budget: Budget) -> Addresses:
        """The addresses of a host."""


def look_up(topology: Topology, domains: t.Sequence[str], nameservers: t.Sequence[str]) -> list[Obstacle]:
    """domains: whose records are looked at; all SIP domains without any. Raises Invalid for name servers."""
    try:
        wanted = [canonical_domain(domain) for domain in domains] or list(topology.sip_domains or ())
    except Invalid as exc:
        raise Invalid("domains: %s" % exc) from None
    edges = access_edges(topology)
    if not wanted or not edges:
        return []  # of which the links before tell
    if dns.IMPORT_ERROR is not None:
        return [_unknown(wanted, "the controller has no dnspython (a Python package)")]
    try:
        resolver = dns.Resolver(nameservers)
    except Invalid as exc:
        if nameservers:
            raise Invalid("nameservers: %s" % exc) from None
        return [_unknown(wanted, str(exc))]
    return check_records(wanted, edges, resolver)


def access_edges(topology: Topology) -> list[str]:
    """Where the records have to lead: to an Edge pool that has XMPP, and where none has, to one that may get it."""
    pools = topology.edges or ()
    chosen = [edge for edge in pools if edge.has_xmpp] or [edge for edge in pools if edge.legacy is not False]
    return sorted({edge.access_edge for edge in chosen if edge.access_edge})


def check_records(domains: t.Sequence[str], edges: t.Sequence[str], resolver: Resolver) -> list[Obstacle]:
    """edges: FQDNs of the Access Edge services (access_edges). One finding of each kind, for all domains."""
    with ThreadPoolExecutor(max_workers=min(20, len(domains))) as pool:
        found = list(pool.map(functools.partial(_look, edges=edges, resolver=resolver), domains))
    missing = [domain for domain, (state, _text) in zip(domains, found, strict=True) if state == "missing"]
    elsewhere = [text for state, text in found if state == "elsewhere"]
    unknown = [(domain, text) for domain, (state, text) in zip(domains, found, strict=True) if state == "unknown"]
    obstacles = []
    if missing:
        obstacles.append(
            Obstacle(
                "srv_missing",
                ERROR,
                "there is no record _xmpp-server._tcp of %s" % some(missing),
                "publish it, with the Access Edge (%s) as target and the port of XMPP, 5269" % some(edges),
                effect="partners do not find the gateway; nobody of the domain gets a message, and dialback fails",
                where=_WHERE,
            )
        )
    if elsewhere:
        obstacles.append(
            Obstacle(
                "srv_elsewhere",
                ERROR,
                "the record _xmpp-server._tcp leads elsewhere than to the Access Edge: %s" % some(elsewhere),
                "correct its target, or the address of its target",
                effect="partners reach another server; nobody of the domain gets a message, and dialback fails",
                where=_WHERE,
            )
        )
    if unknown:
        obstacles.append(_unknown([domain for domain, _text in unknown], unknown[0][1]))
    return obstacles


def _look(domain: str, edges: t.Sequence[str], resolver: Resolver) -> tuple[str, str]:
    """missing, elsewhere, unknown or holds, and the text for it. One record that leads to the Access Edge is enough."""
    budget = Budget(_STEP, _TOTAL)
    try:
        services = resolver.services(domain, budget)
        if services.state == "unknown":
            return "unknown", services.text
        if not services.records:
            return "missing", ""
        own = [resolver.addresses(edge, budget) for edge in edges]
        theirs = [(record.host, resolver.addresses(record.host, budget)) for record in services.records]
    except TimeUp:
        return "unknown", "no name server answered in time"
    here = {address for found in own for address in found.addresses}
    if {address for _host, found in theirs for address in found.addresses} & here:
        return "holds", ""
    if not here:
        return "unknown", "%s has no address that can be seen from here" % some(edges)
    unseen = [found.text for _host, found in theirs if found.state == "unknown"]
    if unseen:
        return "unknown", unseen[0]
    told = ["%s (%s)" % (host, ", ".join(found.addresses) or "no address") for host, found in theirs]
    return "elsewhere", "%s names %s" % (domain, some(told))


def _unknown(domains: t.Sequence[str], why: str) -> Obstacle:
    return Obstacle(
        "srv_unknown",
        UNKNOWN,
        "the record _xmpp-server._tcp of %s cannot be seen from here: %s" % (some(domains), why),
        "give name servers that the controller reaches (nameservers in sfb_xmpp_verification)",
        effect="it is not known whether this link holds",
        where="the controller",
    )
