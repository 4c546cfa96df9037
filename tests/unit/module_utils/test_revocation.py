# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A revocation where partners cannot be read: it goes as far as what it knows."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import work

from tests.unit.module_utils.memory_shell import MemoryShell


@pytest.fixture
def shell() -> MemoryShell:
    """Of three partners, one has a form that nobody knows, and one does not even show its additional domains."""
    made = MemoryShell()
    made.put("CsXmppAllowedPartner", "good.test", {"AdditionalDomains": ("a.good.test",)})
    made.put(
        "CsXmppAllowedPartner",
        "odd.test",
        {"TlsNegotiation": "Perhaps", "AdditionalDomains": ("a.odd.test", "x.odd.test")},
    )
    return made


def hide(shell: MemoryShell) -> None:
    shell.put("CsXmppAllowedPartner", "hidden.test", {"AdditionalDomains": 5})


def revoke(shell: MemoryShell, domain: str, **given: t.Any) -> Result:
    return work({"domain": domain, "protect": [], "restart": False, **given}, shell, False)


@pytest.mark.parametrize(
    ("domain", "cmdlet"),
    [("good.test", "Remove"), ("a.good.test", "Set"), ("odd.test", "Remove"), ("a.odd.test", "Set")],
)
def test_one_that_cannot_be_read_hides_no_other(shell: MemoryShell, domain: str, cmdlet: str) -> None:
    result = revoke(shell, domain)
    assert result.changed
    assert (result.failures, result.values["allowed_by"]) == ([], [])
    assert next(s.cmdlet for s in shell.writes()) == cmdlet + "-CsXmppAllowedPartner"
    assert not any("could not be read" in text for text in result.warnings)


def test_where_additional_domains_cannot_be_read_the_rest_is_done_and_the_run_is_red(shell: MemoryShell) -> None:
    hide(shell)
    result = revoke(shell, "good.test")
    assert next(step["result"] for step in result.steps or ()) == "done"
    assert "it is unknown whether hidden.test has the additional domain good.test" in result.message
    removed = revoke(shell, "hidden.test")
    assert removed.failures == []
    assert "the additional domains of hidden.test, which are revoked with it, could not be read" in removed.warnings


def test_what_it_may_have_is_not_said_to_be_gone(shell: MemoryShell) -> None:
    hide(shell)
    with pytest.raises(Refused, match=r"whether a partner has the additional domain b\.odd\.test: .*hidden\.test"):
        revoke(shell, "b.odd.test")
    assert not shell.writes()


@pytest.mark.parametrize(
    ("domain", "near"),
    [
        ("fabrikan.example", "fabrikam.example"),
        ("fabrikam.exmple", "fabrikam.example"),
        ("fabrikam.com", ""),
        ("chats.fabrikam.example", "chat.fabrikam.example"),
        ("mail.fabrikam.example", ""),
        ("chat.chat.fabrikam.example", ""),
        ("litware.example", ""),
    ],
)
def test_a_domain_near_an_allowed_one_is_a_mistake(domain: str, near: str) -> None:
    """Its child domains, and the other child domains of its parent, are no misspellings of it."""
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "fabrikam.example", {"AdditionalDomains": ("chat.fabrikam.example",)})
    if near:
        with pytest.raises(Refused, match=r"domain: no partner has %s \(did you mean %s\?\)" % (domain, near)):
            revoke(shell, domain)
    else:
        assert not revoke(shell, domain).changed
    assert not shell.writes()


def test_a_step_that_fails_holds_up_no_other() -> None:
    shell = MemoryShell()
    for name in ("one.test", "two.test"):
        shell.put("CsXmppAllowedPartner", name, {"AdditionalDomains": ("shared.test",)})
    shell.put("CsXmppAllowedPartner", "shared.test", {})
    denied = ServerError("Set-CsXmppAllowedPartner", "X", "", "not one.test")
    shell.fault = lambda s: denied if s.parameters.get("Identity") == "one.test" else None
    result = revoke(shell, "shared.test")
    assert [(step["identity"], step["result"]) for step in (result.steps or ())[:3]] == [
        ("shared.test", "done"), ("one.test", "failed"), ("two.test", "done"),
    ]  # fmt: skip
    assert [failure.error.message for failure in result.failures] == ["not one.test"]
    assert result.values["allowed_by"] == ["one.test"]


def test_what_somebody_allows_again_meanwhile_is_no_success() -> None:
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "shared.test", {})

    def meanwhile(statement: Statement) -> None:
        if statement.cmdlet.startswith("Remove-"):
            shell.put("CsXmppAllowedPartner", "other.test", {"AdditionalDomains": ("shared.test",)})

    shell.fault = meanwhile
    result = revoke(shell, "shared.test")
    assert "the domain is still allowed by other.test" in result.message
    assert result.values["allowed_by"] == ["other.test"]


@pytest.mark.parametrize(
    "unread", ["Get-CsPool", "Get-CsService", "Get-CsAccessEdgeConfiguration", "Get-CsAllowedDomain"]
)
def test_what_cannot_be_read_beside_the_partners_stops_nothing(unread: str) -> None:
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "fabrikam.com", {})
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": True})
    denied = ServerError(unread, "CommandNotFoundException", "", "denied")
    shell.fault = lambda s: denied if s.cmdlet == unread else None
    result = revoke(shell, "fabrikam.com")
    assert result.failures == []
    pushed = [statement.parameters.get("ReplicaFqdn") for statement in shell.writes()[1:]]
    topology = unread in ("Get-CsPool", "Get-CsService")
    assert pushed == ([None] if topology else ["fe01.contoso.com"])
    assert any("So replication is pushed to all replicas" in line for line in result.values["report"]) == topology
    assert any("can still connect with SIP, because this could not be read" in text for text in result.warnings)
