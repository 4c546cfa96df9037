# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate the cmdlets for the topology: sites and routes, pools, computers, services, versions of servers."""

from __future__ import annotations

import typing as t

from ..assumptions import rests_on
from ..deployment.store import fold
from ..deployment.topology import BUILDS, PRODUCTS
from .binding import Arguments
from .context import Context, chosen, invalid, not_found
from .objects import int32, make, texts

_ROUTES = ("FederationRoute", "XmppFederationRoute")


def _sites(ctx: Context, args: Arguments) -> t.Iterable[object]:
    pools = ctx.store.all("pool")
    for name, site in chosen(ctx, args, "Site", ctx.store.all("site"), "Site:").items():
        own = {fqdn: pool for fqdn, pool in pools.items() if pool["Site"] == name}
        properties = {
            "Identity": "Site:" + name,
            "SiteId": int32(site["Number"]),
            "Services": texts(["%s:%s" % (role, fqdn) for fqdn, pool in own.items() for role in pool["Roles"]]),
            "Pools": texts(list(own)),
            "FederationRoute": site["FederationRoute"],
            "XmppFederationRoute": site["XmppFederationRoute"],
            "DefaultPersistentChatPool": site.get("DefaultPersistentChatPool"),
            "Description": site["Description"],
            "DisplayName": site.get("DisplayName", name),
            "SiteType": "CentralSite",
            "ParentSite": None,
        }
        kind = "CentralSite"
        if site.get("Parent"):
            rests_on("branch-appliances")
            properties.update(SiteType="BranchSite", ParentSite="Site:" + site["Parent"])
            del properties["XmppFederationRoute"]
            kind = "BranchSite"
        yield make(["Microsoft.Rtc.Management.Deploy.Internal.Site+" + kind], properties, text="Site:" + name)


def _set_site(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Change a site. The identity is the bare name of the site."""
    rests_on("site-routes")
    asked = args.text("Identity")
    name = ctx.store.spelling("site", asked) if asked is not None else None
    if name is None:
        raise not_found("Site", asked or "")
    changes: dict[str, str | None] = {}
    for field in ("Description", "DisplayName", "DefaultPersistentChatPool", *_ROUTES):
        if field in args:
            changes[field] = _route(ctx, field, args.text(field)) if field in _ROUTES else args.text(field)
    ctx.store.put("site", name, {**(ctx.store.get("site", name) or {}), **changes})
    ctx.changed()
    return []


def _route(ctx: Context, field: str, route: str | None) -> str:
    """Return a route in the stored form: ``EdgeServer:FQDN`` of an existing Edge pool, or empty."""
    if not route:
        return ""
    service = ctx.store.spelling("service_role", route)
    if service is None or not service.startswith("EdgeServer:"):
        raise invalid('%s: "%s" is not the identity of an Edge service.' % (field, route), route)
    return service


def _pools(ctx: Context, args: Arguments) -> t.Iterable[object]:
    site = args.text("Site")
    for fqdn, pool in chosen(ctx, args, "Pool", ctx.store.all("pool")).items():
        if site is not None and fold(pool["Site"]) != fold(site):
            continue
        properties = {
            "Identity": fqdn,
            "Services": texts(["%s:%s" % (role, fqdn) for role in pool["Roles"]]),
            "Computers": texts(pool["Computers"]),
            "Fqdn": fqdn,
            "BackupPoolFqdn": None,
            "Site": "Site:" + pool["Site"],
        }
        yield make(["Microsoft.Rtc.Management.Deploy.Internal.Cluster"], properties, text=fqdn)


def _computers(ctx: Context, args: Arguments) -> t.Iterable[object]:
    pool = args.text("Pool")
    for fqdn, computer in chosen(ctx, args, "Computer", ctx.store.all("computer")).items():
        if (pool is not None and fold(computer["Pool"]) != fold(pool)) or (
            args.flag("Local") and fqdn != ctx.host.fqdn
        ):
            continue
        properties = {"Identity": fqdn, "Pool": computer["Pool"], "Fqdn": fqdn}
        yield make(["Microsoft.Rtc.Management.Deploy.Internal.Machine"], properties, text=fqdn)


def _services(ctx: Context, args: Arguments) -> t.Iterable[object]:
    rests_on("service-version-numbers")
    pool = args.text("PoolFqdn")
    roles = {"ConferenceServer": "ConferencingServer"}
    role = roles.get(args.parameter_set, args.parameter_set)
    sites = {fqdn: p["Site"] for fqdn, p in ctx.store.all("pool").items()}
    for identity, service in chosen(ctx, args, "Service", ctx.store.all("service_role")).items():
        if pool is not None and fold(service["Pool"]) != fold(pool):
            continue
        if role not in ("Identity", "Filter") and service["Role"] != role:
            continue
        edge = {k: int32(v) if isinstance(v, int) else v for k, v in service.get("Edge", {}).items()}
        properties = {
            "Identity": identity,
            **edge,
            "DependentServiceList": texts([str(edge["Registrar"])] if edge else []),
            "ServiceId": "1-%s-1" % service["Role"],
            "SiteId": "Site:" + sites[service["Pool"]],
            "PoolFqdn": service["Pool"],
            "Version": int32(int(service["Version"])),
            "Role": service["Role"],
        }
        yield make(["Microsoft.Rtc.Management.Xds.Display" + service["Role"]], properties, text=identity)


def _version(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Return the version of this server only."""
    rests_on("version-text")
    return ["%s (%s): Volume license key installed." % (PRODUCTS[ctx.version], BUILDS[ctx.version])]


CMDLETS = {
    "Get-CsSite": _sites,
    "Set-CsSite": _set_site,
    "Get-CsPool": _pools,
    "Get-CsComputer": _computers,
    "Get-CsService": _services,
    "Get-CsServerVersion": _version,
}
