# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guide on audits says of files, metrics, severities and lists, against what is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import audit_files as files
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import schema
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.finding_order import NEVER, SEVERITIES, reached

from tests.unit.plugin_utils.audit_sample import finding, sample

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_audit.rst").read_text(encoding="utf-8")


def rows(title: str) -> list[str]:
    """The first column of the table in a section, without its head."""
    section = GUIDE.split("\n%s\n%s\n" % (title, "-" * len(title)))[1].split("\n---")[0]
    return re.findall(r"^   \* - ``([^`]+)``", section, re.MULTILINE)


def test_files_are_those_of_the_table() -> None:
    assert sorted(rows("Report files")) == sorted(files.render(sample(3)))


def test_metrics_and_their_labels_are_those_of_the_table() -> None:
    text = files.render(sample(60))["audit.prom"]
    found: dict[str, set[str]] = {}
    for name, labels in re.findall(r"^(\w+)\{(.*)\} \S+$", text, re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    told = {}
    for row in rows("Monitoring"):
        name, _brace, labels = row.rstrip("}").partition("{")
        # The guide says below the table that all have this one.
        told[name] = {"deployment", *filter(None, labels.split(", "))}
    assert found == told
    for rule in re.findall(r"expr: (.*)", GUIDE):
        assert set(re.findall(r"sfb_xmpp_\w+", rule)) <= set(found), rule


def test_severities_are_those_of_the_table_and_include_the_worse() -> None:
    head, *words = rows("Exit status")
    assert head == "fail_on"
    assert words == [*SEVERITIES, NEVER]
    all_of_them = [finding(word, "own", "c", "o", "m") for word in SEVERITIES]
    assert [len(reached(all_of_them, word)) for word in words] == [1, 2, 3, 4, 0]


@pytest.mark.parametrize("drift", [40, 60])
def test_long_lists_are_cut_in_the_ticket_and_it_says_so(drift: int) -> None:
    audit = sample(5)
    more = [finding("error", "drift", "not_as_declared", "partner p%d.test" % n, "m") for n in range(drift)]
    text = files.render({**audit, "findings": more})["audit.md"]
    shown = sum("p%d.test" % n in text for n in range(drift))
    assert shown == min(drift, 50)
    assert ("10 more" in text) == (drift > 50)


def test_the_form_has_a_version() -> None:
    assert sample(1)["schema"] == schema()["properties"]["schema"]["const"]
