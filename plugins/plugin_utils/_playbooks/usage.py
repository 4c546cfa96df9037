# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out which partners are used, from a table of the Monitoring database. All functions are pure.

The management shell does not record sessions. The table covers only the days that the database keeps.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.names import Invalid, canonical_domain
from ...module_utils._base.result import Refused
from ...module_utils._base.texts import some
from .._documents.short_document import Paragraph, Part, Points, Table
from .._files.import_records import UnreadableSource
from .._files.usage import DomainUse, read_usage

VARIABLE = "sfb_xmpp_usage"
# The most names in one line.
_MOST = 20
_SEEN = "The table covers only the days that the Monitoring database keeps."


@dataclass(frozen=True)
class PartnerUsage:
    """Hold the use of partners.

    partners: the use of each partner with all domains, in the order of the partners.
    undeclared: domains of the table that belong to no partner.
    """

    partners: tuple[DomainUse, ...]
    undeclared: tuple[str, ...]

    @property
    def unused(self) -> tuple[str, ...]:
        """Return the partners without a session."""
        return tuple(one.domain for one in self.partners if not one.sessions)

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "partners": [vars(one) for one in self.partners],
            "unused": list(self.unused),
            "undeclared": list(self.undeclared),
        }

    @classmethod
    def of(cls, result: t.Mapping[str, t.Any]) -> PartnerUsage:
        """Return the value from the result of as_dict()."""
        return cls(tuple(DomainUse(**one) for one in result["partners"]), tuple(result["undeclared"]))


def read(path: str, data: bytes) -> list[DomainUse]:
    """Return the rows of the table.

    path: the table's name in messages.
    Raises Refused with all mistakes.
    """
    try:
        return read_usage(data)
    except UnreadableSource as exc:
        raise Refused(["%s: '%s' cannot be read: %s" % (VARIABLE, path, text) for text in exc.reasons]) from None


def compare(
    rows: t.Iterable[DomainUse], partners: t.Iterable[t.Mapping[str, t.Any]], own: t.Iterable[str]
) -> PartnerUsage:
    """Return the use of each partner.

    rows: the rows of the table.
    partners: dicts with ``domain`` and ``additional_domains``.
    own: the own SIP domains. Sessions with an own domain are ignored.
    """
    left = {row.domain: row for row in rows}
    found = []
    for partner in partners:
        names = [_canonical(name) for name in (partner["domain"], *(partner.get("additional_domains") or ()))]
        uses = [left.pop(name) for name in dict.fromkeys(names) if name in left]
        last = max((one.last_used for one in uses), default="")
        found.append(DomainUse(str(partner["domain"]), last, sum(one.sessions for one in uses)))
    mine = {_canonical(name) for name in own}
    return PartnerUsage(tuple(found), tuple(name for name in left if name not in mine))


def _canonical(name: t.Any) -> str:
    """Return a domain in canonical form; empty if the domain is invalid. A server can have invalid domains."""
    try:
        return canonical_domain(str(name))
    except Invalid:
        return ""


def lines(found: PartnerUsage) -> list[str]:
    """Return the lines that a playbook shows."""
    shown = ["Use of the partners:"]
    width = max((len(one.domain) for one in found.partners), default=0)
    shown += ["  %s  %s" % (one.domain.ljust(width), _words(one)) for one in found.partners]
    return [*shown, *_summary(found)]


def parts(found: PartnerUsage) -> list[Part]:
    """Return the use of partners as parts of a document."""
    rows = tuple((one.domain, one.last_used or "-", str(one.sessions)) for one in found.partners)
    told: list[Part] = [Table(("partner", "last use", "sessions"), rows)] if rows else []
    *summary, seen = _summary(found)
    return [*told, *([Points(tuple(summary))] if summary else []), Paragraph(seen)]


def _words(one: DomainUse) -> str:
    number = "1 session" if one.sessions == 1 else "%d sessions" % one.sessions
    return "%s, last use %s" % (number, one.last_used) if one.sessions else "unused"


def _summary(found: PartnerUsage) -> list[str]:
    told = []
    if found.unused:
        told.append("Unused partners: %s." % some(found.unused, _MOST))
    if found.undeclared:
        told.append("Domains of the table that belong to no partner: %s." % some(found.undeclared, _MOST))
    return [*told, _SEEN]
