# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the chain of the journal: each line has the digest of the line before it. This code is pure.

A line that is changed, added or removed by hand breaks the chain. A user who can write all files of the journal can
also make a new chain. To prevent a new chain, send the lines to syslog.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

Line = dict[str, t.Any]


def digest_of_line(data: bytes) -> str:
    """Return the SHA-256 digest of a line without its line feed."""
    return hashlib.sha256(data.strip(b"\r\n")).hexdigest()


def breaks(text: str, head: str | None) -> list[str]:
    """Return a text for each break of the chain; empty if the chain has no break.

    head: the digest of the last line.
    """
    lines = [line for line in text.split("\n") if line]
    if not lines:
        return ["the journal is empty, but it had lines before"] if head else []
    found = []
    values = [_value(line) for line in lines]
    digests = [digest_of_line(line.encode("utf-8", "surrogateescape")) for line in lines]
    found += ["line %d cannot be read" % number for number, value in enumerate(values, 1) if value is None]
    first = (values[0] or {}).get("before")
    removed = {value.get("first_before") for value in values if value and value.get("removed")}
    if first is not None and first not in removed:
        found.append("lines were removed before line 1 (%s)" % _when(values[0]))
    for number in range(1, len(lines)):
        value = values[number]
        if value is None or value.get("before") == digests[number - 1]:
            continue
        here = "between line %d (%s) and line %d (%s)" % (
            number, _when(values[number - 1]), number + 1, _when(value)
        )  # fmt: skip
        if value.get("before") is None:
            found.append("%s: line %d was added" % (here, number + 1))
        elif value.get("before") in digests:
            found.append("%s: a line was added, or the order was changed" % here)
        else:
            found.append("%s: line %d was changed, or lines were removed" % (here, number))
    return [*found, *_end(digests, values, head)]


def _end(digests: t.Sequence[str], values: t.Sequence[Line | None], head: str | None) -> list[str]:
    if head is None:
        return ["the file .runs.head with the digest of the last line is missing"]
    if head == digests[-1]:
        return []
    # A run ended between its line and the file of the head.
    if len(digests) > 1 and head == digests[-2] and (values[-1] or {}).get("before") == head:
        return []
    where = "line %d (%s), the last line" % (len(digests), _when(values[-1]))
    verb = "lines were added after line %d" % (digests.index(head) + 1) if head in digests else ""
    return ["at %s: %s" % (where, verb or "the line was changed, or lines after it were removed")]


def _value(line: str) -> Line | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _when(value: Line | None) -> str:
    return str((value or {}).get("time") or "without a time")[:40]
