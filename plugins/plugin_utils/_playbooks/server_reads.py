# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn the connect task's results on Front Ends and Edges into options of other modules. All functions are pure.

If a host did not answer or was not asked, its services and certificates are left out.
"""

from __future__ import annotations

import typing as t

from .._servers.connected import Connected
from .._servers.servers import DeploymentHosts

Results = t.Mapping[str, Connected | None]


def services(deployment: DeploymentHosts, results: Results) -> list[dict[str, t.Any]]:
    """Return the option ``services``.

    The key ``status`` is empty if the host has no XMPP service. The key is left out if the services could not be read.
    """
    found = []
    for kind, hosts in (("gateway", deployment.front_ends), ("proxy", deployment.edges)):
        for host in hosts:
            one = results.get(host)
            entry = {"host": host, "kind": kind}
            if one is not None and one.server is not None and one.server.services is not None:
                own = [service.status for service in one.server.services if service.xmpp]
                running = "Running" if all(status == "running" for status in own) else "Stopped"
                entry["status"] = running if own else ""
            found.append(entry)
    return found


def servers(deployment: DeploymentHosts, results: Results, declared: t.Collection[str] = ()) -> dict[str, t.Any]:
    """Return the options of preflight and explain about servers."""
    return {
        "services": services(deployment, results),
        "edges": edges(deployment, results, declared),
        "front_ends": front_ends(deployment, results),
    }


def edges(deployment: DeploymentHosts, results: Results, declared: t.Collection[str]) -> list[dict[str, t.Any]]:
    """Return the option ``edges``.

    declared: the Edges whose certificate the next run assigns.
    """
    found = []
    for host in deployment.edges:
        read = certificates(results.get(host))
        entry: dict[str, t.Any] = {"host": host, "declared": host in declared}
        if "certificates" in read:
            entry.update(certificates=read["certificates"], clock_ahead=read.get("clock_ahead"))
        one = results.get(host)
        if one is not None and one.view is not None:
            entry["view"] = one.view
        found.append(entry)
    return found


def views(deployment: DeploymentHosts, results: Results) -> dict[str, dict[str, t.Any]]:
    """Return the results of xmpp_edge_view, by host. Edges that were not asked are left out."""
    reads = {host: results.get(host) for host in deployment.edges}
    return {host: one.view for host, one in reads.items() if one is not None and one.view is not None}


def front_ends(deployment: DeploymentHosts, results: Results) -> list[dict[str, t.Any]]:
    """Return the option ``front_ends``. A Front End whose certificates were not read is left out."""
    found = ((host, certificates(results.get(host))) for host in deployment.front_ends)
    return [
        {"host": host, "certificates": read["certificates"], "clock_ahead": read.get("clock_ahead")}
        for host, read in found
        if "certificates" in read
    ]


def certificates(one: Connected | None) -> dict[str, t.Any]:
    """Return the result of xmpp_gateway_cert_info on a host, or ``msg`` with the reason for the missing result."""
    if one is None:
        return {"msg": "they were not read in this run"}
    return one.certificates or {"msg": one.reason}
