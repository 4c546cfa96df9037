# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of the negotiation matrix with real servers, and the page of the documentation that shows it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import negotiation as _negotiation

from lab.matrix import KINDS, MANNERS, ROWS, Kind, Seen, page, run
from lab.partners.programs import missing
from lab.talk import Direction, Outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "lab_matrix.rst"
NAMES = {"S": _negotiation.SASL_OVER_TLS, "T": _negotiation.TLS_DIALBACK, "C": _negotiation.TCP_DIALBACK}
DIRECTIONS: tuple[Direction, ...] = ("out", "in")
WORDS = {"Required": "required", "Optional": "optional", "NotSupported": "not_supported"}


@pytest.mark.skipif(bool(missing()), reason="not installed: %s" % ", ".join(missing()))
@pytest.mark.parametrize("kind", KINDS)
def test_real_servers_agree_with_the_table(kind: Kind, tmp_path: Path) -> None:
    found = run(tmp_path, kind)
    assert len(found) == len(ROWS) * len(MANNERS) * 2
    assert [one for one in found if not one.right] == []


def test_the_page_shows_what_the_table_lets_expect() -> None:
    """The test above finds out whether it is true."""
    expected = [
        Seen(row, kind, manner, Outcome(direction, "", row.expected(manner), row.expected(manner) != "-", ""))
        for kind, row, manner, direction in itertools.product(KINDS, ROWS, MANNERS, DIRECTIONS)
    ]
    assert PAGE.read_text("utf-8") == page(expected)


def test_the_collection_derives_what_the_table_says() -> None:
    for row in ROWS:
        ours = _negotiation.Row(WORDS[row.tls], WORDS[row.sasl], row.dialback)
        assert [NAMES[letter] for letter in row.methods] == list(ours.methods), row
