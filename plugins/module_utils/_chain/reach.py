# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may talk to whom: every user that was read, every domain of a partner, and both directions. Pure.

The links decide (links.py), as explain tells of them (pair.py). A link looks at the user, at the partner, or at the
deployment, never at a user and a partner at once. So each side is asked alone, once for users or domains of which
everything is the same that links look at. A way is as good as the worse of its two sides.

Not looked at: services, certificates, replicas, DNS and the partner's servers. Users' rights do not depend on them.
"""

from __future__ import annotations

import enum
import typing as t
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

from .._base.findings import UNKNOWN
from .._base.names import key as key_of
from .._base.step import Record
from .._federation.deployment import Deployment, User
from .._federation.rules import negotiation_row
from .._topology.topology import Topology
from .conditions import partners_unknown, policies_unknown
from .known import Known, Pair, StoreView, partners_by_domain
from .links import Group
from .pair import Direction, Entry, entries_of

# What each side depends on, in the groups of explain. The rest of the groups is not looked at.
OF_USER: tuple[Group, ...] = ("user", "home", "policy")
OF_PARTNER: tuple[Group, ...] = ("partner", "negotiation")
OF_ALL: tuple[Group, ...] = ("access_edge", "route")
# The link that says of a partner that its messages reach only users who have added the sender.
_CONTACT_FIRST = "partner_unverified"


class May(enum.IntEnum):
    """Whether messages may pass in one direction, the worst first. CONTACT: once the user has added the contact."""

    NO = 0
    UNKNOWN = 1
    CONTACT = 2
    YES = 3


@dataclass(frozen=True)
class Ways:
    """One side of a way, or a whole way. out: from the user to the partner. back: from the partner to the user.

    basis: what an unknown side depends on: if that changes, it is not known whether the side does.
    """

    out: May
    back: May
    basis: tuple[t.Any, ...] = ()

    def and_(self, other: Ways) -> Ways:
        return Ways(min(self.out, other.out), min(self.back, other.back), (*self.basis, *other.basis))


@dataclass(frozen=True)
class Talkers:
    """How many users may exchange messages with a partner's domain.

    out: may send to it. back: may get messages from it. unknown: users of whom one of both is not known. contact_first:
    whether messages from it reach only users who have added the sender.
    """

    out: int
    back: int
    unknown: int
    contact_first: bool


@dataclass(frozen=True)
class Reach:
    """Who may talk to whom, as one reading of a deployment has it.

    users: by key of the user, the user's side. domains: by domain of a partner, additional domains too, the side of the
    partner and of the deployment. unread: what could not be read without which nothing is known of any way; empty
    where that is nothing.
    """

    users: t.Mapping[str, Ways]
    domains: t.Mapping[str, Ways]
    unread: str = ""

    @property
    def seen(self) -> int:
        """How many users were read. An account with a scoped role sees fewer than there are."""
        return len(self.users)

    @cached_property
    def _sides(self) -> Counter[Ways]:
        """How many users have each side."""
        return Counter(self.users.values())

    def of(self, domain: str) -> Talkers:
        """The users of one domain. A domain that is no partner's has none."""
        side = self.domains.get(key_of(domain), Ways(May.NO, May.NO))
        ways = [(own.and_(side), number) for own, number in self._sides.items()]
        return Talkers(
            sum(number for way, number in ways if way.out > May.UNKNOWN),
            sum(number for way, number in ways if way.back > May.UNKNOWN),
            sum(number for way, number in ways if May.UNKNOWN in (way.out, way.back)),
            side.back == May.CONTACT,
        )

    def hit(self, domains: t.Iterable[str] | None = None) -> int:
        """How many users are hit if these domains fail: users who may talk to one of them in one direction at least.

        domains: None: all domains of partners. Users of whom it is not known do not count; ``of`` gives their number.
        """
        chosen = self.domains if domains is None else {key_of(one) for one in domains} & set(self.domains)
        sides = {self.domains[one] for one in chosen}
        return sum(
            number
            for own, number in self._sides.items()
            if any(max(way.out, way.back) > May.UNKNOWN for way in map(own.and_, sides))
        )


def who_may_talk(known: Known) -> Reach:
    """Of a deployment that was read, with its users. They are all of them only where ``Deployment.all_users``.

    known: ``topology`` and ``deployment`` are needed; where one is None, or a kind could not be read, ways are unknown.
    """
    deployment = known.deployment or Deployment("")
    return Reach(_users(known, deployment), _domains(known, deployment), _unread(replace(known, pair=None)))


def _unread(known: Known) -> str:
    if known.store is None:
        return "the topology"
    found = (partners_unknown(known), policies_unknown(known))
    return " and ".join(one.fields["what"] for one in found if one is not None)


# The two sides


def _users(known: Known, deployment: Deployment) -> dict[str, Ways]:
    """By user, from one user for each set of facts."""
    sides: dict[t.Any, Ways] = {}
    found = {}
    for key, user in deployment.users.items():
        facts = (user.enabled, user.unread != "", user.pool.casefold(), user.provider != "", key_of(user.policy))
        if facts not in sides:
            sides[facts] = _of_user(known, user)
        found[key] = sides[facts]
    return found


def _of_user(known: Known, user: User) -> Ways:
    store = known.store
    scope, policy = store.in_effect(user) if store is not None else (None, None)
    pair = Pair(user.name.removeprefix("sip:"), "", user, policy=policy, scope=scope)
    side = _side(entries_of(OF_USER, replace(known, pair=pair)))
    return side if policy is not None or user.policy or store is None else replace(side, basis=_standing(store))


def _standing(store: StoreView) -> tuple[t.Any, ...]:
    """What the policies give that act on users without one of their own."""
    policies = store.deployment.of("policies")
    rights = ("enable_xmpp_access", "enable_federation_access")
    standing = [key for key in sorted(policies) if key == "global" or key.startswith("site:")]
    return tuple((key, *(bool(policies[key].values.get(right)) for right in rights)) for key in standing)


def _domains(known: Known, deployment: Deployment) -> dict[str, Ways]:
    """By domain, from one domain for each set of facts, and what all of them depend on."""
    topology, nobody = known.topology or Topology(), Pair("", "")
    whole = _side(entries_of(OF_ALL, replace(known, pair=nobody)))
    sip = [frozenset(listed or ()) for listed in (topology.allowed_domains, topology.blocked_domains)]
    sides: dict[t.Any, Ways] = {}
    found = {}
    for domain, record in partners_by_domain(deployment.of("partners")).items():
        facts = (_settings(record), *(domain in listed for listed in sip))
        if facts not in sides:
            of_partner = entries_of(OF_PARTNER, replace(known, pair=replace(nobody, domain=domain)))
            sides[facts] = whole.and_(_side(of_partner))
        found[domain] = sides[facts]
    return found


def _settings(record: Record) -> tuple[t.Any, ...]:
    return record.values["partner_type"], negotiation_row(record.values)


def _side(entries: t.Sequence[Entry]) -> Ways:
    """What explain's entries come to, for each direction."""

    def may(direction: Direction) -> May:
        if any(direction in entry.blocks for entry in entries):
            return May.NO
        if any(entry.severity == UNKNOWN for entry in entries):
            return May.UNKNOWN
        first = direction == "in" and any(entry.code == _CONTACT_FIRST for entry in entries)
        return May.CONTACT if first else May.YES

    return Ways(may("out"), may("in"))
