# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Granting and withdrawing: who is touched, and that nobody loses a right unsaid."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import grant as grant_task
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import plural
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError, Statement

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

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
    given = {"policy": "xmpp users", "users": ["sip:%s@contoso.test" % user for user in users], **more}
    return run(grant_task(), shell, check, **given)


def policies(shell: MemoryShell, *items: dict[str, t.Any], check: bool = False, **more: t.Any) -> Result:
    return run(plural(POLICY), shell, check, policies=list(items), **more)


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
    with pytest.raises(Refused, match=r"public_cloud_access from sip:ann@contoso\.test\. To"):
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
    with pytest.raises(Refused, match="withdrawing XMPP Users would take federation_access"):
        grant(shell, "dee", "cid", state="absent")
    result = grant(shell, "dee", "cid", state="absent", allow_loss=["federation_access"])
    assert has(shell)["dee"] is None
    assert has(shell)["cid"] == "Tag:Remote"
    assert result.values["grant"]["users"] == []
    assert not grant(shell, "dee", state="absent", policy="never there").changed


def test_policies_that_the_same_run_creates_are_granted() -> None:
    """They stand in one plan now; nothing is handed from task to task."""
    shell = server()
    for check in (True, False):
        with pytest.raises(Refused, match="there is no policy 'Fresh'"):
            grant(shell, "ann", policy="Fresh", check=check)
    fresh = {"identity": "Fresh", "enable_federation_access": True, "enable_xmpp_access": True}
    assert policies(shell, {**fresh, "granted_to": ["sip:ann@contoso.test"]}, check=True).changed
    with pytest.raises(Refused, match=r"granting Fresh would take outside_access from sip:cid@contoso\.test"):
        policies(shell, {**fresh, "granted_to": ["sip:cid@contoso.test"]}, check=True)
    assert shell.writes() == []
    done = policies(shell, {**fresh, "granted_to": ["sip:ann@contoso.test"]})
    assert [step["cmdlet"][:5] for step in done.steps or []] == ["New-C", "Grant"]
    assert has(shell)["ann"] == "Tag:Fresh"


def test_rights_that_the_same_run_takes_from_a_policy_count() -> None:
    shell = server()
    shell.users[0]["ExternalAccessPolicy"] = "Tag:XMPP Users"
    less = {"identity": "Remote", "enable_outside_access": False, "granted_to": ["sip:cid@contoso.test"]}
    with pytest.raises(Refused, match=r"Remote: would take outside_access from 1 user \(sip:cid@contoso\.test\)"):
        policies(shell, less)


@pytest.mark.parametrize("spelling", ["ann@contoso.test", "SIP:Ann@contoso.test", "CN=ann"])
def test_one_user_under_two_names_gets_one_policy(spelling: str) -> None:
    """Whatever the spelling: the second of two grants would have undone the first, run after run."""
    shell = server()
    for user in shell.users:
        user["Site"] = None

    class Knows(MemoryShell):
        """Finds a user by each of his names, as the product does."""

        def _run(self, statement: Statement) -> list[t.Any]:
            if statement.parameters.get("Identity") in ("ann@contoso.test", "SIP:Ann@contoso.test"):
                statement = Statement(statement.cmdlet, {**statement.parameters, "Identity": "sip:ann@contoso.test"})
            return super()._run(statement)

    knowing = Knows()
    knowing.store, knowing.users = shell.store, shell.users
    with pytest.raises(Refused, match=r"[Aa] user has exactly one policy") as caught:
        policies(
            knowing,
            {"identity": "XMPP Users", "granted_to": ["sip:ann@contoso.test"]},
            {"identity": "Remote", "granted_to": [spelling]},
        )
    assert "ann" in str(caught.value).lower()
    assert knowing.writes() == []


@pytest.mark.parametrize("exclusive", [False, True])
def test_an_address_without_sip_is_a_user_principal_name(exclusive: bool) -> None:
    """Whether all users are read or each is looked up: one name leads to one user, the server's."""
    shell = server()
    ann, bob, _cid, dee = shell.users
    dee["ExternalAccessPolicy"] = None
    ann["UserPrincipalName"], bob["UserPrincipalName"] = "a.smith@contoso.test", "ann@contoso.test"
    more = {"policy": "xmpp users", "exclusive": exclusive}
    run(grant_task(), shell, False, users=["ann@contoso.test"], **more)
    assert has(shell) == {"ann": None, "bob": "Tag:xmpp users", "cid": "Tag:Remote", "dee": None}
    with pytest.raises(Refused, match=r"users\[0\]: 'dee@contoso\.test': cannot find"):
        run(grant_task(), shell, False, users=["dee@contoso.test"], allow_loss=["federation_access"], **more)


def test_exclusive_with_nobody_withdraws_it_from_everyone() -> None:
    shell = server()
    result = policies(shell, {"identity": "XMPP Users", "granted_to": []}, exclusive_grants=True,
                      allow_loss=["federation_access"])  # fmt: skip
    assert [s.shown()["parameters"] for s in shell.writes()] == [
        {"Identity": "sip:dee@contoso.test", "PolicyName": None, "Confirm": False}
    ]
    assert result.values["policies"][2] == {
        "identity": "XMPP Users",
        "description": "",
        "enable_federation_access": True,
        "enable_xmpp_access": True,
        "enable_outside_access": False,
        "enable_public_cloud_access": False,
        "enable_public_cloud_audio_video_access": False,
        "granted_to": [],
    }


@pytest.mark.parametrize("users", [[], ["ann"]])
def test_a_policy_that_is_not_there_is_refused_whomever_it_is_to_be_left_to(users: list[str]) -> None:
    shell = server()
    with pytest.raises(Refused, match="policy: there is no policy 'XMPP Usres'"):
        grant(shell, *users, policy="XMPP Usres", exclusive=True)
    assert shell.writes() == []


def test_a_grant_is_not_sent_when_its_policy_failed() -> None:
    shell = server()

    def fault(statement: Statement) -> ServerError | None:
        if statement.cmdlet.startswith("New-"):
            return ServerError(statement.cmdlet, "X", "PermissionDenied", "not for you")
        return None

    shell.fault = fault
    result = policies(
        shell,
        {"identity": "Fresh", "enable_federation_access": True, "granted_to": ["sip:ann@contoso.test"]},
        {"identity": "XMPP Users", "granted_to": ["sip:bob@contoso.test"]},
    )
    assert [(step["identity"], step["result"]) for step in result.steps or []] == [
        ("Fresh", "failed"),
        ("sip:ann@contoso.test", "not_sent"),
        ("sip:bob@contoso.test", "done"),
    ]
    assert [failure.error.message for failure in result.failures] == [
        "not for you",
        "the policy 'Fresh' is not as planned, so it was not granted. Run again to grant it",
    ]
    assert (has(shell)["ann"], has(shell)["bob"]) == (None, "Tag:XMPP Users")


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
    asked = [s for s in shell.sent if s.cmdlet in ("Get-CsUser", "Grant-CsExternalAccessPolicy")]
    assert len(asked) > 2
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
    assert "set protected_accounts to warn" in result.failures[0].error.message
    assert result.changed
    result = grant(shell, "ann", "bob", protected_accounts="warn")
    assert not result.failures
    assert "sip:bob@contoso.test is a protected account" in result.warnings[0]
    assert not result.changed
