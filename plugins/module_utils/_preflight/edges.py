# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last links, on the Edge servers: the certificate of XMPP, and the clock by which it is judged. Pure."""

from __future__ import annotations

import typing as t

from .._base.findings import ERROR, UNKNOWN, WARNING
from .._base.texts import some
from .._topology.chain import Obstacle

USAGE = "XmppServer"
# Seconds. What the product tolerates is Kerberos' five minutes; a peer judges certificates by its own clock.
TOLERANCE = 300
_OVER = ("expired", "not_yet_valid")

Edge = t.Mapping[str, t.Any]


def check_edges(edges: t.Sequence[Edge] | None) -> list[Obstacle]:
    """edges: host, certificates as xmpp_gateway_cert_info returns them, clock_ahead, and whether a certificate is
    declared, which the next run assigns where there is none. None where nobody looked.

    A pool shares the work, so that what holds on one server of several is a warning for the others.
    """
    if not edges:
        return []
    found = [_certificate_of(edge) for edge in edges]
    lines = {name: [text for state, text in found if state == name] for name in ("missing", "over", "unknown")}
    obstacles = []
    for name, code, what, remedy in (
        ("missing", "certificate_missing", "no certificate is assigned to XmppServer on %s", "assign one"),
        ("over", "certificate_expired", "the certificate of XmppServer is not valid now on %s", "renew it"),
    ):
        if lines[name]:
            alone = len(lines[name]) == len(edges)
            obstacles.append(
                Obstacle(
                    code,
                    ERROR if alone else WARNING,
                    what % some(lines[name]),
                    "%s (sfb_xmpp_certificate, sfb.xmpp.certificate)" % remedy,
                    effect="partners that ask for TLS do not connect"
                    if alone
                    else "partners that ask for TLS do not connect there; the other servers carry it alone",
                    where="the Edge server itself, deployment wizard, step 3 (Request, Install or Assign Certificates)",
                )
            )
    wrong = [(e["host"], e["clock_ahead"]) for e in edges if e.get("clock_ahead") is not None]
    wrong = [(host, ahead) for host, ahead in wrong if abs(ahead) > TOLERANCE]
    if wrong:
        told = ["%s (%d s %s)" % (host, abs(ahead), "ahead" if ahead > 0 else "behind") for host, ahead in wrong]
        obstacles.append(
            Obstacle(
                "clock_apart",
                WARNING,
                "the clock is not the controller's on %s" % some(told),
                "synchronise it; an Edge in a workgroup has no domain controller to take the time from",
                effect="certificates are judged by a wrong time, the partners' and the own",
                where="the Edge server itself, the Windows Time service (w32tm), or the controller",
            )
        )
    if lines["unknown"]:
        obstacles.append(
            Obstacle(
                "certificate_unknown",
                UNKNOWN,
                "which certificate XmppServer has is not observable on %s" % some(lines["unknown"]),
                "look with an account that may read the computer's certificates",
                effect="it is not known whether this link holds",
                where="the Edge server itself",
            )
        )
    return obstacles


def _certificate_of(edge: Edge) -> tuple[str, str]:
    host, certificates = str(edge["host"]), edge.get("certificates")
    if certificates is None:
        return "unknown", host
    own = [one for one in certificates if USAGE in one["usages"]]
    if not own:
        return "holds" if edge.get("declared") else "missing", host
    over = [one["message"] for one in own[0]["findings"] if one["code"] in _OVER]
    return ("over", "%s (%s)" % (host, over[0])) if over else ("holds", host)
