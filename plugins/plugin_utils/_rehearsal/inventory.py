# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a rehearsal: the hosts and what is declared are the user's, how to reach them is the lab's. Pure."""

from __future__ import annotations

import os
import typing as t

from .._settings.table import BY_NAME

GROUPS = ("sfb_management", "sfb_edge", "sfb_front_end")
VERIFICATION = "sfb_xmpp_verification"
MODULES = "ansible_management_shell_modules"
_PREFIX = "sfb_xmpp_"
# What belongs to other runs, or runs tasks of the user's own: these may reach anything.
_LEFT_OUT = ("plan_file", "snapshot_file", "snapshot_directory", "snapshot_keep", "snapshot", "verification", "audit")
_TASKS = ("certificate_hook", "certificate_drain", "certificate_restore")
# Sources that write files on the controller.
_MADE_HERE = ("own_ca", "self_signed", "request")
# The lab keeps what it is told in a file of its own, and a secret does not belong there.
_OPTION = "dialback_passphrase"

Values = t.Mapping[str, t.Any]


def carried(name: str) -> bool:
    """Whether a variable of a host goes with it into the lab; no other does."""
    # What one run is told is no variable of an inventory.
    once = name in BY_NAME and BY_NAME[name].once
    return (name.startswith(_PREFIX) and not once) or name == MODULES


def told(name: str) -> bool:
    """Whether a variable of the command line is handed on to the converge that is rehearsed."""
    return name in BY_NAME and BY_NAME[name].once and "converge" in BY_NAME[name].playbooks


def for_lab(
    values: Values, address: str, xmpp_port: int, scratch: str
) -> tuple[dict[str, t.Any], list[dict[str, str]]]:
    """What is declared for a host, so that it touches nothing but the lab and ``scratch``; and what was left out."""
    found = {n: v for n, v in values.items() if n.removeprefix(_PREFIX) not in (*_LEFT_OUT, *_TASKS)}
    skipped = [
        {"name": _PREFIX + name, "reason": "tasks of your own may reach anything, and are not run"}
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
                reason = "the lab's Edges cannot request it from an authority of your company"
                skipped.append({"name": _PREFIX + "certificate", "reason": reason})
                certificate = None
        found[_PREFIX + "certificate"] = certificate
        if certificate is None:
            del found[_PREFIX + "certificate"]
    return found, skipped


def reach(role: str, address: str, port: int, ca: str) -> dict[str, t.Any]:
    """The variables by which a host of the lab is reached; its accounts are public."""
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
    """The product, by the module that Edges load."""
    names = [str(name).lower() for values in variables for name in values.get(MODULES) or ()]
    return "lync2013" if "lync" in names else "sfb2015"
