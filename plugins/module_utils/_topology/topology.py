# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the topology that federation depends on, in one pipeline, as one immutable value.

A value is None if the account may not read the value, and ``unobserved`` has the reason. A value is also None if its
objects have an unknown form, because one such object must not hide the others.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.names import domain_from_server, named
from .._base.result import Unreadable
from .._federation.catalogue import ROUTE
from .._federation.deployment import Deployment
from .._federation.identity import CENTRAL_MANAGEMENT, is_central
from .._federation.identity import pools_of as central_pools
from .._federation.kinds import is_type_name
from .._federation.pools import (
    LEGACY,
    POOLS,
    REGISTRARS,
    REPLICAS,
    SERVICE,
    USER_SERVERS,
    Pool,
    pools_of,
    release_numbers,
    service_reading,
    text_of,
)
from .._federation.readings import Items, Reading, has, read_items, readable
from .._federation.sip_domains import SIP_DOMAIN, sip_domains_of
from .._federation.sites import SITE, is_branch, site_from_server
from .._shell.statement import Answer, Shell, Statement, place_of
from .replication import Replica, replicas_of

ALLOWED = "Get-CsAllowedDomain"
BLOCKED = "Get-CsBlockedDomain"
EDGES = service_reading("edges", "EdgeServer")


@dataclass(frozen=True)
class EdgePool:
    """Describe one Edge pool.

    fqdn: the pool's name.
    access_edge: the external name of the Access Edge; empty for no Access Edge.
    listening_port, internal_port: the ports of XMPP; None if XMPP federation is not enabled on the pool.
    release: the product's release; None if unknown.
    """

    fqdn: str
    access_edge: str
    listening_port: int | None
    internal_port: int | None
    release: str | None = None

    @property
    def has_xmpp(self) -> bool:
        return bool(self.listening_port and self.internal_port)

    @property
    def legacy(self) -> bool | None:
        return None if self.release is None else self.release in LEGACY


@dataclass(frozen=True)
class Site:
    """Describe a site with its routes.

    federation_route, xmpp_route: the FQDN of the Edge pool; empty without a route.
    """

    name: str
    federation_route: str
    xmpp_route: str


@dataclass(frozen=True)
class Topology:
    """Describe the topology that a run has read. A value that could not be read is None.

    release: the release of the pool of the server that answered.
    sip_domains: A-labels, the default domain first.
    unobserved: why a value could not be read, by cmdlet, with the server's message.
    central: the pools of the Central Management Store; empty if the pools were not read.
    """

    release: str | None = None
    pools: tuple[Pool, ...] | None = None
    edges: tuple[EdgePool, ...] | None = None
    sites: tuple[Site, ...] | None = None
    sip_domains: tuple[str, ...] | None = None
    allowed_domains: tuple[str, ...] | None = None
    blocked_domains: tuple[str, ...] | None = None
    replicas: tuple[Replica, ...] | None = None
    unobserved: t.Mapping[str, str] = field(default_factory=dict)
    central: tuple[str, ...] = ()

    def pool(self, fqdn: str) -> Pool | None:
        return next((one for one in self.pools or () if one.fqdn.casefold() == fqdn.casefold()), None)


# The readings in their order. Each object of the answer belongs to one reading. Get-CsServerVersion is missing, because
# this cmdlet works only locally on a server (source: the cmdlet's page). So a remote shell does not offer it.
READINGS = (
    EDGES,
    REGISTRARS,
    USER_SERVERS,
    Reading("sites", Statement(SITE), ROUTE.returned),
    Reading("sip_domains", Statement(SIP_DOMAIN), has("IsDefault")),
    Reading("allowed", Statement(ALLOWED), has("Domain", "MarkForMonitoring")),
    Reading(
        "blocked",
        Statement(BLOCKED),
        lambda item: isinstance(item, dict) and "Domain" in item and "MarkForMonitoring" not in item,
    ),
    REPLICAS,
    POOLS,
)

# The reading that identifies the deployment.
CENTRAL = Reading("central", Statement(SERVICE, {CENTRAL_MANAGEMENT: True}), is_central)

_ACCESS_EDGE = "AccessEdgeExternalFqdn"


def read_topology(shell: Shell) -> Topology:
    """Read the topology in one request. Raises ShellError, and ServerRefused if nothing could be read.

    Values of cmdlets that the session does not offer are unknown. So are values of objects with an unknown form.
    """
    items = read_items(shell, READINGS)
    if items.nothing:
        items.require(items.failed)
    return topology_of(items, place_of(shell).host)


def topology_of(items: Items, host: str = "") -> Topology:
    """Make the topology from the objects of the answer. Raises ServerRefused without a SIP domain.

    host: the server that answered.
    """
    topology, left = readable(items, lambda items: _topology(items, host))
    return replace(topology, unobserved=left.unobserved)


def routes_of(topology: Topology, deployment: Deployment) -> dict[str, str] | None:
    """Return the future routes (site -> Edge pool in lower case); None if the routes could not be read."""
    if ROUTE.part in deployment.records:
        found = deployment.of(ROUTE.part).values()
        return {record.identity: str(record.values.get("edge_pool", "")).casefold() for record in found}
    if topology.sites is None:
        return None
    return {site.name: site.xmpp_route.casefold() for site in topology.sites}


def _topology(items: Items, host: str) -> Topology:
    pools = pools_of(items)
    replicas, edges, sites, sip_domains = (items.of(name) for name in ("replicas", "edges", "sites", "sip_domains"))
    releases = {one.fqdn.casefold(): one.release for one in pools or ()}
    numbers = release_numbers(edges or ())
    return Topology(
        release=_release_of(host, pools or ()),
        pools=pools,
        edges=None if edges is None else tuple(_edge(one, releases, numbers) for one in edges),
        sites=None if sites is None else tuple(_site(one) for one in sites if not is_branch(one)),
        sip_domains=None if sip_domains is None else sip_domains_of(sip_domains),
        allowed_domains=_domains(ALLOWED, items.of("allowed")),
        blocked_domains=_domains(BLOCKED, items.of("blocked")),
        replicas=None if replicas is None else replicas_of(Answer(tuple(replicas))),
        central=central_pools(items.of("central")),
    )


def _release_of(host: str, pools: t.Sequence[Pool]) -> str | None:
    """Return the release of a host's pool; None if the host's name does not match one server's full or short name."""
    name = host.casefold()
    servers = {one.casefold(): pool for pool in pools for one in (*pool.computers, pool.fqdn)}
    short = [pool for fqdn, pool in servers.items() if fqdn.partition(".")[0] == name]
    pool = servers.get(name) or (short[0] if len({one.fqdn for one in short}) == 1 else None)
    return pool.release if pool else None


def _edge(item: t.Any, releases: t.Mapping[str, str | None], numbers: t.Mapping[str, str | None]) -> EdgePool:
    fqdn = text_of(SERVICE, item, "PoolFqdn")
    release = releases.get(fqdn.casefold()) or numbers.get(fqdn.casefold())
    ports = [_port(fqdn, item, name) for name in ("XmppListeningPort", "XmppInternalPort")]
    access_edge = text_of(SERVICE, item, _ACCESS_EDGE) if item.get(_ACCESS_EDGE) else ""
    return EdgePool(fqdn, access_edge, ports[0], ports[1], release)


def _port(fqdn: str, item: t.Any, name: str) -> int | None:
    """Return a port of XMPP; None if XMPP is not enabled.

    Then the property is null, empty or 0. Later releases may lack the property.
    """
    value = item.get(name)
    if isinstance(value, str) and not value.strip():
        return None
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Unreadable(SERVICE, fqdn, "%s must be a port, not %r" % (name, value))
    return value or None


def _site(item: t.Any) -> Site:
    name = site_from_server(text_of(SITE, item, "Identity"))
    routes = []
    for route in ("FederationRoute", "XmppFederationRoute"):
        value = named(item.get(route))
        if value is not None and (not isinstance(value, str) or is_type_name(value)):
            raise Unreadable(SITE, name, "%s must be an Edge pool such as EdgeServer:FQDN, not %r" % (route, value))
        routes.append((value or "").partition(":")[2] or (value or ""))
    return Site(name, *routes)


def _domains(cmdlet: str, items: list[t.Any] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(domain_from_server(text_of(cmdlet, one, "Domain")) for one in items)
