# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate \\*-CsExternalAccessPolicy, except for Grant- (see directory.py)."""

from __future__ import annotations

import re
import typing as t

from psrpcore.types import PSObject

from ..assumptions import rests_on
from ..deployment.seed import POLICY_DEFAULTS
from ..deployment.store import Document, Store, fold
from .binding import Arguments
from .context import Context, chosen, exists, extras, given_changes, instance_identity, invalid, not_found
from .objects import ScopeClass, make

KIND = "policy"
WHAT = "ExternalAccessPolicy"
_TYPE = "Microsoft.Rtc.Management.WritableConfig.Policy.ExternalAccess.ExternalAccessPolicy"


def canonical(store: Store, identity: str) -> str:
    """Return ``Global``, ``Site:NAME`` or ``Tag:NAME`` for an identity. Raises CmdletError for an unknown site."""
    if fold(identity) == "global":
        return "Global"
    scope, colon, name = identity.partition(":")
    if not colon:
        scope, name = "tag", identity
    if fold(scope) == "site":
        site = store.spelling("site", name)
        if site is None:
            raise not_found("Site", name)
        return "Site:" + site
    if fold(scope) != "tag" or not name.strip() or re.search(r"[:*?\x00-\x1f]", name):
        rests_on("policy-names")
        raise invalid('"%s" is not a valid identity of a policy.' % identity, identity)
    known = store.spelling(KIND, "Tag:" + name)
    return known or "Tag:" + name


def wire(identity: str, body: Document) -> PSObject:
    scope = ScopeClass[identity.partition(":")[0]]
    properties = {"Identity": identity, **body, **extras(identity, WHAT), "ScopeClass": scope}
    return make([_TYPE], properties, text=identity)


def _new(ctx: Context, args: Arguments) -> t.Iterable[object]:
    identity = canonical(ctx.store, args.need("Identity"))
    # -InMemory creates a draft for a later Set- with -Instance. The draft is not compared with existing policies.
    body = {**POLICY_DEFAULTS, **given_changes(ctx, args, POLICY_DEFAULTS)}
    if not args.flag("InMemory"):
        if ctx.store.get(KIND, identity) is not None:
            raise exists(WHAT, identity)
        ctx.store.put(KIND, identity, body)
        ctx.changed()
    return [wire(identity, body)]


def _get(ctx: Context, args: Arguments) -> t.Iterable[object]:
    found = chosen(ctx, args, WHAT, ctx.all(KIND, args), "Tag:")
    return [wire(identity, body) for identity, body in found.items()]


def _set(ctx: Context, args: Arguments) -> t.Iterable[object]:
    asked = instance_identity(args) or "global"
    identity = canonical(ctx.store, asked)
    body = ctx.store.get(KIND, identity)
    changes = given_changes(ctx, args, POLICY_DEFAULTS)
    if body is None and "Instance" in args:
        body = dict(POLICY_DEFAULTS)  # This call commits a draft that was made with -InMemory.
    if body is None:
        raise not_found(WHAT, asked)
    ctx.store.put(KIND, identity, {**body, **changes})
    ctx.changed()
    return []


def _remove(ctx: Context, args: Arguments) -> t.Iterable[object]:
    asked = args.need("Identity")
    identity = canonical(ctx.store, asked)
    if ctx.store.get(KIND, identity) is None:
        raise not_found(WHAT, asked)
    if identity == "Global":
        ctx.store.put(KIND, identity, dict(POLICY_DEFAULTS))
    else:
        if identity.startswith("Tag:") and any(fold(p) == fold(identity) for p in ctx.store.grants().values()):
            rests_on("granted-policy-removal")
            raise invalid('The policy "%s" is assigned to one or more users and cannot be removed.' % asked, asked)
        ctx.store.delete(KIND, identity)
    ctx.changed()
    return []


CMDLETS = {
    "New-CsExternalAccessPolicy": _new,
    "Get-CsExternalAccessPolicy": _get,
    "Set-CsExternalAccessPolicy": _set,
    "Remove-CsExternalAccessPolicy": _remove,
}
