# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps of which each depends on the one before: sent one request at a time, with a record of what became of each."""

from __future__ import annotations

import typing as t

from .._shell.statement import Secret, ServerError, Shell, ShellError, Statement
from .result import Failure
from .step import Step


class StepLog:
    """Sends steps and remembers what became of each.

    planned: the steps as check mode shows them; others may be sent as well. secrets: never recorded, even where the
    server repeats them. aliases: values that differ from run to run, and what they are shown as.
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
        """One request. Returns the first error of each cmdlet (the steps' cmdlets differ); empty if there is none.

        look: reads, right before the steps, what they change. What it returns is in ``looked``.
        """
        self._steps += [step for step in steps if not any(step is known for known in self._steps)]
        statements = [*([look] if look else ()), *(step.statement for step in steps)]
        try:
            answer = self._shell.invoke(statements)
            if answer.refused:
                # The endpoint takes one statement at a time, which the session knows now. What is sent together here
                # may be repeated, should some of it have been carried out.
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
            # An error that names another cmdlet came from inside one of ours: most likely the first.
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
        """Send one step and record its failure. Whether it was carried out."""
        errors = self.send(step)
        if errors:
            self.fail(step, errors[step.cmdlet])
        return not errors

    def replace(self, planned: Step, step: Step) -> None:
        """A planned step turned out to be another one."""
        self._steps = [step if known is planned else known for known in self._steps]

    def insert(self, step: Step, before: Step | None) -> None:
        """A step turned out to be necessary: it is shown before another one, without one at the end."""
        at = next((n for n, known in enumerate(self._steps) if known is before), len(self._steps))
        self._steps.insert(at, step)

    def withdraw(self, planned: Step) -> None:
        """A planned step turned out to be unnecessary: it is not shown."""
        self._steps = [known for known in self._steps if known is not planned]

    def was_sent(self, step: Step) -> bool:
        return id(step) in self._results

    @property
    def sent_anything(self) -> bool:
        return bool(self._results)

    def done(self, step: Step, error: ServerError | None = None) -> None:
        """A read showed that a step took effect, whatever its answer was."""
        self._results[id(step)] = "done"
        if error:
            self.warnings.append("%s complained, yet it took effect: %s" % (step.cmdlet, error.message))

    def fail(self, step: Step, error: ServerError | Exception | str) -> None:
        """Record a failure. Texts and exceptions become an error of the step's cmdlet."""
        if not isinstance(error, ServerError):
            category = "NotInEffect" if isinstance(error, str) else "ConnectionError"
            error = ServerError(step.cmdlet, "", category, self._clean(str(error)))
        if self.was_sent(step):
            self._results[id(step)] = "failed"
        self.failures.append(Failure(step.cmdlet, step.identity, error))

    def note(self, what: str, identity: str, category: str, text: str) -> None:
        """Record a failure of something that is no step."""
        self.failures.append(Failure(what, identity, ServerError(what, "", category, self._clean(text))))

    def shown(self, untouched: str) -> list[dict[str, t.Any]]:
        """The steps as modules return them; ``untouched`` is the result of those that were not sent."""
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
