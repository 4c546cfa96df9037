# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the journal of runs as lines for a terminal, or as a table for a ticket. This code is pure.

A run is an object of runs.jsonl (see _files/journal_line.py). Every key can be missing or null. A run that was refused
early has fewer keys, and another version of the collection can have more.
"""

from __future__ import annotations

import json
import typing as t

from ...module_utils._base.texts import one_line
from . import markdown

Run = dict[str, t.Any]

_HEADER = (
    "Time", "Deployment", "Playbook", "By", "Account", "Inventory", "Ticket", "Changes", "Outcome", "Snapshot"
)  # fmt: skip
_NONE = "There is no run in the journal."
# The number of characters of a cell on a terminal, and of a git commit.
_MOST, _COMMIT = 40, 12
# For these tasks, the name of the playbook is enough.
_OF_A_PLAYBOOK = ("xmpp_federation", "xmpp_partner_revocation", None)
_CLAIMED = ("awx_user", "ci_user", "sudo_user")
_CHANGES = ("added", "changed", "removed", "granted", "withdrawn")


def runs(text: str) -> list[Run]:
    """Return the runs of a journal, the latest run first.

    A line that is not a run becomes a run whose outcome has the line's number. In this way, no line is hidden.
    """
    found = [_run(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return found[::-1]


def concerning(found: t.Iterable[Run], kind: str, names: t.Collection[str]) -> list[Run]:
    """Return the runs that wrote an object, or tried to write the object.

    names: the possible names of the object. Case is ignored.
    """
    wanted = {name.casefold() for name in names}
    return [run for run in found if wanted & {str(one).casefold() for one in _objects(run, kind)}]


def _objects(run: Run, kind: str) -> t.Sequence[t.Any]:
    kinds = run.get("objects")
    names = kinds.get(kind) if isinstance(kinds, dict) else None
    return names if isinstance(names, list) else ()


def lines(
    directory: str, found: t.Sequence[Run], snapshots: t.Sequence[str] | None, broken: t.Sequence[str] = ()
) -> list[str]:
    """Return the lines about a directory for a terminal.

    found: the runs in the directory.
    snapshots: the names of the snapshots, the newest first; None if snapshots are not shown.
    broken: the places where the journal was changed.
    """
    kept = [] if snapshots is None else ["Snapshots in %s:" % directory, *(snapshots or ["none"])]
    wrong = ["The journal in %s was changed: %s." % (directory, text) for text in broken]
    return ["Runs in %s:" % directory, *run_lines(found), *wrong, *kept]


def run_lines(found: t.Iterable[Run]) -> list[str]:
    """Return a row for each run, the outcome first, and more details below the row. Without runs, return a sentence."""
    runs_shown = [(_row(run), _besides(run)) for run in found]
    if not runs_shown:
        return [_NONE]
    widths = [max(len(row[place]) for row, _rest in runs_shown) for place in range(len(runs_shown[0][0]))]
    told = []
    for row, rest in runs_shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
        told.append("  " + "  ".join(cells).rstrip())
        told += ["      " + text for text in rest]
    return told


def markdown_table(found: t.Iterable[Run]) -> str:
    """Return the runs as a table for a ticket."""
    rows = [[markdown.text(cell) for cell in _cells(run)] for run in found]
    return markdown.document([markdown.table(_HEADER, rows) or _NONE])


def _run(number: int, line: str) -> Run:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"outcome": "line %d cannot be read" % number}


def _row(run: Run) -> list[str]:
    """Return the short values that each run has. Messages are left out, because they are too long."""
    cells = [_shown(run.get("outcome")) or "unknown", _shown(run.get("time")), _label(run), _what(run), _who(run)]
    return [_cut(cell) for cell in [*cells, _changes(run)]]


def _besides(run: Run) -> list[str]:
    """Return the values that only some runs have.

    These values are not cut, because users need the names of snapshots.
    """
    words = {"ticket": "ticket", "account": "account", "commit": "inventory", "snapshot": "snapshot"}
    found = [(word, _shown(run.get(name))) for name, word in words.items()]
    text = ", ".join(
        "%s %s" % (word, value[:_COMMIT] if word == "inventory" else value) for word, value in found if value
    )
    return list(filter(None, [_shown(run.get("message")), text]))


def _cells(run: Run) -> list[str]:
    """Return the cells of a run in the columns of _HEADER."""
    names = ("account", "commit", "ticket")
    outcome = ": ".join(filter(None, (_shown(run.get("outcome")), _shown(run.get("message")))))
    first = [_shown(run.get("time")), _label(run), _what(run), _who(run)]
    return [*first, *(_shown(run.get(name)) for name in names), _changes(run), outcome, _shown(run.get("snapshot"))]


def _label(run: Run) -> str:
    deployment = run.get("deployment")
    return _shown(deployment.get("label") if isinstance(deployment, dict) else deployment)


def _what(run: Run) -> str:
    """Return the playbook. If several tasks of the playbook write, also return the task."""
    task = "" if run.get("task") in _OF_A_PLAYBOOK else _shown(run.get("task"))
    words = [_shown(run.get("playbook")), task, _shown(run.get("phase")) if task else ""]
    return " ".join(filter(None, words)) + (", rolled back" if run.get("went_back") else "")


def _who(run: Run) -> str:
    """Return the controller's user, and in brackets the user that the run claims."""
    claimed = run.get("claimed")
    said = next(filter(None, map(claimed.get, _CLAIMED)), "") if isinstance(claimed, dict) else ""
    return "%s (says %s)" % (_shown(run.get("user")), _shown(said)) if said else _shown(run.get("user"))


def _changes(run: Run) -> str:
    """Return the changes, such as ``2 added, 1 removed`` or ``none``; empty if the changes are unknown."""
    summary = run.get("summary")
    if not isinstance(summary, dict):
        return ""
    return ", ".join("%s %s" % (summary[word], word) for word in _CHANGES if summary.get(word)) or "none"


def _shown(value: t.Any) -> str:
    """Return a value as one line without control characters."""
    return "" if value is None else " ".join(one_line(str(value)).split())


def _cut(cell: str) -> str:
    return cell if len(cell) <= _MOST else cell[: _MOST - 1] + "…"
