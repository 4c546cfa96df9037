# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report on the restart of services after a revocation. All functions are pure. Results are results of tasks."""

from __future__ import annotations

import typing as t

from .._servers.servers import DeploymentHosts
from .outcome import went_wrong

Results = t.Sequence[t.Mapping[str, t.Any]]

NOT_RESTARTED = (
    "The domain is removed, but no service was restarted. This run had no host of sfb_front_end or sfb_edge. Add these"
    " hosts to the inventory or to --limit, and run it again."
)


def before_the_revocation(deployment: DeploymentHosts) -> list[str]:
    """Return a line if a restart is requested but the inventory has no server to restart."""
    if deployment.front_ends or deployment.edges:
        return []
    return ["No host is in sfb_front_end or sfb_edge, so no service will be restarted."]


def unable(host: str, look: t.Mapping[str, t.Any]) -> list[str]:
    """Return a line if the services of a server cannot be restarted.

    look: the state of the server before the run.
    """
    return [] if look["able"] else ["%s: its services cannot be restarted: %s" % (host, look["reason"])]


def revoked(results: Results) -> bool:
    """Return whether the domain was removed from the partners of a deployment.

    results: the results of the deployment's management hosts.
    """
    return any("owners" in one and not went_wrong(one) for one in results)


def took_part(results: Results) -> bool:
    """Return whether a server restarted its services, or tried to restart them.

    results: the results of the restart.
    """
    return any(not one.get("skipped") for one in results)
