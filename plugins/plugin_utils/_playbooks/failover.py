# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which deployment of a run an Edge pool belongs to, what moves there, and what is left to people. Pure.

Topologies are as xmpp_topology_info returns them. Of several deployments only the one that has the pool is touched.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.names import key as key_of
from ...module_utils._base.result import Refused
from .outcome import went_wrong

Topology = t.Mapping[str, t.Any]

TO, SITE = "sfb_xmpp_failover_to", "sfb_xmpp_failover_site"


@dataclass(frozen=True)
class Move:
    """What a deployment does. edge_pool: as the topology writes it. routes: as xmpp_federation takes them.

    left: lines that say what no cmdlet can do.
    """

    edge_pool: str
    routes: tuple[dict[str, str], ...]
    left: tuple[str, ...]


def owner(topologies: t.Mapping[str, Topology | None], to: str) -> str:
    """The deployment to which an Edge pool belongs. topologies: by deployment, None where one could not be read.

    Raises Refused where it is none of them, or cannot be known.
    """
    wanted = _name(to)
    pools = {label: _pools(topology) for label, topology in topologies.items()}
    owners = [label for label, found in pools.items() if any(_name(pool) == wanted for pool in found or ())]
    if len(owners) == 1:
        return owners[0]
    if owners:
        text = "%s: %s is an Edge pool of each of the deployments %s; choose one with --limit"
        raise Refused([text % (TO, wanted, ", ".join(owners))])
    unread = [label for label, found in pools.items() if found is None]
    if unread:
        text = "%s: whether %s is an Edge pool of %s is not known, because its Edge pools cannot be read"
        raise Refused([text % (TO, wanted, label) for label in unread])
    have = "; ".join("%s has %s" % (label, ", ".join(found or ()) or "none") for label, found in pools.items())
    raise Refused(["%s: there is no Edge pool '%s' in this run; the deployment %s" % (TO, wanted, have)])


def topologies_of(reads: t.Mapping[str, t.Sequence[Topology]]) -> dict[str, Topology | None]:
    """The topology of each deployment, as the host that answered has read it; None where none has.

    reads: the results of its management hosts.
    """
    usable = {
        label: [one for one in read if not one.get("skipped") and not one.get("failed")]
        for label, read in reads.items()
    }
    return {label: found[0] if found else None for label, found in usable.items()}


def move_of(topology: Topology, to: str, site: str) -> Move:
    """What moves in the deployment that has the pool. site: its name, or empty for each site that has a route.

    Raises Refused where the pool or the site cannot carry XMPP.
    """
    edge = next(one for one in topology["edge_pools"] if _name(one["fqdn"]) == _name(to))
    if not edge["xmpp_listening_port"] or edge["release"] == "2019":
        text = (
            "%s: %s has no XMPP; enable it (Topology Builder, Edge pools, Edit Properties), publish, and run the"
            " deployment wizard on its servers"
        )
        raise Refused([text % (TO, edge["fqdn"])])
    if topology["sites"] is None:
        raise Refused(["the sites cannot be read with this account"])
    sites = [one for one in topology["sites"] if (_name(one["name"]) == _name(site) if site else _has_route(one))]
    if not sites:
        have = ", ".join(str(one["name"]) for one in topology["sites"])
        if site:
            raise Refused(["%s: there is no site '%s'; the topology has %s" % (SITE, site, have)])
        raise Refused(["%s: no site has a route; name the one that is to get it, of %s" % (SITE, have)])
    routes = tuple({"site": str(one["name"]), "edge_pool": str(edge["fqdn"])} for one in sites)
    return Move(str(edge["fqdn"]), routes, tuple(_left(edge, topology["sip_domains"] or ())))


def elsewhere(deployment: str, to: str, owner_of_it: str) -> str:
    """Why nothing happens in a deployment."""
    text = "Nothing is moved or restarted in the deployment %s: %s is an Edge pool of the deployment %s."
    return text % (deployment, _name(to), owner_of_it)


def service_state(moves: t.Sequence[t.Mapping[str, t.Any]], front_end: bool) -> str:
    """What the services of a server are to be, as xmpp_gateway_service takes it; empty where they are left alone.

    moves: the results of the management hosts of the server's own deployment. A gateway takes a route when it starts.
    Where the route could not be moved, nothing is touched.
    """
    done = [one for one in moves if not one.get("skipped") and not went_wrong(one)]
    if not done:
        return ""
    return "restarted" if front_end and any(one.get("changed") for one in done) else "started"


def before_the_move(
    front_ends: t.Sequence[str], edges: t.Sequence[str], looks: t.Mapping[str, t.Mapping[str, t.Any]]
) -> list[str]:
    """Lines on servers whose services this run will not restart. looks: what was seen of each server before.

    Raises Refused for Front Ends that answer and whose services cannot be restarted: they would keep the former route.
    """
    barred = [(host, looks[host]) for host in front_ends if host in looks and looks[host].get("able") is False]
    text = "%s: its services cannot be restarted, and a gateway takes a route when it starts. The reason: %s"
    wrong = [text % (host, one["reason"]) for host, one in barred if one.get("reached")]
    if wrong:
        raise Refused(wrong)
    lines = []
    if not front_ends:
        text = "No Front End is in sfb_front_end, so no gateway is restarted. A gateway takes the route when it starts."
        lines = [text, "After this run, restart the service of the XMPP gateway on each Front End."]
    for host, one in barred:
        text = "%s does not answer (%s). Its gateway keeps the former route until its service restarts."
        lines.append(text % (host, one["reason"]))
    for host in edges:
        if host in looks and looks[host].get("able") is False:
            lines.append("%s: its service cannot be started from here: %s" % (host, looks[host]["reason"]))
    return lines


def _left(edge: t.Mapping[str, t.Any], sip_domains: t.Sequence[str]) -> list[str]:
    names = {
        "pool": edge["fqdn"],
        "access": edge["access_edge"],
        "port": edge["xmpp_listening_port"],
        "internal": edge["xmpp_internal_port"],
        "domains": ", ".join(sip_domains) or "each SIP domain",
    }
    lines = (
        "What is left to do for %(pool)s, whose Access Edge is %(access)s:",
        "1. DNS: lead _xmpp-server._tcp of %(domains)s to %(access)s, port %(port)s. Partners find it when the old"
        " record's time is over.",
        "2. Firewall: let %(port)s in and out for %(access)s, and the Front Ends reach %(pool)s on %(internal)s.",
        "3. Certificate: its Edge servers need one for XmppServer; put them into sfb_edge and run"
        " sfb.xmpp.certificate.",
        "4. Topology Builder: download the topology before it is published the next time, or the route goes back.",
        "5. Proof: run sfb.xmpp.verify, and sfb.xmpp.explain for one user and one partner.",
        "The way back is the same command with the other pool.",
    )
    return [line % names for line in lines]


def _pools(topology: Topology | None) -> list[str] | None:
    found = topology["edge_pools"] if topology else None
    return None if found is None else [str(one["fqdn"]) for one in found]


def _has_route(site: t.Mapping[str, t.Any]) -> bool:
    return bool(site["xmpp_federation_route"])


def _name(text: str) -> str:
    """A name as it is compared: without case, and without the dot that may end a domain."""
    return key_of(str(text)).removesuffix(".")
