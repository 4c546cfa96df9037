# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets which external access policy, who loses it, and what users would lose by it. Pure.

A user has exactly one effective policy: the per-user one, else the site's, else global. It carries remote sign-in, SIP
federation and public providers as well as XMPP, so each user's effective rights are compared before and after.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.names import is_per_user
from .._base.names import key as key_of
from .._base.step import Step, Values
from .._base.texts import some
from .._shell.statement import Value
from .deployment import CONTROLLER, Deployment, Records, User
from .federation import Federation, Grant
from .guard import NAMES, UPDATES_GUARDED_FROM, Guard
from .rules import rights_lost
from .selection import ChosenUsers, choose


@dataclass(frozen=True)
class Grants:
    """steps: grants, then withdrawals. usage: names of users by the key of the policy that they have afterwards; None
    where not all who have one were read. policies: by key of the user, the policy that he has afterwards.
    """

    steps: tuple[Step, ...] = ()
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    usage: t.Mapping[str, tuple[str, ...]] | None = None
    policies: t.Mapping[str, str] = field(default_factory=dict)


def plan_grants(
    deployment: Deployment, federation: Federation, guard: Guard, policies: Records, controller: t.Mapping[str, Value]
) -> Grants:
    """policies: as they are after this run's changes, before its removals."""
    run = _Granting(deployment, guard, policies, controller, federation.whole)
    declared = (*federation.granting, *_later_policies(deployment, federation, guard))
    for grant in declared:
        if grant.selector:
            run.choose(grant, choose(deployment, federation, guard, grant))
    for grant in declared:
        run.check(grant)
    for grant in declared:
        run.grant(grant)
    # After the grants: who gets another policy loses the former one by that.
    for grant in declared:
        run.withdraw(grant)
    steps = tuple(run.steps)
    usage = None
    if deployment.holders:
        found: dict[str, list[str]] = {}
        for key, policy in run.policies.items():
            if policy:
                found.setdefault(key_of(policy), []).append(deployment.users[key].name)
        usage = {policy: tuple(sorted(names)) for policy, names in found.items()}
    refusals = (*run.refusals, *run.too_many(), *run.losses())
    return Grants(steps, refusals, tuple(run.warnings), usage, run.policies)


def _later_policies(deployment: Deployment, federation: Federation, guard: Guard) -> list[Grant]:
    """Policies that a snapshot does not know go, and so does who has them."""
    if not federation.whole or "grants" not in federation.parts or "policies" not in federation.wanted:
        return []
    listed = {item.key for item in federation.wanted["policies"]}
    later = [
        (key, record) for key, record in deployment.of("policies").items() if is_per_user(key) and key not in listed
    ]
    return [Grant(record.identity, (), exclusive=True) for key, record in later if not guard.protector(key)]


def controllers(users: t.Iterable[User]) -> dict[str, str]:
    """By domain of Active Directory, one of its domain controllers, of those that told of users.

    What tells of a user may be a global catalogue of another domain, where nothing can be written.
    """
    found: dict[str, str] = {}
    for user in users:
        dns = ".".join(part.removeprefix("dc=") for part in user.domain.split(","))
        name = user.controller.casefold()
        if dns and name.partition(".")[2] == dns:
            found[user.domain] = min(name, found.get(user.domain, name))
    return found


class _Granting:
    def __init__(
        self, deployment: Deployment, guard: Guard, policies: Records, controller: t.Mapping[str, Value], whole: bool
    ) -> None:
        self.whole = whole
        self.deployment, self.guard, self.after, self.controller = deployment, guard, policies, controller
        self._by_domain = controllers(deployment.users.values())
        self.policies = {key: user.policy for key, user in deployment.users.items()}
        self.steps: list[Step] = []
        self.refusals: list[str] = []
        self.warnings: list[str] = []
        # By key of the user: where he was named first, and how, and the policy that he is to get there.
        self.named: dict[str, tuple[str, str, str]] = {}
        self.chosen: dict[str, tuple[User, ...]] = {}  # by place of a selector
        self.groups: dict[str, Grant] = {}  # by its place too

    def choose(self, grant: Grant, chosen: ChosenUsers) -> None:
        """Take over whom a selector means."""
        self.chosen[grant.place] = chosen.users
        if grant.selector and grant.selector.kind == "group":
            self.groups[grant.place] = grant
        self.warnings += chosen.told(grant)
        if chosen.problem:
            self.refusals.append("%s (%s): %s" % (grant.place, grant.selector, chosen.problem))
        for user in chosen.users:
            first = self.named.setdefault(user.key, (grant.place, user.name, key_of(grant.policy)))
            if first[2] != key_of(grant.policy):
                text = "%s (%s): %s is chosen by %s for another policy; a user has exactly one"
                self.refusals.append(text % (grant.place, grant.selector, user.name, first[0]))

    def check(self, grant: Grant) -> None:
        """Whether the policy and the users exist, and each of them is to get one policy only."""
        # Of a policy that a snapshot gives to nobody, there is nothing to take away where it is gone.
        idle = grant.absent or (self.whole and not grant.users)
        if key_of(grant.policy) not in self.after and not idle:
            place = grant.place if grant.place != "users" else "policy"
            self.refusals.append("%s: there is no policy '%s'; create it first" % (place, grant.policy))
        for number, name in enumerate(grant.users):
            if name in self.deployment.named:
                if not grant.absent:
                    self._check_one_policy(grant, number, name)
            else:
                words = self.deployment.unknown.get(name, "there is no such user")
                text = "%s[%d]: '%s': %s" % (grant.place, number, name, words)
                # Who had a policy when a snapshot was taken may have left since.
                (self.warnings if self.whole else self.refusals).append(text)

    def _check_one_policy(self, grant: Grant, number: int, name: str) -> None:
        """Two names may mean one user: his address and his distinguished name, say."""
        here = "%s[%d]" % (grant.place, number)
        first = self.named.setdefault(self.deployment.named[name], (here, name, key_of(grant.policy)))
        if first[2] != key_of(grant.policy):
            text = "%s: '%s' is the user that %s names as '%s'; a user has exactly one policy"
            self.refusals.append(text % (here, name, *first[:2]))

    def _users(self, grant: Grant) -> list[User]:
        if grant.selector:
            return list(self.chosen[grant.place])
        keys = dict.fromkeys(self.deployment.named[name] for name in grant.users if name in self.deployment.named)
        return [self.deployment.users[key] for key in keys]

    def grant(self, grant: Grant) -> None:
        if not grant.absent and key_of(grant.policy) in self.after:
            for user in self._users(grant):
                self._assign(user, grant.policy)

    def withdraw(self, grant: Grant) -> None:
        named = self._users(grant)
        if grant.absent:
            losing = named
        elif grant.exclusive:
            losing = self._others(named)
        else:
            self._name_who_left(grant, named)
            return
        for user in losing:
            if key_of(self.policies[user.key]) == key_of(grant.policy):
                self._assign(user, None)

    def _others(self, named: t.Iterable[User]) -> list[User]:
        kept = {user.key for user in named}
        return [user for user in self.deployment.users.values() if user.key not in kept]

    def _name_who_left(self, grant: Grant, named: t.Iterable[User]) -> None:
        """Who has the policy of a group without being a member, whether they left or were granted it otherwise."""
        if grant.selector is None or grant.selector.kind != "group":
            return
        policy = key_of(grant.policy)
        left = sorted(user.name for user in self._others(named) if key_of(self.policies[user.key]) == policy)
        if left:
            text = "%s (%s): not in the group, and keep the policy %s, which %s would withdraw: %s"
            exclusive = self.guard.name("exclusive_grants")
            self.warnings.append(text % (grant.place, grant.selector, grant.policy, exclusive, some(left, NAMES)))

    def _assign(self, user: User, policy: str | None) -> None:
        had = self.policies[user.key]
        if key_of(had) == key_of(policy or ""):
            return
        after = {"policy": policy or ""}
        self.policies[user.key] = policy or ""
        step = Step(
            cmdlet="Grant-CsExternalAccessPolicy",
            identity=user.name,
            parameters={"Identity": user.name, "PolicyName": policy, "Confirm": False, **self._controller(user)},
            key=user.key,
            before={"policy": had},
            after=after,
            expect=after,
            part="grants",
        )
        self.steps.append(step)

    def _controller(self, user: User) -> t.Mapping[str, Value]:
        """Where to write: what was asked for, else where his domain was read, or another one would be read back."""
        found = self._by_domain.get(user.domain)
        return self.controller or ({CONTROLLER: found} if found else {})

    def too_many(self) -> t.Iterable[str]:
        """A selector that means more users than was thought must not reach them all."""
        keys = {user.key for place, users in self.chosen.items() if place not in self.groups for user in users}
        changed = [step.identity for step in self.steps if step.key in keys]
        if changed:
            yield from self.guard.too_many_updates("users", len(self.deployment.users), changed)
        for grant in self.groups.values():
            yield from self._too_many_of_a_group(grant)

    def _too_many_of_a_group(self, grant: Grant) -> t.Iterable[str]:
        """Who has the policy is what a change is measured by: nobody has it on the first day, as with a list."""
        policy = key_of(grant.policy)
        had = {key for key, user in self.deployment.users.items() if key_of(user.policy) == policy}
        changed = {
            step.key: step.identity
            for step in self.steps
            if policy in [key_of(str((values or {})["policy"])) for values in (step.before, step.after)]
        }
        if len(had) >= UPDATES_GUARDED_FROM:
            what = "users who have %s or are to get it" % grant.policy
            yield from self.guard.too_many_updates(what, len(had | set(changed)), list(changed.values()))

    # Rights

    def losses(self) -> list[str]:
        """A text for each policy and each set of rights that users would lose and that allow_loss does not name."""
        reasons: dict[tuple[bool, str, tuple[str, ...]], list[str]] = {}
        for step in self.steps:
            had, gets = str((step.before or {})["policy"]), str((step.after or {})["policy"])
            lost: set[str] = set()
            for after in self._afterwards(gets):
                lost.update(rights_lost(self._before(step.key, had), after))
            lost -= self.guard.allow_loss
            if lost:
                reasons.setdefault((bool(gets), gets or had, tuple(sorted(lost))), []).append(step.identity)
        found = []
        for (granting, policy, lost_rights), who in reasons.items():
            record = self.after.get(key_of(policy))
            text = "%s %s would take %s from %s; if that is meant, name it in %s"
            verb = "granting" if granting else "withdrawing"
            name = record.identity if record and not granting else policy
            found.append(text % (verb, name, " and ".join(lost_rights), some(who), self.guard.name("allow_loss")))
        return found

    def _before(self, key: str, policy: str) -> Values:
        """What the user may do now, by his own policy or the one that acts on him."""
        own = self.after.get(key_of(policy)) if policy else None
        if own is None:
            own = self.after.get(self.deployment.effective.get(key, ""))
        return own.values if own else {}

    def _afterwards(self, policy: str) -> list[Values]:
        """What the user may have then: the policy granted; without one, whatever a site or global policy gives."""
        if policy:
            return [self.after[key_of(policy)].values]
        return [record.values for key, record in self.after.items() if not is_per_user(key)]
