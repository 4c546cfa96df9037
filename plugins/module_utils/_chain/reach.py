# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute which users are allowed to exchange messages with which partners' domains, in both directions. Pure.

The links decide (links.py), as in explain (pair.py). A link checks the user, the partner or the deployment, but never a
user and a partner together. So each side is checked separately, once for all users or domains with equal values. The
result of a way is the worse result of the two sides.

Services, certificates, replicas, DNS and the partner's servers are not checked. Users' rights do not depend on these
parts.
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

# The groups of explain on which each side depends. Other groups are not checked.
OF_USER: tuple[Group, ...] = ("user", "home", "policy")
OF_PARTNER: tuple[Group, ...] = ("partner", "negotiation")
OF_ALL: tuple[Group, ...] = ("access_edge", "route")
# The code of the link for partners whose messages reach only users who have added the sender.
_CONTACT_FIRST = "partner_unverified"


class May(enum.IntEnum):
    """Describe whether messages are allowed in one direction, the worst first.

    CONTACT: allowed after the user has added the contact.
    """

    NO = 0
    UNKNOWN = 1
    CONTACT = 2
    YES = 3


@dataclass(frozen=True)
class Ways:
    """Describe one side of a way, or a complete way.

    out: from the user to the partner.
    back: from the partner to the user.
    basis: the values on which an unknown side depends. If these values change, the side may change.
    """

    out: May
    back: May
    basis: tuple[t.Any, ...] = ()

    def and_(self, other: Ways) -> Ways:
        return Ways(min(self.out, other.out), min(self.back, other.back), (*self.basis, *other.basis))


@dataclass(frozen=True)
class Talkers:
    """Describe the numbers of users who are allowed to exchange messages with a partner's domain.

    out: users who are allowed to send to the domain.
    back: users who are allowed to get messages from the domain.
    unknown: users with an unknown right in at least one direction.
    contact_first: whether messages from the domain reach only users who have added the sender.
    """

    out: int
    back: int
    unknown: int
    contact_first: bool


@dataclass(frozen=True)
class Reach:
    """Describe the rights of users to exchange messages with partners, from one reading of a deployment.

    users: by key of the user, the user's side.
    domains: by domain of a partner (additional domains too), the side of the partner and of the deployment.
    unread: the values that could not be read, so that all ways are unknown; '' if all were read.
    """

    users: t.Mapping[str, Ways]
    domains: t.Mapping[str, Ways]
    unread: str = ""

    @property
    def seen(self) -> int:
        """Return the number of users that were read. An account with a scoped role does not see all users."""
        return len(self.users)

    @cached_property
    def _sides(self) -> Counter[Ways]:
        """Return the number of users with each side."""
        return Counter(self.users.values())

    def of(self, domain: str) -> Talkers:
        """Return the numbers of users for one domain: 0 if the domain does not belong to a partner."""
        side = self.domains.get(key_of(domain), Ways(May.NO, May.NO))
        ways = [(own.and_(side), number) for own, number in self._sides.items()]
        return Talkers(
            sum(number for way, number in ways if way.out > May.UNKNOWN),
            sum(number for way, number in ways if way.back > May.UNKNOWN),
            sum(number for way, number in ways if May.UNKNOWN in (way.out, way.back)),
            side.back == May.CONTACT,
        )

    def hit(self, domains: t.Iterable[str] | None = None) -> int:
        """Return how many users are affected if these domains fail.

        A user is affected if messages with one of the domains are allowed in at least one direction. Users with unknown
        rights do not count: ``of`` returns the number of these users.

        domains: None: all domains of partners.
        """
        chosen = self.domains if domains is None else {key_of(one) for one in domains} & set(self.domains)
        sides = {self.domains[one] for one in chosen}
        return sum(
            number
            for own, number in self._sides.items()
            if any(max(way.out, way.back) > May.UNKNOWN for way in map(own.and_, sides))
        )


def who_may_talk(known: Known) -> Reach:
    """Compute the rights of the users that were read. All users were read only if ``Deployment.all_users`` is set.

    known: needs ``topology`` and ``deployment``. If one of the two is None, or a kind could not be read, ways are
        unknown.
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
    """Return the side of each user. Users with equal facts are checked once."""
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
    """Return the rights of the policies for users without a policy of their own."""
    policies = store.deployment.of("policies")
    rights = ("enable_xmpp_access", "enable_federation_access")
    standing = [key for key in sorted(policies) if key == "global" or key.startswith("site:")]
    return tuple((key, *(bool(policies[key].values.get(right)) for right in rights)) for key in standing)


def _domains(known: Known, deployment: Deployment) -> dict[str, Ways]:
    """Return the side of each domain. Domains with equal facts are checked once, together with the deployment."""
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
    """Return the result of explain's entries in each direction."""

    def may(direction: Direction) -> May:
        if any(direction in entry.blocks for entry in entries):
            return May.NO
        if any(entry.severity == UNKNOWN for entry in entries):
            return May.UNKNOWN
        first = direction == "in" and any(entry.code == _CONTACT_FIRST for entry in entries)
        return May.CONTACT if first else May.YES

    return Ways(may("out"), may("in"))
