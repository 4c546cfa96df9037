# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of runs as converge and restore keep it, and sfb.xmpp.history, over the wire."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.digest import digest_of
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.identity import from_file
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.journal import append

from lab.deployment.faults import Faults
from tests.integration.plays import Plays
from tests.integration.test_converge import ROW, mark, writes
from tests.integration.test_plan_file import play
from tests.integration.test_restore import snapshots

SECRET = "s3cret-words"


def journal(plays: Plays) -> list[dict[str, t.Any]]:
    path = plays.directory / "home" / "sfb.xmpp" / "snapshots" / "runs.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    assert SECRET not in text
    assert "Lab-admin-1" not in text
    return [json.loads(line) for line in text.splitlines()]


def test_every_run_that_may_write_is_in_the_journal_and_nothing_else(plays: Plays) -> None:
    wanted = {
        "sfb_xmpp_partners": [{"domain": "a.test", **ROW}],
        "sfb_xmpp_gateway": {"keep_alive_interval": 240, "dialback_passphrase": SECRET},
    }
    planned = play(plays, "converge", "--check", **wanted)
    assert planned.code == 0, planned.output
    assert not (plays.directory / "home" / "sfb.xmpp" / "snapshots" / "runs.jsonl").exists()

    done = play(plays, "converge", sfb_xmpp_ticket="CHG-{{ 1 + 1 }}", **wanted)
    assert done.code == 0, done.output
    # Two plans that are refused; a failure in the middle. What the check of the settings refuses is no run.
    assert play(plays, "converge", sfb_xmpp_partners=[{"domain": "*.test"}]).code != 0
    useless = {"identity": "Useless", "enable_xmpp_access": True, "enable_federation_access": False}
    assert play(plays, "converge", sfb_xmpp_policies=[useless]).code != 0
    assert play(plays, "converge", sfb_xmpp_partners=[], sfb_xmpp_partners_purge=True).code != 0
    Faults(plays.lab.store()).add("New-CsXmppAllowedPartner", "b.test", times=2, message="Not today.")
    assert play(plays, "converge", sfb_xmpp_partners=[{"domain": "b.test", **ROW}], sfb_xmpp_snapshot=False).code != 0
    assert play(plays, "restore", "-e", '{"sfb_xmpp_allow": ["empty_purge"]}', sfb_xmpp_removal_limit=100).code == 0

    runs = journal(plays)
    assert [(run["playbook"], run["outcome"]) for run in runs] == [
        ("converge", "ok"), ("converge", "refused"), ("converge", "refused"), ("converge", "failed"), ("restore", "ok"),
    ]  # fmt: skip
    first, useless_one, refused, failed, back = runs
    assert (first["ticket"], first["host"], first["deployment"]["label"]) == ("CHG-2", "fe01", "default")
    identity = from_file(first["deployment"])
    assert identity.pools
    assert first["account"] == "CONTOSO\\admin"
    assert first["inventory"] == [str(plays.directory / "managed.yml")]
    assert (first["summary"]["added"], first["summary"]["changed"]) == (1, 1)
    assert first["snapshot"] == snapshots(plays)[0].name
    task = "Apply the plan of the federation"
    assert first["digest"] == planned.result(task)["plan_digest"]["digest"]
    assert first["digest"] == digest_of(identity, done.result(task)["steps"])
    assert first["objects"] == {"partner": ["a.test"], "gateway": ["Global"]}
    assert "enable_xmpp_access has no effect" in useless_one["message"]
    assert "empty" in refused["message"]
    assert "Not today." in failed["message"]
    assert failed["snapshot"] is None
    assert back["summary"]["removed"] == 1

    begin = mark(plays)
    shown = play(plays, "history")
    assert shown.code == 0, shown.output
    for text in ("CHG-2", "1 added, 1 changed", "  refused  ", *(p.name for p in snapshots(plays))):
        assert text in shown.output, text
    assert mark(plays) == begin, "nothing connects"

    assert play(plays, "converge", sfb_xmpp_partners=[{"domain": "c.test", **ROW}]).code == 0
    begin = mark(plays)
    ways = play(plays, "history", sfb_xmpp_history={"changes": 2})
    assert ways.code == 0, ways.output
    older, newest = (path.name for path in snapshots(plays)[-2:])
    results = ways.result("Plan a restore of the newest snapshots")["results"]
    assert [(way["item"], way["summary"]["added"]) for way in results] == [(newest, 0), (older, 1)]
    assert "- partner  c.test" in ways.output
    assert writes(plays, begin) == []

    # Of one partner, and after somebody has changed a line.
    shown = play(plays, "history", sfb_xmpp_for_partner="ann@A.test")
    assert shown.code == 0, shown.output
    lines = shown.result("Show the runs and the snapshots")["report"]
    assert [line.split()[3] for line in lines if line.startswith("  ") and line[2] != " "] == ["restore", "converge"]
    path = plays.directory / "home" / "sfb.xmpp" / "snapshots" / "runs.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("CHG-2", "CHG-3"), encoding="utf-8")
    broken = play(plays, "history")
    assert broken.code == 2, broken.output
    assert "line 1 was changed" in broken.output
    assert [task.task for task in broken.failures()] == ["Fail if the journal was changed"]


def test_where_no_host_answers_the_journal_says_so_once(plays: Plays) -> None:
    dead = {name: {"ansible_host": plays.lab.addresses["fe01"], "ansible_port": 1} for name in ("one", "two")}
    hosts = {"sfb_management": {**plays.hosts()["sfb_management"], "hosts": dead}}
    inventory = plays.write("dead.yml", {"all": {"children": hosts, "vars": {"sfb_xmpp_partners": []}}})
    assert plays.run("sfb.xmpp.converge", inventory=inventory).code != 0
    (run,) = journal(plays)
    assert (run["outcome"], run["host"] in dead) == ("failed", True)
    assert "no host of the deployment answers" in run["message"]


def test_deployments_that_keep_their_runs_apart_are_shown_one_after_the_other(plays: Plays) -> None:
    places = {name: plays.directory / name for name in ("one", "two")}
    for name, place in places.items():
        append(str(place), {"deployment": name, "ticket": "CHG-" + name, "outcome": "ok"})
        (place / ("20260727T101112.123456Z-%s.yml" % name)).touch()
    hosts = {
        host: {"ansible_port": 1, "sfb_xmpp_deployment": name, "sfb_xmpp_snapshot_directory": str(places[name])}
        for host, name in (("a1", "one"), ("a2", "one"), ("b1", "two"))
    }
    inventory = plays.write("apart.yml", {"all": {"children": {"sfb_management": {"hosts": hosts}}}})
    run = plays.run("sfb.xmpp.history", inventory=inventory)
    assert run.code == 0, run.output
    told = [line for line in run.output.splitlines() if line.startswith(("Runs in", "Snapshots in", "2026"))]
    assert told == [
        line
        for name, place in places.items()
        for line in ("Runs in %s:" % place, "Snapshots in %s:" % place, "20260727T101112.123456Z-%s.yml" % name)
    ]
    assert run.output.index("CHG-one") < run.output.index("CHG-two")
