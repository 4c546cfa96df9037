# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw the picture of a federation: own domains, Edge pool, and partners by security and verdict. This code is pure.

The picture has two forms: wide for screens and paper, and narrow for phones. The page shows the form that fits.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from markupsafe import Markup

from . import audit_texts as words
from .audit_document import Audit
from .svg import drawing, element, label, mark

# Up to this number, partners are shown by name. A larger group is shown as marks.
MOST_NAMED = 40
_LINE = 20
_PAD = 14
_CELL = 14
_GAP = 14
_HEAD = 30
# The space between your own side's boxes, and the least width of a name, in pixels.
_BETWEEN = 26.0
_NAME = 200
_MOST_OWN = 8


@dataclass(frozen=True)
class Box:
    """Draw a box with a title. The content is drawn relative to the upper left corner of the box."""

    title: str
    note: str
    content: tuple[Markup, ...]
    height: float
    kind: str = ""

    def draw(self, x: float, y: float, width: float) -> Markup:
        inner = [
            element("rect", width=width, height=self.height, rx=10, class_="box"),
            label(self.title, _PAD, 22, "title", width - 2 * _PAD - (60 if self.note else 0)),
            *([label(self.note, width - _PAD, 22, "note", anchor="end")] if self.note else []),
            *self.content,
        ]
        return element("g", Markup("").join(inner), transform="translate(%s %s)" % (round(x, 1), round(y, 1)))


def wide(audit: Audit, width: float = 1040) -> Markup:
    """Draw your own side in a column on the left, and the partners on the right."""
    left, gap = 270.0, 110.0
    x = left + gap
    own, edge, bands = _own(audit, left), _edge(audit, left), _bands(audit, width - x)
    top = own.height + _BETWEEN
    parts = [element("path", d="M%.1f %.1fV%.1f" % (left / 2, own.height, top), class_="flow", stroke_width=3)]
    y = 0.0
    for order, band in enumerate(bands):
        start = top + edge.height * (order + 1) / (len(bands) + 1)
        end = y + 20
        path = "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f" % (left, start, x - 50, start, left + 50, end, x, end)
        parts += [element("path", d=path, class_="flow " + band.kind, stroke_width=3), band.draw(x, y, width - x)]
        y += band.height + _GAP
    parts += [own.draw(0, 0, left), edge.draw(0, top, left)]
    return drawing(parts, width, max(y - _GAP, top + edge.height), "picture wide", description(audit))


def narrow(audit: Audit, width: float = 300) -> Markup:
    """Draw one column. A line on the left leads from the Edge pool to the partners."""
    indent = 28.0
    own, edge, bands = _own(audit, width), _edge(audit, width), _bands(audit, width - indent)
    top = own.height + _BETWEEN
    parts = [
        own.draw(0, 0, width),
        element("path", d="M%.1f %.1fV%.1f" % (width / 2, own.height, top), class_="flow", stroke_width=3),
        edge.draw(0, top, width),
    ]
    begin = top + edge.height
    y, last = begin + _BETWEEN, begin
    for band in bands:
        last = y + 20
        parts.append(element("path", d="M10 %.1fH%.1f" % (last, indent), class_="flow " + band.kind, stroke_width=3))
        parts.append(band.draw(indent, y, width - indent))
        y += band.height + _GAP
    if bands:
        parts.append(element("path", d="M10 %.1fV%.1f" % (begin, last), class_="flow", stroke_width=3))
    return drawing(parts, width, y - _GAP if bands else begin, "picture narrow", description(audit))


def description(audit: Audit) -> str:
    """Return the content of the picture in words, for screen readers."""
    own = audit["own"]
    groups = [
        "%s by %s" % (words.counted(len(members), "partner"), words.SECURED_BY[method])
        for method, members in _grouped(audit)
    ]
    return "%s, Edge pool %s, %s. The tables below have the same data." % (
        words.counted(len(own["domains"]), "own domain"),
        own["edge_pool"] or "unknown",
        "; ".join(groups) or "no partners",
    )


def _grouped(audit: Audit) -> list[tuple[str, list[dict[str, t.Any]]]]:
    order = list(words.VERDICTS)
    groups = []
    for method in words.SECURED_BY:
        members = [one for one in audit["partners"] if one["secured_by"] == method]
        if members:
            groups.append((method, sorted(members, key=lambda one: order.index(one["verdict"]))))
    return groups


def _own(audit: Audit, width: float) -> Box:
    domains = audit["own"]["domains"]
    shown = domains[:_MOST_OWN]
    lines = [
        Markup("").join(
            (
                mark(one["verdict"], _PAD + 6, _HEAD + 14 + _LINE * row),
                label(one["domain"], _PAD + 20, _HEAD + 18 + _LINE * row, "", width - 2 * _PAD - 20),
            )
        )
        for row, one in enumerate(shown)
    ]
    if len(domains) > len(shown):
        more = "and %d more" % (len(domains) - len(shown))
        lines.append(label(more, _PAD + 20, _HEAD + 18 + _LINE * len(shown), "quiet"))
    if not domains:
        lines.append(label("unknown", _PAD, _HEAD + 18, "quiet"))
    return Box("Own domains", "", tuple(lines), _HEAD + 14 + _LINE * len(lines))


def _edge(audit: Audit, width: float) -> Box:
    own = audit["own"]
    texts = [(own["edge_pool"] or "unknown", "strong" if own["edge_pool"] else "quiet")]
    if own["access_edge_fqdn"]:
        texts.append(("seen as " + own["access_edge_fqdn"], "quiet"))
    texts += [(name, "") for name in own["edges"][:_MOST_OWN] if name != own["edge_pool"]]
    if len(own["edges"]) > _MOST_OWN:
        texts.append(("and %d more" % (len(own["edges"]) - _MOST_OWN), "quiet"))
    lines = [
        label(content, _PAD, _HEAD + 18 + _LINE * row, class_, width - 2 * _PAD)
        for row, (content, class_) in enumerate(texts)
    ]
    return Box("Edge pool", "", tuple(lines), _HEAD + 14 + _LINE * len(lines))


def _bands(audit: Audit, width: float) -> list[Box]:
    named = len(audit["partners"]) <= MOST_NAMED
    bands = []
    for method, members in _grouped(audit):
        title = words.SECURED_BY[method]
        content, height = (_names if named else _marks)(members, width)
        bands.append(Box(title[:1].upper() + title[1:], format(len(members), ","), content, height, method))
    return bands


def _names(members: list[dict[str, t.Any]], width: float) -> tuple[tuple[Markup, ...], float]:
    """Draw the names in columns, in reading order from top to bottom."""
    columns = max(1, int(width // _NAME))
    rows = -(-len(members) // columns)
    each = (width - 2 * _PAD) / columns
    parts = []
    for place, one in enumerate(members):
        x, y = _PAD + each * (place // rows), _HEAD + 14 + _LINE * (place % rows)
        parts.append(mark(one["verdict"], x + 6, y, words.VERDICTS[one["verdict"]]))
        parts.append(label(one["domain"], x + 20, y + 4, "", each - 28))
    return tuple(parts), _HEAD + 14 + _LINE * rows


def _marks(members: list[dict[str, t.Any]], width: float) -> tuple[tuple[Markup, ...], float]:
    columns = int((width - 2 * _PAD) // _CELL)
    marks = tuple(
        mark(
            one["verdict"],
            _PAD + _CELL * (place % columns + 0.5),
            _HEAD + 4 + _CELL * (place // columns + 0.5),
            "%s: %s" % (one["domain"], words.VERDICTS[one["verdict"]]),
        )
        for place, one in enumerate(members)
    )
    rows = -(-len(members) // columns)
    return marks, _HEAD + 4 + _CELL * rows + 12
