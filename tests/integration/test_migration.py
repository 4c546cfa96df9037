# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.migration over the wire: what it tells, against the store, and that it only reads."""

from __future__ import annotations

import json
import typing as t

import pytest

from lab.deployment.breaks import POOL_2019, break_link
from tests.integration.plays import Plays, Run
from tests.integration.test_converge import mark
from tests.integration.test_plan_file import ROW, play

FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}
ANN = "sip:mbell@contoso.test"
BEA = "sip:cconti@contoso.test"
USED: dict[str, t.Any] = {
    "sfb_xmpp_policies": [
        {"identity": "site:Dublin", **FULL},
        {"identity": "Desk", **FULL, "granted_to": [ANN, "sip:ialmeida@contoso.test"]},
    ],
    "sfb_xmpp_partners": [{"domain": "a.test", **ROW}, {"domain": "b.test", **ROW}],
}
FIND = "List the users who lose XMPP"
DUBLIN = "fe11.contoso.test"


@pytest.fixture
def used(plays: Plays) -> Plays:
    """One has XMPP by his own policy on a legacy pool, one on a pool of 2019, and all of a site by its policy."""
    made = play(plays, "converge", **USED)
    assert made.code == 0, made.output
    store = plays.lab.store()
    break_link(store, "coexistence")
    (dn,) = (dn for dn, user in store.all("user").items() if user["SamAccountName"] == "ialmeida")
    store.put("user", dn, {**(store.get("user", dn) or {}), "RegistrarPool": POOL_2019})
    return plays


def migration(plays: Plays, *arguments: str, **variables: t.Any) -> Run:
    """The playbook, which has sent nothing but what reads."""
    begin = mark(plays)
    extra = {"sfb_xmpp_into": str(plays.directory / "next")}
    extra.update({"sfb_xmpp_target": variables.pop("target")} if "target" in variables else {})
    extra.update({"sfb_xmpp_for_" + name: value for name, value in variables.items()})
    run = play(plays, "migration", "-e", json.dumps(extra), *arguments, sfb_xmpp_partners=[{"domain": "new.test"}])
    sent = [str(e.cmdlet) for e in plays.lab.store().events(begin) if e.kind == "statement"]
    assert [cmdlet for cmdlet in sent if not cmdlet.startswith(("Get-", "Select-Object"))] == []
    assert bool(sent) == ("are missing" not in run.output)
    return run


def outcomes(run: Run) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in run.result(FIND)["users"]}


def test_users_by_name(used: Plays) -> None:
    file = used.directory / "next" / "migration.md"
    asked = ["MBell@contoso.test", BEA, "ialmeida@contoso.test", "nobody@contoso.test"]
    shown = migration(used, "--check", "--diff", users=asked)
    assert shown.code == 0, shown.output
    assert not file.parent.exists()

    run = migration(used, users=asked)
    assert run.code == 0, run.output
    assert outcomes(run) == {ANN: "loses", BEA: "without", "sip:ialmeida@contoso.test": "elsewhere"}
    found = run.result(FIND)
    assert [one["name"] for one in found["unknown"]] == ["nobody@contoso.test"]
    assert "3 users would move" in " ".join(run.output.split())
    homes = {u["SipAddress"]: u["RegistrarPool"] for u in used.lab.store().all("user").values()}
    assert found["remaining"] == sorted(name for name, pool in homes.items() if pool == DUBLIN)
    assert found["nobody_left"] is False
    text = file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    for words in (
        "nobody@contoso.test",
        "already homed on %s" % POOL_2019,
        "does not record sessions",
        "new.test",
    ):
        assert words in text
    assert "The XMPP federation with" not in text

    again = migration(used, users=asked)
    assert "changed=0" in again.output
    assert file.read_text(encoding="utf-8") == text


def test_pools_until_nobody_is_left(used: Plays) -> None:
    file = used.directory / "next" / "migration.md"
    run = migration(used, pools=[DUBLIN])
    assert run.code == 0, run.output
    assert set(outcomes(run).values()) == {"loses"}
    assert run.result(FIND)["remaining"] == [ANN]
    assert "the site's policy (site:Dublin)" in file.read_text(encoding="utf-8")

    before = file.read_text(encoding="utf-8")
    planned = migration(used, "--check", "--diff", pools=[DUBLIN], target="xmpp")
    assert planned.code == 0, planned.output
    assert sorted(path.name for path in file.parent.iterdir()) == ["migration.md"]
    assert file.read_text(encoding="utf-8") == before
    moved = migration(used, pools=[DUBLIN], target="xmpp")
    assert moved.code == 0, moved.output
    made = {str(path.relative_to(file.parent)): path for path in file.parent.rglob("*.*") if path.is_file()}
    settings = {name: path for name, path in made.items() if name != "migration.md"}
    assert len(settings) == 3
    for name, path in settings.items():
        assert name.replace("_", "\\_") in file.read_text(encoding="utf-8")
        assert path.stat().st_mode & 0o777 == 0o644
        assert ("a.test" in path.read_text(encoding="utf-8")) == ("mod_" not in name)
    assert "changed=0" in migration(used, pools=[DUBLIN], target="xmpp").output

    last = migration(used, pools=[DUBLIN.upper()], users=[ANN])
    assert last.code == 0, last.output
    assert last.result(FIND)["nobody_left"] is True
    text = file.read_text(encoding="utf-8")
    for words in (
        "As far as this account can see, no user with XMPP remains",
        "The XMPP federation with a.test ends",
        "yes, remove XMPP from default",
    ):
        assert words in text


def test_what_is_refused_writes_nothing(used: Plays) -> None:
    for given, words in (
        ({}, "sfb_xmpp_for_users and sfb_xmpp_for_pools are missing"),
        (
            {"pools": ["fe12.contoso.test"]},
            "for_pools: there is no pool 'fe12.contoso.test' that homes users (did you mean fe1",
        ),
        ({"pools": ["edge.contoso.test"], "users": [ANN]}, "there is no pool 'edge.contoso.test' that homes users"),
    ):
        run = migration(used, **given)
        assert run.code == 2, run.output
        assert words in run.output
        assert not (used.directory / "next").exists()
