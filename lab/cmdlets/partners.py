# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate the cmdlets for XMPP allowed partners: \\*-CsXmppAllowedPartner."""

from __future__ import annotations

import typing as t

from psrpcore.types import PSObject

from ..assumptions import rests_on
from ..deployment.store import Document, fold
from .binding import Arguments, ListModifier
from .context import Context, chosen, exists, extras, given_changes, instance_identity, invalid, not_found
from .objects import PartnerType, SaslNegotiation, TlsNegotiation, make, texts, uint

KIND = "partner"
WHAT = "XmppAllowedPartner"
_TYPE = "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppAllowedPartner"
DEFAULTS: dict[str, t.Any] = {
    "AdditionalDomains": [],
    "ConnectionLimit": None,  # No default is documented.
    "Description": None,
    "EnableKeepAlive": True,
    "PartnerType": "PublicUnverified",
    "ProxyFqdn": None,
    "SaslNegotiation": "Required",
    "SupportDialbackNegotiation": True,
    "TlsNegotiation": "Required",
}


def wire(domain: str, body: Document, decorated: bool = True) -> PSObject:
    rests_on("partner-domain-property")
    rests_on("enum-numbers")
    properties = {
        "Identity": domain,
        "Domain": domain,
        **body,
        "AdditionalDomains": texts(body["AdditionalDomains"]),
        "ConnectionLimit": uint(body["ConnectionLimit"]),
        "PartnerType": PartnerType[body["PartnerType"]],
        "TlsNegotiation": TlsNegotiation[body["TlsNegotiation"]],
        "SaslNegotiation": SaslNegotiation[body["SaslNegotiation"]],
        **extras(domain, WHAT),
    }
    return make([_TYPE + "#Decorated", _TYPE] if decorated else [_TYPE], properties, text=domain)


def _domain(text: str) -> str:
    if not text.strip() or any(c.isspace() for c in text) or len(text) > 255:
        rests_on("partner-domains")
        raise invalid('"%s" is not a valid domain.' % text, text)
    return text


def _domains(present: list[str], change: ListModifier) -> list[str]:
    if change.replace is not None and not change.add and not change.remove:
        wanted: list[str] = []
        for domain in change.replace:
            wanted = _added(wanted, domain)
        return wanted
    if change.untouched:
        return present
    if not change.add and not change.remove:
        return []
    result = list(present)
    for domain in change.remove:
        if fold(domain) not in map(fold, result):
            rests_on("list-modifier-errors")
            raise invalid('"%s" cannot be removed from AdditionalDomains: it is not there.' % domain, domain)
        result = [d for d in result if fold(d) != fold(domain)]
    for domain in change.add:
        result = _added(result, domain)
    return result


def _added(present: list[str], domain: str) -> list[str]:
    if fold(domain) in map(fold, present):
        rests_on("list-modifier-errors")
        raise invalid('"%s" cannot be added to AdditionalDomains: it is already there.' % domain, domain)
    return [*present, _domain(domain)]


def _new(ctx: Context, args: Arguments) -> t.Iterable[object]:
    domain = _domain(str(args.text("Domain") or args.text("Identity")))
    body = {**DEFAULTS, **given_changes(ctx, args, DEFAULTS)}
    if "ConnectionLimit" not in args:
        rests_on("partner-connection-limit")
    change = body["AdditionalDomains"]
    if isinstance(change, ListModifier):
        if list(change.remove):
            raise invalid("AdditionalDomains of a new partner can only be added.", domain)
        body["AdditionalDomains"] = _domains([], change)
    if not args.flag("InMemory"):
        if ctx.store.get(KIND, domain) is not None:
            raise exists(WHAT, domain)
        ctx.store.put(KIND, domain, body)
        ctx.changed()
    return [wire(domain, body, decorated=False)]


def _get(ctx: Context, args: Arguments) -> t.Iterable[object]:
    found = chosen(ctx, args, WHAT, ctx.all(KIND, args))
    return (wire(domain, body) for domain, body in found.items())


def _set(ctx: Context, args: Arguments) -> t.Iterable[object]:
    domain = instance_identity(args)
    if domain is None:
        raise not_found(WHAT, "global")  # This kind of object has no global instance.
    body = ctx.store.get(KIND, domain)
    changes = given_changes(ctx, args, DEFAULTS)
    if body is None and "Instance" in args:
        body = dict(DEFAULTS)  # This call commits a draft that was made with -InMemory.
    if body is None:
        raise not_found(WHAT, domain)
    change = args.get("AdditionalDomains")
    if isinstance(change, ListModifier) and change.replace is not None:
        rests_on("list-modifier-replace")
    if isinstance(change, ListModifier) and change.replace is not None and not change.add and not change.remove:
        raise invalid("The lab takes AdditionalDomains of an existing partner as Add and Remove only.", domain)
    if isinstance(changes.get("AdditionalDomains"), ListModifier):
        changes["AdditionalDomains"] = _domains(body["AdditionalDomains"], changes["AdditionalDomains"])
    ctx.store.put(KIND, domain, {**body, **changes})
    ctx.changed()
    return []


def _remove(ctx: Context, args: Arguments) -> t.Iterable[object]:
    domain = args.need("Identity")
    if ctx.store.get(KIND, domain) is None:
        raise not_found(WHAT, domain)
    ctx.store.delete(KIND, domain)
    ctx.changed()
    return []


CMDLETS = {
    "New-CsXmppAllowedPartner": _new,
    "Get-CsXmppAllowedPartner": _get,
    "Set-CsXmppAllowedPartner": _set,
    "Remove-CsXmppAllowedPartner": _remove,
}
