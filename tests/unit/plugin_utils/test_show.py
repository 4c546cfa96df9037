# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for people: no wider than the terminal, and nothing of them lost."""

from __future__ import annotations

import pytest
from ansible import constants
from ansible.utils.display import Display
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import difference
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.show import columns, show, together, wrapped
from hypothesis import given
from hypothesis import strategies as st

LINE = "  ~ partner  fabrikam.com   tls_negotiation optional becomes required, and sasl_negotiation required"


def test_a_long_row_goes_on_below_its_last_column() -> None:
    assert wrapped(LINE, 70) == [
        "  ~ partner  fabrikam.com   tls_negotiation optional becomes required,",
        "                            and sasl_negotiation required",
    ]


def test_a_last_column_that_would_be_narrow_begins_below() -> None:
    assert wrapped(LINE, 40) == [
        "  ~ partner  fabrikam.com",
        "      tls_negotiation optional becomes",
        "      required, and sasl_negotiation",
        "      required",
    ]


def test_a_command_stays_whole() -> None:
    """It is there to be copied."""
    line = '  -e \'{"sfb_xmpp_decommission": "yes, remove XMPP from a deployment with a long name"}\''
    assert wrapped(line, 40) == [line]


class Screen:
    columns = 119


def test_the_width_is_the_terminals_or_80(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process has no terminal, so it takes what Ansible's main process has measured."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert (columns(Screen()), columns(object())) == (120, 80)
    monkeypatch.setenv("COLUMNS", "100")
    assert columns(Screen()) == 100


@pytest.mark.parametrize(
    ("callback", "json"),
    [("ansible.posix.json", True), ("ansible.posix.jsonl", True), ("json", True), ("default", False),
     ("ansible.builtin.default", False), ("json.tools.minimal", False)],
)  # fmt: skip
def test_nothing_is_shown_where_the_output_is_json(
    callback: str, json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants.config, "get_config_value", lambda name: callback)
    show(["Deployment a", LINE], 200)
    assert capsys.readouterr().out == ("" if json else "Deployment a\n%s\n" % LINE)


@pytest.mark.parametrize(
    ("line", "colour"),
    [
        ("  ~ partner  a.test", "COLOR_CHANGED"),
        ("  ! no_route: no site has a route", "COLOR_ERROR"),
        ("  not observable  a.test  no TLS seen", "COLOR_SKIP"),
        ("      error    there is no record; publish it", "COLOR_ERROR"),
        ("  ok              a.test", "COLOR_OK"),
        ("  okay            a.test", None),
        ("error of the server", None),
        ("", None),
    ],
)
def test_a_row_has_the_colour_of_its_verdict(line: str, colour: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, str | None]] = []
    monkeypatch.setattr(Display, "display", lambda self, text, color=None: found.append((text, color)))
    show([line], 80)
    assert found == [(line, getattr(constants, colour) if colour else None)]


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
