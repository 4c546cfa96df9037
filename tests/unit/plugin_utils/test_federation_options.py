# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What playbooks and roles make of settings and parameters: the options of xmpp_federation."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import SPEC
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.words import PARTS_OF_ROLES, ROLES, called
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.federation_options import of_playbook, of_role
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import read_by

VALUES: dict[str, t.Any] = {"partners": [{"domain": "a.test"}], "partners_purge": True, "ticket": "CHG1"}
NEW: dict[str, t.Any] = {"restore_from": "newest"}


@pytest.mark.parametrize(
    ("playbook", "values", "options"),
    [
        ("converge", {}, {"preflight": True, "replication": "wait"}),
        (
            "converge",
            {**VALUES, "replication": "none", "snapshot_file": "x"},
            {"partners": VALUES["partners"], "partners_purge": True, "preflight": True, "replication": "none"},
        ),
        ("audit", {"protect": ["a"]}, {"preflight": True, "protect": ["a"]}),
        (
            "history",
            {"protect": ["a"], "snapshot_directory": "/s"},
            {"protect": ["a"], "snapshot_directory": "/s", "force": True},
        ),
        ("restore", {"removal_limit": 5}, {"removal_limit": 5, "replication": "wait", **NEW}),
        ("restore", {"snapshot_file": "x.yml"}, {"replication": "wait", "restore_from": "x.yml"}),
        (
            "restore",
            {"for_partner": "a.test, b.test,"},
            {"replication": "wait", "restore_from": "newest", "restore_only": ["a.test", "b.test"]},
        ),
    ],
)
def test_a_playbook_takes_everything_from_the_settings(playbook: str, values: t.Any, options: t.Any) -> None:
    assert of_playbook(playbook, values) == options


def test_a_role_takes_its_parameters_and_the_rest_from_the_settings() -> None:
    values = {**VALUES, "snapshot_keep": 3, "replication": "push"}
    given: dict[str, t.Any] = {"partners": None, "partners_purge": False, "allow": [], "force": "", "removal_limit": 0}
    assert of_role("federated_partners", values, given) == {
        "partners_purge": False,
        "allow": [],
        "removal_limit": 0,
        "snapshot_keep": 3,
        "replication": "push",
        "preflight": True,
        "parts": ["partners", "removals"],
    }


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({}, list(PARTS_OF_ROLES["federation"])),
        ({"parts": ["removals", "partners"]}, ["partners", "removals"]),
        ({"parts": "gateway, rows"}, ["gateway", "rows"]),
    ],
)
def test_the_parts_of_a_role(given: dict[str, t.Any], parts: list[str]) -> None:
    assert of_role("federation", {}, given)["parts"] == parts


def test_a_role_that_returns_to_a_snapshot_declares_nothing() -> None:
    options = of_role("federation", {}, {**NEW, "partners": [], "partners_purge": True, "protect": ["a.test"]})
    assert options == {
        "restore_from": "newest", "protect": ["a.test"], "preflight": False, "replication": "wait",
        "parts": list(PARTS_OF_ROLES["federation"]),
    }  # fmt: skip


def test_the_role_of_the_whole_has_every_option_but_that_of_a_reviewed_plan() -> None:
    # A revocation holds for every run of the inventory, whatever a role is told.
    assert set(ROLES["federation"]) == set(SPEC) - {"plan_digest", "revoked"}
    assert "revoked" in {setting.option for setting in read_by("federation")}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_reads_what_converge_reads_and_nothing_of_other_roles(role: str) -> None:
    names = {setting.option for setting in read_by(role)}
    assert names <= {setting.option for setting in read_by("converge")}
    assert {"ticket", "snapshot", "deployment"} <= names
    others = {"policies", "partners", "gateway", "access_edge", "federation_routes"} - set(ROLES[role])
    assert not names & {*others, "certificate"}


def test_options_have_the_names_that_the_user_wrote() -> None:
    names = [called(runs)("partners") for runs in ("", "converge", "federation", "federated_partners")]
    assert names == ["partners", "sfb_xmpp_partners", "federation_partners", "federated_partners_declared"]
    assert called("restore")("restore_from") == "sfb_xmpp_snapshot_file"
    assert called("access_policies")("snapshot_directory") == "sfb_xmpp_snapshot_directory"
