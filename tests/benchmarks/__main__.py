# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Benchmarks against the lab: ``python -m tests.benchmarks [--quick | --full] [--json FILE]``; ``make bench`` runs it.

Every figure is the median of several runs, contenders in turn, so that a busy moment hits them all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.request
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from lab.remoting.server import TRAFFIC
from lab.testing import Lab, running_lab
from tests.benchmarks.contenders import CONTENDERS, DESCRIPTION, OPENING, PROPERTIES, Contender, Setting, domain

TOP = Path(__file__).resolve().parents[2]
OLD = "as somebody else left it"
# Lengths of the list with the shares of it that have to be changed, in per cent.
SHARES = (0, 1, 100)
DEFAULT = ((1, (0, 100)), (20, (0, 100)), *((number, SHARES) for number in (100, 1_000, 10_000)))
FULL = tuple((number, SHARES) for number in (1, 100, 200, 1_000, 10_000))
QUICK = ((1, (100,)), (20, (0,)))
# Compared from beginning to end, the opening of their session included.
WHOLE = ("own_session", "converge")


@dataclass(frozen=True)
class Figures:
    """Medians of one contender for one case, in seconds and bytes.

    work and own: the seconds and requests beyond an open session. A play's are those of its last task; before that
    comes a trivial one, for which the session opens. receives: the requests for output, more of a slow server.
    """

    contender: str
    partners: int
    changed: int
    runs: int
    wall: float
    work: float
    cpu: float
    requests: int
    own: int
    receives: int
    received: int
    sent: int
    memory: int


def main(argv: t.Sequence[str] | None = None) -> int:
    """Exit code 0; 1 if a contender failed."""
    options = _options(argv)
    cases = FULL if options.full else QUICK if options.quick else DEFAULT
    if options.partners:
        cases = tuple((number, tuple(options.changed)) for number in options.partners)
    runs = options.runs or (1 if options.quick else 5)
    figures: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="sfb.", dir="/tmp") as name, running_lab(Path(name) / "lab") as lab:
        for setting, seconds in (("request", options.round_trip), ("open", options.open), ("cmdlet", options.cmdlet)):
            lab.store().set_setting(setting + "_seconds", seconds)
        print(TITLE, flush=True)
        for number, shares in cases:
            setting_of = Setting(lab, Path(name), number)
            for share in shares:
                for found in _case(lab, setting_of, share, runs, [c for c in CONTENDERS if _fits(c, number, options)]):
                    figures.append(found)
                    print(_line(found), flush=True)
    _compare(figures)
    conditions = {name: getattr(options, name) for name in ("round_trip", "open", "cmdlet")}
    _save(options.json, conditions, figures)
    return 0


def _options(argv: t.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a few small cases once, to see that it works")
    size.add_argument("--full", action="store_true", help="all cases and larger lists for the slow ones: hours")
    parser.add_argument("--partners", type=int, nargs="+", help="lists of these lengths instead")
    parser.add_argument("--changed", type=int, nargs="+", default=[0, 1, 100], help="with these shares, in per cent")
    parser.add_argument("--contenders", nargs="+", choices=[c.name for c in CONTENDERS], help="these instead of all")
    parser.add_argument("--runs", type=int, help="runs of each case (5)")
    parser.add_argument("--round-trip", type=float, default=0.02, help="seconds added to every HTTP request")
    parser.add_argument("--open", type=float, default=0.5, help="seconds added to the opening of a session")
    parser.add_argument("--cmdlet", type=float, default=0.0, help="seconds added to every cmdlet")
    parser.add_argument("--json", type=Path, default=TOP / "build" / "bench" / "figures.json", help="where to write")
    return parser.parse_args(argv)


def _fits(contender: Contender, number: int, options: argparse.Namespace) -> bool:
    chosen = not options.contenders or contender.name in (*options.contenders, "trivial")
    return chosen and number <= (contender.full if options.full else contender.most)


def _case(lab: Lab, setting: Setting, share: int, runs: int, chosen: t.Sequence[Contender]) -> t.Iterator[Figures]:
    """The medians of each contender."""
    number = setting.number
    taken: dict[str, list[dict[str, float]]] = {one.name: [] for one in chosen}
    for _run in range(runs):
        for one in chosen:
            _fill(lab, number, share)
            taken[one.name].append(_measure(lab, setting, one))
            _check(lab, one, number)
    ground = statistics.median(run["requests"] for run in taken["trivial"])
    opening = _measure(lab, setting, OPENING)["requests"]
    for one in chosen:
        median = {name: statistics.median(run[name] for run in taken[one.name]) for name in taken[one.name][0]}
        base = opening if one.name in ("floor", "script_and_play") else 0 if one.name in WHOLE else ground
        own = median["requests"] - base
        yield Figures(
            one.name, number, share, runs, median["wall"], median["work"], median["cpu"], int(median["requests"]),
            int(own), int(median["receives"]), int(median["received"]), int(median["sent"]), int(median["memory"]),
        )  # fmt: skip


def _fill(lab: Lab, number: int, share: int) -> None:
    """The deployment before a run: so many partners, of which a share has another description."""
    store = lab.store()
    different = max(1, number * share // 100) if share else 0
    rest: dict[str, t.Any] = {"AdditionalDomains": [], "ConnectionLimit": None, "EnableKeepAlive": True}
    rest.update(PartnerType="PublicUnverified", ProxyFqdn=None, **PROPERTIES)
    with store.transaction():
        store.sql("DELETE FROM event")
        store.sql("DELETE FROM document WHERE kind='partner'")
        for i in range(number):
            text = OLD if i < different else DESCRIPTION
            store.put("partner", domain(i), {**rest, "Description": text})


def _measure(lab: Lab, setting: Setting, contender: Contender) -> dict[str, float]:
    before = traffic(lab)
    command = [sys.executable, "-m", "tests.benchmarks.measure", *setting.command(contender)]
    done = subprocess.run(command, cwd=TOP, env=setting.environment(), stdout=subprocess.PIPE, text=True, check=False)
    found: dict[str, t.Any] = json.loads(done.stdout)
    output = found.pop("output")
    if found.pop("code"):
        raise SystemExit("%s failed:\n%s" % (contender.name, output))
    said = re.search(r"^work ([0-9.]+)", output, re.MULTILINE)
    # What a task per partner without this collection does begins with opening its sessions.
    found["work"] = float(said[1]) if said and contender.name not in (*WHOLE, "script_and_play") else found["wall"]
    return {**found, **{name: value - before[name] for name, value in traffic(lab).items()}}


def _check(lab: Lab, contender: Contender, number: int) -> None:
    """Whoever is fast because it does nothing is no contender."""
    if contender.name == "trivial":
        return
    there = lab.store().partners()
    if len(there) != number or any(body["Description"] != DESCRIPTION for body in there.values()):
        raise SystemExit("%s did not do the work" % contender.name)


def traffic(lab: Lab) -> dict[str, int]:
    """Bytes and requests so far: ``sent`` and ``received`` by the lab, ``requests``, ``receives``."""
    url = "https://%s:%d%s" % (lab.addresses["fe01"], lab.port, TRAFFIC)
    with urllib.request.urlopen(url, context=ssl.create_default_context(cafile=str(lab.ca))) as answer:
        return t.cast("dict[str, int]", json.load(answer))


TITLE = "%-12s %8s %8s %5s %9s %9s %9s %9s %9s %9s %9s %9s" % (
    *("contender", "partners", "changed", "runs", "wall s", "work s", "cpu s"),
    *("requests", "own", "kB there", "kB back", "peak MB"),
)


def _line(one: Figures) -> str:
    return "%-12s %8d %7d%% %5d %9.2f %9.2f %9.2f %9d %9d %9.0f %9.0f %9.0f" % (
        *(one.contender, one.partners, one.changed, one.runs, one.wall, one.work, one.cpu, one.requests, one.own),
        *(one.received / 1e3, one.sent / 1e3, one.memory / 1e6),
    )


def _compare(figures: list[Figures]) -> None:
    """How the module's work compares with that of the others, and converge with its script, where both were tried."""
    by_case = {(one.contender, one.partners, one.changed): one for one in figures}
    for plural in figures:
        if plural.contender == "plural":
            for one in figures:
                same = (one.partners, one.changed) == (plural.partners, plural.changed)
                if same and one.contender not in ("plural", "trivial", "script_and_play", "converge"):
                    print(
                        "%d partners, %d %% changed: plural takes %.2f times the work of %s, and %+d requests"
                        % (one.partners, one.changed, plural.work / one.work, one.contender, plural.own - one.own)
                    )
    for (name, partners, changed), one in by_case.items():
        script = by_case.get(("script_and_play", partners, changed))
        if name == "converge" and script:
            text = "%d partners, %d %% changed: converge takes %.2f times the time of script and play"
            print(text % (partners, changed, one.wall / script.wall))


def _save(path: Path, conditions: dict[str, float], figures: list[Figures]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "ansible-core": version("ansible-core"),
        "pypsrp": version("pypsrp"),
        "processors": os.cpu_count(),
        "seconds added": conditions,
        "figures": [asdict(one) for one in figures],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print("written to %s" % path)


if __name__ == "__main__":
    sys.exit(main())
