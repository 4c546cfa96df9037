# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A year of one deployment, told by test_year.py, which moves the clock of this process and of all that it starts.

Audits every month, four renewals, one of them forced, three partners more, one of them revoked, a failover and back,
two people at once, a mistake and its restore, and the way out. A real partner talks with a user three times.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import json
import time
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.deployment.public_ca import KEY_FILE, ROOT_FILE
from lab.deployment.ready import USER
from lab.deployment.seed import EDGE_POOL
from lab.deployment.shape import read_shape
from lab.inventory import Place, inventory
from lab.partners import control, processes
from lab.talk import talk
from lab.testing import SECOND_POOL as SECOND
from lab.testing import Lab, running_lab
from tests.integration.moved_clock import MOVED, moved_to
from tests.integration.plays import Plays, Run
from tests.integration.test_decommission import FULL, untick
from tests.integration.test_failover import PEER
from tests.integration.test_restore import state

EDGES = ("edge01", "edge02", "edge11", "edge12")
LIFE = 100  # days of a certificate; it is due after two thirds of them
STRICT = {
    "description": "Agreed in 2026",
    "partner_type": "federated",
    "tls_negotiation": "required",
    "sasl_negotiation": "required",
    "support_dialback_negotiation": False,
}
FABRIKAM, LITWARE, ADATUM, TAILSPIN = ("%s.example" % name for name in ("fabrikam", "litware", "adatum", "tailspin"))
ROGUE = "rogue.example"
OTHER = "sip:mbell@contoso.test"
NOON = 0.5 - time.time() % 86400 / 86400  # days from now; no run of a day crosses midnight
EVERY = 30  # days between audits
SENTENCE = "yes, remove XMPP from contoso"
# Codes and objects of findings.
Told = set[tuple[str, str]]
ALL_DUE = {("renewal_due", "%s.contoso.test XmppServer" % host) for host in EDGES}
# What an audit finds on its day beyond what is usual in this lab.
FOUND: dict[int, Told] = {
    # The inventory declares a partner that was revoked; nobody has committed that yet.
    150: {("warning", "contoso")},
    180: ALL_DUE,
    240: {("not_as_declared", "partner " + ROGUE)},
    330: ALL_DUE,
}
GONE = {*("partner %s.example" % name for name in ("fabrikam", "adatum", "tailspin")), "policy Partners"}
PLAN, EDGE, ROUTE = {"xmpp_federation": 1}, {"stage": 4, "switch": 4}, {"xmpp_federation": 1, "xmpp_gateway_service": 6}
# What the journal has to tell: day, playbook, ticket, and how many lines of each task, or phase of a certificate.
DONE: list[tuple[int, str, str, dict[str, int]]] = [
    (0, "converge", "CHG-1", {**PLAN, **EDGE}),
    (40, "converge", "CHG-2", PLAN),
    (62, "converge", "CHG-3", PLAN),
    (70, "certificate", "CHG-4", EDGE),
    (95, "converge", "CHG-5", PLAN),
    (110, "certificate", "INC-1", EDGE),
    (130, "revoke", "INC-2", {"xmpp_partner_revocation": 1}),
    (151, "converge", "CHG-6", PLAN),
    (160, "failover", "INC-3", ROUTE),
    (165, "failover", "INC-3", ROUTE),
    (185, "certificate", "CHG-7", EDGE),
    (200, "converge", "CHG-8", PLAN),
    (200, "converge", "CHG-9", PLAN),
    (245, "converge", "CHG-10", PLAN),
    (255, "certificate", "CHG-11", EDGE),
    (260, "converge", "CHG-12", PLAN),
    (260, "restore", "CHG-13", PLAN),
    (340, "decommission", "CHG-14", {"xmpp_federation": 2, "xmpp_gateway_cert": 4}),
]


@dataclass
class Year:
    """declared: what is committed. day: since the beginning."""

    plays: Plays
    declared: dict[str, t.Any]
    day: int = 0
    begun: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    usual: Told = field(default_factory=set)
    audits: int = 0
    issued: int = 0
    gone: bool = False

    @property
    def lab(self) -> Lab:
        return self.plays.lab

    @property
    def partners(self) -> dict[str, dict[str, t.Any]]:
        """Those that are committed, by their domains."""
        return {one["domain"]: one for one in self.declared["sfb_xmpp_partners"]}

    def on(self, day: int) -> None:
        """Audits on the days of audits until that day, then it is that day."""
        while (audited := self.day // EVERY * EVERY + EVERY) <= day:
            self._move(audited)
            self.audit()
        self._move(day)

    def _move(self, day: int) -> None:
        self.day = day
        moved_to(day + NOON)

    def date(self, day: float) -> str:
        return (self.begun + datetime.timedelta(days=day)).date().isoformat()

    def play(self, playbook: str, *arguments: str, ticket: str = "", by: Plays | None = None, **once: t.Any) -> Run:
        by = by or self.plays
        place = Place(self.lab.directory, self.lab.port, self.lab.profile, self.lab.shape)
        variables = {**self.declared, "sfb_xmpp_state_directory": str(self.plays.directory / "state")}
        where = by.write("year.yml", {**inventory({"contoso": place}), "all": {"vars": variables}})
        given = {"sfb_xmpp_" + name: value for name, value in {**once, "ticket": ticket}.items() if value}
        extra = ("-e", json.dumps(given), *arguments)
        return by.run("sfb.xmpp." + playbook, *extra, inventory=where, environment=MOVED)

    def done(self, playbook: str, *arguments: str, **given: t.Any) -> Run:
        run = self.play(playbook, *arguments, **given)
        assert run.code == 0, (self.day, playbook, run.output[-4000:])
        return run

    def audit(self) -> None:
        """What it finds beyond what is usual here is what the story says of that day."""
        into = self.plays.directory / "audits" / str(self.day)
        run = self.play("audit", into=str(into))
        found = json.loads((into / "audit.json").read_text(encoding="utf-8"))
        told = {(one["code"], one["object"]) for one in found["findings"]}
        if not self.usual:
            assert {code for code, _object in told} == {"no_crl"}, "the lab's authorities have no lists"
            self.usual = told
        self.audits += 1
        assert found["time"][:10] == self.date(self.day)
        if self.gone:
            assert {name for code, name in told if code == "not_as_declared"} == GONE
            assert (run.code, found["partners"]) == (2, [])
            return
        assert told - self.usual == FOUND.get(self.day, set()), self.day
        assert run.code == (2 if "not_as_declared" in {code for code, _object in told} else 0)
        assert {one["domain"] for one in found["partners"]} == set(self.lab.store().partners())
        of_edges = {one["host"]: one["not_after"][:10] for one in found["certificates"] if one["usage"] == "XmppServer"}
        assert of_edges == dict.fromkeys(("%s.contoso.test" % host for host in EDGES), self.date(self.issued + LIFE))

    def partner(self, domain: str, ticket: str, **values: t.Any) -> None:
        self.declared["sfb_xmpp_partners"].append({"domain": domain, **STRICT, **values})
        self.done("converge", ticket=ticket)
        assert set(self.lab.store().partners()) == set(self.partners)

    def renew(self, ticket: str) -> None:
        """All Edges present another certificate afterwards, and all the same."""
        old = self.presented()
        self.done("certificate", ticket=ticket)
        new = self.presented()
        assert len(new) == 1
        assert not new & old
        self.issued = self.day

    def presented(self) -> set[str | None]:
        return {self.lab.store().presented(host).get("XmppServer") for host in EDGES}

    def message(self) -> None:
        """A real server of the partner, whose user and ours write to one another."""
        partners = control.start(self.lab.directory, self.lab.xmpp_port, ("prosody",))
        try:
            outcomes = talk(self.lab.store(), partners, PEER, USER)
        finally:
            partners.stop()
        assert all(one.is_as("S") for one in outcomes), (self.day, outcomes)

    def journal(self) -> list[dict[str, t.Any]]:
        text = (self.plays.directory / "state" / "snapshots" / "runs.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Year]:
    moved_to(NOON)
    # Partners get nothing of the environment but this.
    spawn = processes.spawn
    monkeypatch.setattr(processes, "spawn", lambda command, folder, more: spawn(command, folder, {**MOVED, **more}))
    with running_lab(tmp_path / "lab", shape=read_shape("two-sites")) as lab, contextlib.closing(Plays(lab)) as plays:
        yield Year(plays, declared(lab, plays))


def declared(lab: Lab, plays: Plays) -> dict[str, t.Any]:
    authority = lab.directory / KEY_FILE
    chain = plays.directory / "chain.pem"
    pem = authority.read_text(encoding="ascii")
    chain.write_text(
        pem[pem.index("-----BEGIN CERTIFICATE") :] + (lab.directory / ROOT_FILE).read_text("ascii"), "ascii"
    )
    names = [name for pool in lab.shape.pools for name in [pool.access_edge] if name]
    return {
        "sfb_xmpp_policies": [
            {"identity": "global", "enable_outside_access": True},
            {"identity": "Partners", **FULL, "granted_to": ["sip:" + USER]},
        ],
        "sfb_xmpp_partners": [{"domain": FABRIKAM, **STRICT}],
        "sfb_xmpp_partners_purge": True,
        "sfb_xmpp_access_edge": {"allow_federated_users": True},
        "sfb_xmpp_audit": {"probe": False},
        "sfb_xmpp_certificate": {
            "names": [*names, "contoso.test", "contoso-emea.test"],
            "trust_store": str(lab.directory / ROOT_FILE),
            "source": {
                "type": "own_ca",
                "path": str(plays.directory / "gateway.pfx"),
                "passphrase": "year-pfx-1",
                "ca_certificate": str(chain),
                "ca_key": str(authority),
                "days": LIFE,
            },
        },
    }


def plain(partners: dict[str, dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """No text and an empty one are the same to the product."""
    return {domain: {name: value or None for name, value in one.items()} for domain, one in partners.items()}


def test_a_year(year: Year) -> None:
    store = year.lab.store()
    year.done("converge", ticket="CHG-1")
    year.message()

    year.on(40)
    year.partner(LITWARE, "CHG-2")
    year.on(62)
    year.partner(ADATUM, "CHG-3")
    year.on(70)
    year.renew("CHG-4")
    year.on(95)
    year.partner(TAILSPIN, "CHG-5")
    year.on(110)
    year.declared["sfb_xmpp_certificate"]["renew"] = {"now": {"reason": "The key was in a backup", "compromised": True}}
    year.renew("INC-1")

    year.on(130)
    year.done("revoke", ticket="INC-2", revoke_domain=LITWARE, revoke_reason="their server sends spam")
    assert LITWARE not in store.partners()
    year.on(151)
    year.declared["sfb_xmpp_partners"].remove(year.partners[LITWARE])
    year.declared["sfb_xmpp_revoked"] = [
        {"domain": LITWARE, "since": year.date(130), "ticket": "INC-2", "reason": "their server sends spam"}
    ]
    year.done("converge", ticket="CHG-6")

    year.on(160)
    year.done("failover", ticket="INC-3", failover_to=SECOND)
    year.on(165)
    year.done("failover", ticket="INC-3", failover_to=EDGE_POOL)
    year.on(185)
    year.renew("CHG-7")

    year.on(200)
    year.partners[ADATUM]["connection_limit"] = 7
    year.declared["sfb_xmpp_policies"][1]["granted_to"].append(OTHER)
    with contextlib.closing(Plays(year.lab)) as other, concurrent.futures.ThreadPoolExecutor() as both:
        runs = [
            both.submit(year.done, "converge", "--tags", "partners", ticket="CHG-8"),
            both.submit(year.done, "converge", "--tags", "policies,grants", ticket="CHG-9", by=other),
        ]
        for run in runs:
            run.result()
    assert store.partners()[ADATUM]["ConnectionLimit"] == 7

    year.on(220)
    store.put("partner", ROGUE, dict(store.partners()[FABRIKAM]))
    year.on(245)
    year.done("converge", ticket="CHG-10")
    assert ROGUE not in store.partners()
    year.on(255)
    year.renew("CHG-11")
    year.on(260)
    before = plain(store.partners())
    kept = year.partners[TAILSPIN]
    year.declared["sfb_xmpp_partners"].remove(kept)
    year.done("converge", ticket="CHG-12")
    assert TAILSPIN not in store.partners()
    year.done("restore", ticket="CHG-13")
    assert plain(store.partners()) == before
    year.declared["sfb_xmpp_partners"].append(kept)
    year.message()

    year.on(335)
    year.message()
    year.on(340)
    grants = state(year.plays)["grants"]
    assert len(grants) == 2
    for _stage in ("export", "remove", "route"):
        year.done("decommission", ticket="CHG-14", decommission=SENTENCE, into=str(year.plays.directory / "out"))
    untick(year.plays)
    year.done("decommission", ticket="CHG-14", decommission=SENTENCE, into=str(year.plays.directory / "out"))
    year.gone = True
    assert state(year.plays)["grants"] == grants, "who has a policy keeps it, without XMPP"

    year.on(365)
    assert year.audits == 12
    year.done("history")  # which checks the chain of the journal
    told: dict[tuple[str, str, str], Counter[str]] = {}
    for line in year.journal():
        assert line["outcome"] == "ok"
        key = (line["time"][:10], line["playbook"], line["ticket"])
        told.setdefault(key, Counter())[line["phase"] or line["task"]] += 1
    assert told == {(year.date(day), playbook, ticket): lines for day, playbook, ticket, lines in DONE}
