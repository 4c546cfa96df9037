# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan which users get or lose an external access policy, and compare their rights. The functions are pure.

A user has exactly one effective policy: the per-user policy, or else the policy of the site, or else the global policy.
A policy also has the rights for remote sign-in, SIP federation and public providers. So the rights of each user are
compared before and after the change.
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
    """These are the planned grants and withdrawals.

    steps: grants, then withdrawals.
    refusals: the reasons why the plan may not be applied.
    warnings: texts for the user.
    usage: the names of users after the run, by key of the users' policy; None if not all users of policies were read.
    policies: the policies of users after the run, by key of the user.
    """

    steps: tuple[Step, ...] = ()
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    usage: t.Mapping[str, tuple[str, ...]] | None = None
    policies: t.Mapping[str, str] = field(default_factory=dict)


def plan_grants(
    deployment: Deployment, federation: Federation, guard: Guard, policies: Records, controller: t.Mapping[str, Value]
) -> Grants:
    """Plan the grants and withdrawals of a federation.

    policies: the policies after the changes and before the removals of this run.
    controller: the parameter with the domain controller; empty to choose a controller for each user.
    """
    run = _Granting(deployment, guard, policies, controller, federation.whole)
    declared = (*federation.granting, *_later_policies(deployment, federation, guard))
    for grant in declared:
        if grant.selector:
            run.choose(grant, choose(deployment, federation, guard, grant))
    for grant in declared:
        run.check(grant)
    for grant in declared:
        run.grant(grant)
    # Withdrawals come after the grants, because a user that gets another policy loses the present policy without a
    # withdrawal.
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
    """Return the withdrawals from policies that a snapshot does not have. The run removes these policies."""
    if not federation.whole or "grants" not in federation.parts or "policies" not in federation.wanted:
        return []
    listed = {item.key for item in federation.wanted["policies"]}
    later = [
        (key, record) for key, record in deployment.of("policies").items() if is_per_user(key) and key not in listed
    ]
    return [Grant(record.identity, (), exclusive=True) for key, record in later if not guard.protector(key)]


def controllers(users: t.Iterable[User]) -> dict[str, str]:
    """Return, by domain of Active Directory, a domain controller of this domain that returned users.

    A global catalogue of another domain can return a user too, but cannot write the user.
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
        # By key of the user: the first list with the user, the name in this list, and the policy of this list.
        self.named: dict[str, tuple[str, str, str]] = {}
        self.chosen: dict[str, tuple[User, ...]] = {}  # by place of a selector
        self.groups: dict[str, Grant] = {}  # by place of a selector of a group

    def choose(self, grant: Grant, chosen: ChosenUsers) -> None:
        """Take over the users of a selector."""
        self.chosen[grant.place] = chosen.users
        if grant.selector and grant.selector.kind == "group":
            self.groups[grant.place] = grant
        self.warnings += chosen.told(grant)
        if chosen.problem:
            self.refusals.append("%s (%s): %s" % (grant.place, grant.selector, chosen.problem))
        for user in chosen.users:
            first = self.named.setdefault(user.key, (grant.place, user.name, key_of(grant.policy)))
            if first[2] != key_of(grant.policy):
                text = "%s (%s): %s also gets another policy in %s. A user has exactly one policy, so keep only one"
                self.refusals.append(text % (grant.place, grant.selector, user.name, first[0]))

    def check(self, grant: Grant) -> None:
        """Check that the policy and the users exist, and that each user gets only one policy."""
        # If a snapshot has no users for a policy, a missing policy needs no withdrawal.
        idle = grant.absent or (self.whole and not grant.users)
        if key_of(grant.policy) not in self.after and not idle:
            place = grant.place if grant.place != "users" else "policy"
            self.refusals.append("%s: there is no policy '%s'. Create it first" % (place, grant.policy))
        for number, name in enumerate(grant.users):
            if name in self.deployment.named:
                if not grant.absent:
                    self._check_one_policy(grant, number, name)
            else:
                words = self.deployment.unknown.get(name, "there is no such user")
                text = "%s[%d]: '%s': %s" % (grant.place, number, name, words)
                # A user in a snapshot can be deleted later, so in a restore, a missing user is only a warning.
                (self.warnings if self.whole else self.refusals).append(text)

    def _check_one_policy(self, grant: Grant, number: int, name: str) -> None:
        """Check that two names of one user, such as the address and the distinguished name, have the same policy."""
        here = "%s[%d]" % (grant.place, number)
        first = self.named.setdefault(self.deployment.named[name], (here, name, key_of(grant.policy)))
        if first[2] != key_of(grant.policy):
            text = "%s: '%s' is the same user as '%s' in %s. A user has exactly one policy, so keep only one of them"
            self.refusals.append(text % (here, name, first[1], first[0]))

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
        """Warn about users that have the policy of a group but are not members of the group."""
        if grant.selector is None or grant.selector.kind != "group":
            return
        policy = key_of(grant.policy)
        left = sorted(user.name for user in self._others(named) if key_of(self.policies[user.key]) == policy)
        if left:
            text = "%s (%s): users outside of the group keep the policy %s. To withdraw it, set %s to true. Users: %s"
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
        """Return the parameter with the domain controller for a user's grant.

        The controller is the requested controller, or the controller that returned users of the same domain. Another
        controller does not show the grant in the next read.
        """
        found = self._by_domain.get(user.domain)
        return self.controller or ({CONTROLLER: found} if found else {})

    def too_many(self) -> t.Iterable[str]:
        """Return why selectors change too many users. A selector can match more users than expected."""
        keys = {user.key for place, users in self.chosen.items() if place not in self.groups for user in users}
        changed = [step.identity for step in self.steps if step.key in keys]
        if changed:
            yield from self.guard.too_many_updates("users", len(self.deployment.users), changed)
        for grant in self.groups.values():
            yield from self._too_many_of_a_group(grant)

    def _too_many_of_a_group(self, grant: Grant) -> t.Iterable[str]:
        """Return why a group changes too many users of its policy.

        The number of users with the policy is the base of the limit. So the first grants are not limited, as with a
        list.
        """
        policy = key_of(grant.policy)
        had = {key for key, user in self.deployment.users.items() if key_of(user.policy) == policy}
        changed = {
            step.key: step.identity
            for step in self.steps
            if policy in [key_of(str((values or {})["policy"])) for values in (step.before, step.after)]
        }
        if len(had) >= UPDATES_GUARDED_FROM:
            what = "users who have %s or would get it" % grant.policy
            yield from self.guard.too_many_updates(what, len(had | set(changed)), list(changed.values()))

    # Rights

    def losses(self) -> list[str]:
        """Return one refusal for each policy and each set of lost rights that ``allow_loss`` does not have."""
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
            text = "%s %s would take %s from %s. To allow this, add it to %s"
            verb = "granting" if granting else "withdrawing"
            name = record.identity if record and not granting else policy
            found.append(text % (verb, name, " and ".join(lost_rights), some(who), self.guard.name("allow_loss")))
        return found

    def _before(self, key: str, policy: str) -> Values:
        """Return the present rights of a user, from the per-user policy or the policy in effect."""
        own = self.after.get(key_of(policy)) if policy else None
        if own is None:
            own = self.after.get(self.deployment.effective.get(key, ""))
        return own.values if own else {}

    def _afterwards(self, policy: str) -> list[Values]:
        """Return the possible policies after the change: the granted policy, or all policies of sites and global."""
        if policy:
            return [self.after[key_of(policy)].values]
        return [record.values for key, record in self.after.items() if not is_per_user(key)]
