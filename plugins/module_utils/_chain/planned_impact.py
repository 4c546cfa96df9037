# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute the effect of a run's plan on users, and refuse the run if the effect is above the limit.

All users are read once. If the plan has no steps, no user is read. The comparison is imported only if needed: most runs
do not compare users.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.result import Params, Refused, ServerRefused
from .._base.step import Step
from .._federation.deployment import Deployment, Reader, User
from .._federation.guard import IMPACT, Guard, impact_mistakes
from .._topology.topology import Topology
from .known import Known

if t.TYPE_CHECKING:
    from .impact import Change, Impact

# The number of names in a group of users in the result of the task. The plan file has all names.
NAMED = 100
_LIMITED: tuple[t.Literal["lose", "gain"], ...] = ("lose", "gain")


class PlannedImpact:
    """Compute the effect of a plan on users, and check the limit.

    name: returns the name of an option in messages.
    wanted: whether the effect is to be shown, even without a limit.

    Raises Refused for an invalid limit.
    """

    def __init__(self, params: Params, name: t.Callable[[str], str], wanted: bool) -> None:
        given = params["impact_limit"] or {}
        self._limits = {change: given[change] for change in _LIMITED if given.get(change) is not None}
        self._name = name
        self._guard = Guard(allow=frozenset(params["allow"]), force=bool(params["force"]), called=name, several=True)
        if mistakes := impact_mistakes(given):
            raise Refused([name("impact_limit") + text for text in mistakes])
        self.wanted = wanted or bool(self._limits)
        self._found: Impact | None = None  # None: not checked

    def look(
        self, reader: Reader, topology: Topology, before: Deployment, after: Deployment, steps: t.Sequence[Step]
    ) -> None:
        """Compute the effect.

        before: all kinds of objects, as read before the plan.
        after: the expected objects of all kinds after the steps, with the users.
        """
        if not self.wanted or not steps:
            return
        from .impact import Impact, impact
        from .reach import who_may_talk

        try:
            users = after.users if after.all_users else reader.with_all_users(after).users
        except ServerRefused as exc:
            self._found = Impact(unread="the users (%s)" % exc)
            return
        grants = {step.key: step for step in steps if step.part == "grants"}
        had, gets = (_with_policies(users, grants, now) for now in (True, False))
        names = {key: user.name for key, user in users.items()}
        self._found = impact(
            who_may_talk(Known(topology, replace(before, users=had, all_users=True))),
            who_may_talk(Known(topology, replace(after, users=gets, all_users=True))),
            names,
        )

    def refusals(self) -> list[str]:
        """Return the reasons why the run must not start."""
        found = self._found
        if found is None or not self._limits or self._guard.allows(IMPACT):
            return []
        if found.unread:
            text = "%s: it is unknown which users gain or lose a partner. Not read: %s"
            return [text % (self._name("impact_limit"), found.unread) + self._remedy]
        return [text for change, most in self._limits.items() if (text := self._above(found, change, most))]

    def _above(self, found: Impact, change: Change, most: int) -> str:
        number, possible = found.number(change), found.at_most[change]
        if possible <= most:
            return ""
        told = (self._name("impact_limit"), change, number, change, most)
        text = "%s.%s: %d users would %s a partner; the limit is %d"
        if number <= most:
            told = (self._name("impact_limit"), change, possible, change, most)
            text = "%s.%s: up to %d users would %s a partner (the effect on some users is unknown); the limit is %d"
        return text % told + ". To see their names, run in check mode with -v or with a plan file" + self._remedy

    @property
    def _remedy(self) -> str:
        return ". To run anyway, add %s to %s" % (IMPACT, self._name("allow"))

    def lines(self, check: bool) -> list[str]:
        """Return the lines below the plan: at most three lines, and the refusals by the limit."""
        if self._found is None:
            return []
        from .impact import lines

        refused = self.refusals() if check else []
        text = "A real run would be refused before its first write: %s"
        return [*lines(self._found), *(text % one for one in refused)]

    def values(self) -> dict[str, t.Any]:
        """Return the key for the task's result."""
        return {} if self._found is None else {"impact": self._found.as_dict(NAMED)}

    def of_plan(self) -> dict[str, t.Any]:
        """Return the key for the plan file, with all names."""
        return {} if self._found is None else {"impact": self._found.as_dict()}


def _with_policies(users: t.Mapping[str, User], grants: t.Mapping[str, Step], now: bool) -> dict[str, User]:
    """Return the users with their policies.

    now: whether to use the policies before the grants; otherwise the policies after the grants.
    """
    found = dict(users)
    for key, step in grants.items():
        if key in found:
            values = (step.before if now else step.after) or {}
            found[key] = replace(found[key], policy=str(values.get("policy") or ""))
    return found
