# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a plan: compare a deployment with a federation, and return ordered steps over all kinds.

``changed``, ``diff``, the returned ``steps``, the summary, the digest and the calls all come from one list of steps. So
all of them always agree.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.findings import ERROR, WARNING, Finding
from .._base.names import is_per_user, no_characters
from .._base.step import Record, Step, Values
from .catalogue import BY_PART, PURGED, RESOURCES
from .deployment import Deployment, Records
from .federation import Federation, Wanted
from .grants import Grants, plan_grants
from .guard import Guard
from .resource import Resource
from .revoked import without_revoked
from .rules import Change, Context

# The order is routes, policies, partners and settings, then grants, then removals. So a failure in the middle leaves
# more allowed than before, never less. Within a kind, New comes before Set.
_VERBS = ("New", "Set")
_REMOVED = tuple(reversed(PURGED))


@dataclass(frozen=True)
class Plan:
    """This is a plan.

    deployment: the deployment before the plan.
    federation: the declared state.
    steps: the steps, in their order.
    refusals: all reasons why the plan may not be applied.
    warnings: texts for the user.
    records: the objects after the plan, by option.
    usage: the users after the plan, by key of their policy; None if the users were not read.
    unchanged: how many declared objects need no step.
    grants: the planned grants and withdrawals.
    """

    deployment: Deployment
    federation: Federation
    steps: tuple[Step, ...]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    records: t.Mapping[str, Records]
    usage: t.Mapping[str, tuple[str, ...]] | None
    unchanged: int
    grants: Grants

    @property
    def changed(self) -> bool:
        return bool(self.steps)


def make_plan(
    deployment: Deployment,
    federation: Federation,
    guard: Guard,
    controller: t.Mapping[str, t.Any] | None = None,
) -> Plan:
    """Compare the deployment with the federation, and return the plan.

    controller: the parameter with the domain controller; empty to choose a controller for each user.
    """
    federation, findings, revoked = without_revoked(federation, deployment.of("partners"))
    changes = _Changes(deployment, federation, guard, revoked)
    changes.findings += findings
    for resource in RESOURCES:
        changes.compare(resource)
    granted = plan_grants(deployment, federation, guard, changes.records.get("policies", {}), controller or {})
    for resource in RESOURCES:
        changes.remove(resource, granted)
    changes.look_across()
    written = [step for resource in RESOURCES for verb in _VERBS for step in changes.steps if _is(step, resource, verb)]
    removals = [step for part in _REMOVED for step in changes.steps if _is(step, BY_PART[part], "Remove")]
    return Plan(
        deployment=deployment,
        federation=federation,
        steps=(*written, *granted.steps, *removals),
        refusals=(*changes.too_much, *_texts(changes.findings, ERROR), *changes.refusals, *granted.refusals),
        warnings=(*_texts(changes.findings, WARNING), *granted.warnings),
        records=changes.records,
        usage=granted.usage,
        unchanged=changes.unchanged,
        grants=granted,
    )


def _is(step: Step, resource: Resource, verb: str) -> bool:
    return step.part == resource.part and step.cmdlet.startswith(verb + "-")


def _texts(findings: t.Iterable[Finding], severity: str) -> tuple[str, ...]:
    return tuple(str(finding) for finding in findings if finding.severity == severity)


class _Changes:
    """Collect the steps and findings while the kinds are compared one by one."""

    def __init__(
        self, deployment: Deployment, federation: Federation, guard: Guard, revoked: t.Collection[str]
    ) -> None:
        """Prepare the comparison.

        revoked: keys of partners that lose a revoked domain. Limits do not include these changes.
        """
        self.deployment, self.federation, self.guard, self.revoked = deployment, federation, guard, revoked
        self.usage = deployment.usage() if deployment.holders else None
        self.steps: list[Step] = []
        self.findings: list[Finding] = []
        self.refusals: list[str] = []
        self.too_much: list[str] = []
        self.records: dict[str, dict[str, Record]] = {}
        self.unchanged = 0

    def compare(self, resource: Resource) -> None:
        """Plan the objects of one kind: New-, Set-, and Remove- of objects that are declared absent."""
        actual = self.deployment.records.get(resource.part)
        if actual is None:
            return
        self.records[resource.part] = dict(actual)
        if not self.federation.writes(resource.part):
            return
        context = self._context(resource)
        changed = []
        for item in self.federation.wanted[resource.part]:
            item, marks = _without_marks(resource, item, actual.get(item.key))
            self.findings.extend(marks)
            step, change = step_for(resource, item, actual.get(item.key))
            if step is None and not item.absent:
                self.unchanged += 1
            for rule in resource.rules:
                self.findings.extend(rule(change, context))
            if step is not None and self._may_go(resource, item, step):
                self._take(resource, step, actual)
                if step.cmdlet.startswith("Set-") and item.key not in self.revoked:
                    changed.append(step.identity)
        if not resource.single:
            self.too_much.extend(self.guard.too_many_updates(resource.plural, len(actual), changed))

    def _may_go(self, resource: Resource, item: Wanted, step: Step) -> bool:
        """Return whether a plan can have the step. If not, the refusals get the reason."""
        if resource.fixed and step.cmdlet.startswith("New-"):
            self.refusals.append(
                "%s: there is no %s '%s' in the deployment. Correct the name"
                % (item.place or item.identity, _word(resource), item.identity)
            )
            return False
        if not item.absent:
            return True
        protector = self.guard.protector(item.key)
        if protector is not None:
            text = "%s: is protected by '%s', so it cannot be removed. Remove the pattern from %s first"
            self.refusals.append(text % (item.identity, protector, self.guard.name("protect")))
        elif item.key == resource.resettable and not self.guard.allows("reset_global"):
            text = "%s: global cannot be removed. To reset it to the defaults, use %s. The reset takes away %s"
            self.refusals.append(
                text % (item.identity, self.guard.remedy("reset_global"), ", ".join(_taken_away(step)))
            )
        return True

    def _take(self, resource: Resource, step: Step, actual: Records) -> None:
        self.steps.append(step)
        records = self.records[resource.part]
        if step.expect is None:
            del records[step.key]
            return
        had = actual.get(step.key)
        records[step.key] = Record(had.identity if had else step.identity, step.after or {})
        if step.cmdlet.startswith("Remove-"):
            text = "is reset to the defaults. The reset takes away %s" % ", ".join(_taken_away(step))
            self.findings.append(Finding("reset", WARNING, text, subject=step.identity))

    def remove(self, resource: Resource, granted: Grants) -> None:
        """Plan the removal of objects that are not listed, if the list is complete."""
        actual = self.deployment.records.get(resource.part)
        if actual is None or not self.federation.purges(resource.part):
            return
        listed = {item.key for item in self.federation.wanted[resource.part]}
        context = self._context(resource)
        removed = []
        for key, record in sorted(actual.items()):
            if key in listed or key == resource.resettable or self.guard.protector(key):
                continue
            if resource.part == "policies" and not self._policy_may_go(record, granted):
                continue
            change = Change(key, record.identity, record.values, None, removal=True)
            for rule in resource.rules:
                self.findings.extend(
                    rule(change, context if resource.part != "policies" else self._context(resource, granted))
                )
            self._take(resource, _remove_step(resource, record), actual)
            removed.append(record.identity)
        if removed:
            nothing = not any(not item.absent for item in self.federation.wanted[resource.part])
            self.too_much.extend(self.guard.too_many_removals(resource.plural, len(actual), removed, nothing))

    def _policy_may_go(self, record: Record, granted: Grants) -> bool:
        """Return whether a purge may remove a policy.

        A purge removes only per-user policies that enable XMPP and have no users after the run. A restore removes other
        policies without users too.
        """
        if not self.federation.whole and not (
            is_per_user(record.key) and bool(record.values.get("enable_xmpp_access"))
        ):
            return False
        return not (granted.usage or {}).get(record.key)

    def look_across(self) -> None:
        """Add the findings that need a comparison of several kinds."""
        edge = self.records.get("access_edge", {}).get("global")
        opened = [step for step in self.steps if step.part in ("partners", "policies") and step.expect is not None]
        if edge is not None and opened and not edge.values.get("allow_federated_users"):
            text = (
                "allow_federated_users is off, so federation does not work. Set it to true in %s."
                " This opens SIP federation too" % self.guard.name("access_edge")
            )
            self.findings.append(Finding("federation_stays_off", WARNING, text, subject="access edge"))
        self._look_for_idle_patterns()
        if self.federation.whole:
            actual = self.deployment.of("partners")
            limited = [
                item.identity
                for item in self.federation.wanted.get("partners", ())
                if "connection_limit" not in item.values
                and item.key in actual
                and actual[item.key].values.get("connection_limit") is not None
            ]
            if limited:
                text = "keeps the present connection_limit. The snapshot has no limit, but a limit cannot be cleared"
                self.findings.append(Finding("limit_stays", WARNING, text, subject=", ".join(limited)))

    def _look_for_idle_patterns(self) -> None:
        """Warn about patterns without a match. A run that did not read both kinds gives no warning."""
        kinds = [part for part in PURGED if part in self.records]
        if self.guard.several and len(kinds) < len(PURGED):
            return
        keys = {key for part in kinds for key in (*self.records[part], *self.deployment.of(part))}
        text = "'%s' protects nothing: no partner and no policy matches this pattern. Correct or remove the pattern"
        for pattern in self.guard.idle_patterns(keys) if kinds else ():
            self.findings.append(
                Finding("protects_nothing", WARNING, text % pattern, subject=self.guard.name("protect"))
            )

    def _context(self, resource: Resource, granted: Grants | None = None) -> Context:
        usage = granted.usage if granted else self.usage
        return Context(self.deployment.of(resource.part), usage, self.guard)


def _word(resource: Resource) -> str:
    return resource.key.option if resource.key else resource.label


def _without_marks(resource: Resource, item: Wanted, record: Record | None) -> tuple[Wanted, list[Finding]]:
    """Return an object of a snapshot without damaged texts. A damaged text lacks the server's original value."""
    damaged = {o: no_characters(v) for o, v in item.values.items() if isinstance(v, str) and no_characters(v)}
    text = "%s has %s in the snapshot, which is not a character. The option is not written. Set it by hand"
    lost = [option for option in damaged if record is None or record.values.get(option) != item.values[option]]
    found = [
        Finding("no_character", WARNING, text % (option, ", ".join(damaged[option])), subject=item.identity)
        for option in lost
    ]
    return replace(item, values={o: v for o, v in item.values.items() if o not in damaged}), found


def step_for(resource: Resource, item: Wanted, record: Record | None) -> tuple[Step | None, Change]:
    """Return the step for one declared object (None for no step), and the change for the rules."""
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
            part=resource.part,
        )
        return step, Change(item.key, item.identity, None, after, frozenset(after))
    written = {
        f.option: item.values[f.option]
        for f in resource.fields
        if f.option in item.values and not record.has(f.option, item.values[f.option])
    }
    after = {**record.values, **written}
    change = Change(item.key, record.identity, before, after, frozenset(written), more=record.more)
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
        part=resource.part,
    )
    return step, change


def _remove_step(resource: Resource, record: Record) -> Step:
    return Step(
        cmdlet="Remove-" + resource.noun,
        identity=record.identity,
        parameters={"Identity": record.on_server or record.identity, "Confirm": False},
        key=record.key,
        before=record.values,
        part=resource.part,
    )


def _reset_step(resource: Resource, item: Wanted, record: Record) -> tuple[Step | None, Change]:
    """Return the step that resets an object. Remove- sets the defaults (page of Remove-CsExternalAccessPolicy)."""
    after = {**record.values, **resource.defaults()}
    written = frozenset(option for option, value in after.items() if record.values.get(option) != value)
    change = Change(item.key, record.identity, record.values, after, written, removal=True)
    if not written:
        return None, change
    expect: Values = {option: after[option] for option in written}
    gone = _remove_step(resource, record)
    step = Step(gone.cmdlet, gone.identity, gone.parameters, gone.key, record.values, after, expect, resource.part)
    return step, change


def _taken_away(step: Step) -> list[str]:
    before, after = step.before or {}, step.after or {}
    return [option for option, value in before.items() if value and after.get(option) != value]
