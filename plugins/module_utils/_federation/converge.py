# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read, plan, apply and report. Every module that manages a part of a federation runs this sequence.

This module does not use AnsibleModule or sockets. The parameters are plain values, and the server is a Shell.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field, replace

from .._base.names import is_per_user
from .._base.names import key as key_of
from .._base.result import Failure, Refused, Result, ServerRefused
from .._base.step import Step
from .._base.texts import some
from .._shell.rights import lacks, missing
from .._shell.statement import Shell, ShellError, place_of
from . import files, sip_domains, sites
from .access import SET_SITE, Access, access_for
from .apply import Applied, apply, written_on
from .catalogue import BY_PART, RESOURCES
from .deployment import Deployment, Reader, Records
from .digest import hold_to, make_digest, name_of, object_name
from .duties import cmdlets_of
from .federation import Federation
from .guard import Guard
from .identity import doubts, other_deployment
from .lock import alone
from .losses import Watch
from .plan import Plan, make_plan
from .plan_file import PlanFile
from .pools import Pool
from .rules import rights_lost
from .selection import choose
from .summary import block, diff, summarise
from .surroundings import Surroundings
from .way_back import next_steps

# The playbooks whose tags choose the parts of a run. So the tags also choose the rights that an account needs.
_WITH_TAGS = ("converge", "restore")


@dataclass(frozen=True)
class Run:
    """Describe how to run a task.

    check: whether to write nothing (check mode).
    guard: the limits of the run.
    controller: the domain controller for users; empty for the server's choice.
    warn_protected: whether protected accounts are only a warning. The remote shell cannot change these accounts.
    protected_option: the option for ``warn_protected``; empty if the task has no such option.
    reviewed: the digest of the only plan that may be applied; None allows every plan.
    reviewed_option: the option that gave the digest.
    plan_file: the plan file; None for no plan file.
    snapshots: where to save snapshots; None to save none.
    reports: whether the result has the summary and the report.
    kept: the snapshot to restore; None if the federation is not from a snapshot.
    approval: returns the reasons why the run may not write now. Called if there are changes.
    surroundings: the other work of the run, before and after the plan.
    """

    check: bool
    guard: Guard = field(default_factory=Guard)
    controller: str = ""
    warn_protected: bool = False
    protected_option: str = ""
    reviewed: t.Any = None
    reviewed_option: str = "plan_digest"
    plan_file: PlanFile | None = None
    snapshots: files.Snapshots | None = None
    reports: bool = True
    kept: files.Snapshot | None = None
    approval: t.Callable[[], list[str]] = list
    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass
class Outcome:
    """This is the outcome of a run.

    result: the module's result, without the keys that only this module returns.
    plan: the plan of the run.
    deployment: the deployment after the run. In check mode, the deployment after a real run.
    """

    result: Result
    plan: Plan
    deployment: Deployment


def converge(shell: Shell, federation: Federation, run: Run) -> Outcome:
    """Run the whole sequence with the deployment's lock.

    Raises Refused, ServerRefused, ShellError. After these errors, nothing was written.
    """
    with turn(shell, run.check, run.snapshots):
        return sequence(shell, federation, run)


def turn(shell: Shell, check: bool, snapshots: files.Snapshots | None) -> contextlib.AbstractContextManager[None]:
    """Return the deployment's lock. Check mode writes nothing, so check mode takes no lock. Raises Refused."""
    return contextlib.nullcontext() if check else alone(shell, snapshots)


def sequence(shell: Shell, federation: Federation, run: Run) -> Outcome:
    """Run the sequence for a caller that has the lock already. Raises the errors of ``converge``."""
    reader = Reader(shell, run.controller)
    try:
        deployment = gather(reader, federation, run.guard, run.surroundings)
    except ServerRefused as exc:
        if exc.not_offered:
            raise _lacking(shell, federation, exc) from None
        raise
    plan = make_plan(deployment, federation, run.guard, reader.controller)
    report = _Report(shell, plan, run)
    run.surroundings.look(planned(plan), plan.steps)
    plan = _without_unknown_sites(shell, _without_own_domains(shell, plan, run))
    digest = report.digest = make_digest(plan)
    with report.on_refusal():
        others, values = _other_plan(plan, run, digest)
        refusals = [*_of_another(plan, run), *others, *plan.refusals]
        refusals += [] if run.check else run.surroundings.refusals()
        # A run without changes needs no approval.
        held = run.approval() if plan.changed else []
        refusals += [] if run.check else held
        if refusals:
            raise Refused(refusals, values)
    doubtful = [*_doubts(plan, run), *("without --check, this run is refused: %s" % text for text in held)]
    if run.check or not plan.changed:
        report.ask(plan.steps)
        result = Result(
            values=report.values(),
            changed=plan.changed,
            diff=diff(plan.steps),
            steps=[step.shown("planned") for step in plan.steps],
            warnings=[*doubtful, *plan.warnings, *report.told(), *report.not_offered, *run.surroundings.warnings()],
            plan_digest=digest,
            identity=plan.deployment.identity.as_dict(),
        )
        if run.plan_file and run.check:
            run.plan_file.save(plan, place_of(shell), _pools(reader, plan), run.surroundings.of_plan())
        return Outcome(result, plan, planned(plan))
    with report.on_refusal():
        return _write(shell, reader, plan, run, report)


def _pools(reader: Reader, plan: Plan) -> tuple[Pool, ...] | None:
    """Return the pools that home users. A plan file takes the sites of users from these pools.

    None if the plan has no users, or if the account cannot read the pools.
    """
    if not any(step.part == "grants" for step in plan.steps):
        return None
    try:
        return reader.with_pools(plan.deployment).pools
    except (Refused, ServerRefused):
        return None


def _lacking(shell: Shell, federation: Federation, refused: ServerRefused) -> Refused:
    """Return the refusal for an account that cannot read. The refusal lists all cmdlets that the chosen parts need."""
    wanted = dict.fromkeys((*cmdlets_of(federation), *refused.not_offered))
    denied = {*refused.not_offered, *(missing(shell, wanted) or ())}
    place = place_of(shell)
    text = lacks(place.account, [name for name in wanted if name in denied], "do this")
    if place.playbook in _WITH_TAGS:
        text += ". Or limit the run with --tags to the parts that the account may write"
    failures = [Failure(error.cmdlet, error.target, error).as_dict() for error in refused.errors]
    return Refused([text], {"failures": failures})


def _without_own_domains(shell: Shell, plan: Plan, run: Run) -> Plan:
    """Refuse a partner with a SIP domain of the deployment. If the plan adds no domain, no request is sent."""
    new = sip_domains.new_domains(plan.steps)
    if not new:
        return plan
    own = plan.deployment.identity.sip_domains or run.surroundings.sip_domains(shell)
    if own is None:
        return replace(plan, warnings=(*plan.warnings, *sip_domains.unknown(new)))
    return replace(plan, refusals=(*plan.refusals, *sip_domains.mistakes(new, own)))


def _without_unknown_sites(shell: Shell, plan: Plan) -> Plan:
    """Refuse a policy of a site that does not exist. If the plan adds no policy of a site, no request is sent."""
    new = sites.new_policies_of_sites(plan.steps)
    if not new:
        return plan
    known = sites.read_sites(shell)
    if known is None:
        text = "the sites of new policies were not checked, because %s is not offered to this account, or fails"
        return replace(plan, warnings=(*plan.warnings, text % sites.SITE))
    return replace(plan, refusals=(*plan.refusals, *sites.unknown_sites(new, known)))


def _other_plan(plan: Plan, run: Run, digest: t.Any) -> tuple[list[str], dict[str, t.Any]]:
    """Return how the plan differs from the reviewed plan, and the result's keys for the differences."""
    try:
        hold_to(run.reviewed, digest, run.reviewed_option)
        if run.plan_file and not run.check:
            run.plan_file.hold(plan)
    except Refused as exc:
        return list(exc.reasons), exc.values
    return [], {}


def _of_another(plan: Plan, run: Run) -> list[str]:
    """Return why the snapshot to restore belongs to another deployment; empty for the same deployment."""
    found = other_deployment(run.kept.identity, plan.deployment.identity) if run.kept else ""
    return ["%s is a snapshot of another deployment: %s" % (run.kept.path, found)] if run.kept and found else []


def _doubts(plan: Plan, run: Run) -> list[str]:
    """Return the warnings about the plan file and the snapshot."""
    found = list(run.plan_file.warnings) if run.plan_file else []
    if run.kept:
        found += [*run.kept.warnings, *doubts(run.kept.path, run.kept.identity, plan.deployment.identity)]
    return found


def _write(shell: Shell, reader: Reader, plan: Plan, run: Run, report: _Report) -> Outcome:
    """Read the objects again, save a snapshot, send the steps, and read the result.

    Only steps whose objects have not changed since the comparison are sent.
    """
    watch = Watch.of(plan, run.guard)
    fresh = _read_again(reader, plan, run, watch)
    report.ask(needed := _still_needed(plan, fresh, run, watch))
    steps = _allowed(needed, report, run)
    warnings = [*_doubts(plan, run), *plan.warnings, *report.told(), *run.surroundings.warnings()]
    values: dict[str, t.Any] = {}
    if run.snapshots and steps:
        known = replace(fresh, identity=plan.deployment.identity)
        options = {("policies" if step.part == "grants" else step.part) for step in steps}
        values["snapshot"] = report.snapshot = run.snapshots.save(known, options)
        warnings += files.looser(run.snapshots.directory, run.snapshots.option)
    if steps:
        run.surroundings.before(shell, steps)
    applied = apply(shell, steps, reader, watch)
    done = applied.done()
    failures = list(applied.failures)
    warnings += applied.warnings
    denied = [failure for failure in failures if _is_protected(failure)]
    if not run.warn_protected:
        failures = [_with_remedy(failure, run) if failure in denied else failure for failure in failures]
    else:
        failures = [failure for failure in failures if failure not in denied]
        text = "%s is a protected account and was not changed: %s"
        warnings += [text % (failure.identity, failure.error.message) for failure in denied]
    after = _after(_updated(plan.deployment, fresh), applied)
    if done:
        failures += run.surroundings.after(shell, after, done)
    result = Result(
        values={**values, **report.values(applied)},
        changed=bool(done),
        diff=diff(done),
        steps=[step.shown(word) for step, word in zip(applied.steps, applied.results, strict=True)],
        failures=failures,
        warnings=list(dict.fromkeys(warnings)),
        plan_digest=report.digest,
        identity=plan.deployment.identity.as_dict(),
    )
    return Outcome(result, plan, after)


def _allowed(steps: list[Step], report: _Report, run: Run) -> list[Step]:
    """Return the steps that the session may send. Raises Refused if rights are missing, before anything is written.

    Topology Builder can also set a route. So if only the right to set routes is missing, the routes are skipped.
    """
    by_hand = report.access.only_routes and run.guard.several
    if reasons := [*([] if by_hand else report.told()), *report.not_offered]:
        raise Refused(reasons)
    return [step for step in steps if step.cmdlet != SET_SITE] if by_hand else steps


def _is_protected(failure: Failure) -> bool:
    """Return whether a protected account caused the failure.

    The remote shell cannot change such an account (KB2466000).
    """
    category, message = failure.error.category.casefold(), failure.error.message.casefold()
    return "permissiondenied" in category or "insufficient access rights" in message


def _with_remedy(failure: Failure, run: Run) -> Failure:
    """Add the remedy to a refused grant. For other objects, only the server's message is known."""
    if not failure.cmdlet.startswith("Grant-") or not run.protected_option:
        return failure
    text = "%s (If this is an administrator's account, grant the policy by hand, or set %s to warn)"
    message = text % (failure.error.message, run.protected_option)
    return replace(failure, error=replace(failure.error, message=message))


class _Report:
    """Make the keys of the result that show the plan to the user, after success and after failure."""

    def __init__(self, shell: Shell, plan: Plan, run: Run) -> None:
        self._shell, self._place, self._plan, self._run = shell, place_of(shell), plan, run
        self.snapshot = ""
        self.digest: dict[str, t.Any] | None = None
        self.access = Access("")
        self.not_offered: list[str] = []  # the cmdlets in addition to the plan that the session lacks, as messages

    def ask(self, steps: t.Sequence[Step]) -> None:
        """Ask the session for the cmdlets that the session offers. Raises ShellError."""
        self.access = access_for(self._shell, steps, self._run.surroundings.cmdlets)
        self.not_offered = self._run.surroundings.may_send(self.access)

    def told(self) -> list[str]:
        """Return the message about missing cmdlets, as a list; empty if none is missing."""
        return [self.access.text] if self.access.lacking else []

    def lines(self, applied: Applied | None = None, refusals: t.Sequence[str] = ()) -> list[str]:
        steps = applied.steps if applied else self._plan.steps
        lines = block(
            steps,
            self._summary(applied),
            deployment=self._place.deployment,
            host=self._place.host,
            check=self._run.check,
            results=applied.results if applied else None,
            refusals=refusals,
        )
        kept = ["Snapshot of the state before the run: %s" % self.snapshot] if self.snapshot else []
        note = ["  restores %s" % self._run.kept.said] if self._run.kept else []
        told = [*self.told(), *self.not_offered, *kept, *self._run.surroundings.lines(self._run.check)]
        done = applied.done() if applied and self._place.playbook else ()
        return [lines[0], *note, *lines[1:], *told, *next_steps(done, self.snapshot)]

    def _summary(self, applied: Applied | None) -> dict[str, int]:
        return summarise(applied.done() if applied else self._plan.steps, self._plan.unchanged)

    def values(self, applied: Applied | None = None, refusals: t.Sequence[str] = ()) -> dict[str, t.Any]:
        if not self._run.reports:
            return {}
        return {
            "summary": self._summary(applied),
            "report": self.lines(applied, refusals),
            **self._run.surroundings.values(),
        }

    @contextlib.contextmanager
    def on_refusal(self) -> t.Iterator[None]:
        """If the run is refused, add the plan to the refusal."""
        try:
            yield
        except Refused as exc:
            values: dict[str, t.Any] = {"identity": self._plan.deployment.identity.as_dict()}
            if self.digest is not None:
                values["plan_digest"] = self.digest
            exc.values = {**self.values(refusals=exc.reasons), **values, **exc.values}
            raise


# Reading


def gather(
    reader: Reader, federation: Federation, guard: Guard, surroundings: Surroundings | None = None
) -> Deployment:
    """Read all objects that the plan depends on, each kind once.

    Users are read only if needed, all users only if needed.
    """
    options = federation.reads()
    resources = [resource for resource in RESOURCES if resource.part in options]
    deployment = (surroundings or Surroundings()).kinds(reader, resources)
    names = list(dict.fromkeys(name for grant in federation.granting for name in grant.users))
    selecting = [grant for grant in federation.granting if grant.selector]
    if selecting:
        deployment = reader.with_pools(deployment)
        deployment = reader.with_members(deployment, [group.filter for group in federation.groups])
    if any(grant.selector not in federation.groups for grant in selecting):
        deployment = reader.with_all_users(deployment, names)
    elif selecting or _needs_holders(deployment, federation, guard):
        deployment = reader.with_holders(deployment, names)
    elif names:
        deployment = reader.with_users(deployment, names)
    # Users without a per-user policy have the policy of their site. A grant of another policy can take rights of the
    # site's policy away.
    getting = {
        deployment.named[name]
        for grant in federation.granting
        if not grant.absent
        for name in grant.users
        if name in deployment.named
    }
    for grant in selecting:
        getting.update(user.key for user in choose(deployment, federation, guard, grant).users)
    bare = [key for key in sorted(getting) if not deployment.users[key].policy]
    return reader.with_effective(deployment, bare) if bare else deployment


def _needs_holders(deployment: Deployment, federation: Federation, guard: Guard) -> bool:
    """Return whether the plan depends on the users of policies. A read of many users takes a long time."""
    if any(grant.exclusive for grant in federation.granting):
        return True
    if not federation.writes("policies") and not federation.purges("policies"):
        return False
    listed = {item.key: item for item in federation.wanted["policies"]}
    for key, record in deployment.of("policies").items():
        if not is_per_user(key):
            continue
        item = listed.get(key)
        if item is None:
            eligible = federation.whole or record.values.get("enable_xmpp_access")
            if federation.purges("policies") and eligible and not guard.protector(key):
                return True
        elif federation.writes("policies"):
            if item.absent or rights_lost(record.values, {**record.values, **item.values}):
                return True
    return False


def _read_again(reader: Reader, plan: Plan, run: Run, watch: Watch) -> Deployment:
    """Read again the objects that the plan writes, and the users of the policies that the plan writes.

    If a policy loses a right, the users of this policy are read too.
    """
    parts = {("policies" if step.part == "grants" else step.part) for step in plan.steps}
    resources = [resource for resource in RESOURCES if resource.part in parts]
    users = [step.identity for step in plan.steps if step.part == "grants"]
    if run.snapshots and "policies" in parts and not plan.deployment.holders:
        # A snapshot must have the users of policies, so that the snapshot can be restored.
        return reader.with_holders(reader.kinds(resources), users)
    fresh = reader.again(resources, users, written_on(plan.steps), any(map(watch.taken, plan.steps)))
    if plan.deployment.holders:
        # All users of policies were read before the comparison. Only the users of the steps are read again.
        known = plan.deployment
        fresh = replace(fresh, users={**known.users, **fresh.users}, all_users=known.all_users, chosen=True)
    return fresh


def _still_needed(plan: Plan, fresh: Deployment, run: Run, watch: Watch) -> list[Step]:
    """Return the steps whose objects have not changed since the comparison.

    Steps that another run already did are skipped.

    Raises Refused if an object that the plan writes or depends on has changed. Raises Refused also if another user got
    a policy that loses a right.
    """
    now = _updated(plan.deployment, fresh)
    steps = [step for step in plan.steps if _state(plan.deployment, step) == _state(now, step)]
    changed = []
    if len(steps) < len(plan.steps):
        again = make_plan(now, plan.federation, run.guard, {})
        needed = {(step.part, step.key) for step in again.steps} - {(step.part, step.key) for step in steps}
        changed = [name_of(step) for step in plan.steps if (step.part, step.key) in needed]
    changed += _policies_that_changed(plan, now, {name_of(step) for step in steps} | set(changed))
    changed += [name_of(step) for step in steps if watch.taken(step) and watch.unseen(step, fresh.users, early=True)]
    if changed:
        text = "another run or administrator changed objects after the plan was made: %s. Run again to make a new plan"
        raise Refused([text % some(changed, 50)])
    return steps


def _updated(deployment: Deployment, later: Deployment) -> Deployment:
    """Return a deployment with newer objects. New users are not added."""
    users = {key: later.users.get(key, user) for key, user in deployment.users.items()}
    return replace(deployment, time=later.time, records={**deployment.records, **later.records}, users=users)


def _state(deployment: Deployment, step: Step) -> t.Any:
    if step.part == "grants":
        user = deployment.users.get(step.key)
        return key_of(user.policy) if user else None
    record = deployment.of(step.part).get(step.key)
    return record.values if record else None


def _policies_that_changed(plan: Plan, now: Deployment, known: t.Collection[str]) -> list[str]:
    """Return the changed policies that this run grants but does not write.

    The plan compared the rights of these policies.
    """
    granted = {
        key_of(str(v))
        for s in plan.steps
        if s.part == "grants"
        for v in (s.before or {}, s.after or {})
        for v in v.values()
    }
    found = []
    for key in sorted(granted - {""}):
        before, after = plan.deployment.of("policies").get(key), now.of("policies").get(key)
        name = object_name("policies", key)
        if name not in known and (before and before.values) != (after and after.values):
            found.append(name)
    return found


# The objects after the run


def planned(plan: Plan) -> Deployment:
    """Return the expected deployment after the plan."""
    users = {
        key: replace(user, policy=plan.grants.policies.get(key, user.policy))
        for key, user in plan.deployment.users.items()
    }
    return replace(plan.deployment, records=plan.records, users=users)


def _after(before: Deployment, applied: Applied) -> Deployment:
    """Return the deployment after the writes. Kinds that could not be read back are empty."""
    if applied.seen is not None:
        return _updated(before, applied.seen)
    written = {step.part for step in applied.steps}
    records: dict[str, Records] = {o: {} if o in written else r for o, r in before.records.items()}
    return replace(before, records=records)


def objects(outcome: Deployment, option: str) -> list[dict[str, t.Any]]:
    """Return all objects of a kind with the names of the options, in the order of their keys."""
    resource = BY_PART[option]
    return [resource.shown(record.identity, record.values) for _key, record in sorted(outcome.of(option).items())]


def one_object(outcome: Deployment, option: str, identity: str) -> dict[str, t.Any] | None:
    """Return one object with the names of the options; None if the object does not exist."""
    record = outcome.of(option).get(key_of(identity))
    return BY_PART[option].shown(record.identity, record.values) if record else None


__all__ = [
    "Outcome", "Run", "ShellError", "converge", "gather", "objects", "one_object", "planned", "sequence", "turn",
]  # fmt: skip
