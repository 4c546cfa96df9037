# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings, verdict and suggestion, over every row and everything that a peer may offer."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import Finding
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import (
    SASL_OVER_TLS,
    TCP_DIALBACK,
    TLS_DIALBACK,
    Row,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.certificate import FATAL
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.explanations import FAULTS, STAGES, STREAM_ERRORS
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import (
    GATEWAY_VERSIONS,
    Addresses,
    Attempt,
    Ended,
    Facts,
    KeyAnswer,
    PeerHeader,
    PeerOffer,
    ServiceRecord,
    Services,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.findings import check_partner, verdict
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.options import VERDICTS
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import (
    METHODS,
    falls_to_clear,
    number,
    possible,
    seen_to_work,
    suggest,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import NOT_CHECKED
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.client import VERSIONS
from hypothesis import given
from hypothesis import strategies as st

VALUES = ("required", "optional", "not_supported")
ROWS = [Row(tls, sasl, dialback) for sasl in VALUES for tls in VALUES for dialback in (True, False)]
HOST = "xmpp.fabrikam.test"


def answered(starttls: str = "offered", tls: str = "TLSv1.2", **more: t.Any) -> Facts:
    """A partner that was talked to until the end, with nothing wrong; ``more`` are other facts."""
    facts = Facts(
        "fabrikam.test",
        Services("found", (ServiceRecord(HOST, 5269),)),
        {HOST: Addresses("found", ("192.0.2.1",))},
        [Attempt(HOST, "192.0.2.1", 5269, "answered")],
        PeerHeader("fabrikam.test", "1.0", True),
        PeerOffer(starttls, (), True),
        PeerOffer("", ("EXTERNAL",), True) if starttls else None,
        tls if starttls else "",
    )
    for name, value in more.items():
        setattr(facts, name, value)
    return facts


def codes(found: t.Iterable[Finding], severity: str = "") -> set[str]:
    return {one.code for one in found if severity in ("", one.severity)}


@st.composite
def conversations(draw: t.Any) -> Facts:
    """Everything that a peer that answers may be seen to do."""
    offers = st.builds(
        PeerOffer, st.just(""), st.lists(st.sampled_from(["EXTERNAL", "PLAIN"]), max_size=2).map(tuple), st.booleans()
    )
    facts = Facts("fabrikam.test", own_certificate=draw(st.booleans()), certificate_asked=draw(st.booleans()))
    answers = st.builds(KeyAnswer, st.sampled_from(["taken", "refused", "unknown"]), st.sampled_from(["", "t"]))
    facts.key_answers = draw(st.dictionaries(st.booleans(), answers))
    facts.header = PeerHeader("x", draw(st.sampled_from(["1.0", ""])), draw(st.booleans()))
    facts.attempts = [Attempt(HOST, "192.0.2.1", 5269, "answered")]
    if facts.header.features and draw(st.booleans()):
        facts.before = PeerOffer(draw(st.sampled_from(["", "offered", "required"])), (), draw(st.booleans()))
        if facts.before.starttls and draw(st.booleans()):
            facts.tls = draw(st.sampled_from(VERSIONS))
            facts.faults = dict.fromkeys(draw(st.sets(st.sampled_from(sorted(FAULTS)))), "text")
            facts.after = draw(st.one_of(st.none(), offers))
            if facts.after is not None:
                facts.external = draw(
                    st.sampled_from(["succeeded", "refused", "not offered"])
                    if facts.own_certificate
                    else st.sampled_from(["offered", "unknown"])
                )
    if draw(st.booleans()):
        hows = (
            "timeout", "closed", "broken", "stream_error", "tls_refused", "tls_failed", "time_up", "direct_tls", "http",
            "half_failure",
        )  # fmt: skip
        conditions = st.sampled_from([*STREAM_ERRORS, "undefined-condition", "made-up", ""])
        facts.ended = Ended(draw(st.sampled_from(sorted(STAGES))), draw(st.sampled_from(hows)), draw(conditions), "t")
    return facts


@given(conversations(), st.sampled_from([None, *ROWS]))
def test_what_holds_of_every_partner(facts: Facts, row: Row | None) -> None:
    found = check_partner(facts, row)
    outcome = verdict(found)
    assert outcome in VERDICTS
    assert all(one.code and one.message and one.remedy for one in found)
    assert [one.severity for one in found] == sorted(
        (one.severity for one in found), key=("error", "unknown", "warning").index
    )
    if FATAL.intersection(facts.faults):
        assert outcome != "ok"
    if row is not None and not possible(facts, row):
        assert outcome == ("not_observable" if falls_to_clear(facts, row) and not codes(found, "error") else "failed")
    if not seen_to_work(facts, row):
        assert outcome in ("failed", "not_observable")
    elif row is not None and row.tls == "not_supported":
        assert outcome != "failed"
    if row is not None and row.level != "valid":
        assert outcome != "ok"


@given(conversations(), st.sampled_from([None, *ROWS]))
def test_what_is_said_is_so(facts: Facts, row: Row | None) -> None:
    """A text claims nothing about messages in clear, SASL or strength that the facts do not have."""
    for one in check_partner(facts, row):
        if "are not encrypted" in one.message:
            assert possible(facts, row) if row is not None else suggest(facts)
        if one.code == "external_not_offered":
            assert row is None or SASL_OVER_TLS in row.methods
        if "weaker than the declared settings" in one.remedy:
            left = suggest(facts)
            assert left is not None
            assert row is not None
            assert METHODS.index(left.methods[-1]) > METHODS.index(row.methods[-1])


@given(conversations())
def test_a_suggestion_is_a_row_that_what_was_seen_allows(facts: Facts) -> None:
    row = suggest(facts)
    if row is None:
        assert not any(possible(facts, one) for one in ROWS)
        return
    assert row.level == "valid"
    methods = possible(facts, row)
    assert methods
    if SASL_OVER_TLS in methods:
        assert not FATAL.intersection(facts.faults)
    if facts.tls and facts.tls not in GATEWAY_VERSIONS:
        assert methods == (TCP_DIALBACK,)
    if facts.before is not None and facts.before.starttls == "required":
        assert TCP_DIALBACK not in methods


def test_rows_have_the_numbers_of_the_printed_table() -> None:
    assert [number(row) for row in ROWS] == list(range(1, 19))


BAD = {"expired": "it expired"}
OWN: dict[str, t.Any] = {"own_certificate": True, "external": "succeeded"}


@pytest.mark.parametrize(
    ("facts", "tls", "sasl", "dialback"),
    [
        (answered(**OWN), "required", "required", False),
        (answered(), "required", "optional", True),
        (answered(**OWN, faults=BAD), "required", "optional", True),
        (answered(**OWN, faults={"client_auth": "x"}), "required", "optional", True),
        (answered(starttls=""), "optional", "not_supported", True),
        (answered(tls="TLSv1.3"), "not_supported", "not_supported", True),
        (answered(tls="TLSv1.1"), "required", "optional", True),
        (
            answered(header=PeerHeader("x", "1.0", False), after=PeerOffer("", ("EXTERNAL",), False)),
            "required",
            "required",
            False,
        ),
    ],
)
def test_the_strictest_row_that_works(facts: Facts, tls: str, sasl: str, dialback: bool) -> None:
    assert suggest(facts) == Row(tls, sasl, dialback)


def test_nothing_is_suggested_where_nothing_was_seen_or_works() -> None:
    assert suggest(Facts("fabrikam.test")) is None
    assert suggest(answered(starttls="required", tls="TLSv1.3")) is None


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (Row("required", "required", False), "error"),
        (Row("required", "required", True), "error"),
        (Row("required", "optional", False), "error"),
        (Row("optional", "required", False), "error"),
        (Row("optional", "required", True), "warning"),
        (Row("required", "optional", True), "warning"),
        (Row("required", "not_supported", True), "warning"),
        (Row("optional", "not_supported", True), "warning"),
        (Row("not_supported", "not_supported", True), "warning"),
        (None, "warning"),
    ],
)
@pytest.mark.parametrize("fault", sorted(FATAL))
def test_a_bad_certificate_weighs_as_much_as_the_row_relies_on_it(row: Row | None, severity: str, fault: str) -> None:
    found = check_partner(answered(faults={fault: "x"}), row)
    assert {one.severity for one in found if one.code == "certificate_" + fault} == {severity}


@pytest.mark.parametrize("row", ROWS)
def test_what_a_partner_may_be_missing(row: Row) -> None:
    """For each row: does it work without TLS, with TLS only, without dialback?"""
    without_tls = check_partner(answered(starttls=""), row)
    assert (verdict(without_tls) == "failed") is (TCP_DIALBACK not in row.methods)
    assert ("tls_not_offered" in codes(without_tls)) is (row.tls != "not_supported")
    required = check_partner(answered(starttls="required"), row)
    encrypted = {SASL_OVER_TLS, TLS_DIALBACK}.intersection(row.methods)
    assert (verdict(required) == "failed") is (not encrypted)
    assert ("tls_required" in codes(required, "error")) is (row.tls == "not_supported")
    silent = answered(
        header=PeerHeader("x", "1.0", False), before=PeerOffer("offered"), after=PeerOffer("", ("EXTERNAL",))
    )
    assert (verdict(check_partner(silent, row)) == "failed") is (SASL_OVER_TLS not in row.methods)


def test_a_row_that_cannot_work_comes_with_the_one_that_can() -> None:
    found = check_partner(answered("required"), Row("not_supported", "not_supported", True))
    (finding,) = (one for one in found if one.code == "row_does_not_work")
    assert finding.remedy == (
        "declare tls_negotiation: required, sasl_negotiation: optional, support_dialback_negotiation: true"
    )


def test_a_weaker_row_than_the_declared_one_is_no_remedy() -> None:
    found = check_partner(answered(starttls=""), Row("required", "optional", True))
    (finding,) = (one for one in found if one.code == "row_does_not_work")
    assert finding.remedy == (
        "repair the faults of the other findings; from this controller, other settings possibly work: weaker than the"
        " declared settings (TLS optional, SASL not supported, dialback on)"
    )


def test_rows_are_judged_even_where_nothing_was_seen() -> None:
    unseen = Facts("fabrikam.test", Services("unknown", (), "no name server answered"))
    row = Row("required", "not_supported", False)
    assert codes(check_partner(unseen, row)) == {"row_invalid", "srv_unknown"}
    risky = check_partner(unseen, Row("required", "required", True))
    assert verdict(risky) == "not_observable"
    assert codes(risky, "warning") == {"row_risky"}


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        (["refused"], "failed"),
        (["refused", "refused"], "failed"),
        (["timeout"], "not_observable"),
        (["unreachable", "refused"], "not_observable"),
        (["refused", "timeout"], "not_observable"),
    ],
)
def test_only_what_was_seen_to_fail_has_failed(results: list[str], outcome: str) -> None:
    facts = Facts("fabrikam.test", Services("found", (ServiceRecord(HOST, 5269),)))
    facts.addresses[HOST] = Addresses("found", ("192.0.2.1",))
    facts.attempts = [Attempt(HOST, "192.0.2.1", 5269, result) for result in results]
    assert verdict(check_partner(facts, None)) == outcome


@pytest.mark.parametrize("address", ["10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1", "fd00::1", "fe80::1"])
def test_a_private_address_that_refuses_may_be_another_host_elsewhere(address: str) -> None:
    facts = Facts("fabrikam.test", Services("found", (ServiceRecord(HOST, 5269),)))
    facts.attempts = [Attempt(HOST, address, 5269, "refused")]
    found = check_partner(facts, None)
    assert (verdict(found), codes(found)) == ("not_observable", {"private_address"})


@pytest.mark.parametrize(
    ("facts", "dialback"),
    [
        (answered(), "offered"),
        (answered(after=PeerOffer()), "unknown"),  # the namespace is declared, the feature is not there
        (answered(after=PeerOffer(), header=PeerHeader("x", "1.0", False)), "not offered"),
        (answered(after=PeerOffer(), key_answers={True: KeyAnswer("taken")}), "offered"),
        (answered(after=PeerOffer(), key_answers={True: KeyAnswer("refused")}), "refused"),
        (answered(after=PeerOffer(), key_answers={False: KeyAnswer("refused")}), "unknown"),  # in clear only
        (answered(after=None), "unknown"),
        (Facts("x", header=PeerHeader("x", "", True)), "offered"),  # before XMPP 1.0
        (Facts("x", header=PeerHeader("x", "", False)), "not offered"),
        (Facts("x"), "unknown"),
    ],
)
def test_dialback(facts: Facts, dialback: str) -> None:
    assert facts.dialback == dialback


def test_stream_errors_of_the_standard_have_a_meaning() -> None:
    for condition, (meaning, remedy) in STREAM_ERRORS.items():
        facts = answered(header=None, before=None, after=None, tls="", ended=Ended("stream", "stream_error", condition))
        (finding,) = check_partner(facts, None)
        assert (finding.code, finding.severity, finding.remedy) == ("stream_error", "error", remedy)
        assert condition in finding.message
        assert meaning in finding.message


def test_all_texts_about_certificates_are_there() -> None:
    assert set(FAULTS) == FATAL | {"expires_soon", "client_auth", "weak_signature", "key_size", NOT_CHECKED}


@pytest.mark.parametrize(("count", "outcome"), [(0, "ok"), (1, "warning")])
def test_a_verdict_counts_findings(count: int, outcome: str) -> None:
    assert verdict(itertools.repeat(Finding("x", "warning", "m", "r"), count)) == outcome


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(None, "not_observable"), ("unknown", "not_observable"), ("refused", "failed"), ("taken", "warning")],
)
def test_dialback_in_clear_beside_tls_has_to_be_seen(answer: t.Any, outcome: str, announced: bool) -> None:
    """jabberd2 that requires TLS announces it without <required/>, and ignores a key that comes in clear."""
    answers = {} if answer is None else {False: KeyAnswer(answer)}
    facts = answered(before=PeerOffer("offered", (), announced), key_answers=answers)
    assert verdict(check_partner(facts, Row("not_supported", "not_supported", True))) == outcome
    # It says nothing about TLS, nor about a server that has none.
    assert verdict(check_partner(facts, Row("required", "not_supported", True))) == "ok"
    alone = answered(starttls="", key_answers=answers)
    assert verdict(check_partner(alone, Row("not_supported", "not_supported", True))) == "ok"


@pytest.mark.parametrize("how", ["timeout", "closed", "broken", "half_failure", "stream_error"])
@pytest.mark.parametrize(("answer", "outcome"), [("unknown", "not_observable"), ("refused", "failed")])
def test_an_end_in_tls_says_nothing_about_settings_without(how: t.Any, answer: t.Any, outcome: str) -> None:
    facts = answered(tls="", after=None, ended=Ended("tls", how), key_answers={False: KeyAnswer(answer)})
    assert verdict(check_partner(facts, Row("not_supported", "not_supported", True))) == outcome
