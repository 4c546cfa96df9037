# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create an Ansible inventory of running labs: the management shells, Front Ends and Edges.

A Front End is two hosts of the inventory, because the management shell (IIS) and WinRM have different paths:
``fe01.contoso.test`` in ``sfb_management`` and ``fe01-winrm.contoso.test`` in ``sfb_front_end``.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

from .cmdlets.core import PRODUCT_MODULE
from .deployment.hosts import hosts_of
from .deployment.shape import Shape

Groups = dict[str, dict[str, dict[str, t.Any]]]


@dataclass(frozen=True)
class Place:
    """Hold the place of a running lab.

    directory: the directory of the lab's state.
    port: the port of the lab's hosts.
    """

    directory: Path
    port: int
    profile: str
    shape: Shape


def inventory(places: t.Mapping[str, Place]) -> Groups:
    """Return the inventory of labs by the deployment's name, the value of ``sfb_xmpp_deployment``; '' sets none.

    Every host has all variables of ansible.builtin.psrp.
    """
    groups: Groups = {name: {"hosts": {}} for name in ("sfb_management", "sfb_front_end", "sfb_edge")}
    for deployment, place in places.items():
        for host in hosts_of(place.shape).values():
            for group, name, variables in _shells(place, host.name, host.fqdn, host.role):
                named = {"sfb_xmpp_deployment": deployment} if deployment else {}
                groups[group]["hosts"][name] = {**variables, **named}
    return groups


def _shells(place: Place, name: str, fqdn: str, role: str) -> t.Iterator[tuple[str, str, dict[str, t.Any]]]:
    """Return the group, the name and the variables of each remote shell of a machine."""
    shape = place.shape
    common = {
        "ansible_host": shape.addresses[name],
        "ansible_port": place.port,
        "ansible_psrp_protocol": "https",
        "ansible_psrp_ca_cert": str(place.directory / "ca.pem"),
        "lab_directory": str(place.directory),
    }
    winrm = {"ansible_psrp_path": "wsman", "ansible_management_shell_modules": [PRODUCT_MODULE[place.profile]]}
    domain = {"ansible_user": shape.netbios + "\\admin", "ansible_password": shape.passwords["admin"]}
    local = {"ansible_user": "Administrator", "ansible_password": shape.passwords["edge"]}
    if role == "edge":
        yield "sfb_edge", fqdn, {**common, **winrm, **local, "ansible_psrp_auth": "negotiate"}
        return
    domain["ansible_psrp_auth"] = "ntlm"
    yield "sfb_management", fqdn, {**common, **domain, "ansible_psrp_path": "OcsPowershell"}
    first, _dot, rest = fqdn.partition(".")
    yield "sfb_front_end", "%s-winrm.%s" % (first, rest), {**common, **winrm, **domain}
