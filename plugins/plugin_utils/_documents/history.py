# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of runs as a table, for a terminal and for a ticket. Pure.

A run is an object of runs.jsonl (see _files/journal.py): ``time``, ``deployment``, ``playbook``, ``user`` (the
controller's), ``account`` (the inventory's), ``commit`` (of the inventory), ``ticket``, ``summary`` (of
xmpp_federation), ``outcome``, ``message``, ``snapshot``. Every key may be absent or null: runs that were refused early
know less, and another version of the collection may know more.
"""

from __future__ import annotations

import json
import typing as t

from . import markdown

Run = dict[str, t.Any]

_HEADER = (
    "Time", "Deployment", "Playbook", "By", "Account", "Inventory", "Ticket", "Changes", "Outcome", "Snapshot"
)  # fmt: skip
# Wide texts would push the outcome out of sight.
_MOST = 40
_CHANGES = ("added", "changed", "removed", "granted", "withdrawn")


def runs(text: str) -> list[Run]:
    """The runs of a journal, the last first. A line that is no run is in it as one whose outcome says so, with its
    number: nothing is left out in silence.
    """
    found = [_run(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return found[::-1]


def lines(directory: str, text: str, snapshots: t.Sequence[str]) -> list[str]:
    """What a terminal shows of a directory. text: of its journal. snapshots: their names, the newest first."""
    table = text_table(runs(text)).splitlines()
    return ["Runs in %s:" % directory, *table, "Snapshots in %s:" % directory, *(snapshots or ["none"])]


def text_table(found: t.Iterable[Run]) -> str:
    """Columns of spaces, with a line feed at the end; a sentence where there is no run."""
    lines = [_HEADER, *(_cut_all(_cells(run)) for run in found)]
    if len(lines) == 1:
        return "There is no run in the journal.\n"
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEADER))]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join(rows) + "\n"


def markdown_table(found: t.Iterable[Run]) -> str:
    """The same for a ticket."""
    rows = [[markdown.text(cell) for cell in _cells(run)] for run in found]
    return markdown.document([markdown.table(_HEADER, rows) or "There is no run in the journal."])


def _run(number: int, line: str) -> Run:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"outcome": "line %d cannot be read" % number}


def _cells(run: Run) -> list[str]:
    names = ("time", "deployment", "playbook", "user", "account", "commit", "ticket")
    outcome = ": ".join(filter(None, (_shown(run.get("outcome")), _shown(run.get("message")))))
    return [*(_shown(run.get(name)) for name in names), _changes(run), outcome, _shown(run.get("snapshot"))]


def _changes(run: Run) -> str:
    """``2 added, 1 removed``; ``none``; empty where the run did not get so far."""
    summary = run.get("summary")
    if not isinstance(summary, dict):
        return ""
    return ", ".join("%s %s" % (summary[word], word) for word in _CHANGES if summary.get(word)) or "none"


def _shown(value: t.Any) -> str:
    """One line without what a terminal would obey."""
    line = "" if value is None else str(value)
    return " ".join("".join(char if char.isprintable() else " " for char in line).split())


def _cut_all(cells: list[str]) -> list[str]:
    """The last one stays whole: a snapshot is restored by its name, and nothing stands right of it."""
    return [*map(_cut, cells[:-1]), cells[-1]]


def _cut(cell: str) -> str:
    return cell if len(cell) <= _MOST else cell[: _MOST - 1] + "…"
