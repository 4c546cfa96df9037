# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read, plan, apply, read back: the one sequence, whoever calls it.

Knows neither AnsibleModule nor sockets: parameters come in as plain values, the server is a Shell.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.names import Invalid
from .._base.names import key as key_of
from .._base.result import Failure, Params, Refused, Result, ServerRefused
from .._base.step import Record, Step
from .._shell.statement import Answer, ServerError, Shell, ShellError, Statement
from .digest import hold_to, make_digest
from .guard import Guard, Purge
from .plan import Plan, Wanted, check_duplicates, diff, make_plan
from .resource import Resource
from .rules import Context

Records = t.Mapping[str, Record]
Usage = t.Mapping[str, tuple[str, ...]]


@dataclass
class Applied:
    """What became of the steps: a result for each, failures, and what a read afterwards showed."""

    steps: t.Sequence[Step]
    results: list[str]
    failures: list[Failure]
    warnings: list[str]
    seen: Records

    def done(self) -> list[Step]:
        return [step for step, result in zip(self.steps, self.results, strict=True) if result == "done"]


def read(shell: Shell, resource: Resource) -> dict[str, Record]:
    """All objects of a kind by key, in one call. Raises ServerRefused, ShellError."""
    cmdlet = "Get-" + resource.noun
    answer = shell.invoke([Statement(cmdlet)])
    items = [item for item in answer.output if isinstance(item, dict)]
    if answer.lost or answer.errors or (resource.single and not items):
        raise ServerRefused(cmdlet, answer)
    return {record.key: record for record in map(resource.record, items)}


def apply(shell: Shell, steps: t.Sequence[Step], observe: t.Callable[[], Records]) -> Applied:
    """Send the steps as one batch, read once, and let the state say what took effect.

    Error records do not tell which statement of a batch they belong to. A step that is not in effect is sent once more,
    alone, to learn its own error: safe, because its absence was just read. After a lost session nothing is sent again.
    """
    answer = shell.invoke([step.statement for step in steps])
    warnings = list(answer.warnings)
    try:
        seen = observe()
    except (ServerRefused, ShellError) as exc:
        return _unread(steps, answer, exc)
    pending = [step for step in steps if not step.in_effect(seen.get(step.key))]
    if answer.refused and pending:
        # The endpoint takes one statement at a time, which the session knows now. What is missing goes in order again.
        try:
            answer = shell.invoke([step.statement for step in pending])
            seen = observe()
        except (ServerRefused, ShellError) as exc:
            return _unread(steps, answer, exc)
        warnings.extend(answer.warnings)
        pending = [step for step in steps if not step.in_effect(seen.get(step.key))]
    elif not pending:
        warnings.extend(
            "%s: the server complained, yet the change is in effect: %s" % (e.cmdlet, e.message) for e in answer.errors
        )
    alone: dict[int, Answer] = {}
    if pending and not answer.lost:
        alone = _send_alone(shell, pending)
        try:
            seen = observe()
        except (ServerRefused, ShellError) as exc:
            return _unread(steps, answer, exc)
    results, failures = [], []
    for step in steps:
        record = seen.get(step.key)
        warnings.extend(
            "%s: the server does not show %s, so it cannot be compared, and every run writes it"
            % (step.identity, option)
            for option in step.hidden(record)
        )
        if step.in_effect(record):
            results.append("done")
            continue
        sent = alone.get(id(step), answer if answer.lost else None)
        results.append("failed" if sent else "not_sent")
        failures.append(Failure(step.cmdlet, step.identity, _error(step, sent, record)))
    return Applied(steps, results, failures, warnings, seen)


def _send_alone(shell: Shell, steps: t.Sequence[Step]) -> dict[int, Answer]:
    """An answer for each step by its id(); ends early when the session is lost."""
    answers: dict[int, Answer] = {}
    for step in steps:
        try:
            answer = shell.invoke([step.statement])
        except ShellError as exc:
            answer = Answer(lost=str(exc))
        answers[id(step)] = answer
        if answer.lost:
            break
    return answers


def _error(step: Step, sent: Answer | None, record: Record | None) -> ServerError:
    """The server's own error for a step, or what there is to say where it gave none."""
    if sent is None:
        text = "the session was lost at an earlier step, and this one was not sent again; a further run will send it"
        return ServerError(step.cmdlet, "", "NotSent", text)
    if sent.lost:
        text = "the session was lost before the server answered (%s); read back, %s" % (
            sent.lost,
            step.still_wrong(record),
        )
        return ServerError(step.cmdlet, "", "ConnectionError", text)
    if sent.errors:
        return sent.errors[0]
    return ServerError(
        step.cmdlet, "", "NotInEffect", "the server reported no error, but %s" % step.still_wrong(record)
    )


def _unread(steps: t.Sequence[Step], answer: Answer, exc: Exception) -> Applied:
    text = "was sent, but could not be read back, so it is unknown whether it took effect: %s" % (answer.lost or exc)
    failures = [Failure(s.cmdlet, s.identity, ServerError(s.cmdlet, "", "Unknown", text)) for s in steps]
    return Applied(steps, ["failed"] * len(steps), failures, list(answer.warnings), {})


def converge(
    shell: Shell,
    resource: Resource,
    wanted: t.Sequence[Wanted],
    *,
    check: bool,
    purge: Purge | None = None,
    guard: Guard | None = None,
    force: bool = False,
    allow_loss: t.Iterable[str] = (),
    stage: str = "all",
    judged: t.Any = None,
    usage: t.Callable[[Shell], Usage] | None = None,
    usage_matters: t.Callable[[Records, t.Sequence[Wanted], Purge | None, Guard], bool] = lambda *unused: False,
) -> tuple[Plan, Result, Records]:
    """The whole sequence for one kind. Returns the plan, the result without ``values``, and the records afterwards.

    judged: the digest of the only plan that may be carried out. usage reads who uses which object (a long read, so only
    where usage_matters). Raises Refused, ServerRefused, ShellError.
    """
    guard = guard or Guard()
    actual = read(shell, resource)
    used = usage(shell) if usage and usage_matters(actual, wanted, purge, guard) else None
    context = Context(actual, used, force, frozenset(allow_loss))
    plan = make_plan(resource, actual, wanted, purge=purge, guard=guard, context=context, stage=stage)
    digest = None
    if check or judged is not None:
        digest = _digest_of(plan, wanted, purge, used)
        hold_to(judged, digest, stage)
    if check or not plan.changed:
        result = Result(
            changed=plan.changed,
            diff=diff(plan.steps, resource),
            steps=[step.shown("planned") for step in plan.steps],
            warnings=list(plan.warnings),
            plan_digest=digest if check else None,
        )
        return plan, result, plan.after
    applied = apply(shell, plan.steps, lambda: read(shell, resource))
    return plan, outcome(applied, resource, plan.warnings), applied.seen


def _digest_of(plan: Plan, wanted: t.Sequence[Wanted], purge: Purge | None, used: Usage | None) -> dict[str, t.Any]:
    """Without purge a plan is made from the objects that are named, and the others may change as they like."""
    named = {item.key for item in wanted}
    records = {key: record for key, record in plan.before.items() if purge or key in named}
    # Whom a step concerns was judged too.
    users = {step.key: list(used.get(step.key, ())) for step in plan.whole} if used else {}
    return make_digest(plan.resource.noun, records, plan.whole, users)


def outcome(applied: Applied, resource: Resource, warnings: t.Iterable[str] = ()) -> Result:
    """The result of steps that were sent: changed, diff and steps are readings of one list."""
    done = applied.done()
    return Result(
        changed=bool(done),
        diff=diff(done, resource),
        steps=[step.shown(result) for step, result in zip(applied.steps, applied.results, strict=True)],
        failures=applied.failures,
        warnings=[*warnings, *applied.warnings],
    )


def wanted_list(resource: Resource, items: t.Sequence[Params], list_name: str = "") -> list[Wanted]:
    """Options as desired objects. Raises Refused with every mistake in the list, each with its place."""
    found, mistakes = [], []
    for number, item in enumerate(items):
        place = "%s[%d]" % (list_name, number) if list_name else ""
        prefix = place + ": " if place else ""
        try:
            identity = _identity(resource, item)
            prefix = "%s (%s): " % (place, identity) if place else "%s: " % identity
            absent = item.get("state") == "absent"
            found.append(Wanted(identity, {} if absent else resource.from_user(item), place, absent))
        except Invalid as exc:
            mistakes.append(prefix + str(exc))
    try:
        check_duplicates(found)
    except Invalid as exc:
        mistakes.append(str(exc))
    if mistakes:
        raise Refused(mistakes)
    return found


def _identity(resource: Resource, item: Params) -> str:
    if resource.key is None:
        return "global"
    try:
        return resource.identity_from_user(str(item.get(resource.key.option) or ""))
    except Invalid as exc:
        raise Invalid("%s %s" % (resource.key.option, exc)) from exc


def shown_list(resource: Resource, records: Records) -> list[dict[str, t.Any]]:
    """All objects in the options' vocabulary, in the order of their keys."""
    return [resource.shown(record.identity, record.values) for key, record in sorted(records.items())]


def shown_one(resource: Resource, records: Records, identity: str) -> dict[str, t.Any] | None:
    """One object in the options' vocabulary; None if it does not exist."""
    record = records.get(key_of(identity))
    return resource.shown(record.identity, record.values) if record else None
