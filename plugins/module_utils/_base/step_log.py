# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send steps that depend on each other, one request at a time, and record the result of each step."""

from __future__ import annotations

import typing as t

from .._shell.statement import Secret, ServerError, Shell, ShellError, Statement
from .result import Failure
from .step import Step


class StepLog:
    """Describe the log of sent steps and their results.

    planned: the steps that check mode shows. Other steps may also be sent.
    secrets: texts that are never recorded, even if the server repeats the texts.
    aliases: values that differ from run to run, and the texts that are shown in their place.
    """

    def __init__(
        self,
        shell: Shell,
        planned: t.Sequence[Step],
        secrets: t.Sequence[Secret] = (),
        aliases: t.Mapping[str, str] | None = None,
    ) -> None:
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.looked: tuple[t.Any, ...] = ()
        self._shell = shell
        self._steps = list(planned)
        self._results: dict[int, str] = {}
        self._secrets = [secret.reveal() for secret in secrets if secret.reveal()]
        self._aliases = aliases or {}

    def send(self, *steps: Step, look: Statement | None = None) -> dict[str, ServerError]:
        """Send the steps in one request. Return the first error of each cmdlet. The steps' cmdlets differ.

        look: the statement that reads the objects right before the steps. Its output is in ``looked``.
        """
        self._steps += [step for step in steps if not any(step is known for known in self._steps)]
        statements = [*([look] if look else ()), *(step.statement for step in steps)]
        try:
            answer = self._shell.invoke(statements)
            if answer.refused:
                # The endpoint accepts only one statement at a time. From now on the session sends statements one by
                # one. The statements of this request may be repeated, even if the server has run some of them.
                answer = self._shell.invoke(statements)
        except ShellError as exc:  # nothing was sent
            text = self._clean(str(exc))
            return {step.cmdlet: ServerError(step.cmdlet, "", "ConnectionError", text) for step in steps}
        self.looked = answer.output if look else ()
        names = {step.cmdlet.casefold(): step.cmdlet for step in steps}
        errors: dict[str, ServerError] = {}
        for found in answer.errors:
            if look and found.cmdlet.casefold() == look.cmdlet.casefold():
                continue
            # An error that names another cmdlet came from inside one of the sent cmdlets, most likely the first.
            cmdlet = names.get(found.cmdlet.casefold(), steps[0].cmdlet)
            errors.setdefault(
                cmdlet, ServerError(cmdlet, found.error_id, found.category, self._clean(found.message), found.target)
            )
        if answer.lost:
            text = "the session was lost before the server answered: %s" % self._clean(answer.lost)
            for step in steps:
                errors.setdefault(step.cmdlet, ServerError(step.cmdlet, "", "ConnectionError", text))
        for step in steps:
            self._results[id(step)] = "failed" if step.cmdlet in errors else "done"
        self.warnings += [self._clean(text) for text in answer.warnings]
        return errors

    def do(self, step: Step) -> bool:
        """Send one step and record its failure. Return whether the step succeeded."""
        errors = self.send(step)
        if errors:
            self.fail(step, errors[step.cmdlet])
        return not errors

    def replace(self, planned: Step, step: Step) -> None:
        """Replace a planned step by another step."""
        self._steps = [step if known is planned else known for known in self._steps]

    def insert(self, step: Step, before: Step | None) -> None:
        """Add a step that became necessary.

        before: the step that follows the added step; None adds the step at the end.
        """
        at = next((n for n, known in enumerate(self._steps) if known is before), len(self._steps))
        self._steps.insert(at, step)

    def withdraw(self, planned: Step) -> None:
        """Remove a planned step that became unnecessary, so that the step is not shown."""
        self._steps = [known for known in self._steps if known is not planned]

    def was_sent(self, step: Step) -> bool:
        return id(step) in self._results

    @property
    def sent_anything(self) -> bool:
        return bool(self._results)

    def done(self, step: Step, error: ServerError | None = None) -> None:
        """Record that a step took effect according to a read.

        error: the error in the answer to the step.
        """
        self._results[id(step)] = "done"
        if error:
            self.warnings.append("%s reported an error, but the step took effect: %s" % (step.cmdlet, error.message))

    def fail(self, step: Step, error: ServerError | Exception | str) -> None:
        """Record the failure of a step. A text or an exception becomes an error of the step's cmdlet."""
        if not isinstance(error, ServerError):
            category = "NotInEffect" if isinstance(error, str) else "ConnectionError"
            error = ServerError(step.cmdlet, "", category, self._clean(str(error)))
        if self.was_sent(step):
            self._results[id(step)] = "failed"
        self.failures.append(Failure(step.cmdlet, step.identity, error))

    def note(self, what: str, identity: str, category: str, text: str) -> None:
        """Record a failure that belongs to no step."""
        self.failures.append(Failure(what, identity, ServerError(what, "", category, self._clean(text))))

    def shown(self, untouched: str) -> list[dict[str, t.Any]]:
        """Return the steps in the form of a module's result.

        untouched: the result of steps that were not sent.
        """
        found = []
        for step in self._steps:
            item = step.shown(self._results.get(id(step), untouched))
            item["identity"] = self._aliases.get(item["identity"], item["identity"])
            item["parameters"] = {
                name: self._aliases.get(value, value) if isinstance(value, str) else value
                for name, value in item["parameters"].items()
            }
            found.append(item)
        return found

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "(secret)")
        return text
