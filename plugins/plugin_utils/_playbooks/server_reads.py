# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a play has read on Front Ends and Edges, as the options of the module that decides. Pure.

The play keeps the results of xmpp_gateway_service in check mode, and of xmpp_gateway_cert_info. A host that did not
answer has neither services nor certificates in its result, so nothing is known of it.
"""

from __future__ import annotations

import typing as t

from .._servers.servers import Deployment

Values = t.Mapping[str, t.Any]
# The variables in which the plays keep the results.
SERVICES, CERTIFICATES = "xmpp_services_read", "xmpp_certificates_read"


def services(deployment: Deployment, reads: t.Mapping[str, Values]) -> list[dict[str, t.Any]]:
    """The option ``services``. reads: of xmpp_gateway_service in check mode, by host.

    status: empty if the host has no XMPP service; left out if it could not be read.
    """
    found = []
    for kind, hosts in (("gateway", deployment.front_ends), ("proxy", deployment.edges)):
        for host in hosts:
            read = reads.get(host) or {}
            entry = {"host": host, "kind": kind}
            if "services" in read:
                # Check mode returns the steps that would start a service: it does not run now.
                running = "Stopped" if read.get("steps") else "Running"
                entry["status"] = running if read["services"] else ""
            found.append(entry)
    return found


def servers(
    deployment: Deployment, read: t.Callable[[str, str], t.Any], declared: t.Collection[str] = ()
) -> dict[str, t.Any]:
    """The options that preflight and explain have of servers. read: the value that a host has in a variable."""
    running = {host: read(host, SERVICES) for host in deployment.hosts}
    certificates = {host: read(host, CERTIFICATES) for host in deployment.hosts}
    return {
        "services": services(deployment, running),
        "edges": edges(deployment, certificates, declared),
        "front_ends": front_ends(deployment, certificates),
    }


def edges(deployment: Deployment, reads: t.Mapping[str, Values], declared: t.Collection[str]) -> list[dict[str, t.Any]]:
    """The option ``edges``. declared: the Edges whose certificate the next run assigns."""
    found = []
    for host in deployment.edges:
        read = reads.get(host) or {}
        entry: dict[str, t.Any] = {"host": host, "declared": host in declared}
        if "certificates" in read:
            entry.update(certificates=read["certificates"], clock_ahead=read.get("clock_ahead"))
        found.append(entry)
    return found


def front_ends(deployment: Deployment, reads: t.Mapping[str, Values]) -> list[dict[str, t.Any]]:
    """The option ``front_ends``. Nobody has to read certificates there, so a host without a result is left out."""
    found = ((host, reads.get(host) or {}) for host in deployment.front_ends)
    return [
        {"host": host, "certificates": read["certificates"], "clock_ahead": read.get("clock_ahead")}
        for host, read in found
        if "certificates" in read
    ]
