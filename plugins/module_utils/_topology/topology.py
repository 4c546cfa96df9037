# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What federation depends on beside policies and partners, as one immutable value that is read in one pipeline.

What an account may not read is None, which is neither good nor bad, and ``unobserved`` says why. What was answered in
a form that is not the declared one is an error.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from .._base.names import domain_from_server, named
from .._base.reading import is_unknown
from .._base.result import UNREADABLE_ANSWER, ServerRefused, Unreadable
from .._federation.catalogue import ROUTE
from .._federation.kinds import is_type_name
from .._federation.pools import (
    LEGACY,
    POOL,
    SERVICE,
    STATUS,
    Pool,
    front_ends_of,
    pool_of,
    release_numbers,
    text_of,
)
from .._federation.sip_domains import SIP_DOMAIN, sip_domains_of
from .._federation.sites import is_branch, site_from_server
from .._shell.statement import Answer, Shell, Statement, place_of
from .replication import Replica, replicas_of

SITE = "Get-CsSite"
ALLOWED = "Get-CsAllowedDomain"
BLOCKED = "Get-CsBlockedDomain"


@dataclass(frozen=True)
class EdgePool:
    """listening_port, internal_port: of XMPP; None where XMPP federation is not enabled on the pool."""

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
    """A site that has routes. The Edge pools of both by their FQDN, empty where there is none."""

    name: str
    federation_route: str
    xmpp_route: str


@dataclass(frozen=True)
class Topology:
    """Everything that was read; None: not observable. unobserved: by cmdlet, why, in the server's words.

    release: of the pool of the server that answered. sip_domains: A-labels, the default one first.
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

    def pool(self, fqdn: str) -> Pool | None:
        return next((one for one in self.pools or () if one.fqdn.casefold() == fqdn.casefold()), None)


@dataclass(frozen=True)
class Reading:
    """One statement. known_by: whether an object of the common answer is one of its own."""

    name: str
    statement: Statement
    known_by: t.Callable[[t.Any], bool]


def _has(*names: str) -> t.Callable[[t.Any], bool]:
    return lambda item: isinstance(item, dict) and all(name in item for name in names)


def _role(name: str) -> t.Callable[[t.Any], bool]:
    return lambda item: isinstance(item, dict) and "PoolFqdn" in item and item.get("Role") == name


# In the order in which they are sent. Each object of the answer belongs to one of them. Get-CsServerVersion is none of
# them: by its page it is local to a server, so a remote shell does not offer it.
READINGS = (
    Reading("edges", Statement(SERVICE, {"EdgeServer": True}), _role("EdgeServer")),
    Reading("registrars", Statement(SERVICE, {"Registrar": True}), _role("Registrar")),
    Reading("user_servers", Statement(SERVICE, {"UserServer": True}), _role("UserServer")),
    Reading("sites", Statement(SITE), ROUTE.returned),
    Reading("sip_domains", Statement(SIP_DOMAIN), _has("IsDefault")),
    Reading("allowed", Statement(ALLOWED), _has("Domain", "MarkForMonitoring")),
    Reading(
        "blocked",
        Statement(BLOCKED),
        lambda item: isinstance(item, dict) and "Domain" in item and "MarkForMonitoring" not in item,
    ),
    Reading("replicas", Statement(STATUS), _has("ReplicaFqdn")),
    Reading("pools", Statement(POOL), _has("Computers", "Fqdn")),
)

_ACCESS_EDGE = "AccessEdgeExternalFqdn"
_Items = dict[str, "list[t.Any] | None"]


def read_topology(shell: Shell, readings: t.Sequence[Reading] = READINGS) -> Topology:
    """One request, and one for each statement where any of them was refused.

    A statement whose objects have another form is not observable. Raises ShellError, and ServerRefused where nothing at
    all could be read.
    """
    answer = shell.invoke([one.statement for one in readings])
    if not (answer.errors or answer.lost or answer.refused):
        with contextlib.suppress(Unreadable):  # one object must not hide all others
            return topology_of(answer.output, readings, place_of(shell).host)
    return read_one_by_one(shell, readings)


def topology_of(output: t.Sequence[t.Any], readings: t.Sequence[Reading] = READINGS, host: str = "") -> Topology:
    """From the objects that one pipeline returned. host: the server that answered. Raises Unreadable."""
    return _topology(_sorted(output, readings), {}, host)


def read_one_by_one(shell: Shell, readings: t.Sequence[Reading] = READINGS) -> Topology:
    """What the account may not read is not observable. Raises as read_topology does."""
    found: _Items = {}
    unobserved: dict[str, str] = {}
    refused = None
    for one in readings:
        alone = shell.invoke([one.statement])
        if alone.errors or alone.lost:
            refused = refused or ServerRefused(one.statement.cmdlet, alone)
            found[one.name] = None
            why = "not observable with this role" if is_unknown(alone) else ""
            said = alone.errors[0].message if alone.errors else alone.lost
            unobserved[one.statement.cmdlet] = why or said
        elif strangers := [item for item in alone.output if not one.known_by(item)]:
            found[one.name] = None
            unobserved[one.statement.cmdlet] = "%s: an object came back that is none of what was asked for: %s" % (
                UNREADABLE_ANSWER,
                _stranger(strangers[0]),
            )
        else:
            found[one.name] = list(alone.output)
    if refused and not any(items is not None for items in found.values()):
        raise refused
    return _readable(found, unobserved, place_of(shell).host)


def _readable(found: _Items, unobserved: dict[str, str], host: str) -> Topology:
    """The topology of what has the right form: a statement with an object that has not counts as not observable."""
    by_cmdlet: dict[str, list[str]] = {}
    for one in READINGS:
        by_cmdlet.setdefault(one.statement.cmdlet, []).append(one.name)
    for _statement in by_cmdlet:
        try:
            return _topology(found, unobserved, host)
        except Unreadable as exc:
            cmdlet = exc.errors[0].cmdlet
            unobserved[cmdlet] = exc.errors[0].message
            found = {**found, **dict.fromkeys(by_cmdlet.get(cmdlet, ()))}
    return _topology(found, unobserved, host)


def _topology(found: _Items, unobserved: t.Mapping[str, str], host: str) -> Topology:
    items = {**dict.fromkeys(one.name for one in READINGS), **found}
    replicas = None if items["replicas"] is None else replicas_of(Answer(tuple(items["replicas"])))
    numbers = release_numbers([*(items["edges"] or ()), *(items["registrars"] or ())])
    builds = {one.fqdn.casefold(): one.build for one in replicas or ()}
    registrars = items["registrars"]
    homes = None if registrars is None else {text_of(SERVICE, one, "PoolFqdn").casefold() for one in registrars}
    front_ends = front_ends_of(items["user_servers"])
    found_pools = items["pools"]
    pools = None
    if found_pools is not None:
        pools = tuple(pool_of(one, builds, numbers, homes, front_ends) for one in found_pools)
    releases = {one.fqdn.casefold(): one.release for one in pools or ()}
    edges = None if items["edges"] is None else tuple(_edge(one, releases, numbers) for one in items["edges"])
    return Topology(
        release=_release_of(host, pools or ()),
        pools=pools,
        edges=edges,
        sites=None if items["sites"] is None else tuple(_site(one) for one in items["sites"] if not is_branch(one)),
        sip_domains=None if items["sip_domains"] is None else sip_domains_of(items["sip_domains"]),
        allowed_domains=_domains(ALLOWED, items["allowed"]),
        blocked_domains=_domains(BLOCKED, items["blocked"]),
        replicas=replicas,
        unobserved=unobserved,
    )


def _sorted(output: t.Sequence[t.Any], readings: t.Sequence[Reading]) -> _Items:
    """Whose each object is. They come in the order of the statements."""
    found: dict[str, list[t.Any]] = {one.name: [] for one in readings}
    current = 0
    for item in output:
        own = [number for number, one in enumerate(readings) if one.known_by(item)]
        if len(own) != 1 or own[0] < current:
            cmdlet = readings[own[0] if len(own) == 1 else current].statement.cmdlet
            shown = _stranger(item)
            raise Unreadable(cmdlet, "", "an object came back that is none of what was asked for: %s" % shown)
        current = own[0]
        found[readings[current].name].append(item)
    return dict(found)


def _stranger(item: t.Any) -> str:
    return ", ".join(map(str, list(item)[:8])) if isinstance(item, dict) else repr(item)[:80]


def _release_of(host: str, pools: t.Sequence[Pool]) -> str | None:
    """The release of a host's pool. None where its name in the inventory, whole or short, is not that of one server."""
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
    """None: XMPP is not enabled. The property may be null, an empty text or 0, and later releases may lack it."""
    value = item.get(name)
    if isinstance(value, str) and not value.strip():
        return None
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Unreadable(SERVICE, fqdn, "%s is %r; a port was expected" % (name, value))
    return value or None


def _site(item: t.Any) -> Site:
    name = site_from_server(text_of(SITE, item, "Identity"))
    routes = []
    for route in ("FederationRoute", "XmppFederationRoute"):
        value = named(item.get(route))
        if value is not None and (not isinstance(value, str) or is_type_name(value)):
            raise Unreadable(SITE, name, "%s is %r; an Edge pool as EdgeServer:FQDN was expected" % (route, value))
        routes.append((value or "").partition(":")[2] or (value or ""))
    return Site(name, *routes)


def _domains(cmdlet: str, items: list[t.Any] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(domain_from_server(text_of(cmdlet, one, "Domain")) for one in items)
