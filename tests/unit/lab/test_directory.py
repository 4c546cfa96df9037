# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users, grants, effective policies, domain controllers; topology."""

from __future__ import annotations

import typing as t

import pytest
from psrpcore.types import PSInt, PSUInt

from .conftest import Bench

BELL = "sip:mbell@contoso.test"
OBRIEN_DN = "CN=Padraig O'Brien,OU=Dublin,OU=Staff,DC=contoso,DC=test"


def policy_of(bench: Bench, user: str, **parameters: t.Any) -> object:
    return bench.ok("Get-CsUser", Identity=user, **parameters)[0]["ExternalAccessPolicy"]


@pytest.fixture
def sales(bench: Bench) -> Bench:
    bench.ok("New-CsExternalAccessPolicy", Identity="Sales")
    return bench


@pytest.mark.parametrize(
    "identity",
    [
        "sip:pobrien@contoso-emea.test",
        "SIP:POBRIEN@contoso-emea.test",
        "pobrien@contoso.test",
        "CONTOSO\\pobrien",
        OBRIEN_DN,
        "Padraig O'Brien",
        "Padraig*",
    ],
)
def test_forms_of_a_user_identity(bench: Bench, identity: str) -> None:
    (row,) = bench.ok("Get-CsUser", Identity=identity)
    assert (row["Identity"], row["RegistrarPool"]) == (OBRIEN_DN, "fe11.contoso.test")
    assert row["ExternalAccessPolicy"] is None


@pytest.mark.parametrize("identity", ["pobrien", "nobody@contoso.test", "Nobody*"])
def test_unknown_users(bench: Bench, identity: str) -> None:
    assert bench.fails("Get-CsUser", Identity=identity) == "ManagementObjectNotFound"


def test_a_name_that_two_people_have_is_no_identity(bench: Bench) -> None:
    assert bench.fails("Get-CsUser", Identity="Sam Taylor") == "InvalidArgument"
    assert len(bench.ok("Get-CsUser", Identity="Sam T*")) == 2


def test_all_users_are_returned_without_arguments(bench: Bench) -> None:
    assert len(bench.ok("Get-CsUser")) == len(bench.store.users()) == 20
    assert len(bench.ok("Get-CsUser", ResultSize=PSUInt(3))) == 3
    assert len(bench.ok("Get-CsUser", ResultSize="Unlimited")) == 20


def test_filters(sales: Bench) -> None:
    sales.ok("Grant-CsExternalAccessPolicy", Identity=BELL, PolicyName="Sales")
    assert len(sales.ok("Get-CsUser", Filter="ExternalAccessPolicy -eq $null")) == 19
    assert len(sales.ok("Get-CsUser", Filter="{ExternalAccessPolicy -ne $null -and Enabled -eq $true}")) == 1
    assert len(sales.ok("Get-CsUser", Filter="DisplayName -like '*O''Brien'")) == 1
    assert sales.fails("Get-CsUser", Filter="Get-Date") == "InvalidArgument"
    assert sales.fails("Get-CsUser", Filter="Nothing -eq 'x'") == "InvalidArgument"


def test_grant_and_withdraw(sales: Bench) -> None:
    assert sales.ok("Grant-CsExternalAccessPolicy", Identity=BELL, PolicyName="sales") == []
    assert policy_of(sales, BELL) == "Sales"
    assert sales.store.users()["mbell@contoso.test"]["ExternalAccessPolicy"] == "Tag:Sales"
    sales.ok("Grant-CsExternalAccessPolicy", Identity=BELL, PolicyName=None)
    assert policy_of(sales, BELL) is None


@pytest.mark.parametrize("name", ["Nothing", "tag:Sales", "Global", "Site:Redmond"])
def test_only_known_per_user_policies_can_be_granted(sales: Bench, name: str) -> None:
    sales.ok("New-CsExternalAccessPolicy", Identity="Site:Redmond")
    assert sales.fails("Grant-CsExternalAccessPolicy", Identity=BELL, PolicyName=name) == "ItemNotFound"


def test_a_protected_account_cannot_be_granted_anything(sales: Bench) -> None:
    sink = sales.call("Grant-CsExternalAccessPolicy", Identity="CONTOSO\\tturner-admin", PolicyName="Sales")
    assert "Insufficient access rights" in sink.errors[0].message
    assert sink.errors[0].category == "PermissionDenied"
    assert sales.last().outcome == "error"
    assert policy_of(sales, "CONTOSO\\tturner-admin") is None


def test_one_protected_account_does_not_stop_the_others_of_a_pattern(sales: Bench) -> None:
    sink = sales.call("Grant-CsExternalAccessPolicy", Identity="*", PolicyName="Sales", PassThru=True)
    assert (len(sink.values), sink.ids) == (19, ["InsufficientAccessRights"])


def test_another_domain_controller_learns_later(sales: Bench) -> None:
    sales.ok("Grant-CsExternalAccessPolicy", Identity=BELL, PolicyName="Sales", DomainController="dc02.contoso.test")
    assert policy_of(sales, BELL) is None
    assert policy_of(sales, BELL, DomainController="DC02.contoso.test") == "Sales"
    sales.store.set_setting("read_controller", "dc02.contoso.test")
    assert policy_of(sales, BELL) == "Sales"
    sales.store.set_setting("directory_lag", 0)
    assert policy_of(sales, BELL, DomainController="dc01.contoso.test") == "Sales"
    assert sales.fails("Get-CsUser", DomainController="dc09.contoso.test") == "DomainControllerUnavailable"


def test_the_effective_policy(sales: Bench) -> None:
    def effective(user: str) -> object:
        return sales.ok("Get-CsEffectivePolicy", Identity=user)[0]["ExternalAccessPolicy"]

    assert effective(BELL) == "Global"
    sales.ok("New-CsExternalAccessPolicy", Identity="site:Dublin")
    assert [effective(BELL), effective("pobrien@contoso.test")] == ["Global", "Site:Dublin"]
    sales.ok("Grant-CsExternalAccessPolicy", Identity="pobrien@contoso.test", PolicyName="Sales")
    assert effective("pobrien@contoso.test") == "Sales", "the page shows a per-user policy by its bare name"


def test_topology(bench: Bench) -> None:
    redmond, dublin = bench.ok("Get-CsSite")
    assert redmond["XmppFederationRoute"] == "EdgeServer:edge.contoso.test"
    assert dublin["XmppFederationRoute"] == ""
    assert bench.ok("Get-CsSite", Identity="dublin")[0]["Identity"] == "Site:Dublin"
    assert [d["Identity"] for d in bench.ok("Get-CsSipDomain")] == ["contoso.test", "contoso-emea.test"]
    (edge,) = bench.ok("Get-CsService", EdgeServer=True)
    assert (edge["XmppListeningPort"], edge["XmppInternalPort"]) == (5269, 23456)
    assert isinstance(edge["XmppListeningPort"], PSInt)
    assert edge["AccessEdgeExternalFqdn"] == "sip.contoso.test"
    assert {s["Role"] for s in bench.ok("Get-CsService", PoolFqdn="fe11.contoso.test")} >= {"Registrar", "UserServer"}
    (pool,) = bench.ok("Get-CsPool", Identity="edge.contoso.test")
    assert pool["Computers"] == ["edge01.contoso.test", "edge02.contoso.test"]
    assert len(bench.ok("Get-CsPool", Site="Redmond")) == 2
    assert len(bench.ok("Get-CsComputer", Pool="edge.contoso.test")) == 2
    assert [c["Fqdn"] for c in bench.ok("Get-CsComputer", Local=True)] == ["fe01.contoso.test"]


@pytest.mark.parametrize(("fixture", "version"), [("bench", "6.0.9319"), ("bench2013", "5.0.8308")])
def test_versions(request: pytest.FixtureRequest, fixture: str, version: str) -> None:
    """The cmdlet is local by its page, so a remote shell may lack it."""
    bench: Bench = request.getfixturevalue(fixture)
    bench.store.set_setting("version_at_doors", False)
    for host in ("fe01/wsman", "edge01"):
        (text,) = bench.call("Get-CsServerVersion", host=host).values
        assert version in text
    assert bench.call("Get-CsServerVersion", host="fe01").values == []


STAFF = "CN=All Staff,OU=Groups,DC=contoso,DC=test"


def test_members_of_groups(bench: Bench) -> None:
    """A direct member is no member of the groups above, but for the rule of nested groups; a name is unescaped."""
    odd = "CN=Łódź * (a\\, b),DC=test"
    dn, user = next(iter(bench.store.all("user").items()))
    bench.store.put("user", dn, {**user, "Groups": [*user["Groups"], odd]})
    bench.store.put("group", STAFF, {"MemberOf": ["CN=Dublin Staff,OU=Groups,DC=contoso,DC=test"]})  # a circle

    def found(text: str) -> int:
        return len(bench.ok("Get-CsUser", LdapFilter=text))

    assert found("(memberOf=%s)" % STAFF) == 0
    assert found("(memberOf:1.2.840.113556.1.4.1941:=%s)" % STAFF.upper()) == 20
    assert found("(memberof=CN=Dublin Staff,OU=Groups,DC=contoso,DC=test)") == 8
    assert found("(memberOf=CN=Nobody,DC=test)") == 0
    escaped = r"CN=\c5\81ódź \2a \28a\5c, b\29,DC=test"
    assert found("(memberOf=%s)" % escaped) == 1
    assert found("(&(memberOf=%s)(memberOf=CN=Dublin Staff,OU=Groups,DC=contoso,DC=test))" % escaped) == 0
    (one,) = bench.ok("Get-CsUser", LdapFilter="(memberOf=%s)" % escaped)
    assert one["Identity"] == dn


@pytest.mark.parametrize(
    "text",
    ["memberOf=CN=a", "(memberOf=*)", "(memberOf=CN=a(b))", r"(memberOf=a\zz)", "(memberOf:1.2:=a)", "(&)", "(sn=a)"],
)
def test_filters_that_the_lab_refuses(bench: Bench, text: str) -> None:
    assert bench.fails("Get-CsUser", LdapFilter=text) == "InvalidArgument"
