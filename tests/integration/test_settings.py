# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check that comes first in every playbook: what is wrong ends the run for all hosts, and nothing is sent."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.plays import Plays, Run


def refused(plays: Plays, playbook: str, *arguments: str, inventory: Path | None = None) -> list[str]:
    """The mistakes that a run is refused for, none of which is said twice; the lab has seen nothing of it."""
    before = len(plays.lab.store().events())
    run = plays.run("sfb.xmpp." + playbook, *arguments, inventory=inventory)
    assert run.code == 2, run.output
    assert len(plays.lab.store().events()) == before
    found = [reason for one in run.wrong() for reason in one.result.get("reasons", ())]
    assert len(found) == len(set(found)), run.output
    assert "Traceback" not in run.output
    assert '"invocation"' not in run.output
    return found


def hosts(plays: Plays, name: str, everywhere: dict[str, t.Any], **groups: dict[str, t.Any]) -> Path:
    """An inventory of the lab with variables for all hosts, and for those of groups."""
    content = plays.hosts()
    content["all"] = {"vars": everywhere}
    for group, values in groups.items():
        content[group]["vars"] = {**content[group]["vars"], **values}
    return plays.write(name, content)


# A test of the playbooks' files sees that each of them begins with the check.
@pytest.mark.parametrize("playbook", ["decommission", "rehearse", "verify"])
def test_a_misspelt_variable_ends_a_playbook(plays: Plays, playbook: str) -> None:
    inventory = hosts(plays, "mistaken.yml", {"sfb_xmpp_partnres": []})
    (reason,) = refused(plays, playbook, "--check", inventory=inventory)
    assert reason.startswith("sfb_xmpp_partnres: there is no such variable (did you mean sfb_xmpp_partners?)")


def test_a_revocation_is_held_up_by_no_mistake_that_is_not_its_own(plays: Plays) -> None:
    inventory = hosts(plays, "mistaken.yml", {"sfb_xmpp_partnres": []})
    run = plays.run("sfb.xmpp.revoke", "--check", "-e", "sfb_xmpp_revoke_domain=fabrikam.example", inventory=inventory)
    assert run.code == 0, run.output
    assert "sfb_xmpp_partnres: there is no such variable" in run.output


def test_all_mistakes_of_all_hosts_are_named_at_once_with_file_and_line(plays: Plays) -> None:
    """A change of a partner stands beside them, and is not written."""
    inventory = hosts(
        plays,
        "all.yml",
        {"sfb_xmpp_partners": [{"domain": "new.example"}], "sfb_xmpp_certificate": {"acess_edge": "sip.contoso.com"}},
        sfb_edge={"sfb_xmpp_certificate_phase": "staged"},
        sfb_management={"sfb_xmpp_force": True},
    )
    found = refused(plays, "converge", inventory=inventory)
    assert sorted(reason.split(":")[0] for reason in found) == [
        "sfb_xmpp_certificate.acess_edge",
        "sfb_xmpp_certificate_phase",
        "sfb_xmpp_force",
    ]
    line = next(number for number, text in enumerate(inventory.read_text().splitlines(), 1) if "acess_edge" in text)
    assert any("did you mean access_edge?) (%s, line %d)" % (inventory, line) in reason for reason in found), found


def test_what_decides_about_one_run_is_taken_from_the_command_line(plays: Plays) -> None:
    run = plays.run("sfb.xmpp.converge", "--check", "-e", json.dumps({"sfb_xmpp_force": True}))
    assert run.code == 0, run.output


@pytest.mark.parametrize("way", [("--skip-tags", "always"), ("--start-at-task", "Apply the plan of the federation")])
def test_no_way_leads_past_the_check(plays: Plays, way: tuple[str, str]) -> None:
    inventory = hosts(
        plays, "mistaken.yml", {"sfb_xmpp_partnres": [], "sfb_xmpp_partners": [{"domain": "new.example"}]}
    )
    before = plays.lab.store().events()
    run = plays.run("sfb.xmpp.converge", *way, inventory=inventory)
    assert plays.lab.store().events() == before
    assert run.code == 2 or {one.state for one in run.tasks} <= {"skipped"}, run.output


def test_variables_of_a_play_that_imports_a_playbook_are_checked(plays: Plays) -> None:
    site = plays.directory / "site.yml"
    imported = {"import_playbook": "sfb.xmpp.converge", "vars": {"sfb_xmpp_removal_limit": "half"}}
    site.write_text(yaml.safe_dump([imported]), encoding="utf-8")
    before = len(plays.lab.store().events())
    run = plays.run(str(site), "--check")
    assert run.code == 2
    assert "sfb_xmpp_removal_limit: must be a whole number, not 'half'" in run.output
    assert len(plays.lab.store().events()) == before


def test_a_tag_near_one_of_ours_is_a_mistake_and_one_of_somebody_else_is_not(plays: Plays) -> None:
    assert refused(plays, "converge", "--tags", "partner") == [
        "--tags partner: converge has no such tag (did you mean partners?)"
    ]
    before = len(plays.lab.store().events())
    run = plays.run("sfb.xmpp.converge", "--tags", "database")
    assert run.code == 0
    assert "converge: the tags select no part of this playbook" in run.output
    assert len(plays.lab.store().events()) == before


def test_blank_answers_of_a_survey_are_not_set(plays: Plays) -> None:
    names = (
        "partners policies gateway access_edge federation_routes allow protect partners_purge force ticket plan_file"
    )
    for blank in (None, ""):
        answers = {"sfb_xmpp_" + name: blank for name in (*names.split(), "removal_limit")}
        run = plays.run("sfb.xmpp.converge", "-e", json.dumps(answers))
        assert run.code == 0, run.output
        assert "Nothing to do" in run.output


def test_an_inventory_without_settings_is_a_warning_that_names_directories(plays: Plays) -> None:
    run = plays.run("sfb.xmpp.converge", "--check")
    assert run.code == 0, run.output
    assert "no variable that begins with sfb_xmpp_ is set" in " ".join(run.output.split())
    assert str(plays.directory) in run.output.replace("\n", "")


def test_a_value_that_cannot_be_evaluated_stops_only_who_reads_it(plays: Plays) -> None:
    inventory = hosts(plays, "locked.yml", {"sfb_xmpp_certificate": {"source": "{{ not_there }}"}})
    (reason,) = refused(plays, "certificate", "--check", inventory=inventory)
    assert reason.startswith("sfb_xmpp_certificate: cannot be evaluated:")
    assert "not_there" in reason
    run: Run = plays.run("sfb.xmpp.export", "-e", "sfb_xmpp_into=%s" % (plays.directory / "out"), inventory=inventory)
    assert run.code == 0, run.output


def test_a_label_on_the_management_hosts_alone_holds_for_the_edges(plays: Plays) -> None:
    """Otherwise the certificate's playbook would take them for a pool of another deployment."""
    inventory = hosts(plays, "label.yml", {}, sfb_management={"sfb_xmpp_deployment": "contoso"})
    run = plays.run("sfb.xmpp.certificate", "--check", inventory=inventory)
    assert run.code == 0, run.output
    found = [one.result for one in run.tasks if one.task == "Check the settings"]
    assert {one["deployment"] for one in found} == {"contoso"}
    assert [(one["doors"], one["edges"]) for one in found] == [(["fe01"], ["edge01", "edge02"])] * 3
