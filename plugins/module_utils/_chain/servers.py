# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the options for values of other servers, which have sessions of their own, and convert these values."""

from __future__ import annotations

import typing as t

from .._base.findings import ERROR
from .._base.result import Params
from .._probe.edge_view import view_of
from .known import HostService, Known, ServerRead, UsedCertificate

SERVICES_OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "host": {"type": "str", "required": True},
        "kind": {"type": "str", "required": True, "choices": ["gateway", "proxy"]},
        "status": {"type": "str"},
    },
}
EDGES_OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "host": {"type": "str", "required": True},
        "certificates": {"type": "list", "elements": "dict"},
        "clock_ahead": {"type": "float"},
        "declared": {"type": "bool", "default": False},
        "view": {"type": "dict"},
    },
}
FRONT_ENDS_OPTION: dict[str, t.Any] = {
    **EDGES_OPTION,
    "options": {name: spec for name, spec in EDGES_OPTION["options"].items() if name not in ("declared", "view")},
}
SERVER_OPTIONS = {"services": SERVICES_OPTION, "edges": EDGES_OPTION, "front_ends": FRONT_ENDS_OPTION}


def servers_known(params: Params) -> Known:
    """Return the values of the options. A value that is missing was not checked."""
    services = [HostService(one["host"], one["kind"], one.get("status")) for one in params.get("services") or ()]
    return Known(
        gateways=tuple(one for one in services if one.kind == "gateway") or None,
        proxies=tuple(one for one in services if one.kind == "proxy") or None,
        edges=tuple(map(_server, params.get("edges") or ())) or None,
        front_ends=tuple(map(_server, params.get("front_ends") or ())) or None,
        views=tuple(view_of(one["view"]) for one in params.get("edges") or () if one.get("view")) or None,
    )


def _server(given: t.Mapping[str, t.Any]) -> ServerRead:
    """Convert the values of one server.

    certificates: the certificates in the form of xmpp_gateway_cert_info.
    """
    read = given.get("certificates")
    certificates = None if read is None else tuple(map(_certificate, read))
    return ServerRead(str(given["host"]), certificates, given.get("clock_ahead"), bool(given.get("declared")))


def _certificate(given: t.Mapping[str, t.Any]) -> UsedCertificate:
    findings = given.get("findings") or ()
    faults = {str(one["code"]): str(one["message"]) for one in findings if one.get("severity", ERROR) == ERROR}
    return UsedCertificate(tuple(given.get("usages") or ()), faults)
