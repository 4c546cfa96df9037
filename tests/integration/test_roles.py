# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles in a user's own play: the same preflight, snapshot, journal and choice of the door as in the playbooks."""

from __future__ import annotations

import json
import typing as t

from tests.integration.plays import CONNECTION, Plays, Run
from tests.integration.test_converge import ROW

PARTNER = {"domain": "fabrikam.example", **ROW}


def own_play(plays: Plays, play: dict[str, t.Any], *arguments: str, **variables: t.Any) -> Run:
    """A play of a user's own over two doors of one deployment, with connection settings of its own."""
    management = plays.hosts()["sfb_management"]
    door = management["hosts"]["fe01"]
    doors = {name: {**door, **variables.pop(name, {})} for name in ("fe01", "also")}
    found = {"all": {"vars": variables, "children": {"sfb_management": {**management, "hosts": doors}}}}
    inventory = plays.write("doors.yml", found)
    given = {"hosts": "sfb_management", "gather_facts": False, **play}
    return plays.run([{**given, "vars": {"ansible_connection": CONNECTION}}], *arguments, inventory=inventory)


def included(role: str, **play: t.Any) -> dict[str, t.Any]:
    """A role that is loaded at run time, for each host by itself."""
    return {"tasks": [{"name": "Run it", "ansible.builtin.include_role": {"name": "sfb.xmpp." + role}}], **play}


def statements(plays: Plays, since: int, word: str) -> list[str]:
    events = plays.lab.store().events(since)
    return [event.cmdlet for event in events if event.kind == "statement" and event.cmdlet.startswith(word)]


def newest(plays: Plays) -> int:
    """The number of the newest event."""
    return max((event.id for event in plays.lab.store().events()), default=0)


def states(run: Run, name: str) -> dict[str, str]:
    return {one.host: one.state for one in run.tasks if one.task.rpartition(" : ")[2] == name}


def journal(plays: Plays) -> list[dict[str, t.Any]]:
    found = plays.directory / "home" / "sfb.xmpp" / "snapshots" / "runs.jsonl"
    return [json.loads(line) for line in found.read_text().splitlines()] if found.exists() else []


def test_one_door_does_the_work_however_the_play_goes_on(plays: Plays) -> None:
    applied = "Apply the declared partners"
    given = {"federated_partners_declared": [PARTNER], "sfb_xmpp_update_limit": 50}
    plan = own_play(plays, included("federated_partners", serial=1), "--check", **given)
    assert plan.code == 0, plan.output
    assert states(plan, applied) == {"fe01": "ok", "also": "skipped"}
    # One door after the other: the first has answered, so the other one is left alone after its session was opened.
    assert states(plan, "Connect to the server") == {"fe01": "ok", "also": "ok"}
    assert statements(plays, 0, "New-Cs") == []
    assert journal(plays) == []
    mark = newest(plays)
    done = own_play(plays, included("federated_partners", strategy="free"), "--tags", "all,site", **given)
    assert done.code == 0, done.output
    assert sorted(states(done, applied).values()) == ["ok", "skipped"]
    assert statements(plays, mark, "New-Cs") == ["New-CsXmppAllowedPartner"]
    (run,) = journal(plays)
    assert (run["playbook"], run["outcome"], run["summary"]["added"]) == ("federated_partners", "ok", 1)
    assert (plays.directory / "home" / "sfb.xmpp" / "snapshots" / run["snapshot"]).exists()
    mark = newest(plays)
    silent = {"ansible_port": 1}
    again = own_play(plays, {"roles": ["sfb.xmpp.federation"], "serial": 1}, sfb_xmpp_partners=[PARTNER], fe01=silent)
    assert again.code == 0, again.output
    assert states(again, "Apply the plan of the federation") == {"fe01": "skipped", "also": "ok"}
    assert states(again, "Connect to the server") == {"fe01": "ignored", "also": "ok"}
    assert not any(one.result["changed"] for one in again.tasks)
    assert statements(plays, mark, "New-Cs") == []


def test_a_role_checks_the_settings_first_and_names_its_own_parameters(plays: Plays) -> None:
    settings = {"sfb_xmpp_partners": [{"domain": "*.test"}], "sfb_xmpp_replicaton": "none", "sfb_xmpp_force": True}
    other = {"sfb_xmpp_protect": ["a.test"]}
    run = own_play(plays, {"roles": ["sfb.xmpp.access_policies"]}, **settings, also=other)
    assert run.code != 0
    assert "sfb_xmpp_protect: the hosts fe01 and also of one deployment have" in run.output
    assert "sfb_xmpp_replicaton: there is no such variable" in run.output
    assert "sfb_xmpp_force: applies to one run only" in run.output
    assert "*.test" not in run.output, "partners are another role's"
    policies = [{"identity": "XMPP users", "enable_xmpp_acess": True}]
    run = own_play(plays, {"roles": ["sfb.xmpp.access_policies"]}, access_policies_declared=policies)
    assert run.code != 0
    assert "access_policies_declared[0]" in run.output
    assert states(run, "Apply the declared policies") == {"fe01": "failed", "also": "skipped"}
    assert statements(plays, 0, "") == []
