# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one walk over the links: what does not hold, the first link first, and how it is shown. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR, UNKNOWN, WARNING, Finding
from .._base.texts import some
from .known import Known
from .links import LINKS, Group, Link

# How lines that are shown begin.
MARKS = {ERROR: "!", UNKNOWN: "?", WARNING: "*"}


@dataclass(frozen=True)
class Obstacle(Finding):
    """A link that does not hold. message: the cause. effect: on users. where: the place in the product to change it.

    blocks: whether additions are pointless until it is mended, so that a run has to stop before it writes. link: its
    line of the table.
    """

    # Those of a finding once more, since tools that read one file at a time take a class for what stands in it.
    code: str
    severity: str
    message: str
    remedy: str = ""
    subject: str = ""
    effect: str = ""
    where: str = ""
    blocks: bool = False
    link: Link | None = None

    def as_dict(self) -> dict[str, t.Any]:
        return {**super().as_dict(), "effect": self.effect, "where": self.where, "blocks": self.blocks}


def looked_at(link: Link, known: Known) -> bool:
    return all(getattr(known, name) is not None for name in link.needs)


def walk(known: Known, groups: t.Collection[Group] | None = None) -> list[Obstacle]:
    """All links that do not hold, of those that somebody looked at, in the order of the table.

    groups: the links that are looked at; None: all.
    """
    obstacles = []
    for link in LINKS:
        if groups is not None and link.group not in groups:
            continue
        found = link.broken(known) if looked_at(link, known) else None
        if found is None:
            continue
        rest = found.rest and link.severity == ERROR
        obstacles.append(
            Obstacle(
                link.code,
                WARNING if rest else link.severity,
                link.message % found.fields,
                link.remedy % found.fields,
                effect=link.of_rest if rest else link.effect % found.fields,
                where=link.where,
                blocks=link.stops,
                link=link,
            )
        )
    return obstacles


def accepted(obstacles: t.Sequence[Obstacle], ignore: t.Collection[str]) -> tuple[list[Obstacle], list[str]]:
    """What is left without the codes that are accepted, and which of these were found."""
    left = [one for one in obstacles if one.code not in ignore]
    return left, [one.code for one in obstacles if one.code in ignore]


def idle(ignore: t.Sequence[str], ignored: t.Collection[str], known: Known) -> list[str]:
    """The accepted codes that match nothing, though their link was looked at, or that no link has."""
    unlooked = {link.code for link in LINKS if not looked_at(link, known)}
    return [code for code in ignore if code not in ignored and code not in unlooked]


def lines(found: t.Sequence[Obstacle], ignored: t.Sequence[str]) -> list[str]:
    """The first broken link, then every finding in the order of the chain, with all that there is to say."""
    shown = []
    for one in found:
        shown.append("  %s %s: %s" % (MARKS[one.severity], one.code, one.message))
        shown.append("      effect: %s" % one.effect)
        shown.append("      to do:  %s" % one.remedy)
        shown.append("      where:  %s" % one.where)
    if ignored:
        shown.append("ignored: %s" % ", ".join(ignored))
    broken = [one for one in found if one.severity == ERROR]
    if broken:
        head = "The first broken link: %s." % broken[0].message
    elif found:
        head = "No broken link was found, but see below."
    else:
        head = "Every link that was looked at holds."
    return [head, *shown]


def short_lines(found: t.Sequence[Obstacle]) -> list[str]:
    """A line for each, the first broken link first, then in the order of the chain; what is not observable in one."""
    broken = next((one for one in found if one.severity == ERROR), None)
    shown = ["The first broken link is %s: %s; %s" % (broken.code, broken.message, broken.remedy)] if broken else []
    others = [one for one in found if one is not broken and one.severity != UNKNOWN]
    shown += ["  %s %s: %s; %s" % (MARKS[one.severity], one.code, one.message, one.remedy) for one in others]
    unknown = [one.code for one in found if one.severity == UNKNOWN]
    return [*shown, "  %s not observable with this account: %s" % (MARKS[UNKNOWN], some(unknown))] if unknown else shown
