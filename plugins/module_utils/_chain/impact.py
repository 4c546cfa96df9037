# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute the effect of a plan on users: which users gain or lose a partner, in each direction. Pure.

Users with equal values are compared together, and domains with equal values too. So a large deployment takes little
more time than a small deployment, and the result has the same length.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .reach import May, Reach, Ways

# The change of one direction between a user and a domain.
#
# - narrowed: messages from the partner now reach only users who have added the contact.
# - widened: messages from the partner reach the user without a contact, as before.
Change = t.Literal["gain", "lose", "narrowed", "widened", "unknown"]
CHANGES: tuple[Change, ...] = ("gain", "lose", "narrowed", "widened", "unknown")
Numbers = t.Mapping[Change, int]
# The changes in both directions; None: no change.
Both = tuple["Change | None", "Change | None"]
# The ways of a user or of a domain, before and after the plan.
Sides = tuple[Ways, Ways]
_NOTHING = Ways(May.NO, May.NO)


@dataclass(frozen=True)
class Affected:
    """Describe users and domains with the same change.

    users: names of the users.
    out, back: the change in each direction; None: no change.
    """

    domains: tuple[str, ...]
    users: tuple[str, ...]
    out: Change | None
    back: Change | None

    def as_dict(self, most: int | None) -> dict[str, t.Any]:
        return {
            "domains": list(self.domains),
            "out": self.out or "",
            "in": self.back or "",
            "users": len(self.users),
            "names": list(self.users[:most]),
        }


@dataclass(frozen=True)
class OfDomain:
    """Describe the changes for one domain of a partner.

    out, back: by change, the number of users in each direction.
    contact_first: whether, after the plan, messages from the domain reach only users who have added the sender.
    """

    domain: str
    out: Numbers
    back: Numbers
    contact_first: bool

    def number(self, change: Change) -> int:
        """Return the number of users, in the direction that has more users."""
        return max(self.out.get(change, 0), self.back.get(change, 0))

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "domain": self.domain,
            "out": {change: self.out.get(change, 0) for change in CHANGES},
            "in": {change: self.back.get(change, 0) for change in CHANGES},
            "contact_first": self.contact_first,
        }


@dataclass(frozen=True)
class Impact:
    """Describe the effect of a plan on users.

    seen: number of users that were read.
    unread: the values that could not be read, so that the effect is unknown; '' if all were read.
    users: by change, the number of users with this change for at least one partner and in at least one direction.
    at_most: as ``users``, and all unknown changes.
    domains: domains with a change. The domain that most users lose is the first.
    affected: the changes with the names of users.
    """

    seen: int = 0
    unread: str = ""
    users: Numbers = field(default_factory=dict)
    at_most: Numbers = field(default_factory=dict)
    domains: tuple[OfDomain, ...] = ()
    affected: tuple[Affected, ...] = ()

    def number(self, change: Change) -> int:
        return self.users.get(change, 0)

    def as_dict(self, most: int | None = None) -> dict[str, t.Any]:
        """Return the effect as plain values.

        most: the number of names in a group; None: all names.
        """
        return {
            "seen": self.seen,
            "unread": self.unread,
            "users": {change: self.number(change) for change in CHANGES},
            "domains": [one.as_dict() for one in self.domains],
            "groups": [one.as_dict(most) for one in self.affected],
        }


def impact(before: Reach, after: Reach, names: t.Mapping[str, str]) -> Impact:
    """Compare the ways of the same users before and after a plan.

    names: by key of a user, the name in messages.
    """
    unread = before.unread or after.unread
    if unread:
        return Impact(before.seen, unread)
    users: dict[Sides, list[str]] = {}
    for key, own in before.users.items():
        users.setdefault((own, after.users[key]), []).append(names[key])
    domains: dict[Sides, list[str]] = {}
    for domain in {**before.domains, **after.domains}:
        own_sides = before.domains.get(domain, _NOTHING), after.domains.get(domain, _NOTHING)
        domains.setdefault(own_sides, []).append(domain)
    met: dict[Change, set[Sides]] = {change: set() for change in CHANGES}
    of_domains: list[OfDomain] = []
    # By changes and users: the domains.
    affected: dict[tuple[Both, tuple[Sides, ...]], list[str]] = {}
    for of_partner, own_domains in domains.items():
        numbers: tuple[dict[Change, int], dict[Change, int]] = ({}, {})
        concerned: dict[Both, list[Sides]] = {}
        for of_user, own_users in users.items():
            changes = _changes(*map(Ways.and_, of_user, of_partner))
            for change, number in zip(changes, numbers, strict=True):
                if change is not None:
                    number[change] = number.get(change, 0) + len(own_users)
                    met[change].add(of_user)
            if any(changes):
                concerned.setdefault(changes, []).append(of_user)
        for changes, sides in concerned.items():
            affected.setdefault((changes, tuple(sides)), []).extend(own_domains)
        if any(numbers):
            first = of_partner[1].back == May.CONTACT
            of_domains += [OfDomain(domain, *numbers, first) for domain in own_domains]
    return Impact(
        before.seen,
        "",
        {change: sum(len(users[sides]) for sides in own) for change, own in met.items()},
        {change: sum(len(users[sides]) for sides in own | met["unknown"]) for change, own in met.items()},
        tuple(sorted(of_domains, key=lambda one: (-one.number("lose"), -one.number("gain"), one.domain))),
        tuple(sorted((_affected(*key, own, users) for key, own in affected.items()), key=lambda one: one.domains)),
    )


def _affected(
    changes: Both, sides: t.Sequence[Sides], domains: t.Iterable[str], users: t.Mapping[Sides, t.Sequence[str]]
) -> Affected:
    names = sorted(name for own in sides for name in users[own])
    return Affected(tuple(sorted(domains)), tuple(names), *changes)


def _changes(before: Ways, after: Ways) -> Both:
    same = before.basis == after.basis
    return _change(before.out, after.out, same), _change(before.back, after.back, same)


def _change(before: May, after: May, same: bool) -> Change | None:
    """Return the change of one direction.

    same: whether the values behind an unknown way did not change.
    """
    if May.UNKNOWN in (before, after):
        return None if before == after and same else "unknown"
    if before == after:
        return None
    if before == May.NO:
        return "gain"
    if after == May.NO:
        return "lose"
    return "narrowed" if after == May.CONTACT else "widened"


# The report

# Columns of a line, so that the line fits on a terminal of 80 columns.
_WIDTH = 78
# Columns for the names of domains that share a text.
_NAMES = 32


def lines(found: Impact) -> list[str]:
    """Return at most three lines, without names of users."""
    if found.unread:
        return ["Users: it is unknown which users gain or lose a partner. Not read: %s." % found.unread]
    seen = "Seen: %s." % _users(found.seen)
    if not found.domains:
        return ["Users: no user gains or loses a partner. %s" % seen]
    gain, lose, unknown = (found.number(change) for change in ("gain", "lose", "unknown"))
    doubt = ", unknown for %s" % _number(unknown) if unknown else ""
    told = (_number(gain), _verb("gain", gain), _number(lose), _verb("lose", lose), doubt, seen)
    head = "Users: %s %s a partner, %s %s one%s. %s" % told
    worse = [one for one in found.domains if not _only_better(one)]
    better = [one for one in found.domains if _only_better(one)]
    mark = "-" if any(one.number("lose") for one in worse) else "~"
    return [head, *_row(mark, worse), *_row("+", better)]


def _only_better(one: OfDomain) -> bool:
    return not any(one.number(change) for change in ("lose", "narrowed", "unknown"))


def _row(mark: str, domains: t.Sequence[OfDomain]) -> list[str]:
    """Return one line. Domains with the same text are shown together."""
    names: dict[str, list[str]] = {}
    for one in domains:
        names.setdefault(in_words(one), []).append(one.domain)
    texts = ["%s: %s" % (_fitting(own, ", ", _NAMES), words) for words, own in names.items()]
    numbers = [len(own) for own in names.values()]
    return ["  %s %s" % (mark, _fitting(texts, "; ", _WIDTH - 4, numbers))] if texts else []


def in_words(one: OfDomain) -> str:
    """Return the changes for a domain in words.

    The directions are shown separately only if the two directions differ.
    """
    out, back = _of_direction(one.out), _of_direction(one.back)
    found = [out]
    if out != back:
        found = ["outgoing: %s" % (out or "nothing changes"), "incoming: %s" % (back or "nothing changes")]
    if one.contact_first and one.back.get("gain"):
        found[-1] += " (contacts only)"
    words: dict[Change, str] = {
        "narrowed": "%s %s its messages only from contacts now", "widened": "%s %s its messages from all senders now",
    }  # fmt: skip
    for change, text in words.items():
        number = one.back.get(change, 0)
        found += [text % (_users(number), _verb("get", number))] * bool(number)
    return ", ".join(text for text in found if text)


def _of_direction(numbers: Numbers) -> str:
    gain, lose, unknown = (numbers.get(change, 0) for change in ("gain", "lose", "unknown"))
    found = []
    if gain:
        found.append("%s %s, %s %s" % (_users(gain), _verb("gain", gain), _number(lose), _verb("lose", lose)))
    elif lose:
        found.append("%s %s" % (_users(lose), _verb("lose", lose)))
    return ", ".join([*found, *(["unknown for %s" % _users(unknown)] if unknown else [])])


def _users(number: int) -> str:
    return "%s user%s" % (_number(number), "" if number == 1 else "s")


def _verb(verb: str, number: int) -> str:
    return verb + "s" * (number == 1)


def _number(number: int) -> str:
    return "{:,}".format(number) if number else "none"


def _fitting(texts: t.Sequence[str], between: str, width: int, numbers: t.Sequence[int] = ()) -> str:
    """Join as many texts as fit, at least the first, and add the number of missing things.

    numbers: the number of things in each text; 1 by default.
    """
    counts = numbers or [1] * len(texts)
    shown = len(texts)
    while True:
        more = sum(counts[shown:])
        line = between.join([*texts[:shown], *(["%s more" % _number(more)] if more else [])])
        if shown == 1 or len(line) <= width:
            return line
        shown -= 1
