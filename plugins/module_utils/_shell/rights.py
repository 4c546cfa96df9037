# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cmdlets a session offers: a restricted endpoint knows just those that the account's roles allow."""

from __future__ import annotations

import typing as t

from .statement import Shell, Statement

LIST = "Get-Command"
SELECT = "Select-Object"


def question(cmdlets: t.Iterable[str] = ()) -> Statement:
    """Which of these the session offers. Always asks for Select-Object too: its answer tells the session what it cuts.

    Both properties are among those that the Select-Object of a restricted session takes.
    """
    return Statement(LIST, {"Name": (*sorted(cmdlets), SELECT)}, select=("Name", "CommandType"))


def missing(shell: Shell, cmdlets: t.Iterable[str]) -> set[str] | None:
    """Those of the cmdlets that the session does not offer; None where that cannot be known. One request.

    A cmdlet is missing only if the server says so. Source: the page of Get-Command, which writes an error for each name
    that it does not know and goes on with the others. Raises ShellError if there is no session.
    """
    wanted = {name.casefold(): name for name in cmdlets}
    if not wanted:
        return set()
    answer = shell.invoke([question(wanted.values())])
    if answer.lost or answer.refused:
        return None
    beside = {SELECT.casefold()}
    found = {str(item.get("Name")).casefold() for item in answer.output if isinstance(item, dict)} - beside
    denied = set()
    for error in answer.errors:
        name = error.target.casefold()
        if "CommandNotFound" not in error.error_id or name not in {*wanted, *beside}:
            return None  # about something else, such as Get-Command itself
        denied.add(name)
    denied -= beside
    if found | denied != set(wanted) or found & denied:
        return None
    return {wanted[name] for name in denied}
