# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Format numbers, names and foreign texts for messages."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

# The most characters of a foreign text that are shown. A domain name has up to 253 (RFC 1035 section 2.3.4).
LONGEST = 300
# The label of a deployment if the inventory sets none.
UNNAMED = "default"
# Spaces other than U+0020. French texts have them before a colon.
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def some(names: t.Sequence[str], most: int = 10) -> str:
    """Return a list for a message: the first names, and the number of the other names."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else "%s and %d more" % (shown, len(names) - most)


def count(things: t.Sized, noun: str) -> str:
    """Return the number with its noun, as in ``1 user`` and ``2 users``."""
    return "%d %s%s" % (len(things), noun, "" if len(things) == 1 else "s")


def printable(text: str) -> str:
    """Return the text on one line. Control characters and invisible characters are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def foreign(text: str, longest: int = LONGEST) -> str:
    """Return a text of a partner or a server as a text that can be printed.

    All texts of partners pass through this function.

    Control and format characters (also bidi and zero width), line breaks, surrogates and noncharacters become escapes
    such as ``\\x1b``, ``\\n`` and ``\\u202e``. Other kinds of spaces become a plain space.

    longest: the most characters that are returned. A longer text is cut and ends in an ellipsis.

    Names are compared in their original form and shown in this form. A domain in A-labels is the same in both forms.
    """
    shown = printable(_SPACES.sub(" ", text[: longest + 1]))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def one_line(text: str) -> str:
    """Return a text as one line that can be printed. All lines of files and terminals pass through this function."""
    return printable(_SPACES.sub(" ", text))


def in_lines(text: str) -> str:
    """Return a message as lines that can be printed. The line feeds come from the collection itself."""
    return "\n".join(map(one_line, text.split("\n")))


def in_strings(text: str, escape: t.Callable[[str], str]) -> str:
    """Escape invisible characters in a document. Such characters only occur in strings, which are quoted."""
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(c if c.isprintable() or c == "\n" else escape(c) for c in text)


def json_text(value: t.Any, indent: int | None = None) -> str:
    """Return JSON that is easy to read. Letters of all languages stay. Invisible characters are escaped."""
    return in_strings(json.dumps(value, indent=indent, ensure_ascii=False), lambda one: json.dumps(one)[1:-1])


def utc(time: datetime.datetime) -> str:
    """Return a time in UTC, as in ``2027-03-01T00:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment_name(label: str, host: str) -> str:
    """Return the name of a deployment for output: its label and its management host. Without a label, only the host."""
    if not host or host == label:
        return label
    return host if label == UNNAMED else "%s (%s)" % (label, host)
