# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the inventory of a rehearsal: the user's hosts and declared settings, with connections to the lab.

This code is pure.
"""

from __future__ import annotations

import os
import typing as t

from .._settings.table import BY_NAME

GROUPS = ("sfb_management", "sfb_edge", "sfb_front_end")
VERIFICATION = "sfb_xmpp_verification"
MODULES = "ansible_management_shell_modules"
_PREFIX = "sfb_xmpp_"
# Variables of other runs, and variables that run the user's own tasks, which may reach other systems.
_LEFT_OUT = ("plan_file", "snapshot_file", "snapshot_directory", "snapshot_keep", "snapshot", "verification", "audit")
_TASKS = ("certificate_hook", "certificate_drain", "certificate_restore")
# Sources that write files on the controller.
_MADE_HERE = ("own_ca", "self_signed", "request")
# The lab stores its settings in a file, which must not have a secret.
_OPTION = "dialback_passphrase"

Values = t.Mapping[str, t.Any]


def carried(name: str) -> bool:
    """Return whether a variable of a host is copied to the lab."""
    # A variable for a single run is not a variable of an inventory.
    once = name in BY_NAME and BY_NAME[name].once
    return (name.startswith(_PREFIX) and not once) or name == MODULES


def told(name: str) -> bool:
    """Return whether a variable of the command line is passed to the rehearsed converge."""
    return name in BY_NAME and BY_NAME[name].once and "converge" in BY_NAME[name].playbooks


def for_lab(
    values: Values, address: str, xmpp_port: int, scratch: str
) -> tuple[dict[str, t.Any], list[dict[str, str]]]:
    """Return a host's variables, changed so that only the lab and ``scratch`` are used, and the variables left out."""
    found = {n: v for n, v in values.items() if n.removeprefix(_PREFIX) not in (*_LEFT_OUT, *_TASKS)}
    skipped = [
        {
            "name": _PREFIX + name,
            "reason": "a rehearsal does not run your own tasks, because they may reach other systems",
        }
        for name in _TASKS
        if values.get(_PREFIX + name)
    ]
    found[_PREFIX + "snapshot_directory"] = os.path.join(scratch, "snapshots")
    found[_PREFIX + "audit"] = {"probe": False, "fail_on": "never"}
    gateway = values.get(_PREFIX + "gateway")
    if isinstance(gateway, dict) and isinstance(gateway.get(_OPTION), str) and gateway[_OPTION]:
        found[_PREFIX + "gateway"] = {**gateway, _OPTION: "passphrase of a rehearsal"}
    certificate = values.get(_PREFIX + "certificate")
    if isinstance(certificate, dict):
        certificate = dict(certificate)
        if isinstance(certificate.get("listener"), dict):
            certificate["listener"] = {**certificate["listener"], "address": address, "port": xmpp_port}
        source = certificate.get("source")
        if isinstance(source, dict):
            kind = source.get("type")
            if kind in _MADE_HERE:
                files = {n: source[n] for n in ("path", "request") if isinstance(source.get(n), str)}
                source = {**source, **{n: os.path.join(scratch, os.path.basename(p)) for n, p in files.items()}}
                certificate["source"] = source
            if kind == "enterprise_ca":
                reason = "the lab's Edge servers cannot reach your company's certification authority"
                skipped.append({"name": _PREFIX + "certificate", "reason": reason})
                certificate = None
        found[_PREFIX + "certificate"] = certificate
        if certificate is None:
            del found[_PREFIX + "certificate"]
    return found, skipped


def reach(role: str, address: str, port: int, ca: str) -> dict[str, t.Any]:
    """Return the connection variables of a host of the lab. Its accounts are public."""
    management = role == "management"
    return {
        "ansible_host": address,
        "ansible_port": port,
        "ansible_psrp_protocol": "https",
        "ansible_psrp_ca_cert": ca,
        "ansible_psrp_path": "OcsPowershell" if management else "wsman",
        "ansible_psrp_auth": "ntlm",
        "ansible_psrp_ignore_proxy": True,
        "ansible_user": "CONTOSO\\admin" if management else "Administrator",
        "ansible_password": "Lab-admin-1" if management else "Lab-edge-1",
    }


def profile_of(variables: t.Iterable[Values]) -> str:
    """Return the product, from the module that the Edge servers import."""
    names = [str(name).lower() for values in variables for name in values.get(MODULES) or ()]
    return "lync2013" if "lync" in names else "sfb2015"
