# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The export of a decommission, an audit, and the onboarding of a partner: ``python -m tests.benchmarks.way_out``.

Prints the wall time of each playbook, its computing time, and the seconds of its slowest tasks. The audit does not
probe, since that is the partners' time. Medians of several runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import resource
import shutil
import statistics
import tempfile
import time
import typing as t
from pathlib import Path

from lab.testing import Lab, running_lab
from tests.benchmarks.__main__ import _fill as fill
from tests.integration.plays import Plays
from tests.integration.test_probe import DOMAIN, OWN, good
from tests.integration.xmpp_peer import NameServer, Peer
from tests.unit import certificates

HERE = Path(__file__).resolve().parent
ENVIRONMENT = {
    "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
    "ANSIBLE_CALLBACKS_ENABLED": "task_seconds",
}
SENTENCE = "yes, remove XMPP from default"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--partners", type=int, nargs="+", default=[0, 17, 200, 1_000])
    parser.add_argument("--slowest", type=int, default=3, help="how many tasks of each playbook are shown")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as name,
        running_lab(Path(name) / "lab") as lab,
        contextlib.closing(Plays(lab)) as plays,
    ):
        for number in given.partners:
            export, audit = way_out(lab, plays, number), audited(lab, plays, number)
            told("export of %d partners" % number, plays, export, given)
            told("audit of %d partners" % number, plays, audit, given)
        with onboarded(plays, Path(name)) as onboard:
            told("onboarding a partner", plays, onboard, given)


Begin = t.Callable[[], list[str]]


def way_out(lab: Lab, plays: Plays, number: int) -> Begin:
    """The first stage of a decommission, with nothing exported yet."""
    into = plays.directory / "out"

    def begin() -> list[str]:
        fill(lab, number, 0)
        shutil.rmtree(into, ignore_errors=True)
        return ["sfb.xmpp.decommission", json.dumps({"sfb_xmpp_decommission": SENTENCE, "sfb_xmpp_into": str(into)})]

    return begin


def audited(lab: Lab, plays: Plays, number: int) -> Begin:
    def begin() -> list[str]:
        fill(lab, number, 0)
        settings = {
            "sfb_xmpp_into": str(plays.directory / "audit"),
            "sfb_xmpp_audit": {"probe": False, "fail_on": "never"},
        }
        return ["sfb.xmpp.audit", json.dumps(settings)]

    return begin


@contextlib.contextmanager
def onboarded(plays: Plays, directory: Path) -> t.Iterator[Begin]:
    trusted, file = directory / "roots.pem", directory / "partners.yml"
    trusted.write_bytes(certificates.root().pem)
    with NameServer() as dns, Peer(good()) as peer:
        dns.service(DOMAIN, peer.port)
        verification = {
            "own_domains": [OWN], "access_edge": "sip.contoso.test", "nameservers": [dns.place], "timeout": 3,
            "trust_store": str(trusted), "allow_local": True,
        }  # fmt: skip

        def begin() -> list[str]:
            file.unlink(missing_ok=True)
            settings = {"sfb_xmpp_for_partner": DOMAIN, "sfb_xmpp_into": str(file)}
            return ["sfb.xmpp.onboard", json.dumps({**settings, "sfb_xmpp_verification": verification})]

        yield begin


def computing() -> float:
    """The processor's seconds of the playbooks that have ended; the lab has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(title: str, plays: Plays, begin: Begin, given: argparse.Namespace) -> None:
    """Run it several times. Raises SystemExit if a run fails."""
    walls: list[float] = []
    computed: list[float] = []
    tasks: dict[str, list[float]] = {}
    for _run in range(given.runs):
        playbook, settings = begin()
        started, before = time.monotonic(), computing()
        run = plays.run(playbook, "-e", settings, environment=ENVIRONMENT, directory=plays.directory)
        walls.append(time.monotonic() - started)
        computed.append(computing() - before)
        if run.code:
            raise SystemExit(run.output)
        for seconds, name in re.findall(r"^task ([0-9.]+) (.*)$", run.output, re.MULTILINE):
            tasks.setdefault(name, []).append(float(seconds))
    tasks_medians = sorted(((statistics.median(values), name) for name, values in tasks.items()), reverse=True)
    slowest = "; ".join("%.2f s %s" % one for one in tasks_medians[: given.slowest])
    medians = (statistics.median(walls), statistics.median(computed))
    print("%-28s %6.2f s, computing %6.2f s: %s" % (title, *medians, slowest), flush=True)


if __name__ == "__main__":
    main()
