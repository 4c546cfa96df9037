# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the lines of an action with Ansible's Display, in the width of the terminal. No other code shows lines.

A line that begins with two spaces is a row. The first cell of a row is a verdict or a mark of a plan. Two spaces
separate the
cells. The key ``report`` of a result has the same lines, but not wrapped.
"""

from __future__ import annotations

import os
import re
import textwrap
import typing as t

from ansible import constants
from ansible.utils.display import Display

from ...module_utils._base.texts import one_line

# The colours of the first cells.
_COLOURS = {
    "+": "COLOR_OK",
    "~": "COLOR_CHANGED",
    "-": "COLOR_ERROR",
    ">": "COLOR_CHANGED",
    "<": "COLOR_ERROR",
    "!": "COLOR_ERROR",
    "*": "COLOR_WARN",
    "?": "COLOR_SKIP",
    "ok": "COLOR_OK",
    "warning": "COLOR_WARN",
    "failed": "COLOR_ERROR",
    "refused": "COLOR_ERROR",
    "error": "COLOR_ERROR",
    "not_observable": "COLOR_SKIP",
    "unknown": "COLOR_SKIP",
    "broken": "COLOR_ERROR",
    "not_looked_at": "COLOR_SKIP",
}
Difference = t.Mapping[str, str]
# A wrapped row continues below its last cell.
_CELLS = re.compile(r"^(\s*(?:\S+(?: \S+)* {2,})*)")
# The last cell of a row begins at most at this share of the width.
_NARROW = 0.6
# Users copy these lines, so they are never wrapped.
_COMMAND = re.compile(r"\s*(?:-e |ansible-playbook )|    (?:(?:Remove|Get)-\w+ |certutil |net |rm -- )")


def show(lines: t.Iterable[str], width: int = 0) -> None:
    """Show lines, each in the colour of its verdict. If the output must stay JSON, show nothing.

    width: the columns. The default is the width of the terminal, or 80 without a terminal.
    """
    if writes_json(str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK"))):
        return
    display = Display()
    width = width or columns(display)
    for line in lines:
        colour = _colour(line)
        for part in wrapped(one_line(line), width):
            display.display(part, color=colour)


def writes_json(callback: str) -> bool:
    """Return whether a callback for standard output writes JSON, such as ansible.posix.json and ansible.posix.jsonl."""
    return "json" in callback.rpartition(".")[2].lower()


def columns(display: t.Any) -> int:
    """Return the width of the terminal. Ansible's main process measures the width, because worker processes cannot."""
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else int(getattr(display, "columns", 79)) + 1


def together(differences: t.Sequence[Difference]) -> list[Difference]:
    """Join the differences of several objects, because Ansible adds five lines to each difference.

    differences: the differences in the form of AnsibleModule, with the object in the headers.
    """
    if len(differences) < 2:
        return list(differences)
    header = "%d objects" % len(differences)
    texts = {side: "".join(_below(one, side) for one in differences) for side in ("before", "after")}
    return [{"before_header": header, "after_header": header, **texts}]


def _below(difference: Difference, side: str) -> str:
    """Return the values of an object below the object's name. The name is not repeated."""
    name, lines = difference[side + "_header"], difference[side].splitlines()
    if not lines:
        return ""
    repeats = '"%s"' % name.rpartition(" ")[2]
    kept = [line for line in lines if line.partition(": ")[2] != repeats]
    return "".join(line + "\n" for line in (name, *("  " + line for line in kept)))


def wrapped(line: str, width: int) -> list[str]:
    """Return a line in parts of at most ``width`` columns. The later parts are below the last cell of the line.

    A command is not wrapped. If the last cell is too narrow, this cell begins below the first cells.
    """
    if len(line) <= width or _COMMAND.match(line):
        return [line]
    found = _CELLS.match(line)
    indent = len(found[1]) if found else 0
    head: list[str] = []
    if indent > width * _NARROW:
        head, line = [line[:indent].rstrip()], line[indent:]
        indent = len(head[0]) - len(head[0].lstrip()) + 4
        line = " " * indent + line
    parts = textwrap.wrap(
        line, width, subsequent_indent=" " * indent, break_on_hyphens=False, replace_whitespace=False,
        drop_whitespace=True, break_long_words=False,
    )  # fmt: skip
    return [*head, *(parts or [line])]


def _colour(line: str) -> str | None:
    """Return the colour of a row; None for lines that are not rows."""
    if not line.startswith("  ") or not line.strip():
        return None
    cell = re.split(r" {2,}|:", line.strip(), maxsplit=1)[0]
    name = _COLOURS.get(cell.replace(" ", "_")) or _COLOURS.get(cell.partition(" ")[0])
    return getattr(constants, name) if name else None
