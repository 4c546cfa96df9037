# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the notes on a declared partner or policy: owner, contact, ticket and dates. Notes are not sent to servers."""

from __future__ import annotations

import datetime
import typing as t

DATES = ("until", "review_by")
NOTES = ("owner", "contact", "ticket", *DATES)
# The prefix of free notes.
FREE = "x_"
# A date becomes a finding this number of days before the date.
SOON = 30


def is_note(option: t.Any) -> bool:
    return option in NOTES or (isinstance(option, str) and option.startswith(FREE))


def without_notes(item: t.Any) -> t.Any:
    """Return a declared object without its notes, in the form of a module's option. Other values are not changed."""
    if not isinstance(item, t.Mapping):
        return item
    return {option: value for option, value in item.items() if not is_note(option)}


def notes_of(item: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {option: value for option, value in item.items() if is_note(option) and value not in (None, "")}


def mistakes(item: t.Mapping[str, t.Any]) -> list[str]:
    """Return the mistakes in the notes. Each text begins with the option."""
    found = []
    for option in DATES:
        value = item.get(option)
        if value in (None, ""):
            continue
        try:
            day_of(value)
        except ValueError:
            found.append("%s: '%s' must be a day, such as 2027-03-31" % (option, value))
    for option in ("owner", "contact", "ticket"):
        if isinstance(item.get(option), (dict, list, bool)):
            found.append("%s: must be a string" % option)
    return found


def day_of(value: t.Any) -> datetime.date:
    """Return a date from a value of YAML. Raises ValueError."""
    if isinstance(value, datetime.datetime):
        return value.date()
    return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value)[:10])


def due(item: t.Mapping[str, t.Any], today: datetime.date) -> t.Iterator[tuple[str, str, str]]:
    """Return findings about dates of a declared object: code, message and remedy."""
    asked = ". Ask %s" % item["contact"] if item.get("contact") else ""
    owner = item.get("owner") or "the owner"
    for option in DATES:
        if item.get(option) in (None, ""):
            continue
        day = day_of(item[option])
        left = (day - today).days
        if left > SOON:
            continue
        when = "on %s, in %d days" % (day, left) if left > 0 else "today" if left == 0 else "on %s" % day
        if option == "until":
            past = left < 0
            text = "the partnership %s %s (until)" % ("ended" if past else "ends", when)
            remedy = "remove the entry from the declaration, or set another date"
            yield "partnership_ended" if past else "partnership_ends", text, remedy + asked
        else:
            text = "a review %s due %s (review_by)" % ("was" if left < 0 else "is", when)
            remedy = "ask %s to review the entry and to set the next date" % owner
            yield "review_overdue" if left < 0 else "review_due", text, remedy
