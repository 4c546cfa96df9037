# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The deployment that two runs share, with a log of who changed what, and what they had seen of it."""

from __future__ import annotations

import copy
import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import ACCESS_EDGE, PARTNER, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.rules import RIGHTS
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, Statement

from tests.explore.footprint import ALL, footprint
from tests.unit.certificates import EVERYTHING, EdgeShell, Issued, elliptic_key, intermediate, issue
from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import user

# What a user may do: the property of each right.
PROPERTIES = {right: POLICY.field(option).prop for right, option in RIGHTS.items()}
_FULL = {"EnableFederationAccess": True, "EnableOutsideAccess": True, "EnableXmppAccess": True}
# An object by its kind and key, and all its properties; None where there is none.
Key = tuple[str, str]
Values = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Overwrite:
    """A change of one run that another one replaced without having read it. request: the writer's."""

    party: int
    request: int
    other: int
    thing: Key
    name: str


class Deployment:
    """A Server of the scheduler: a Front End and an Edge.

    homes: Ansible's directory of each run; runs with the same one share a lock. on_edge: which runs work on the Edge.
    executed: by run, the writes that were carried out. overwrites: see there.
    """

    def __init__(self, homes: tuple[str, str], on_edge: tuple[bool, bool] = (False, False)) -> None:
        self.homes, self.on_edge = homes, on_edge
        self.shell = front_end()
        self.edge = edge() if any(on_edge) else None
        self.executed: tuple[list[Statement], list[Statement]] = ([], [])
        self.overwrites: list[Overwrite] = []
        self._clock = 0
        self._seen: dict[tuple[int, Key], list[tuple[int, int]]] = {}  # (request, time) of a run's readings
        self._written: dict[tuple[Key, str], tuple[int, int]] = {}  # by property, who wrote it last, and when

    def place(self, party: int) -> Place:
        return Place(host="fe01", home=self.homes[party])

    def invoke(self, party: int, request: int, statements: t.Sequence[Statement]) -> Answer:
        shell = self.shell_of(party)
        if statements[0].cmdlet == "Get-Command":
            return shell.invoke(statements)
        total = Answer()
        for statement in statements:
            self._clock += 1
            if statement.is_read:
                for thing in footprint([statement]).reads:
                    self._seen.setdefault((party, thing), []).append((request, self._clock))
                total += shell.invoke([statement])
                continue
            before = self.things()
            answer = shell.invoke([statement])
            total += answer
            if not answer.errors:
                self.executed[party].append(statement)
                self._note(party, request, before)
        return total

    def shell_of(self, party: int) -> MemoryShell | EdgeShell:
        """The server of a run, for a run by itself."""
        self.shell.place = self.place(party)
        return self.edge if self.on_edge[party] and self.edge else self.shell

    def _note(self, party: int, request: int, before: t.Mapping[Key, Values]) -> None:
        after = self.things()
        for thing in {*before, *after}:
            had, has = before.get(thing, {}), after.get(thing, {})
            if had == has or thing[0] in ("service", "file"):
                continue
            for prop in {*had, *has}:
                if had.get(prop) == has.get(prop):
                    continue
                writer, when = self._written.get((thing, prop), (party, 0))
                if writer != party and not self._saw(party, request, thing, when):
                    self.overwrites.append(Overwrite(party, request, writer, thing, thing[1]))
                self._written[thing, prop] = (party, self._clock)

    def _saw(self, party: int, request: int, thing: Key, since: int) -> bool:
        """Whether a run had read a thing, in an earlier request than the one that writes, as it was left."""
        looks = [*self._seen.get((party, thing), ()), *self._seen.get((party, (thing[0], ALL)), ())]
        return any(number < request and time > since for number, time in looks)

    def things(self) -> dict[Key, Values]:
        """Everything that runs change."""
        found: dict[Key, Values] = {
            (noun, key.removeprefix("tag:")): {k: v for k, v in item.items() if k != "Anchor"}
            for noun, items in self.shell.store.items()
            for key, item in items.items()
        }
        found |= {("CsUser", one["SipAddress"]): {"policy": one["ExternalAccessPolicy"]} for one in self.shell.users}
        if self.edge is not None:
            found |= {("assigned", usage): {"has": thumbprint} for usage, thumbprint in self.edge.assigned.items()}
            found["service", ALL] = {"running": self.edge.running, "presents": self.edge.presented}
            found["file", ALL] = {"names": sorted(self.edge.files)}
        return copy.deepcopy(found)

    def rights(self) -> dict[str, set[str]]:
        """What each user may do, by the policy of their own or the one of all."""
        policies = self.shell.store[POLICY.noun]
        found = {}
        for one in self.shell.users:
            policy = policies.get((one["ExternalAccessPolicy"] or "Global").lower(), {})
            found[str(one["SipAddress"])] = {right for right, prop in PROPERTIES.items() if policy.get(prop)}
        return found


def front_end() -> MemoryShell:
    shell = MemoryShell()
    shell.put(ACCESS_EDGE.noun, "Global", {"AllowOutsideUsers": True, "AllowFederatedUsers": True})
    shell.put(POLICY.noun, "Global", _FULL)
    for name in ("Tag:X", "Tag:Y"):
        shell.put(POLICY.noun, name, _FULL)
    for name in ("a.test", "b.test"):
        shell.put(PARTNER.noun, name, {"SaslNegotiation": "Optional", "Description": "first"})
    shell.users = [user("ann"), user("bob", "Y")]
    return shell


def edge() -> EdgeShell:
    """An Edge on which every usage has the former certificate."""
    former = certificate("former")
    return EdgeShell(
        store={former.thumbprint: (former.der, True)},
        assigned=dict.fromkeys(EVERYTHING, former.thumbprint),
        presented=former.thumbprint,
    )


@functools.cache
def certificate(word: str) -> Issued:
    """One certificate for each word."""
    return issue(issuer=intermediate(), key=elliptic_key(), days=190 if word == "former" else 365)
