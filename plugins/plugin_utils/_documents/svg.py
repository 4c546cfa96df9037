# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pieces of drawings as text: elements with escaped values, texts that fit, and the marks of verdicts. Pure.

Colours come from classes, so that a drawing follows the page in light, dark and print. No ``style`` attribute is used:
the page's policy forbids it.
"""

from __future__ import annotations

import typing as t

from markupsafe import Markup, escape

# Pixels that a character of the page's small type takes, on the wide side.
CHARACTER = 7.4

# Of verdicts, and of notes. Different in shape as well as in colour, drawn around 0,0 within 10 x 10.
MARKS = {
    "ok": Markup('<circle r="4.6"/>'),
    "warning": Markup('<path d="M0-5.2 5.4 4.4h-10.8z"/>'),
    "failed": Markup('<path d="M-3.4-3.4 3.4 3.4M3.4-3.4-3.4 3.4"/>'),
    "not_observable": Markup('<circle r="3.9"/>'),
    "not_probed": Markup('<path d="M-3.8 0h7.6"/>'),
    "info": Markup('<path d="M0-.6v4.6M0-4.2v.1"/>'),
}


def symbols() -> Markup:
    """The definitions that mark() refers to: once in a page."""
    shapes = (
        element("symbol", shape, id="m-" + name, viewBox="-6 -6 12 12", class_="mark " + name)
        for name, shape in MARKS.items()
    )
    return element("svg", Markup("").join(shapes), width=0, height=0, aria_hidden="true", class_="symbols")


def mark(verdict: str, x: float, y: float, title: str = "", size: float = 12) -> Markup:
    """A verdict's mark with its centre at x, y; ``title`` is what a pointer shows."""
    inner = element("title", title) if title else Markup()
    half = size / 2
    return element("use", inner, href="#m-" + verdict, x=x - half, y=y - half, width=size, height=size)


def element(name: str, content: str = "", **attributes: str | float | None) -> Markup:
    """``class_`` stands for class, and ``_`` for a hyphen. Attributes that are None are left out."""
    shown = Markup("").join(
        Markup(' %s="%s"') % (key.rstrip("_").replace("_", "-"), _number(value))
        for key, value in attributes.items()
        if value is not None
    )
    if not content:
        return Markup("<%s%s/>") % (name, shown)
    return Markup("<%s%s>%s</%s>") % (name, shown, content, name)


def label(content: str, x: float, y: float, class_: str = "", room: float = 0, anchor: str | None = None) -> Markup:
    """A text, shortened to the room (pixels) where one is given; a pointer then shows all of it."""
    short = shorten(content, room) if room else content
    inner = escape(short) + (element("title", content) if short != content else Markup())
    return element("text", inner, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def shorten(content: str, room: float) -> str:
    """The text cut in the middle where it is too long: both ends of a domain tell something."""
    most = max(5, int(room / CHARACTER))
    if len(content) <= most:
        return content
    tail = (most - 1) // 2
    return content[: most - 1 - tail] + "…" + content[-tail:]


def drawing(content: t.Iterable[Markup], width: float, height: float, class_: str, name: str) -> Markup:
    """A picture with a name; what is in it is told elsewhere in words, so a screen reader hears the name alone."""
    inner = Markup("").join(content)
    box = "0 0 %s %s" % (_number(width), _number(height))
    return element("svg", inner, viewBox=box, width=width, height=height, class_=class_, role="img", aria_label=name)


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else ("%.1f" % value).removesuffix(".0")
