# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One scenario: two runs, with or without a common lock, with or without a fault. All its schedules, and one again."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import re
import sys
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import lock

from tests.explore.jobs import JOBS
from tests.explore.judge import left_by_kill, mistakes, not_finished
from tests.explore.orders import Found, explore, replay
from tests.explore.scheduler import FAULTS, Course, Fault, Party, Told
from tests.explore.world import Deployment, Key, Values

# Of so many schedules, one is followed by a further run.
_AGAIN = 10
_LINE = re.compile(r"(\w+)\+(\w+)( lock)?( statements)?(?: (\w+):([01]):(\d+))?(?: order=([01]*))?$")


@dataclass(frozen=True)
class Scenario:
    """names: of JOBS. shared: whether both runs are on one controller. statements: whether a run stops before each
    statement, and not only before each request.
    """

    names: tuple[str, str]
    shared: bool = False
    fault: Fault | None = None
    statements: bool = False

    def __str__(self) -> str:
        words = ["+".join(self.names), *["lock"] * self.shared, *["statements"] * self.statements]
        if self.fault:
            words.append("%s:%d:%d" % (self.fault.kind, self.fault.party, self.fault.at))
        return " ".join(words)

    def line(self, order: t.Iterable[int]) -> str:
        """What replays one schedule."""
        return "%s order=%s" % (self, "".join(map(str, order)))


def parse(line: str) -> tuple[Scenario, tuple[int, ...]]:
    """The scenario and the order of a line. Raises ValueError."""
    found = _LINE.match(line.strip())
    if not found or not {found[1], found[2]} <= set(JOBS):
        raise ValueError("'%s' must be a line that a failing schedule printed" % line)
    fault = Fault(found[5], int(found[6]), int(found[7])) if found[5] in FAULTS else None
    scenario = Scenario((found[1], found[2]), bool(found[3]), fault, bool(found[4]))
    return scenario, tuple(map(int, found[8] or ""))


@dataclass
class Tally:
    """What became of the schedules. orders: how many there are, counting those that others stand for.

    all_orders: how many there are at all. requests: the most that a run sent. left: of the orders, those in which a
    run that was killed leaves what nobody names. wrong: of the orders, those that fail. failing: lines that replay,
    with what is wrong. met: of those that were carried out, those in which each run sent a request between two of the
    other one.
    """

    carried_out: int = 0
    orders: int = 0
    all_orders: int = 0
    left: int = 0
    wrong: int = 0
    complete: bool = True
    requests: tuple[int, int] = (0, 0)
    met: int = 0
    failing: list[tuple[str, list[str]]] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)


class Trial:
    """Carries out one scenario. homes: directories for locks; two for two controllers."""

    def __init__(self, scenario: Scenario, homes: tuple[str, str]) -> None:
        self.scenario = scenario
        self.homes = (homes[0], homes[0]) if scenario.shared else homes
        self.jobs = (JOBS[scenario.names[0]](0), JOBS[scenario.names[1]](1))
        self.on_edge = (self.jobs[0].on_edge, self.jobs[1].on_edge)
        self.world = Deployment(self.homes, self.on_edge)
        self.rights = self.world.rights()
        self.serial = [self._serial(order) for order in ((0, 1), (1, 0))]

    def _serial(self, order: t.Sequence[int]) -> dict[Key, Values]:
        """The state to which one run after the other leads."""
        world = Deployment(self.homes, self.on_edge)
        for number in order:
            with contextlib.suppress(Refused):
                self.jobs[number].work(world.shell_of(number))
        return world.things()

    def start(self) -> Course:
        self.world = Deployment(self.homes, self.on_edge)
        scenario = self.scenario
        return Course([
            Party(
                n, self.world, job.work, scenario.fault, steps=scenario.statements,
                # The switch of a certificate takes no lock.
                locked=scenario.shared and not job.on_edge,
            )
            for n, job in enumerate(self.jobs)
        ])  # fmt: skip

    def judge(self, course: Course, *, again: bool) -> list[str]:
        told = (course.parties[0].told, course.parties[1].told)
        found = mistakes(self.world, self.jobs, told, self.rights, self.serial)
        return found or (not_finished(self.world, self.jobs) if again else [])

    def all(self, most: int | None = None) -> Tally:
        """most: switches of an order; None: any number."""
        tally = Tally()
        for course, found in explore(self.start, most):
            self._add(tally, course, found)
        tally.complete = most is None
        # With a bound nobody counts the others. So many there are if each run sends all its requests.
        tally.all_orders = tally.orders if tally.complete else math.comb(sum(tally.requests), tally.requests[0])
        return tally

    def _add(self, tally: Tally, course: Course, found: Found) -> None:
        tally.carried_out += 1
        tally.orders += found.orders
        tally.met += self._met(found.order)
        tally.requests = (
            max(tally.requests[0], course.parties[0].requests),
            max(tally.requests[1], course.parties[1].requests),
        )
        states = " and ".join(sorted(_word(party.told) for party in course.parties))
        tally.states[states] = tally.states.get(states, 0) + 1
        told = (course.parties[0].told, course.parties[1].told)
        tally.left += found.orders * left_by_kill(self.world, self.jobs, told, self.rights)
        wrong = self.judge(course, again=not tally.carried_out % _AGAIN)
        if wrong:
            tally.wrong += found.orders
            tally.failing.append((self.scenario.line(found.order), wrong))

    def _met(self, order: t.Sequence[int]) -> bool:
        """Whether the requests of both runs alternate. A beginning that waits for the lock is no request."""
        left = list(order)
        for number, job in enumerate(self.jobs):
            if self.scenario.shared and not job.on_edge:
                left.remove(number)
        return len(list(itertools.groupby(left))) > len(self.jobs)

    def one(self, order: t.Sequence[int]) -> tuple[Course, list[str]]:
        """One schedule again."""
        course = replay(self.start, order)
        return course, self.judge(course, again=True)


def _word(told: Told) -> str:
    if told.state != "done":
        return told.state
    return "success" if told.green and not told.words else "warned" if told.green else "failed"


def with_faults(scenario: Scenario, requests: tuple[int, int]) -> list[Scenario]:
    """The same with each fault at each request of each run."""
    return [
        replace(scenario, fault=Fault(kind, party, at))
        for party in (0, 1)
        for at in range(requests[party])
        for kind in FAULTS
    ]


def prepare() -> None:
    """Once, in the process: what takes a thread for a process, and a second for nothing."""
    # How often a run looks whether the lock is free: the schedules wait for nothing else.
    lock._LOOK = 0.0005
    # Until Python 3.12 a cached property has one lock for all objects. Runs are processes, and share none.
    modules = [module for name, module in sys.modules.items() if name.startswith("ansible_collections.sfb.xmpp")]
    for kind in (value for module in modules for value in vars(module).values() if isinstance(value, type)):
        for value in vars(kind).values():
            if isinstance(value, functools.cached_property) and hasattr(value, "lock"):
                t.cast(t.Any, value).lock = contextlib.nullcontext()
