# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the target of the SRV record of an own SIP domain, for the probe and for the chain. Pure."""

from __future__ import annotations

import typing as t

from .._base.findings import ERROR, UNKNOWN
from .._base.texts import some
from .facts import Addresses, Services

State = t.Literal["holds", "missing", "elsewhere", "unknown"]
# By state: the code and the severity of its finding.
FINDINGS: dict[State, tuple[str, str]] = {
    "missing": ("srv_missing", ERROR),
    "elsewhere": ("srv_elsewhere", ERROR),
    "unknown": ("srv_unknown", UNKNOWN),
}


def leads(
    domain: str, services: Services, found: t.Mapping[str, Addresses], edges: t.Mapping[str, Addresses]
) -> tuple[State, str]:
    """Return the state of the records, and a text about this state. One correct record of several is enough.

    found: the addresses of the records' targets.
    edges: the addresses of the Access Edges, by FQDN.
    """
    if services.state == "unknown":
        return "unknown", services.text
    if not services.records:
        return "missing", ""
    theirs = [(record.host, found.get(record.host)) for record in services.records]
    here = {address for one in edges.values() for address in one.addresses}
    if {address for _host, one in theirs if one is not None for address in one.addresses} & here:
        return "holds", ""
    if not here:
        return "unknown", "the controller finds no address of %s" % some(sorted(edges))
    unseen = [one.text if one is not None else host for host, one in theirs if one is None or one.state == "unknown"]
    if unseen:
        return "unknown", unseen[0]
    told = ["%s (%s)" % (host, ", ".join(one.addresses if one else ()) or "no address") for host, one in theirs]
    return "elsewhere", "%s leads to %s" % (domain, some(told))
