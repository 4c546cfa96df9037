# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate the cmdlets for users: Get-CsUser, Grant-CsExternalAccessPolicy and Get-CsEffectivePolicy."""

from __future__ import annotations

import re
import typing as t

from psrpcore.types import PSGuid, PSObject

from ..assumptions import rests_on
from ..deployment.hosts import NETBIOS
from ..deployment.seed import DOMAIN_CONTROLLERS
from ..deployment.store import Document, fold
from ..deployment.topology import ON_PREMISES, sites
from ..deployment.wildcard import has_wildcard, like
from ..errors import CmdletError
from . import ldap_filter
from .binding import Arguments
from .context import Context, invalid, not_found
from .objects import make
from .real_users import more_properties

_USER_TYPES = {
    "Get-CsUser": "Microsoft.Rtc.Management.ADConnect.Schema.ADUser",
    "Grant-CsExternalAccessPolicy": "Microsoft.Rtc.Management.ADConnect.Schema.OCSUserOrAppContact",
}
_COMPARISON = re.compile(
    r"""^\s*(\w+)\s+-(eq|ne|like|notlike)\s+(\$null|\$true|\$false|'(?:[^']|'')*'|"[^"$`]*")\s*$""", re.I
)


def _controller(ctx: Context, args: Arguments) -> str:
    """Return the domain controller that answers."""
    rests_on("domain-controllers")
    wanted = args.text("DomainController")
    if wanted is None:
        reads = ctx.cmdlet.name.startswith("Get-")
        return str(ctx.store.setting("read_controller")) if reads else DOMAIN_CONTROLLERS[0]
    wanted = wanted.rstrip(".")
    if fold(wanted) not in map(fold, DOMAIN_CONTROLLERS):
        raise CmdletError(
            'The domain controller "%s" cannot be contacted.' % wanted,
            "DomainControllerUnavailable",
            "ConnectionError",
            wanted,
            "Microsoft.Rtc.Management.ADConnect.ADOperationException",
        )
    return wanted


def _resolve(users: dict[str, Document], identity: str) -> dict[str, Document]:
    """Return the users that an identity means: SIP address, UPN, DOMAIN\\user, DN or display name.

    A display name can contain ``*``. Raises CmdletError if no user matches, or if a display name without a
    wildcard means several users.
    """
    rests_on("user-identity-forms")
    key = fold(identity)
    found: dict[str, Document] = {}
    for dn, user in users.items():
        exact = (
            dn,
            user["SipAddress"],
            user["UserPrincipalName"],
            "%s\\%s" % (user.get("NetBIOS", NETBIOS), user["SamAccountName"]),
        )
        if key in map(fold, exact):
            return {dn: user}
        if fold(user["DisplayName"]) == key or (has_wildcard(identity) and like(user["DisplayName"], identity)):
            found[dn] = user
    if not found:
        raise CmdletError(
            'Management object not found for identity "%s".' % identity,
            "ManagementObjectNotFound",
            "ObjectNotFound",
            identity,
            "Microsoft.Rtc.Management.AD.ManagementObjectNotFoundException",
        )
    if len(found) > 1 and not has_wildcard(identity):
        raise invalid('"%s" is not unique: %d users have this name.' % (identity, len(found)), identity)
    return found


def _wire(ctx: Context, dn: str, user: Document, policy: str | None, controller: str) -> PSObject:
    return _made(ctx, dn, _properties(dn, user, policy, controller), bool(ctx.store.setting("real_size_users")))


def _made(ctx: Context, dn: str, properties: dict[str, t.Any], real_size: bool) -> PSObject:
    more: dict[str, t.Any] = {}
    if real_size:
        rests_on("real-size-users")
        more = more_properties(dn, properties)
    return make([_USER_TYPES[ctx.cmdlet.name]], {**properties, **more}, text=dn)


def _properties(dn: str, user: Document, policy: str | None, controller: str) -> dict[str, t.Any]:
    if policy:
        rests_on("policy-of-a-user")
    rests_on("originating-server")
    return {
        "Identity": dn,
        "DistinguishedName": dn,
        "Name": dn[3:].split(",", 1)[0],
        "DisplayName": user["DisplayName"],
        "FirstName": user["FirstName"],
        "LastName": user["LastName"],
        "SamAccountName": user["SamAccountName"],
        "UserPrincipalName": user["UserPrincipalName"],
        "SipAddress": user["SipAddress"],
        "Enabled": user.get("Enabled", True),
        "RegistrarPool": user["RegistrarPool"],
        "ExternalAccessPolicy": policy.partition(":")[2] if policy else None,
        "EnterpriseVoiceEnabled": False,
        "LineURI": "",
        "HostingProvider": user.get("HostingProvider", ON_PREMISES),
        "Guid": PSGuid(user["Guid"]),
        "OriginatingServer": controller,
        "IsValid": True,
    }


def _filter(text: str) -> t.Callable[[dict[str, t.Any]], bool]:
    """Read a filter of the form PROPERTY -OPERATOR VALUE. Several comparisons are joined by -and."""
    rests_on("user-filters")
    tests: list[tuple[str, str, str | bool | None]] = []
    for part in re.split(r"\s-and\s", text.strip().strip("{}"), flags=re.I):
        match = _COMPARISON.match(part)
        if match is None:
            raise invalid("The lab understands filters of comparisons joined by -and only.", text)
        name, operator, raw = match.groups()
        literals: dict[str, bool | None] = {"$null": None, "$true": True, "$false": False}
        value = literals[raw.lower()] if raw.lower() in literals else raw[1:-1].replace("''", "'")
        tests.append((fold(name), operator.lower(), value))

    def passes(properties: dict[str, t.Any]) -> bool:
        folded = {fold(k): v for k, v in properties.items()}
        for name, operator, value in tests:
            if name not in folded:
                raise invalid('"%s" is not a property that a filter can use.' % name, text)
            actual = folded[name]
            if operator in ("like", "notlike"):
                hit = actual is not None and like(str(actual), str(value))
            elif isinstance(actual, str) and isinstance(value, str):
                hit = fold(actual) == fold(value)
            else:
                hit = actual == value
            if hit == operator.startswith("n"):
                return False
        return True

    return passes


def _get_user(ctx: Context, args: Arguments) -> t.Iterable[object]:
    controller = _controller(ctx, args)
    granted = ctx.store.grants(controller)
    users = ctx.store.all("user")
    identity = args.text("Identity")
    if identity is not None:
        users = _resolve(users, identity)
    text = args.text("Filter")
    if text and not ctx.store.setting("user_filters"):
        raise invalid("The lab was told to take no -Filter.", text)
    passes = _filter(text) if text else None
    ldap = args.text("LdapFilter")
    in_groups = ldap_filter.passes(ctx.store, ldap) if ldap else None
    limit = args.get("ResultSize")
    real_size = bool(ctx.store.setting("real_size_users"))
    count = 0
    for dn, user in users.items():
        if in_groups and not in_groups(user):
            continue
        properties = _properties(dn, user, granted.get(dn), controller)
        if passes and not passes(properties):
            continue
        count += 1
        if limit is not None and count > int(limit):
            return
        yield _made(ctx, dn, properties, real_size)


def _grant(ctx: Context, args: Arguments) -> t.Iterable[object]:
    controller = _controller(ctx, args)
    users = _resolve(ctx.store.all("user"), args.need("Identity"))
    name = args.text("PolicyName")
    policy = None
    if name:
        rests_on("grant-names")
        policy = None if ":" in name else ctx.store.spelling("policy", "Tag:" + name)
        if policy is None:
            raise not_found("ExternalAccessPolicy", name)
    for dn, user in users.items():
        if user["AdminCount"]:
            error = CmdletError(
                'Active Directory operation failed on "%s". You cannot retry this operation: "Insufficient access '
                'rights to perform the operation".' % controller,
                "InsufficientAccessRights",
                "PermissionDenied",
                dn,
                "Microsoft.Rtc.Management.ADConnect.ADOperationException",
            )
            ctx.error(error)
            continue
        ctx.store.grant(dn, policy, controller)
        if args.flag("PassThru"):
            yield _wire(ctx, dn, user, policy, controller)


def _effective(ctx: Context, args: Arguments) -> t.Iterable[object]:
    granted = ctx.store.grants(_controller(ctx, args))
    site_of = sites(ctx.store)
    for dn, user in _resolve(ctx.store.all("user"), args.need("Identity")).items():
        site = ctx.store.spelling("policy", "Site:%s" % site_of.get(fold(user["RegistrarPool"] or ""), ""))
        policy = granted.get(dn, "").removeprefix("Tag:") or site or "Global"
        if policy == site:
            rests_on("effective-policy-form")
        properties = {
            "Identity": dn,
            "ExternalAccessPolicy": policy,
            "ConferencingPolicy": "Global",
            "ClientPolicy": "Global",
            "MobilityPolicy": "Global",
            "VoicePolicy": "Global",
        }
        yield make(["Microsoft.Rtc.Management.AD.Cmdlets.EffectivePolicies"], properties, text=dn)


CMDLETS = {
    "Get-CsUser": _get_user,
    "Grant-CsExternalAccessPolicy": _grant,
    "Get-CsEffectivePolicy": _effective,
}
