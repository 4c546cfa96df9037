# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of a task, and return the keys of an Ansible result.

A module does the work in a process of its own (module.py). An action plugin does it in Ansible's process
(_actions/in_process.py). Both ways give the same result.
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
    """Return the keys of the result, and the warnings. A failed task has ``failed`` and ``msg``. Raises nothing.

    tell: a function; called every few seconds with the progress of long work.
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
        # The server did not answer and nothing was sent. The caller may try another host of the same deployment.
        return {"failed": True, "msg": str(exc), "unanswered": True}, []
    except Exception as exc:  # noqa: BLE001 - our mistake: report its place, but not its text, which may have a secret
        return {"failed": True, "msg": mistake(exc)}, []


def _perform(task: Task, params: Params, shell: Shell, check: bool) -> tuple[dict[str, t.Any], list[str]]:
    result = task.work(params, shell, check)
    found = result.as_dict()
    if result.failures:
        found.update(failed=True, msg=result.message)
    return found, result.warnings


def refusal(reasons: t.Sequence[str], writes: bool = True) -> str:
    """Return the message of a refused run.

    writes: whether the run can write at all.
    """
    if len(reasons) == 1:
        return "Nothing was written: " + reasons[0] if writes else reasons[0]
    head = "Nothing was written, for %d reasons:" if writes else "The run was refused, for %d reasons:"
    return "%s\n%s" % (head % len(reasons), "\n".join("- " + text for text in reasons))


def mistake(exc: Exception) -> str:
    """Return the message of an unexpected error: its type and its place in the code."""
    frames = traceback.extract_tb(exc.__traceback__)
    places = ", ".join("%s:%s" % (os.path.basename(frame.filename), frame.lineno) for frame in reversed(frames[-4:]))
    return (
        "This is a mistake in the collection: %s in %s. Please report it. Some changes may have been written before."
        " Run in check mode to see the missing changes" % (type(exc).__name__, places)
    )


def _error(error: dict[str, str]) -> dict[str, str]:
    return {
        "cmdlet": error["cmdlet"],
        "identity": error["target"],
        **{k: error[k] for k in ("error_id", "category", "message")},
    }
