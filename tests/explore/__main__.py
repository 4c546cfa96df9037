# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every schedule of two runs: ``python -m tests.explore [--pair A+B] [--write PAGE]``.

Ends with 1 where a right is lost, a change is overwritten without a word, or a report is not true. A schedule that
fails is printed as one line, which ``--replay`` carries out again.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import os
import sys
import tempfile
import time
import typing as t
from dataclasses import replace
from pathlib import Path

from tests.explore.jobs import SHIPPED
from tests.explore.page import STATEMENTS, Row, page
from tests.explore.scheduler import FAULTS
from tests.explore.trial import Scenario, Tally, Trial, parse, prepare, with_faults

# Pairs of which the schedules are too many, and the switches between the two runs that are tried instead: without a
# fault, and with one.
BOUNDED = {("certificate", "certificate"): (1, 0)}
# What a kind of scenario is called.
REQUESTS, WITH_FAULT = "no fault", "one fault"


def pairs() -> list[tuple[str, str]]:
    return list(itertools.combinations_with_replacement(SHIPPED, 2))


def on_edge(names: tuple[str, str]) -> bool:
    """Whether one of the two switches a certificate. It takes no lock, and meets nothing but another switch."""
    return "certificate" in names


def explored(names: tuple[str, str], shared: bool) -> list[Row]:
    """All scenarios of a pair."""
    prepare()
    most, with_one = BOUNDED.get(names, (None, None))
    with tempfile.TemporaryDirectory(prefix="sfb-explore-", dir=_memory()) as directory:
        homes = (os.path.join(directory, "one"), os.path.join(directory, "two"))
        scenario = Scenario(names, shared)
        usual = Trial(scenario, homes).all(most)
        found = [Row(names, shared, REQUESTS, 1, usual, most)]
        scenarios = with_faults(scenario, usual.requests)
        tallies = [Trial(one, homes).all(with_one) for one in scenarios]
        found.append(Row(names, shared, WITH_FAULT, len(scenarios), _sum(tallies), with_one))
        if not shared and not on_edge(names):
            inside = Trial(replace(scenario, statements=True), homes).all()
            found.append(Row(names, shared, STATEMENTS, 1, inside, None))
    return found


def _memory() -> str | None:
    """Locks and files of a hundred thousand runs need no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _sum(tallies: t.Iterable[Tally]) -> Tally:
    total = Tally()
    for one in tallies:
        total.carried_out += one.carried_out
        total.orders += one.orders
        total.all_orders += one.all_orders
        total.wrong += one.wrong
        total.left += one.left
        total.complete &= one.complete
        total.failing += one.failing
        for word, number in one.states.items():
            total.states[word] = total.states.get(word, 0) + number
    return total


def again(line: str) -> int:
    """Carry out one schedule, and say how both runs ended."""
    prepare()
    scenario, order = parse(line)
    with tempfile.TemporaryDirectory(prefix="sfb-explore-", dir=_memory()) as directory:
        course, wrong = Trial(scenario, (os.path.join(directory, "one"), os.path.join(directory, "two"))).one(order)
    for party in course.parties:
        words = party.told.words.replace("\n", "\n  ")
        sys.stdout.write(
            "run %d, %s: %s\n  %s\n" % (party.number, scenario.names[party.number], party.told.state, words)
        )
    sys.stdout.write("".join("wrong: %s\n" % text for text in wrong) or "nothing is wrong\n")
    return int(bool(wrong))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.explore", description=__doc__)
    parser.add_argument("--pair", action="append", help="as converge+revoke, instead of all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--replay", metavar="LINE", help="one schedule, as a failing one was printed")
    parser.add_argument("--write", type=Path, help="the page of the documentation")
    given = parser.parse_args()
    if given.replay:
        return again(given.replay)
    chosen = [tuple(pair.split("+")) for pair in given.pair] if given.pair else pairs()
    if any(len(one) != 2 or not {*one} <= {*SHIPPED} for one in chosen):
        parser.error("--pair must name two of %s, as converge+revoke" % ", ".join(SHIPPED))
    works = [
        (t.cast("tuple[str, str]", one), shared) for one in chosen for shared in (False, True)
        if not (shared and on_edge(t.cast("tuple[str, str]", one)))
    ]  # fmt: skip
    works.sort(key=lambda work: work[0] not in BOUNDED)  # what takes longest comes first
    begun, rows = time.monotonic(), []
    with concurrent.futures.ProcessPoolExecutor(given.workers) as pool:
        for found in pool.map(explored, *zip(*works, strict=True)):
            for row in found:
                sys.stdout.write("%s\n" % row)
                remains = row.kind == STATEMENTS
                for line, wrong in row.tally.failing[: 3 if remains else None]:
                    word = "remains" if remains else "FAILS"
                    sys.stdout.write("  %s %s\n    --replay '%s'\n" % (word, "; ".join(wrong), line))
            sys.stdout.flush()
            rows += found
    sys.stdout.write("%d faults of %s, %.0f s\n" % (len(FAULTS), ", ".join(FAULTS), time.monotonic() - begun))
    if given.write:
        given.write.write_text(page(rows), encoding="utf-8")
    return int(any(row.tally.failing for row in rows if row.kind != STATEMENTS))


if __name__ == "__main__":
    sys.exit(main())
