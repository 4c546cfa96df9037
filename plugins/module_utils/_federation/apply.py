# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries a plan out: sends its steps in batches, reads once, and lets the state say what took effect.

Error records do not tell which statement of a batch they belong to. A step that is not in effect is sent once more,
alone, to learn its own error: safe, because its absence was just read. After a lost session nothing is sent again.

A grant depends on its policy, a removal on everything before it; nothing else depends on anything.
"""

from __future__ import annotations

import typing as t

from .._base.names import key as key_of
from .._base.result import Failure, ServerRefused
from .._base.step import Record, Step
from .._shell.statement import Answer, ServerError, Shell, ShellError, Value
from .catalogue import RESOURCES
from .deployment import CONTROLLER, Deployment, Reader

# What a later failure says of a step that was not sent.
_BEHIND_A_LOSS = "the session was lost at an earlier step, and this one was not sent; a further run will send it"
_OVERWRITTEN = "took effect, and somebody else changed the object right after; read back, %s"
_NEEDS_POLICY = "the policy '%s' is not as planned, so it was not granted; a further run will do it"
_NEEDS_ALL = "an earlier step failed, so nothing was removed; a further run will do it"


class Applied:
    """What became of the steps: ``results`` holds done, failed or not_sent for each, in their order.

    seen: what a read afterwards showed of the kinds that were written; None where nothing could be read.
    """

    def __init__(self, steps: t.Sequence[Step]) -> None:
        self.steps = tuple(steps)
        self.results = ["not_sent"] * len(self.steps)
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.seen: Deployment | None = None

    def done(self) -> list[Step]:
        return [step for step, result in zip(self.steps, self.results, strict=True) if result == "done"]


def written_on(steps: t.Iterable[Step]) -> dict[str, dict[str, Value]]:
    """By identity, the domain controller that a grant is written on: another one has not heard of it yet."""
    return {
        str(step.parameters["Identity"]): {CONTROLLER: step.parameters[CONTROLLER]}
        for step in steps
        if step.part == "grants" and CONTROLLER in step.parameters
    }


def apply(shell: Shell, steps: t.Sequence[Step], reader: Reader, *, independent: bool = False) -> Applied:
    """Send the steps, in their order, and find out what took effect. Raises nothing that a server may cause.

    independent: no step depends on another, so that a failure holds up none, and all go in one batch.
    """
    return _Application(shell, steps, reader).run(independent)


class _Application:
    def __init__(self, shell: Shell, steps: t.Sequence[Step], reader: Reader) -> None:
        self.shell, self.reader = shell, reader
        self.applied = Applied(steps)
        self.sent: list[int] = []  # steps whose outcome has not been read yet
        self.failed: set[int] = set()
        self.over = ""  # why nothing more is sent

    def run(self, independent: bool) -> Applied:
        steps = self.applied.steps
        grants = [n for n, step in enumerate(steps) if step.part == "grants"]
        removals = [n for n, step in enumerate(steps) if step.part != "grants" and step.cmdlet.startswith("Remove-")]
        changes = [n for n in range(len(steps)) if n not in set(grants) | set(removals)]
        if independent:
            changes, grants, removals = list(range(len(steps))), [], []
        for group, hindrance in ((changes, self._nothing), (grants, self._policy_failed), (removals, self._any_failed)):
            self._send(group, hindrance)
        if self.sent:
            self._settle(Answer())
        self.applied.failures.sort(key=lambda failure: failure.order)
        return self.applied

    # What hinders a step

    def _nothing(self, step: Step) -> str:
        return ""

    def _policy_failed(self, step: Step) -> str:
        policy = key_of(str((step.expect or {}).get("policy", "")))
        bad = any(self.applied.steps[n].part == "policies" and self.applied.steps[n].key == policy for n in self.failed)
        return _NEEDS_POLICY % (step.expect or {}).get("policy") if policy and bad else ""

    def _any_failed(self, step: Step) -> str:
        return _NEEDS_ALL if self.failed else ""

    def _send(self, group: t.Sequence[int], hindrance: t.Callable[[Step], str]) -> None:
        going = []
        for number in group:
            why = self.over or hindrance(self.applied.steps[number])
            if why:
                self._fail(number, "not_sent", ServerError(self.applied.steps[number].cmdlet, "", "NotSent", why))
            else:
                going.append(number)
        if not going:
            return
        try:
            answer = self.shell.invoke([self.applied.steps[number].statement for number in going])
        except ShellError as exc:
            answer = Answer(lost=str(exc))
            if not self.sent and not self.failed and not self.applied.done():
                # There never was a session: nothing was sent at all.
                raise
        self.sent += going
        self.applied.warnings += answer.warnings
        if answer.errors or answer.ended_early:
            self._settle(answer)

    # What took effect

    def _settle(self, answer: Answer) -> None:
        """Read the state, and decide every step that was sent since the last time."""
        sent, self.sent = self.sent, []
        try:
            self._settle_steps(sent, answer)
        except (ServerRefused, ShellError) as exc:
            text = "was sent, but could not be read back, so it is unknown whether it took effect: %s"
            for number in sent:
                error = ServerError(self.applied.steps[number].cmdlet, "", "Unknown", text % (answer.lost or exc))
                self._fail(number, "failed", error)
            self.over = "what was sent before could not be read back, so this was not sent; a further run will send it"
            self.applied.seen = None

    def _settle_steps(self, sent: t.Sequence[int], answer: Answer) -> None:
        seen = self._observe(sent)
        pending = [n for n in sent if not self._in_effect(n, seen)]
        if answer.refused and pending:
            # The endpoint takes one statement at a time, as the session knows now. What is missing goes in order again.
            answer = self.shell.invoke([self.applied.steps[n].statement for n in pending])
            self.applied.warnings += answer.warnings
            seen = self._observe(sent)
            pending = [n for n in sent if not self._in_effect(n, seen)]
        elif not pending:
            self.applied.warnings += [
                "%s: the server complained, yet the change is in effect: %s" % (e.cmdlet, e.message)
                for e in answer.errors
            ]
        alone: dict[int, Answer] = {}
        if pending and not answer.lost:
            alone = self._send_alone(pending)
            seen = self._observe(sent)
        for number in sent:
            step, record = self.applied.steps[number], self._record(number, seen)
            text = "%s: the server does not show %s, so it cannot be compared, and every run writes it"
            self.applied.warnings += [text % (step.identity, option) for option in step.hidden(record)]
            if step.in_effect(record):
                self.applied.results[number] = "done"
                self._overwritten(step, record)
                continue
            if alone and number not in pending:
                error = ServerError(step.cmdlet, "", "Overwritten", _OVERWRITTEN % step.still_wrong(record))
                self._fail(number, "failed", error)
                continue
            answered = alone.get(number, answer if answer.lost else None)
            self._fail(number, "failed" if answered else "not_sent", _error(step, answered, record))
        if answer.lost or any(one.lost for one in alone.values()):
            self.over = _BEHIND_A_LOSS

    def _send_alone(self, numbers: t.Sequence[int]) -> dict[int, Answer]:
        """An answer for each step; ends early when the session is lost."""
        answers: dict[int, Answer] = {}
        for number in numbers:
            try:
                answer = self.shell.invoke([self.applied.steps[number].statement])
            except ShellError as exc:
                answer = Answer(lost=str(exc))
            answers[number] = answer
            if answer.lost:
                break
        return answers

    def _observe(self, sent: t.Sequence[int]) -> Deployment:
        """The kinds of these steps, and the users among them."""
        steps = [self.applied.steps[n] for n in sent]
        parts = {step.part for step in steps}
        seen = self.reader.kinds([resource for resource in RESOURCES if resource.part in parts])
        users = [step for step in steps if step.part == "grants"]
        if users:
            seen = self.reader.with_users(seen, [str(step.parameters["Identity"]) for step in users], written_on(users))
        before = self.applied.seen
        if before is not None:
            # Kinds that were read after an earlier batch stay known.
            records, users_seen = {**before.records, **seen.records}, {**before.users, **seen.users}
            seen = Deployment(seen.time, records, users_seen)
        self.applied.seen = seen
        return seen

    def _record(self, number: int, seen: Deployment) -> Record | None:
        step = self.applied.steps[number]
        if step.part != "grants":
            return seen.of(step.part).get(step.key)
        user = seen.users.get(step.key)
        if user is None:
            return None
        wanted = str((step.expect or {})["policy"])
        # Spelled as the step spells it where only the case differs.
        return Record(user.name, {"policy": wanted if key_of(user.policy) == key_of(wanted) else user.policy})

    def _in_effect(self, number: int, seen: Deployment) -> bool:
        return self.applied.steps[number].in_effect(self._record(number, seen))

    def _overwritten(self, step: Step, record: Record | None) -> None:
        """Somebody who changed another property of the object at the same moment is not lost without a word."""
        if record is None or step.after is None or step.before is None:
            return
        others = [
            o for o, value in step.before.items() if o not in (step.expect or {}) and record.values.get(o) != value
        ]
        if others:
            text = "%s: somebody else changed %s while this run wrote; look at it"
            self.applied.warnings.append(text % (step.identity, ", ".join(others)))

    def _fail(self, number: int, result: str, error: ServerError) -> None:
        step = self.applied.steps[number]
        self.applied.results[number] = result
        self.failed.add(number)
        self.applied.failures.append(Failure(step.cmdlet, step.identity, error, number))


def _error(step: Step, answered: Answer | None, record: Record | None) -> ServerError:
    """The server's own error for a step, or what there is to say where it gave none."""
    if answered is None:
        return ServerError(step.cmdlet, "", "NotSent", _BEHIND_A_LOSS.replace("was not sent", "was not sent again"))
    if answered.lost:
        text = "the session was lost before the server answered (%s); read back, %s"
        return ServerError(step.cmdlet, "", "ConnectionError", text % (answered.lost, step.still_wrong(record)))
    if answered.errors:
        return answered.errors[0]
    text = "the server reported no error, but %s" % step.still_wrong(record)
    return ServerError(step.cmdlet, "", "NotInEffect", text)
