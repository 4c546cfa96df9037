# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulate the cmdlets for SIP domains, allowed and blocked domains of SIP federation, and test users."""

from __future__ import annotations

import typing as t

from .binding import Arguments
from .context import Context, Handler, chosen, extras
from .objects import make

_EDGE_SETTINGS = "Microsoft.Rtc.Management.WritableConfig.Settings.Edge."


def _sip_domains(ctx: Context, args: Arguments) -> t.Iterable[object]:
    for name, domain in chosen(ctx, args, "SipDomain", ctx.all("sip_domain", args)).items():
        yield make(["Microsoft.Rtc.Management.Xds.SipDomain"], {"Identity": name, **domain}, text=name)


def _listed(kind: str, element: str) -> Handler:
    """Return the Get- cmdlet of one of the two lists of SIP federation."""

    def run(ctx: Context, args: Arguments) -> t.Iterable[object]:
        for domain, body in chosen(ctx, args, element, ctx.all(kind, args)).items():
            properties = {"Identity": domain, "Domain": domain, **body, **extras(domain, element)}
            yield make([_EDGE_SETTINGS + element], properties, text=domain)

    return run


def _health(ctx: Context, args: Arguments) -> t.Iterable[object]:
    element = "HealthMonitoringSettings"
    for pool, users in chosen(ctx, args, element, ctx.all("health_monitoring", args)).items():
        properties = {"Identity": pool, "TargetFqdn": pool, **users, **extras(pool, element)}
        yield make(["Microsoft.Rtc.Management.WritableConfig.Settings.HealthMonitoring." + element], properties, pool)


CMDLETS: t.Mapping[str, Handler] = {
    "Get-CsSipDomain": _sip_domains,
    "Get-CsAllowedDomain": _listed("allowed_domain", "AllowedDomain"),
    "Get-CsBlockedDomain": _listed("blocked_domain", "BlockedDomain"),
    "Get-CsHealthMonitoringConfiguration": _health,
}
