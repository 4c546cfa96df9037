# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give advice after a revocation: the servers that get the change, the work that is left, and SIP.

The advice is read after the writes, as far as possible, because the advice must not delay a revocation.
"""

from __future__ import annotations

import functools
import typing as t

from .._base.reading import UNREADABLE, objects_of
from .._base.texts import some
from .._federation.catalogue import ACCESS_EDGE
from .._shell.statement import Shell, Statement, place_of
from .replicate import carrying, carrying_replicas, routed_edges
from .topology import ALLOWED, BLOCKED, Topology, read_topology

_ACCESS_EDGE = "Get-" + ACCESS_EDGE.noun
_SIP_UNKNOWN = "it is unknown whether %s can still connect with SIP, because this could not be read: %s"


class RevocationAdvice:
    """Describe the advice. Each part is read once, at its first use."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._why = ""  # why the topology could not be read

    @functools.cached_property
    def _topology(self) -> Topology:
        try:
            return read_topology(self._shell)
        except UNREADABLE as exc:
            self._why = str(exc)
            return Topology()

    @functools.cached_property
    def replicas(self) -> list[str]:
        """Return the replicas of legacy Front Ends and of the routes' Edge servers; none if unknown."""
        topology = self._topology
        if topology.edges is None:
            return []
        carry = carrying(topology, routed_edges(topology))
        return carrying_replicas(topology.replicas or (), carry)

    def lines(self, domains: t.Sequence[str], *, restart: bool, pushes: bool) -> list[str]:
        """Return the work that is left for these domains.

        restart: whether the services are restarted next.
        pushes: whether replication is pushed.
        """
        found = []
        if pushes and not self.replicas:
            why = self._why or "; ".join("%s: %s" % one for one in self._topology.unobserved.items())
            text = "The servers with XMPP could not be read%s. So replication is pushed to all replicas."
            found.append(text % (" (%s)" % why if why else ""))
        streams = "Open streams may stay open until the XMPP services restart. "
        if restart:
            streams += "The restart comes next."
        elif place_of(self._shell).playbook:
            streams += "To restart them, run this playbook again with -e sfb_xmpp_revoke_restart=true."
        else:
            streams += "To restart them, use sfb.xmpp.xmpp_gateway_service with state: restarted."
        return [*found, streams, self._firewall(domains)]

    def _firewall(self, domains: t.Sequence[str]) -> str:
        routed = set(routed_edges(self._topology))
        edges = self._topology.edges or ()
        ours = {edge.access_edge for edge in edges if edge.access_edge and edge.fqdn.casefold() in routed}
        where = "at the Edge's external address" + (" (%s)" % some(sorted(ours)) if ours else "")
        text = (
            "Firewall: to block the partner also in the network, block TCP 5269 %s, in and out, for the servers of %s."
            " The SRV records _xmpp-server._tcp of the domain name these servers."
        )
        return text % (where, some(domains, 50))

    def warnings(self, domains: t.Sequence[str]) -> list[str]:
        """Return a warning for each domain that can still connect with SIP, and for checks that failed."""
        try:
            found_edge = objects_of(_ACCESS_EDGE, self._shell.invoke([Statement(_ACCESS_EDGE)]))
        except UNREADABLE as exc:
            return [_SIP_UNKNOWN % (some(domains), exc)]
        edge = found_edge[0] if found_edge else {}
        if edge.get("AllowFederatedUsers") is False:
            return []
        topology = self._topology
        found = []
        blocked = set(topology.blocked_domains or ())
        left = [name for name in domains if name not in blocked]
        allowed = [name for name in left if name in set(topology.allowed_domains or ())]
        if allowed:
            text = "%s can still connect with SIP, as an allowed SIP domain. Remove it with Remove-CsAllowedDomain"
            found.append(text % some(allowed))
        discovery = edge.get("EnablePartnerDiscovery")
        others = [name for name in left if name not in allowed]
        if others and discovery is True:
            text = (
                "%s can still connect with SIP, because partner discovery is on (EnablePartnerDiscovery of the Access"
                " Edge). Block it with New-CsBlockedDomain"
            )
            found.append(text % some(others))
        unread = [cmdlet for cmdlet, value in (
            (ALLOWED, topology.allowed_domains), (BLOCKED, topology.blocked_domains),
        ) if value is None]  # fmt: skip
        if others and not isinstance(discovery, bool):
            unread.append("EnablePartnerDiscovery of " + _ACCESS_EDGE)
        if unread:
            found.append(_SIP_UNKNOWN % (some(domains), ", ".join(unread)))
        return found
