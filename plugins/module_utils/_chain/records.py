# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the target of the SRV record of each SIP domain.

The check compares addresses, not names: ``xmpp.DOMAIN`` is as common as the name of the Access Edge. Inside a network,
another DNS can answer than the DNS that partners ask. So name servers can be given.
"""

from __future__ import annotations

import functools
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._base.names import Invalid, canonical_domain
from .._probe import dns
from .._probe.facts import Addresses, Services
from .._probe.own_records import leads
from .._topology.topology import Topology
from .._xmpp.budget import Budget, TimeUp
from .conditions import access_edges
from .known import DomainRecord

# Seconds for one DNS query, and for all queries of one domain.
_STEP, _TOTAL = 3.0, 9.0


class RecordResolver(t.Protocol):
    def services(self, domain: str, budget: Budget) -> Services:
        """Return the SRV records of a domain."""

    def addresses(self, host: str, budget: Budget) -> Addresses:
        """Return the addresses of a host."""


def look_up(
    topology: Topology, domains: t.Sequence[str], nameservers: t.Sequence[str]
) -> tuple[DomainRecord, ...] | None:
    """Look up the records. Return None if there is no domain or no Edge pool.

    domains: the domains to check; empty: all SIP domains.

    Raises Invalid for wrong domains or name servers.
    """
    try:
        wanted = [canonical_domain(domain) for domain in domains] or list(topology.sip_domains or ())
    except Invalid as exc:
        raise Invalid("domains: %s" % exc) from None
    edges = access_edges(topology)
    if not wanted or not edges:
        return None  # earlier links report the missing values
    if dns.IMPORT_ERROR is not None:
        return _unseen(wanted, "the Python package dnspython is missing on the controller")
    try:
        resolver = dns.Resolver(nameservers)
    except Invalid as exc:
        if nameservers:
            raise Invalid("nameservers: %s" % exc) from None
        return _unseen(wanted, str(exc))
    return read_records(wanted, edges, resolver)


def _unseen(domains: t.Sequence[str], why: str) -> tuple[DomainRecord, ...]:
    return tuple(DomainRecord(domain, "unknown", why) for domain in domains)


def read_records(
    domains: t.Sequence[str], edges: t.Sequence[str], resolver: RecordResolver
) -> tuple[DomainRecord, ...]:
    """Look up the records of domains in parallel. edges: FQDNs of the Access Edge services (access_edges)."""
    with ThreadPoolExecutor(max_workers=min(20, len(domains))) as pool:
        return tuple(pool.map(functools.partial(_read, edges=edges, resolver=resolver), domains))


def _read(domain: str, edges: t.Sequence[str], resolver: RecordResolver) -> DomainRecord:
    budget = Budget(_STEP, _TOTAL)
    try:
        services = resolver.services(domain, budget)
        own = {edge: resolver.addresses(edge, budget) for edge in edges} if services.records else {}
        found = {record.host: resolver.addresses(record.host, budget) for record in services.records}
    except TimeUp:
        return DomainRecord(domain, "unknown", "no name server answered in time")
    return DomainRecord(domain, *leads(domain, services, found, own))
