# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of xmpp_migration_info: find the users that lose XMPP when they move to Server 2019.

Only legacy pools have XMPP, so users that move lose XMPP. After the last user has moved, partners have no use. The
shell has no record of the users that exchange messages with a partner. So while users are left, the use of a single
partner is unknown.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.names import Invalid, canonical_domain
from .._base.names import key as key_of
from .._base.result import Params, Refused, Result
from .._base.task import Task
from .._shell.statement import Shell
from .catalogue import PARTNER, POLICY
from .deployment import Deployment, Reader, User
from .kinds import did_you_mean
from .pools import Pool

ARGUMENT_SPEC: dict[str, t.Any] = {
    name: {"type": "list", "elements": "str", "default": []} for name in ("users", "pools", "declared")
}
# The settings that authenticate a partner.
NEGOTIATION = ("tls_negotiation", "sasl_negotiation", "support_dialback_negotiation")
# The outcomes of a move for a user.
LOSES, MAY_LOSE, ELSEWHERE, WITHOUT = "loses", "may_lose", "elsewhere", "without"


@dataclass(frozen=True)
class MigrationOutcome:
    """This is the outcome of a move for one user.

    user: the user.
    kind: ``loses``, ``may_lose``, ``elsewhere`` or ``without``.
    reason: the policy that gives XMPP, or the reason why the user has no XMPP, or why the outcome is unknown.
    policy: the policy in effect; empty if the policy does not matter.
    """

    user: User
    kind: str
    reason: str
    policy: str = ""

    def as_dict(self) -> dict[str, str]:
        return {
            "name": self.user.name,
            "pool": self.user.pool,
            "outcome": self.kind,
            "policy": self.policy,
            "reason": self.reason,
        }


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Do the work of xmpp_migration_info. Raises Refused, ServerRefused, ShellError."""
    names, asked_pools, declared = asked(params)
    reader = Reader(shell)
    deployment = reader.with_pools(reader.kinds([POLICY, PARTNER]))
    pools = _pools(deployment.pools or (), asked_pools)
    deployment = _with_users(reader, deployment, names)
    candidates = [u.key for u in deployment.users.values() if not u.policy and not _without_gateway(u, deployment)]
    deployment = reader.with_effective(deployment, candidates)
    return Result(told(deployment, names, pools, declared))


def _with_users(reader: Reader, deployment: Deployment, names: t.Sequence[str]) -> Deployment:
    """Read all users, and find the named users. Here, a SIP address can be written without ``sip:``."""
    whole = {name: "sip:" + name if _lacks_prefix(name) else name for name in names}
    found = reader.with_all_users(deployment, whole.values())
    return replace(
        found,
        named={name: found.named[address] for name, address in whole.items() if address in found.named},
        unknown={name: found.unknown[address] for name, address in whole.items() if address in found.unknown},
    )


def _lacks_prefix(name: str) -> bool:
    """Return whether a name is an address without ``sip:``."""
    return "@" in name and "=" not in name and not key_of(name).startswith("sip:")


def asked(params: Params) -> tuple[list[str], list[str], list[str]]:
    """Return the users, the pools and the declared domains from the options. Raises Refused."""
    reasons = []
    users, pools = ([str(one).strip() for one in params[name] or ()] for name in ("users", "pools"))
    if not users and not pools:
        reasons.append(
            "users and pools are missing. Name the users or pools that move next, as in"
            ' -e \'{"users": ["ann@contoso.com"]}\' or'
            ' -e \'{"pools": ["fe01.contoso.com"]}\''
        )
    for name, given in (("users", users), ("pools", pools)):
        # With a wildcard, the server would choose the users.
        wrong = [one for one in given if not one or "*" in one]
        reasons += [
            "%s: '%s' is not a full name. Write each name in full, without wildcards" % (name, one) for one in wrong
        ]
    declared = []
    for domain in params["declared"] or ():
        try:
            declared.append(canonical_domain(str(domain)))
        except Invalid as exc:
            reasons.append("declared: %s" % exc)
    if reasons:
        raise Refused(reasons)
    return list(dict.fromkeys(users)), pools, declared


def _pools(known: t.Sequence[Pool], names: t.Sequence[str]) -> list[Pool]:
    found = {pool.fqdn.casefold(): pool for pool in known}
    text = "pools: there is no pool '%s' that homes users%s"
    reasons = [
        text % (name, did_you_mean(name, [pool.fqdn for pool in known]))
        for name in names
        if name.casefold() not in found
    ]
    if reasons:
        raise Refused(reasons)
    return [found[name] for name in dict.fromkeys(one.casefold() for one in names)]


def told(
    deployment: Deployment, names: t.Sequence[str], pools: t.Sequence[Pool], declared: t.Sequence[str]
) -> dict[str, t.Any]:
    """Return the result of the module."""
    homes = {pool.fqdn.casefold() for pool in pools}
    moving = {deployment.named[name] for name in names if name in deployment.named}
    moving |= {user.key for user in deployment.users.values() if user.pool.casefold() in homes and user.pool}
    users = sorted(deployment.users.values(), key=lambda one: one.name)
    outcomes = [outcome(user, deployment) for user in users]
    left = [one for one in outcomes if one.user.key not in moving]
    having = [one.user.name for one in outcomes if one.kind in (LOSES, MAY_LOSE)]
    remaining, doubtful = ([one.user.name for one in left if one.kind == kind] for kind in (LOSES, MAY_LOSE))
    return {
        "users": [one.as_dict() for one in outcomes if one.user.key in moving],
        "pools": [pool.fqdn for pool in pools],
        "unknown": [
            {"name": name, "message": deployment.unknown[name]} for name in names if name in deployment.unknown
        ],
        "remaining": remaining,
        "remaining_unknown": doubtful,
        "nobody_left": False if remaining else None if doubtful else True,
        "partner_domains": _partners(deployment, declared),
        "own_domains": sorted({name.rpartition("@")[2].lower() for name in having if "@" in name}),
    }


def outcome(user: User, deployment: Deployment) -> MigrationOutcome:
    """Return the outcome of a move for a user."""
    why = _without_gateway(user, deployment)
    if why:
        return MigrationOutcome(user, ELSEWHERE, why)
    if user.enabled is False:
        return MigrationOutcome(user, WITHOUT, "not enabled")
    key = key_of(user.policy) if user.policy else deployment.effective.get(user.key, "")
    policy = deployment.of(POLICY.part).get(key)
    if policy is None:
        text = "has the policy '%s', which was not found" % (user.policy or key)
        return MigrationOutcome(user, MAY_LOSE, text, user.policy or key)
    scope = "the granted policy" if user.policy else "the global policy" if key == "global" else "the site's policy"
    name = policy.identity
    if not policy.values["enable_xmpp_access"]:
        return MigrationOutcome(user, WITHOUT, "%s (%s) does not give XMPP" % (scope, name), name)
    if not policy.values["enable_federation_access"]:
        text = "%s (%s) gives XMPP but not federation, so XMPP has no effect"
        return MigrationOutcome(user, WITHOUT, text % (scope, name), name)
    pool = _home(user, deployment)
    if pool is None or pool.has_xmpp is None:
        text = "%s (%s) gives XMPP, but it is unknown whether the user's home has XMPP: %s"
        home = "%s, %s" % (pool.fqdn, pool.lack) if pool else user.pool or user.unread or "not shown by the server"
        return MigrationOutcome(user, MAY_LOSE, text % (scope, name, home), name)
    return MigrationOutcome(user, LOSES, "%s (%s)" % (scope, name), name)


def _home(user: User, deployment: Deployment) -> Pool | None:
    return next((pool for pool in deployment.pools or () if pool.fqdn.casefold() == user.pool.casefold()), None)


def _without_gateway(user: User, deployment: Deployment) -> str:
    """Return why the user's home has no XMPP; empty if the home has XMPP, or if unknown."""
    if user.provider:
        return "homed online (%s), without XMPP" % user.provider
    pool = _home(user, deployment)
    if pool is not None and pool.has_xmpp is False:
        return "already homed on %s, %s" % (pool.fqdn, pool.lack)
    return ""


def _partners(deployment: Deployment, declared: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Return all allowed partners, and the partners that are only declared."""
    found: list[dict[str, t.Any]] = [
        {
            "domain": record.identity,
            "additional_domains": sorted(record.values["additional_domains"]),
            "allowed": True,
            **{name: record.values[name] for name in NEGOTIATION},
        }
        for record in deployment.of(PARTNER.part).values()
    ]
    known = {key_of(one["domain"]) for one in found}
    only = [domain for domain in dict.fromkeys(declared) if key_of(domain) not in known]
    unknown = dict.fromkeys(NEGOTIATION)
    found += [{"domain": domain, "additional_domains": [], "allowed": False, **unknown} for domain in only]
    return sorted(found, key=lambda one: str(one["domain"]))


TASK = Task(ARGUMENT_SPEC, work)
