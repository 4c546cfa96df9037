# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate the cmdlets for the global settings: \\*-CsXmppGatewayConfiguration, \\*-CsAccessEdgeConfiguration."""

from __future__ import annotations

import typing as t

from ..assumptions import rests_on
from ..deployment.seed import ACCESS_EDGE_DEFAULTS, GATEWAY_DEFAULTS
from ..deployment.store import fold
from .binding import Arguments
from .context import Context, chosen, extras, given_changes, instance_identity, not_found
from .objects import VerificationLevelType, make, uint

_GATEWAY = "XmppGatewaySettings"
_GATEWAY_TYPE = "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppGatewaySettings"
_EDGE = "AccessEdgeSettings"
_EDGE_TYPE = "Microsoft.Rtc.Management.WritableConfig.Settings.Edge.DisplayAccessEdgeSettings"
# Only one of the two routing methods has the next properties.
_DNS_ONLY = ("EnablePartnerDiscovery", "BeClearingHouse", "DiscoveredPartnerVerificationLevel")
_ROUTE_ONLY = ("DefaultRouteFqdn", "IsPublicProvider", "VerificationLevel")


def _write(ctx: Context, args: Arguments, kind: str, what: str, changes: dict[str, t.Any]) -> None:
    asked = instance_identity(args) or "global"
    if fold(asked) != "global":
        raise not_found(what, asked)
    body = ctx.store.get(kind, "Global") or {}
    ctx.store.put(kind, "Global", {**body, **changes})
    ctx.changed()


def _get_gateway(ctx: Context, args: Arguments) -> t.Iterable[object]:
    for identity, body in chosen(ctx, args, _GATEWAY, ctx.all("gateway", args)).items():
        shown = {name: uint(v) if isinstance(v, int) and not isinstance(v, bool) else v for name, v in body.items()}
        rests_on("dialback-passphrase")
        if ctx.store.setting("hide_dialback_passphrase"):
            shown["DialbackPassphrase"] = None
        yield make([_GATEWAY_TYPE], {"Identity": identity, **shown, **extras(identity, _GATEWAY)})


def _set_gateway(ctx: Context, args: Arguments) -> t.Iterable[object]:
    _write(ctx, args, "gateway", _GATEWAY, given_changes(ctx, args, GATEWAY_DEFAULTS))
    return []


def _get_access_edge(ctx: Context, args: Arguments) -> t.Iterable[object]:
    for identity, body in chosen(ctx, args, _EDGE, ctx.all("access_edge", args)).items():
        rests_on("access-edge-gaps")
        by_dns = body["RoutingMethod"] == "UseDnsSrvRouting"
        hidden = {"RoutingMethod", *(_ROUTE_ONLY if by_dns else _DNS_ONLY)}
        if ctx.profile == "lync2013":
            hidden |= {"DnsSrvCacheRecordCount", "SkypeSearchUrl"}
        shown: dict[str, object] = {"Identity": identity}
        for name, value in body.items():
            if name in hidden:
                continue
            if name.endswith("VerificationLevel"):
                shown[name] = VerificationLevelType[value]
            else:
                shown[name] = uint(value) if isinstance(value, int) and not isinstance(value, bool) else value
        shown["UseDnsSrvRouting" if by_dns else "UseDefaultRouting"] = True
        suffix = "DnsSrvRouting" if by_dns else "DefaultRoute"
        yield make([_EDGE_TYPE + suffix], {**shown, **extras(identity, _EDGE)})


def _set_access_edge(ctx: Context, args: Arguments) -> t.Iterable[object]:
    changes = given_changes(ctx, args, [n for n in ACCESS_EDGE_DEFAULTS if n != "RoutingMethod"])
    for method in ("UseDnsSrvRouting", "UseDefaultRouting"):
        if args.flag(method):
            changes["RoutingMethod"] = method
    _write(ctx, args, "access_edge", _EDGE, changes)
    return []


CMDLETS = {
    "Get-CsXmppGatewayConfiguration": _get_gateway,
    "Set-CsXmppGatewayConfiguration": _set_gateway,
    "Get-CsAccessEdgeConfiguration": _get_access_edge,
    "Set-CsAccessEdgeConfiguration": _set_access_edge,
}
