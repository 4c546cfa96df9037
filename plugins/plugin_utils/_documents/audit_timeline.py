# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw the time line of certificate ends: of the Edge servers, and of the partners by name or number.

This code is pure. The drawing has two forms: wide for screens and paper, and narrow for phones.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from markupsafe import Markup

from .._playbooks.audit import days_between, moment
from .._playbooks.audit_compare import certificate_name
from . import audit_texts as words
from .audit_document import Audit
from .svg import drawing, element, label

# The lifetime of public certificates is 398 days at most. A later end is drawn at the right end of the line.
HORIZON = 400
# Up to this number, each partner's certificate has its own line. More certificates are shown as numbers by time.
MOST_NAMED = 12
SOON = 30
_ROW = 38
_AXIS = 34
_COLUMNS_HEIGHT = 110


@dataclass(frozen=True)
class End:
    """Hold a certificate of the time line.

    days: the days until the certificate ends.
    due: the days until the renewal is due; None if the day is unknown.
    """

    name: str
    days: int
    day: str
    due: int | None = None

    @property
    def level(self) -> str:
        if self.days < 0:
            return "failed"
        late = self.due is not None and self.due < 0
        return "warning" if self.days < SOON or late else "ok"


def wide(audit: Audit, width: float = 1040) -> Markup:
    return _draw(audit, width, "timeline wide", 40)


def narrow(audit: Audit, width: float = 300) -> Markup:
    return _draw(audit, width, "timeline narrow", 13)


def edge_ends(audit: Audit) -> list[End]:
    now = moment(audit["time"])
    return [
        End(
            certificate_name(one),
            one["days_left"],
            one["not_after"][:10],
            days_between(now, moment(one["renewal_due"])) if one["renewal_due"] else None,
        )
        for one in audit["certificates"]
    ]


def partner_ends(audit: Audit) -> list[End]:
    """Return the partners' certificates, the earliest end first."""
    now = moment(audit["time"])
    seen = [one for one in audit["partners"] if one["certificate_end"] is not None]
    seen.sort(key=lambda one: (one["certificate_end"], one["domain"]))
    ends = ((one["domain"], one["certificate_end"]) for one in seen)
    return [End(domain, days_between(now, moment(end)), end[:10]) for domain, end in ends]


def _draw(audit: Audit, width: float, class_: str, columns: int) -> Markup:
    now = moment(audit["time"])
    own, partners = edge_ends(audit), partner_ends(audit)
    last = max((end.days for end in (*own, *partners)), default=0)
    scale = Scale(now, min(HORIZON, max(90, last + 7)), width)
    named = partners if len(partners) <= MOST_NAMED else []
    parts: list[Markup] = []
    y = 0.0
    for title, ends in (("Edge servers", own), ("Partners", named)):
        if ends:
            parts.append(label(title, 0, y + 16, "title"))
            y += 28
            for end in ends:
                parts.append(_bar(end, scale, y))
                y += _ROW
            y += 8
    if len(partners) > len(named):
        parts.append(label("Partners: ends of certificates by time", 0, y + 16, "title"))
        y += 28
        parts.append(_counts(partners, scale, y, columns))
        y += _COLUMNS_HEIGHT
    grid, ticks = scale.axis(y)
    return drawing([*grid, *parts, *ticks], width, y + _AXIS, class_, description(audit))


def description(audit: Audit) -> str:
    """Return the content of the drawing in words, for screen readers."""
    found = []
    for title, ends in (("Edge servers", edge_ends(audit)), ("partners", partner_ends(audit))):
        over, soon = sum(end.days < 0 for end in ends), sum(0 <= end.days < SOON for end in ends)
        counts = "%s of %s, %d ended, %d end within %d days"
        found.append(counts % (words.counted(len(ends), "certificate"), title, over, soon, SOON))
    return "; ".join(found) + ". The tables have the same data."


class Scale:
    """Convert days to pixels, and draw the axis of the scale."""

    def __init__(self, now: datetime.datetime, days: int, width: float) -> None:
        self.now, self.days, self.width = now, days, width

    def x(self, days: float) -> float:
        return self.width * min(max(days / self.days, 0), 1)

    def axis(self, y: float) -> tuple[list[Markup], list[Markup]]:
        """Return the lines of the grid, and as many names of months as the width allows."""
        months = list(self._months())
        every = max(1, -(-len(months) * 64 // int(self.width)))
        grid, names = [], []
        for number, (days, text) in enumerate(months):
            x = self.x(days)
            grid.append(element("path", d="M%.1f 0V%.1f" % (x, y + 6), class_="grid"))
            if number % every == 0 and x < self.width - 40:
                names.append(label(text, x + 4, y + 22, "tick"))
        line = element("path", d="M0 %.1fH%.1f" % (y + 6, self.width), class_="axis")
        return grid, [line, *names]

    def _months(self) -> t.Iterator[tuple[float, str]]:
        """Yield the first day of each coming month, as days from now and a name."""
        first = self.now.replace(day=1, hour=0, minute=0, second=0)
        while True:
            first = (first + datetime.timedelta(days=32)).replace(day=1)
            days = (first - self.now) / datetime.timedelta(days=1)
            if days > self.days:
                return
            yield days, first.strftime("%b %Y" if first.month == 1 else "%b")


def _bar(end: End, scale: Scale, y: float) -> Markup:
    """Draw a name with a bar from now to the certificate's end. A stroke marks the day of the renewal."""
    length = max(4.0, scale.x(end.days))
    told = "ended" if end.days < 0 else words.counted(end.days, "day")
    if scale.width > 500:
        told += ", " + end.day
    inner = [
        label(end.name, 0, y + 12, "", scale.width - (190 if scale.width > 500 else 90)),
        label(told, scale.width, y + 12, "note " + end.level, anchor="end"),
        element("rect", y=y + 18, width=scale.width, height=8, rx=4, class_="track"),
        element("rect", y=y + 18, width=length, height=8, rx=4, class_="bar " + end.level),
    ]
    if end.due is not None and 0 <= end.due <= scale.days:
        at = scale.x(end.due)
        due = element("path", element("title", "renewal due"), d="M%.1f %.1fv14" % (at, y + 15), class_="due")
        inner.append(due)
    return element("g", Markup("").join(inner))


def _counts(ends: list[End], scale: Scale, y: float, columns: int) -> Markup:
    """Draw a column for each span of time, with the number of certificates on top."""
    span = scale.days / columns
    groups: list[list[End]] = [[] for number in range(columns)]
    for end in ends:
        groups[min(max(int(end.days / span), 0), columns - 1)].append(end)
    most = max(map(len, groups))
    each = scale.width / columns
    floor = y + _COLUMNS_HEIGHT
    parts = []
    for number, group in enumerate(groups):
        if group:
            height = max(3.0, (_COLUMNS_HEIGHT - 24) * len(group) / most)
            level = min((end.level for end in group), key=("failed", "warning", "ok").index)
            told = "%s: %s to %s" % (words.counted(len(group), "certificate"), group[0].day, group[-1].day)
            shape = {"x": number * each + 2, "y": floor - height, "width": each - 4, "height": height, "rx": 2}
            parts.append(element("rect", element("title", told), class_="bar " + level, **shape))
            parts.append(label(str(len(group)), (number + 0.5) * each, floor - height - 6, "number", anchor="middle"))
    return element("g", Markup("").join(parts))
