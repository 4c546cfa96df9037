# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for people: no wider than the terminal, and nothing of them lost."""

from __future__ import annotations

from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.show import wrapped
from hypothesis import given
from hypothesis import strategies as st

LINE = "  ~ partner  fabrikam.com   tls_negotiation optional becomes required, and sasl_negotiation required"


def test_a_long_row_goes_on_below_its_last_column() -> None:
    assert wrapped(LINE, 70) == [
        "  ~ partner  fabrikam.com   tls_negotiation optional becomes required,",
        "                            and sasl_negotiation required",
    ]


def test_without_a_terminal_a_line_stays_whole() -> None:
    assert wrapped(LINE, 0) == [LINE]


words = st.text("abcdefghijklmnop-.", min_size=1, max_size=12)


@given(st.lists(words, min_size=1, max_size=30), st.integers(30, 120), st.sampled_from(["", "  ", "    "]))
def test_nothing_is_lost_and_nothing_is_too_wide(given_words: list[str], width: int, indent: str) -> None:
    parts = wrapped(indent + " ".join(given_words), width)
    assert " ".join(parts).split() == given_words
    assert max(map(len, parts)) <= width
