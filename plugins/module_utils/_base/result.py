# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the ends of a task: a result, a refusal before anything was written, or an error of the server."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._shell.rights import KNOWN
from .._shell.statement import Answer, ServerError

Params = t.Mapping[str, t.Any]


class Refused(Exception):
    """The run may not continue, and nothing was written.

    reasons: one text for each reason.
    values: more return keys of the failed task, such as the refused plan.
    """

    def __init__(self, reasons: t.Sequence[str], values: t.Mapping[str, t.Any] | None = None) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)
        self.values = dict(values or {})


class ServerRefused(Exception):
    """A read failed, or got no answer.

    errors: the errors with the server's texts.
    """

    def __init__(self, cmdlet: str, answer: Answer) -> None:
        silent = ServerError(cmdlet, "", "ConnectionError", answer.lost or "the server returned no object")
        self.errors = answer.errors or (silent,)
        super().__init__("%s failed: %s" % (cmdlet, self.errors[0].message))

    @property
    def not_offered(self) -> tuple[str, ...]:
        """Return the cmdlets that the session does not offer; empty if there are other errors."""
        if not all("CommandNotFound" in error.error_id for error in self.errors):
            return ()
        names = {error.cmdlet.casefold() for error in self.errors}
        found = tuple(name for name in KNOWN if name.casefold() in names)
        return found if len(found) == len(names) else ()


UNREADABLE_ANSWER = "the answer cannot be read"


class Unreadable(ServerRefused):
    """A server sent an object with an unknown form. Such an object never becomes a value."""

    def __init__(self, cmdlet: str, identity: str, text: str) -> None:
        of = "%s: " % identity if identity else ""
        message = "%s: %s%s" % (UNREADABLE_ANSWER, of, text)
        error = ServerError(cmdlet, "", "InvalidData", message, identity)
        super().__init__(cmdlet, Answer(errors=(error,)))


@dataclass(frozen=True)
class Failure:
    """Describe a step that did not take effect.

    cmdlet: the cmdlet of the step.
    identity: the object of the step; empty if the step has no object.
    error: the reason.
    order: the step's number in its plan.
    """

    cmdlet: str
    identity: str
    error: ServerError
    order: int = 0

    def as_dict(self) -> dict[str, str]:
        return {
            "cmdlet": self.cmdlet,
            "identity": self.identity,
            "error_id": self.error.error_id,
            "category": self.error.category,
            "message": self.error.message,
        }

    def __str__(self) -> str:
        of = " of %s" % self.identity if self.identity else ""
        category = " (%s)" % self.error.category if self.error.category else ""
        return "%s%s failed: %s%s" % (self.cmdlet, of, self.error.message, category)


@dataclass
class Result:
    """Describe the result of a run.

    values: the return keys of the module, without the common keys.
    plan_digest: see _federation/digest.py.
    identity: the identity of the deployment; see _federation/identity.py.
    The other attributes are the common return keys.
    """

    values: dict[str, t.Any] = field(default_factory=dict)
    changed: bool = False
    diff: list[dict[str, str]] = field(default_factory=list)
    steps: list[dict[str, t.Any]] | None = None
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    plan_digest: dict[str, t.Any] | None = None
    identity: dict[str, t.Any] | None = None

    @property
    def message(self) -> str:
        """Return the text of a failed task: the first failure, and the number of other failures."""
        more = len(self.failures) - 1
        return str(self.failures[0]) + (" (and %d more, see failures)" % more if more else "")

    def as_dict(self) -> dict[str, t.Any]:
        """Return the keys for exit_json and fail_json, without the warnings."""
        found: dict[str, t.Any] = {**self.values, "changed": self.changed}
        if self.steps is not None:
            found["steps"] = self.steps
            found["diff"] = self.diff
            found["failures"] = [failure.as_dict() for failure in self.failures]
        if self.plan_digest is not None:
            found["plan_digest"] = self.plan_digest
        if self.identity is not None:
            found["identity"] = self.identity
        return found
