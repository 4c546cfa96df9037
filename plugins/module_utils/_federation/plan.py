# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: actual and desired state in, ordered steps out. Pure; imports nothing from Ansible.

``changed``, ``diff``, the returned ``steps`` and the calls are readings of one list of steps, so they cannot disagree.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.names import Invalid
from .._base.names import key as key_of
from .._base.result import Refused
from .._base.step import Record, Step, Values, difference
from .guard import Guard, Purge, too_many_removals, too_many_updates
from .resource import Resource
from .rules import Change, Context, Finding

# New and Set before Remove, so that a failure in the middle leaves more allowed than before, never less.
ORDER = ("New", "Set", "Grant", "Remove")

STAGES = ("all", "changes", "removals")


@dataclass(frozen=True)
class Wanted:
    """One desired object. ``place`` names it in messages (``partners[3]``). ``values``: only what was given."""

    identity: str
    values: Values
    place: str = ""
    absent: bool = False

    @property
    def key(self) -> str:
        return key_of(self.identity)


@dataclass(frozen=True)
class Plan:
    """before, after: all objects by key. Without steps there is nothing to do.

    whole: the steps of every stage, in their order; steps: those of the stage that was asked for.
    """

    resource: Resource
    steps: tuple[Step, ...]
    whole: tuple[Step, ...]
    before: t.Mapping[str, Record]
    after: t.Mapping[str, Record]
    warnings: tuple[str, ...] = field(default=())

    @property
    def changed(self) -> bool:
        return bool(self.steps)


def make_plan(
    resource: Resource,
    actual: t.Mapping[str, Record],
    wanted: t.Sequence[Wanted],
    *,
    purge: Purge | None = None,
    guard: Guard | None = None,
    context: Context | None = None,
    stage: str = "all",
) -> Plan:
    """Compare, and say what has to be done. Raises Refused, with every reason at once.

    The whole plan is judged whatever the stage, so that what a later stage would be refused stops the first one.
    """
    context = context or Context(actual)
    guard = guard or Guard()
    steps: list[Step] = []
    findings: list[Finding] = []
    refusals: list[str] = []
    for item in wanted:
        step, change = _step_for(resource, item, actual.get(item.key))
        for rule in resource.rules:
            findings.extend(rule(change, context))
        if step is None:
            continue
        protector = guard.protector(item.key) if item.absent else None
        if protector is not None:
            refusals.append(
                "%s: is protected by '%s', and nothing removes it; take it out of protect first"
                % (item.identity, protector)
            )
        elif item.absent and item.key == resource.resettable and not context.force:
            refusals.append(
                "%s: global cannot be removed; with force it is reset to the defaults, which takes away %s"
                % (item.identity, ", ".join(_taken_away(step)))
            )
        steps.append(step)
    removals = _purge_steps(resource, actual, wanted, purge, guard, context) if purge else []
    for step in removals:
        for rule in resource.rules:
            findings.extend(rule(Change(step.key, step.identity, step.before, None, removal=True), context))
    if not context.force:
        refusals.extend(_too_much(resource, actual, wanted, steps, removals, purge, guard))
    refusals.extend(str(finding) for finding in findings if finding.severity == "refuse")
    if refusals:
        raise Refused(refusals)
    whole = sorted(steps + removals, key=_order)
    steps = [step for step in whole if _in_stage(step, stage)]
    warnings = [str(finding) for finding in findings if finding.severity == "warn"]
    after = dict(actual)
    for step in steps:
        if step.expect is None:
            del after[step.key]
            continue
        had = actual.get(step.key)
        after[step.key] = Record(had.identity if had else step.identity, t.cast(Values, step.after))
        if step.cmdlet.startswith("Remove-"):
            warnings.append("%s: reset to the defaults, taking away %s" % (step.identity, ", ".join(_taken_away(step))))
    return Plan(resource, tuple(steps), tuple(whole), dict(actual), after, tuple(warnings))


def check_duplicates(wanted: t.Sequence[Wanted]) -> None:
    """Raises Invalid when one object stands twice in a list, naming both places."""
    places: dict[str, Wanted] = {}
    for item in wanted:
        first = places.setdefault(item.key, item)
        if first is not item:
            raise Invalid("%s and %s both name '%s'; keep one of them" % (first.place, item.place, item.identity))


def diff(steps: t.Sequence[Step], resource: Resource) -> list[dict[str, str]]:
    """Ansible's list form: one readable entry an object, known fields only, secrets hidden."""
    return [
        difference(
            "%s %s" % (resource.name, step.identity),
            _readable(step.before, step, resource, "(secret)"),
            _readable(step.after, step, resource, "(secret, set anew)"),
        )
        for step in steps
    ]


def _readable(values: Values | None, step: Step, resource: Resource, secret: str) -> Values | None:
    if values is None:
        return None
    shown = resource.shown(step.identity, values)
    # Of a secret that changes, the diff says just that.
    return {**shown, **{f.option: secret for f in resource.fields if f.secret and f.option in (step.expect or {})}}


def _order(step: Step) -> int:
    return ORDER.index(step.cmdlet.partition("-")[0])


def _in_stage(step: Step, stage: str) -> bool:
    removal = step.cmdlet.startswith("Remove-")
    return stage == "all" or removal == (stage == "removals")


def _step_for(resource: Resource, item: Wanted, record: Record | None) -> tuple[Step | None, Change]:
    """The call that one desired object needs, if any, and the change as rules see it."""
    before = record.values if record else None
    if item.absent:
        if record is None:
            return None, Change(item.key, item.identity, None, None, removal=True)
        if item.key == resource.resettable:
            return _reset_step(resource, item, record)
        return _remove_step(resource, record), Change(item.key, record.identity, before, None, removal=True)
    if record is None:
        after = {**resource.defaults(), **item.values}
        step = Step(
            cmdlet="New-" + resource.noun,
            identity=item.identity,
            parameters={
                "Identity": item.identity,
                **{
                    f.prop: f.kind.to_wire(item.values[f.option], None, True)
                    for f in resource.fields
                    if f.option in item.values
                },
                "Confirm": False,
            },
            key=item.key,
            after=after,
            expect=dict(item.values),
        )
        return step, Change(item.key, item.identity, None, after, frozenset(after))
    written = {
        f.option: item.values[f.option]
        for f in resource.fields
        if f.option in item.values and record.values.get(f.option) != item.values[f.option]
    }
    after = {**record.values, **written}
    change = Change(item.key, record.identity, before, after, frozenset(written))
    if not written:
        return None, change
    step = Step(
        cmdlet="Set-" + resource.noun,
        identity=record.identity,
        parameters={
            "Identity": record.on_server or record.identity,
            **{
                f.prop: f.kind.to_wire(written[f.option], record.values.get(f.option), False)
                for f in resource.fields
                if f.option in written
            },
            "Confirm": False,
        },
        key=item.key,
        before=before,
        after=after,
        expect=written,
    )
    return step, change


def _remove_step(resource: Resource, record: Record) -> Step:
    return Step(
        cmdlet="Remove-" + resource.noun,
        identity=record.identity,
        parameters={"Identity": record.on_server or record.identity, "Confirm": False},
        key=record.key,
        before=record.values,
    )


def _reset_step(resource: Resource, item: Wanted, record: Record) -> tuple[Step | None, Change]:
    """Remove- on the resettable object gives it the defaults back (cmdlet page of Remove-CsExternalAccessPolicy)."""
    after = {**record.values, **resource.defaults()}
    written = frozenset(option for option, value in after.items() if record.values.get(option) != value)
    change = Change(item.key, record.identity, record.values, after, written, removal=True)
    if not written:
        return None, change
    step = _remove_step(resource, record)
    return (
        Step(
            step.cmdlet, step.identity, step.parameters, step.key, record.values, after, {o: after[o] for o in written}
        ),
        change,
    )


def _taken_away(step: Step) -> list[str]:
    before, after = step.before or {}, step.after or {}
    return [option for option, value in before.items() if value and after.get(option) != value]


def _purge_steps(
    resource: Resource,
    actual: t.Mapping[str, Record],
    wanted: t.Sequence[Wanted],
    purge: Purge,
    guard: Guard,
    context: Context,
) -> list[Step]:
    listed = {item.key for item in wanted}
    found = []
    for key, record in sorted(actual.items()):
        if key in listed or key == resource.resettable or guard.protector(key) or not purge.eligible(record):
            continue
        if context.usage and context.usage.get(key):
            continue
        found.append(_remove_step(resource, record))
    return found


def _too_much(
    resource: Resource,
    actual: t.Mapping[str, Record],
    wanted: t.Sequence[Wanted],
    steps: t.Sequence[Step],
    removals: t.Sequence[Step],
    purge: Purge | None,
    guard: Guard,
) -> t.Iterable[str]:
    if purge and removals:
        existing = len(actual) - (resource.resettable in actual)
        nothing = not any(not item.absent for item in wanted)
        yield from too_many_removals(
            resource.plural, existing, [step.identity for step in removals], purge.limit, nothing
        )
    if guard.update_limit is not None:
        changed = [step.identity for step in steps if step.cmdlet.startswith("Set-")]
        yield from too_many_updates(resource.plural, len(actual), changed, guard.update_limit)
