# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of xmpp_topology_info: return the topology in plain values."""

from __future__ import annotations

import typing as t

from .._base.result import Params, Result
from .._base.task import Task
from .._shell.statement import Shell
from .topology import Topology, read_topology


def info(params: Params, shell: Shell, check: bool) -> Result:
    """Do the work of xmpp_topology_info. Raises ServerRefused, ShellError."""
    return Result(shown(read_topology(shell)))


def shown(topology: Topology) -> dict[str, t.Any]:
    """Return the topology in the form of the module's result. Unknown values are null."""

    def each(items: t.Sequence[t.Any] | None, one: t.Callable[[t.Any], dict[str, t.Any]]) -> list[t.Any] | None:
        return None if items is None else [one(item) for item in items]

    def plain(items: t.Sequence[str] | None) -> list[str] | None:
        return None if items is None else list(items)

    return {
        "release": topology.release,
        "pools": each(
            topology.pools,
            lambda pool: {
                "fqdn": pool.fqdn,
                "site": pool.site,
                "computers": list(pool.computers),
                "release": pool.release,
                "registrar": pool.registrar,
                "front_end": pool.front_end,
            },
        ),
        "edge_pools": each(
            topology.edges,
            lambda edge: {
                "fqdn": edge.fqdn,
                "access_edge": edge.access_edge,
                "release": edge.release,
                "xmpp_listening_port": edge.listening_port,
                "xmpp_internal_port": edge.internal_port,
            },
        ),
        "sites": each(
            topology.sites,
            lambda site: {
                "name": site.name,
                "federation_route": site.federation_route,
                "xmpp_federation_route": site.xmpp_route,
            },
        ),
        "sip_domains": plain(topology.sip_domains),
        "allowed_domains": plain(topology.allowed_domains),
        "blocked_domains": plain(topology.blocked_domains),
        "replicas": each(topology.replicas, lambda replica: t.cast("dict[str, t.Any]", replica.as_dict())),
        "unobserved": [{"cmdlet": cmdlet, "reason": why} for cmdlet, why in topology.unobserved.items()],
    }


INFO = Task({}, info)
