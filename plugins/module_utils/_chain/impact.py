# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan does to users: who gains a partner, who loses one, for each direction. Pure: two readings are compared.

Users of whom the same is so, and domains of which the same is so, are compared once for all of them. So a large
deployment is as quick as a small one, and its result as short.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .reach import May, Reach, Ways

# What becomes of one direction between a user and a domain. narrowed, widened: messages from the partner reach the user
# only once the user has added the contact, or no longer only then.
Change = t.Literal["gain", "lose", "narrowed", "widened", "unknown"]
CHANGES: tuple[Change, ...] = ("gain", "lose", "narrowed", "widened", "unknown")
Numbers = t.Mapping[Change, int]
_NOTHING = Ways(May.NO, May.NO)


@dataclass(frozen=True)
class Affected:
    """Users and domains between which the same changes. users: their names. out, back: None where nothing changes."""

    domains: tuple[str, ...]
    users: tuple[str, ...]
    out: Change | None
    back: Change | None


@dataclass(frozen=True)
class OfDomain:
    """What changes for one domain of a partner: how many users, in each direction.

    contact_first: whether messages from it reach only users who have added the sender, after the plan.
    """

    domain: str
    out: Numbers
    back: Numbers
    contact_first: bool

    def number(self, change: Change) -> int:
        """Of the direction with more users."""
        return max(self.out.get(change, 0), self.back.get(change, 0))


@dataclass(frozen=True)
class Impact:
    """seen: how many users were read. unread: what could not be read, so that nothing is known; '' if nothing.

    users: by change, how many users meet with it, for one partner at least and in one direction at least.
    domains: those for which something changes, those that most users lose first. affected: the same with names.
    """

    seen: int = 0
    unread: str = ""
    users: Numbers = field(default_factory=dict)
    domains: tuple[OfDomain, ...] = ()
    affected: tuple[Affected, ...] = ()

    def number(self, change: Change) -> int:
        return self.users.get(change, 0)


def impact(before: Reach, after: Reach, names: t.Mapping[str, str]) -> Impact:
    """before, after: of the same users. names: how messages name users, by their keys."""
    unread = before.unread or after.unread
    if unread:
        return Impact(before.seen, unread)
    users: dict[tuple[Ways, Ways], list[str]] = {}
    for key, own in before.users.items():
        users.setdefault((own, after.users[key]), []).append(names[key])
    domains: dict[tuple[Ways, Ways], list[str]] = {}
    for domain in {**before.domains, **after.domains}:
        sides = before.domains.get(domain, _NOTHING), after.domains.get(domain, _NOTHING)
        domains.setdefault(sides, []).append(domain)
    met: dict[Change, set[tuple[Ways, Ways]]] = {change: set() for change in CHANGES}
    of_domains: list[OfDomain] = []
    affected = []
    for of_partner, own_domains in domains.items():
        numbers: tuple[dict[Change, int], dict[Change, int]] = ({}, {})
        for of_user, own_users in users.items():
            changes = _changes(*map(Ways.and_, of_user, of_partner))
            for change, number in zip(changes, numbers, strict=True):
                if change is not None:
                    number[change] = number.get(change, 0) + len(own_users)
                    met[change].add(of_user)
            if any(changes):
                affected.append(Affected(tuple(sorted(own_domains)), tuple(sorted(own_users)), *changes))
        if any(numbers):
            first = of_partner[1].back == May.CONTACT
            of_domains += [OfDomain(domain, *numbers, first) for domain in own_domains]
    return Impact(
        before.seen,
        "",
        {change: sum(len(users[sides]) for sides in own) for change, own in met.items()},
        tuple(sorted(of_domains, key=lambda one: (-one.number("lose"), -one.number("gain"), one.domain))),
        tuple(sorted(affected, key=lambda one: one.domains)),
    )


def _changes(before: Ways, after: Ways) -> tuple[Change | None, Change | None]:
    same = before.basis == after.basis
    return _change(before.out, after.out, same), _change(before.back, after.back, same)


def _change(before: May, after: May, same: bool) -> Change | None:
    """same: whether that is as it was on which an unknown way depends."""
    if May.UNKNOWN in (before, after):
        return None if before == after and same else "unknown"
    if before == after:
        return None
    if before == May.NO:
        return "gain"
    if after == May.NO:
        return "lose"
    return "narrowed" if after == May.CONTACT else "widened"
