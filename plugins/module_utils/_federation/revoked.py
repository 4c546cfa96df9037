# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse and remove revoked domains, even if declared. The functions are pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.findings import WARNING, Finding
from .._base.names import Invalid, canonical_domain
from .._base.names import key as key_of
from .._base.result import Refused
from .._base.step import Record
from .catalogue import PARTNER
from .federation import Federation, Wanted
from .guard import REVOKED, Guard

OPTIONS: dict[str, t.Any] = {
    "domain": {"type": "str", "required": True},
    "since": {"type": "str"},
    "ticket": {"type": "str"},
    "reason": {"type": "str"},
}
SPEC: dict[str, t.Any] = {"type": "list", "elements": "dict", "default": [], "options": OPTIONS}


@dataclass(frozen=True)
class Revoked:
    """This is one revocation.

    domain: the domain in canonical form.
    place: the place for messages, such as ``sfb_xmpp_revoked[0]``.
    since: the day of the revocation.
    ticket: the number of a ticket.
    reason: the reason of the revocation.
    """

    domain: str
    place: str = ""
    since: str = ""
    ticket: str = ""
    reason: str = ""

    def __str__(self) -> str:
        told = [text for text in ("since " + self.since if self.since else "", self.ticket, self.reason) if text]
        return "%s is revoked%s" % (self.domain, " (%s)" % ", ".join(told) if told else "")


def declare_revoked(entries: t.Sequence[t.Mapping[str, t.Any]], variable: str, guard: Guard) -> tuple[Revoked, ...]:
    """Return the revocations in effect, without the revocations that ``allow`` permits.

    Raises Refused with all mistakes.
    """
    found: dict[str, Revoked] = {}
    mistakes = []
    for number, entry in enumerate(entries or ()):
        place = "%s[%d]" % (variable, number)
        try:
            domain = canonical_domain(str(entry.get("domain") or ""))
        except Invalid as exc:
            mistakes.append("%s.domain: %s" % (place, exc))
            continue
        pattern = guard.protector(key_of(domain))
        if pattern is not None:
            text = "%s.domain: %s is also protected by '%s' in %s. Remove one of the two entries"
            mistakes.append(text % (place, domain, pattern, guard.name("protect")))
        told = {name: str(entry.get(name) or "") for name in ("since", "ticket", "reason")}
        found.setdefault(key_of(domain), Revoked(domain, place, **told))
    if mistakes:
        raise Refused(mistakes)
    return tuple(one for one in found.values() if REVOKED + one.domain not in guard.allow)


def without_revoked(
    federation: Federation, actual: t.Mapping[str, Record]
) -> tuple[Federation, list[Finding], frozenset[str]]:
    """Remove the revoked domains from a federation.

    Returns the federation, warnings about declared revoked domains, and the keys of the partners that change. A partner
    with a revoked domain changes even if the partner is not declared. Without the part ``partners``, nothing changes.

    actual: the existing partners by key.
    """
    revoked = {key_of(one.domain): one for one in federation.revoked}
    if not revoked or PARTNER.part not in federation.parts:
        return federation, [], frozenset()
    wanted: list[Wanted] = []
    findings: list[Finding] = []
    for item in federation.wanted.get(PARTNER.part, ()):
        kept, found = _kept(item, actual.get(item.key), revoked)
        wanted.append(kept)
        findings += found
    listed = {item.key for item in wanted}
    for key, record in sorted(actual.items()):
        if key not in listed:
            kept, _found = _kept(Wanted(record.identity, {}), record, revoked)
            wanted += [kept] if kept.absent or kept.values else []
    touched = {item.key for item in wanted if item.key in actual and _has(actual[item.key], revoked)}
    return replace(federation, wanted={**federation.wanted, PARTNER.part: tuple(wanted)}), findings, frozenset(touched)


def _has(record: Record, revoked: t.Mapping[str, Revoked]) -> bool:
    """Return whether an existing partner has a revoked domain."""
    return record.key in revoked or any(key_of(one) in revoked for one in record.values["additional_domains"] or ())


def _kept(item: Wanted, record: Record | None, revoked: t.Mapping[str, Revoked]) -> tuple[Wanted, list[Finding]]:
    """Return a declared partner without revoked domains, and the warnings about this partner."""
    if item.absent:
        return item, []
    if item.key in revoked:
        text = "%s and is not allowed. Remove it from the declared partners" % revoked[item.key]
        found = [Finding("declared_revoked", WARNING, text, subject=item.place)] if item.place else []
        return replace(item, values={}, absent=True), found
    declared = item.values.get("additional_domains")
    domains = declared
    if domains is None:
        domains = (record.values["additional_domains"] or ()) if record else ()
    left = [one for one in domains if key_of(one) not in revoked]
    if len(left) == len(domains):
        return item, []
    found = []
    if declared is not None and item.place:
        found = [
            Finding(
                "declared_revoked",
                WARNING,
                "%s and is not allowed. Remove it from additional_domains" % revoked[key_of(one)],
                subject=item.place,
            )
            for one in domains
            if key_of(one) in revoked
        ]
    return replace(item, values={**item.values, "additional_domains": left}), found
