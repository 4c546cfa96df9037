# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault at every message: ``python -m tests.faults [--most N] [--pairs N] [--write PAGE]``.

Ends with 1 where anything is lost or done twice, or a further run does not converge.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import dataclasses
import itertools
import json
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from tests.faults.place import FAULTS, NAMES, STATEMENTS
from tests.faults.together import TASKS, Pair, pair
from tests.faults.trial import Verdict, course, places, trial
from tests.faults.world import SCENARIOS, Partners, world_of

_STATEMENT_WORDS = {
    "cut_before_statement": "The server drops the session before a statement takes effect.",
    "cut_after_statement": "The server drops the session after a statement took effect.",
    "error_at_statement": "The server refuses a statement, once.",
}


def tried(name: str, faults: t.Sequence[str], most: int) -> list[Verdict]:
    """All trials of a scenario with some faults, in a world of their own."""
    scenario = SCENARIOS[name]()
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="sfb-faults-") as directory,
        world_of(scenario, Path(directory) / "world") as world,
    ):
        usual = course(scenario, world)
        for fault in faults:
            for place in places(usual, fault, most):
                begun = time.monotonic()
                found.append(trial(scenario, world, usual, fault, place))
                text = "%s, %s at %d: %.1f s\n" % (name, fault, place, time.monotonic() - begun)
                sys.stderr.write(text)
    return found


def pairs(task: str, words: tuple[str, str], homes: tuple[str, str], number: int) -> list[Pair]:
    """Two runs at once, so many times."""
    with (
        tempfile.TemporaryDirectory(prefix="sfb-faults-") as directory,
        world_of(Partners(), Path(directory) / "world") as world,
    ):
        return [pair(world, task, words, homes) for _turn in range(number)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--most", type=int, default=0, help="places of a fault in a scenario; 0: all")
    parser.add_argument("--pairs", type=int, default=50, help="how often two runs are started together; 0: never")
    parser.add_argument("--scenario", action="append", choices=[*SCENARIOS, "none"], help="instead of all")
    parser.add_argument("--fault", action="append", choices=list(NAMES), help="instead of all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, help="a file that results are added to, and read from")
    parser.add_argument("--write", type=Path, help="the page of the documentation")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sfb-faults-") as directory:
        results = given.results or Path(directory) / "results.jsonl"
        with results.open("a", encoding="utf-8") as file, concurrent.futures.ProcessPoolExecutor(given.workers) as pool:
            futures: dict[concurrent.futures.Future[t.Any], str] = {}
            for task, (title, words, homes) in itertools.product(TASKS if given.pairs else (), KINDS):
                futures[pool.submit(pairs, task, words, homes, given.pairs)] = "%s, %s" % (WORDS[task], title)
            for name, fault in itertools.product(given.scenario or SCENARIOS, given.fault or NAMES):
                if name in SCENARIOS:
                    futures[pool.submit(tried, name, [fault], given.most)] = "%s, %s" % (name, fault)
            for future in concurrent.futures.as_completed(futures):
                found = [dataclasses.asdict(one) for one in future.result()]
                wrong = [one for one in found if one["mistakes"] or one.get("lost")]
                sys.stdout.write("%s: %d tried, %d wrong\n" % (futures[future], len(found), len(wrong)))
                sys.stdout.write("".join("  %s\n" % one for one in wrong))
                sys.stdout.flush()
                file.writelines(json.dumps({"title": futures[future], **one}) + "\n" for one in found)
                file.flush()
        lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    together: dict[str, list[Pair]] = {}
    verdicts = []
    for line in lines:
        title = line.pop("title")
        if "scenario" in line:
            verdicts.append(Verdict(**line))
        else:
            together.setdefault(title, []).append(Pair(tuple(line["told"]), line["lost"], line["mistakes"]))
    if given.write:
        given.write.write_text(page(verdicts, together), encoding="utf-8")
    kept = [one for title, ones in together.items() if "two controllers" not in title for one in ones]
    return int(any(one.mistakes for one in verdicts) or any(one.lost or one.mistakes for one in kept))


KINDS = (
    ("other lists, one controller", ("ours", "theirs"), ("home", "home")),
    ("the same list, one controller", ("ours", "ours"), ("home", "home")),
    ("other lists, two controllers", ("ours", "theirs"), ("home", "elsewhere")),
)
WORDS = {"federation": "converge", "partners": "xmpp_federated_partners"}


def page(verdicts: t.Sequence[Verdict], together: t.Mapping[str, t.Sequence[Pair]]) -> str:
    """The results as a page of the documentation."""
    rows = [["Run", "Fault", "Places tried", "Success", "Failed", "Refused", "Killed", "Converged", "Lost", "Twice"]]
    for scenario, fault in itertools.product(SCENARIOS, NAMES):
        own = [one for one in verdicts if (one.scenario, one.fault) == (scenario, fault)]
        if not own:
            continue
        told = collections.Counter(one.told for one in own)
        counts = [len(own), *(told[word] for word in ("success", "failures", "refused", "killed"))]
        ends = [sum(one.converged for one in own), sum(one.lost for one in own), sum(one.doubled for one in own)]
        rows.append([scenario, fault.replace("_", " "), *map(str, (*counts, *ends))])
    pairs_rows = [
        ["Two at once", "Pairs", "Both succeed", "One is refused", "One fails or warns", "Lost without a message"]
    ]
    for title, ones in together.items():
        if ones:
            both = sum(one.told == ("success", "success") for one in ones)
            refused = sum("refused" in one.told for one in ones)
            failures = sum("failures" in one.told or "warned" in one.told for one in ones)
            lost = sum(bool(one.lost) for one in ones)
            pairs_rows.append([title, *map(str, (len(ones), both, refused, failures, lost))])
    meanings = [(name, str(fault.__doc__)) for name, fault in FAULTS.items()]
    meanings += [(name, _STATEMENT_WORDS[name]) for name in STATEMENTS]
    told_of = "\n".join("%s\n  %s\n" % (name.replace("_", " "), text) for name, text in meanings)
    total = "%d trials: %d converged in the next run, %d steps lost, %d writes done twice." % (
        len(verdicts),
        sum(one.converged for one in verdicts),
        sum(one.lost for one in verdicts),
        sum(one.doubled for one in verdicts),
    )
    return _PAGE % {"total": total, "faults": told_of, "rows": _csv(rows), "pairs": _csv(pairs_rows)}


def _csv(rows: t.Sequence[t.Sequence[str]]) -> str:
    return "\n".join("   " + ", ".join('"%s"' % cell for cell in row) for row in rows)


_PAGE = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.faults:

Fault tests
===========

``make faults`` makes this page. The command repeats four runs against the lab, over TLS. In each run, one message or
one statement has one fault. The runs are:

* a converge with policies, grants, 30 partners, gateway and Access Edge settings, and removals;
* the switch of the certificate on a pool of two Edge servers;
* a restore;
* a decommission: partners and XMPP access, then the route, then the certificate.

After each run, the test checks:

* Each object is either unchanged or as planned.
* The result lists the steps that are done, not done and unknown.
* The next run converges. A further run changes nothing.

*Lost* counts steps that a run reported as done but did not do, and steps that the next run does not do. *Twice*
counts writes that were carried out more than once. Writes that the network repeated are not counted.


%(total)s

.. csv-table::
   :header-rows: 1
   :widths: auto

%(rows)s

The faults
----------

%(faults)s
Two runs at once
----------------

Two runs start at the same time. Each run sets its own values on the same partners, and removes all other partners. On
one controller, the runs take turns. The second run finds changed objects, and is refused. *Lost without a message*
counts changes that the other run replaced without reading these changes, while both runs reported success.

Two controllers do not share a lock. Before a request changes objects, the request reads these objects.
Afterwards, the run reads the objects again. For the limits of this check, see
:ref:`ansible_collections.sfb.xmpp.docsite.schedules`.


.. csv-table::
   :header-rows: 1
   :widths: auto

%(pairs)s
"""


if __name__ == "__main__":
    sys.exit(main())
