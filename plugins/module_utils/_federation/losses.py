# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find rights that users lost because two runs met, and make the steps that give the rights back.

A plan lets a policy lose a right if the policy has no users. A plan grants a policy if the policy has the right. Two
controllers do not share a lock. So both conditions can be true at the read, and false at the write. Each run reads
again after its own write. So at least one of the two runs finds the loss.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.names import is_per_user
from .._base.names import key as key_of
from .._base.step import Record, Step, Values
from .._base.texts import some
from .catalogue import POLICY
from .deployment import Deployment, Records, User
from .federation import Wanted
from .guard import Guard
from .looks import Looks
from .plan import Plan, step_for
from .rules import RIGHTS, rights_lost

# Categories of failures. LOST means that users lost a right, even if the run gave the right back.
LOST, MAY_BE_LOST = "RightLost", "RightMayBeLost"
# The second sentence of a failure, after the steps that give rights back.
GIVEN_BACK = "The former state is restored. Compare with the other run, then run again"
NOT_GIVEN_BACK = "The former state could not be restored: %s"
_CHECK = ". Check the rights of these users"


@dataclass(frozen=True)
class RightLoss:
    """Describe a loss of rights.

    category: the category of the failure; empty for a warning.
    text: the message.
    back: the steps that give the right back; empty if the loss is not certain.
    """

    category: str
    text: str
    back: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Watch:
    """These are the rights that a plan knew.

    guard: the limits of the run.
    policies: the policies after the plan.
    effective: by key of a user, the policy that applies if the user has no per-user policy.
    usage: the keys of users before the plan, by key of their policy.
    got: the keys of users that get a policy in the plan, by key of the policy.
    leaving: the keys of users that lose a policy in the plan, by key of the policy.
    """

    guard: Guard = field(default_factory=Guard)
    policies: Records = field(default_factory=dict)
    effective: t.Mapping[str, str] = field(default_factory=dict)
    usage: t.Mapping[str, frozenset[str]] = field(default_factory=dict)
    got: t.Mapping[str, frozenset[str]] = field(default_factory=dict)
    leaving: t.Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, guard: Guard) -> Watch:
        grants = [step for step in plan.steps if step.part == "grants"]
        return cls(
            guard,
            plan.records.get("policies", {}),
            plan.deployment.effective,
            _by_policy((user.policy, key) for key, user in plan.deployment.users.items()),
            _by_policy((_granted(step), step.key) for step in grants),
            _by_policy((_former(step), step.key) for step in grants),
        )

    def taken(self, step: Step) -> list[str]:
        """Return the rights that a step takes from the users of a per-user policy."""
        if step.part != "policies" or step.before is None or not is_per_user(step.key):
            return []
        return list(RIGHTS) if step.expect is None else rights_lost(step.before, step.after or {})

    def unseen(self, step: Step, users: t.Mapping[str, User], *, early: bool = False) -> dict[str, User]:
        """Return the users of the step's policy that the plan did not know.

        step: a step that changes a policy.
        users: the users that were read.
        early: whether the plan's grants and withdrawals are not sent yet.
        """
        nobody: frozenset[str] = frozenset()
        known = self.usage.get(step.key, nobody) if self._allowed(step) else nobody
        known |= self.got.get(step.key, nobody) if step.expect is not None else nobody
        known |= self.leaving.get(step.key, nobody) if early else nobody
        return {k: user for k, user in users.items() if key_of(user.policy) == step.key and k not in known}

    def loss(self, step: Step, looks: Looks, seen: Deployment) -> RightLoss | None:
        """Return the loss that a step caused; None for no loss.

        looks: the objects right before the step.
        seen: the objects after the step.
        """
        return self._of_grant(step, looks, seen) if step.part == "grants" else self._of_policy(step, looks, seen)

    def feared(self, step: Step, looks: Looks) -> RightLoss | None:
        """Return the possible loss of a step that could not be read back; None for no possible loss."""
        before = self.unseen(step, looks.users) if self.taken(step) else {}
        if not before or self._allowed(step):
            return None
        return RightLoss(MAY_BE_LOST, self._text(step, before) + _CHECK)

    def _text(self, step: Step, users: t.Mapping[str, User]) -> str:
        did = "removed it" if step.expect is None else "took %s from it" % " and ".join(self.taken(step))
        names = some(sorted(user.name for user in users.values()))
        return "another run granted %s to %s while this run %s" % (step.identity, names, did)

    def _allowed(self, step: Step) -> bool:
        """Return whether the options allow that users lose the rights of the step."""
        return self.guard.force if step.expect is None else set(self.taken(step)) <= self.guard.allow_loss

    def _of_policy(self, step: Step, looks: Looks, seen: Deployment) -> RightLoss | None:
        """Return the loss if a policy lost a right or was removed, and has users that the plan did not know."""
        after = self.unseen(step, seen.users) if self.taken(step) else {}
        if not after:
            return None
        before = self.unseen(step, looks.users)
        text = self._text(step, after)
        if self._allowed(step):
            return RightLoss("", text)
        # A removed policy cannot be granted any more. So its users had the policy before the removal.
        certain = after if step.expect is None else {key: user for key, user in after.items() if key in before}
        if not certain:
            return RightLoss(MAY_BE_LOST, text + _CHECK)
        back = _undone(step, seen.of("policies").get(step.key), certain.values())
        return RightLoss(LOST, text, tuple(back))

    def _of_grant(self, step: Step, looks: Looks, seen: Deployment) -> RightLoss | None:
        """Return the loss if a user got a policy that just lost a right, or lost a policy that was just granted."""
        known, met = looks.before(step)
        former = str(met.values["policy"]) if met else _former(step)
        policies, gets = looks.records.get("policies", {}), _granted(step)
        now = seen.of("policies")
        after = self._lost(step, former, {**policies, **now}, now)
        if not after and (not gets or key_of(gets) in now):
            return None
        text = "another run changed %s while this run changed the policy of %s" % (
            gets or "the global policy or the policy of a site", step.identity,
        )  # fmt: skip
        before = self._lost(step, former, policies, policies) if known and policies else []
        if before:
            text = "another run changed the rights of %s while this run wrote. This user lost %s"
            back = _regranted(step, former)
            return RightLoss(LOST, text % (step.identity, " and ".join(before)), (back,))
        what = "lost %s" % " and ".join(after) if after else "has a policy that does not exist any more"
        return RightLoss(MAY_BE_LOST, "%s. %s %s. Check the rights of this user" % (text, step.identity, what))

    def _lost(self, step: Step, former: str, had: Records, now: Records) -> list[str]:
        """Return the rights that a user lost through a grant or a withdrawal, without the rights in ``allow_loss``.

        former: the policy that the user had.
        had: the policies to use if ``former`` is not the policy in the plan.
        now: the policies that exist.
        """
        planned = key_of(former) == key_of(_former(step))
        own = (self.policies if planned else had).get(key_of(former)) if former else None
        own = own or self.policies.get(self.effective.get(step.key, ""))
        gets = _granted(step)
        if gets:
            record = now.get(key_of(gets))
            then: list[Values] = [record.values if record else {}]
        else:
            then = [record.values for key, record in now.items() if not is_per_user(key)]
        lost = {right for after in then for right in rights_lost(own.values if own else {}, after)}
        return [right for right in RIGHTS if right in lost - self.guard.allow_loss]


def _granted(step: Step) -> str:
    """Return the policy that a grant gives; empty for a withdrawal."""
    return str((step.after or {})["policy"])


def _former(step: Step) -> str:
    """Return the policy that a user had in the plan."""
    return str((step.before or {})["policy"])


def _by_policy(pairs: t.Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return the keys of users by the key of the policy.

    pairs: the name of a policy and the key of a user.
    """
    found: dict[str, set[str]] = {}
    for policy, user in pairs:
        found.setdefault(key_of(policy), set()).add(user)
    return {policy: frozenset(users) for policy, users in found.items()}


def _undone(step: Step, now: Record | None, users: t.Iterable[User]) -> list[Step]:
    """Return the steps that undo a step of policies.

    step: the step to undo.
    now: the present policy; None if the policy does not exist.
    users: the users of the policy. A removed policy is granted to these users again, because Microsoft does not
      document what happens to the users of a removed policy.
    """
    before = step.before or {}
    options = step.expect if step.expect is not None else before
    back, _change = step_for(POLICY, Wanted(step.identity, {o: before[o] for o in options if o in before}), now)
    values = {"policy": step.identity}
    grants = [
        Step(
            "Grant-CsExternalAccessPolicy",
            user.name,
            {"Identity": user.name, "PolicyName": step.identity, "Confirm": False},
            user.key,
            values,
            values,
            values,
            "grants",
        )
        for user in users
        if step.expect is None
    ]
    return [*([back] if back else ()), *grants]


def _regranted(step: Step, former: str) -> Step:
    """Return the grant that gives a user the former policy again."""
    values = {"policy": former}
    parameters = {**step.parameters, "PolicyName": former or None}
    return replace(step, parameters=parameters, before=step.after, after=values, expect=values)
