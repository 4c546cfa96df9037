# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of a server that are not as they should be: the error names cmdlet, object, property; nothing is written."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import ServerRefused, Unreadable
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
    RESOURCES,
    ROUTE,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import (
    HOLDERS,
    USERS,
    Deployment,
    Reader,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION, grant, plural
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import Fault, MemoryShell
from tests.unit.module_utils.plans import FULL, ROW
from tests.unit.module_utils.states import run, user
from tests.unit.module_utils.test_kinds import SHAPES

Objects = list[t.Any]
MISSING: t.Any = object()


def server() -> MemoryShell:
    shell = MemoryShell()
    shell.put(ACCESS_EDGE.noun, "Global", {"AllowOutsideUsers": False})
    shell.put(POLICY.noun, "Tag:X", {"EnableFederationAccess": True})
    for name in ("a.test", "b.test"):
        shell.put(PARTNER.noun, name, {"SaslNegotiation": "Optional"})
    shell.users = [user("ann"), user("bob", "X")]
    return shell


class Altered(MemoryShell):
    """Answers one cmdlet with other objects than it has."""

    def __init__(self, cmdlet: str, alter: t.Callable[[Objects], Objects]) -> None:
        super().__init__()
        made = server()
        self.store, self.users = made.store, made.users
        self.cmdlet, self.alter = cmdlet, alter

    def _run(self, statement: Statement) -> Objects:
        found = super()._run(statement)
        return self.alter(found) if statement.cmdlet == self.cmdlet else found


def first(**properties: t.Any) -> t.Callable[[Objects], Objects]:
    """The first object with other properties."""

    def alter(items: Objects) -> Objects:
        changed = {name: value for name, value in {**items[0], **properties}.items() if value is not MISSING}
        return [changed, *items[1:]]

    return alter


# What comes back of partners, and what the error says behind "the answer cannot be read: ".
PARTNER_ANSWERS: tuple[tuple[t.Callable[[Objects], Objects], str], ...] = (
    (lambda items: ["a.test", *items], "returned 'a.test'"),
    (lambda items: [None, *items], "returned None (NoneType)"),
    (lambda items: [["a.test"]], "returned ['a.test'] (list)"),
    (lambda items: [True], "returned True (bool)"),
    (first(PartnerType=MISSING), "a.test: PartnerType is missing"),
    (first(TlsNegotiation=MISSING), "a.test: TlsNegotiation is missing"),
    (first(AdditionalDomains=MISSING), "a.test: AdditionalDomains is missing"),
    (first(Identity=MISSING), "Identity is None (NoneType); a name was expected"),
    (first(Identity=None), "Identity is None (NoneType); a name was expected"),
    (first(Identity=""), "Identity is ''; a name was expected"),
    (first(Identity="  "), "Identity is '  '; a name was expected"),
    (first(Identity=["a.test"]), "Identity is ['a.test'] (list); a name was expected"),
    (first(Identity=5), "Identity is 5 (int); a name was expected"),
    (lambda items: [*items, items[0]], "a.test: the server returned this object twice"),
    (lambda items: [*items, {**items[0], "Identity": "A.TEST."}], "a.test: the server returned this object twice"),
    (first(TlsNegotiation="Sometimes"), "a.test: TlsNegotiation is 'Sometimes'; one of Required, Optional, NotSupp"),
    (
        first(SupportDialbackNegotiation=None),
        "a.test: SupportDialbackNegotiation is None (NoneType); True or False was",
    ),
    (first(ConnectionLimit=-1), "a.test: ConnectionLimit is -1 (int); a whole number from 0 to 4294967295 was expec"),
    (first(AdditionalDomains="a.test, b.test"), "a.test: AdditionalDomains is 'a.test, b.test'; a domain name was"),
    (first(Description={"x": 1}), "a.test: Description is {'x': 1} (dict); a string was expected"),
    (first(ProxyFqdn="System.Object[]"), "a.test: ProxyFqdn is 'System.Object[]'; a domain name was expected"),
)


def error(task: t.Any, shell: MemoryShell, **arguments: t.Any) -> Unreadable:
    """The error of a run that wrote nothing, the same in check mode and in a run."""
    with pytest.raises(Unreadable) as planned:
        run(task, shell, check=True, **arguments)
    with pytest.raises(Unreadable) as caught:
        run(task, shell, **arguments)
    assert str(planned.value) == str(caught.value)
    assert shell.writes() == []
    (found,) = caught.value.errors
    assert found.category == "InvalidData"
    return caught.value


@pytest.mark.parametrize(("alter", "text"), PARTNER_ANSWERS)
def test_partners_that_cannot_be_read(alter: t.Callable[[Objects], Objects], text: str) -> None:
    """Through the plural module, which reads one kind."""
    shell = Altered("Get-CsXmppAllowedPartner", alter)
    found = str(error(plural(PARTNER), shell, partners=[{"domain": "n.test", **ROW}], purge=True, force=True))
    assert found.startswith("Get-CsXmppAllowedPartner failed: the answer cannot be read: ")
    assert text in found


@pytest.mark.parametrize(("alter", "text"), PARTNER_ANSWERS)
def test_partners_that_cannot_be_read_among_other_kinds(alter: t.Callable[[Objects], Objects], text: str) -> None:
    """Through the module for the whole, which reads all kinds in one pipeline."""
    shell = Altered("Get-CsXmppAllowedPartner", alter)
    arguments = {
        "partners": [{"domain": "n.test", **ROW}],
        "policies": [{"identity": "Y", **FULL}],
        "gateway": {"connection_limit": 5},
    }
    found = str(error(FEDERATION, shell, **arguments, partners_purge=True, force=True))
    assert text in found
    if not text.startswith("returned "):
        assert found.startswith("Get-CsXmppAllowedPartner failed: ")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.part)
def test_every_property_that_is_missing_is_named(resource: Resource) -> None:
    for field in resource.fields:
        shell = server()
        shell.put(ROUTE.noun, "Site:Redmond", {})
        name = "Global" if resource.single or resource.resettable else None
        item = next(i for i in shell.store[resource.noun].values() if name in (None, i["Identity"]))
        del item[field.prop]
        # Of a site nothing is managed but its route, so that among other kinds nobody knows it without.
        for kinds in ([resource], [] if resource is ROUTE else list(RESOURCES)):
            if not kinds:
                continue
            if field.may_lack:
                key = "redmond" if resource is ROUTE else "global"
                assert field.option not in Reader(shell).kinds(kinds).of(resource.part)[key].values
                continue
            with pytest.raises(Unreadable) as caught:
                Reader(shell).kinds(kinds)
            (found,) = caught.value.errors
            assert found.cmdlet == "Get-" + resource.noun
            assert found.target == item["Identity"]
            assert "%s is missing" % field.prop in found.message


@pytest.mark.parametrize("resource", [POLICY, GATEWAY, ACCESS_EDGE], ids=lambda resource: resource.part)
def test_what_always_exists_has_to_come_back(resource: Resource) -> None:
    shell = server()
    shell.store[resource.noun].clear()
    for kinds in ([resource], list(RESOURCES)):
        with pytest.raises(Unreadable, match="the server did not return Global, which always exists") as caught:
            Reader(shell).kinds(kinds)
        assert caught.value.errors[0].cmdlet == "Get-" + resource.noun


def test_kinds_come_in_the_order_in_which_they_were_asked_for() -> None:
    class Shuffled(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            answer = super().invoke(statements)
            return Answer(answer.output[::-1])

    shell = Shuffled()
    shell.store = server().store
    with pytest.raises(Unreadable) as caught:
        Reader(shell).kinds([POLICY, PARTNER, GATEWAY])
    assert "after objects of CsXmppGatewayConfiguration" in str(caught.value)
    assert caught.value.errors[0].cmdlet == "Get-CsXmppAllowedPartner"


def test_an_object_of_no_kind_is_named() -> None:
    shell = Altered("Get-CsXmppAllowedPartner", lambda items: [*items, {"Identity": "z", "Anchor": 1}])
    with pytest.raises(Unreadable) as caught:
        Reader(shell).kinds([POLICY, PARTNER])
    assert (
        "the server returned an object of 'z' with the properties Identity, Anchor, which is not an object of "
        in str(caught.value)
    )


def test_each_kind_is_read_once_in_one_pipeline() -> None:
    shell = server()
    found = Reader(shell).kinds(list(RESOURCES))
    assert shell.requests == 1
    assert [s.cmdlet for s in shell.sent] == ["Get-" + r.noun for r in RESOURCES]
    assert {part: sorted(records) for part, records in found.records.items()} == {
        "federation_routes": [],
        "policies": ["global", "x"],
        "partners": ["a.test", "b.test"],
        "gateway": ["global"],
        "access_edge": ["global"],
    }
    assert Reader(shell).kinds([]).records == {}
    assert shell.requests == 1


USER_ANSWERS: tuple[tuple[t.Callable[[Objects], Objects], str], ...] = (
    (lambda items: [items[0]["Identity"], *items[1:]], "the server returned 'CN=ann'. An object was expected"),
    (first(Identity=MISSING), "Identity is missing"),
    (first(Identity=""), "Identity is empty. A distinguished name was expected"),
    (first(Identity=None), "Identity is empty. A distinguished name was expected"),
    (first(SipAddress=MISSING), "CN=ann: SipAddress is missing"),
    (first(ExternalAccessPolicy=MISSING), "CN=ann: ExternalAccessPolicy is missing"),
    (first(ExternalAccessPolicy=["Tag:X"]), "CN=ann: ExternalAccessPolicy is ['Tag:X'] (list); a string was expected"),
    (first(ExternalAccessPolicy="System.Object[]"), "CN=ann: ExternalAccessPolicy is 'System.Object[]'; a string was"),
    (first(SipAddress=5), "CN=ann: SipAddress is 5 (int); a string was expected"),
)


@pytest.mark.parametrize(("alter", "text"), USER_ANSWERS)
@pytest.mark.parametrize("exclusive", [False, True])
def test_users_that_cannot_be_read(alter: t.Callable[[Objects], Objects], text: str, exclusive: bool) -> None:
    shell = Altered("Get-CsUser", alter)
    found = str(error(grant(), shell, policy="X", users=["sip:ann@contoso.test"], exclusive=exclusive))
    assert found.startswith("Get-CsUser failed: the answer cannot be read: ")
    assert (text.replace("ann", "bob") if exclusive else text) in found


@pytest.mark.parametrize("home", [{"Id": 7}, 7, ["pool.contoso.test"], "System.Object[]"])
def test_a_home_in_another_form_hides_only_itself(home: t.Any) -> None:
    """The user is not homed elsewhere, and everything else is known of them and of all others."""
    shell = server()
    shell.users.append({**user("cid", "X"), "RegistrarPool": home})
    reader = Reader(shell)
    found = reader.with_all_users(reader.kinds([POLICY]))
    assert (found.users["cn=cid"].policy, found.users["cn=cid"].pool) == ("X", "")
    assert list(found.odd_homes) == [found.users["cn=cid"].name]
    assert "RegistrarPool" in found.users["cn=cid"].unread


def refused(statement: Statement) -> ServerError | None:
    return ServerError(USERS, "InvalidFilter", "InvalidArgument", "no") if "Filter" in statement.parameters else None


def test_only_who_has_a_policy_is_read_and_who_is_named() -> None:
    shell = server()
    shell.users += [user("cid"), user("dan", "X")]
    reader = Reader(shell)
    found = reader.with_holders(reader.kinds([POLICY]), ["sip:ann@contoso.test", "sip:bob@contoso.test"])
    assert sorted(found.users) == ["cn=ann", "cn=bob", "cn=dan"]
    assert (found.holders, found.all_users) == (True, False)
    assert found.named == {"sip:ann@contoso.test": "cn=ann", "sip:bob@contoso.test": "cn=bob"}
    asked = [statement.parameters for statement in shell.sent if statement.cmdlet == USERS]
    assert asked == [{"Filter": HOLDERS}, {"Identity": "sip:ann@contoso.test"}]


@pytest.mark.parametrize("names", [(), ("sip:bob@contoso.test",)])
@pytest.mark.parametrize(
    ("fault", "alter"),
    [
        (refused, lambda items: items),
        (lambda statement: None, lambda items: []),
        (lambda statement: None, lambda items: [item for item in items if item["Identity"] == "CN=ann"]),
    ],
    ids=["refused", "nobody", "others"],
)
def test_where_the_filter_tells_too_little_all_users_are_read(
    names: tuple[str, ...], fault: Fault, alter: t.Callable[[Objects], Objects]
) -> None:
    """No answer, nobody, or people without a policy: none of it says that nobody has one."""

    class Other(MemoryShell):
        def _run(self, statement: Statement) -> Objects:
            found = super()._run(statement)
            if "Filter" not in statement.parameters:
                return found
            return alter([*found, *super()._run(Statement(USERS, {"Identity": "sip:ann@contoso.test"}))])

    shell = Other()
    shell.store, shell.users, shell.fault = server().store, server().users, fault
    found = Reader(shell).with_holders(Reader(shell).kinds([POLICY]), names)
    assert found.usage() == {"x": ("sip:bob@contoso.test",)}
    assert (found.holders, found.all_users) == (True, True)


def test_a_filter_that_leaves_out_a_named_holder_is_not_believed() -> None:
    class Other(MemoryShell):
        def _run(self, statement: Statement) -> Objects:
            found = super()._run(statement)
            return [i for i in found if i["Identity"] != "CN=bob"] if "Filter" in statement.parameters else found

    shell = Other()
    shell.store, shell.users = server().store, [user("bob", "X"), user("dan", "X")]
    reader = Reader(shell)
    kinds = reader.kinds([POLICY])
    assert reader.with_holders(kinds, ["sip:dan@contoso.test"]).all_users is False
    assert reader.with_holders(kinds, ["sip:bob@contoso.test"]).usage() == {
        "x": ("sip:bob@contoso.test", "sip:dan@contoso.test")
    }


def test_a_user_that_comes_back_twice_is_named() -> None:
    shell = Altered("Get-CsUser", lambda items: [*items, {**items[0], "Identity": "cn=BOB"}])
    assert "cn=BOB: the server returned this user twice" in str(
        error(grant(), shell, policy="X", users=[], exclusive=True)
    )


def test_more_than_one_user_of_a_name_is_nobody() -> None:
    shell = Altered("Get-CsUser", lambda items: [*items, {**items[0], "Identity": "CN=other"}])
    found = Reader(shell).with_users(Reader(shell).kinds([POLICY]), ["sip:ann@contoso.test"])
    assert found.named == {}
    assert found.unknown == {"sip:ann@contoso.test": "2 users found"}
    found = Reader(shell).with_users(Reader(shell).kinds([POLICY]), ["CN=ann"])
    assert found.unknown["CN=ann"].startswith("2 users found. Write the user's SIP address")


def crowd(*others: str) -> tuple[MemoryShell, list[str]]:
    """300 users and their SIP addresses, and others among them who are not there."""
    shell = MemoryShell()
    names = ["sip:u%d@contoso.test" % number for number in range(300)]
    for number, name in enumerate(names):
        shell.users.append({"Identity": "CN=u%d" % number, "SipAddress": name, "ExternalAccessPolicy": None})
    names[100:100] = others
    return shell, names


def test_one_unknown_user_among_many_costs_no_request_for_each() -> None:
    shell, names = crowd("sip:nobody@contoso.test")
    found = Reader(shell).with_users(Deployment(""), names)
    assert (shell.requests, len(shell.sent)) == (1, 301)
    assert list(found.unknown) == ["sip:nobody@contoso.test"]
    assert found.named == {name: "cn=u%s" % name[5:].partition("@")[0] for name in names if "nobody" not in name}


def test_only_those_of_whom_a_batch_does_not_tell_are_looked_up_alone() -> None:
    """Two display names: one is nobody's, and the error does not say which."""
    shell, names = crowd("Ann", "Nobody")
    shell.users.append({"Identity": "CN=ann", "SipAddress": "sip:ann@contoso.test", "ExternalAccessPolicy": None})

    class Directory(MemoryShell):
        def _run(self, statement: Statement) -> list[t.Any]:
            if statement.parameters.get("Identity") == "Ann":
                return [dict(self.users[-1])]
            return super()._run(statement)

    directory = Directory()
    directory.users = shell.users
    found = Reader(directory).with_users(Deployment(""), names)
    assert (directory.requests, list(found.unknown), found.named["Ann"]) == (3, ["Nobody"], "cn=ann")


def test_without_the_right_to_read_users_nobody_is_unknown() -> None:
    shell, names = crowd()
    error = ServerError("Get-CsUser", "CommandNotFoundException", "ObjectNotFound", "no such cmdlet", "Get-CsUser")
    shell.fault = lambda statement: error
    with pytest.raises(ServerRefused, match="Get-CsUser failed: no such cmdlet"):
        Reader(shell).with_users(Deployment(""), names)
    assert shell.requests == 1


@pytest.mark.parametrize("value", [["Site:R"], 5, "System.Object[]"])
def test_an_effective_policy_that_cannot_be_read(value: t.Any) -> None:
    shell = Altered("Get-CsEffectivePolicy", lambda items: [{"ExternalAccessPolicy": value}])
    shell.put(POLICY.noun, "Site:R", {})
    found = str(error(grant(), shell, policy="X", users=["sip:ann@contoso.test"]))
    assert found.startswith("Get-CsEffectivePolicy failed: the answer cannot be read: sip:ann@contoso.test: ExternalAc")


@pytest.mark.parametrize("output", [[], [None], ["Global"], [{}, {}]])
def test_an_effective_policy_that_does_not_come_back(output: Objects) -> None:
    shell = Altered("Get-CsEffectivePolicy", lambda items: output)
    shell.put(POLICY.noun, "Site:R", {})
    with pytest.raises(ServerRefused, match="Get-CsEffectivePolicy failed: "):
        run(grant(), shell, policy="X", users=["sip:ann@contoso.test"])
    assert shell.writes() == []


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([POLICY, PARTNER, GATEWAY, ACCESS_EDGE]), st.data())
def test_whatever_a_property_holds_it_is_a_value_or_an_error_and_nothing_is_written(
    resource: Resource, data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(resource.fields))
    shell = Altered("Get-" + resource.noun, first(**{field.prop: data.draw(SHAPES)}))
    kinds = data.draw(st.sampled_from([[resource], [POLICY, PARTNER, GATEWAY, ACCESS_EDGE]]))
    try:
        found = Reader(shell).kinds(kinds)
    except Unreadable as unreadable:
        (said,) = unreadable.errors
        assert (said.cmdlet, said.category) == ("Get-" + resource.noun, "InvalidData")
        assert "%s is " % field.prop in said.message
        assert said.target in ("Global", "a.test")
        return
    assert field.option in next(iter(found.of(resource.part).values())).values
