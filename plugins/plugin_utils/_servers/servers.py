# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts of an inventory make a deployment: the one rule, for every playbook. Pure.

A host says with ``sfb_xmpp_deployment`` to which deployment it belongs. If all management hosts that say so name one
deployment, hosts that say nothing belong to it; otherwise a host that says nothing is a mistake.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

DOORS, FRONT_ENDS, EDGES = "sfb_management", "sfb_front_end", "sfb_edge"
GROUPS = (DOORS, FRONT_ENDS, EDGES)
VARIABLE = "sfb_xmpp_deployment"
# The label of a deployment where nobody names one.
DEFAULT = "default"


@dataclass(frozen=True)
class DeploymentHosts:
    """The hosts of one deployment, by their names in the inventory and in its order.

    label: what ``sfb_xmpp_deployment`` says. doors: hosts of sfb_management, several ways to one store.
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
    """Every deployment of an inventory, in the order in which it names their hosts. mistakes: texts."""

    deployments: tuple[DeploymentHosts, ...]
    mistakes: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        return len(self.deployments) > 1

    def of(self, host: str) -> DeploymentHosts:
        """The deployment of a host; one without hosts if the host is in none of the groups."""
        return next((one for one in self.deployments if host in one.hosts), DeploymentHosts(DEFAULT))

    def among(self, hosts: t.Collection[str]) -> Servers:
        """The deployments of which a run has at least one host (``--limit``), each with all of its hosts."""
        return Servers(tuple(one for one in self.deployments if set(one.hosts) & set(hosts)), self.mistakes)


def servers_of(groups: t.Mapping[str, t.Sequence[str]], labels: t.Mapping[str, str]) -> Servers:
    """groups: the hosts of each group. labels: what ``sfb_xmpp_deployment`` says, by host; empty where nothing."""
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
            text = "%s is not set for %s, and the inventory has the deployments %s; set it to one of them"
            mistakes.append(text % (VARIABLE, host, ", ".join(everywhere)))
        elif label and doors and label not in {labels.get(door) or silent for door in doors}:
            text = "%s of %s is '%s', which no host of %s has; the deployments are %s"
            known = ", ".join(dict.fromkeys(labels.get(door) or silent for door in doors))
            mistakes.append(text % (VARIABLE, host, label, DOORS, known))
    deployments = [
        DeploymentHosts(label, *(tuple(h for h in groups.get(group) or () if found[h] == label) for group in GROUPS))
        for label in dict.fromkeys(found.values())
    ]
    return Servers(tuple(deployments), tuple(mistakes))
