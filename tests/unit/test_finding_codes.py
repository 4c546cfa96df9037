# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of finding codes has every code that the code can emit, and no other."""

from __future__ import annotations

import ast
import re

import yaml

from tools import finding_codes


def test_every_code_is_documented_and_no_other() -> None:
    emitted, open_places = finding_codes.emitted()
    assert open_places == [], "say in COMPUTED what the code can be there"
    assert sorted(set(emitted) ^ set(finding_codes.meanings())) == [], "docs/docsite/finding_codes.yml"
    assert len(emitted) > 150


def test_the_texts_are_whole() -> None:
    """A comma in a text must not make a key of its rest."""
    sections = yaml.safe_load(finding_codes.TEXTS.read_text(encoding="utf-8"))
    for name, section in sections.items():
        for code, told in section.get("codes", section).items():
            assert set(told) <= {"severity", "means", "do"}, code
            assert all(text.endswith(".") for key, text in told.items() if key != "severity"), code
            assert ("severity" in told) == (name != "chain"), code


def test_no_text_ends_in_what_only_a_finding_knows() -> None:
    for code, rows in finding_codes.meanings().items():
        for row in rows:
            assert not re.search(r"\b(WHAT|WHY|REMEDY|TOLD)\b", row.means + row.do), code


def test_severities_are_those_of_the_code() -> None:
    told = {code: {one for row in rows for one in row.severity} for code, rows in finding_codes.meanings().items()}
    emitted = finding_codes.emitted()[0]
    assert {code: found - told[code] for code, found in emitted.items() if found - told[code]} == {}


def test_each_code_is_found_however_it_is_written() -> None:
    text = """
Finding("one", ERROR if x else WARNING, "text")
error("two", "text", "remedy")
finding("info", "area", "three", "object")
found = {"code": "four", "severity": "info"}
Finding(some + "five", UNKNOWN, "text")
"""
    sites = [(ast.unparse(code), severity) for code, severity, _line in finding_codes._sites(ast.parse(text), "a/b.py")]
    assert sorted(sites) == [
        ("'four'", {"info"}),
        ("'one'", {"error", "warning"}),
        ("'three'", {"info"}),
        ("'two'", {"error"}),
        ("some + 'five'", {"unknown"}),
    ]


def test_the_page_is_what_the_tables_give() -> None:
    text = finding_codes.PAGE.read_text(encoding="utf-8")
    assert text == finding_codes.page(), "run python -m tools.finding_codes"
    anchors = re.findall(r"^\.\. _%s(\w+):$" % re.escape(finding_codes.PREFIX), text, re.MULTILINE)
    assert [one for one in anchors if one != "codes"] == sorted(finding_codes.emitted()[0])
