# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for people: no wider than the terminal, and nothing of them lost."""

from __future__ import annotations

from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import difference
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.show import together, wrapped
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


def test_differences_of_several_objects_are_one() -> None:
    one = difference("partner a.test", {"domain": "a.test", "tls": "required"}, {"domain": "a.test", "tls": "optional"})
    new = difference("policy Partners", None, {"identity": "Partners", "description": "Partners of ours"})
    gone = difference("partner b.test", {"domain": "b.test"}, None)
    assert together([one, new, gone]) == [
        {
            "before_header": "3 objects",
            "after_header": "3 objects",
            "before": 'partner a.test\n  tls: "required"\npartner b.test\n',
            "after": 'partner a.test\n  tls: "optional"\npolicy Partners\n  description: "Partners of ours"\n',
        }
    ]
    assert together([one]) == [one]
    assert together([]) == []
