# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session offers, as Get-Command lists it: which cmdlets, and whether Select-Object cuts to any property.

A restricted session (RestrictedRemoteServer) has PowerShell's own proxy of Select-Object, a function that takes eleven
names for -Property. Source: GetRestrictedSelectObject in PowerShell's CommandMetadata.cs. Whether the remote shell of
the product has the proxy or the whole cmdlet is not documented.
"""

from __future__ import annotations

import typing as t

from ...module_utils._shell.rights import LIST, SELECT
from ...module_utils._shell.statement import Answer, ServerError, Statement

# The names that the proxy takes, and what Get-Command calls a Select-Object that takes all.
_PROXY_TAKES = frozenset(
    (
        "modulename", "namespace", "outputtype", "count", "helpuri", "name", "commandtype", "resolvedcommandname",
        "defaultparameterset", "cmdletbinding", "parameters",
    )
)  # fmt: skip
_WHOLE = ("Cmdlet", "Alias")
_NOT_FOUND = "CommandNotFound"


class Offered:
    """What is known of the commands of one endpoint. It grows with each answer of Get-Command."""

    def __init__(self) -> None:
        # Name in lower case -> CommandType, None for a command that the session does not offer.
        self._kinds: dict[str, str | None] = {}
        self._asked = False
        self._refused = False
        # What Get-Command answered, by the names that it was asked for.
        self._answers: dict[tuple[str, ...], Answer] = {}

    def answer(self, statement: Statement) -> Answer | None:
        """What Get-Command said to this question before; None if it was not asked, or did not answer in full."""
        names = _names(statement)
        return self._answers.get(names) if names else None

    def cuts(self, properties: t.Collection[str]) -> bool | None:
        """Whether Select-Object takes these properties. None: ask first (``rights.question``).

        True too where the answer did not say: then a refusal tells.
        """
        if self._refused or not properties:
            return False
        kind = self._kinds.get(SELECT.lower(), "")
        if kind is None:
            return False
        if {name.lower() for name in properties} <= _PROXY_TAKES:
            return True
        if not self._asked:
            return None
        return not kind or kind in _WHOLE

    def learn(self, statement: Statement, answer: Answer) -> None:
        """Take in the answer to a pipeline of this statement alone."""
        names = _names(statement)
        if not names or answer.lost or answer.refused:
            return
        if not is_refusal(answer):
            self._answers[names] = answer
        wanted = {name.lower() for name in names}
        for error in answer.errors:
            if _NOT_FOUND in error.error_id:
                missing = error.target.lower()
                # Without Get-Command nobody knows more than that whole objects can always be read.
                self._kinds.update(dict.fromkeys(wanted if missing == LIST.lower() else wanted & {missing}))
        for item in answer.output:
            if isinstance(item, dict) and str(item.get("Name")).lower() in wanted and item.get("CommandType"):
                self._kinds[str(item["Name"]).lower()] = str(item["CommandType"])
        self._asked = self._asked or SELECT.lower() in wanted

    def refuse(self) -> None:
        """A selection was refused: from now on whole objects are read, whatever Get-Command says."""
        self._refused = True


def _names(statement: Statement) -> tuple[str, ...]:
    """The names that a question asks for; empty for another statement."""
    names = statement.parameters.get("Name")
    asks = statement.cmdlet == LIST and isinstance(names, tuple) and set(statement.parameters) == {"Name"}
    return tuple(map(str, names)) if asks and isinstance(names, tuple) else ()


def is_refusal(answer: Answer) -> bool:
    """Whether Select-Object is unknown, or did not take what it was given. Then nothing of its statement has run."""
    return any(_refuses(error) for error in answer.errors)


def _refuses(error: ServerError) -> bool:
    """The id ends in the command, or in the class of the cmdlet; texts are in the server's language."""
    raised_by = (error.cmdlet.lower(), error.error_id.rpartition(",")[2].lower())
    if SELECT.lower() in raised_by or any(name.endswith(".selectobjectcommand") for name in raised_by):
        return True
    about = (error.target + error.message).lower()
    return _NOT_FOUND in error.error_id and LIST.lower() not in raised_by and SELECT.lower() in about
