# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All hosts of a lab looked at as the playbooks look at them, without a playbook: a session on each, over the wire."""

from __future__ import annotations

import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import INFO_TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.service_tasks import TASK as SERVICES

from lab.deployment.breaks import broken
from lab.deployment.ready import EDGES
from lab.testing import Lab
from tests.integration.management import Management, target

FRONT_END = "fe01"
MODULES = {"sfb2015": "SkypeForBusiness", "lync2013": "Lync"}
# Breaks of what a host's own session shows. All others leave that as it is.
OF_HOSTS = (
    "gateway-not-installed", "gateway-stopped", "proxy-not-installed", "proxy-stopped",
    "certificate-missing", "certificate-expired", "internal-certificate-expired",
    "default-certificate-expired", "clock-ahead",
)  # fmt: skip
# Those that cannot be there at once, because they say different things of one object.
SAME = (
    {"gateway-not-installed", "gateway-stopped"},
    {"proxy-not-installed", "proxy-stopped"},
    {"certificate-missing", "certificate-expired"},
    {"no-route", "route-to-2019"},
    {"srv-missing", "srv-elsewhere"},
    {"users-on-2019", "users-online"},
    {"set-site-missing", "only-reading"},
)
Entries = list[dict[str, t.Any]]


class Hosts:
    """Sessions on the Front End and the Edges. ``management`` is the one on the Front End."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.management = Management(lab, target(lab, FRONT_END, "CONTOSO\\admin", "Lab-admin-1"))
        # The remote shell offers Get-CsWindowsService alone, so services are read through the Front End's own WinRM.
        own = ("CONTOSO\\admin", "Lab-admin-1", (MODULES[lab.profile],))
        self._front_end = Management(lab, target(lab, FRONT_END, *own, winrm=True))
        edge = ("Administrator", "Lab-edge-1", (MODULES[lab.profile],))
        self._edges = {name: Management(lab, target(lab, name, *edge)) for name in EDGES}
        self._seen: dict[tuple[str, ...], dict[str, Entries]] = {}

    def close(self) -> None:
        for shell in (self.management, self._front_end, *self._edges.values()):
            shell.session.close()

    def read(self) -> dict[str, t.Any]:
        """Options of preflight and explain, read once for each combination of breaks that a host's session shows."""
        state = tuple(sorted(set(broken(self.lab.store())) & set(OF_HOSTS)))
        if state not in self._seen:
            services = [_services("gateway", FRONT_END, self._front_end)]
            services += [_services("proxy", name, shell) for name, shell in self._edges.items()]
            self._seen[state] = {
                "services": services,
                "edges": [_server(name, shell, "XmppServer", "Internal") for name, shell in self._edges.items()],
                "front_ends": [_server(FRONT_END, self._front_end, "Default")],
            }
        return self._seen[state]


def _services(kind: str, host: str, shell: Management) -> dict[str, t.Any]:
    try:
        stopped = shell.run(SERVICES, check=True).steps
    except Refused:  # the host has none
        return {"host": host, "kind": kind, "status": ""}
    return {"host": host, "kind": kind, "status": "Stopped" if stopped else "Running"}


def _server(host: str, shell: Management, *usages: str) -> dict[str, t.Any]:
    found = shell.run(INFO_TASK, usages=list(usages)).values
    return {"host": host, "certificates": found["certificates"], "clock_ahead": found["clock_ahead"]}
