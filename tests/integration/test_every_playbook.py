# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook with two deployments: which servers were contacted, written to and restarted, by both event logs.

Each has two doors, two Front Ends and two Edge pools. The first door of contoso is broken, and an Edge of fourthcoffee
is off. `make nightly` plays all of it, one run after the other; `make test` plays two that end soon.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.deployment.shape import read_shape
from lab.testing import Lab, running_deployments
from tests.integration.plays import CHECKOUT, Plays, Run

SHAPES = {"contoso": read_shape("two-sites"), "fourthcoffee": read_shape("fourthcoffee")}
USERS = "ialmeida@contoso.test,nadams@fourthcoffee.test"
BROKEN = {"fe01.contoso.test": {"ansible_port": 1}, "edge04.fourthcoffee.test": {"ansible_port": 1}}
# By the names of the lab. The broken door is a Front End too, and is reached as such.
DOORS = {"contoso": {"fe11"}, "fourthcoffee": {"fe01", "fe02"}}
FRONT_ENDS = {"contoso": {"fe01", "fe11"}, "fourthcoffee": {"fe01", "fe02"}}
EDGES = {
    "contoso": {"edge01", "edge02", "edge11", "edge12"},
    "fourthcoffee": {"edge01", "edge02", "edge03"},
}
READS = ("Get-", "Resolve-", "Select-", "Import-Module", "Test-")
Hosts = dict[str, set[str]]


def both(*groups: Hosts) -> Hosts:
    return {label: set().union(*(group[label] for group in groups)) for label in SHAPES}


def contoso(*names: str) -> Hosts:
    return {"contoso": set(names), "fourthcoffee": set()}


NONE = contoso()
WORKING = {"contoso": {"fe11"}, "fourthcoffee": {"fe01"}}
ONE = ("--limit", "contoso")
SENTENCE = json.dumps({"sfb_xmpp_decommission": "yes, remove XMPP from contoso"})


def given(**values: str) -> tuple[str, ...]:
    return tuple(word for name, value in values.items() for word in ("-e", "sfb_xmpp_%s=%s" % (name, value)))


@dataclass(frozen=True)
class Row:
    """codes: of the run in check mode and of the one that is meant. wrote, restarted: by the latter."""

    playbook: str
    arguments: tuple[str, ...] = ()
    codes: tuple[int, int] = (0, 0)
    opened: Hosts = field(default_factory=lambda: DOORS)
    wrote: Hosts = field(default_factory=lambda: NONE)
    restarted: Hosts = field(default_factory=lambda: NONE)


ALL = both(FRONT_ENDS, EDGES)
OF_ONE = contoso(*ALL["contoso"])
ROWS = (
    # The Edge that is off makes these runs red, and the partner that no name server knows.
    Row("preflight", (), (2, 2), ALL),
    Row("converge", (), (2, 2), both(DOORS, EDGES), both(WORKING, EDGES), contoso(*EDGES["contoso"])),
    Row("converge", (), (2, 2), both(DOORS, EDGES)),
    Row("certificate", (), (2, 2), EDGES),
    Row("audit", (), (2, 2), ALL),
    Row("verify", (), (2, 2), both(DOORS, EDGES)),
    Row("explain", given(for_user="ialmeida@contoso.test", for_partner="fabrikam.example"), (0, 0), ALL),
    Row("export"),
    Row("capture", given(into="seen.json"), (0, 0), ALL),
    Row("migration", given(for_users=USERS)),
    Row("onboard", given(for_partner="litware.example"), (2, 2), NONE),
    Row("history", (), (0, 0), NONE),
    *(
        Row(
            "failover",
            given(failover_to=pool),
            (0, 0),
            {**OF_ONE, "fourthcoffee": DOORS["fourthcoffee"]},
            contoso("fe01", "fe11"),
            contoso("fe01", "fe11"),
        )
        for pool in ("edge2.contoso.test", "edge.contoso.test")
    ),
    Row("revoke", given(revoke_domain="fabrikam.example"), (2, 2), NONE),
    Row(
        "revoke",
        (*ONE, *given(revoke_domain="fabrikam.example", revoke_restart="true")),
        (0, 0),
        OF_ONE,
        OF_ONE,
        OF_ONE,
    ),
    Row("decommission", (), (0, 2), both(DOORS, EDGES)),
    # Its stages: export, remove, route. Unbind waits until the topology has no XMPP.
    Row("decommission", (*ONE, "-e", SENTENCE), (0, 0), contoso("fe11", *EDGES["contoso"])),
    Row("decommission", (*ONE, "-e", SENTENCE), (0, 0), contoso("fe11", *EDGES["contoso"]), contoso("fe11")),
    Row("decommission", (*ONE, "-e", SENTENCE), (0, 0), contoso("fe11", *EDGES["contoso"]), contoso("fe11")),
    Row("decommission", (*ONE, "-e", SENTENCE), (2, 2), contoso("fe11", *EDGES["contoso"])),
    Row("rehearse", (), (0, 0), NONE),
)
SAMPLE = ("export", "history")


class Deployments:
    """Runs playbooks over both, and says what the event logs have of it."""

    def __init__(self, labs: dict[str, Lab]) -> None:
        self.labs = labs
        first = labs["contoso"]
        self.plays = Plays(first)
        (self.plays.directory / "work").mkdir()
        self.broken = self.plays.write("broken.yml", {"all": {"hosts": BROKEN}})
        self.where = {"SFB_LAB_DIRECTORY": str(first.directory.parent), "SFB_LAB_PORT": str(first.port)}

    def play(self, row: Row, *more: str) -> tuple[Run, Hosts, Hosts, Hosts]:
        """The run, and the servers to which it opened a session, to which it wrote, and whose services it started."""
        stores = {label: lab.store() for label, lab in self.labs.items()}
        begin = {label: max((event.id for event in store.events()), default=0) for label, store in stores.items()}
        run = self.plays.run(
            "sfb.xmpp." + row.playbook,
            *("-i", str(self.broken), *row.arguments, *more),
            inventory=CHECKOUT / "inventories" / "lab-two",
            environment=self.where,
            directory=self.plays.directory / "work",
        )
        events = {label: store.events(begin[label]) for label, store in stores.items()}
        calls = {label: [one for one in found if one.kind == "statement"] for label, found in events.items()}
        return (
            run,
            {label: {one.host for one in found if one.kind == "session-open"} for label, found in events.items()},
            {label: {one.host for one in found if not one.cmdlet.startswith(READS)} for label, found in calls.items()},
            {
                label: {one.host for one in found if one.cmdlet == "Start-CsWindowsService"}
                for label, found in calls.items()
            },
        )


@pytest.fixture(scope="module")
def deployments(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Deployments]:
    with running_deployments(Path(tmp_path_factory.mktemp("every")), SHAPES) as labs:
        found = Deployments(labs)
        yield found
        found.plays.close()


def check(deployments: Deployments, rows: t.Sequence[Row]) -> None:
    wrong = ""
    for row in rows:
        for code, more in zip(row.codes, (("--check",), ()), strict=True):
            run, *seen = deployments.play(row, *more)
            expected = [row.opened, *((NONE, NONE) if more else (row.wrote, row.restarted))]
            if run.code != code or seen != expected:
                wrong += "\n%s %s %s: %d, %s, not %s\n%s" % (
                    row.playbook, row.arguments, more, run.code, seen, expected, run.output[-1500:]
                )  # fmt: skip
    assert not wrong, wrong


def test_two_that_end_soon(deployments: Deployments) -> None:
    check(deployments, [row for row in ROWS if row.playbook in SAMPLE])


@pytest.mark.nightly
def test_every_playbook_contacts_and_changes_the_right_servers_only(deployments: Deployments) -> None:
    check(deployments, ROWS)


def test_no_playbook_is_left_out() -> None:
    """But for those that read and write files of the controller only, and restore, which the next line says."""
    # restore has its own test with two deployments (test_deployments.py).
    left_out = {"import", "restore"}
    assert {row.playbook for row in ROWS} | left_out == {path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")}
