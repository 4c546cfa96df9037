# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired state: what is declared, as one immutable value. Made from options by declared.py, or from a snapshot."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.names import key as key_of
from .._base.step import Values
from .catalogue import BY_PART, GRANT, PARTS, PURGED, REMOVALS
from .groups import member_filter


@dataclass(frozen=True)
class Wanted:
    """One desired object. ``place`` names it in messages (``partners[3]``). ``values``: only what was given. ``notes``:
    see notes.py.
    """

    identity: str
    values: Values
    place: str = ""
    absent: bool = False
    notes: Values = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        return key_of(self.identity)


@dataclass(frozen=True)
class Selector:
    """Users by where they are homed, or by a group of Active Directory.

    kind: pool (name: its FQDN), site (its name) or group (its distinguished name). nested: whether the members of
    groups in the group are meant as well.
    """

    kind: t.Literal["pool", "site", "group"]
    name: str
    nested: bool = False

    @property
    def filter(self) -> str:
        """The LDAP filter that finds the members of a group."""
        return member_filter(self.name, self.nested)

    def __str__(self) -> str:
        return "%s %s%s" % (self.kind, self.name, ", with nested groups" if self.nested else "")


@dataclass(frozen=True)
class Grant:
    """Who has to have a per-user policy.

    users: as declared. place: of the list, for messages. exclusive: whoever is not in it loses the policy. absent: who
    is in it loses the policy. selector: in place of users.
    """

    policy: str
    users: tuple[str, ...]
    place: str = "users"
    exclusive: bool = False
    absent: bool = False
    selector: Selector | None = None


@dataclass(frozen=True)
class Federation:
    """What is declared.

    wanted: by option (policies, partners, gateway, access_edge, federation_routes), the objects that were declared; an
    option that is not there is not touched. purge: options whose lists are complete. whole: whether the policies are
    all that there were, so that every other one goes, XMPP or not (a snapshot). also_read: options whose objects the
    warnings look at. revoked: domains that no partner may have (revoked.py), whatever is declared.
    """

    wanted: t.Mapping[str, tuple[Wanted, ...]] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    purge: frozenset[str] = frozenset()
    whole: bool = False
    parts: frozenset[str] = frozenset(PARTS)
    also_read: frozenset[str] = frozenset()
    revoked: tuple[t.Any, ...] = ()

    def writes(self, option: str) -> bool:
        """Whether objects of the option may be made and changed."""
        return option in self.wanted and BY_PART[option].limited_as in self.parts

    def purges(self, option: str) -> bool:
        """Whether objects that are not listed are removed."""
        kinds = self.parts & set(PURGED)
        included = REMOVALS in self.parts and (option in kinds or not kinds)
        return included and option in self.wanted and option in self.purge

    @property
    def granting(self) -> tuple[Grant, ...]:
        return self.grants if GRANT.part in self.parts else ()

    @property
    def groups(self) -> tuple[Selector, ...]:
        """The groups whose members have to be known, each once."""
        found = (grant.selector for grant in self.granting)
        return tuple(dict.fromkeys(one for one in found if one and one.kind == "group"))

    def reads(self) -> frozenset[str]:
        """The options whose objects the plan depends on."""
        found = {option for option in self.wanted if self.writes(option) or self.purges(option)}
        if self.granting:
            found.add("policies")
        if self.revoked and "partners" in self.parts:
            found.add("partners")
        return frozenset(found | (self.also_read if found & set(PURGED) else set()))
