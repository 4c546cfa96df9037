# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of the negotiation matrix with real servers, and the page of the documentation that shows it.

The collection's verdicts are compared with the messages for some rows. ``make matrix`` compares them for all, and
``make nightly`` tries all rows with the servers of which a sample is tried here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import negotiation as _negotiation

from lab.deployment.store import Store
from lab.matrix import KINDS, ROWS, Seen, manners, page, run
from lab.partners.programs import missing
from lab.partners.servers import Kind
from lab.talk import Direction, Outcome
from lab.verdicts import Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "lab_matrix.rst"
NAMES = {"S": _negotiation.SASL_OVER_TLS, "T": _negotiation.TLS_DIALBACK, "C": _negotiation.TCP_DIALBACK}
DIRECTIONS: tuple[Direction, ...] = ("out", "in")
# Certificates alone, all three methods with SASL required, dialback in TLS, no TLS.
JUDGED = tuple(row for row in ROWS if row.number in (2, 3, 13, 17))
# Of jabberd2, which needs a server for each row: certificates alone, and dialback with and without TLS.
SAMPLE = tuple(row for row in ROWS if row.number in (2, 15))
WORDS = {"Required": "required", "Optional": "optional", "NotSupported": "not_supported"}


@pytest.mark.skipif(bool(missing()), reason="not installed: %s" % ", ".join(missing()))
@pytest.mark.parametrize("kind", ["prosody", pytest.param("ejabberd", marks=pytest.mark.nightly)])
def test_real_servers_agree_with_the_table_and_the_verdicts_with_the_messages(kind: Kind, tmp_path: Path) -> None:
    found = run(tmp_path, kind, JUDGED)
    assert len(found) == len(ROWS) * len(manners(kind)) * 2
    assert [(one, one.contradictions) for one in found if not one.right] == []
    verdicts = {(one.row.number, one.manner): one.verdict for one in found if one.verdict is not None}
    assert len(verdicts) == len(JUDGED) * len(manners(kind))
    # Without the certificate, what rests on certificates is unknown, and dialback in TLS is not.
    assert (verdicts[2, "lenient"].blind, verdicts[3, "expired"].blind) == ("unknown", "ok")
    if kind == "prosody":
        assert [verdicts[number, "demanding"].blind for number in (2, 3, 13, 17)] == ["unknown"] * 3 + ["ok"]
    else:
        assert verdicts[13, "strict"].blind == "failed"  # it declares dialback, and refuses it


@pytest.mark.skipif(bool(missing(["wokkel"])), reason="not installed: %s" % ", ".join(missing(["wokkel"])))
def test_another_implementation_of_dialback_agrees(tmp_path: Path) -> None:
    found = run(tmp_path, "wokkel", SAMPLE, SAMPLE)
    assert [(one, one.contradictions) for one in found if not one.right] == []
    assert [(one.row.number, one.outcome.direction, one.outcome.method) for one in found] == [
        (2, "out", "-"),
        (2, "in", "-"),
        (15, "out", "C"),
        (15, "in", "C"),
    ]


@pytest.mark.skipif(bool(missing(["jabberd2"])), reason="not installed: %s" % ", ".join(missing(["jabberd2"])))
def test_old_servers_agree_as_well(tmp_path: Path) -> None:
    found = run(tmp_path, "jabberd2", SAMPLE, SAMPLE)
    assert len(found) == len(SAMPLE) * len(manners("jabberd2")) * 2
    assert [(one, one.contradictions) for one in found if not one.right] == []
    assert {one.manner: one.outcome.method for one in found if one.row.number == 15} == {
        "plain": "C",
        "old": "T",
        "mutual": "T",
    }
    with contextlib.closing(Store(tmp_path)) as store:
        versions = {
            (event.parameters["direction"], event.parameters["version"])
            for event in store.events()
            if event.kind == "xmpp" and event.parameters["action"] == "tls" and event.user == "row15.old.example"
        }
    # The probe comes in as well, in the name of the partner, with TLS 1.2.
    assert versions == {("in", "TLSv1"), ("out", "TLSv1"), ("in", "TLSv1.2")}


def test_the_page_shows_what_the_table_lets_expect() -> None:
    """The test above finds out whether it is true."""
    expected = []
    for kind in KINDS:
        for row, manner, direction in itertools.product(ROWS, manners(kind), DIRECTIONS):
            method = row.expected(manner)
            outcome = Outcome(direction, "", method, method != "-", "")
            seen = Seen(row, kind, manner, outcome)
            word = "ok" if method != "-" else "failed" if seen.knowable else "unknown"
            verdict = Verdict(word, "unknown", (), complete=False)
            expected.append(dataclasses.replace(seen, verdict=verdict if row.methods else None))
    assert PAGE.read_text("utf-8") == page(expected)


def test_a_verdict_that_a_message_contradicts_is_shown() -> None:
    row = next(row for row in ROWS if row.number == 3)
    arrived, lost = Outcome("out", "", "T", True, ""), Outcome("in", "", "-", False, "")
    wrong = Verdict("ok", "failed", ("out",), complete=True)
    seen = [Seen(row, "ejabberd", "expired", outcome, wrong) for outcome in (arrived, lost)]
    assert seen[0].contradictions == ["verify without the certificate: failed", "explain: failed"]
    assert seen[1].contradictions == ["verify: ok", "explain: ok"]
    unknown = Verdict("unknown", "unknown", (), complete=False)
    assert Seen(row, "ejabberd", "expired", arrived, unknown).contradictions == ["verify: unknown"]
    assert not any(one.right for one in seen)


def test_the_collection_derives_what_the_table_says() -> None:
    for row in ROWS:
        ours = _negotiation.Row(WORDS[row.tls], WORDS[row.sasl], row.dialback)
        assert [NAMES[letter] for letter in row.methods] == list(ours.methods), row
