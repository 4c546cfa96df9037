# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a host in the wrong group of the inventory: an Edge server in sfb_management, a Front End in sfb_edge.

The group of a host is checked only after a task has failed, so that the message names the cause. The display names of
the services show the kind of a server. The SIP service of an Edge is "Access Edge", and the SIP service of a Front End
is "Front-End".
"""

from __future__ import annotations

import typing as t

from .._base.reading import UNREADABLE
from .._shell.rights import KNOWN, missing
from .._shell.statement import Shell, place_of
from .services import read_services

# Only the remote shell of a Front End offers the cmdlets of the store without the cmdlets for certificates.
_OF_STORE = ("Get-CsXmppAllowedPartner", "Get-CsExternalAccessPolicy")
_OF_EDGE = "Get-CsCertificate"


def misplaced(shell: Shell, groups: t.Collection[str]) -> str:
    """Return the message about the host's groups; empty if nothing is known. Raises nothing.

    groups: the groups of the collection that contain the host.
    """
    try:
        host = place_of(shell).host
        lacking = missing(shell, KNOWN)
        if "sfb_edge" in groups:
            return "" if "sfb_management" in groups else _as_edge(shell, host, lacking)
        return _as_door(shell, host, lacking) if "sfb_management" in groups else ""
    except UNREADABLE:
        return ""


def _as_edge(shell: Shell, host: str, lacking: set[str] | None) -> str:
    text = "%s is in sfb_edge, but it is %s. %s"
    if lacking is not None and _OF_EDGE in lacking and not lacking.intersection(_OF_STORE):
        remedy = "Move it to sfb_management. The hosts of sfb_edge are Edge servers with WinRM (port 5986)"
        return text % (host, "the remote shell of a Front End", remedy)
    if _has(shell, "front-end", lacking):
        return text % (host, "a Front End server", "Move it to sfb_front_end or sfb_management")
    return ""


def _as_door(shell: Shell, host: str, lacking: set[str] | None) -> str:
    remedy = "The hosts of sfb_management are Front Ends with their remote shell (ansible_psrp_path: OcsPowershell)"
    if lacking is not None and not any("-Cs" in name and name not in lacking for name in KNOWN):
        text = "%s is in sfb_management, but its session has no cmdlet of Lync or Skype for Business. %s"
        return text % (host, remedy + ". Edge servers belong in sfb_edge")
    if _has(shell, "access edge", lacking):
        return "%s is in sfb_management, but it is an Edge server. Move it to sfb_edge. %s" % (host, remedy)
    return ""


def _has(shell: Shell, word: str, lacking: set[str] | None) -> bool:
    if lacking is None or "Get-CsWindowsService" in lacking:
        return False
    return any(word in service.display_name.casefold() for service in read_services(shell))
