# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advice about rows: what is advised of what was seen, never a weaker row, and when a certificate breaks the row."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import SASL_OVER_TLS, Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.advice import Advice, advise, common, works
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import Facts, PeerHeader, PeerOffer
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import METHODS, ROWS, possible
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.module_utils.test_probe_findings import answered, conversations

CERTIFICATES = Row("required", "required", False)
CERTIFICATES_OPTIONAL = Row("required", "optional", False)
FALLBACK = Row("required", "optional", True)
DIALBACK = Row("required", "not_supported", True)
LENIENT = Row("optional", "not_supported", True)
CLEAR = Row("not_supported", "not_supported", True)
NEEDLESS = Row("required", "required", True)  # risky: dialback has no effect
MIXED = Row("optional", "optional", True)  # risky: SASL works inside TLS only
NOTHING = Row("required", "not_supported", False)  # invalid

UNTIL = "2027-02-22T00:00:00Z"
CERTIFICATE = {"certificate": {"not_after": UNTIL}}
PROVEN: dict[str, t.Any] = {"own_certificate": True, "external": "succeeded", **CERTIFICATE}
BLIND: dict[str, t.Any] = {"external": "unknown", **CERTIFICATE}
NO_DIALBACK: dict[str, t.Any] = {"after": PeerOffer("", ("EXTERNAL",)), "header": PeerHeader("x", "1.0", False)}
NO_EXTERNAL: dict[str, t.Any] = {"own_certificate": True, "external": "not offered", **CERTIFICATE}

NO_BETTER = "the declared settings are the strictest settings that work"
UNSEEN = "it is unknown whether the declared settings work"
WEAKER = "only settings that are weaker"


@pytest.mark.parametrize(
    ("facts", "declared", "row", "told"),
    [
        # EXTERNAL was seen to succeed: certificates alone are the strictest.
        (answered(**PROVEN), CERTIFICATES, None, NO_BETTER),
        (answered(**PROVEN), CERTIFICATES_OPTIONAL, None, NO_BETTER),
        (answered(**PROVEN), NEEDLESS, CERTIFICATES, "TLS required, SASL required, dialback off"),
        (answered(**PROVEN), FALLBACK, CERTIFICATES, "TLS required, SASL required, dialback off"),
        (answered(**PROVEN), DIALBACK, CERTIFICATES, ""),
        (answered(**PROVEN), LENIENT, CERTIFICATES, ""),
        (answered(**PROVEN), CLEAR, CERTIFICATES, ""),
        (answered(**PROVEN), None, CERTIFICATES, ""),
        (answered(**PROVEN), NOTHING, CERTIFICATES, ""),
        # The partner's certificate is for servers only: it may not do as a client's.
        (answered(**PROVEN, faults={"client_auth": "x"}), FALLBACK, None, NO_BETTER),
        (answered(**PROVEN, faults={"client_auth": "x"}), DIALBACK, FALLBACK, "SASL optional, dialback on"),
        (answered(**PROVEN, faults={"client_auth": "x"}), CERTIFICATES, None, UNSEEN),
        # The partner's certificate proves nothing.
        (answered(**PROVEN, faults={"expired": "x"}), FALLBACK, None, NO_BETTER),
        (answered(**PROVEN, faults={"expired": "x"}), CERTIFICATES, None, WEAKER),
        # Nothing is known of EXTERNAL: dialback within TLS was seen, and a row is not changed for a guess.
        (answered(**BLIND), CERTIFICATES, None, UNSEEN),
        (answered(**BLIND), FALLBACK, None, NO_BETTER),
        (answered(**BLIND), DIALBACK, None, NO_BETTER),
        (answered(**BLIND), LENIENT, FALLBACK, ""),
        (answered(**BLIND), MIXED, FALLBACK, ""),
        (answered(**BLIND), CLEAR, FALLBACK, ""),
        # It does not want our certificate.
        (answered(**NO_EXTERNAL), CERTIFICATES, None, WEAKER),
        (answered(**NO_EXTERNAL), DIALBACK, None, NO_BETTER),
        (answered(**NO_EXTERNAL), LENIENT, FALLBACK, ""),
        # No dialback.
        (answered(**PROVEN, **NO_DIALBACK), FALLBACK, CERTIFICATES, ""),
        (answered(**PROVEN, **NO_DIALBACK), LENIENT, CERTIFICATES, ""),
        (answered(**BLIND, **NO_DIALBACK), CERTIFICATES, None, "No settings work"),
        # No TLS.
        (answered(starttls=""), CERTIFICATES, None, WEAKER),
        (answered(starttls=""), FALLBACK, None, WEAKER),
        (answered(starttls=""), LENIENT, None, NO_BETTER),
        (answered(starttls=""), CLEAR, None, NO_BETTER),
        (answered(starttls=""), MIXED, LENIENT, ""),
        # An old server, of which nothing is known but that it answers.
        (Facts("x", header=PeerHeader("x", "1.0", False)), FALLBACK, None, "No settings work"),
        # Nothing was seen.
        (Facts("x"), CLEAR, None, "No server of the partner answered this controller"),
        (Facts("x"), None, None, "No server of the partner answered this controller"),
    ],
)
def test_what_is_advised(facts: Facts, declared: Row | None, row: Row | None, told: str) -> None:
    advice = advise(facts, declared)
    assert advice.row == row
    assert told in advice.text
    assert "controller" in advice.text


@pytest.mark.parametrize(
    ("facts", "declared", "until", "then"),
    [
        (answered(**PROVEN), CERTIFICATES, UNTIL, "nothing"),
        (answered(**PROVEN), NEEDLESS, UNTIL, "nothing"),
        (answered(**PROVEN), CERTIFICATES_OPTIONAL, UNTIL, "nothing"),
        (answered(**PROVEN), FALLBACK, UNTIL, "dialback"),
        (answered(**PROVEN, **NO_DIALBACK), FALLBACK, UNTIL, "nothing"),
        (answered(**BLIND), FALLBACK, UNTIL, "dialback"),
        # Dialback does not look at the certificate.
        (answered(**PROVEN), DIALBACK, "", ""),
        (answered(**PROVEN), CLEAR, "", ""),
        # What does not work now cannot break, and what was not seen has no end.
        (answered(**NO_EXTERNAL), CERTIFICATES, "", ""),
        (answered(**PROVEN, faults={"expired": "x"}), CERTIFICATES, "", ""),
        (answered(), CERTIFICATES, "", ""),
        (answered(**PROVEN), None, "", ""),
        (Facts("x"), CERTIFICATES, "", ""),
    ],
)
def test_when_a_certificate_breaks_the_row(facts: Facts, declared: Row | None, until: str, then: str) -> None:
    advice = advise(facts, declared)
    assert (advice.until, advice.then) == (until, then)


def test_a_partners_domains_share_one_row() -> None:
    stricter, other, none = (Advice(row, "t", UNTIL, "nothing") for row in (CERTIFICATES, FALLBACK, None))
    assert common([stricter, stricter]) == [stricter, stricter]
    assert common([none, none]) == [none, none]
    for second in (other, none):
        found = common([stricter, second])
        assert [one.row for one in found] == [None, None]
        assert "not all domains" in found[0].text
        assert (found[0].until, found[0].then) == (UNTIL, "nothing")


@given(conversations(), st.sampled_from([None, *ROWS]))
def test_what_holds_of_every_advice(facts: Facts, declared: Row | None) -> None:
    advice = advise(facts, declared)
    assert "controller" in advice.text
    if advice.row is None:
        return
    assert advice.row.level == "valid"
    assert advice.row != declared
    assert works(facts, advice.row)
    assert possible(facts, advice.row)
    if declared is not None and declared.methods:
        assert METHODS.index(advice.row.methods[-1]) <= METHODS.index(declared.methods[-1])
    if advice.row.methods == (SASL_OVER_TLS,):
        assert facts.external == "succeeded"
    again = advise(facts, advice.row)  # whoever follows it is not sent further
    assert again.row is None
