# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms in which a server may send a user's home, policy and identity, and the policy in effect."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Unreadable
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, Reader, User, user_of
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement

DN = "CN=Ann,OU=Staff,DC=contoso,DC=com"
PLAIN = {
    "Identity": DN, "SipAddress": "sip:ann@contoso.com",
    "ExternalAccessPolicy": "Desk", "RegistrarPool": "fe01.contoso.com",
}  # fmt: skip
FORMS: list[dict[str, t.Any]] = [
    {},
    {"ExternalAccessPolicy": "Tag:Desk"},
    {"ExternalAccessPolicy": {"FriendlyName": "Desk", "DistinguishedName": "CN=7,CN=Policies"}},
    {"RegistrarPool": {"FriendlyName": "fe01.contoso.com", "DistinguishedName": "CN=1:1,CN=Pools"}},
    {"Identity": {"DistinguishedName": DN, "FriendlyName": "Ann"}},
    {"Identity": {"DistinguishedName": DN}},
]


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_are_the_same_user(form: dict[str, t.Any]) -> None:
    assert user_of({**PLAIN, **form}) == User(DN, "sip:ann@contoso.com", "Desk", "fe01.contoso.com")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_user_without_a_home_or_policy(nothing: t.Any) -> None:
    found = user_of({**PLAIN, "ExternalAccessPolicy": nothing, "RegistrarPool": nothing})
    assert found == User(DN, "sip:ann@contoso.com")


ODD_FORMS = [5, True, ["fe01.contoso.com"], {}, {"DistinguishedName": "CN=1:1,CN=Pools"}]


@pytest.mark.parametrize("form", ODD_FORMS)
def test_a_policy_in_another_form_is_an_error(form: t.Any) -> None:
    with pytest.raises(Unreadable, match=re.escape("%s: ExternalAccessPolicy is " % DN)):
        user_of({**PLAIN, "ExternalAccessPolicy": form})


@pytest.mark.parametrize("form", ODD_FORMS)
def test_a_home_in_another_form_is_told_and_not_a_user_homed_elsewhere(form: t.Any) -> None:
    found = user_of({**PLAIN, "RegistrarPool": form})
    assert (found.policy, found.pool, found.unread.startswith("RegistrarPool is ")) == ("Desk", "", True)


class Effective:
    def __init__(self, value: t.Any) -> None:
        self.value = value

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        return Answer(({"ExternalAccessPolicy": self.value},) * len(statements))


POLICIES = ("global", "site:Redmond", "Desk", "Redmond")
# What comes back, the user's own policy, and which policy it is.
EFFECTIVE: list[tuple[t.Any, str, str]] = [
    ("Global", "", "global"),
    ("Site:Redmond", "", "site:redmond"),
    ("Redmond", "", "site:redmond"),  # by its bare name, as those of users
    ("Redmond", "Redmond", "redmond"),
    ("Desk", "Desk", "desk"),
    ("Tag:Desk", "Desk", "desk"),
    ({"FriendlyName": "Desk"}, "Desk", "desk"),
    ({"FriendlyName": "Redmond"}, "", "site:redmond"),
]


@pytest.mark.parametrize(("value", "own", "policy"), EFFECTIVE)
def test_the_policy_in_effect_by_any_name(value: t.Any, own: str, policy: str) -> None:
    assert effective(value, own) == policy


def effective(value: t.Any, own: str = "") -> str:
    user = User(DN, "sip:ann@contoso.com", own, "unknown.contoso.com")
    records = {name.casefold(): Record(name, {}) for name in POLICIES}
    deployment = Deployment("", {"policies": records}, {user.key: user})
    return Reader(Effective(value)).with_effective(deployment, [user.key]).effective[user.key]


def test_a_policy_in_effect_that_is_none_of_the_policies_is_an_error() -> None:
    with pytest.raises(Refused, match="the effective policy 'dublin' was not found among the policies"):
        effective("Dublin")
    with pytest.raises(Unreadable, match="ExternalAccessPolicy is "):
        effective({"DistinguishedName": "CN=7"})
