# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers, names and the texts of others as they stand in a message."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

# The most characters of a foreign text that are shown. A domain name has up to 253 (RFC 1035 section 2.3.4).
LONGEST = 300
# The label of a deployment to which the inventory gives none.
UNNAMED = "default"
# Spaces other than U+0020. French texts have them before a colon.
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def some(names: t.Sequence[str], most: int = 10) -> str:
    """A list for a message: the first names, and how many more."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else "%s and %d more" % (shown, len(names) - most)


def count(things: t.Sized, noun: str) -> str:
    """``1 user``, ``2 users``."""
    return "%d %s%s" % (len(things), noun, "" if len(things) == 1 else "s")


def printable(text: str) -> str:
    """The text on one line, and nothing in it that a terminal obeys or nobody sees: such characters are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def foreign(text: str, longest: int = LONGEST) -> str:
    """A text that somebody else chose, as a value that can be printed. Texts of partners enter the project here.

    Nothing is left that a terminal obeys or nobody sees: control and format characters (also bidi and zero width),
    line breaks, surrogates and noncharacters become escapes such as ``\\x1b``, ``\\n`` and ``\\u202e``. Other kinds of
    spaces become a plain space.

    longest: the most characters that are returned. What is cut off becomes an ellipsis.

    A name is compared in its original form and shown in this one. A domain name in A-labels is the same in both.
    """
    shown = printable(_SPACES.sub(" ", text[: longest + 1]))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def one_line(text: str) -> str:
    """The door to a line of a file or a terminal: whatever its origin, it is one line, and can be printed."""
    return printable(_SPACES.sub(" ", text))


def in_lines(text: str) -> str:
    """The door to a message: the same, where line feeds are ours."""
    return "\n".join(map(one_line, text.split("\n")))


def in_strings(text: str, escape: t.Callable[[str], str]) -> str:
    """A document of lines whose strings are quoted: what nobody sees is only in its strings, and becomes an escape."""
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(c if c.isprintable() or c == "\n" else escape(c) for c in text)


def json_text(value: t.Any, indent: int | None = None) -> str:
    """JSON for people as well: letters of all languages stay, and what nobody sees is an escape."""
    return in_strings(json.dumps(value, indent=indent, ensure_ascii=False), lambda one: json.dumps(one)[1:-1])


def utc(time: datetime.datetime) -> str:
    """A time in UTC, as in ``2027-03-01T00:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment_name(label: str, host: str) -> str:
    """A deployment for people: its label with the host that leads into it. One without a label has only the host."""
    if not host or host == label:
        return label
    return host if label == UNNAMED else "%s (%s)" % (label, host)
