# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users of real size, read in every way: ``python -m tests.benchmarks.users [--users N ...] [--runs N]``.

A bare pypsrp script that reads all of them is the floor. Seconds, memory of the largest process, and bytes, medians of
several runs in turn; each run begins with a process of its own, whose session is kept in another one, as in a play.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from lab.deployment.seed import DOMAIN_CONTROLLERS
from lab.testing import Lab, running_lab
from tests.benchmarks.__main__ import TOP, traffic
from tests.integration.plays import Plays

POLICY = "Tag:XMPP"


@dataclass(frozen=True)
class Way:
    """bare: pypsrp alone. cut: whether the server cuts objects to properties. filters: whether it takes a filter."""

    name: str
    bare: bool = False
    cut: bool = False
    filters: bool = False


WAYS = (
    Way("bare pypsrp, whole objects", bare=True),
    Way("whole objects", cut=False),
    Way("whole objects, holders", filters=True),
    Way("Select-Object", cut=True),
    Way("Select-Object, holders", cut=True, filters=True),
)


def fill(lab: Lab, number: int) -> None:
    """So many users of real size, of whom one in a hundred has a policy."""
    store = lab.store()
    model = next(user for user in store.all("user").values() if not user["AdminCount"])
    policy = next(iter(store.policies().values()))
    with store.transaction():
        store.set_setting("real_size_users", True)
        store.put("policy", POLICY, policy)
        for n in range(number):
            own = {"SamAccountName": "user%05d" % n, "UserPrincipalName": "user%05d@contoso.test" % n}
            address = "sip:user%05d@contoso.test" % n
            dn = "CN=User %05d,OU=Staff,DC=contoso,DC=test" % n
            store.put("user", dn, {**model, **own, "SipAddress": address, "DisplayName": "User %05d" % n})
            if n % 100 == 0:
                store.grant(dn, POLICY, DOMAIN_CONTROLLERS[0], at=0)


def bare(where: dict[str, t.Any]) -> None:
    """What the floor does: all users, whole. Prints how many there are."""
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.wsman import WSMan

    with RunspacePool(WSMan(**where), configuration_name="Microsoft.PowerShell") as pool:
        print("users %d" % len(PowerShell(pool).add_cmdlet("Get-CsUser").invoke()))


def measured(lab: Lab, plays: Plays, way: Way, playbook: list[dict[str, t.Any]]) -> dict[str, float]:
    store = lab.store()
    store.set_setting("restricted_select", [] if way.cut else ["management"])
    store.set_setting("user_filters", way.filters)
    command = plays.command(playbook)
    if way.bare:
        where = {
            "server": lab.addresses["fe01"], "port": lab.port, "ssl": True, "cert_validation": str(lab.ca),
            "path": "OcsPowershell", "username": "CONTOSO\\admin", "password": "Lab-admin-1", "auth": "ntlm",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.benchmarks.users", "--bare", json.dumps(where)]
    before = traffic(lab)
    run = [sys.executable, "-m", "tests.benchmarks.measure", *command]
    environment = {**os.environ, **plays.environment()}
    done = subprocess.run(run, cwd=TOP, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    found: dict[str, t.Any] = json.loads(done.stdout)
    if found["code"]:
        raise SystemExit("%s failed:\n%s" % (way.name, found["output"]))
    sent = traffic(lab)["sent"] - before["sent"]
    return {"seconds": found["wall"], "cpu": found["cpu"], "peak MB": found["memory"] / 1e6, "sent MB": sent / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[5_000, 20_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ways", type=int, nargs="+", default=range(len(WAYS)), help="numbers, from 0")
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare(json.loads(options.bare))
        return
    for number in options.users:
        with tempfile.TemporaryDirectory(dir="/tmp") as name, running_lab(Path(name) / "lab") as lab:
            fill(lab, number)
            plays = Plays(lab)
            try:
                print("%d users of real size" % number, flush=True)
                for line in lines(lab, plays, [WAYS[way] for way in options.ways], options.runs):
                    print(line, flush=True)
            finally:
                plays.close()


def lines(lab: Lab, plays: Plays, ways: t.Sequence[Way], runs: int) -> t.Iterator[str]:
    read = {"sfb.xmpp.xmpp_federation_info": {}, "register": "found"}
    check = {
        "ansible.builtin.assert": {
            "that": "found.policies | map(attribute='granted_to', default=[]) | flatten | length > 0"
        }
    }
    playbook = plays.tasks([read, check])
    taken: dict[Way, list[dict[str, float]]] = {way: [] for way in ways}
    for _run in range(runs):
        for way in ways:
            taken[way].append(measured(lab, plays, way, playbook))
    for way, found in taken.items():
        median = {key: statistics.median(run[key] for run in found) for key in found[0]}
        yield "%-28s" % way.name + "".join("  %s %8.2f" % item for item in median.items())


if __name__ == "__main__":
    main()
