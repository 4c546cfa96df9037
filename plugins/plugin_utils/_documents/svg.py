# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write parts of drawings as SVG: elements with escaped values, shortened texts, and marks of verdicts.

This code is pure. Colours come from classes, so that a drawing follows the page in light, dark and print. The drawings
have no ``style`` attribute, because the page's policy forbids this attribute.
"""

from __future__ import annotations

import typing as t

from markupsafe import Markup, escape

# The width of a wide character in the page's small type, in pixels.
CHARACTER = 7.4

# The marks of verdicts and notes. The marks differ in shape and in colour. The centre of each mark is 0,0, and the size
# is 10 x 10.
MARKS = {
    "ok": Markup('<circle r="4.6"/>'),
    "warning": Markup('<path d="M0-5.2 5.4 4.4h-10.8z"/>'),
    "failed": Markup('<path d="M-3.4-3.4 3.4 3.4M3.4-3.4-3.4 3.4"/>'),
    "not_observable": Markup('<circle r="3.9"/>'),
    "not_probed": Markup('<path d="M-3.8 0h7.6"/>'),
    "info": Markup('<path d="M0-.6v4.6M0-4.2v.1"/>'),
}


def symbols() -> Markup:
    """Return the definitions for mark(). A page needs the definitions once."""
    shapes = (
        element("symbol", shape, id="m-" + name, viewBox="-6 -6 12 12", class_="mark " + name)
        for name, shape in MARKS.items()
    )
    return element("svg", Markup("").join(shapes), width=0, height=0, aria_hidden="true", class_="symbols")


def mark(verdict: str, x: float, y: float, title: str = "", size: float = 12) -> Markup:
    """Return a verdict's mark.

    x, y: the centre of the mark.
    title: the text at the mouse pointer.
    """
    inner = element("title", title) if title else Markup()
    half = size / 2
    return element("use", inner, href="#m-" + verdict, x=x - half, y=y - half, width=size, height=size)


def element(name: str, content: str = "", **attributes: str | float | None) -> Markup:
    """Return an element. Attributes that are None are left out.

    attributes: the attributes by name. Write ``class_`` for class, and ``_`` for a hyphen.
    """
    shown = Markup("").join(
        Markup(' %s="%s"') % (key.rstrip("_").replace("_", "-"), _number(value))
        for key, value in attributes.items()
        if value is not None
    )
    if not content:
        return Markup("<%s%s/>") % (name, shown)
    return Markup("<%s%s>%s</%s>") % (name, shown, content, name)


def label(content: str, x: float, y: float, class_: str = "", room: float = 0, anchor: str | None = None) -> Markup:
    """Return a text. The full form of a shortened text is at the mouse pointer.

    room: the most pixels; 0 for no limit.
    """
    short = shorten(content, room) if room else content
    inner = escape(short) + (element("title", content) if short != content else Markup())
    return element("text", inner, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def shorten(content: str, room: float) -> str:
    """Return the text. A long text is cut in the middle, because both ends of a domain are important."""
    most = max(5, int(room / CHARACTER))
    if len(content) <= most:
        return content
    tail = (most - 1) // 2
    return content[: most - 1 - tail] + "…" + content[-tail:]


def drawing(content: t.Iterable[Markup], width: float, height: float, class_: str, name: str) -> Markup:
    """Return a picture with a name. Screen readers read only the name, because tables have the same data."""
    inner = Markup("").join(content)
    box = "0 0 %s %s" % (_number(width), _number(height))
    return element("svg", inner, viewBox=box, width=width, height=height, class_=class_, role="img", aria_label=name)


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else ("%.1f" % value).removesuffix(".0")
