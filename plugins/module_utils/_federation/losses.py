# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rights that went because two runs met: who lost what, and the steps that give it back. Pure.

A plan allows a policy to lose a right since nobody has the policy, and a grant since the policy has the right. Two
controllers share no lock, so both may be true when they are read, and not when they are written. Each run reads what
the other one writes after its own write. So at least one of the two sees it.
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

# Categories of failures. LOST: a right that users had is gone, or was until it was given back.
LOST, MAY_BE_LOST = "RightLost", "RightMayBeLost"
# What follows the text of a loss whose steps were sent.
GIVEN_BACK = "What was before is restored. Compare with the other run, then run again"
NOT_GIVEN_BACK = "What was before could not be restored: %s"


@dataclass(frozen=True)
class RightLoss:
    """category: of the failure; empty for a warning. back: the steps that give it back, where that is certain."""

    category: str
    text: str
    back: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Watch:
    """What a plan knew of rights.

    policies: as they are after the plan. effective: by the user's key, the policy that acts on a user without one.
    usage: by the policy's key, the keys of the users who had it. got, leaving: likewise, who gets and who loses it by
    this plan.
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
        """The rights that a step takes from whoever has a per-user policy."""
        if step.part != "policies" or step.before is None or not is_per_user(step.key):
            return []
        return list(RIGHTS) if step.expect is None else rights_lost(step.before, step.after or {})

    def unseen(self, step: Step, users: t.Mapping[str, User], *, early: bool = False) -> dict[str, User]:
        """Those of the users who have the policy of the step, and of whom the plan did not know.

        early: the plan's grants and withdrawals are not sent yet.
        """
        nobody: frozenset[str] = frozenset()
        known = self.usage.get(step.key, nobody) if self._allowed(step) else nobody
        known |= self.got.get(step.key, nobody) if step.expect is not None else nobody
        known |= self.leaving.get(step.key, nobody) if early else nobody
        return {k: user for k, user in users.items() if key_of(user.policy) == step.key and k not in known}

    def loss(self, step: Step, looks: Looks, seen: Deployment) -> RightLoss | None:
        """What a step that took effect came to. looks: read right before it. seen: read after it."""
        return self._of_grant(step, looks, seen) if step.part == "grants" else self._of_policy(step, looks, seen)

    def feared(self, step: Step, looks: Looks) -> RightLoss | None:
        """What a step came to if it took effect, where that could not be read."""
        before = self.unseen(step, looks.users) if self.taken(step) else {}
        if not before or self._allowed(step):
            return None
        return RightLoss(MAY_BE_LOST, self._text(step, before) + ". Check what they may do")

    def _text(self, step: Step, users: t.Mapping[str, User]) -> str:
        did = "removed it" if step.expect is None else "took %s from it" % " and ".join(self.taken(step))
        names = some(sorted(user.name for user in users.values()))
        return "another run granted %s to %s while this run %s" % (step.identity, names, did)

    def _allowed(self, step: Step) -> bool:
        """Whether the run was told that users may lose what the step takes."""
        return self.guard.force if step.expect is None else set(self.taken(step)) <= self.guard.allow_loss

    def _of_policy(self, step: Step, looks: Looks, seen: Deployment) -> RightLoss | None:
        """A policy lost a right, or went, and somebody has it of whom the plan did not know."""
        after = self.unseen(step, seen.users) if self.taken(step) else {}
        if not after:
            return None
        before = self.unseen(step, looks.users)
        text = self._text(step, after)
        if self._allowed(step):
            return RightLoss("", text)
        # A policy that is gone can be granted no more: who has it had it before it went.
        certain = after if step.expect is None else {key: user for key, user in after.items() if key in before}
        if not certain:
            return RightLoss(MAY_BE_LOST, text + ". Check what they may do")
        back = _undone(step, seen.of("policies").get(step.key), certain.values())
        return RightLoss(LOST, text, tuple(back))

    def _of_grant(self, step: Step, looks: Looks, seen: Deployment) -> RightLoss | None:
        """A user got a policy that lost a right meanwhile, or lost one that another run had just granted."""
        known, met = looks.before(step)
        former = str(met.values["policy"]) if met else _former(step)
        policies, gets = looks.records.get("policies", {}), _granted(step)
        now = seen.of("policies")
        after = self._lost(step, former, {**policies, **now}, now)
        if not after and (not gets or key_of(gets) in now):
            return None
        text = "another run changed %s while this run changed the policy of %s" % (
            gets or "the policies of all or of their site", step.identity,
        )  # fmt: skip
        before = self._lost(step, former, policies, policies) if known and policies else []
        if before:
            text = "another run changed what %s may do while this run wrote, so that they lost %s"
            back = _regranted(step, former)
            return RightLoss(LOST, text % (step.identity, " and ".join(before)), (back,))
        what = "lost %s" % " and ".join(after) if after else "has a policy that is gone"
        return RightLoss(MAY_BE_LOST, "%s: %s %s. Check what they may do" % (text, step.identity, what))

    def _lost(self, step: Step, former: str, had: Records, now: Records) -> list[str]:
        """The rights that a user lost by a grant or a withdrawal, and that the run was not told of.

        former: the policy that the user had. had: policies for the case that it is not the one of the plan. now: the
        policies that exist.
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
    """The policy that a grant gives; empty for a withdrawal."""
    return str((step.after or {})["policy"])


def _former(step: Step) -> str:
    """The policy that a user had in the plan."""
    return str((step.before or {})["policy"])


def _by_policy(pairs: t.Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """pairs: of a policy and a user's key."""
    found: dict[str, set[str]] = {}
    for policy, user in pairs:
        found.setdefault(key_of(policy), set()).add(user)
    return {policy: frozenset(users) for policy, users in found.items()}


def _undone(step: Step, now: Record | None, users: t.Iterable[User]) -> list[Step]:
    """The steps that bring back what a step of policies changed. now: the policy as it is.

    users: who is to have a policy again that was removed. What becomes of its users is not documented, so it is
    granted to them once more.
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
    """The grant that gives a user the former policy again."""
    values = {"policy": former}
    parameters = {**step.parameters, "PolicyName": former or None}
    return replace(step, parameters=parameters, before=step.after, after=values, expect=values)
