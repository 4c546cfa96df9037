# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Topology and replication: sites, pools, computers, services, SIP domains, version, Central Management Store."""

from __future__ import annotations

import time
import typing as t

from ..deployment.seed import POOLS
from ..deployment.store import fold
from .binding import Arguments
from .context import Context, chosen, not_found
from .objects import int32, make, moment, texts

_VERSIONS = {
    "lync2013": ("Microsoft Lync Server 2013", "5.0.8308.0"),
    "sfb2015": ("Skype for Business Server 2015", "6.0.9319.0"),
}


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
            "DefaultPersistentChatPool": None,
            "Description": site["Description"],
            "DisplayName": name,
            "SiteType": "CentralSite",
            "ParentSite": None,
        }
        yield make(["Microsoft.Rtc.Management.Deploy.Internal.Site+CentralSite"], properties, text="Site:" + name)


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


def _sip_domains(ctx: Context, args: Arguments) -> t.Iterable[object]:
    for name, domain in chosen(ctx, args, "SipDomain", ctx.store.all("sip_domain")).items():
        yield make(["Microsoft.Rtc.Management.Xds.SipDomain"], {"Identity": name, **domain}, text=name)


def _services(ctx: Context, args: Arguments) -> t.Iterable[object]:
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
            "DependentServiceList": texts(["Registrar:%s" % POOLS["Redmond"]] if edge else []),
            "ServiceId": "1-%s-1" % service["Role"],
            "SiteId": "Site:" + sites[service["Pool"]],
            "PoolFqdn": service["Pool"],
            "Version": int32(int(service["Version"])),
            "Role": service["Role"],
        }
        yield make(["Microsoft.Rtc.Management.Xds.Display" + service["Role"]], properties, text=identity)


def _version(ctx: Context, args: Arguments) -> t.Iterable[object]:
    # assumption: version-text
    return ["%s (%s): Volume license key installed." % _VERSIONS[ctx.profile]]


def _status(ctx: Context, args: Arguments) -> t.Iterable[object]:
    wanted = args.text("ReplicaFqdn")
    replicas = ctx.store.all("replica")
    if wanted is not None and fold(wanted) not in map(fold, replicas):
        raise not_found("Replica", wanted)
    changed = float(ctx.store.setting("store_changed") or 0.0)
    delay = float(ctx.store.setting("replication_seconds"))
    stuck = {fold(fqdn) for fqdn in ctx.store.setting("replicas_stuck")}
    now = time.time()
    for fqdn, replica in replicas.items():
        if wanted is not None and fold(fqdn) != fold(wanted):
            continue
        # assumption: replication
        since = max(changed, float(replica["forced"]))
        current = fold(fqdn) not in stuck and now - since >= delay
        properties = {
            "UpToDate": current,
            "ReplicaFqdn": fqdn,
            "LastStatusReport": moment(now),
            "LastUpdateCreation": moment(since) if since else moment(now),
            "ProductVersion": _VERSIONS[ctx.profile][1],
        }
        yield make(["Microsoft.Rtc.Management.Xds.ReplicaState"], properties)


def _replicate(ctx: Context, args: Arguments) -> t.Iterable[object]:
    wanted = args.text("ReplicaFqdn")
    replicas = ctx.store.all("replica")
    if wanted is not None and fold(wanted) not in map(fold, replicas):
        raise not_found("Replica", wanted)
    for fqdn, replica in replicas.items():
        if wanted is None or fold(fqdn) == fold(wanted):
            ctx.store.put("replica", fqdn, {**replica, "forced": time.time()})
    return []


CMDLETS = {
    "Get-CsSite": _sites,
    "Get-CsPool": _pools,
    "Get-CsComputer": _computers,
    "Get-CsSipDomain": _sip_domains,
    "Get-CsService": _services,
    "Get-CsServerVersion": _version,
    "Get-CsManagementStoreReplicationStatus": _status,
    "Invoke-CsManagementStoreReplication": _replicate,
}
