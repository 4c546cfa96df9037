# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has which external access policy: granting one, withdrawing it, and what users would lose by it.

A user has exactly one effective policy: the per-user one, else the site's, else global. It carries remote sign-in, SIP
federation and public providers as well as XMPP, so before a grant each user's effective rights are compared.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.names import Invalid, canonical_policy_identity, policy_from_server
from .._base.names import key as key_of
from .._base.result import Failure, Params, Refused, Result, ServerRefused
from .._base.step import Record, Step, Values
from .._base.task import STATE, Task
from .._base.texts import count, some
from .._shell.statement import Answer, Shell, Statement, Value
from .catalogue import GRANT, POLICY
from .converge import apply, outcome, read
from .digest import hold_to, make_digest
from .plan import diff
from .policies import is_per_user, user_name
from .rules import rights_lost
from .tasks import ALLOW_LOSS, PLAN_DIGEST, PLANNED_GRANTS

User = t.Mapping[str, t.Any]

ARGUMENT_SPEC: dict[str, t.Any] = {
    "policy": {"type": "str", "required": True},
    "users": {"type": "list", "elements": "str", "required": True},
    "exclusive": {"type": "bool", "default": False},
    "allow_loss": ALLOW_LOSS,
    "protected_accounts": {"type": "str", "choices": ["warn", "fail"], "default": "fail"},
    "domain_controller": {"type": "str"},
    "planned_policies": {"type": "list", "elements": "dict", "options": POLICY.spec()},
    "planned_grants": PLANNED_GRANTS,
    "plan_digest": PLAN_DIGEST,
    "state": STATE,
}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Raises Refused, ServerRefused, ShellError."""
    return _Grant(params, shell, check).run()


class _Grant:
    """One run. Holds what every part of it needs: the parameters, the shell, the policies."""

    def __init__(self, params: Params, shell: Shell, check: bool) -> None:
        self.shell = shell
        self.check = check
        self.exclusive = params["exclusive"]
        self.allow_loss = frozenset(params["allow_loss"])
        self.warn_protected = params["protected_accounts"] == "warn"
        self.absent = params["state"] == "absent"
        controller = params.get("domain_controller")
        # The same controller for reads and writes: another one may not have the change yet.
        self.controller: dict[str, Value] = {"DomainController": controller} if controller else {}
        mistakes = []
        try:
            self.policy = canonical_policy_identity(str(params["policy"] or ""))
            if not is_per_user(key_of(self.policy)):
                mistakes.append("policy: '%s' acts on its own; only a per-user policy can be granted" % self.policy)
        except Invalid as exc:
            mistakes.append("policy: %s" % exc)
        self.users = list(dict.fromkeys(str(user) for user in params["users"]))
        for number, user in enumerate(self.users):
            if not user.strip() or "*" in user:
                mistakes.append("users[%d]: '%s' is not one user; write an address, without wildcards" % (number, user))
        if self.absent and self.exclusive:
            mistakes.append("exclusive goes with state present only")
        if mistakes:
            raise Refused(mistakes)
        self.judged = params.get("plan_digest")
        self.planned = {
            user: str(grant["policy"]) for grant in params.get("planned_grants") or () for user in grant["users"]
        }
        self.policies = {**read(shell, POLICY)}
        planned_policies = params.get("planned_policies") or ()
        # What another task plans is in the digest of that task.
        named = {key_of(POLICY.identity_from_user(item["identity"])) for item in planned_policies}
        self.own_policies = {key: record for key, record in self.policies.items() if key not in named}
        for item in planned_policies if check else ():
            planned = POLICY.identity_from_user(item["identity"])
            had = self.policies.get(key_of(planned))
            values = {**(had.values if had else POLICY.defaults()), **POLICY.from_user(item)}
            self.policies[key_of(planned)] = Record(had.identity if had else planned, values)

    def run(self) -> Result:
        target = self.policies.get(key_of(self.policy))
        if target is None and not self.absent:
            raise Refused(["policy: there is no policy '%s'; create it first" % self.policy])
        named, unknown = self._find(self.users)
        if unknown:
            raise Refused(unknown)
        others = self._others(named) if self.exclusive else []
        losing = named if self.absent else others
        steps = [] if self.absent else [s for s in (self._step(u, self.policy) for u in named) if s]
        steps += [s for s in (self._step(u, None) for u in losing if self._has(u)) if s]
        self._refuse_losses(steps, {self._key(user): user for user in named + others})
        digest = self._digest(named + others, steps) if self.check or self.judged is not None else None
        if digest:
            hold_to(self.judged, digest)
        if self.check or not steps:
            result = Result(
                changed=bool(steps),
                diff=diff(steps, GRANT),
                steps=[step.shown("planned") for step in steps],
                plan_digest=digest if self.check else None,
            )
            after = {step.key: step.expect or {} for step in steps}
        else:
            applied = apply(self.shell, steps, lambda: self._records(steps))
            result = outcome(applied, GRANT)
            after = {key: record.values for key, record in applied.seen.items()}
            self._forgive_protected(result)
        holders = [u for u in named + others if self._holds(after.get(self._key(u), self._values(u)))]
        result.values["grant"] = {
            "policy": target.identity if target else self.policy,
            "users": sorted(map(user_name, holders)),
            "exclusive": self.exclusive,
        }
        return result

    def _digest(self, users: t.Sequence[User], steps: t.Sequence[Step]) -> dict[str, t.Any]:
        """Over the users concerned, under the names that messages have for them, and the policies."""
        records = {"policy " + key: record for key, record in self.own_policies.items()}
        records.update({user_name(user): Record(user_name(user), self._values(user)) for user in users})
        return make_digest(
            "grant of " + key_of(self.policy), records, [replace(step, key=step.identity) for step in steps]
        )

    # Users

    def _read_each(self, cmdlet: str, identities: t.Sequence[str]) -> list[Answer]:
        """One answer for each identity: in one batch where every statement answered, else one by one."""
        statements = [Statement(cmdlet, {"Identity": identity, **self.controller}) for identity in identities]
        if len(statements) > 1:
            whole = self.shell.invoke(statements)
            if not whole.errors and not whole.lost and len(whole.output) == len(statements):
                return [Answer(output=(item,)) for item in whole.output]
        return [self.shell.invoke([statement]) for statement in statements]

    def _find(self, identities: t.Sequence[str]) -> tuple[list[User], list[str]]:
        """The users that are named, without repetition, and a text for each that cannot be found."""
        found: dict[str, User] = {}
        unknown = []
        answers = self._read_each("Get-CsUser", identities)
        for number, (identity, answer) in enumerate(zip(identities, answers, strict=True)):
            if answer.lost:
                raise ServerRefused("Get-CsUser", answer)
            if len(answer.output) == 1:
                found.setdefault(self._key(answer.output[0]), answer.output[0])
            else:
                words = answer.errors[0].message if answer.errors else "%s found" % count(answer.output, "user")
                unknown.append("users[%d]: '%s': %s" % (number, identity, words))
        return list(found.values()), unknown

    def _others(self, named: t.Sequence[User]) -> list[User]:
        """Everyone else who has the policy. Read once, filtered here: no user text goes into a filter expression."""
        answer = self.shell.invoke([Statement("Get-CsUser", dict(self.controller))])
        if answer.lost or answer.errors:
            raise ServerRefused("Get-CsUser", answer)
        keep = {self._key(user) for user in named}
        return [user for user in answer.output if self._has(user) and self._key(user) not in keep]

    @staticmethod
    def _key(user: User) -> str:
        return key_of(str(user.get("Identity")))

    def _values(self, user: User) -> dict[str, t.Any]:
        """A user's policy after what other grants of the same run do."""
        return self._spelled(self.planned.get(user_name(user)) or policy_from_server(user.get("ExternalAccessPolicy")))

    def _spelled(self, policy: str) -> dict[str, t.Any]:
        """Spelled as the task spells it where only the case differs."""
        return {"policy": self.policy if key_of(policy) == key_of(self.policy) else policy}

    def _has(self, user: User) -> bool:
        return self._holds(self._values(user))

    def _holds(self, values: Values) -> bool:
        return bool(values.get("policy") == self.policy)

    def _records(self, steps: t.Sequence[Step]) -> dict[str, Record]:
        names = [str(step.parameters["Identity"]) for step in steps]
        users, unknown = self._find(names)
        return {
            self._key(user): Record(
                user_name(user), self._spelled(policy_from_server(user.get("ExternalAccessPolicy")))
            )
            for user in users
        }

    # Steps

    def _step(self, user: User, policy: str | None) -> Step | None:
        before, after = self._values(user), {"policy": policy or ""}
        if before == after:
            return None
        name = user_name(user)
        return Step(
            cmdlet="Grant-CsExternalAccessPolicy",
            identity=name,
            parameters={"Identity": name, "PolicyName": policy, "Confirm": False, **self.controller},
            key=self._key(user),
            before=before,
            after=after,
            expect=after,
        )

    def _refuse_losses(self, steps: t.Sequence[Step], users: t.Mapping[str, User]) -> None:
        """Raises Refused where a user would lose a right that allow_loss does not name."""
        unassigned = [step for step in steps if not (step.before or {}).get("policy")]
        effective = self._effective([users[step.key] for step in unassigned])
        reasons: dict[tuple[str, ...], list[str]] = {}
        for step in steps:
            assigned = key_of((step.before or {}).get("policy", ""))
            before = self.policies.get(assigned) or effective.get(step.key)
            lost: set[str] = set()
            for after in self._afterwards(step):
                lost.update(rights_lost(before.values if before else {}, after))
            lost -= self.allow_loss
            if lost:
                reasons.setdefault(tuple(sorted(lost)), []).append(step.identity)
        if reasons:
            verb = "withdrawing" if self.absent else "granting"
            text = "%s %s would take %s from %s; if that is meant, name it in allow_loss"
            raise Refused([text % (verb, self.policy, " and ".join(lost), some(who)) for lost, who in reasons.items()])

    def _afterwards(self, step: Step) -> list[Values]:
        """What the user may have then: the policy granted; without one, whatever a site or global policy gives."""
        if (step.after or {}).get("policy"):
            return [self.policies[key_of(self.policy)].values]
        return [record.values for key, record in self.policies.items() if not is_per_user(key)]

    def _effective(self, users: t.Sequence[User]) -> dict[str, Record]:
        """The site or global policy that acts on users without one of their own (Get-CsEffectivePolicy)."""
        found = {}
        only_global = not any(key.startswith("site:") for key in self.policies)
        if only_global:
            return {self._key(user): self.policies["global"] for user in users if "global" in self.policies}
        answers = self._read_each("Get-CsEffectivePolicy", [user_name(user) for user in users])
        for user, answer in zip(users, answers, strict=True):
            if len(answer.output) != 1:
                raise ServerRefused("Get-CsEffectivePolicy", answer)
            name = key_of(policy_from_server(answer.output[0].get("ExternalAccessPolicy")))
            if name not in self.policies:
                raise Refused(["%s: the effective policy '%s' is not among the policies" % (user_name(user), name)])
            found[self._key(user)] = self.policies[name]
        return found

    def _forgive_protected(self, result: Result) -> None:
        """Protected accounts (administrators) cannot be changed over the remote path (KB2466000): warn where asked."""
        if not self.warn_protected:
            return
        denied = [failure for failure in result.failures if _is_denied(failure)]
        result.failures = [failure for failure in result.failures if failure not in denied]
        result.warnings.extend(
            "%s is a protected account and was left as it is: %s" % (f.identity, f.error.message) for f in denied
        )


def _is_denied(failure: Failure) -> bool:
    return (
        "permissiondenied" in failure.error.category.lower()
        or "insufficient access rights" in failure.error.message.lower()
    )


TASK = Task(ARGUMENT_SPEC, work)
