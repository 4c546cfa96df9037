# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A converge without changes, of one management host and two Edges: ``python -m tests.benchmarks.no_change``.

Prints its wall time as a multiple of a play of one ``meta: noop`` (the median of pairs in turn), how many tasks did
something, how many sessions were opened on each host, and how often each cmdlet was called there. With ``--slow`` a
session takes 3 s to open and the product's module 15 s to import; then the comparison is the same playbook with one
Edge alone.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import statistics
import tempfile
import time
import typing as t
from pathlib import Path

from lab.testing import Lab, running_lab
from tests.integration.plays import Plays, Run
from tests.integration.test_certificate_playbook import issued, put, variables

NOOP = [{"hosts": "fe01", "gather_facts": False, "tasks": [{"meta": "noop"}]}]
PARTNERS = [
    {
        "domain": "p%02d.example" % number,
        "tls_negotiation": "required",
        "sasl_negotiation": "optional",
        "support_dialback_negotiation": True,
    }
    for number in range(10)
]
SLOW = {"open_seconds": 3.0, "import_seconds": 15.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--slow", action="store_true")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as name,
        running_lab(Path(name)) as lab,
        contextlib.closing(Plays(lab)) as plays,
    ):
        measure(lab, plays, given.pairs, given.slow)


def measure(lab: Lab, plays: Plays, pairs: int, slow: bool) -> None:
    put(plays.directory, issued())
    values = {**variables(plays), "sfb_xmpp_certificate_switch": "converge", "sfb_xmpp_partners": PARTNERS}
    values["sfb_xmpp_partners"].append({"domain": "litware.example"})
    whole = plays.write("all.yml", {"all": {"vars": values, "children": plays.hosts()}})
    one = plays.hosts()["sfb_edge"]
    one["hosts"] = {"edge01": one["hosts"]["edge01"]}
    alone = plays.write("one.yml", {"all": {"vars": values, "children": {"sfb_edge": one}}})
    converge(plays, whole)
    for name, seconds in SLOW.items() if slow else ():
        lab.store().set_setting(name, seconds)
    begin = max(event.id for event in lab.store().events())
    done = converge(plays, whole)
    if any(task.result.get("changed") for task in done.tasks):
        raise SystemExit("something changed:\n" + done.output)
    report(lab, begin, done)
    ratios = []
    for _pair in range(pairs):
        compared = timed(lambda: converge(plays, alone)) if slow else timed(lambda: succeed(plays.run(NOOP)))
        ratios.append(timed(lambda: converge(plays, whole)) / compared)
    against = "one Edge alone" if slow else "a play of one noop"
    print(
        "converge takes %.2f times %s (%s)"
        % (statistics.median(ratios), against, ", ".join("%.2f" % r for r in ratios))
    )


def converge(plays: Plays, inventory: Path) -> Run:
    return succeed(plays.run("sfb.xmpp.converge", "--forks", "4", inventory=inventory))


def succeed(run: Run) -> Run:
    if run.code:
        raise SystemExit(run.output)
    return run


def timed(what: t.Callable[[], t.Any]) -> float:
    started = time.monotonic()
    what()
    return time.monotonic() - started


def report(lab: Lab, begin: int, done: Run) -> None:
    names = list(dict.fromkeys(task.task for task in done.tasks if task.state == "ok"))
    print("%d tasks were not skipped on every host: %s" % (len(names), "; ".join(names)))
    events = lab.store().events(begin)
    opened = collections.Counter(event.host for event in events if event.kind == "session-open")
    print("sessions: %s" % dict(opened))
    for host in sorted(opened):
        calls = collections.Counter(e.cmdlet for e in events if e.kind == "statement" and e.host == host)
        print("  %s: %s" % (host, ", ".join("%s %d" % pair for pair in sorted(calls.items()))))


if __name__ == "__main__":
    main()
