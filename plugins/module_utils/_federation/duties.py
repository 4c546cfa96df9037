# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs that an account can have in the remote management shell, and the cmdlets that each needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .catalogue import BY_PART, GRANT, PARTS, POLICY, REMOVALS, RESOURCES
from .deployment import EFFECTIVE, USERS, getting
from .federation import Federation
from .resource import Resource

# What the job is called that only looks. The others have the name of their tag.
READ = "read"
_GRANTS = (USERS, EFFECTIVE, getting(POLICY)), ("Grant-" + POLICY.noun,)


@dataclass(frozen=True)
class Duty:
    """A job. name: the tag of converge that is the job, or another word. reads, writes: cmdlets."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...] = ()

    @property
    def cmdlets(self) -> tuple[str, ...]:
        return (*self.reads, *self.writes)


def _writing(resource: Resource) -> tuple[str, ...]:
    """The cmdlets that write a kind."""
    verbs = ("Set",) if resource.fixed or resource.single else ("New", "Set", "Remove")
    return tuple("%s-%s" % (verb, resource.noun) for verb in verbs)


def _of_tag(tag: str) -> Duty:
    if tag == GRANT.part:
        return Duty(tag, *_GRANTS)
    own = [one for one in RESOURCES if tag in (one.tag or one.limited_as, one.limited_as)]
    # Who has a policy is read before it changes, so that nobody loses rights.
    users = (USERS,) if POLICY in own else ()
    return Duty(tag, (*map(getting, own), *users), tuple(name for one in own for name in _writing(one)))


_SHARED = {one.limited_as for one in RESOURCES if one.tag}
AT_DOORS = (
    Duty(READ, tuple(map(getting, RESOURCES))),
    *(_of_tag(part) for part in PARTS if part != REMOVALS and part not in _SHARED),
)


def cmdlets_of(federation: Federation) -> tuple[str, ...]:
    """What an account needs for all that is declared, as far as the run is limited to it."""
    found: list[str] = []
    for option in sorted(federation.reads()):
        found.append(getting(BY_PART[option]))
        if federation.writes(option) or federation.purges(option):
            found += _writing(BY_PART[option])
    if federation.granting:
        found += [name for names in _GRANTS for name in names]
    return tuple(dict.fromkeys(found))
