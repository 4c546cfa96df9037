# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads objects from a server: their form is checked, and what cannot be read is an error, never nothing."""

from __future__ import annotations

import typing as t

from .._shell.statement import Answer, Shell, ShellError, Statement
from .result import Refused, ServerRefused

# What reading may raise.
UNREADABLE = (Refused, ServerRefused, ShellError)


def is_unknown(answer: Answer) -> bool:
    """Whether the session does not know a cmdlet of the statement."""
    return any("CommandNotFound" in error.error_id for error in answer.errors)


def objects_of(cmdlet: str, answer: Answer) -> list[dict[str, t.Any]]:
    """The objects of an answer. Raises ServerRefused, and Refused where something came that is no object."""
    if answer.lost or answer.errors:
        raise ServerRefused(cmdlet, answer)
    if not all(isinstance(item, dict) for item in answer.output):
        raise Refused(["%s returned something that is no object" % cmdlet])
    return list(answer.output)


def read_objects(shell: Shell, statement: Statement, unknown: str) -> list[dict[str, t.Any]]:
    """Run a statement that reads. unknown: what there is to do where the session does not know the cmdlet.

    Raises Refused, ServerRefused, ShellError.
    """
    answer = shell.invoke([statement])
    if is_unknown(answer):
        raise Refused(["the session does not know %s; %s" % (statement.cmdlet, unknown)])
    return objects_of(statement.cmdlet, answer)
