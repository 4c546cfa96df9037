# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark findings that the user has accepted until a day, with a reason and a ticket. Accepted findings are shown, but
not counted.

All functions are pure, except today().
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ...module_utils._base.names import key as key_of
from ...module_utils._chain.links import LINKS
from .._documents.finding_order import Finding

VARIABLE = "sfb_xmpp_audit.accepted"
# The limit is longer than a year, so that a yearly review can be late. An acceptance without an end is not allowed.
MOST_DAYS = 400
OPTIONS: dict[str, t.Any] = {
    "code": {"type": "str", "required": True},
    "object": {"type": "str", "required": True},
    "reason": {"type": "str", "required": True},
    "ticket": {"type": "str", "required": True},
    "until": {"type": "raw", "required": True},
}
# Findings that cannot be accepted: the deployment differs from the settings, a certificate has expired, a domain is
# revoked.
_NEVER_AREAS = ("drift",)
_NEVER_CODES = frozenset(
    ("not_as_declared", "refused", "declared_revoked", "revoked", "expired", "certificate_expired",
     "own_certificate_expired", "chain_expired", "certificate_chain_expired", "own_certificate_chain_expired",
     "ca_expired")
)  # fmt: skip


@dataclass(frozen=True)
class Accepted:
    """Hold an entry of sfb_xmpp_audit.accepted.

    until: the last day of the acceptance (UTC).
    """

    code: str
    object: str
    reason: str
    ticket: str
    until: datetime.date

    def fits(self, finding: Finding) -> bool:
        return finding["code"] == self.code and key_of(finding["object"]) == key_of(self.object)

    def as_dict(self) -> dict[str, str]:
        return {"reason": self.reason, "ticket": self.ticket, "until": self.until.isoformat()}


def today() -> datetime.date:
    """Return the present day in UTC. Entries are compared with this day."""
    return datetime.datetime.now(datetime.timezone.utc).date()


def read(entries: t.Sequence[t.Mapping[str, t.Any]], today: datetime.date) -> tuple[list[Accepted], list[str]]:
    """Return the valid entries, and the mistakes of the invalid entries. Each mistake begins with the entry's place."""
    found, mistakes = [], []
    for number, entry in enumerate(entries):
        place = "%s[%d]" % (VARIABLE, number)
        wrong = list(_mistakes(entry, today))
        mistakes += ["%s.%s" % (place, text) for text in wrong]
        if not wrong:
            told = {name: str(entry[name]) for name in ("code", "object", "reason", "ticket")}
            found.append(Accepted(**told, until=_day(entry["until"])))
    return found, mistakes


def _mistakes(entry: t.Mapping[str, t.Any], today: datetime.date) -> t.Iterator[str]:
    for name in OPTIONS:
        if not str(entry.get(name) or "").strip():
            yield "%s: is missing" % name
    code = str(entry.get("code") or "")
    if "*" in code:
        yield "code: '%s' must be the code of one finding, without a pattern" % code
    elif code in _NEVER_CODES:
        yield "code: %s cannot be accepted. Correct its cause" % code
    if entry.get("until"):
        try:
            day = _day(entry["until"])
        except ValueError:
            yield "until: '%s' must be a day, such as 2027-03-31" % entry["until"]
        else:
            if (day - today).days > MOST_DAYS:
                yield "until: %s is more than %d days from now" % (day, MOST_DAYS)


def _day(value: t.Any) -> datetime.date:
    """Return a day. Raises ValueError if the value is not a day."""
    if isinstance(value, datetime.datetime):
        return value.date()
    return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))


def codes_of(entries: t.Sequence[t.Mapping[str, t.Any]], deployment: str, today: datetime.date) -> list[str]:
    """Return the codes of links of the chain that are accepted today.

    deployment: a label.
    """
    links = {link.code for link in LINKS}
    found = (one for one in read(entries, today)[0] if one.until >= today and one.code in links)
    return [one.code for one in found if key_of(one.object) == key_of(deployment)]


def accept(findings: t.Iterable[Finding], accepted: t.Sequence[Accepted], today: datetime.date) -> list[Finding]:
    """Return the findings. Accepted findings get the severity ``info`` and the key ``accepted``.

    An entry that has ended, or that fits no finding, becomes a finding.
    """
    found: list[Finding] = []
    used: set[Accepted] = set()
    for one in findings:
        fitting = [entry for entry in accepted if entry.fits(one)]
        used.update(fitting)
        current = next((entry for entry in fitting if entry.until >= today), None)
        if current is None or one["area"] in _NEVER_AREAS or one["severity"] == "info":
            found.append(one)
        else:
            told = "accepted until %s (%s, %s): " % (current.until, current.ticket, current.reason)
            mark = {**current.as_dict(), "severity": one["severity"]}
            found.append({**one, "severity": "info", "message": told + one["message"], "accepted": mark})
    for entry in accepted:
        if entry.until < today:
            code, text = "acceptance_ended", "the acceptance of %s ended on %s (%s)"
            remedy = "correct the cause, or accept the finding again with a new ticket"
        elif entry not in used:
            code, text = "acceptance_unused", "%s is accepted until %s (%s), but this audit has no such finding"
            remedy = "remove the entry from %s" % VARIABLE
        else:
            continue
        message = text % (entry.code, entry.until, entry.ticket)
        found.append(
            {"code": code, "severity": "info", "area": "change", "object": entry.object, "message": message,
             "remedy": remedy}
        )  # fmt: skip
    return found
