# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task's work, and what it came to as the keys of an Ansible result; the same whoever runs it.

A module runs it in a process of its own (module.py), an action plugin in Ansible's (_actions/in_process.py).
"""

from __future__ import annotations

import os
import traceback
import typing as t

from .._shell.rights import lacks
from .._shell.session import ConnectionShell, NoSession
from .._shell.statement import Shell, ShellError, place_of
from .result import Params, Refused, ServerRefused
from .task import Task


def perform(
    task: Task,
    params: Params,
    socket_path: str | None,
    check: bool,
    tell: t.Callable[[str], None] = lambda text: None,
) -> tuple[dict[str, t.Any], list[str]]:
    """The keys of the result, ``failed`` and ``msg`` among them where it failed, and the warnings. Raises nothing.

    tell: told every few seconds how far long work has come.
    """
    shell: Shell = NoSession()
    try:
        shell = ConnectionShell(socket_path, tell) if task.session else shell
        return _perform(task, params, shell, check)
    except Refused as exc:
        return {
            **exc.values,
            "failed": True,
            "msg": refusal(exc.reasons, task.writes),
            "reasons": list(exc.reasons),
        }, []
    except ServerRefused as exc:
        found = {"failed": True, "msg": str(exc), "failures": [_error(error.as_dict()) for error in exc.errors]}
        if exc.not_offered:
            reason = lacks(place_of(shell).account, exc.not_offered, "read this")
            found.update(msg=refusal([reason], task.writes), reasons=[reason])
        return found, []
    except ShellError as exc:
        # Nobody answered: nothing was sent, and another way into the same deployment may be tried.
        return {"failed": True, "msg": str(exc), "unanswered": True}, []
    except Exception as exc:  # noqa: BLE001 - a mistake of ours: say where, but not its text, which may hold a secret
        return {"failed": True, "msg": mistake(exc)}, []


def _perform(task: Task, params: Params, shell: Shell, check: bool) -> tuple[dict[str, t.Any], list[str]]:
    result = task.work(params, shell, check)
    found = result.as_dict()
    if result.failures:
        found.update(failed=True, msg=result.message)
    return found, result.warnings


def refusal(reasons: t.Sequence[str], writes: bool = True) -> str:
    """The message of a run that was refused. writes: whether it would have written something otherwise."""
    if len(reasons) == 1:
        return "Nothing was written: " + reasons[0] if writes else reasons[0]
    head = "Nothing was written, for %d reasons:" if writes else "There are %d reasons against this run:"
    return "%s\n%s" % (head % len(reasons), "\n".join("- " + text for text in reasons))


def mistake(exc: Exception) -> str:
    """The message of an error that nobody foresaw: its type and its place."""
    frames = traceback.extract_tb(exc.__traceback__)
    places = ", ".join("%s:%s" % (os.path.basename(frame.filename), frame.lineno) for frame in reversed(frames[-4:]))
    return (
        "A mistake in the collection, please report it: %s in %s. It is unknown what was written before; a run in"
        " check mode shows what is missing" % (type(exc).__name__, places)
    )


def _error(error: dict[str, str]) -> dict[str, str]:
    return {
        "cmdlet": error["cmdlet"],
        "identity": error["target"],
        **{k: error[k] for k in ("error_id", "category", "message")},
    }
