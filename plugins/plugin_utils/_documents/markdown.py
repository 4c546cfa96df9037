# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write Markdown for tickets (GitHub's kind). This code is pure. All foreign texts pass through text() or code()."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._base.texts import one_line

# An underscore inside a word has no meaning in Markdown.
_SPECIAL = re.compile(r"([\\`*\[\]#|~>$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def text(value: object) -> str:
    """Return a value as one line without markup."""
    return _SPECIAL.sub(r"\\\1", _line(value)).replace("&", "&amp;").replace("<", "&lt;")


def code(value: object) -> str:
    """Return a name as code. The name can have backticks. Bars are escaped, because a bar ends a cell even in code."""
    line = _line(value)
    if not line:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return "%s%s%s%s%s" % (fence, space, line.replace("|", r"\|"), space, fence)


def table(header: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    """Return a table; empty without rows.

    rows: the cells, already in Markdown.
    """
    lines = ["| %s |" % " | ".join(row) for row in rows]
    if not lines:
        return ""
    return "\n".join(["| %s |" % " | ".join(header), "|%s" % ("---|" * len(header)), *lines])


def block(lines: t.Iterable[str]) -> str:
    """Return unchanged lines as a block of code; empty without lines."""
    found = [one_line(line) for line in lines]
    longest = max((len(run) for line in found for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence, *found, fence]) if found else ""


def document(blocks: t.Iterable[str]) -> str:
    """Return the blocks with an empty line between them. Empty blocks are left out."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def _line(value: object) -> str:
    return " ".join(one_line(str(value)).split())
