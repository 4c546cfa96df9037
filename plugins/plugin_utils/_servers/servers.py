# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the hosts of each deployment in an inventory. Every playbook uses this rule. All functions are pure.

The variable ``sfb_xmpp_deployment`` of a host names its deployment. If all management hosts with the variable name the
same deployment, hosts without the variable belong to the same deployment. Otherwise a host without the variable is a
mistake.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

DOORS, FRONT_ENDS, EDGES = "sfb_management", "sfb_front_end", "sfb_edge"
GROUPS = (DOORS, FRONT_ENDS, EDGES)
VARIABLE = "sfb_xmpp_deployment"
# The label of a deployment if no host names a deployment.
DEFAULT = "default"


@dataclass(frozen=True)
class DeploymentHosts:
    """Hold the hosts of one deployment, with their names and order from the inventory.

    label: the value of ``sfb_xmpp_deployment``.
    doors: the hosts of sfb_management. All management hosts use the same Central Management Store.
    front_ends: the hosts of sfb_front_end.
    edges: the hosts of sfb_edge.
    """

    label: str
    doors: tuple[str, ...] = ()
    front_ends: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.doors, *self.front_ends, *self.edges)))


@dataclass(frozen=True)
class Servers:
    """Hold all deployments of an inventory, in the inventory's order.

    mistakes: messages about wrong labels.
    """

    deployments: tuple[DeploymentHosts, ...]
    mistakes: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        return len(self.deployments) > 1

    def of(self, host: str) -> DeploymentHosts:
        """Return the deployment of a host. A host outside the groups gets a deployment without hosts."""
        return next((one for one in self.deployments if host in one.hosts), DeploymentHosts(DEFAULT))

    def among(self, hosts: t.Collection[str]) -> Servers:
        """Return the deployments with at least one host in the run (``--limit``). Keep all hosts of each deployment."""
        return Servers(tuple(one for one in self.deployments if set(one.hosts) & set(hosts)), self.mistakes)


def servers_of(groups: t.Mapping[str, t.Sequence[str]], labels: t.Mapping[str, str]) -> Servers:
    """Return the deployments.

    groups: the hosts of each group.
    labels: the value of ``sfb_xmpp_deployment`` by host; empty if the variable is not set.
    """
    doors = groups.get(DOORS) or ()
    named = list(dict.fromkeys(labels[host] for host in doors if labels.get(host)))
    hosts = list(dict.fromkeys(host for group in GROUPS for host in groups.get(group) or ()))
    everywhere = named or list(dict.fromkeys(labels[host] for host in hosts if labels.get(host)))
    silent = everywhere[0] if len(everywhere) == 1 else DEFAULT
    found: dict[str, str] = {}
    mistakes = []
    for host in hosts:
        label = labels.get(host) or ""
        found[host] = label or silent
        if not label and len(everywhere) > 1:
            text = "%s is not set for %s, but the inventory has the deployments %s. Set it to one of them"
            mistakes.append(text % (VARIABLE, host, ", ".join(everywhere)))
        elif label and doors and label not in {labels.get(door) or silent for door in doors}:
            text = "%s of %s is '%s', but no host of %s has this value. Use one of the deployments: %s"
            known = ", ".join(dict.fromkeys(labels.get(door) or silent for door in doors))
            mistakes.append(text % (VARIABLE, host, label, DOORS, known))
    deployments = [
        DeploymentHosts(label, *(tuple(h for h in groups.get(group) or () if found[h] == label) for group in GROUPS))
        for label in dict.fromkeys(found.values())
    ]
    return Servers(tuple(deployments), tuple(mistakes))
