# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who loses XMPP by a move, who is left, and what is told of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import migration
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import Pool
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.usage import DomainUse
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.migration import compared, lines, report

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

LEGACY = Pool("fe01.a.com", "Redmond", ("fe01.a.com",), "2015", True, True)
LATER = Pool("fe19.a.com", "Redmond", ("fe19.a.com",), "2019", True, True)
BRANCH = Pool("sba.a.com", "Redmond", ("sba.a.com",), "2015", True, False)
UNSEEN = Pool("fe03.a.com", "Redmond", ("fe03.a.com",), "2015", True)
UNTOLD = Pool("fe02.a.com", "Redmond", ("fe02.a.com",), None, True, True)


def policy(identity: str, xmpp: bool, federation: bool = True) -> Record:
    return Record(identity, {"enable_xmpp_access": xmpp, "enable_federation_access": federation})


POLICIES = {
    "global": policy("global", False),
    "site:redmond": policy("site:Redmond", True),
    "desk": policy("Desk", True),
    "half": policy("Half", True, federation=False),
}
PROVES = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
PARTNERS = {
    "b.com": Record("b.com", {"additional_domains": ("c.b.com",), **PROVES}),
    "d.com": Record("d.com", {"additional_domains": (), **PROVES, "sasl_negotiation": "required"}),
}


def user(name: str, **more: t.Any) -> User:
    return User("CN=%s" % name, "sip:%s@a.com" % name, **{"pool": LEGACY.fqdn, "enabled": True, **more})


def told(
    *users: User, moving: t.Sequence[str] = (), pools: t.Sequence[Pool] = (), declared: t.Sequence[str] = ()
) -> t.Any:
    """Whoever has no policy of his own has the site's, unless his name begins with g."""
    by_name = {one.name[4:].partition("@")[0]: one.key for one in users}
    deployment = Deployment(
        "",
        {"policies": POLICIES, "partners": PARTNERS},
        {one.key: one for one in users},
        True,
        {name: by_name[name] for name in moving if name in by_name},
        {name: "cannot find it" for name in moving if name not in by_name},
        {key: "global" if name.startswith("g") else "site:redmond" for name, key in by_name.items()},
        (LEGACY, LATER, UNTOLD, BRANCH, UNSEEN),
    )
    return migration.told(deployment, moving, pools, declared)


@pytest.mark.parametrize(
    ("one", "kind", "words"),
    [
        (user("own", policy="Desk"), "loses", "the granted policy (Desk)"),
        (user("site"), "loses", "the site's policy (site:Redmond)"),
        (user("untold", enabled=None), "loses", "the site's policy"),
        (user("global"), "without", "the global policy (global) does not give XMPP"),
        (user("half", policy="Half"), "without", "gives XMPP but not federation"),
        (user("off", enabled=False, policy="Desk"), "without", "not enabled"),
        (user("later", pool="FE19.a.com", policy="Desk"), "elsewhere", "runs Skype for Business Server 2019 or later"),
        (user("online", pool="", provider="sipfed.online.lync.com", policy="Desk"), "elsewhere", "homed online"),
        (user("release", pool=UNTOLD.fqdn, policy="Desk"), "may_lose", "fe02.a.com, whose release is unknown"),
        (user("branch", pool=BRANCH.fqdn, policy="Desk"), "elsewhere", "which is a branch appliance or branch server"),
        (user("unseen", pool=UNSEEN.fqdn, policy="Desk"), "may_lose", "fe03.a.com, which can be a branch appliance"),
        (user("pool", pool="gone.a.com", policy="Desk"), "may_lose", "has XMPP: gone.a.com"),
        (user("homeless", pool="", policy="Desk"), "may_lose", "has XMPP: not shown by the server"),
        (user("odd", pool="", unread="RegistrarPool is 7", policy="Desk"), "may_lose", "has XMPP: RegistrarPool is 7"),
        (user("gone", policy="Gone"), "may_lose", "the policy 'Gone', which was not found"),
    ],
    ids=lambda value: value.name[4:].partition("@")[0] if isinstance(value, User) else "",
)  # fmt: skip
def test_what_a_move_does_to_a_user(one: User, kind: str, words: str) -> None:
    name = one.name[4:].partition("@")[0]
    (found,) = told(one, moving=[name])["users"]
    assert found["outcome"] == kind
    assert words in found["reason"]
    left = told(one)
    assert left["nobody_left"] == {"loses": False, "may_lose": None}.get(kind, True)


def test_an_address_without_sip_is_a_sip_address_here() -> None:
    """Though it may be another user's principal name."""
    shell = MemoryShell()
    none = {"ExternalAccessPolicy": None}
    shell.users = [
        {"Identity": "CN=Ann", "SipAddress": "sip:ann@a.com", "UserPrincipalName": "a.smith@a.com", **none},
        {"Identity": "CN=Bob", "SipAddress": "sip:bob@a.com", "UserPrincipalName": "ann@a.com", **none},
    ]
    found = run(migration.TASK, shell, True, users=["Ann@a.com", "cn=bob", "zoe@a.com"]).values
    assert [one["name"] for one in found["users"]] == ["sip:ann@a.com", "sip:bob@a.com"]
    assert [one["name"] for one in found["unknown"]] == ["zoe@a.com"]


def test_a_pool_takes_everybody_along_and_nobody_twice() -> None:
    users = (user("ann"), user("bob", pool=LATER.fqdn), user("gus"), user("homeless", pool=""))
    found = told(*users, moving=["ann", "zoe"], pools=[LEGACY])
    assert [one["name"] for one in found["users"]] == ["sip:ann@a.com", "sip:gus@a.com"]
    assert found["unknown"] == [{"name": "zoe", "message": "cannot find it"}]
    assert (found["remaining"], found["remaining_unknown"]) == ([], ["sip:homeless@a.com"])
    assert found["nobody_left"] is None
    text = report(found, "d")
    assert "It is unknown whether users with XMPP remain" in text
    assert "The XMPP federation with" not in text
    assert "sfb.xmpp.decommission" not in text


def test_while_somebody_is_left_no_partner_is_called_unused() -> None:
    found = told(user("ann"), user("bob"), moving=["ann"], declared=["b.com", "new.com"])
    assert found["remaining"] == ["sip:bob@a.com"]
    assert [(one["domain"], one["allowed"]) for one in found["partner_domains"]] == [
        ("b.com", True), ("d.com", True), ("new.com", False),
    ]  # fmt: skip
    text = report(found, "d")
    for words in (
        "1 user with XMPP remains",
        "does not record sessions",
        "new.com: declared, but not allowed",
    ):
        assert words in text
    assert "To: ann@a.com\n" in text
    assert "- b.com\n- c.b.com\n- d.com\n" in text
    assert "The XMPP federation with" not in text
    assert "sfb.xmpp.decommission" not in text


@pytest.mark.parametrize("moving", [["ann"], ["ann", "bob"]])
def test_the_use_of_partners_comes_from_a_table(moving: list[str]) -> None:
    found = told(user("ann"), user("bob"), moving=moving)
    rows = [DomainUse("c.b.com", "2026-11-30", 7), DomainUse("z.com", "2026-11-01", 1), DomainUse("a.com", "", 0)]
    used = compared(found, rows)
    assert used is not None
    text = report(found, "d", used)
    for words in ("| b.com | 2026-11-30 | 7 |", "| d.com | - | 0 |", "Unused partners: d.com.", "no partner: z.com."):
        assert words in text
    assert "has no record" not in text
    shown = lines({**found, "usage": used.as_dict()}, "x.md", True, False)
    assert "  b.com  7 sessions, last use 2026-11-30" in shown
    assert compared(found, []) is None


def test_when_nobody_is_left_every_partner_is_told() -> None:
    found = told(user("ann"), user("gus"), moving=["ann"])
    assert found["own_domains"] == ["a.com"]
    text = report(found, "south")
    for words in (
        "As far as this account can see, no user with XMPP remains", "To the administrator of b.com:",
        "The XMPP federation with d.com ends",
        "yes, remove XMPP from south",
    ):  # fmt: skip
        assert words in text
    assert "users\\_elsewhere" not in text
    assert "obody" not in text


def test_who_has_nothing_to_lose_gets_no_letter() -> None:
    text = report(told(user("gus"), user("ann"), moving=["gus"]), "d")
    assert "Subject:" not in text
    assert "none of them lose it" in text


def test_no_text_of_a_server_becomes_markup() -> None:
    text = report(told(user("x", policy="<b>`|\n# y"), moving=["x"]), "d")
    assert "\n# y" not in text
    assert "\\<b\\>" in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "users and pools are missing"),
        ({"users": ["*@a.com"]}, r"users: '\*@a\.com' is not a full name"),
        ({"pools": [" "]}, "pools: '' is not a full name"),
        ({"users": ["ann"], "declared": ["a b"]}, "declared: .* spaces"),
    ],
)
def test_what_is_refused(given: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        migration.asked({"users": [], "pools": [], "declared": [], **given})
