# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies for the members of a group: the filter, who gets and who loses the policy, and what is refused."""

from __future__ import annotations

import string
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import HOLDERS, USERS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.groups import NESTED, group_from_user, member_filter
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import plural
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError, Statement
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

GROUP = "CN=XMPP Users,OU=Groups,DC=contoso,DC=com"
FULL = {"EnableFederationAccess": True, "EnableXmppAccess": True}


def read_item(text: str) -> tuple[str, str, bytes]:
    """Attribute, matching rule and assertion value of a filter that is one item (RFC 4515, section 3)."""
    assert (text[0], text[-1]) == ("(", ")")
    kind, equals, value = text[1:-1].partition("=")
    assert equals
    attribute, rule = kind.removesuffix(":"), ""
    if kind.endswith(":"):
        attribute, _colon, rule = attribute.partition(":")
        assert rule
    found, rest = b"", value.encode("utf-8", "surrogatepass")
    while rest:
        if rest[:1] == b"\\":
            pair = rest[1:3].decode("ascii")
            assert len(pair) == 2
            assert set(pair) <= set(string.hexdigits)
            found, rest = found + bytes.fromhex(pair), rest[3:]
        else:
            assert rest[0] not in b"\0()*\\"
            found, rest = found + rest[:1], rest[1:]
    return attribute, rule, found


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text('()*\\&|!=:~<>\0 ,;+"#\n\r\tA28'), st.booleans())
@example("CN=*)(objectClass=*),DC=contoso,DC=com", False)
@example("CN=a)(|(cn=*", True)
@example("CN=Sales\\2c \\28EMEA\\29\\, Ltd,DC=contoso,DC=com", True)
@example(" CN=a\\ ,DC=b ", False)
@example("CN=x\0y,DC=b", False)
@example("CN=Žižka (東京),DC=b", True)
def test_a_reader_of_rfc_4515_gets_the_exact_name(name: str, nested: bool) -> None:
    attribute, rule, value = read_item(member_filter(name, nested))
    assert (attribute, rule) == ("memberOf", NESTED if nested else "")
    assert value == name.encode()


def test_the_form_of_the_filter() -> None:
    assert member_filter(GROUP, False) == "(memberOf=%s)" % GROUP
    hostile = member_filter(r"CN=a\,b*(c),DC=d", True)
    assert hostile == r"(memberOf:1.2.840.113556.1.4.1941:=CN=a\5c,b\2a\28c\29,DC=d)"


@pytest.mark.parametrize("name", [GROUP, " " + GROUP + " ", r"CN=a\,b*(c) ; <d>,OU=x, dc = e", "cn=ü,DC=東京"])
def test_distinguished_names(name: str) -> None:
    assert group_from_user(name) == name.strip()


@pytest.mark.parametrize(
    "name",
    ["", "XMPP Users", "CONTOSO\\XMPP Users", "CN=XMPP Users", "*", r"CN=a\,DC=b", "CN=a\0,DC=b", None, 5, [GROUP]],
)
def test_what_is_no_distinguished_name(name: t.Any) -> None:
    with pytest.raises(Invalid):
        group_from_user(name)


def server(*members: str, **has: str | None) -> MemoryShell:
    """Users with the policy that they have, and the members of the group."""
    shell = MemoryShell()
    shell.put("CsExternalAccessPolicy", "Global", {"EnableFederationAccess": True})
    for name in ("XMPP Users", "Other"):
        shell.put("CsExternalAccessPolicy", "Tag:" + name, FULL)
    shell.users = [
        {
            "Identity": "CN=%s" % name,
            "SipAddress": "sip:%s@contoso.test" % name,
            "ExternalAccessPolicy": policy,
            "RegistrarPool": "fe01.contoso.com",
            "HostingProvider": "SRV:",
            "Enabled": True,
        }
        for name, policy in has.items()
    ]
    shell.members[member_filter(GROUP, False)] = {"sip:%s@contoso.test" % name for name in members}
    return shell


def granted(shell: MemoryShell, check: bool = False, nested: bool = False, **more: t.Any) -> Result:
    policy = {"identity": "XMPP Users", "granted_to": {"group": GROUP, **({"nested": True} if nested else {})}}
    return run(plural(POLICY), shell, check, policies=[policy], **more)


def holders(shell: MemoryShell) -> set[str]:
    return {user["Identity"][3:] for user in shell.users if user["ExternalAccessPolicy"] == "Tag:XMPP Users"}


def reads(shell: MemoryShell) -> list[t.Mapping[str, t.Any]]:
    return [statement.parameters for statement in shell.sent if statement.cmdlet == USERS]


def test_members_get_it_and_who_left_is_named() -> None:
    shell = server("ann", "bob", ann=None, bob="Tag:XMPP Users", cid="Tag:XMPP Users", dan=None)
    planned = granted(shell, check=True)
    assert shell.writes() == []
    assert reads(shell) == [{"LdapFilter": member_filter(GROUP, False)}, {"Filter": HOLDERS}]
    assert [step["identity"] for step in planned.steps or []] == ["sip:ann@contoso.test"]
    (warning,) = planned.warnings
    assert "To withdraw it, set exclusive_grants to true. Users: sip:cid@contoso.test" in warning
    assert "policies[0].granted_to (group %s)" % GROUP in warning
    granted(shell)
    assert holders(shell) == {"ann", "bob", "cid"}
    assert not granted(shell).changed


def test_who_left_loses_it_with_exclusive_grants() -> None:
    shell = server("ann", "bob", ann=None, bob="Tag:XMPP Users", cid="Tag:XMPP Users", dan="Tag:Other")
    planned = granted(shell, check=True, exclusive_grants=True)
    steps = [(step["identity"], step["parameters"]["PolicyName"]) for step in planned.steps or []]
    assert steps == [("sip:ann@contoso.test", "XMPP Users"), ("sip:cid@contoso.test", None)]
    assert shell.writes() == []
    granted(shell, exclusive_grants=True)
    assert holders(shell) == {"ann", "bob"}
    assert not granted(shell, exclusive_grants=True).changed


def test_nested_groups_are_another_filter() -> None:
    shell = server(ann=None)
    shell.members[member_filter(GROUP, True)] = {"sip:ann@contoso.test"}
    granted(shell, nested=True)
    assert holders(shell) == {"ann"}


def test_nobody_in_the_group_is_refused_where_everyone_would_lose_it() -> None:
    shell = server(ann="Tag:XMPP Users", bob=None)
    with pytest.raises(
        Refused, match=r"no user that this account can see is a member.* With exclusive_grants, all users .* use force"
    ):
        granted(shell, exclusive_grants=True)
    assert shell.writes() == []
    doubtful = granted(shell, check=True)
    assert not doubtful.changed
    assert "no user that this account can see is a member" in doubtful.warnings[0]
    granted(shell, exclusive_grants=True, force=True)
    assert holders(shell) == set()


def test_members_who_cannot_use_it_are_left_out_and_do_not_empty_it() -> None:
    shell = server("ann", "bob", "cid", ann=None, bob="Tag:Other", cid="Tag:XMPP Users", dan="Tag:XMPP Users")
    shell.users[0]["HostingProvider"] = "sipfed.online.lync.com"
    result = granted(shell, exclusive_grants=True)
    assert holders(shell) == {"cid"}
    assert "(homed online): sip:ann" in "\n".join(result.warnings)
    assert "(has the policy Other, and allow_replaced_policies is false): sip:bob" in "\n".join(result.warnings)
    shell.members[member_filter(GROUP, False)] = {"sip:bob@contoso.test"}
    with pytest.raises(Refused, match=r"no member gets the policy\. With exclusive_grants, all users"):
        granted(shell, exclusive_grants=True)


def test_half_of_a_group_that_is_gone_is_refused_by_the_limit() -> None:
    """The first day has no limit, as with a list; later the change is measured by who has the policy."""
    names = ["u%02d" % number for number in range(20)]
    shell = server(*names, **dict.fromkeys(names))
    granted(shell)
    assert holders(shell) == set(names)
    shell.members[member_filter(GROUP, False)] = {"sip:%s@contoso.test" % name for name in names[:10]}
    with pytest.raises(Refused, match=r"would change 10 of 20 users who have XMPP Users .*limit is 30 %"):
        granted(shell, exclusive_grants=True)
    granted(shell, exclusive_grants=True, update_limit=50)
    assert holders(shell) == set(names[:10])


def test_a_member_whom_the_reading_of_holders_leaves_out_is_not_believed() -> None:
    """The filter of holders is by analogy; a member with a policy shows that it does not work."""

    class Other(MemoryShell):
        def _run(self, statement: Statement) -> list[t.Any]:
            found = super()._run(statement)
            return found[1:] if "Filter" in statement.parameters else found

    shell = Other()
    known = server("ann", ann="Tag:XMPP Users", bob="Tag:XMPP Users", cid="Tag:XMPP Users")
    shell.store, shell.users, shell.members = known.store, known.users, known.members
    granted(shell, exclusive_grants=True)
    assert holders(shell) == {"ann"}
    assert {} in reads(shell)


def test_a_server_that_refuses_the_filter_ends_the_run() -> None:
    shell = server("ann", ann=None, bob="Tag:XMPP Users")
    shell.fault = lambda one: ServerError(USERS, "X", "Y", "no") if "LdapFilter" in one.parameters else None
    with pytest.raises(ServerRefused):
        granted(shell, exclusive_grants=True, force=True)
    assert shell.writes() == []


def test_a_member_with_an_odd_home_is_no_guess() -> None:
    shell = server("ann", ann=None, bob=None)
    shell.users[1]["RegistrarPool"] = 7
    granted(shell, check=True)
    shell.users[0]["RegistrarPool"] = 7
    with pytest.raises(Refused, match="the home of these members is unknown: sip:ann"):
        granted(shell)
