# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is claimed about an event, against the messages after it, with real servers; and the page that shows the counts.

``make what-if`` and ``make nightly`` play every event with every row; here is a sample.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.events import EVENTS

from lab.matrix import ROWS
from lab.partners.programs import missing
from lab.partners.servers import Kind
from lab.talk import Outcome
from lab.what_if import BEFORE, CHANGES, VALID, Played
from tools.what_if import PAGE, Cell, compare, page

# Certificates alone, and certificates with dialback behind them.
SAMPLE = tuple(row for row in ROWS if row.number in (2, 7))
EVENTS_OF_SAMPLE = ("own_server_only", "own_expired")
MOST_UNKNOWN = 0.15
installed = pytest.mark.skipif(bool(missing()), reason="not installed: %s" % ", ".join(missing()))


@installed
def test_what_is_claimed_of_a_sample_is_what_happens(tmp_path: Path) -> None:
    cells = compare(tmp_path, "prosody", EVENTS_OF_SAMPLE, SAMPLE, ("lenient", "insisting"))
    assert len(cells) == len(EVENTS_OF_SAMPLE) * len(SAMPLE) * 2 * 2
    assert [cell for cell in cells if not cell.right] == []
    assert sum(cell.claim != "unknown" for cell in cells) >= len(cells) / 2
    # One that insists announces dialback, and takes it from nobody without a good certificate.
    fares = {(c.played.before, c.played.event): c.claim for c in cells if c.played.row.number == 7}
    assert (fares["lenient", "own_expired"], fares["insisting", "own_expired"]) == ("works", "fails")


@installed
@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["prosody", "ejabberd"])
def test_everything_that_is_claimed_is_what_happens(kind: Kind, tmp_path: Path) -> None:
    cells = compare(tmp_path, kind)
    servers = [one for one in BEFORE.values() if kind in one.kinds]
    events = [one for one in CHANGES.values() if kind in one.kinds]
    assert len(cells) == len(events) * len(VALID) * len(servers) * 2
    assert [cell for cell in cells if not cell.right] == []
    assert sum(cell.claim == "unknown" for cell in cells) <= MOST_UNKNOWN * len(cells)


@pytest.mark.skipif(bool(missing(["jabberd2"])), reason="not installed: %s" % ", ".join(missing(["jabberd2"])))
@pytest.mark.nightly
@pytest.mark.parametrize(("number", "claim"), [(13, "fails"), (17, "works")])
def test_a_server_with_old_tls_alone_is_cut_by_the_end_of_old_tls(number: int, claim: str, tmp_path: Path) -> None:
    row = ROWS[number - 1]
    cells = compare(tmp_path, "jabberd2", ("partner_srv_moved", "own_tls12_only"), (row,), ("old",))
    assert [cell for cell in cells if not cell.right] == []
    assert [cell.claim for cell in cells] == ["works", "works", claim, claim]


def test_every_event_can_be_made_to_happen() -> None:
    assert list(CHANGES) == list(EVENTS)


def test_a_claim_that_a_message_contradicts_is_wrong() -> None:
    def cell(claim: str, method: str, text: str = "") -> Cell:
        outcome = Outcome("out", "", method, method != "-", "")
        return Cell(Played("own_expired", "prosody", "lenient", ROWS[6], outcome), claim, text)

    right = [("works", "S"), ("works_otherwise", "T"), ("fails", "-"), ("unknown", "S"), ("unknown", "-")]
    wrong = [("works", "-"), ("works", "T"), ("works_otherwise", "S"), ("works_otherwise", "-"), ("fails", "T")]
    assert all(cell(*one).right for one in right)
    assert not any(cell(*one).right for one in wrong)
    assert cell("works", "T", "still works with one or the other (the partner chooses)").right
    assert not cell("works", "-", "still works with one or the other (the partner chooses)").right
    assert '"The gateway\'s certificate expires", 0, 0, 1, 2, 1' in page(
        [cell("fails", "-"), cell("fails", "S"), cell("unknown", "-")]
    )


def test_the_page_has_every_event_and_no_wrong_claim() -> None:
    text = PAGE.read_text("utf-8")
    lines = [line.strip().rpartition('", ') for line in text.splitlines() if line.startswith('   "')]
    assert {event.title for event in EVENTS.values()} <= {name.strip('"') for name, _comma, _numbers in lines}
    totals = [list(map(int, numbers.split(", "))) for name, _comma, numbers in lines if name == '"All']
    assert len(totals) == 2
    for *claims, wrong in totals:
        assert wrong == 0
        assert claims[2] <= MOST_UNKNOWN * sum(claims)
