# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explanations: the first broken link of every combination, what each link says, and which direction it ends."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import Finding
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.between import (
    Deployment,
    Explanation,
    OwnCertificate,
    Partner,
    Probed,
    Service,
    User,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.explain import explain
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import ROWS
from hypothesis import given
from hypothesis import strategies as st

CERTIFICATES = Row("required", "required", False)
FALLBACK = Row("required", "optional", True)
DIALBACK = Row("required", "not_supported", True)
OPTIONAL = Row("optional", "not_supported", True)
CLEAR = Row("not_supported", "not_supported", True)
INVALID = Row("required", "not_supported", False)

ERROR = Finding("x", "error", "the partner is down", "wait")
SEEN = {"good": (), "broken": (ERROR,), "unknown": None}
ANSWERS = {"good": True, "broken": False, "unknown": None}
State = t.Literal["good", "broken", "unknown"]
STATES: tuple[State, ...] = ("good", "broken", "unknown")

GATEWAY = Service("gateway", "fe01", "RTCXMPPTGW", True)
PROXY = Service("proxy", "edge01", "RTCXMPPTGWPROXY", True)
USER = User("ann@contoso.com", True, "pool.contoso.com", True, "XMPP Users", "user", True, True)
PARTNER = Partner("fabrikam.com", True, "fabrikam.com", "federated", FALLBACK)
DEPLOYMENT = Deployment(True, "edge.contoso.com", (GATEWAY, PROXY), (OwnCertificate("edge01", True),))
PROBED = Probed((), ())

# The chain in its order. Each can be good, broken, or unknown.
CHAIN = (
    "user",
    "home",
    "policy",
    "partner",
    "negotiation",
    "access_edge",
    "route",
    "services",
    "certificate",
    "partner_server",
    "published",
)


def made(states: t.Mapping[str, State]) -> Explanation:
    """An explanation in which the named links are in these states, and all others good."""
    state: dict[str, State] = {**dict.fromkeys(CHAIN, "good"), **states}
    answer = {name: ANSWERS[one] for name, one in state.items()}
    rows = {"good": CERTIFICATES, "broken": INVALID, "unknown": None}
    return explain(
        replace(
            USER,
            enabled=answer["user"],
            has_xmpp=answer["home"],
            xmpp=answer["policy"],
        ),
        replace(PARTNER, allowed=answer["partner"], row=rows[state["negotiation"]]),
        Deployment(
            answer["access_edge"],
            {"good": "edge.contoso.com", "broken": "", "unknown": None}[state["route"]],
            (replace(GATEWAY, running=answer["services"]), PROXY),
            (OwnCertificate("edge01", answer["certificate"]),),
        ),
        Probed(SEEN[state["partner_server"]], SEEN[state["published"]]),
    )


def check(states: t.Sequence[State]) -> None:
    """The first broken link is named, whatever else is broken or unknown; nothing unknown counts as good."""
    found = made(dict(zip(CHAIN, states, strict=True)))
    first = next((name for name, state in zip(CHAIN, states, strict=True) if state == "broken"), None)
    broken = found.broken()
    assert (None if broken is None else broken.name) == first
    if broken is not None:
        assert broken.text in found.sentence
        assert broken.remedy in found.sentence
    elif "unknown" in states:
        unknown = [name for name, state in zip(CHAIN, states, strict=True) if state == "unknown"]
        assert "not everything was seen (%s)" % ", ".join(unknown) in found.sentence
    else:
        assert found.sentence.startswith("Nothing stands between ann@contoso.com and fabrikam.com")
    assert found.sentence.endswith(".")
    assert ".." not in found.sentence


@pytest.mark.parametrize("other", ["broken", "unknown"])
def test_every_combination_of_links(other: State) -> None:
    assert [link.name for link in made({}).links if link.name != "replicas"] == list(CHAIN), "which breaks nothing"
    for states in itertools.product(("good", other), repeat=len(CHAIN)):
        check(t.cast("t.Sequence[State]", states))


@given(st.tuples(*(st.sampled_from(STATES) for _name in CHAIN)))
def test_broken_and_unknown_links_together(states: tuple[State, ...]) -> None:
    check(states)


def one(
    user: User = USER, partner: Partner = PARTNER, deployment: Deployment = DEPLOYMENT, probed: Probed = PROBED
) -> Explanation:
    return explain(user, partner, deployment, probed)


@pytest.mark.parametrize(
    ("found", "name", "told"),
    [
        (one(replace(USER, enabled=False)), "user", "ann@contoso.com is no user of the deployment, or is not enabled"),
        (
            one(replace(USER, has_xmpp=False, pool="p19.contoso.com")),
            "home",
            "is homed on p19.contoso.com, and only Lync",
        ),
        (
            one(replace(USER, xmpp=False)),
            "policy",
            "in effect, XMPP Users (granted to him), gives ann@contoso.com no XMPP",
        ),
        (
            one(replace(USER, federation=False, scope="site", policy="Site:Redmond")),
            "policy",
            "Site:Redmond (his site's), gives ann@contoso.com no federation access",
        ),
        (
            one(replace(USER, xmpp=False, federation=None, scope="global", policy="Global")),
            "policy",
            "(the global one)",
        ),
        (one(replace(USER, xmpp=False, scope=None)), "policy", "in effect gives ann@contoso.com no XMPP access"),
        (one(partner=replace(PARTNER, allowed=False, row=None)), "partner", "fabrikam.com is no allowed XMPP partner"),
        (one(partner=replace(PARTNER, row=INVALID)), "negotiation", "no stream can be authenticated: neither SASL nor"),
        (one(deployment=replace(DEPLOYMENT, access_edge=False)), "access_edge", "does not allow federated users"),
        (one(deployment=replace(DEPLOYMENT, route="")), "route", "no site has an XMPP federation route"),
        (
            one(deployment=replace(DEPLOYMENT, has_xmpp=False)),
            "route",
            "leads to edge.contoso.com, which has no XMPP",
        ),
        (one(partner=replace(PARTNER, sip="allowed")), "partner", "on the list of allowed domains of SIP federation"),
        (one(partner=replace(PARTNER, sip="blocked")), "partner", "take it off that list (Remove-CsBlockedDomain)"),
        (one(probed=Probed((ERROR,), ())), "partner_server", "the partner is down"),
    ],
)
def test_the_first_broken_link_and_its_sentence(found: Explanation, name: str, told: str) -> None:
    broken = found.broken()
    assert broken is not None
    assert broken.name == name
    assert told in found.sentence
    assert found.sentence.startswith(
        ("ann@contoso.com and fabrikam.com cannot exchange", "Messages from ann@contoso.com")
    )
    assert found.as_dict()["first_broken"] == name


def severity(found: Explanation, name: str) -> str:
    (link,) = (link for link in found.links if link.name == name)
    return link.severity


@pytest.mark.parametrize(
    ("found", "name", "expected"),
    [
        (one(partner=replace(PARTNER, sip=None)), "partner", "unknown"),
        (one(deployment=replace(DEPLOYMENT, has_xmpp=None)), "route", "unknown"),
        (one(deployment=replace(DEPLOYMENT, behind=None)), "replicas", "unknown"),
        (one(deployment=replace(DEPLOYMENT, behind=("fe01",))), "replicas", "unknown"),
    ],
)
def test_what_breaks_nothing_is_said(found: Explanation, name: str, expected: str) -> None:
    assert severity(found, name) == expected
    assert found.broken() is None
    assert "as far as can be seen without a message." not in found.sentence


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((), "unknown"),
        ((GATEWAY,), "unknown"),
        ((PROXY,), "unknown"),
        ((GATEWAY, PROXY), ""),
        ((GATEWAY, replace(PROXY, running=False)), "error"),
        ((replace(GATEWAY, running=False), PROXY), "error"),
        ((replace(GATEWAY, running=False),), "error"),
        ((GATEWAY, PROXY, replace(PROXY, host="edge02", running=False)), "warning"),
        ((GATEWAY, replace(PROXY, running=None), replace(PROXY, host="edge02", running=False)), "unknown"),
        ((GATEWAY, PROXY, replace(PROXY, host="edge02", running=None)), ""),
    ],
)
def test_services(services: tuple[Service, ...], expected: str) -> None:
    assert severity(one(deployment=replace(DEPLOYMENT, services=services)), "services") == expected


GOOD, MISSING = OwnCertificate("edge01", True), OwnCertificate("edge01", False)
ENDED, UNREAD = OwnCertificate("edge01", True, ("it expired",)), OwnCertificate("edge01")
SECOND = replace(GOOD, host="edge02")


@pytest.mark.parametrize(
    ("certificates", "row", "expected"),
    [
        ((), FALLBACK, "unknown"),
        ((UNREAD,), FALLBACK, "unknown"),
        ((MISSING, replace(UNREAD, host="edge02")), FALLBACK, "unknown"),
        ((GOOD,), FALLBACK, ""),
        # Missing: TLS cannot be had, which ends the rows that require it.
        ((MISSING,), CERTIFICATES, "error"),
        ((MISSING,), FALLBACK, "error"),
        ((MISSING,), DIALBACK, "error"),
        ((MISSING,), None, "error"),
        ((MISSING,), OPTIONAL, "warning"),
        ((MISSING,), CLEAR, ""),
        ((MISSING, SECOND), CERTIFICATES, "warning"),
        # Not good: what relies on it ends, dialback does not.
        ((ENDED,), CERTIFICATES, "error"),
        ((ENDED,), FALLBACK, "warning"),
        ((ENDED,), DIALBACK, "warning"),
        ((ENDED,), CLEAR, ""),
        ((ENDED, SECOND), CERTIFICATES, "warning"),
    ],
)
def test_certificates(certificates: tuple[OwnCertificate, ...], row: Row | None, expected: str) -> None:
    found = one(partner=replace(PARTNER, row=row), deployment=replace(DEPLOYMENT, certificates=certificates))
    assert severity(found, "certificate") == expected


@pytest.mark.parametrize(
    ("row", "out", "into"),
    [(CERTIFICATES, None, "published"), (FALLBACK, None, "published"), (DIALBACK, "published", "published")],
)
def test_what_is_published_ends_the_way_in_and_dialback(row: Row, out: str | None, into: str) -> None:
    """Nobody finds the gateway; by dialback nobody can confirm its key either."""
    found = one(partner=replace(PARTNER, row=row), probed=Probed((), (ERROR,))).as_dict()
    assert (found["out"], found["in"]) == (out, into)


def test_what_is_broken_may_not_be_known_yet_to_a_server_that_is_behind() -> None:
    found = one(deployment=replace(DEPLOYMENT, access_edge=False, behind=("fe01",)))
    told = "But the replica of fe01 is not up to date, so what was written last may not count there."
    assert found.sentence.endswith("which is the switch of SIP federation as well. " + told)


OWN_ENDED = Finding("own_certificate_expired", "error", "it expired", "renew it")
NO_TLS = Finding("own_no_tls", "error", "the gateway does not offer TLS", "assign a certificate")
THEIRS_ENDED = Finding("certificate_expired", "warning", "its certificate: it expired", "renew it")


@pytest.mark.parametrize(
    ("own", "row", "out", "into"),
    [
        (OWN_ENDED, CERTIFICATES, "published", "published"),
        (OWN_ENDED, FALLBACK, None, None),
        (OWN_ENDED, DIALBACK, None, None),
        (NO_TLS, CERTIFICATES, "published", "published"),
        (NO_TLS, FALLBACK, "published", "published"),
        (NO_TLS, OPTIONAL, None, None),
    ],
)
def test_what_is_wrong_with_the_own_certificate_ends_the_rows_that_need_it(
    own: Finding, row: Row, out: str | None, into: str | None
) -> None:
    found = one(partner=replace(PARTNER, row=row), probed=Probed((), (own,))).as_dict()
    assert (found["out"], found["in"]) == (out, into)


@pytest.mark.parametrize(
    "found",
    [
        one(deployment=replace(DEPLOYMENT, certificates=(ENDED,)), probed=Probed((), (ERROR,))),
        one(probed=Probed((), (ERROR, OWN_ENDED))),
        one(probed=Probed((THEIRS_ENDED,), (ERROR,))),
    ],
)
def test_where_no_certificate_does_dialback_is_left_and_asks_by_what_is_published(found: Explanation) -> None:
    assert (found.as_dict()["out"], found.as_dict()["in"]) == ("published", "published")


EITHER = Row("optional", "required", True)
NO_DIALBACK = Finding("dialback_not_offered", "warning", "it does not offer dialback", "rely on SASL")


@pytest.mark.parametrize(
    ("own", "probed", "row", "severity_"),
    [
        (MISSING, PROBED, EITHER, "warning"),
        (ENDED, PROBED, EITHER, "warning"),
        # The partner has no dialback, so certificates are all there is.
        (MISSING, Probed((NO_DIALBACK,), ()), EITHER, "error"),
        (ENDED, Probed((NO_DIALBACK,), ()), FALLBACK, "error"),
        # Without a certificate the gateway has no TLS to offer to a partner that requires it.
        (MISSING, Probed((), (), requires_tls=True), EITHER, "error"),
        (ENDED, Probed((), (), requires_tls=True), EITHER, "warning"),
    ],
)
def test_the_own_certificate_weighs_by_what_the_partner_leaves(
    own: OwnCertificate, probed: Probed, row: Row, severity_: str
) -> None:
    found = one(partner=replace(PARTNER, row=row), deployment=replace(DEPLOYMENT, certificates=(own,)), probed=probed)
    assert severity(found, "certificate") == severity_
    ends = "certificate" if severity_ == "error" else None
    assert (found.as_dict()["out"], found.as_dict()["in"]) == (ends, ends)


@pytest.mark.parametrize("code", ["tls_not_offered", "tls_required", "tls13_only"])
def test_a_servers_tls_is_the_same_when_it_connects(code: str) -> None:
    tls = Finding(code, "error", "TLS does not match", "agree on it")
    found = one(partner=replace(PARTNER, row=CERTIFICATES), probed=Probed((tls,), ())).as_dict()
    assert (found["out"], found["in"]) == ("partner_server", "partner_server")


def test_by_dialback_the_partner_is_asked_on_the_way_in_as_well() -> None:
    found = one(partner=replace(PARTNER, row=DIALBACK), probed=Probed((ERROR,), ())).as_dict()
    assert (found["out"], found["in"]) == ("partner_server", "partner_server")
    theirs = replace(THEIRS_ENDED, severity="error")
    found = one(partner=replace(PARTNER, row=CERTIFICATES), probed=Probed((theirs,), ())).as_dict()
    assert (found["out"], found["in"]) == ("partner_server", "partner_server"), "which it shows in both directions"


def test_the_probe_ends_the_way_out_only() -> None:
    found = one(probed=Probed((ERROR,), ()))
    assert (found.as_dict()["out"], found.as_dict()["in"]) == ("partner_server", None)
    assert found.sentence == (
        "Messages from ann@contoso.com to fabrikam.com do not get through: the partner is down. To do: wait."
    )


def test_what_is_to_be_known_is_said() -> None:
    found = one(partner=replace(PARTNER, domain="emea.fabrikam.com", type="public_unverified"))
    assert found.broken() is None
    assert found.sentence == (
        "Nothing stands between ann@contoso.com and emea.fabrikam.com, as far as can be seen without a message;"
        " to be known: emea.fabrikam.com is allowed as an additional domain of fabrikam.com as public_unverified:"
        " what it sends reaches only those who have added the sender."
    )


@pytest.mark.parametrize("row", ROWS)
def test_every_row(row: Row) -> None:
    expected = {"valid": "", "risky": "warning", "invalid": "error"}[row.level]
    assert severity(one(partner=replace(PARTNER, row=row)), "negotiation") == expected
