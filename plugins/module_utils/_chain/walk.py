# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check all links in the order of the table, and show the broken and unknown links. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR, UNKNOWN, WARNING, Finding
from .._base.texts import some
from .known import Known
from .links import LINKS, Group, Link

# The first character of a line of the report.
MARKS = {ERROR: "!", UNKNOWN: "?", WARNING: "*"}


@dataclass(frozen=True)
class Obstacle(Finding):
    """Describe a broken or unknown link.

    message: the cause.
    effect: the effect on users.
    where: the place in the product to repair the link.
    blocks: whether additions have no use while the link is broken. A run must then stop before the first write.
    link: the entry in the table of links.
    """

    # The fields of Finding are repeated, because some tools read only one file and do not see inherited fields.
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
    """Return the broken and unknown links in the order of the table. Links that were not checked are skipped.

    groups: the groups to check; None: all.
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
    """Return the obstacles without accepted codes, and the accepted codes that were found."""
    left = [one for one in obstacles if one.code not in ignore]
    return left, [one.code for one in obstacles if one.code in ignore]


def idle(ignore: t.Sequence[str], ignored: t.Collection[str], known: Known) -> list[str]:
    """Return the accepted codes that no longer occur, although their link was checked, and codes without a link."""
    unlooked = {link.code for link in LINKS if not looked_at(link, known)}
    return [code for code in ignore if code not in ignored and code not in unlooked]


def lines(found: t.Sequence[Obstacle], ignored: t.Sequence[str]) -> list[str]:
    """Return the first broken link, then all findings in the order of the chain, with all details."""
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
        head = "No broken link was found. Check the lines below."
    else:
        head = "All checked links work."
    return [head, *shown]


def short_lines(found: t.Sequence[Obstacle]) -> list[str]:
    """Return one line for each finding: the first broken link, then the other findings in the order of the chain.

    One line shows all unknown links together.
    """
    broken = next((one for one in found if one.severity == ERROR), None)
    shown = ["The first broken link is %s: %s; %s" % (broken.code, broken.message, broken.remedy)] if broken else []
    others = [one for one in found if one is not broken and one.severity != UNKNOWN]
    shown += ["  %s %s: %s; %s" % (MARKS[one.severity], one.code, one.message, one.remedy) for one in others]
    unknown = [one.code for one in found if one.severity == UNKNOWN]
    return [*shown, "  %s unknown with this account: %s" % (MARKS[UNKNOWN], some(unknown))] if unknown else shown
