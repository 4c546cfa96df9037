# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries a plan out: sends its steps in batches, reads once, and lets the state say what took effect.

Error records do not tell which statement of a batch they belong to. If there are any, a step that is not in effect is
sent once more, alone, to learn its own error: safe, because its absence was just read. After a lost session nothing is
sent again.

Another controller may write at the same time. So each batch begins with a reading of what it is about to change, and
what a write met is compared with what the plan knew. A right that went because two runs met is given back.

A grant depends on its policy, a removal on everything before it; nothing else depends on anything.
"""

from __future__ import annotations

import typing as t

from .._base.names import key as key_of
from .._base.result import Failure, ServerRefused
from .._base.step import Record, Step
from .._shell.statement import Answer, ServerError, Shell, ShellError, Statement, Value
from .catalogue import RESOURCES
from .deployment import CONTROLLER, Deployment, Reader
from .looks import Looks
from .losses import GIVEN_BACK, NOT_GIVEN_BACK, RightLoss, Watch
from .meanwhile import beside, met, replaced, untouched

# What a later failure says of a step that was not sent.
_BEHIND_A_LOSS = "the session was lost at an earlier step, and this one was not sent; a further run will send it"
_OVERWRITTEN = "took effect, but another run or administrator changed the object right after; read back, %s"
_CHANGED = "another run or administrator changed the object while this run wrote: %s. Compare, then run again"
_NOT_KNOWN = "%s: the answer was lost, so it is unknown whether this run overwrote another change"
_TWICE = "%s: was sent twice. Either the first call had no effect, or the second one overwrote another change"
_NEEDS_POLICY = "the policy '%s' is not as planned, so it was not granted; a further run will do it"
_NEEDS_ALL = "an earlier step failed, so nothing was removed; a further run will do it"
# Steps of one batch: the reading before it has to be near all of its writes.
_TOGETHER = 200


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


def apply(
    shell: Shell, steps: t.Sequence[Step], reader: Reader, watch: Watch | None = None, *, independent: bool = False
) -> Applied:
    """Send the steps, in their order, and find out what took effect. Raises nothing that a server may cause.

    watch: what the plan knew of rights. independent: no step depends on another, so that a failure holds up none.
    """
    return _Application(shell, steps, reader, watch or Watch()).run(independent)


class _Application:
    def __init__(self, shell: Shell, steps: t.Sequence[Step], reader: Reader, watch: Watch) -> None:
        self.shell, self.reader, self.watch = shell, reader, watch
        self.applied = Applied(steps)
        self.looks: dict[int, Looks] = {}  # by step, what was read right before it was sent last
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
        # What is new has no reading before it.
        most = (
            _TOGETHER if any(self.applied.steps[number].before is not None for number in going) else max(1, len(going))
        )
        for start in range(0, len(going), most):
            self._send_batch(going[start : start + most])

    def _send_batch(self, going: t.Sequence[int]) -> None:
        if self.over:
            for number in going:
                error = ServerError(self.applied.steps[number].cmdlet, "", "NotSent", self.over)
                self._fail(number, "not_sent", error)
            return
        try:
            answer = self._invoke(going)
        except ShellError as exc:
            answer = Answer(lost=str(exc))
            if not self.sent and not self.failed and not self.applied.done():
                # There never was a session: nothing was sent at all.
                raise
        self.sent += going
        self.applied.warnings += answer.warnings
        if answer.errors or answer.ended_early:
            self._settle(answer)

    def _invoke(self, numbers: t.Sequence[int]) -> Answer:
        """Send steps behind a reading of what they change. Returns what answers the steps. Raises ShellError."""
        steps = [self.applied.steps[number] for number in numbers]
        looks = Looks(steps, self.reader.controller, self._holders(steps))
        self.looks.update(dict.fromkeys(numbers, looks))
        return looks.take(self.shell.invoke(looks.statements))

    def _holders(self, steps: t.Iterable[Step]) -> Statement | None:
        """Who has a policy matters if a policy loses a right."""
        return self.reader.holders if any(map(self.watch.taken, steps)) else None

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
                feared = self.watch.feared(self.applied.steps[number], self.looks[number])
                if feared:
                    self._add(number, ServerError(error.cmdlet, "", feared.category, feared.text))
            self.over = "what was sent before could not be read back, so this was not sent; a further run will send it"
            self.applied.seen = None

    def _settle_steps(self, sent: t.Sequence[int], answer: Answer) -> None:
        seen = self._observe(sent)
        pending = [n for n in sent if not self._in_effect(n, seen)]
        if answer.refused and pending:
            # The endpoint takes one statement at a time, as the session knows now. What is missing goes in order again.
            answer = self._invoke(pending)
            self.applied.warnings += answer.warnings
            seen = self._observe(sent)
            pending = [n for n in sent if not self._in_effect(n, seen)]
        elif not pending:
            self.applied.warnings += [
                "%s: the server complained, yet the change is in effect: %s" % (e.cmdlet, e.message)
                for e in answer.errors
            ]
        alone: dict[int, Answer] = {}
        again = [n for n in pending if untouched(self.applied.steps[n], self._record(n, seen))]
        if again and answer.errors and not answer.lost:
            alone = self._send_alone(again)
            seen = self._observe(sent)
            if len(answer.errors) < len(pending):
                took = [self.applied.steps[n].identity for n in again if self._in_effect(n, seen)]
                self.applied.warnings += [_TWICE % identity for identity in took]
        lost = bool(answer.lost or any(one.lost for one in alone.values()))
        rights = self._rights(sent, seen, write=not lost)
        seen = self.applied.seen or seen
        for number in sent:
            step, record = self.applied.steps[number], self._record(number, seen)
            text = "%s: the server does not show %s, so it cannot be compared, and every run writes it"
            self.applied.warnings += [text % (step.identity, option) for option in step.hidden(record)]
            if number in rights:
                self._fail(number, "failed", rights[number])
                continue
            if step.in_effect(record):
                self.applied.results[number] = "done"
                self._say_what_it_met(number, record, answer)
                continue
            if alone and number not in pending:
                error = ServerError(step.cmdlet, "", "Overwritten", _OVERWRITTEN % step.still_wrong(record))
                self._fail(number, "failed", error)
                continue
            if not answer.lost and number not in again and record is not None:
                found = "; ".join(replaced(step, record)) or step.still_wrong(record)
                self._fail(number, "failed", ServerError(step.cmdlet, "", "Overwritten", _CHANGED % found))
                continue
            # Without an error there is none to learn, and to send it again might overwrite somebody.
            answered = alone.get(number, answer if answer.lost or not answer.errors else None)
            self._fail(number, "failed" if answered else "not_sent", _error(step, answered, record))
        if lost:
            self.over = _BEHIND_A_LOSS

    def _send_alone(self, numbers: t.Sequence[int]) -> dict[int, Answer]:
        """An answer for each step; ends early when the session is lost."""
        answers: dict[int, Answer] = {}
        for number in numbers:
            try:
                answer = self._invoke([number])
            except ShellError as exc:
                answer = Answer(lost=str(exc))
            answers[number] = answer
            if answer.lost:
                break
        return answers

    def _observe(self, sent: t.Sequence[int]) -> Deployment:
        """The kinds of these steps, the users among them, and what the rights of users depend on."""
        steps = [self.applied.steps[n] for n in sent]
        users = [step for step in steps if step.part == "grants"]
        parts = {"policies" if step.part == "grants" else step.part for step in steps}
        seen = self.reader.again(
            [resource for resource in RESOURCES if resource.part in parts],
            [str(step.parameters["Identity"]) for step in users],
            written_on(users),
            self._holders(steps) is not None,
        )
        before = self.applied.seen
        if before is not None:
            # Kinds that were read after an earlier batch stay known.
            records, users_seen = {**before.records, **seen.records}, {**before.users, **seen.users}
            seen = Deployment(seen.time, records, users_seen)
        self.applied.seen = seen
        return seen

    def _record(self, number: int, seen: Deployment) -> Record | None:
        return _record_of(self.applied.steps[number], seen)

    def _in_effect(self, number: int, seen: Deployment) -> bool:
        return self.applied.steps[number].in_effect(self._record(number, seen))

    def _say_what_it_met(self, number: int, record: Record | None, answer: Answer) -> None:
        """Somebody who changed the object at the same moment is not lost without a word."""
        step, looks = self.applied.steps[number], self.looks[number]
        known, before = looks.before(step)
        texts = [*(met(step, before) if known else ()), *beside(step, record)]
        self.applied.warnings += ["%s: %s" % (step.identity, text) for text in texts]
        if answer.lost and not known and step.before is not None:
            self.applied.warnings.append(_NOT_KNOWN % step.identity)

    def _rights(self, sent: t.Sequence[int], seen: Deployment, *, write: bool) -> dict[int, ServerError]:
        """By step that was taken back or could not be, why. Says what is uncertain. write: whether to give it back."""
        back: dict[int, RightLoss] = {}
        for number in sent:
            step = self.applied.steps[number]
            loss = self.watch.loss(step, self.looks[number], seen) if self._in_effect(number, seen) else None
            if loss is None:
                continue
            if loss.back and write:
                back[number] = loss
            elif loss.category:
                self._add(number, ServerError(step.cmdlet, "", loss.category, loss.text))
            else:
                self.applied.warnings.append("%s: %s" % (step.identity, loss.text))
        return self._give_back(back, sent) if back else {}

    def _give_back(self, losses: t.Mapping[int, RightLoss], sent: t.Sequence[int]) -> dict[int, ServerError]:
        try:
            answer = self.shell.invoke([step.statement for loss in losses.values() for step in loss.back])
        except ShellError as exc:
            answer = Answer(lost=str(exc))
        seen = self._observe(sent)
        told = answer.lost or "; ".join(error.message for error in answer.errors) or "the server shows no effect"
        errors = {}
        for number, loss in losses.items():
            restored = all(step.in_effect(_record_of(step, seen)) for step in loss.back)
            end = GIVEN_BACK if restored else NOT_GIVEN_BACK % told
            cmdlet = self.applied.steps[number].cmdlet
            errors[number] = ServerError(cmdlet, "", loss.category, "%s. %s" % (loss.text, end))
        return errors

    def _fail(self, number: int, result: str, error: ServerError) -> None:
        self.applied.results[number] = result
        self.failed.add(number)
        self._add(number, error)

    def _add(self, number: int, error: ServerError) -> None:
        step = self.applied.steps[number]
        self.applied.failures.append(Failure(step.cmdlet, step.identity, error, number))


def _record_of(step: Step, seen: Deployment) -> Record | None:
    if step.part != "grants":
        return seen.of(step.part).get(step.key)
    user = seen.users.get(step.key)
    if user is None:
        return None
    wanted = str((step.expect or {})["policy"])
    # Spelled as the step spells it where only the case differs.
    return Record(user.name, {"policy": wanted if key_of(user.policy) == key_of(wanted) else user.policy})


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
