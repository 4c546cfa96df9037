# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Granting and withdrawing: who is touched, and that nobody loses a right unsaid."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.grant import work
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError, Statement

from tests.unit.module_utils.memory_shell import MemoryShell

XMPP = {"EnableFederationAccess": True, "EnableXmppAccess": True}


def server() -> MemoryShell:
    shell = MemoryShell()
    shell.put("CsExternalAccessPolicy", "Tag:XMPP Users", XMPP)
    shell.put("CsExternalAccessPolicy", "Tag:Remote", {**XMPP, "EnableOutsideAccess": True})
    shell.users = [
        {"Identity": "CN=%s" % name, "SipAddress": "sip:%s@contoso.test" % name, "ExternalAccessPolicy": policy}
        for name, policy in (("ann", None), ("bob", None), ("cid", "Tag:Remote"), ("dee", "Tag:XMPP Users"))
    ]
    return shell


def grant(shell: MemoryShell, *users: str, check: bool = False, **more: t.Any) -> Result:
    params: dict[str, t.Any] = {
        "policy": "xmpp users",
        "users": ["sip:%s@contoso.test" % user for user in users],
        "exclusive": False,
        "allow_loss": [],
        "protected_accounts": "fail",
        "domain_controller": None,
        "planned_policies": None,
        "state": "present",
        **more,
    }
    return work(params, shell, check)


def has(shell: MemoryShell) -> dict[str, str | None]:
    return {user["Identity"][3:]: user["ExternalAccessPolicy"] for user in shell.users}


def test_only_who_lacks_it_is_granted_and_once() -> None:
    shell = server()
    planned = grant(shell, "ann", "dee", check=True)
    assert shell.writes() == []
    result = grant(shell, "ann", "dee")
    assert [s.shown()["parameters"] for s in shell.writes()] == [
        {"Identity": "sip:ann@contoso.test", "PolicyName": "xmpp users", "Confirm": False}
    ]
    assert [s["identity"] for s in planned.steps or []] == ["sip:ann@contoso.test"]
    assert result.values["grant"]["users"] == ["sip:ann@contoso.test", "sip:dee@contoso.test"]
    assert not grant(shell, "ann", "dee").changed


def test_a_right_that_would_go_is_named_with_the_user() -> None:
    shell = server()
    with pytest.raises(Refused, match=r"granting xmpp users would take outside_access from sip:cid@contoso\.test"):
        grant(shell, "ann", "cid")
    assert shell.writes() == []
    assert grant(shell, "ann", "cid", allow_loss=["outside_access"]).changed
    assert has(shell)["cid"] == "Tag:xmpp users"


def test_the_effective_policy_of_a_site_counts() -> None:
    shell = server()
    shell.put("CsExternalAccessPolicy", "Site:Redmond", {**XMPP, "EnablePublicCloudAccess": True})
    shell.users[0]["Site"] = "Site:Redmond"
    with pytest.raises(Refused, match=r"public_cloud_access from sip:ann@contoso\.test;"):
        grant(shell, "ann", "bob")
    shell.put("CsExternalAccessPolicy", "Global", {"EnableOutsideAccess": True})
    with pytest.raises(Refused) as caught:
        grant(shell, "ann", "bob")
    assert len(caught.value.reasons) == 2


def test_exclusive_withdraws_it_from_the_others() -> None:
    shell = server()
    with pytest.raises(Refused, match="federation_access"):
        grant(shell, "ann", exclusive=True)
    result = grant(shell, "ann", exclusive=True, allow_loss=["federation_access"])
    assert has(shell) == {"ann": "Tag:xmpp users", "bob": None, "cid": "Tag:Remote", "dee": None}
    assert result.values["grant"]["users"] == ["sip:ann@contoso.test"]
    assert shell.writes()[-1].parameters["PolicyName"] is None


def test_absent_takes_it_only_from_who_has_it() -> None:
    shell = server()
    with pytest.raises(Refused, match="withdrawing xmpp users would take federation_access"):
        grant(shell, "dee", "cid", state="absent")
    result = grant(shell, "dee", "cid", state="absent", allow_loss=["federation_access"])
    assert has(shell)["dee"] is None
    assert has(shell)["cid"] == "Tag:Remote"
    assert result.values["grant"]["users"] == []
    assert not grant(shell, "dee", state="absent", policy="never there").changed


def test_check_mode_knows_policies_that_the_same_run_creates() -> None:
    shell = server()
    with pytest.raises(Refused, match="there is no policy 'Fresh'"):
        grant(shell, "ann", policy="Fresh", check=True)
    planned = [{"identity": "Fresh", "enable_federation_access": True, "enable_xmpp_access": True}]
    assert grant(shell, "ann", policy="Fresh", check=True, planned_policies=planned).changed
    with pytest.raises(Refused, match="outside_access"):
        grant(shell, "cid", policy="Fresh", check=True, planned_policies=planned)
    with pytest.raises(Refused, match="there is no policy"):
        grant(shell, "ann", policy="Fresh", planned_policies=planned)


def test_bad_input_is_named_before_anything_is_read() -> None:
    shell = server()
    with pytest.raises(Refused) as caught:
        grant(shell, policy="site:Redmond", users=["sip:*@contoso.test", ""])
    assert [text.split(":")[0] for text in caught.value.reasons] == ["policy", "users[0]", "users[1]"]
    assert shell.sent == []


def test_an_unknown_user_stops_the_run_with_the_servers_words() -> None:
    shell = server()
    with pytest.raises(Refused, match=r"users\[1\]: 'sip:zoe@contoso\.test': cannot find"):
        grant(shell, "ann", "zoe")
    assert shell.writes() == []


def test_the_same_controller_reads_and_writes() -> None:
    shell = server()
    grant(shell, "ann", domain_controller="dc1.contoso.test")
    asked = [s for s in shell.sent if s.cmdlet != "Get-CsExternalAccessPolicy"]
    assert all(s.parameters["DomainController"] == "dc1.contoso.test" for s in asked)


def test_protected_accounts_fail_or_warn() -> None:
    def fault(statement: Statement) -> ServerError | None:
        if statement.cmdlet.startswith("Grant-") and "bob" in str(statement.parameters["Identity"]):
            return ServerError(statement.cmdlet, "X", "NotSpecified", "Insufficient access rights to perform", "bob")
        return None

    shell = server()
    shell.fault = fault
    result = grant(shell, "ann", "bob")
    assert result.message.startswith("Grant-CsExternalAccessPolicy of sip:bob@contoso.test failed: Insufficient")
    assert result.changed
    result = grant(shell, "ann", "bob", protected_accounts="warn")
    assert not result.failures
    assert "sip:bob@contoso.test is a protected account" in result.warnings[0]
    assert not result.changed
