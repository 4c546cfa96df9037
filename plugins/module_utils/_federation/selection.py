# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the users of a selector, and skip users that must not get the policy. The functions are pure.

A user on a pool without XMPP cannot use the policy. A user with another policy would lose that policy.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.names import key as key_of
from .._base.texts import count, some
from .deployment import Deployment, User
from .federation import Federation, Grant
from .guard import Guard
from .kinds import did_you_mean
from .pools import Pool


@dataclass(frozen=True)
class ChosenUsers:
    """These are the users of a selector.

    users: the users that must have the policy.
    skipped: the users that do not get the policy, by reason.
    problem: why the selector finds no users. The run is refused.
    doubt: why the selector finds no users, if the run continues.
    """

    users: tuple[User, ...] = ()
    skipped: t.Mapping[str, tuple[User, ...]] | None = None
    problem: str = ""
    doubt: str = ""

    def told(self, grant: Grant) -> list[str]:
        """Return the messages about skipped users."""
        text = "%s (%s): the policy is not granted to %s (%s): %s"
        doubts = ["%s (%s): %s" % (grant.place, grant.selector, self.doubt)] if self.doubt else []
        return doubts + [
            text % (grant.place, grant.selector, count(users, "user"), why, some([user.name for user in users]))
            for why, users in (self.skipped or {}).items()
        ]


def choose(deployment: Deployment, federation: Federation, guard: Guard, grant: Grant) -> ChosenUsers:
    """Return the users of a grant with a selector, from the users and pools that were read."""
    if grant.selector and grant.selector.kind == "group":
        return _choose_members(deployment, federation, guard, grant)
    pools, problem = _pools(deployment.pools or (), grant)
    if problem:
        return ChosenUsers(problem=problem)
    if odd := deployment.odd_homes:
        text = "the users of %s are unknown, because the home of some users cannot be read: %s"
        homes_of = ["%s: %s" % one for one in odd.items()]
        return ChosenUsers(problem=text % (some([pool.fqdn for pool in pools]), some(homes_of, 3)))
    names = {pool.fqdn.casefold() for pool in pools}
    there = [user for user in deployment.users.values() if user.pool.casefold() in names]
    if not there:
        text = "no user that this account can see is homed on %s"
        return ChosenUsers(problem=text % some([pool.fqdn for pool in pools]))
    return _fit(deployment, federation, guard, grant, there)


def _choose_members(deployment: Deployment, federation: Federation, guard: Guard, grant: Grant) -> ChosenUsers:
    """Return the members of a group. A filter finds no users for an empty group and for a group that does not exist."""
    keys = deployment.members.get(grant.selector.filter, frozenset()) if grant.selector else frozenset()
    members = [deployment.users[key] for key in keys]
    if odd := ["%s: %s" % (user.name, user.unread) for user in members if user.unread]:
        return ChosenUsers(problem="the home of these members is unknown: %s" % some(sorted(odd), 3))
    nobody = "no user that this account can see is a member. Check the name of the group"
    found = _fit(deployment, federation, guard, grant, members) if members else ChosenUsers(problem=nobody)
    if found.users:
        return found
    lose = grant.exclusive and not guard.allows("empty_purge")
    if lose:
        text = "%s. With %s, all users of the policy would lose it. To allow this, use %s"
        remedy = guard.name("exclusive_grants"), guard.remedy("empty_purge")
        return replace(found, problem=text % (found.problem or "no member gets the policy", *remedy))
    return replace(found, problem="", doubt=found.problem)


def _fit(
    deployment: Deployment, federation: Federation, guard: Guard, grant: Grant, there: t.Iterable[User]
) -> ChosenUsers:
    """Return which of these users get the policy, and why the other users do not."""
    homes = {pool.fqdn.casefold(): pool for pool in deployment.pools or ()}
    listed = _listed(deployment, federation)
    users, skipped = [], dict[str, list[User]]()
    usable = False
    for user in sorted(there, key=lambda one: one.name):
        why = "" if key_of(user.policy) == key_of(grant.policy) else _without_xmpp(user, homes.get(key_of(user.pool)))
        usable = usable or not why
        why = why or _has_another(user, grant, listed.get(user.key, ""), guard)
        if why:
            skipped.setdefault(why, []).append(user)
        else:
            users.append(user)
    found = ChosenUsers(tuple(users), {why: tuple(those) for why, those in skipped.items()})
    if not usable:
        said = "; ".join("%s %s" % (count(those, "user"), why) for why, those in skipped.items())
        return replace(found, problem="this account sees no selected user who can use the policy: %s" % said)
    return found


def _pools(pools: t.Sequence[Pool], grant: Grant) -> tuple[list[Pool], str]:
    """Return the pools of the selector, or the reason why the selector has no pools."""
    selector = grant.selector
    if selector is None:
        return [], "the selector has no pool and no site"
    name = selector.name.casefold()
    if selector.kind == "pool":
        found = [pool for pool in pools if pool.fqdn.casefold() == name]
        known = [pool.fqdn for pool in pools]
        text = "there is no pool '%s' that homes users%s"
    else:
        found = [pool for pool in pools if pool.site.casefold() == name]
        known = sorted({pool.site for pool in pools})
        text = "there is no site '%s' with a pool that homes users%s"
    return found, "" if found else text % (selector.name, did_you_mean(selector.name, known))


def _listed(deployment: Deployment, federation: Federation) -> dict[str, str]:
    """Return, by key of a user, the policy of the list with the user. A list has priority over a selector."""
    return {
        deployment.named[name]: grant.policy
        for grant in federation.granting
        if grant.selector is None and not grant.absent
        for name in grant.users
        if name in deployment.named
    }


def _without_xmpp(user: User, pool: Pool | None) -> str:
    if user.enabled is False:
        return "not enabled"
    if user.provider:
        return "homed online"
    if pool and pool.has_xmpp is False:
        return "homed on %s, %s" % (pool.fqdn, pool.lack)
    return ""


def _has_another(user: User, grant: Grant, listed: str, guard: Guard) -> str:
    policy = key_of(grant.policy)
    if listed and key_of(listed) != policy:
        return "in the list of %s" % listed
    if user.policy and key_of(user.policy) != policy and not guard.replace_policies and not listed:
        return "has the policy %s, and %s is false" % (user.policy, guard.name("allow_replaced_policies"))
    return ""
