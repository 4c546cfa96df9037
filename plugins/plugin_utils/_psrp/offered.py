# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the cmdlets that a session offers according to Get-Command, and whether Select-Object takes any property.

A restricted session (RestrictedRemoteServer) has PowerShell's own proxy of Select-Object, a function that takes only
eleven names for -Property. Source: GetRestrictedSelectObject in PowerShell's CommandMetadata.cs. No document states
whether the remote shell of the product has the proxy or the full cmdlet.
"""

from __future__ import annotations

import typing as t

from ...module_utils._shell.rights import LIST, SELECT
from ...module_utils._shell.statement import Answer, ServerError, Statement

# The names that the proxy takes, and the command types of a Select-Object that takes all names.
_PROXY_TAKES = frozenset(
    (
        "modulename", "namespace", "outputtype", "count", "helpuri", "name", "commandtype", "resolvedcommandname",
        "defaultparameterset", "cmdletbinding", "parameters",
    )
)  # fmt: skip
_WHOLE = ("Cmdlet", "Alias")
_NOT_FOUND = "CommandNotFound"


class Offered:
    """Hold the known commands of one endpoint. Each answer of Get-Command adds commands."""

    def __init__(self) -> None:
        # Name in lower case -> CommandType, None for a command that the session does not offer.
        self._kinds: dict[str, str | None] = {}
        self._asked = False
        self._refused = False
        # The answers of Get-Command, by the requested names.
        self._answers: dict[tuple[str, ...], Answer] = {}

    def answer(self, statement: Statement) -> Answer | None:
        """Return the earlier answer to this question; None without a complete answer."""
        names = _names(statement)
        return self._answers.get(names) if names else None

    def cuts(self, properties: t.Collection[str]) -> bool | None:
        """Return whether Select-Object takes these properties. None means: ask first (``rights.question``).

        If the answer did not show the properties, the result is also True. Then a refusal shows the missing properties.
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
        """Store the answer to a pipeline with only this statement."""
        names = _names(statement)
        if not names or answer.lost or answer.refused:
            return
        if not is_refusal(answer):
            self._answers[names] = answer
        wanted = {name.lower() for name in names}
        for error in answer.errors:
            if _NOT_FOUND in error.error_id:
                missing = error.target.lower()
                # Without Get-Command the cmdlets are unknown. Whole objects can always be read.
                self._kinds.update(dict.fromkeys(wanted if missing == LIST.lower() else wanted & {missing}))
        for item in answer.output:
            if isinstance(item, dict) and str(item.get("Name")).lower() in wanted and item.get("CommandType"):
                self._kinds[str(item["Name"]).lower()] = str(item["CommandType"])
        self._asked = self._asked or SELECT.lower() in wanted

    def refuse(self) -> None:
        """Read whole objects from now on, because a selection was refused."""
        self._refused = True


def _names(statement: Statement) -> tuple[str, ...]:
    """Return the requested names of a question; empty for another statement."""
    names = statement.parameters.get("Name")
    asks = statement.cmdlet == LIST and isinstance(names, tuple) and set(statement.parameters) == {"Name"}
    return tuple(map(str, names)) if asks and isinstance(names, tuple) else ()


def is_refusal(answer: Answer) -> bool:
    """Return whether Select-Object is unknown or refused its parameters. Then its statement was not run."""
    return any(_refuses(error) for error in answer.errors)


def _refuses(error: ServerError) -> bool:
    """Return whether an error comes from Select-Object. The id is used, because texts are in the server's language."""
    raised_by = (error.cmdlet.lower(), error.error_id.rpartition(",")[2].lower())
    if SELECT.lower() in raised_by or any(name.endswith(".selectobjectcommand") for name in raised_by):
        return True
    about = (error.target + error.message).lower()
    return _NOT_FOUND in error.error_id and LIST.lower() not in raised_by and SELECT.lower() in about
