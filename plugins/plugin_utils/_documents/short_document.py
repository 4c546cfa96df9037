# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a short document as Markdown or as plain text. This code is pure.

The texts come from inventories and servers. The texts cannot become markup or additional lines.
"""

from __future__ import annotations

import re
import textwrap
import typing as t
from dataclasses import dataclass

from ...module_utils._base.texts import one_line
from . import markdown

Form = t.Literal["markdown", "text"]

WIDTH = 78  # the width of plain text; lines that must not be broken, such as commands, can be longer

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~&])")


@dataclass(frozen=True)
class Heading:
    """Represent a heading.

    level: 1 for the title.
    """

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Points:
    """Represent a list."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Code:
    """Represent lines that users copy without a change."""

    lines: tuple[str, ...]


Part = Heading | Paragraph | Points | Table | Code


def render(parts: t.Iterable[Part], form: Form) -> str:
    """Return the document with a final line end. Raises ValueError for a wrong form."""
    renderers: dict[str, t.Callable[[Part], str]] = {"markdown": _markdown, "text": _text}
    if form not in renderers:
        raise ValueError("'%s' is not a form of a sheet. Write markdown or text" % form)
    return "\n\n".join(renderers[form](part) for part in parts) + "\n"


def _line(text: str) -> str:
    return " ".join(one_line(text).split())


def _markdown(part: Part) -> str:
    if isinstance(part, Heading):
        return "%s %s" % ("#" * part.level, _escaped(part.text))
    if isinstance(part, Paragraph):
        return _escaped(part.text)
    if isinstance(part, Points):
        return "\n".join("- " + _escaped(text) for text in part.texts)
    if isinstance(part, Code):
        return markdown.block(map(_line, part.lines))
    rows = [part.header, tuple("---" for _column in part.header), *part.rows]
    return "\n".join("| %s |" % " | ".join(c if c == "---" else _escaped(c) for c in row) for row in rows)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", _line(text))


def _text(part: Part) -> str:
    if isinstance(part, Heading):
        text = _line(part.text)
        return "%s\n%s" % (text, ("=" if part.level == 1 else "-") * len(text))
    if isinstance(part, Paragraph):
        return _filled(part.text)
    if isinstance(part, Points):
        return "\n".join(_filled(text, "* ", "  ") for text in part.texts)
    if isinstance(part, Code):
        return "\n".join("    " + _line(line) for line in part.lines)
    rows = [tuple(map(_line, row)) for row in (part.header, *part.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _filled(text: str, first: str = "", others: str = "") -> str:
    return textwrap.fill(
        _line(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
