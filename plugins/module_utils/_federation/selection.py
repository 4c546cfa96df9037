# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which users a selector means, and who of them does not get the policy all the same. Pure.

Who is homed where there is no XMPP would get nothing by it, and who has another policy would lose that one.
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
    """users: who has to have the policy. skipped: by the reason, who does not get it. problem: why the selector means
    nobody, which is refused. doubt: the same where it may be so.
    """

    users: tuple[User, ...] = ()
    skipped: t.Mapping[str, tuple[User, ...]] | None = None
    problem: str = ""
    doubt: str = ""

    def told(self, grant: Grant) -> list[str]:
        """Who is skipped, for people."""
        text = "%s (%s): not granted to %s (%s): %s"
        doubts = ["%s (%s): %s" % (grant.place, grant.selector, self.doubt)] if self.doubt else []
        return doubts + [
            text % (grant.place, grant.selector, count(users, "user"), why, some([user.name for user in users]))
            for why, users in (self.skipped or {}).items()
        ]


def choose(deployment: Deployment, federation: Federation, guard: Guard, grant: Grant) -> ChosenUsers:
    """The users of a grant by selector, from the one reading of users and pools."""
    if grant.selector and grant.selector.kind == "group":
        return _choose_members(deployment, federation, guard, grant)
    pools, problem = _pools(deployment.pools or (), grant)
    if problem:
        return ChosenUsers(problem=problem)
    if odd := deployment.odd_homes:
        text = "who is homed on %s cannot be known: %s"
        homes_of = ["%s: %s" % one for one in odd.items()]
        return ChosenUsers(problem=text % (some([pool.fqdn for pool in pools]), some(homes_of, 3)))
    names = {pool.fqdn.casefold() for pool in pools}
    there = [user for user in deployment.users.values() if user.pool.casefold() in names]
    if not there:
        return ChosenUsers(problem="this account sees no user who is homed on %s" % some([pool.fqdn for pool in pools]))
    return _fit(deployment, federation, guard, grant, there)


def _choose_members(deployment: Deployment, federation: Federation, guard: Guard, grant: Grant) -> ChosenUsers:
    """The members of a group. One without members, or that does not exist, finds nobody: a filter cannot tell."""
    keys = deployment.members.get(grant.selector.filter, frozenset()) if grant.selector else frozenset()
    members = [deployment.users[key] for key in keys]
    if odd := ["%s: %s" % (user.name, user.unread) for user in members if user.unread]:
        return ChosenUsers(problem="where these members are homed cannot be known: %s" % some(sorted(odd), 3))
    nobody = "this account sees no user who is a member. Check the name of the group"
    found = _fit(deployment, federation, guard, grant, members) if members else ChosenUsers(problem=nobody)
    if found.users:
        return found
    lose = grant.exclusive and not guard.allows("empty_purge")
    if lose:
        text = "%s; with %s, everyone who has the policy would lose it. If that is meant, use %s"
        remedy = guard.name("exclusive_grants"), guard.remedy("empty_purge")
        return replace(found, problem=text % (found.problem or "no member gets the policy", *remedy))
    return replace(found, problem="", doubt=found.problem)


def _fit(
    deployment: Deployment, federation: Federation, guard: Guard, grant: Grant, there: t.Iterable[User]
) -> ChosenUsers:
    """Who of these users gets the policy, and why the others do not."""
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
        return replace(found, problem="no user whom this account sees there can use it: %s" % said)
    return found


def _pools(pools: t.Sequence[Pool], grant: Grant) -> tuple[list[Pool], str]:
    """The pools that the selector names, and why there are none."""
    selector = grant.selector
    if selector is None:
        return [], "it names no pool and no site"
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
    """Who is named in a list, which says more than a selector: by key of the user, the policy of the list."""
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
        return "named in the list of %s" % listed
    if user.policy and key_of(user.policy) != policy and not guard.replace_policies and not listed:
        return "has the policy %s, which only %s replaces" % (user.policy, guard.name("allow_replaced_policies"))
    return ""
