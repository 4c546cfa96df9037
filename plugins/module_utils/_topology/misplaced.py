# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host in the wrong group of the inventory: an Edge server as the way into the store, a Front End as an Edge.

Asked only after a task has failed, so that the message names the cause. The display names of services say what a server
is: the SIP service of an Edge is the "Access Edge", that of a Front End the "Front-End".
"""

from __future__ import annotations

import typing as t

from .._base.reading import UNREADABLE
from .._shell.rights import KNOWN, missing
from .._shell.statement import Shell, place_of
from .services import read_services

# A session that offers these and no certificates is a remote shell for administration, which only Front Ends have.
_OF_STORE = ("Get-CsXmppAllowedPartner", "Get-CsExternalAccessPolicy")
_OF_EDGE = "Get-CsCertificate"


def misplaced(shell: Shell, groups: t.Collection[str]) -> str:
    """What is wrong with the host's groups; empty if nothing is known. groups: those of ours that have the host.

    Raises nothing: the failure that led here is what counts.
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
    text = "%s is in sfb_edge, and is %s. %s"
    if lacking is not None and _OF_EDGE in lacking and not lacking.intersection(_OF_STORE):
        remedy = "Move it to sfb_management. A host of sfb_edge is an Edge server, through WinRM (port 5986)"
        return text % (host, "the remote shell of a Front End", remedy)
    if _has(shell, "front-end", lacking):
        return text % (host, "a Front End server", "Move it to sfb_front_end or sfb_management")
    return ""


def _as_door(shell: Shell, host: str, lacking: set[str] | None) -> str:
    remedy = "A host of sfb_management is a Front End, through its remote shell (ansible_psrp_path: OcsPowershell)"
    if lacking is not None and not any("-Cs" in name and name not in lacking for name in KNOWN):
        text = "%s is in sfb_management, and its session has no cmdlet of Lync or Skype for Business. %s"
        return text % (host, remedy + ". An Edge server belongs in sfb_edge")
    if _has(shell, "access edge", lacking):
        return "%s is in sfb_management, and is an Edge server. Move it to sfb_edge. %s" % (host, remedy)
    return ""


def _has(shell: Shell, word: str, lacking: set[str] | None) -> bool:
    if lacking is None or "Get-CsWindowsService" in lacking:
        return False
    return any(word in service.display_name.casefold() for service in read_services(shell))
