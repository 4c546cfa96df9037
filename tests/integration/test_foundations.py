# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What federation depends on, over the wire: rights, routes, replicas."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import ROUTE
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION, singular
from ansible_collections.sfb.xmpp.plugins.module_utils._topology import replication
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.tasks import INFO

from lab.deployment import replication as lab_replication
from lab.deployment.breaks import break_link
from tests.integration.management import Management
from tests.integration.plays import CHECKOUT, Plays, Run

PUSH = "Invoke-CsManagementStoreReplication"
EDGE = "edge.contoso.test"


def test_a_route_is_set_where_there_is_none(management: Management) -> None:
    break_link(management.store, "no-route")
    result = management.rhythm(singular(ROUTE), site="site:redmond", edge_pool="EDGE.contoso.test.")
    assert result.values == {"route": {"site": "Redmond", "edge_pool": EDGE}}
    site = management.store.all("site")["Redmond"]
    assert site["XmppFederationRoute"] == "EdgeServer:" + EDGE


def test_a_route_is_cleared_only_with_force(management: Management) -> None:
    mark = management.mark()
    with pytest.raises(Refused, match="To clear it, use force"):
        management.run(singular(ROUTE), site="Redmond", edge_pool="")
    assert management.writes(mark) == []
    management.rhythm(singular(ROUTE), site="Redmond", edge_pool="", force=True)
    assert not management.store.all("site")["Redmond"]["XmppFederationRoute"]


def test_a_site_that_does_not_exist_is_named(management: Management) -> None:
    with pytest.raises(Refused, match="there is no site 'Paris' in the deployment"):
        management.run(singular(ROUTE), site="Paris", edge_pool=EDGE)


def test_replicas_are_pushed_and_awaited(management: Management) -> None:
    management.store.set_setting("replication_seconds", 1.5)
    management.store.set_setting("status_empty_seconds", 2.0)
    before = management.run(replication.TASK, check=True, push=True)
    assert before.changed
    assert management.writes() == []
    result = management.run(replication.TASK, timeout=60, push=True)
    assert (result.changed, result.failures) == (True, [])
    assert [event.cmdlet for event in management.writes()] == [PUSH]
    times = [[one["last_update_creation"] for one in r.values["replicas"]] for r in (before, result)]
    assert min(times[1]) > max(times[0])
    assert {one["fqdn"] for one in result.values["replicas"]} == set(management.store.all("replica"))


def test_a_late_replica_is_awaited_and_a_stuck_one_ends_the_wait_with_its_name(management: Management) -> None:
    """Without a push nothing is written."""
    management.store.set_setting("replicas_late", {"edge01.contoso.test": 4.0})
    lab_replication.changed(management.store)
    started = time.monotonic()
    result = management.run(replication.TASK, timeout=60)
    assert (result.changed, result.failures) == (False, [])
    assert time.monotonic() - started >= 3
    break_link(management.store, "stale-replica")
    started = time.monotonic()
    result = management.run(replication.TASK, timeout=3)
    assert time.monotonic() - started >= 3
    assert [failure.identity for failure in result.failures] == ["edge01.contoso.test"]
    others = [name for name in management.store.all("replica") if name != "edge01.contoso.test"]
    assert management.run(replication.TASK, timeout=3, replicas=others).failures == []
    assert management.writes() == []


def test_a_push_names_its_replicas_and_an_unknown_one_is_refused(management: Management) -> None:
    with pytest.raises(Refused, match=r"no replica 'egde01.contoso.test' \(did you mean edge01.contoso.test"):
        management.run(replication.TASK, push=True, replicas=["egde01.contoso.test"])
    assert management.writes() == []
    # Somebody's push has just deleted a status: the replica is known all the same, and behind.
    management.store.set_setting("status_empty_seconds", 60.0)
    lab_replication.push(management.store, "edge01.contoso.test")
    late = management.run(replication.TASK, timeout=0)
    assert [failure.identity for failure in late.failures] == ["edge01.contoso.test"]
    management.store.set_setting("status_empty_seconds", 0.0)
    names = ["edge01.contoso.test", "fe01.contoso.test"]
    result = management.run(replication.TASK, push=True, replicas=names, timeout=30)
    assert (result.changed, result.failures) == (True, [])
    assert [event.parameters for event in management.writes()] == [{"ReplicaFqdn": name} for name in names]


def as_viewer(plays: Plays, playbook: str, *arguments: str) -> Run:
    """A playbook with the lab's inventory, as the account that may only read."""
    lab = {"SFB_LAB_DIRECTORY": str(plays.lab.directory), "SFB_LAB_PORT": str(plays.lab.port)}
    account = ("-e", "ansible_user=CONTOSO\\\\viewer", "-e", "ansible_password=Lab-viewer-1")
    inventory = CHECKOUT / "inventories" / "lab"
    return plays.run(
        "sfb.xmpp." + playbook, *account, "--limit", "sfb_management,localhost", *arguments,
        inventory=inventory, environment=lab,
    )  # fmt: skip


@pytest.mark.parametrize("playbook", ["preflight", "export", "audit"])
def test_the_playbooks_of_the_first_hour_only_read(plays: Plays, playbook: str) -> None:
    into = plays.directory / "into"
    run = as_viewer(plays, playbook, "-e", "sfb_xmpp_into=%s" % into)
    # Nothing of the inventory is there yet, which is drift, and an error of the audit.
    assert run.code == (2 if playbook == "audit" else 0), run.output
    if playbook == "preflight":
        (found,) = (task.result for task in run.tasks if task.task.endswith("Check what federation depends on"))
        assert [one["code"] for one in found["findings"] if one["severity"] != "unknown"] == ["rights"], run.output
        (rights,) = (one for one in found["findings"] if one["code"] == "rights")
        assert "CONTOSO\\viewer can read but not write" in rights["message"]
        assert "does not offer New-CsExternalAccessPolicy" in rights["message"]
        assert "CsAdministrator" in rights["remedy"]
    else:
        assert {path.suffix for path in into.rglob("*") if path.is_file()} >= {
            ".yml" if playbook == "export" else ".json"
        }
    statements = [event for event in plays.lab.store().events() if event.kind == "statement"]
    assert {event.user for event in statements} == {"CONTOSO\\viewer"}
    assert {event.cmdlet for event in statements if not event.cmdlet.startswith("Get-")} <= {"Select-Object"}


def test_a_view_only_account_plans_everything_and_sends_nothing_that_writes(plays: Plays) -> None:
    planned = as_viewer(plays, "converge", "--check")
    assert planned.code == 0, planned.output
    assert "chat.alpineskihouse.example" in planned.output
    told = "CONTOSO\\viewer can read but not write. Its session does not offer New-CsExternalAccessPolicy,"
    assert told in " ".join(planned.output.split())
    refused = as_viewer(plays, "converge")
    assert refused.code == 2, refused.output
    assert told in " ".join(refused.output.split())
    assert "CsAdministrator is needed" in refused.output
    statements = [event for event in plays.lab.store().events() if event.kind == "statement"]
    assert {event.user for event in statements} == {"CONTOSO\\viewer"}
    sent = {event.cmdlet for event in statements}
    assert "Get-CsXmppAllowedPartner" in sent
    # Select-Object cuts what a Get- returns.
    assert {cmdlet for cmdlet in sent if not cmdlet.startswith("Get-")} == {"Select-Object"}


def test_a_route_that_the_shell_cannot_set_is_told_and_the_rest_done(management: Management) -> None:
    for name in ("no-route", "set-site-missing"):
        break_link(management.store, name)
    policies = [{"identity": "Staff", "enable_federation_access": True}]
    routes = [{"site": "Redmond", "edge_pool": EDGE}]
    result = management.run(FEDERATION, policies=policies, federation_routes=routes)
    assert [event.cmdlet for event in management.writes()] == ["New-CsExternalAccessPolicy"]
    assert any("set the route in Topology Builder" in text for text in result.warnings)


def test_the_topology_is_read_in_one_request(management: Management) -> None:
    break_link(management.store, "coexistence")
    mark = management.mark()
    found = management.run(INFO).values
    statements = [event for event in management.store.events(mark) if event.kind == "statement"]
    reads = [event for event in statements if event.cmdlet not in ("Get-Command", "Select-Object")]
    assert len(reads) == len({(event.cmdlet, str(event.parameters)) for event in reads}) == 9
    assert management.requests == 2, "what the session offers, and everything"
    assert found["unobserved"] == []
    assert {pool["fqdn"]: (pool["release"], pool["registrar"]) for pool in found["pools"]} == {
        "fe01.contoso.test": ("2015", True),
        "fe11.contoso.test": ("2015", True),
        "fe19.contoso.test": ("2019", True),
        EDGE: ("2015", False),
    }
    (edge,) = found["edge_pools"]
    assert (edge["release"], edge["xmpp_listening_port"], edge["xmpp_internal_port"]) == ("2015", 5269, 23456)
    assert found["sip_domains"] == ["contoso.test", "contoso-emea.test"]
    assert {site["name"]: site["xmpp_federation_route"] for site in found["sites"]} == {"Redmond": EDGE, "Dublin": ""}


HIDDEN = ("Get-CsSite", "Get-CsPool", "Get-CsBlockedDomain", "Get-CsXmppGatewayConfiguration")
WANTED: dict[str, t.Any] = {"partners": [{"domain": "litware.test", "partner_type": "federated"}]}


@pytest.mark.parametrize("kind", ["everything", "view only", "four hidden"])
def test_a_run_reads_everything_once_whatever_the_account_may_not_read(management: Management, kind: str) -> None:
    """Each statement stands once in the lab's log, and no run has more requests than one with everything offered."""
    hidden = {"view only": ["New-Cs*", "Set-Cs*", "Remove-Cs*", "Grant-Cs*"], "four hidden": [*HIDDEN]}.get(kind, [])
    management.store.set_setting("cmdlets_hidden", hidden)
    found = management.run(TASK, check=True, preflight=True, preflight_ignore=[], **WANTED)
    assert found.changed
    assert management.requests == 2
    statements = [event for event in management.store.events() if event.kind == "statement"]
    reads = [(event.cmdlet, str(event.parameters)) for event in statements if event.cmdlet.startswith("Get-Cs")]
    assert len(reads) == len(set(reads)) == 14 - sum(cmdlet in hidden for cmdlet in HIDDEN)
    assert not {cmdlet for cmdlet, _given in reads} & set(hidden)
    lines = [line for line in found.values["report"] if "unknown with this account" in line]
    assert len(lines) == (kind == "four hidden")


def test_a_kind_that_the_plan_needs_and_that_is_not_offered_ends_the_run_before_it_writes(
    management: Management,
) -> None:
    management.store.set_setting("cmdlets_hidden", ["Get-CsXmppAllowedPartner"])
    with pytest.raises(Refused, match=r"does not offer Get-CsXmppAllowedPartner\. CsViewOnlyAdministrator or"):
        management.run(TASK, preflight=True, **WANTED)
    assert management.writes() == []
    assert management.requests == 2


def test_what_the_account_may_not_read_is_said_and_the_rest_is_read(management: Management) -> None:
    management.store.set_setting("cmdlets_hidden", ["Get-CsSite", "Get-CsManagementStoreReplicationStatus"])
    found = management.run(INFO).values
    assert (found["sites"], found["replicas"]) == (None, None)
    assert {one["cmdlet"]: one["reason"] for one in found["unobserved"]} == dict.fromkeys(
        ("Get-CsSite", "Get-CsManagementStoreReplicationStatus"), "not offered to this account"
    )
    assert found["sip_domains"] == ["contoso.test", "contoso-emea.test"]
    assert {pool["release"] for pool in found["pools"]} == {"2015"}
