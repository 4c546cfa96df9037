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
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import (
    INTERNAL,
    XMPP,
    HostService,
    Known,
    Pair,
    Probed,
    ServerRead,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.pair import GROUPS, NOT_CHECKED, Explanation, explain
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.walk import walk
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import SASL_OVER_TLS, Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import ROWS
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replication import Replica
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.module_utils.test_chain import EDGE, EDGES, FE, FE_2019, GIVES, HEALTHY, SBA, State, used

CERTIFICATES = Row("required", "required", False)
FALLBACK = Row("required", "optional", True)
DIALBACK = Row("required", "not_supported", True)
OPTIONAL = Row("optional", "not_supported", True)
CLEAR = Row("not_supported", "not_supported", True)
INVALID = Row("required", "not_supported", False)

ERROR = Finding("x", "error", "the partner is down", "wait")
ADDRESS, DOMAIN = "ann@contoso.com", "fabrikam.com"
ANN = User("CN=ann", "sip:" + ADDRESS, "Xmpp", "fe01.contoso.com", enabled=True)
POLICY = Record("Xmpp", GIVES)
PROBED = Probed((), ())
Change = t.Callable[[State], State]
Stand = t.Literal["good", "broken", "unknown"]
STANDS: tuple[Stand, ...] = ("good", "broken", "unknown")


def with_row(state: State, row: Row, kind: str = "federated") -> State:
    settings = {"tls_negotiation": row.tls, "sasl_negotiation": row.sasl, "support_dialback_negotiation": row.dialback}
    return state.with_record("partners", DOMAIN, **settings, partner_type=kind)


def with_pair(state: State, **changed: t.Any) -> State:
    assert state.pair is not None
    return replace(state, pair=replace(state.pair, **changed))


def user(**changed: t.Any) -> Change:
    return lambda state: with_pair(state, user=replace(ANN, **changed))


def policy(**rights: bool) -> Change:
    return lambda state: with_pair(state, policy=Record("Xmpp", {**GIVES, **rights}))


TWO = with_row(replace(HEALTHY, pair=Pair(ADDRESS, DOMAIN, ANN, policy=POLICY, scope="user")), FALLBACK)

# Group -> what makes it broken, and what makes it unknown, in the order of the chain.
CHAIN: dict[str, tuple[Change, Change]] = {
    "user": (user(enabled=False), user(enabled=None)),
    "home": (lambda s: s.with_topology(pools=(replace(FE, front_end=False), FE_2019, EDGES)),
             lambda s: s.with_topology(pools=None)),
    "policy": (policy(enable_xmpp_access=False), lambda s: with_pair(s, policy=None)),
    "partner": (lambda s: s.with_topology(blocked_domains=(DOMAIN,)), lambda s: s.with_topology(allowed_domains=None)),
    "access_edge": (lambda s: s.with_record("access_edge", "Global", allow_federated_users=False),
                    lambda s: s.without("access_edge")),
    "route": (lambda s: s.with_record("federation_routes", "Redmond", edge_pool=""),
              lambda s: s.with_topology(sites=None).without("federation_routes")),
    "services": (lambda s: s.with_service("edge", "Stopped"), lambda s: s.with_service("edge", None)),
    "certificate": (lambda s: s.with_server("edge", certificates=(used(INTERNAL),)),
                    lambda s: s.with_server("edge", certificates=None)),
}  # fmt: skip
SEEN: dict[Stand, tuple[Finding, ...] | None] = {"good": (), "broken": (ERROR,), "unknown": None}
NAMES = (*CHAIN, "partner_server", "published")


def made(stands: t.Mapping[str, Stand]) -> Explanation:
    """An explanation in which the named links stand so, and all others are good."""
    state = TWO
    for name, (breaks, hides) in CHAIN.items():
        stand = stands.get(name, "good")
        state = state if stand == "good" else breaks(state) if stand == "broken" else hides(state)
    return explain(state, Probed(SEEN[stands.get("partner_server", "good")], SEEN[stands.get("published", "good")]))


def check(stands: t.Mapping[str, Stand]) -> None:
    """The first broken link is named, whatever else is broken or unknown; nothing unknown counts as good."""
    found = made(stands)
    first = next((name for name in NAMES if stands[name] == "broken"), None)
    broken = found.broken()
    assert (None if broken is None else broken.name) == first
    if broken is not None:
        assert broken.text in found.sentence
        assert broken.remedy in found.sentence
    elif "unknown" in stands.values():
        unknown = [name for name in NAMES if stands[name] == "unknown"]
        assert "not everything could be checked (%s)" % ", ".join(unknown) in found.sentence
    else:
        assert found.sentence.startswith("No fault was found between ann@contoso.com and fabrikam.com")
    assert found.sentence.endswith(".")
    assert ".." not in found.sentence


@pytest.mark.parametrize("other", ["broken", "unknown"])
def test_every_combination_of_links(other: Stand) -> None:
    assert tuple(entry.name for entry in made({}).entries) == GROUPS
    assert {entry.severity for entry in made({}).entries} == {""}
    for stands in itertools.product(("good", other), repeat=len(NAMES)):
        check(t.cast("dict[str, Stand]", dict(zip(NAMES, stands, strict=True))))


@given(st.fixed_dictionaries({name: st.sampled_from(STANDS) for name in NAMES}))
def test_broken_and_unknown_links_together(stands: dict[str, Stand]) -> None:
    check(stands)


def one(change: Change = lambda s: s, row: Row | None = None, probed: Probed = PROBED) -> Explanation:
    return explain(change(TWO if row is None else with_row(TWO, row)), probed)


def codes(found: Explanation) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Code -> severity and the directions that end, of what does not hold."""
    return {entry.code: (entry.severity, entry.blocks) for entry in found.entries if entry.severity}


BOTH = ("out", "in")


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        (lambda s: with_pair(s, user=None, absent=True, policy=None), "user_not_enabled", "user"),
        (user(pool="sba.contoso.com"), "users_elsewhere", "home"),
        (user(pool="", provider="sipfed.online.lync.com"), "users_elsewhere", "home"),
        (policy(enable_xmpp_access=False), "policy_without_xmpp", "policy"),
        (policy(enable_federation_access=False), "policy_without_federation", "policy"),
        (lambda s: with_pair(s, domain="nobody.example"), "partner_not_allowed", "partner"),
        (lambda s: s.with_topology(allowed_domains=(DOMAIN,)), "partner_allowed", "partner"),
        (lambda s: with_row(s, INVALID), "row_invalid", "negotiation"),
        (lambda s: s.with_topology(edges=(replace(EDGE, listening_port=None),)), "edge_without_xmpp", "route"),
        (lambda s: s.with_server("edge", certificates=(used(XMPP), used(INTERNAL, "expired"))),
         "internal_certificate_expired", "internal"),
    ],
)  # fmt: skip
def test_the_first_broken_link_of_two(change: Change, code: str, name: str) -> None:
    found = one(lambda s: change(s.with_topology(pools=(FE, EDGES, SBA))))
    broken = found.broken()
    assert broken is not None
    assert (broken.code, broken.severity, broken.name, broken.blocks) == (code, "error", name, BOTH)
    assert found.as_dict()["first_broken"] == name
    assert found.sentence.startswith("ann@contoso.com and fabrikam.com cannot exchange") or "nobody" in found.sentence


@pytest.mark.parametrize("part", [name for name in CHAIN if name not in ("user", "policy")])
def test_what_is_broken_or_unknown_for_all_is_the_same_for_two(part: str) -> None:
    """The same code and severity, whoever asks: here of the deployment, and of two in it."""
    for change in CHAIN[part]:
        of_all = {one.code: one.severity for one in walk(replace(change(HEALTHY)))}
        of_two = {code: severity for code, (severity, _ends) in codes(one(change)).items()}
        shared = {code: severity for code, severity in of_two.items() if code in of_all}
        assert shared == {code: severity for code, severity in of_all.items() if code in of_two}
        assert set(of_two) - set(of_all) <= {"homes_unknown", "users_elsewhere"}, "of the user alone"
        assert set(of_all) - set(of_two) == set()


def test_what_could_not_be_read_or_was_not_looked_at_is_unknown_and_ends_nothing() -> None:
    nothing = explain(Known(pair=Pair(ADDRESS, DOMAIN)), Probed())
    assert {entry.severity for entry in nothing.entries} == {"unknown"}
    assert {entry.code for entry in nothing.entries} == {"user_unknown", NOT_CHECKED}
    assert nothing.broken() is None
    behind = one(lambda s: s.with_topology(replicas=(Replica("fe01.contoso.com", False, None),)))
    assert codes(behind) == {"replica_behind": ("warning", ())}
    assert " Note: the replica of fe01.contoso.com is not up to date." in behind.sentence
    unread = one(lambda s: s.with_topology(replicas=None))
    assert codes(unread) == {"replicas_unknown": ("unknown", ())}
    assert "not everything could be checked (replicas)" in unread.sentence


def test_routes_to_several_edges_are_an_error_that_ends_nothing() -> None:
    found = one(lambda s: s.with_record("federation_routes", "Dublin", edge_pool="edge19.contoso.com"))
    assert codes(found) == {"two_routes": ("error", ())}
    assert " Note: the XMPP federation routes lead to several" in found.sentence


@pytest.mark.parametrize(
    ("gateways", "proxies", "expected"),
    [
        (None, None, {NOT_CHECKED: "unknown"}),
        (("Running",), None, {NOT_CHECKED: "unknown"}),
        (("Running",), ("Running",), {}),
        (("Running",), ("Stopped",), {"proxy_stopped": "error"}),
        (("",), ("Running",), {"gateway_not_installed": "error"}),
        (("Stopped",), None, {"gateway_stopped": "error"}),
        (("Running",), ("Running", "Stopped"), {"proxy_stopped": "warning"}),
        (("Running",), (None, "Stopped"), {"proxy_unknown": "unknown", "proxy_stopped": "warning"}),
    ],
)
def test_services(
    gateways: tuple[str | None, ...] | None, proxies: tuple[str | None, ...] | None, expected: dict[str, str]
) -> None:
    def those(kind: t.Literal["gateway", "proxy"], given: t.Any) -> tuple[HostService, ...] | None:
        return None if given is None else tuple(HostService("%s%d" % (kind, n), kind, s) for n, s in enumerate(given))

    found = one(lambda s: replace(s, gateways=those("gateway", gateways), proxies=those("proxy", proxies)))
    assert {code: severity for code, (severity, _ends) in codes(found).items()} == expected


GOOD, MISSING = ServerRead("edge01", (used(XMPP),)), ServerRead("edge01", ())
ENDED, UNREAD = ServerRead("edge01", (used(XMPP, "expired"),)), ServerRead("edge01", None)
SECOND = replace(GOOD, host="edge02")


def with_edges(*edges: ServerRead) -> Change:
    return lambda state: replace(state, edges=edges or None)


@pytest.mark.parametrize(
    ("edges", "row", "code", "severity", "ends"),
    [
        ((), FALLBACK, NOT_CHECKED, "unknown", ()),
        ((UNREAD,), FALLBACK, "certificate_unknown", "unknown", ()),
        ((GOOD,), FALLBACK, "", "", ()),
        # Missing: TLS cannot be had, which ends the rows that require it.
        ((MISSING,), CERTIFICATES, "certificate_missing", "error", BOTH),
        ((MISSING,), FALLBACK, "certificate_missing", "error", BOTH),
        ((MISSING,), DIALBACK, "certificate_missing", "error", BOTH),
        # An error of the deployment all the same, and nothing for these two.
        ((MISSING,), OPTIONAL, "certificate_missing", "error", ()),
        ((MISSING,), CLEAR, "certificate_missing", "error", ()),
        ((MISSING, SECOND), CERTIFICATES, "certificate_missing", "warning", ()),
        # Not good: what relies on it ends, dialback does not.
        ((ENDED,), CERTIFICATES, "certificate_expired", "error", BOTH),
        ((ENDED,), FALLBACK, "certificate_expired", "error", ()),
        ((ENDED,), DIALBACK, "certificate_expired", "error", ()),
        ((ENDED,), CLEAR, "certificate_expired", "error", ()),
        ((ENDED, SECOND), CERTIFICATES, "certificate_expired", "warning", ()),
    ],
)
def test_certificates(edges: tuple[ServerRead, ...], row: Row, code: str, severity: str, ends: tuple[str, ...]) -> None:
    found = one(with_edges(*edges), row)
    assert codes(found) == ({code: (severity, ends)} if code else {})
    assert (found.broken() is None) == (not ends)


@pytest.mark.parametrize(
    ("row", "out", "into"),
    [(CERTIFICATES, None, "published"), (FALLBACK, None, "published"), (DIALBACK, "published", "published")],
)
def test_what_is_published_ends_the_way_in_and_dialback(row: Row, out: str | None, into: str) -> None:
    """Nobody finds the gateway; by dialback nobody can confirm its key either."""
    found = one(row=row, probed=Probed((), (ERROR,))).as_dict()
    assert (found["out"], found["in"]) == (out, into)


def test_what_is_broken_may_not_be_known_yet_to_a_server_that_is_behind() -> None:
    off = CHAIN["access_edge"][0]
    late = (Replica("fe01.contoso.com", False, None), Replica("branch.contoso.com", False, None))
    found = one(lambda s: off(s.with_topology(replicas=late)))
    told = (
        "The replica of fe01.contoso.com is not up to date, so the last changes are possibly not in effect on that"
        " server."
    )
    assert found.sentence.endswith("to true; this also opens SIP federation. " + told)


OWN_ENDED = Finding("own_certificate_expired", "error", "it expired", "renew it")
NO_TLS = Finding("own_no_tls", "error", "the gateway does not offer TLS", "assign a certificate")
THEIRS_ENDED = Finding("certificate_expired", "warning", "the partner's certificate: it expired", "renew it")


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
    found = one(row=row, probed=Probed((), (own,)))
    assert (found.as_dict()["out"], found.as_dict()["in"]) == (out, into)
    assert codes(found)[own.code][0] == own.severity, "as verify and audit have it"


@pytest.mark.parametrize(
    "found",
    [
        one(with_edges(ENDED), probed=Probed((), (ERROR,))),
        one(probed=Probed((), (ERROR, OWN_ENDED))),
        one(probed=Probed((THEIRS_ENDED,), (ERROR,))),
    ],
)
def test_where_no_certificate_does_dialback_is_left_and_asks_by_what_is_published(found: Explanation) -> None:
    assert (found.as_dict()["out"], found.as_dict()["in"]) == ("published", "published")


EITHER = Row("optional", "required", True)
NO_DIALBACK = Finding("dialback_not_offered", "warning", "the server does not offer dialback", "rely on SASL")


@pytest.mark.parametrize(
    ("own", "probed", "row", "ends"),
    [
        (MISSING, PROBED, EITHER, None),
        (ENDED, PROBED, EITHER, None),
        # The partner has no dialback, so certificates are all there is.
        (MISSING, Probed((NO_DIALBACK,), ()), EITHER, "certificate"),
        (ENDED, Probed((NO_DIALBACK,), ()), FALLBACK, "certificate"),
        # Without a certificate the gateway has no TLS to offer to a partner that requires it.
        (MISSING, Probed((), (), requires_tls=True), EITHER, "certificate"),
        (ENDED, Probed((), (), requires_tls=True), EITHER, None),
    ],
)
def test_the_own_certificate_weighs_by_what_the_partner_leaves(
    own: ServerRead, probed: Probed, row: Row, ends: str | None
) -> None:
    found = one(with_edges(own), row, probed).as_dict()
    assert (found["out"], found["in"]) == (ends, ends)


@pytest.mark.parametrize("code", ["tls_not_offered", "tls_required", "tls13_only"])
def test_a_servers_tls_is_the_same_when_it_connects(code: str) -> None:
    tls = Finding(code, "error", "TLS does not match", "agree on it")
    found = one(row=CERTIFICATES, probed=Probed((tls,), ())).as_dict()
    assert (found["out"], found["in"]) == ("partner_server", "partner_server")


def test_by_dialback_the_partner_is_asked_on_the_way_in_as_well() -> None:
    found = one(row=DIALBACK, probed=Probed((ERROR,), ())).as_dict()
    assert (found["out"], found["in"]) == ("partner_server", "partner_server")
    theirs = replace(THEIRS_ENDED, severity="error")
    found = one(row=CERTIFICATES, probed=Probed((theirs,), ())).as_dict()
    assert (found["out"], found["in"]) == ("partner_server", "partner_server"), "which it shows in both directions"


def test_the_probe_ends_the_way_out_only() -> None:
    found = one(probed=Probed((ERROR,), ()))
    assert (found.as_dict()["out"], found.as_dict()["in"]) == ("partner_server", None)
    assert found.sentence == (
        "Messages from ann@contoso.com to fabrikam.com do not get through: the partner is down. To do: wait."
    )


def test_what_is_to_be_known_is_said() -> None:
    found = one(lambda s: with_row(with_pair(s, domain="b.fabrikam.com"), FALLBACK, "public_unverified"))
    assert found.broken() is None
    assert codes(found) == {"partner_unverified": ("warning", ())}
    assert " Note: b.fabrikam.com is allowed as public_unverified" in found.sentence


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_the_code_of_the_rules_and_of_the_probe(row: Row) -> None:
    twice = Finding("row_" + row.level, "error" if row.level == "invalid" else "warning", "m", "r")
    found = codes(one(row=row, probed=Probed((twice,), ())))
    expected = {"valid": None, "risky": "warning", "invalid": "error"}[row.level]
    assert found.get("row_" + row.level, (None, ()))[0] == expected or (row.level == "valid")
    entries = [entry for entry in one(row=row, probed=Probed((twice,), ())).entries if entry.code == twice.code]
    assert len(entries) == 1, "the link of the settings alone says so"


NO_EXTERNAL = Finding("external_not_offered", "error", "no SASL EXTERNAL", "use dialback")


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("code", ["external_not_offered", "own_certificate_refused"])
def test_what_a_partner_does_when_it_connects_is_not_what_it_offers(row: Row, code: str) -> None:
    """A server that offers no SASL EXTERNAL may use it, or may use dialback only (jabberd2): nobody sees which."""
    found = one(row=row, probed=Probed((replace(NO_EXTERNAL, code=code),), ()))
    ends = found.broken("in")
    unknown = codes(found).get("in_unknown")
    if row.methods == (SASL_OVER_TLS,):
        assert (found.broken("out"), ends, unknown) == (found.broken(), None, ("unknown", ()))
    else:
        assert unknown is None


def test_what_ends_the_way_in_is_not_unknown() -> None:
    for probed in (
        Probed((NO_EXTERNAL, Finding("tls_not_offered", "error", "no TLS", "offer it")), ()),
        Probed((NO_EXTERNAL,), (ERROR,)),
    ):
        found = one(row=CERTIFICATES, probed=probed)
        assert found.broken("in") is not None
        assert "in_unknown" not in codes(found)
