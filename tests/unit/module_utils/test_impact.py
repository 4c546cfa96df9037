# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan does to users, by everything on which it depends; the limit of a run; what is read for it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base import user_names
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._chain import reach
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK, work
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.impact import Impact, OfDomain, lines
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.revoked_users import with_users
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import TASK as REVOCATION

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}
ON = {"EnableFederationAccess": True, "EnableXmppAccess": True, "EnableOutsideAccess": True}
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
OPEN = {"AllowFederatedUsers": True, "AllowOutsideUsers": True}
LOSS = {"allow_loss": ["federation_access", "outside_access"]}
BASE: dict[str, t.Any] = {"domain": "a.test", "partner_type": "federated", **ROW}
Change = t.Callable[[MemoryShell], None]
ByDomain = dict[str, tuple[int, int]]


def server() -> MemoryShell:
    """A deployment that works, with one partner. Ann and Bob have the policy Xmpp, Cid and Dan the global one."""
    shell = MemoryShell()
    shell.put("CsAccessEdgeConfiguration", "Global", OPEN)
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": "EdgeServer:edge.contoso.com"})
    shell.put("CsExternalAccessPolicy", "Tag:Xmpp", ON)
    partner(shell, "a.test")
    shell.users = [user(*one) for one in (("ann", "Xmpp"), ("bob", "Xmpp"), ("cid", ""), ("dan", ""))]
    return shell


def partner(shell: MemoryShell, domain: str, **values: t.Any) -> None:
    row: dict[str, t.Any] = {
        "TlsNegotiation": "Required",
        "SaslNegotiation": "Optional",
        "SupportDialbackNegotiation": True,
    }
    shell.put("CsXmppAllowedPartner", domain, {"PartnerType": "Federated", **row, **values})


def user(name: str, policy: str = "", **values: t.Any) -> dict[str, t.Any]:
    return {
        "Identity": "CN=%s" % name, "SipAddress": "sip:%s@contoso.com" % name, "Enabled": True,
        "ExternalAccessPolicy": "Tag:" + policy if policy else None, "RegistrarPool": "fe01.contoso.com",
        "HostingProvider": "SRV:", **values,
    }  # fmt: skip


def planned(shell: MemoryShell, check: bool = True, **arguments: t.Any) -> Result:
    """The task as the action gives it where somebody asked to see who is affected."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    validated = ArgumentSpecValidator(dict(TASK.argument_spec)).validate(arguments)
    assert not validated.error_messages
    return work(validated.validated_parameters, shell, check, impact=True)


def numbers(result: Result) -> ByDomain:
    """By domain, how many gain and how many lose it, the same in both directions."""
    found = {}
    for one in result.values["impact"]["domains"]:
        both = [(one[way]["gain"], one[way]["lose"]) for way in ("out", "in")]
        assert both[0] == both[1]
        found[one["domain"]] = both[0]
    return found


def site_policy(shell: MemoryShell) -> None:
    shell.put("CsExternalAccessPolicy", "Site:Redmond", ON)


def both_have_b(shell: MemoryShell) -> None:
    partner(shell, "a.test", AdditionalDomains="b.test")
    partner(shell, "b.test", **WRONG)


def given(name: str, **values: t.Any) -> Change:
    """A server where a user is otherwise."""

    def change(shell: MemoryShell) -> None:
        for one in shell.users:
            if one["Identity"] == "CN=" + name:
                one.update(values)

    return change


WRONG: dict[str, t.Any] = {"SaslNegotiation": "NotSupported", "SupportDialbackNegotiation": False}
NEW: dict[str, t.Any] = {
    "partners": [BASE, {**BASE, "domain": "b.test", "additional_domains": ["x.b.test", "y.b.test"]}]
}
B = ("b.test", "x.b.test", "y.b.test")
CASES: dict[str, tuple[Change | None, dict[str, t.Any], ByDomain]] = {
    "a partner with additional domains": (None, NEW, dict.fromkeys(B, (2, 0))),
    "a partner goes": (None, {"partners": [], "partners_purge": True, "force": True}, {"a.test": (0, 2)}),
    "an additional domain goes to another partner": (
        lambda s: partner(s, "b.test", AdditionalDomains="x.test"),
        {"partners": [{**BASE, "additional_domains": ["x.test"]}, {"domain": "b.test", "additional_domains": []}]}, {},
    ),
    "a policy loses XMPP": (
        None, {"policies": [{"identity": "Xmpp", "enable_xmpp_access": False}]}, {"a.test": (0, 2)}),
    "a policy loses federation": (
        None, {"policies": [{"identity": "Xmpp", **dict.fromkeys(FULL, False)}], **LOSS}, {"a.test": (0, 2)}),
    "a grant": (
        None, {"policies": [{"identity": "Xmpp", "granted_to": ["sip:cid@contoso.com"]}]}, {"a.test": (1, 0)}),
    "a grant of a policy without XMPP": (
        lambda s: s.put("CsExternalAccessPolicy", "Tag:Less", {**ON, "EnableXmppAccess": False}),
        {"policies": [{"identity": "Less", "granted_to": ["sip:ann@contoso.com", "sip:dan@contoso.com"]}]},
        {"a.test": (0, 1)},
    ),
    "an exclusive list": (
        None, {"policies": [{"identity": "Xmpp", "granted_to": ["sip:ann@contoso.com", "sip:dan@contoso.com"]}],
               "exclusive_grants": True, **LOSS}, {"a.test": (1, 1)}),
    "the global policy": (None, {"policies": [{"identity": "global", **FULL}]}, {"a.test": (2, 0)}),
    "the global policy below one of the site": (site_policy, {"policies": [{"identity": "global", **FULL}]}, {}),
    "a policy of the site": (None, {"policies": [{"identity": "site:Redmond", **FULL}]}, {"a.test": (2, 0)}),
    "the policy of the site loses XMPP": (
        site_policy, {"policies": [{"identity": "site:Redmond", "enable_xmpp_access": False}]}, {"a.test": (0, 2)}),
    "homed on a branch": (given("ann", RegistrarPool="branch.contoso.com"), NEW, dict.fromkeys(B, (1, 0))),
    "homed online": (
        given("ann", RegistrarPool=None, HostingProvider="sipfed.online.lync.com"), NEW, dict.fromkeys(B, (1, 0))),
    "homed online, with a pool": (
        given("ann", HostingProvider="sipfed.online.lync.com"), NEW, dict.fromkeys(B, (1, 0))),
    "not enabled": (given("ann", Enabled=False), NEW, dict.fromkeys(B, (1, 0))),
    "no way to authenticate": (
        lambda s: partner(s, "b.test", **WRONG),
        {"partners": [{"domain": "b.test", "support_dialback_negotiation": True}]}, {"b.test": (2, 0)},
    ),
    "a partner that is an additional domain too": (
        both_have_b,
        {"partners": [{"domain": "b.test", "support_dialback_negotiation": True}]}, {"b.test": (2, 0)},
    ),
    "an allowed SIP domain": (None, {"partners": [{**BASE, "domain": "litware.com"}]}, {}),
    "the Access Edge goes off": (
        None, {"access_edge": {"allow_federated_users": False}, "force": True}, {"a.test": (0, 2)}),
    "the Access Edge goes on": (
        lambda s: s.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": False}),
        {"access_edge": {"allow_federated_users": True}}, {"a.test": (2, 0)},
    ),
    "the route is cleared": (
        None, {"federation_routes": [{"site": "Redmond", "edge_pool": ""}], "force": True}, {"a.test": (0, 2)}),
    "a route is set": (
        lambda s: s.put("CsSite", "Site:Redmond", {"XmppFederationRoute": None}),
        {"federation_routes": [{"site": "Redmond", "edge_pool": "edge.contoso.com"}], **NEW},
        dict.fromkeys(("a.test", *B), (2, 0)),
    ),
    "a setting that is none of users": (None, {"partners": [{**BASE, "description": "other"}]}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_thing_on_which_it_depends(name: str) -> None:
    change, arguments, expected = CASES[name]
    shell = server()
    if change is not None:
        change(shell)
    result = planned(shell, **arguments)
    assert result.changed
    assert numbers(result) == expected
    found = result.values["impact"]
    assert found["seen"] == 4
    for number, kind in enumerate(("gain", "lose")):
        named = {who for one in found["groups"] if one["out"] == kind for who in one["names"]}
        assert found["users"][kind] == len(named) >= max([0, *(own[number] for own in expected.values())])
    assert shell.writes() == []


def test_a_partner_of_whom_users_must_know_first() -> None:
    """partner_type public_unverified: what the partner sends reaches only users who have added the sender."""
    narrowed = planned(server(), partners=[{**BASE, "partner_type": "public_unverified"}]).values["impact"]
    (one,) = narrowed["domains"]
    assert (one["out"]["lose"], one["in"]["lose"], one["in"]["narrowed"], one["contact_first"]) == (0, 0, 2, True)
    assert narrowed["users"] == {"gain": 0, "lose": 0, "narrowed": 2, "widened": 0, "unknown": 0}
    shell = server()
    partner(shell, "a.test", PartnerType="PublicUnverified")
    (one,) = planned(shell, partners=[BASE]).values["impact"]["domains"]
    assert (one["out"]["gain"], one["in"]["gain"], one["in"]["widened"], one["contact_first"]) == (0, 0, 2, False)
    new = planned(shell, partners=[{**BASE, "domain": "b.test", "partner_type": "public_unverified"}])
    assert numbers(new) == {"b.test": (2, 0)}
    assert new.values["report"][-1] == "  + b.test: 2 users gain, none lose (contacts only)"
    assert planned(server(), partners=[{**BASE, "partner_type": "public_unverified"}]).values["report"][-1] == (
        "  ~ a.test: 2 users get its messages only from contacts now"
    )


# What is read, and when


def asked(shell: MemoryShell) -> list[str]:
    return [statement.cmdlet for statement in shell.sent]


def test_users_are_read_once_and_only_for_a_plan_that_somebody_asked_to_see() -> None:
    ordinary, shown = server(), server()
    result = run(TASK, ordinary, check=True, preflight=True, **NEW)
    assert "impact" not in result.values
    assert "Get-CsUser" not in asked(ordinary)
    planned(shown, preflight=True, **NEW)
    assert shown.requests == ordinary.requests + 1
    assert asked(shown).count("Get-CsUser") == 1
    settled = server()
    nothing = planned(settled, partners=[BASE])
    assert not nothing.changed
    assert "impact" not in nothing.values
    assert "Get-CsUser" not in asked(settled)


def test_the_plan_that_is_saved_has_it_and_the_run_that_is_held_to_it_reads_nobody_again(tmp_path: Path) -> None:
    shell, file = server(), tmp_path / "plan.json"
    run(TASK, shell, check=True, plan_file=str(file), **NEW)
    kept = json.loads(file.read_text(encoding="utf-8"))["impact"]
    assert kept["users"]["gain"] == 2
    assert [one["names"] for one in kept["groups"]] == [["sip:ann@contoso.com", "sip:bob@contoso.com"]]
    before = len(shell.sent)
    result = run(TASK, shell, plan_file=str(file), **NEW)
    assert result.changed
    assert "Get-CsUser" not in asked(shell)[before:]


def test_all_are_named_in_the_file_of_a_plan_and_a_hundred_in_a_result(tmp_path: Path) -> None:
    shell, file = server(), tmp_path / "plan.json"
    shell.users = [user("u%03d" % number, "Xmpp") for number in range(150)]
    result = run(TASK, shell, check=True, plan_file=str(file), **NEW).values["impact"]
    kept = json.loads(file.read_text(encoding="utf-8"))["impact"]
    assert [(one["users"], len(one["names"])) for one in result["groups"]] == [(150, 100)]
    assert [(one["users"], len(one["names"])) for one in kept["groups"]] == [(150, 150)]
    try:
        user_names.hide(b"key")
        run(TASK, shell, check=True, plan_file=str(file), **NEW)
    finally:
        user_names.hide(None)
    document = json.loads(file.read_text(encoding="utf-8"))
    assert "contoso.com" not in json.dumps(document["impact"]["groups"])
    assert len(set(document["impact"]["groups"][0]["names"])) == 150


def test_the_check_of_a_revocation_says_who_loses_the_domain_and_the_revocation_asks_nobody() -> None:
    shell = server()
    partner(shell, "a.test", AdditionalDomains="x.a.test")
    partner(shell, "b.test", AdditionalDomains="x.a.test")
    both = run(with_users(REVOCATION), shell, check=True, domain="a.test")
    assert numbers(both) == {"a.test": (0, 2)}, "another partner keeps the other domain"
    assert both.values["report"][-2:] == [
        "Users: none gain a partner, 2 lose one. Seen: 4 users.", "  - a.test: 2 users lose"
    ]  # fmt: skip
    assert numbers(run(with_users(REVOCATION), shell, check=True, domain="x.a.test")) == {"x.a.test": (0, 2)}
    assert shell.writes() == []
    refuse_users(shell)
    assert run(with_users(REVOCATION), shell, check=True, domain="a.test").values["impact"]["unread"]
    before = len(shell.sent)
    assert run(with_users(REVOCATION), shell, domain="a.test").changed
    assert "Get-CsUser" not in asked(shell)[before:]


# The limit


@pytest.mark.parametrize(
    ("limit", "option"),
    [
        ({"gain": 1}, "impact_limit.gain: 2 users would gain a partner; the limit is 1"),
        ({"lose": 0, "gain": 5}, ""),
        ({"gain": 2}, ""),
        ({"gain": 0, "lose": 0}, "impact_limit.gain: 2 users would gain a partner; the limit is 0"),
    ],
)
def test_a_run_above_the_limit_is_refused_before_it_writes(limit: dict[str, int], option: str) -> None:
    shell = server()
    shown = run(TASK, shell, check=True, impact_limit=limit, **NEW)
    assert shown.changed
    told = "\n".join(shown.values["report"])
    assert ("A real run would be refused before its first write: " + option in told) == bool(option)
    if not option:
        assert run(TASK, shell, impact_limit=limit, **NEW).changed
        return
    with pytest.raises(Refused) as caught:
        run(TASK, shell, impact_limit=limit, **NEW)
    assert caught.value.reasons[0].startswith(option)
    assert caught.value.values["impact"]["users"]["gain"] == 2
    assert shell.writes() == []
    ways: tuple[dict[str, t.Any], ...] = ({"allow": ["impact"]}, {"force": True})
    for allowed in ways:
        fresh = server()
        assert run(TASK, fresh, impact_limit=limit, **allowed, **NEW).changed
        again = run(TASK, fresh, impact_limit=limit, **NEW)
        assert not again.changed


def test_the_links_are_asked_once_for_users_and_domains_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their number: this is what makes a large deployment as quick as a small one."""
    asked_for: list[int] = []
    for many in (1, 40):
        count = 0
        plain = vars(reach)["entries_of"]

        def counted(*arguments: t.Any, plain: t.Any = plain) -> t.Any:
            nonlocal count
            count += 1
            return plain(*arguments)

        shell = server()
        shell.users = [
            user("%s%d" % (name, n), policy) for n in range(many) for name, policy in (("a", "Xmpp"), ("b", ""))
        ]
        for n in range(many):
            partner(shell, "p%d.test" % n)
        with monkeypatch.context() as patched:
            patched.setattr(reach, "entries_of", counted)
            found = planned(shell, access_edge={"allow_federated_users": False}, force=True).values["impact"]
        assert (found["users"]["lose"], len(found["domains"])) == (many, many + 1)
        asked_for.append(count)
    assert asked_for[0] == asked_for[1]


def test_a_limit_below_0_is_none() -> None:
    with pytest.raises(Refused, match=r"impact_limit\.lose: must be a whole number of users, 0 or more, not -1"):
        run(TASK, server(), impact_limit={"lose": -1}, **NEW)


def refuse_users(shell: MemoryShell) -> None:
    def fault(statement: Statement) -> ServerError | None:
        return ServerError("Get-CsUser", "X", "PermissionDenied", "no") if statement.cmdlet == "Get-CsUser" else None

    shell.fault = fault


def refuse_partners(shell: MemoryShell) -> None:
    def fault(statement: Statement) -> ServerError | None:
        wrong = statement.cmdlet in ("Get-CsPool", "Get-CsXmppAllowedPartner")
        return ServerError(statement.cmdlet, "X", "PermissionDenied", "no") if wrong else None

    shell.fault = fault


POLICY_ONLY: dict[str, t.Any] = {"policies": [{"identity": "Xmpp", "enable_xmpp_access": False}]}


@pytest.mark.parametrize(("hide", "plan"), [(refuse_users, NEW), (refuse_partners, POLICY_ONLY)])
def test_what_cannot_be_read_is_said_and_a_limit_refuses_it(hide: Change, plan: dict[str, t.Any]) -> None:
    shell = server()
    hide(shell)
    shown = planned(shell, **plan)
    assert shown.values["impact"]["unread"]
    assert shown.values["report"][-1].startswith("Users: it is unknown which users gain or lose a partner.")
    for limit in ({"lose": 1000}, {"gain": 1000}):
        with pytest.raises(Refused, match="impact_limit: it is unknown which users gain or lose a partner"):
            run(TASK, shell, impact_limit=limit, **plan)
    assert shell.writes() == []
    assert run(TASK, shell, impact_limit={"lose": 0}, allow=["impact"], **plan).changed


@pytest.mark.parametrize(
    "odd",
    [{"RegistrarPool": {"odd": 1}}, {"RegistrarPool": "gone.contoso.com"}, {"Enabled": None}],
)
def test_a_user_of_whom_it_is_not_known_counts_against_a_limit(odd: dict[str, t.Any]) -> None:
    shell = server()
    given("ann", **odd)(shell)
    found = planned(shell, **NEW).values["impact"]
    assert (found["users"]["gain"], found["users"]["unknown"]) == (1, 1)
    assert {one["domain"]: one["out"]["unknown"] for one in found["domains"]} == dict.fromkeys(B, 1)
    with pytest.raises(Refused, match=r"up to 2 users would gain a partner \(the effect on some users is unknown\)"):
        run(TASK, shell, impact_limit={"gain": 1}, **NEW)
    assert shell.writes() == []
    assert run(TASK, shell, impact_limit={"gain": 2}, **NEW).changed


def test_an_odd_home_is_not_known_and_no_home_is_none() -> None:
    shell = server()
    given("ann", RegistrarPool=None)(shell)
    given("bob", RegistrarPool={"odd": 1})(shell)
    found = planned(shell, **NEW).values["impact"]["users"]
    assert (found["gain"], found["unknown"]) == (0, 1)


def test_a_user_whose_site_is_not_known_may_be_hit_by_a_policy_of_a_site() -> None:
    shell = server()
    site_policy(shell)
    given("cid", RegistrarPool="gone.contoso.com")(shell)
    same = planned(shell, policies=[{"identity": "site:Redmond", "description": "other"}]).values["impact"]
    assert same["users"]["unknown"] == 0
    other = planned(shell, policies=[{"identity": "site:Redmond", "enable_xmpp_access": False}]).values["impact"]
    assert (other["users"]["lose"], other["users"]["unknown"]) == (1, 1)


# What is shown


def of(domain: str, **changes: int) -> OfDomain:
    both = {"gain": changes.pop("gain", 0), "lose": changes.pop("lose", 0)}
    numbers: list[t.Any] = [both, {**both, **changes}]
    out, back = numbers
    return OfDomain(domain, out, back, False)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Impact(1243, users={"gain": 0}), ["Users: no user gains or loses a partner. Seen: 1,243 users."]),
        (
            Impact(1243, "", {"gain": 1240, "lose": 3}, {}, (of("litware.com", lose=3), of("fabrikam.com", gain=1240))),
            [
                "Users: 1,240 gain a partner, 3 lose one. Seen: 1,243 users.",
                "  - litware.com: 3 users lose",
                "  + fabrikam.com: 1,240 users gain, none lose",
            ],
        ),
        (
            Impact(1, "", {"gain": 1, "unknown": 1}, {}, (of("a.test", gain=1, widened=1), of("b.test", lose=1))),
            [
                "Users: 1 gains a partner, none lose one, unknown for 1. Seen: 1 user.",
                "  - b.test: 1 user loses",
                "  + a.test: 1 user gains, none lose, 1 user gets its messages from all senders now",
            ],
        ),
    ],
)  # fmt: skip
def test_three_lines_at_most_are_shown(found: Impact, told: list[str]) -> None:
    assert lines(found) == told


def test_many_domains_are_still_one_line_of_a_terminal() -> None:
    alike = tuple(of("p%03d.test" % number, lose=3) for number in range(1000))
    other = tuple(of("q%03d.test" % number, gain=number) for number in range(1, 1000))
    shown = lines(Impact(3, users={"lose": 3}, domains=(*alike, *other)))
    assert shown[1] == "  - p000.test, p001.test, 998 more: 3 users lose"
    assert shown[2] == "  + q001.test: 1 user gains, none lose; 998 more"
    assert max(map(len, shown)) <= 78
