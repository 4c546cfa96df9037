# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the jobs of accounts in the remote management shell, with the cmdlets that each job needs."""

from __future__ import annotations

from dataclasses import dataclass

from .catalogue import BY_PART, GRANT, PARTS, POLICY, REMOVALS, RESOURCES
from .deployment import EFFECTIVE, USERS, getting
from .federation import Federation
from .resource import Resource

# The name of the job that only reads. The other jobs have the name of their tag.
READ = "read"
_GRANTS = (USERS, EFFECTIVE, getting(POLICY)), ("Grant-" + POLICY.noun,)


@dataclass(frozen=True)
class Duty:
    """Describe a job.

    name: the tag of the playbook ``converge`` for the job, or ``read``.
    reads: the cmdlets that read.
    writes: the cmdlets that write.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...] = ()

    @property
    def cmdlets(self) -> tuple[str, ...]:
        return (*self.reads, *self.writes)


def _writing(resource: Resource) -> tuple[str, ...]:
    """Return the cmdlets that write a kind."""
    verbs = ("Set",) if resource.fixed or resource.single else ("New", "Set", "Remove")
    return tuple("%s-%s" % (verb, resource.noun) for verb in verbs)


def _of_tag(tag: str) -> Duty:
    if tag == GRANT.part:
        return Duty(tag, *_GRANTS)
    own = [one for one in RESOURCES if tag in (one.tag or one.limited_as, one.limited_as)]
    # The users of a policy are read before the policy changes, so that no user loses rights.
    users = (USERS,) if POLICY in own else ()
    return Duty(tag, (*map(getting, own), *users), tuple(name for one in own for name in _writing(one)))


_SHARED = {one.limited_as for one in RESOURCES if one.tag}
AT_DOORS = (
    Duty(READ, tuple(map(getting, RESOURCES))),
    *(_of_tag(part) for part in PARTS if part != REMOVALS and part not in _SHARED),
)


def cmdlets_of(federation: Federation) -> tuple[str, ...]:
    """Return the cmdlets that an account needs for the declared objects in the parts of the run."""
    found: list[str] = []
    for option in sorted(federation.reads()):
        found.append(getting(BY_PART[option]))
        if federation.writes(option) or federation.purges(option):
            found += _writing(BY_PART[option])
    if federation.granting:
        found += [name for names in _GRANTS for name in names]
    return tuple(dict.fromkeys(found))
