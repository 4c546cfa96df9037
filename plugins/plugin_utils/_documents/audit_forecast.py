# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the forecast of an audit on the screen, in audit.md, audit.html and audit.prom. This code is pure.

Findings that begin at the same time usually have one cause, such as the end of a certificate. So findings with the same
time are one row.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass

from ...module_utils._base.texts import some
from . import audit_texts as words
from .audit_document import Audit
from .finding_order import SEVERITIES
from .markdown import code, table, text

# A screen has room for the first line and two rows.
MOST_SHOWN = 2
_NAMES = {"error": "error", "unknown": "unknown", "warning": "warning", "info": "note"}

Item = dict[str, t.Any]


@dataclass(frozen=True)
class Upcoming:
    """Hold the findings that begin at the same time.

    first: the worst finding.
    others: the remaining findings.
    """

    first: Item
    others: tuple[Item, ...]

    @property
    def day(self) -> str:
        return str(self.first["at"][:10])

    @property
    def last_day(self) -> str:
        """Return the last day to act."""
        days = [one["last_day"] for one in (self.first, *self.others)]
        return "too late" if None in days else str(min(days))

    @property
    def hit(self) -> str:
        """Return the affected partners and users, as a text."""
        items = (self.first, *self.others)
        # Certificates of several partners can end in the same second.
        single = {one["object"] for one in items if one["partners"] == 1}
        partners = max(len(single), *(one["partners"] for one in items))
        if not partners:
            return "no one at once"
        counted = [one["users"] for one in (self.first, *self.others) if one["users"] is not None]
        told = words.counted(partners, "partner")
        return "%s, %s" % (told, words.counted(max(counted), "user")) if counted else told

    @property
    def message(self) -> str:
        more = [one["object"] for one in self.others if one["object"] != self.first["object"]]
        return str(self.first["message"]) + ("; also %s" % some(list(dict.fromkeys(more))) if more else "")


def rows(audit: Audit) -> list[Upcoming]:
    """Return the rows of the forecast, the earliest first."""
    found = []
    items = (audit.get("forecast") or {}).get("items") or ()
    for _at, group in itertools.groupby(items, key=lambda one: one["at"]):
        first, *others = sorted(group, key=lambda one: SEVERITIES.index(one["severity"]))
        found.append(Upcoming(first, tuple(others)))
    return found


def summary(audit: Audit) -> str:
    """Return the summary; empty if the audit has no forecast."""
    forecast = audit.get("forecast")
    if not forecast:
        return ""
    found = rows(audit)
    severities = [row.first["severity"] for row in found]
    counts = [(severities.count(word), _NAMES[word]) for word in SEVERITIES]
    told = ["%d %s" % (n, name) if name == "unknown" else words.counted(n, name) for n, name in counts if n]
    days = words.counted(forecast["days"], "day")
    unseen = audit["summary"]["partners"]["not_probed"] + audit["summary"]["partners"]["not_observable"]
    about = " There is no forecast for %s." % words.counted(unseen, "partner") if unseen else ""
    if not found:
        return "Forecast for %s: no problem is expected.%s" % (days, about)
    return "Forecast for %s: %s. The first is on %s.%s" % (days, ", ".join(told), found[0].day, about)


def lines(audit: Audit) -> list[str]:
    """Return at most three lines for a screen."""
    first = summary(audit)
    errors = [row for row in rows(audit) if row.first["severity"] == "error"]
    shown = [
        "  %s  %s: %s; act by %s: %s" % (row.day, row.first["object"], row.message, row.last_day, row.first["remedy"])
        for row in errors[:MOST_SHOWN]
    ]
    return [first, *shown] if first else []


def markdown(audit: Audit, most: int) -> t.Iterator[str]:
    """Yield the section of audit.md.

    most: the most rows.
    """
    told = summary(audit)
    if not told:
        return
    found = rows(audit)
    yield "## Forecast"
    yield text(told)
    yield table(
        ["Date", "Last day to act", "Severity", "Object", "Expected finding", "Affected", "What to do"],
        [
            [row.day, row.last_day, row.first["severity"], code(row.first["object"]), text(row.message), row.hit,
             text(row.first["remedy"])]
            for row in found[:most]
        ],
    )  # fmt: skip
    if len(found) > most:
        yield "%d more rows are in audit.html and audit.json." % (len(found) - most)
