# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply a plan: send its steps in batches, then read the objects to find out which steps took effect.

Error records do not show the failed statement of a batch. If there are errors, each step without effect is sent again
by itself, so that its own error can be shown. The second call is safe, because a read just showed that the step had no
effect. After a lost session, no step is sent again.

Another controller can write at the same time. So each batch first reads the objects that it changes. The run compares
these objects with the plan. If users lost a right because two runs wrote at the same time, the run gives the right
back.

A grant depends on its policy. A removal depends on all steps before it. Other steps are independent.
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

# The messages for steps that were not sent, or whose object another run changed.
_BEHIND_A_LOSS = "the session was lost at an earlier step, so this step was not sent. Run again to send it"
_OVERWRITTEN = "took effect, but another run or administrator changed the object right after. Now %s. Run again"
_CHANGED = "another run or administrator changed the object while this run wrote: %s. Compare, then run again"
_NOT_KNOWN = "%s: the answer was lost, so it is unknown whether this run overwrote another change. Check the object"
_TWICE = "%s: was sent twice. Either the first call had no effect, or the second call overwrote another change"
_NEEDS_POLICY = "the policy '%s' is not as planned, so it was not granted. Run again to grant it"
_NEEDS_ALL = "an earlier step failed, so this object was not removed. Run again to remove it"
# The number of steps in one batch. With more steps, too much time would pass between the read and the last write.
_TOGETHER = 200


class Applied:
    """These are the results of the steps.

    steps: the steps, in their order.
    results: ``done``, ``failed`` or ``not_sent`` for each step, in the order of ``steps``.
    failures: the errors of the steps.
    warnings: texts for the user.
    seen: the written kinds of objects, as a read after the writes showed them; None if nothing could be read.
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
    """Return, by identity, the domain controller of each grant. Other domain controllers do not have the grant yet."""
    return {
        str(step.parameters["Identity"]): {CONTROLLER: step.parameters[CONTROLLER]}
        for step in steps
        if step.part == "grants" and CONTROLLER in step.parameters
    }


def apply(
    shell: Shell, steps: t.Sequence[Step], reader: Reader, watch: Watch | None = None, *, independent: bool = False
) -> Applied:
    """Send the steps in their order, and find out which took effect. Raises no errors that a server can cause.

    watch: the rights that the plan knew.
    independent: whether no step depends on another step. Then a failure stops no other step.
    """
    return _Application(shell, steps, reader, watch or Watch()).run(independent)


class _Application:
    def __init__(self, shell: Shell, steps: t.Sequence[Step], reader: Reader, watch: Watch) -> None:
        self.shell, self.reader, self.watch = shell, reader, watch
        self.applied = Applied(steps)
        self.looks: dict[int, Looks] = {}  # by step: the objects that were read right before the step was last sent
        self.sent: list[int] = []  # steps whose result has not been read yet
        self.failed: set[int] = set()
        self.over = ""  # the reason why no more steps are sent

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

    # Reasons not to send a step

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
        # New objects need no read before the write, so new objects fit into one batch.
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
                # There was no session at any time, so nothing was sent.
                raise
        self.sent += going
        self.applied.warnings += answer.warnings
        if answer.errors or answer.ended_early:
            self._settle(answer)

    def _invoke(self, numbers: t.Sequence[int]) -> Answer:
        """Read the objects that the steps change, then send the steps. Return the steps' answer. Raises ShellError."""
        steps = [self.applied.steps[number] for number in numbers]
        looks = Looks(steps, self.reader.controller, self._holders(steps))
        self.looks.update(dict.fromkeys(numbers, looks))
        return looks.take(self.shell.invoke(looks.statements))

    def _holders(self, steps: t.Iterable[Step]) -> Statement | None:
        """Return the statement that reads the users of policies, if a step takes a right out of a policy."""
        return self.reader.holders if any(map(self.watch.taken, steps)) else None

    # Which steps took effect

    def _settle(self, answer: Answer) -> None:
        """Read the objects, and set the result of every step that was sent since the last call."""
        sent, self.sent = self.sent, []
        try:
            self._settle_steps(sent, answer)
        except (ServerRefused, ShellError) as exc:
            text = "was sent, but could not be read back, so it is unknown whether it took effect. Run again. Error: %s"
            for number in sent:
                error = ServerError(self.applied.steps[number].cmdlet, "", "Unknown", text % (answer.lost or exc))
                self._fail(number, "failed", error)
                feared = self.watch.feared(self.applied.steps[number], self.looks[number])
                if feared:
                    self._add(number, ServerError(error.cmdlet, "", feared.category, feared.text))
            self.over = "earlier steps could not be read back, so this step was not sent. Run again to send it"
            self.applied.seen = None

    def _settle_steps(self, sent: t.Sequence[int], answer: Answer) -> None:
        seen = self._observe(sent)
        pending = [n for n in sent if not self._in_effect(n, seen)]
        if answer.refused and pending:
            # The endpoint takes one statement at a time. The session now sends single statements, so send the missing
            # steps again.
            answer = self._invoke(pending)
            self.applied.warnings += answer.warnings
            seen = self._observe(sent)
            pending = [n for n in sent if not self._in_effect(n, seen)]
        elif not pending:
            self.applied.warnings += [
                "%s: the server reported an error, but the change is in effect: %s" % (e.cmdlet, e.message)
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
            text = "%s: the server does not show %s. The option cannot be compared, so every run writes the option"
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
            # Without an error, the step is not sent again: a second call could overwrite another change.
            answered = alone.get(number, answer if answer.lost or not answer.errors else None)
            self._fail(number, "failed" if answered else "not_sent", _error(step, answered, record))
        if lost:
            self.over = _BEHIND_A_LOSS

    def _send_alone(self, numbers: t.Sequence[int]) -> dict[int, Answer]:
        """Send each step by itself. Return the answers by step. If the session is lost, stop."""
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
        """Read the objects of the steps: the kinds, the users, and the policies that users' rights depend on."""
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
        """Warn if another run or administrator changed the object at the same moment."""
        step, looks = self.applied.steps[number], self.looks[number]
        known, before = looks.before(step)
        texts = [*(met(step, before) if known else ()), *beside(step, record)]
        self.applied.warnings += ["%s: %s" % (step.identity, text) for text in texts]
        if answer.lost and not known and step.before is not None:
            self.applied.warnings.append(_NOT_KNOWN % step.identity)

    def _rights(self, sent: t.Sequence[int], seen: Deployment, *, write: bool) -> dict[int, ServerError]:
        """Give lost rights back. Return the errors by step. Warn if a loss is uncertain.

        write: whether the session still works, so that rights can be given back.
        """
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
    # If only upper and lower case differ, use the spelling of the step.
    return Record(user.name, {"policy": wanted if key_of(user.policy) == key_of(wanted) else user.policy})


def _error(step: Step, answered: Answer | None, record: Record | None) -> ServerError:
    """Return the server's error for a step, or a description if the server returned no error."""
    if answered is None:
        return ServerError(step.cmdlet, "", "NotSent", _BEHIND_A_LOSS.replace("was not sent", "was not sent again"))
    if answered.lost:
        text = "the session was lost before the server answered (%s). Now %s"
        return ServerError(step.cmdlet, "", "ConnectionError", text % (answered.lost, step.still_wrong(record)))
    if answered.errors:
        return answered.errors[0]
    text = "the server reported no error, but %s" % step.still_wrong(record)
    return ServerError(step.cmdlet, "", "NotInEffect", text)
