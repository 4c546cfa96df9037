# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session that may not send what a plan would send: refused before the first write, and told in check mode."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY, ROUTE
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.duties import cmdlets_of
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION, singular
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

NEW_POLICY: dict[str, t.Any] = {"identity": "Staff", "enable_federation_access": True}
NEEDED = (
    "can read but not write. Its session does not offer New-CsExternalAccessPolicy. CsAdministrator is needed, or a"
    " role of your own with it"
)
ROUTES: list[dict[str, t.Any]] = [{"site": "Redmond", "edge_pool": "edge.contoso.com"}]


def server(*hidden: str) -> MemoryShell:
    shell = MemoryShell()
    shell.place = replace(shell.place, account="CONTOSO\\viewer")
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": True, "AllowFederatedUsers": True})
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": None})
    shell.hidden = set(hidden)
    return shell


def test_a_real_run_ends_before_its_first_write_and_check_mode_plans_all_the_same() -> None:
    shell = server("New-CsExternalAccessPolicy")
    with pytest.raises(Refused) as refused:
        run(singular(POLICY), shell, **NEW_POLICY)
    assert refused.value.reasons == ("CONTOSO\\viewer " + NEEDED,)
    result = run(singular(POLICY), shell, check=True, **NEW_POLICY)
    assert [step["cmdlet"] for step in result.steps or []] == ["New-CsExternalAccessPolicy"]
    assert result.warnings[-1] == "CONTOSO\\viewer " + NEEDED
    assert shell.writes() == []


def test_the_last_line_for_people_says_it() -> None:
    shell = server("New-CsExternalAccessPolicy")
    assert run(FEDERATION, shell, check=True, policies=[NEW_POLICY]).values["report"][-1].endswith(NEEDED)
    with pytest.raises(Refused) as refused:
        run(FEDERATION, shell, policies=[NEW_POLICY])
    assert refused.value.values["report"][-1].endswith(NEEDED)
    assert shell.writes() == []


def test_one_right_of_several_is_enough_to_refuse() -> None:
    shell = server("Set-CsXmppGatewayConfiguration")
    told = "cannot write all of this. Its session does not offer Set-CsXmppGatewayConfiguration"
    with pytest.raises(Refused, match=told):
        run(FEDERATION, shell, policies=[NEW_POLICY], gateway={"connection_limit": 7})
    assert shell.writes() == []


def test_a_route_that_cannot_be_set_here_does_not_hold_up_the_rest() -> None:
    shell = server("Set-CsSite")
    result = run(FEDERATION, shell, policies=[NEW_POLICY], federation_routes=ROUTES)
    assert [statement.cmdlet for statement in shell.writes()] == ["New-CsExternalAccessPolicy"]
    assert not result.failures
    assert any("does not offer Set-CsSite" in text and "Topology Builder" in text for text in result.warnings)
    assert result.values["federation_routes"] == [{"site": "Redmond", "edge_pool": ""}]


def test_a_route_alone_is_refused_since_nothing_would_be_done() -> None:
    shell = server("Set-CsSite")
    with pytest.raises(Refused, match="set the route in Topology Builder"):
        run(singular(ROUTE), shell, site=ROUTES[0]["site"], edge_pool=ROUTES[0]["edge_pool"])
    with pytest.raises(Refused, match="set the route in Topology Builder"):
        run(FEDERATION, shell, federation_routes=ROUTES)
    assert shell.writes() == []


def test_what_cannot_be_known_does_not_block() -> None:
    shell = server("New-CsExternalAccessPolicy")
    denied = ServerError("Get-Command", "CommandNotFoundException", "ObjectNotFound", "no", "Get-Command")
    shell.fault = lambda statement: denied if statement.cmdlet == "Get-Command" else None
    result = run(singular(POLICY), shell, **NEW_POLICY)
    assert (result.changed, result.warnings) == (True, [])


def test_nothing_is_asked_where_there_is_nothing_to_do() -> None:
    shell = server("Set-CsExternalAccessPolicy")
    run(singular(POLICY), shell, **NEW_POLICY)
    shell.sent.clear()
    assert not run(singular(POLICY), shell, **NEW_POLICY).changed
    reads = ["Get-CsExternalAccessPolicy", "Get-CsService", "Get-CsSipDomain"]
    assert [statement.cmdlet for statement in shell.sent] == reads


@pytest.mark.parametrize(
    ("playbook", "hint"),
    [("converge", ". Or limit the run with --tags to the parts that the account may write"), ("", "")],
)
def test_an_account_that_cannot_even_read_is_told_what_the_chosen_parts_need(playbook: str, hint: str) -> None:
    """And nothing of what they do not need, which it lacks as well."""
    hidden = ("Get-CsXmppAllowedPartner", "New-CsXmppAllowedPartner", "Set-CsExternalAccessPolicy")
    shell = server(*hidden)
    denied = ServerError(hidden[0], "CommandNotFoundException", "ObjectNotFound", "no", hidden[0])
    shell.fault = lambda statement: denied if statement.cmdlet == hidden[0] else None
    shell.place = replace(shell.place, playbook=playbook)
    declared: dict[str, t.Any] = {"partners": [{"domain": "a.example"}], "policies": [NEW_POLICY]}
    for check in (True, False):
        with pytest.raises(Refused) as refused:
            run(FEDERATION, shell, check=check, parts=["partners"], **declared)
        assert refused.value.reasons == (
            "CONTOSO\\viewer may not do this. Its session does not offer Get-CsXmppAllowedPartner,"
            " New-CsXmppAllowedPartner. CsAdministrator is needed, or a role of your own with them" + hint,
        )
        assert [one["cmdlet"] for one in refused.value.values["failures"]] == ["Get-CsXmppAllowedPartner"]
    result = run(FEDERATION, shell, parts=["policies"], **declared)
    assert [statement.cmdlet for statement in shell.writes()] == ["New-CsExternalAccessPolicy"]
    assert not result.failures


def test_what_a_run_needs_follows_from_what_is_declared_and_chosen() -> None:
    partners = {"%s-CsXmppAllowedPartner" % verb for verb in ("Get", "New", "Set", "Remove")}
    grants = {"Get-CsUser", "Get-CsEffectivePolicy", "Get-CsExternalAccessPolicy", "Grant-CsExternalAccessPolicy"}
    declared = declare(
        {"partners": [{"domain": "a.example"}], "policies": [{**NEW_POLICY, "granted_to": ["a@b.test"]}]}
    )
    for parts, expected in (
        (["partners"], partners),
        (["grants"], grants),
        (["partners", "grants"], partners | grants),
    ):
        assert set(cmdlets_of(replace(declared, parts=frozenset(parts)))) == expected
