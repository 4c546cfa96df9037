# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers and names as they stand in a message."""

from __future__ import annotations

import datetime
import typing as t


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


def utc(time: datetime.datetime) -> str:
    """A time in UTC, as in ``2027-03-01T00:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
