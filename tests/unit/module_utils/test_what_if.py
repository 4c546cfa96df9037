# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a partner if something happens: judged as a probe is, unknown where nothing was seen, and quick.

Whether the claims are right, messages to real servers show (tests/integration/test_what_if.py).
"""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.events import EVENTS, World
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import Facts, KeyAnswer, PeerHeader, PeerOffer
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.findings import check_partner, verdict
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import ROWS, VALID, options
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.what_if import (
    OUTCOMES,
    WhatIf,
    incoming,
    lines,
    outgoing,
    what_if,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.module_utils.test_probe_findings import answered, conversations

CERTIFICATES = Row("required", "required", False)
FALLBACK = Row("required", "optional", True)
DIALBACK = Row("required", "not_supported", True)
CLEAR = Row("not_supported", "not_supported", True)
PROVEN: dict[str, t.Any] = {"own_certificate": True, "external": "succeeded", "bare_key": KeyAnswer("taken")}
NO_DIALBACK: dict[str, t.Any] = {
    "header": PeerHeader("x", "1.0", False),
    "before": PeerOffer("required", (), False),
    "after": PeerOffer("", ("EXTERNAL",), False),
}


def lenient(**more: t.Any) -> Facts:
    """A partner with all methods, which answered to the own certificate."""
    return answered(**{**PROVEN, **more})


def strict(**more: t.Any) -> Facts:
    """One with certificates and nothing else."""
    return answered(**{**PROVEN, **NO_DIALBACK, "bare_key": None, **more})


def after(facts: Facts, row: Row, event: str, proxy: bool = False) -> WhatIf:
    return next(one for one in what_if(facts, row, proxy) if one.event == event)


# Events: to the partner, from the partner.
@pytest.mark.parametrize(
    ("facts", "row", "event", "out", "in_"),
    [
        (lenient(), FALLBACK, "partner_server_only", "works", "works_otherwise"),
        (lenient(), CERTIFICATES, "partner_server_only", "works", "fails"),
        (lenient(), FALLBACK, "partner_expired", "works_otherwise", "works_otherwise"),
        (strict(), FALLBACK, "partner_expired", "fails", "fails"),
        (lenient(), FALLBACK, "partner_tls13_only", "fails", "fails"),
        # Nobody documents whether the gateway goes on in clear.
        (lenient(), Row("optional", "not_supported", True), "partner_tls13_only", "unknown", "fails"),
        (lenient(), CLEAR, "partner_tls13_only", "unknown", "unknown"),
        (lenient(key_answers={False: KeyAnswer("taken")}), CLEAR, "partner_tls13_only", "works", "works"),
        (lenient(), Row("optional", "optional", True), "partner_no_tls", "works_otherwise", "works_otherwise"),
        (lenient(), FALLBACK, "partner_no_tls", "fails", "fails"),
        (lenient(), FALLBACK, "partner_no_dialback", "works", "works"),
        (lenient(), DIALBACK, "partner_no_dialback", "fails", "fails"),
        (lenient(), FALLBACK, "partner_no_external", "works_otherwise", "works_otherwise"),
        (lenient(), FALLBACK, "partner_srv_moved", "works", "works"),
        # A certificate needs no record of the partner for the way in; dialback asks the partner's server.
        (lenient(), FALLBACK, "partner_srv_removed", "fails", "works"),
        (lenient(), DIALBACK, "partner_srv_removed", "fails", "fails"),
        (lenient(), FALLBACK, "partner_down", "fails", "fails"),
        # Some servers do not look at the purpose of a certificate; this one has dialback for the case that it does.
        (lenient(), FALLBACK, "own_server_only", "works", "works"),
        (strict(), CERTIFICATES, "own_server_only", "unknown", "works"),
        # It announces dialback, and whether it takes it without a good certificate was asked, or not.
        (lenient(bare_key=KeyAnswer("refused")), FALLBACK, "own_server_only", "unknown", "works"),
        (lenient(bare_key=KeyAnswer("refused")), DIALBACK, "own_server_only", "unknown", "unknown"),
        (lenient(bare_key=KeyAnswer("refused")), DIALBACK, "own_expired", "fails", "fails"),
        (lenient(bare_key=KeyAnswer("refused")), FALLBACK, "own_expired", "fails", "fails"),
        (lenient(bare_key=None), FALLBACK, "own_expired", "unknown", "unknown"),
        (strict(), CERTIFICATES, "own_untrusted", "fails", "fails"),
        (lenient(), CLEAR, "own_expired", "unknown", "unknown"),
        (lenient(key_answers={False: KeyAnswer("taken")}), CLEAR, "own_expired", "works", "works"),
        (lenient(), FALLBACK, "own_tls12_only", "works", "works"),
        (lenient(tls="TLSv1"), FALLBACK, "own_tls12_only", "fails", "fails"),
        # Without the own certificate nothing is known of SASL EXTERNAL.
        (answered(external="unknown"), CERTIFICATES, "own_tls12_only", "unknown", "unknown"),
        # No server answered.
        (Facts("x"), FALLBACK, "partner_expired", "unknown", "unknown"),
    ],
)
def test_what_becomes_of_a_partner(facts: Facts, row: Row, event: str, out: str, in_: str) -> None:
    found = after(facts, row, event)
    assert (found.out, found.in_) == (out, in_), found.text
    assert found.outcome == max(out, in_, key=OUTCOMES.index)
    assert bool(found.remedy) == ("fails" in (out, in_))


def test_a_certificate_that_is_for_servers_only_already_changes_nothing() -> None:
    found = what_if(strict(), CERTIFICATES, servers_only=True)
    assert next(one.outcome for one in found if one.event == "own_server_only") == "works"


def test_a_proxy_needs_no_record_and_does_not_follow_one() -> None:
    assert after(lenient(), FALLBACK, "partner_srv_removed", proxy=True).outcome == "works"
    assert after(lenient(), FALLBACK, "partner_srv_moved", proxy=True).out == "fails"


@given(conversations(), st.sampled_from(ROWS), st.sampled_from(sorted(EVENTS)))
def test_the_way_out_is_judged_as_a_probe_of_that_partner_would_be(facts: Facts, row: Row, event: str) -> None:
    world = EVENTS[event].happens(World.seen(facts, proxy=False))
    traffic, findings = outgoing(world, row), check_partner(world.facts, row)
    if not world.reachable:
        assert traffic.works is False
    elif traffic.works is False:
        assert verdict(findings) == "failed"
    elif traffic.works is None:
        assert verdict(findings) in ("failed", "not_observable")
    else:
        assert "row_does_not_work" not in {one.code for one in findings}
    assert bool(traffic.why) != bool(traffic.works)


@given(conversations(), st.sampled_from(ROWS))
def test_what_holds_of_every_event(facts: Facts, row: Row) -> None:
    before = dataclasses.asdict(facts)
    world = World.seen(facts, proxy=False)
    now = [outgoing(world, row).works, incoming(world, row).works]
    for one in what_if(facts, row):
        then = [one.out, one.in_]
        assert one.cuts == any(works is True and word == "fails" for works, word in zip(now, then, strict=True))
        if row.methods == ():
            assert "works" not in then
            assert "works_otherwise" not in then
        if one.event == "partner_down":
            assert then == ["fails", "fails"]
    assert dataclasses.asdict(facts) == before


@pytest.mark.parametrize("facts", [lenient(), strict(), answered(starttls="")])
@pytest.mark.parametrize("row", VALID)
def test_settings_that_are_named_as_a_help_work_after_the_event(facts: Facts, row: Row) -> None:
    for name, event in EVENTS.items():
        _asked, _or, settings = after(facts, row, name).remedy.partition("; or set ")
        if settings:
            world = event.happens(World.seen(facts, proxy=False))
            named = [one for one in VALID if settings == _pasted(one)]
            assert [(outgoing(world, one).works, incoming(world, one).works) for one in named] == [(True, True)]


def _pasted(row: Row) -> str:
    return ", ".join("%s: %s" % (name, str(value).lower()) for name, value in options(row).items())


def test_a_screen_has_a_dozen_lines_and_the_worst_first() -> None:
    found = [one.as_dict() for one in what_if(strict(), CERTIFICATES)]
    shown = lines(found)
    assert len(shown) <= 12
    assert shown[0].startswith("What if: 11 of 15 events would stop messages")
    assert all(line.split()[0] == "fails" for line in shown[1:-1])
    assert "  fails (in)       The partner's certificate is for servers only" in shown
    assert all(len(line) <= 80 for line in shown)
    told = sum(one["outcome"] != "works" for one in found)
    assert shown[-1] == "  %d more. No event was tried. Reasons and remedies: what_if of the result (-v)" % (told - 10)
    assert lines([]) == []
    nothing = [one.as_dict() for one in what_if(answered(starttls="", external="unknown"), CERTIFICATES)]
    assert len(lines(nothing)) == 1
