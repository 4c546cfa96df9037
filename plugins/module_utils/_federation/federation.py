# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold the declared state as one immutable value.

declared.py makes this value from options, and files.py makes this value from a snapshot.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.names import key as key_of
from .._base.step import Values
from .catalogue import BY_PART, GRANT, PARTS, PURGED, REMOVALS
from .groups import member_filter


@dataclass(frozen=True)
class Wanted:
    """This is one declared object.

    identity: the name of the object.
    values: the declared settings only.
    place: the place of the object for messages, such as ``partners[3]``.
    absent: whether the object must not exist.
    notes: the notes of the object (see notes.py).
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
    """Select users by their home or by a group of Active Directory.

    kind: ``pool``, ``site`` or ``group``.
    name: the FQDN of the pool, the name of the site, or the distinguished name of the group.
    nested: whether the members of groups in the group are selected too.
    """

    kind: t.Literal["pool", "site", "group"]
    name: str
    nested: bool = False

    @property
    def filter(self) -> str:
        """Return the LDAP filter that finds the members of the group."""
        return member_filter(self.name, self.nested)

    def __str__(self) -> str:
        return "%s %s%s" % (self.kind, self.name, ", with nested groups" if self.nested else "")


@dataclass(frozen=True)
class Grant:
    """Declare the users of a per-user policy.

    policy: the name of the policy.
    users: the users, as declared.
    place: the place of the list, for messages.
    exclusive: whether users that are not in the list lose the policy.
    absent: whether the users in the list lose the policy.
    selector: selects the users, in place of the list.
    """

    policy: str
    users: tuple[str, ...]
    place: str = "users"
    exclusive: bool = False
    absent: bool = False
    selector: Selector | None = None


@dataclass(frozen=True)
class Federation:
    """These are all declared objects, with the options of the run.

    wanted: the declared objects, by option (policies, partners, gateway, access_edge, federation_routes). A missing
      option does not change.
    grants: the users of policies.
    purge: options whose lists are complete, so that other objects are removed.
    whole: whether the list of policies is from a snapshot. Then a purge removes all other per-user policies, also
      without XMPP.
    parts: the parts of the run.
    also_read: options whose objects are read only for warnings.
    revoked: domains that no partner may have, even if declared (see revoked.py).
    """

    wanted: t.Mapping[str, tuple[Wanted, ...]] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    purge: frozenset[str] = frozenset()
    whole: bool = False
    parts: frozenset[str] = frozenset(PARTS)
    also_read: frozenset[str] = frozenset()
    revoked: tuple[t.Any, ...] = ()

    def writes(self, option: str) -> bool:
        """Return whether the run creates and changes objects of the option."""
        return option in self.wanted and BY_PART[option].limited_as in self.parts

    def purges(self, option: str) -> bool:
        """Return whether the run removes objects that are not listed."""
        kinds = self.parts & set(PURGED)
        included = REMOVALS in self.parts and (option in kinds or not kinds)
        return included and option in self.wanted and option in self.purge

    @property
    def granting(self) -> tuple[Grant, ...]:
        return self.grants if GRANT.part in self.parts else ()

    @property
    def groups(self) -> tuple[Selector, ...]:
        """Return the groups whose members must be read, each once."""
        found = (grant.selector for grant in self.granting)
        return tuple(dict.fromkeys(one for one in found if one and one.kind == "group"))

    def reads(self) -> frozenset[str]:
        """Return the options whose objects the plan depends on."""
        found = {option for option in self.wanted if self.writes(option) or self.purges(option)}
        if self.granting:
            found.add("policies")
        if self.revoked and "partners" in self.parts:
            found.add("partners")
        return frozenset(found | (self.also_read if found & set(PURGED) else set()))
