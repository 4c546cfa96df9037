# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight over the wire: each link of the lab broken alone is named first, two at once, nothing on a healthy lab."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.preflight import TASK

from lab.deployment.breaks import BREAKS, break_link
from tests.integration.management import Management
from tests.integration.plays import Plays, Run

# What a deployment needs that works; the lab as it is installed has nothing of it.
HEALTHY: dict[str, t.Any] = {
    "access_edge": {"allow_federated_users": True},
    "partners": [{"domain": "fabrikam.example", "sasl_negotiation": "optional"}],
    "policies": [
        {
            "identity": "global",
            "enable_federation_access": True,
            "enable_xmpp_access": True,
            "enable_outside_access": True,
        }
    ],
}
# Services are of hosts, which the playbook asks; a late replica is there in the end; the others are not looked at.
ELSEWHERE = {
    "gateway-not-installed", "proxy-not-installed", "gateway-stopped", "proxy-stopped", "certificate-missing",
    "certificate-expired", "clock-ahead", "users-disabled", "late-replica",
}  # fmt: skip
# Break -> the codes that are found. Users are read only where a pool without XMPP stands beside.
FOUND: dict[str, list[str]] = {
    "coexistence": [],
    "2019-server": ["server_later"],
    "no-legacy-pool": ["no_legacy_pool", "server_later", "edge_without_xmpp", "users_elsewhere"],
    "users-on-2019": ["users_elsewhere"],
    "users-online": [],
    "edge-without-xmpp": ["edge_without_xmpp"],
    "no-route": ["no_route"],
    "route-to-2019": ["route_elsewhere"],
    "federated-users-off": ["federation_off"],
    "partner-allowed": ["partner_allowed"],
    "partner-blocked": ["partner_blocked"],
    "policy-without-federation": ["policy_without_federation"],
    "policy-without-outside": ["policy_without_outside"],
    "stale-front-end": ["replica_behind"],
    "stale-replica": ["replica_behind"],
    "set-site-missing": [],
}


@pytest.fixture
def healthy(management: Management) -> Management:
    for key, setting in (("replication_seconds", 0.0), ("replication_notice", 0.0)):
        management.store.set_setting(key, setting)
    assert not management.run(FEDERATION, **HEALTHY).failures
    return management


def codes(management: Management, **arguments: t.Any) -> list[str]:
    mark = management.mark()
    result = management.run(TASK, **arguments)
    assert management.writes(mark) == []
    assert [finding["blocks"] for finding in result.values["findings"]].count(True) == len(result.values["blocking"])
    return [finding["code"] for finding in result.values["findings"]]


def test_every_break_of_the_lab_is_spoken_of() -> None:
    assert set(FOUND) | ELSEWHERE == set(BREAKS)


def test_a_healthy_lab_has_no_finding(healthy: Management) -> None:
    assert codes(healthy) == []


@pytest.mark.parametrize("name", FOUND)
def test_a_broken_link_is_named_first(healthy: Management, name: str) -> None:
    break_link(healthy.store, name)
    assert codes(healthy) == FOUND[name]


@pytest.mark.parametrize(
    ("earlier", "later"), [("edge-without-xmpp", "federated-users-off"), ("no-route", "partner-blocked")]
)
def test_of_two_the_earlier_is_named_first(healthy: Management, earlier: str, later: str) -> None:
    for name in (later, earlier):
        break_link(healthy.store, name)
    assert codes(healthy) == FOUND[earlier] + FOUND[later]


def test_what_is_declared_is_no_obstacle(management: Management) -> None:
    break_link(management.store, "no-route")
    assert codes(management) == ["no_route", "federation_off"]
    routes = [{"site": "Redmond", "edge_pool": "edge.contoso.test"}]
    assert codes(management, federation_routes=routes, **HEALTHY) == []


def preflight(plays: Plays, **variables: t.Any) -> Run:
    hosts = plays.hosts()
    hosts["sfb_front_end"] = {"hosts": dict(hosts["sfb_management"]["hosts"])}
    inventory = plays.write(
        "preflight.yml", {**hosts, "all": {"vars": {"sfb_xmpp_" + n: v for n, v in variables.items()}}}
    )
    return plays.run("sfb.xmpp.preflight", inventory=inventory)


def test_the_playbook_names_the_first_broken_link_and_stops(plays: Plays) -> None:
    run = preflight(plays, **HEALTHY)
    assert run.code == 0, run.output
    assert "Every link that was looked at holds." in run.output
    for name in ("proxy-stopped", "gateway-not-installed", "no-route"):
        break_link(plays.lab.store(), name)
    run = preflight(plays, **HEALTHY)
    assert run.code == 2
    found = run.result("sfb.xmpp.preflight : Check what federation depends on")
    assert [one["code"] for one in found["findings"]] == ["gateway_not_installed", "proxy_stopped", "no_route"]
    assert "The first broken link: fe01 has no XMPP gateway service." in run.output
    run = preflight(plays, **HEALTHY, preflight_ignore=["no_route"])
    assert run.code == 0, run.output
    sent = {event.cmdlet for event in plays.lab.store().events() if event.kind == "statement"}
    assert {cmdlet for cmdlet in sent if not cmdlet.startswith("Get-")} <= {"Select-Object", "Import-Module"}
