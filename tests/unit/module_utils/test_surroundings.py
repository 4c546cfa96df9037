# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_federation has around its plan: the chain in the one reading, a backup first, replication last."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Step
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.around import adds
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError, Statement

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

EDGE = "edge.contoso.com"
PARTNER = [{"domain": "fabrikam.com", "partner_type": "federated", "sasl_negotiation": "optional"}]
PUSH, STATUS, EXPORT = (
    "Invoke-CsManagementStoreReplication",
    "Get-CsManagementStoreReplicationStatus",
    "Export-CsConfiguration",
)
BACKUP = "C:\\Backup\\before.zip"


def server(route: str = "EdgeServer:" + EDGE) -> MemoryShell:
    shell = MemoryShell()
    edge = {"AllowOutsideUsers": True, "AllowFederatedUsers": True}
    shell.put("CsAccessEdgeConfiguration", "Global", edge)
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": route or None})
    shell.replicas = ["fe01.contoso.com", "edge01.contoso.com", "branch.contoso.com"]
    return shell


def deny(shell: MemoryShell, *cmdlets: str) -> None:
    """As an endpoint that does not offer them."""
    shell.hidden = set(cmdlets)

    def fault(statement: Statement) -> ServerError | None:
        unknown = ServerError(statement.cmdlet, "CommandNotFoundException", "ObjectNotFound", "no such cmdlet")
        return unknown if statement.cmdlet in cmdlets else None

    shell.fault = fault


def converge(shell: MemoryShell, check: bool = False, **arguments: t.Any) -> Result:
    return run(TASK, shell, check=check, preflight=True, **arguments)


def writes(shell: MemoryShell) -> list[str]:
    return [statement.cmdlet for statement in shell.writes()]


def test_a_healthy_deployment_has_no_line_and_everything_is_read_in_one_request() -> None:
    shell = server()
    result = converge(shell, access_edge={"allow_federated_users": True})
    assert result.values["preflight"] == {"findings": [], "blocking": [], "ignored": []}
    assert len(result.values["report"]) == 2
    assert (shell.requests, result.changed) == (2, False)
    sent = [(statement.cmdlet, str(statement.parameters)) for statement in shell.sent]
    assert len(sent) == len(set(sent))
    assert "policies" not in result.values, "what the plan does not depend on is no result of the run"


def test_without_being_asked_nobody_looks() -> None:
    shell = server("")
    result = run(TASK, shell, partners=PARTNER)
    assert "preflight" not in result.values
    assert "Get-CsPool" not in {statement.cmdlet for statement in shell.sent}
    assert PUSH not in writes(shell)


def test_without_anything_declared_nothing_is_read() -> None:
    shell = server("")
    assert not converge(shell).changed
    assert shell.sent == []


def test_where_no_message_could_pass_nothing_is_added() -> None:
    shell = server("")
    planned = converge(shell, check=True, partners=PARTNER)
    assert [step["result"] for step in planned.steps or ()] == ["planned"]
    assert planned.values["preflight"]["blocking"] == ["no_route"]
    told = planned.values["report"]
    assert told[-2].startswith("The first broken link is no_route: no site has an XMPP federation route; set a route")
    assert told[-1] == "A real run would be refused before its first write: no_route."
    with pytest.raises(Refused, match=r"no message could pass.*to run anyway, add no_route to preflight_ignore"):
        converge(shell, partners=PARTNER)
    assert shell.writes() == []


def test_what_is_taken_away_is_never_held_up() -> None:
    shell = server("")
    shell.put("CsXmppAllowedPartner", "fabrikam.com", {})
    result = converge(shell, partners=[], partners_purge=True, allow=["empty_purge"])
    assert result.values["preflight"]["blocking"] == ["no_route"]
    assert writes(shell) == ["Remove-CsXmppAllowedPartner"]


def test_what_this_run_sets_is_no_obstacle() -> None:
    shell = server("")
    routes = [{"site": "Redmond", "edge_pool": EDGE}]
    result = converge(shell, partners=PARTNER, federation_routes=routes)
    assert result.values["preflight"]["findings"] == []
    assert writes(shell) == ["Set-CsSite", "New-CsXmppAllowedPartner"]


def test_a_finding_that_is_accepted_stops_nothing_and_one_that_is_gone_is_said() -> None:
    shell = server("")
    result = converge(shell, partners=PARTNER, preflight_ignore=["no_route", "two_routes", "proxy_stopped"])
    assert result.values["preflight"] == {"findings": [], "blocking": [], "ignored": ["no_route"]}
    assert "Accepted (preflight_ignore): no_route" in result.values["report"]
    # Services are looked at by the playbook preflight alone.
    text = "preflight_ignore: the finding two_routes no longer occurs; remove the finding from the list"
    assert [warning for warning in result.warnings if "preflight_ignore" in warning] == [text]


def test_the_first_broken_link_comes_before_a_warning_that_stands_earlier() -> None:
    shell = server()
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": False})
    policy = {"identity": "Staff", "enable_federation_access": True, "enable_xmpp_access": True}
    report = converge(shell, check=True, policies=[policy]).values["report"]
    assert report[-2].startswith("The first broken link is federation_off")
    told = "  * policy_without_outside: these policies give XMPP access without outside access: Staff"
    assert report[-1].startswith(told)


@pytest.mark.parametrize("cmdlet", ["Get-CsSite", "Get-CsPool", STATUS, "Get-CsXmppGatewayConfiguration"])
def test_what_cannot_be_read_stops_nothing(cmdlet: str) -> None:
    shell = server()
    deny(shell, cmdlet)
    result = converge(shell, partners=PARTNER)
    assert writes(shell) == ["New-CsXmppAllowedPartner"]
    assert result.values["preflight"]["blocking"] == []
    unknown = [one["code"] for one in result.values["preflight"]["findings"]]
    assert bool(unknown) == (cmdlet != "Get-CsXmppGatewayConfiguration"), "which is no link of the chain"
    if unknown:
        assert "  ? unknown with this account: %s" % unknown[0] in result.values["report"]


def test_a_foundation_of_another_form_is_not_observable_and_stops_nothing() -> None:
    shell = server()
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": 5})
    result = converge(shell, partners=PARTNER)
    assert writes(shell) == ["New-CsXmppAllowedPartner"]
    assert "route_unknown" in [one["code"] for one in result.values["preflight"]["findings"]]


def step(part: str, before: t.Any, after: t.Any, expect: t.Any) -> Step:
    return Step("Set-X", "x", {}, before=before, after=after, expect=expect, part=part)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (step("partners", None, {"domain": "x"}, {"domain": "x"}), True),
        (step("partners", {"domain": "x"}, None, None), False),
        (step("partners", {"additional_domains": ["a", "b"]}, {}, {"additional_domains": ["a"]}), False),
        (step("partners", {"additional_domains": ["a"]}, {}, {"additional_domains": ["a", "b"]}), True),
        (step("policies", {"enable_xmpp_access": True}, {}, {"enable_xmpp_access": False}), False),
        (step("policies", {"enable_xmpp_access": False}, {}, {"enable_xmpp_access": True}), True),
        (step("policies", {"description": "a"}, {}, {"description": "b"}), False),
        (step("gateway", {"connection_limit": 1}, {}, {"connection_limit": 2}), False),
        (step("access_edge", {"allow_federated_users": False}, {}, {"allow_federated_users": True}), False),
        (step("grants", {"policy": ""}, {"policy": "X"}, {"policy": "X"}), True),
        (step("grants", {"policy": "X"}, {"policy": ""}, {"policy": ""}), False),
    ],
)
def test_what_counts_as_an_addition(one: Step, expected: bool) -> None:
    assert adds(one) is expected


# The backup


def test_the_backup_comes_before_the_first_write() -> None:
    shell = server()
    planned = converge(shell, check=True, partners=PARTNER, configuration_backup=BACKUP)
    assert shell.writes() == []
    assert "configuration_backup" not in planned.values
    result = converge(shell, partners=PARTNER, configuration_backup=BACKUP)
    assert writes(shell) == [EXPORT, "New-CsXmppAllowedPartner"]
    assert dict(shell.writes()[0].parameters) == {"FileName": BACKUP}
    assert result.values["configuration_backup"] == BACKUP
    assert "The backup of Export-CsConfiguration is on the server: " + BACKUP in result.values["report"]
    assert [one["cmdlet"] for one in result.steps or ()] == ["New-CsXmppAllowedPartner"]
    before = len(shell.sent)
    again = converge(shell, partners=PARTNER, configuration_backup=BACKUP)
    assert not again.changed
    assert EXPORT not in [statement.cmdlet for statement in shell.sent[before:]]


def test_without_the_right_to_a_backup_nothing_is_written_and_check_mode_says_so() -> None:
    shell = server()
    deny(shell, EXPORT)
    told = "configuration_backup: Export-CsConfiguration is not offered to the session's account"
    planned = converge(shell, check=True, partners=PARTNER, configuration_backup=BACKUP)
    assert any(told in warning for warning in planned.warnings)
    with pytest.raises(Refused, match=told):
        converge(shell, partners=PARTNER, configuration_backup=BACKUP)
    assert shell.writes() == []


def test_a_backup_that_fails_ends_the_run_before_its_first_write() -> None:
    shell = server()
    error = ServerError(EXPORT, "ExportFailed", "WriteError", "Could not find a part of the path")
    shell.fault = lambda statement: error if statement.cmdlet == EXPORT else None
    with pytest.raises(Refused, match="so there is no backup: Could not find a part of the path"):
        converge(shell, partners=PARTNER, configuration_backup=BACKUP)
    assert writes(shell) == [EXPORT]


# Replication


def test_a_run_waits_for_the_replicas_that_carry_xmpp_and_pushes_nothing() -> None:
    """The branch server has a Registrar, and no gateway."""
    shell = server()
    result = converge(shell, partners=PARTNER, replication="wait")
    found = result.values["replication"]
    assert (found["pushed"], found["late"], found["not_awaited"]) == (False, [], ["branch.contoso.com"])
    assert found["awaited"] == ["edge01.contoso.com", "fe01.contoso.com"]
    assert result.values["report"][-1] == (
        "Replicated after 0 s to edge01.contoso.com, fe01.contoso.com. The run did not wait for branch.contoso.com."
    )
    assert writes(shell) == ["New-CsXmppAllowedPartner"]
    cmdlets = [statement.cmdlet for statement in shell.sent]
    first = cmdlets.index("New-CsXmppAllowedPartner")
    assert cmdlets[:first].count(STATUS) == 2, "once in the reading, once right before the first write"


def test_without_a_preflight_the_topology_is_read_for_it_after_the_writes() -> None:
    shell = server()
    result = run(TASK, shell, partners=PARTNER, replication="wait")
    assert result.values["replication"]["awaited"] == ["edge01.contoso.com", "fe01.contoso.com"]


def test_a_replica_that_stays_behind_fails_the_run_with_its_name_and_says_that_nothing_moved() -> None:
    shell = server()
    shell.stuck = True
    result = converge(shell, partners=PARTNER, replication="wait", replication_timeout=0)
    assert [failure.identity for failure in result.failures] == ["edge01.contoso.com", "fe01.contoso.com"]
    assert result.changed
    assert result.values["replication"]["late"] == ["edge01.contoso.com", "fe01.contoso.com"]
    assert result.values["replication"]["moved"] == []
    late, nothing, check, push = result.values["report"][-4:]
    assert late.startswith("NOT REPLICATED after 0 s: edge01.contoso.com, fe01.contoso.com. The run did not wait for")
    assert nothing == "  No replica has a newer update than before the run."
    assert "port 4443 to the Edge servers" in check
    assert "push: true and replicas: [edge01.contoso.com, fe01.contoso.com]" in push
    assert "replication: push" in push


def test_what_writes_nothing_replicates_nothing() -> None:
    shell = server()
    converge(shell, partners=PARTNER)
    before = len(shell.sent)
    again = converge(shell, partners=PARTNER, replication="wait")
    assert "replication" not in again.values
    assert [one.cmdlet for one in shell.sent[before:]].count(STATUS) == 1


@pytest.mark.parametrize("mode", ["wait", "push"])
def test_grants_alone_are_not_replicated(mode: str) -> None:
    """They are written to Active Directory."""
    shell = server()
    ann = {"SipAddress": "sip:ann@contoso.com", "UserPrincipalName": "ann@contoso.com"}
    shell.users.append({"Identity": "CN=ann", **ann, "ExternalAccessPolicy": None, "RegistrarPool": "fe01.contoso.com"})
    policy = {"identity": "Staff", "enable_federation_access": True, "enable_xmpp_access": True}
    converge(shell, policies=[policy])
    before = len(shell.sent)
    granted = [{**policy, "granted_to": ["sip:ann@contoso.com"]}]
    shell.stuck = True
    result = converge(shell, policies=granted, replication=mode, replication_timeout=0)
    assert (result.changed, result.failures) == (True, [])
    sent = [one.cmdlet for one in shell.sent[before:]]
    assert "Grant-CsExternalAccessPolicy" in sent
    assert (sent.count(STATUS), PUSH in sent) == (1, False)
    assert "replication" not in result.values


def test_where_the_replicas_cannot_be_read_the_run_does_not_wait_and_says_so() -> None:
    shell = server()
    deny(shell, STATUS)
    result = converge(shell, partners=PARTNER, replication="wait")
    assert not result.failures
    assert any(line.startswith("The run cannot wait for replication: ") for line in result.values["report"])
    assert writes(shell) == ["New-CsXmppAllowedPartner"]


def test_a_push_names_its_replicas_and_the_run_waits() -> None:
    shell = server()
    result = converge(shell, partners=PARTNER, replication="push")
    assert [(one.cmdlet, one.parameters.get("ReplicaFqdn")) for one in shell.writes()[1:]] == [
        (PUSH, "edge01.contoso.com"), (PUSH, "fe01.contoso.com"),
    ]  # fmt: skip
    assert result.values["replication"]["pushed"]
    assert result.values["report"][-1].startswith("Replicated after 0 s to edge01.contoso.com, fe01.contoso.com")
    assert [one["cmdlet"] for one in result.steps or ()] == ["New-CsXmppAllowedPartner"]


def test_a_push_without_a_known_topology_is_one_for_all() -> None:
    shell = server()
    deny(shell, "Get-CsPool")
    result = converge(shell, partners=PARTNER, replication="push")
    assert [dict(one.parameters) for one in shell.writes()[1:]] == [{}]
    assert result.values["replication"]["awaited"] == ["branch.contoso.com", "edge01.contoso.com", "fe01.contoso.com"]


def test_a_push_that_is_not_offered_is_told_and_the_run_waits_all_the_same() -> None:
    shell = server()
    deny(shell, PUSH)
    result = converge(shell, partners=PARTNER, replication="push")
    assert not result.failures
    told = "Replication was not pushed: %s is not offered to the session's account" % PUSH
    assert any(line.startswith(told) for line in result.values["report"])
    assert result.values["report"][-1].startswith("Replicated after")
    assert writes(shell) == ["New-CsXmppAllowedPartner"]
