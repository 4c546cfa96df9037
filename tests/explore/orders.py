# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All orders of the requests of two runs, but for orders that differ only in requests that may change places.

Sleep sets (P. Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, chapter 5): of the orders
that lead to the same result by the exchange of neighbours, one is carried out.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field

from tests.explore.footprint import Footprint, independent
from tests.explore.scheduler import Course


@dataclass
class _Node:
    """A state on the way. ready: who can move. sleep: whose move here leads to nothing new. tried: whose was."""

    ready: dict[int, Footprint]
    sleep: frozenset[int]
    chosen: int
    tried: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Found:
    """One order that was carried out. orders: how many orders it stands for, itself included."""

    order: tuple[int, ...]
    orders: int


def explore(
    start: t.Callable[[], Course], most: int | None = None, *, reduce: bool = True
) -> t.Iterator[tuple[Course, Found]]:
    """Each course at its end, with its order. most: switches between runs that an order may have; None: any number.

    reduce: whether one order stands for others. With a bound none does: they differ in switches.
    """
    reduce = reduce and most is None
    path: list[_Node] = []
    while True:
        course = start()
        complete = _carry_out(course, path, most, reduce=reduce)
        if complete:
            order = tuple(node.chosen for node in path)
            yield course, Found(order, _orders(path) if reduce else 1)
        else:
            course.end()
        while path:
            node = path[-1]
            node.tried.add(node.chosen)
            left = _candidates(path[:-1], node, most)
            if left:
                node.chosen = left[0]
                break
            path.pop()
        if not path:
            return


def replay(start: t.Callable[[], Course], order: t.Sequence[int]) -> Course:
    """One course in an order; when the order ends, on as it comes."""
    course = start()
    for number in order:
        if number in course.ready:
            course.move(number)
    while ready := course.ready:
        course.move(min(ready))
    return course


def _carry_out(course: Course, path: list[_Node], most: int | None, *, reduce: bool) -> bool:
    """Along the path, and on to the end. False: what remains leads to nothing new."""
    step = 0
    while ready := course.ready:
        if step == len(path):
            node = _Node(ready, _sleeping(path, ready) if reduce else frozenset(), -1)
            left = _candidates(path, node, most)
            if not left:
                return False
            node.chosen = left[0]
            path.append(node)
        course.move(path[step].chosen)
        step += 1
    return True


def _sleeping(path: t.Sequence[_Node], ready: t.Mapping[int, Footprint]) -> frozenset[int]:
    """Those whose move was tried before the last one, and would lead to the same after it."""
    if not path:
        return frozenset()
    last = path[-1]
    asleep = (last.sleep | last.tried) - {last.chosen}
    return frozenset(n for n in asleep if n in ready and independent(last.ready[n], last.ready[last.chosen]))


def _candidates(path: t.Sequence[_Node], node: _Node, most: int | None) -> list[int]:
    """Who may be chosen: first who moved last."""
    last = path[-1].chosen if path else -1
    found = sorted(set(node.ready) - node.sleep - node.tried, key=lambda number: (number != last, number))
    if most is None:
        return found
    switches = _switches(path)
    return [n for n in found if switches + (last in node.ready and n != last) <= most]


def _switches(path: t.Sequence[_Node]) -> int:
    """How often a run was stopped that could have gone on."""
    pairs = itertools.pairwise(path)
    return sum(one.chosen != other.chosen and one.chosen in other.ready for one, other in pairs)


def _orders(path: t.Sequence[_Node]) -> int:
    """How many orders differ from this one only in requests that may change places. For two runs."""
    own: tuple[list[Footprint], list[Footprint]] = ([], [])
    need: tuple[list[int], list[int]] = ([], [])  # by move, how many of the other run have to come before it
    for step, node in enumerate(path):
        who, what = node.chosen, node.ready[node.chosen]
        other = own[1 - who]
        before = [n for n, one in enumerate(other) if not independent(one, what)]
        waited = step and who not in path[step - 1].ready
        need[who].append(len(other) if waited else before[-1] + 1 if before else 0)
        own[who].append(what)
    ways = [[0] * (len(own[1]) + 1) for _move in range(len(own[0]) + 1)]
    ways[0][0] = 1
    for i in range(len(own[0]) + 1):
        for j in range(len(own[1]) + 1):
            if i and need[0][i - 1] <= j:
                ways[i][j] += ways[i - 1][j]
            if j and need[1][j - 1] <= i:
                ways[i][j] += ways[i][j - 1]
    return ways[-1][-1]
