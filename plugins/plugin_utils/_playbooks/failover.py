# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the deployment of an Edge pool, plan the move of the pool's route, and list the manual steps.

All functions are pure. Topologies are results of xmpp_topology_info. Only the deployment that has the pool is changed.
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
    """Hold the move of a deployment.

    edge_pool: the pool's name in the topology.
    routes: an option of xmpp_federation.
    left: lines with the steps that no cmdlet can do.
    """

    edge_pool: str
    routes: tuple[dict[str, str], ...]
    left: tuple[str, ...]


def owner(topologies: t.Mapping[str, Topology | None], to: str) -> str:
    """Return the deployment that has an Edge pool.

    topologies: the topologies, by deployment; None if a topology could not be read.
    to: the name of the Edge pool.

    Raises Refused if no deployment or several deployments have the pool, or if a topology is unknown.
    """
    wanted = _name(to)
    pools = {label: _pools(topology) for label, topology in topologies.items()}
    owners = [label for label, found in pools.items() if any(_name(pool) == wanted for pool in found or ())]
    if len(owners) == 1:
        return owners[0]
    if owners:
        text = "%s: %s is an Edge pool of several deployments: %s. Choose one with --limit"
        raise Refused([text % (TO, wanted, ", ".join(owners))])
    unread = [label for label, found in pools.items() if found is None]
    if unread:
        text = "%s: cannot find %s. The Edge pools of the deployment %s cannot be read, so they are unknown"
        raise Refused([text % (TO, wanted, label) for label in unread])
    have = "; ".join("%s has %s" % (label, ", ".join(found or ()) or "none") for label, found in pools.items())
    raise Refused(["%s: no deployment of this run has the Edge pool '%s'. The deployment %s" % (TO, wanted, have)])


def topologies_of(reads: t.Mapping[str, t.Sequence[Topology]]) -> dict[str, Topology | None]:
    """Return the topology of each deployment; None if no management host has read the topology.

    reads: the results of the management hosts, by deployment.
    """
    usable = {
        label: [one for one in read if not one.get("skipped") and not one.get("failed")]
        for label, read in reads.items()
    }
    return {label: found[0] if found else None for label, found in usable.items()}


def move_of(topology: Topology, to: str, site: str) -> Move:
    """Return the move of the deployment that has the pool.

    to: the name of the Edge pool.
    site: the name of a site; empty for each site that has a route.

    Raises Refused if the pool or the site cannot have the route.
    """
    edge = next(one for one in topology["edge_pools"] if _name(one["fqdn"]) == _name(to))
    if not edge["xmpp_listening_port"] or edge["release"] == "2019":
        text = (
            "%s: %s has no XMPP. Enable it in Topology Builder (Edge pools, Edit Properties), publish the topology, and"
            " run the deployment wizard on its servers"
        )
        raise Refused([text % (TO, edge["fqdn"])])
    if topology["sites"] is None:
        raise Refused(["this account cannot read the sites. Use an account that can run Get-CsSite"])
    sites = [one for one in topology["sites"] if (_name(one["name"]) == _name(site) if site else _has_route(one))]
    if not sites:
        have = ", ".join(str(one["name"]) for one in topology["sites"])
        if site:
            raise Refused(["%s: the topology has no site '%s'. Choose one of %s" % (SITE, site, have)])
        raise Refused(["%s: no site has a route. Name the site that gets the route, one of %s" % (SITE, have)])
    routes = tuple({"site": str(one["name"]), "edge_pool": str(edge["fqdn"])} for one in sites)
    return Move(str(edge["fqdn"]), routes, tuple(_left(edge, topology["sip_domains"] or ())))


def elsewhere(deployment: str, to: str, owner_of_it: str) -> str:
    """Return why a run changes nothing in a deployment."""
    text = "Nothing is moved or restarted in the deployment %s, because %s is an Edge pool of the deployment %s."
    return text % (deployment, _name(to), owner_of_it)


def service_state(moves: t.Sequence[t.Mapping[str, t.Any]], front_end: bool) -> str:
    """Return the wanted state of a server's services, for xmpp_gateway_service; empty if the services are not changed.

    moves: the results of the management hosts of the server's deployment.
    front_end: whether the server is a Front End.

    A gateway reads the route when it starts. If the route could not be moved, no service is changed.
    """
    done = [one for one in moves if not one.get("skipped") and not went_wrong(one)]
    if not done:
        return ""
    return "restarted" if front_end and any(one.get("changed") for one in done) else "started"


def before_the_move(
    front_ends: t.Sequence[str], edges: t.Sequence[str], looks: t.Mapping[str, t.Mapping[str, t.Any]]
) -> list[str]:
    """Return lines about the servers whose services this run does not restart.

    looks: the state of each server before the run, by host.

    Raises Refused if a Front End answers and its services cannot be restarted. Such a Front End would keep the former
    route.
    """
    barred = [(host, looks[host]) for host in front_ends if host in looks and looks[host].get("able") is False]
    text = "%s: its services cannot be restarted, but a gateway reads a new route only when it starts. The reason: %s"
    wrong = [text % (host, one["reason"]) for host, one in barred if one.get("reached")]
    if wrong:
        raise Refused(wrong)
    lines = []
    if not front_ends:
        text = "No Front End is in sfb_front_end, so no gateway is restarted. A gateway reads the route when it starts."
        lines = [text, "After this run, restart the service of the XMPP gateway on each Front End."]
    for host, one in barred:
        text = "%s does not answer (%s). Its gateway keeps the former route until its service restarts."
        lines.append(text % (host, one["reason"]))
    for host in edges:
        if host in looks and looks[host].get("able") is False:
            lines.append("%s: this run cannot start its service: %s" % (host, looks[host]["reason"]))
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
        "Remaining steps for %(pool)s, whose Access Edge is %(access)s:",
        "1. DNS: point _xmpp-server._tcp of %(domains)s to %(access)s, port %(port)s. Partners use the new record after"
        " the TTL of the old record.",
        "2. Firewall: allow %(port)s in both directions for %(access)s. Allow %(internal)s from the Front Ends to"
        " %(pool)s.",
        "3. Certificate: add its Edge servers to sfb_edge and run sfb.xmpp.certificate. They need a certificate for"
        " XmppServer.",
        "4. Topology Builder: download the topology before you publish it again. Otherwise the former route returns.",
        "5. Check: run sfb.xmpp.verify. Run sfb.xmpp.explain for one user and one partner.",
        "To return to the other pool, run the same command with its name.",
    )
    return [line % names for line in lines]


def _pools(topology: Topology | None) -> list[str] | None:
    found = topology["edge_pools"] if topology else None
    return None if found is None else [str(one["fqdn"]) for one in found]


def _has_route(site: t.Mapping[str, t.Any]) -> bool:
    return bool(site["xmpp_federation_route"])


def _name(text: str) -> str:
    """Return a name for comparisons: in lower case, without a final dot."""
    return key_of(str(text)).removesuffix(".")
