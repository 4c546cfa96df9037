# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read objects from a server, and check their form. An object that cannot be read is an error."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._shell.rights import missing
from .._shell.statement import Answer, ServerError, Shell, ShellError, Statement, place_of
from .result import Refused, ServerRefused

# The exceptions of reading.
UNREADABLE = (Refused, ServerRefused, ShellError)


def is_unknown(answer: Answer) -> bool:
    """Return whether the session does not know a cmdlet of the statement."""
    return any(map(is_unknown_error, answer.errors))


def is_unknown_error(error: ServerError) -> bool:
    """Return whether an error means that a session does not know a cmdlet."""
    return "CommandNotFound" in error.error_id


def objects_of(cmdlet: str, answer: Answer) -> list[dict[str, t.Any]]:
    """Return the objects of an answer. Raises ServerRefused, and Refused if a value of the answer is not an object."""
    if answer.lost or answer.errors:
        raise ServerRefused(cmdlet, answer)
    if not all(isinstance(item, dict) for item in answer.output):
        raise Refused(["%s returned a value that is not an object" % cmdlet])
    return list(answer.output)


def read_objects(shell: Shell, statement: Statement, unknown: str) -> list[dict[str, t.Any]]:
    """Run a statement that reads, and return the objects. Raises Refused, ServerRefused, ShellError.

    unknown: the remedy if the session does not know the cmdlet.
    """
    answer = shell.invoke([statement])
    if is_unknown(answer):
        raise Refused(["the session does not offer %s. %s" % (statement.cmdlet, unknown)])
    return objects_of(statement.cmdlet, answer)


@dataclass(frozen=True)
class PipelineOutput:
    """Describe the output of one pipeline.

    output: the objects in order.
    failed: the errors by cmdlet. Objects of such a cmdlet are missing from the output.
    nothing: whether all cmdlets failed.
    """

    output: tuple[t.Any, ...] = ()
    failed: t.Mapping[str, ServerError] = field(default_factory=dict)
    nothing: bool = False

    def require(self, cmdlets: t.Iterable[str]) -> None:
        """Raise ServerRefused if one of these cmdlets failed."""
        require(self.failed, cmdlets)


def require(failed: t.Mapping[str, ServerError], cmdlets: t.Iterable[str]) -> None:
    """Raise ServerRefused if one of these cmdlets failed."""
    found = [cmdlet for cmdlet in cmdlets if cmdlet in failed]
    if found:
        raise ServerRefused(found[0], Answer(errors=tuple(failed[cmdlet] for cmdlet in found)))


def read_offered(shell: Shell, statements: t.Sequence[Statement]) -> PipelineOutput:
    """Run the statements whose cmdlets the session offers, in one pipeline.

    Raises ShellError, and ServerRefused if the session was lost. Also raises ServerRefused if an error names no cmdlet,
    because the missing objects are then unknown.
    """
    lacking = missing(shell, [statement.cmdlet for statement in statements]) or set()
    who = place_of(shell).account or "the session's account"
    failed = {
        cmdlet: ServerError(cmdlet, "CommandNotFoundException", "ObjectNotFound", "it is not offered to %s" % who)
        for cmdlet in dict.fromkeys(statement.cmdlet for statement in statements)
        if cmdlet in lacking
    }
    going = [statement for statement in statements if statement.cmdlet not in lacking]
    if not going:
        return PipelineOutput(failed=failed, nothing=True)
    answer = shell.invoke(going)
    if answer.lost or answer.refused:
        raise ServerRefused(going[0].cmdlet, answer)
    sent = {statement.cmdlet.casefold(): statement.cmdlet for statement in going}
    for error in answer.errors:
        cmdlet = sent.get(error.cmdlet.casefold(), going[0].cmdlet if len(sent) == 1 else "")
        if not cmdlet:
            raise ServerRefused(error.cmdlet or going[0].cmdlet, answer)
        failed.setdefault(cmdlet, error)
    return PipelineOutput(answer.output, failed, {*sent.values()} <= failed.keys())
