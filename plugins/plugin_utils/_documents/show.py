# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way in which an action shows lines to people: through Ansible's Display, as wide as the terminal."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
import typing as t

from ansible import constants
from ansible.utils.display import Display

from ...module_utils._base.texts import one_line

# What the first word of a line means: marks of a plan, and verdicts.
_COLOURS = {
    "+": "COLOR_OK",
    "~": "COLOR_CHANGED",
    "-": "COLOR_ERROR",
    ">": "COLOR_CHANGED",
    "<": "COLOR_ERROR",
    "ok": "COLOR_OK",
    "warning": "COLOR_WARN",
    "failed": "COLOR_ERROR",
    "error": "COLOR_ERROR",
    "not_observable": "COLOR_SKIP",
    "unknown": "COLOR_SKIP",
}
_WIDTH = 80
Difference = t.Mapping[str, str]
# Where the text of a row begins again in the next line: below its last column.
_COLUMN = re.compile(r"^(\s*(?:\S+(?: \S+)* {2,})*)")


def show(lines: t.Iterable[str], width: int = 0) -> None:
    """Show lines, in the colour of their mark. width: columns; by default those of the terminal, or 80 without one."""
    display = Display()
    width = width or (shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else 0)
    for line in lines:
        colour = _colour(line)
        for part in wrapped(one_line(line), width):
            display.display(part, color=colour)


def together(differences: t.Sequence[Difference]) -> list[Difference]:
    """The differences of several objects as one, so that a plan fits on a screen: Ansible frames each with five lines.

    differences: as AnsibleModule returns them, with the object in their headers.
    """
    if len(differences) < 2:
        return list(differences)
    header = "%d objects" % len(differences)
    texts = {side: "".join(_below(one, side) for one in differences) for side in ("before", "after")}
    return [{"before_header": header, "after_header": header, **texts}]


def _below(difference: Difference, side: str) -> str:
    """The values of an object below its name. The value that is the name is left out."""
    name, lines = difference[side + "_header"], difference[side].splitlines()
    if not lines:
        return ""
    repeats = '"%s"' % name.rpartition(" ")[2]
    kept = [line for line in lines if line.partition(": ")[2] != repeats]
    return "".join(line + "\n" for line in (name, *("  " + line for line in kept)))


def wrapped(line: str, width: int) -> list[str]:
    """A line in parts of at most ``width`` columns, the later ones below its last column; whole where width is 0."""
    if not width or len(line) <= width:
        return [line]
    found = _COLUMN.match(line)
    indent = len(found[1]) if found else 0
    if indent > width // 2:
        indent = len(line) - len(line.lstrip()) + 4
    parts = textwrap.wrap(
        line, width, subsequent_indent=" " * indent, break_on_hyphens=False, replace_whitespace=False,
        drop_whitespace=True, break_long_words=False,
    )  # fmt: skip
    return parts or [line]


def _colour(line: str) -> str | None:
    """Only indented lines are rows."""
    words = line.split(None, 1)
    name = _COLOURS.get(words[0].rstrip(":")) if words and line.startswith("  ") else None
    return getattr(constants, name) if name else None
