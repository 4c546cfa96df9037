# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Five deployments in one run against one after the other: ``python -m tests.benchmarks.deployments [--runs N]``.

Each deployment is a lab of its own, with 50 partners of which a run changes all. Three ways, in turn: one run, one run
with --forks 1, and a run for each deployment. Medians of their wall times, as ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
import typing as t
from pathlib import Path

from lab.testing import Lab, running_labs
from tests.integration.plays import Plays

NUMBER, PARTNERS = 5, 50
# Each run declares another description than the one before.
_TEXTS = iter("text %d" % number for number in range(10_000))
# As over a network (see tests/benchmarks/__main__.py).
DELAYS = {"request_seconds": 0.02, "open_seconds": 0.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(dir="/tmp") as name, running_labs(Path(name), NUMBER) as labs:
        for lab in labs:
            for setting, seconds in DELAYS.items():
                lab.store().set_setting(setting, seconds)
        # By name: the deployments of each run, and its arguments.
        ways: dict[str, list[tuple[list[Lab], list[str]]]] = {
            "one run": [(labs, [])],
            "one run, --forks 1": [(labs, ["--forks", "1"])],
            "a run for each": [([lab], []) for lab in labs],
        }
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _run in range(runs):
            for way, parts in ways.items():
                started = time.monotonic()
                for of_run, arguments in parts:
                    _converge(of_run, *arguments)
                taken[way].append(time.monotonic() - started)
        medians = {way: statistics.median(seconds) for way, seconds in taken.items()}
        for way, seconds in medians.items():
            print("%-20s %6.1f s   one run takes %.2f of it" % (way, seconds, medians["one run"] / seconds))


def _converge(labs: t.Sequence[Lab], *arguments: str) -> None:
    text = next(_TEXTS)
    row = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
    partners = [{"domain": "p%02d.example" % n, "description": text, **row} for n in range(PARTNERS)]
    hosts: dict[str, dict[str, t.Any]] = {}
    with contextlib.ExitStack() as stack:
        several = [stack.enter_context(contextlib.closing(Plays(lab))) for lab in labs]
        for plays in several:
            group = plays.hosts()["sfb_management"]
            name = "d-%s" % plays.lab.directory.name
            hosts["fe01-" + name] = {**group["vars"], **group["hosts"]["fe01"], "sfb_xmpp_deployment": name}
        given = {"sfb_xmpp_partners": partners, "sfb_xmpp_update_limit": 100, "sfb_xmpp_replication": "none"}
        content = {"all": {"vars": given, "children": {"sfb_management": {"hosts": hosts}}}}
        inventory = several[0].write("several.yml", content)
        done = several[0].run("sfb.xmpp.converge", *arguments, inventory=inventory)
        if done.code:
            raise SystemExit(done.output)
    for lab in labs:
        if {body["Description"] for body in lab.store().partners().values()} != {text}:
            raise SystemExit("%s was not converged" % lab.directory)


if __name__ == "__main__":
    main()
