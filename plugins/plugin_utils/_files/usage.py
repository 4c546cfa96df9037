# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a table of the Monitoring database: how often users communicated with other domains. This code is pure."""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass

from ...module_utils._base.names import Invalid, canonical_domain
from .import_records import UnreadableSource, records
from .import_values import bare

DOMAIN, LAST, SESSIONS = COLUMNS = ("domain", "last_used", "sessions")
# A date such as 2026-11-30, or a datetime of SQL Server such as 2026-11-30 12:00:00.000.
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?")


@dataclass(frozen=True)
class DomainUse:
    """Hold the use of a domain.

    domain: the domain in canonical form.
    last_used: the day of the last session as YYYY-MM-DD; empty without a session.
    sessions: the number of sessions.
    """

    domain: str
    last_used: str
    sessions: int


def read_usage(data: bytes) -> list[DomainUse]:
    """Return the rows of the table. Raises UnreadableSource with all mistakes, each with the line and column."""
    found: list[DomainUse] = []
    wrong: list[str] = []
    places: dict[str, str] = {}
    rows = records(data)
    if not rows:
        raise UnreadableSource(["the file has no entries, so every partner would be unused"])
    missing = [name for name in COLUMNS if name not in map(bare_name, rows[0].columns)]
    if missing:
        text = "the column %s is missing. The required columns are %s"
        raise UnreadableSource([text % (", ".join(missing), ", ".join(COLUMNS))])
    for row in rows:
        values = {bare_name(column): str(value).strip() for column, value in row.values.items() if value is not None}
        use, mistakes = _use(values)
        wrong += ["%s: %s" % (row.place, text) for text in mistakes]
        if use is None:
            continue
        first = places.setdefault(use.domain, row.place)
        if first != row.place:
            wrong.append(
                "%s: %s: has the same name '%s' as %s. Join the two lines and add their sessions"
                % (row.place, DOMAIN, use.domain, first)
            )
        found.append(use)
    if wrong:
        raise UnreadableSource(wrong)
    return found


def bare_name(column: str) -> str:
    """Return the column of a name in any spelling. An unknown name is returned unchanged."""
    return {bare(name): name for name in COLUMNS}.get(bare(column), column)


def _use(values: t.Mapping[str, str]) -> tuple[DomainUse | None, list[str]]:
    wrong = []
    domain = last = ""
    sessions = -1
    try:
        domain = canonical_domain(values.get(DOMAIN, ""))
    except Invalid as exc:
        wrong.append("%s: %s" % (DOMAIN, exc))
    number = values.get(SESSIONS, "")
    if re.fullmatch(r"[0-9]{1,18}", number):
        sessions = int(number)
    else:
        wrong.append("%s: '%s' must be a whole number" % (SESSIONS, number))
    day = values.get(LAST, "")
    try:
        last = _day(day) if day else ""
    except ValueError:
        wrong.append("%s: '%s' must be a day such as 2026-11-30" % (LAST, day))
    if sessions > 0 and not day:
        wrong.append("%s: is empty, but must have a day, because %s is %d" % (LAST, SESSIONS, sessions))
    return (None, wrong) if wrong else (DomainUse(domain, last, sessions), [])


def _day(text: str) -> str:
    """Return the day of a text. Raises ValueError."""
    found = _DAY.fullmatch(text)
    if not found:
        raise ValueError(text)
    return datetime.date.fromisoformat(found[1]).isoformat()
