# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight: what is declared is no obstacle, what is ignored is said, and nothing is written."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError

from tests.unit.module_utils.memory_shell import TOPOLOGY, MemoryShell
from tests.unit.module_utils.states import run

ROUTES = [{"site": "Redmond", "edge_pool": "edge.contoso.com"}]


def server() -> MemoryShell:
    shell = MemoryShell()
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": True})
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": None})
    return shell


def codes(result: Result) -> list[str]:
    return [finding["code"] for finding in result.values["findings"]]


def preflight(shell: MemoryShell, **arguments: t.Any) -> Result:
    result = run(TASK, shell, **arguments)
    assert shell.writes() == []
    assert not result.changed
    return result


def test_what_the_next_run_sets_is_no_obstacle() -> None:
    before = preflight(server())
    assert codes(before) == ["no_route", "federation_off"]
    assert before.values["blocking"] == ["no_route", "federation_off"]
    assert before.values["report"][0] == "The first broken link: no site has an XMPP federation route."
    after = preflight(server(), federation_routes=ROUTES, access_edge={"allow_federated_users": True})
    assert codes(after) == []
    assert after.values["report"] == ["All checked links work."]


def test_a_partner_is_named_before_it_is_written() -> None:
    edge = {"allow_federated_users": True}
    found = preflight(server(), federation_routes=ROUTES, access_edge=edge, partners=[{"domain": "litware.com"}])
    assert codes(found) == ["partner_allowed"]


def test_what_is_ignored_is_said_and_what_matches_nothing_too() -> None:
    result = preflight(server(), ignore=["no_route", "two_routes"])
    assert codes(result) == ["federation_off"]
    assert (result.values["blocking"], result.values["ignored"]) == (["federation_off"], ["no_route"])
    assert "ignored: no_route" in result.values["report"]
    assert result.warnings == ["ignore: the finding two_routes no longer occurs; remove the finding from the list"]


def test_missing_rights_are_a_finding_that_does_not_block() -> None:
    shell = server()
    shell.hidden = {"Set-CsSite"}
    result = preflight(shell, federation_routes=ROUTES, access_edge={"allow_federated_users": True})
    assert (codes(result), result.values["blocking"]) == (["rights"], [])


def test_what_cannot_be_read_does_not_block() -> None:
    shell = server()
    denied = ServerError("Get-CsSite", "CommandNotFoundException", "ObjectNotFound", "no", "Get-CsSite")
    shell.fault = lambda statement: denied if statement.cmdlet == "Get-CsSite" else None
    result = preflight(shell)
    assert codes(result) == ["route_unknown", "federation_off"]
    assert result.values["blocking"] == ["federation_off"]


def told(result: Result) -> list[str]:
    return [one["message"] for one in result.values["findings"] if one["code"] == "unreadable"]


def test_another_form_is_a_finding_that_names_it_and_hides_nothing_else() -> None:
    shell = server()
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": "perhaps"})
    result = preflight(shell)
    assert codes(result) == ["no_route", "access_edge_unknown", "unreadable"]
    assert result.values["blocking"] == ["no_route"]
    (message,) = told(result)
    assert message.startswith("Get-CsAccessEdgeConfiguration: the answer cannot be read: Global: AllowFederatedUsers ")


@pytest.mark.parametrize("first", [False, True])
def test_an_object_that_nobody_knows_is_a_finding_of_its_own_cmdlet(
    first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it stands at the border to the objects of another cmdlet."""
    domains = TOPOLOGY["CsAllowedDomain"]
    odd = {"Identity": "odd.test"}
    monkeypatch.setitem(TOPOLOGY, "CsAllowedDomain", [odd, *domains] if first else [*domains, odd])
    result = preflight(server())
    assert codes(result) == ["no_route", "federation_off", "unreadable"]
    (message,) = told(result)
    assert message.startswith("Get-CsAllowedDomain: the answer cannot be read: ")
    assert "Identity" in message


def test_a_user_in_another_form_is_a_finding() -> None:
    shell = server()
    shell.users.append({"Identity": "CN=ann", "SipAddress": 5, "ExternalAccessPolicy": "X"})
    policy = {"identity": "X", "enable_federation_access": True, "enable_xmpp_access": True}
    result = preflight(shell, policies=[{**policy, "granted_to": ["sip:ann@contoso.test"]}])
    assert "unreadable" in codes(result)
    assert told(result)[0].startswith("Get-CsUser: the answer cannot be read: CN=ann: SipAddress ")


@pytest.mark.parametrize("branch", [False, True])
def test_users_are_read_only_where_it_matters(branch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be homed where there is no XMPP: on a branch appliance, say."""
    services = [one for one in TOPOLOGY["CsService"] if branch or not str(one["PoolFqdn"]).startswith("branch")]
    monkeypatch.setitem(TOPOLOGY, "CsService", services)
    shell = server()
    preflight(shell, policies=[{"identity": "X", "enable_federation_access": True, "enable_xmpp_access": True}])
    assert ("Get-CsUser" in {statement.cmdlet for statement in shell.sent}) is branch
