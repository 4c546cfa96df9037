# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of the journal and the report of a rehearsal: nothing is left out, and no text becomes part of a format."""

from __future__ import annotations

import json
import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import history, rehearsal
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.characters import clean

from tests.unit.plugin_utils.audit_sample import HOSTILE, finding

COUNTS = {"added": 2, "changed": 1, "removed": 0, "granted": 12, "withdrawn": 0, "unchanged": 40}
DONE = {
    "time": "2026-11-24T06:00:00Z",
    "playbook": "converge",
    "user": "ines",
    "account": "svc-xmpp@CONTOSO.COM",
    "commit": "0c3f1ab",
    "ticket": "CHG-1234",
    "summary": COUNTS,
    "outcome": "done",
    "snapshot": "20261124T060000Z-contoso.yml",
}


def journal(*lines: t.Any) -> str:
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)


def test_the_last_run_is_the_first_line() -> None:
    refused = {"time": "2026-11-25T06:00:00Z", "playbook": "restore", "user": "tom", "outcome": "refused"}
    told = history.run_lines(history.runs(journal(DONE, {**refused, "message": "no ticket"})))
    assert told == [
        "  refused  2026-11-25T06:00:00Z  restore   tom",
        "      no ticket",
        "  done     2026-11-24T06:00:00Z  converge  ines  2 added, 1 changed, 12 granted",
        "      ticket CHG-1234, account svc-xmpp@CONTOSO.COM, inventory 0c3f1ab, snapshot 20261124T060000Z-contoso.yml",
    ]


@pytest.mark.parametrize("line", ["{", "[1]", "null", "[" * 100000])
def test_a_line_that_is_no_run_is_shown_as_one(line: str) -> None:
    found = history.runs(journal(DONE, "", line, DONE))
    assert len(found) == 3
    for shown in ("\n".join(history.run_lines(found)), history.markdown_table(found)):
        assert "line 3 cannot be read" in shown


def test_an_empty_journal_is_said_to_be_empty() -> None:
    assert history.run_lines([]) == ["There is no run in the journal."]
    assert history.markdown_table([]) == "There is no run in the journal.\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_in_their_cell(text: str) -> None:
    found = history.runs(journal({**DONE, "ticket": text}))
    told = history.run_lines(found)
    for shown in ("\n".join(told), history.markdown_table(found)):
        assert all(char.isprintable() or char == "\n" for char in shown)
    assert len(told) == 2
    assert len(history.markdown_table(found).splitlines()) == 3


def test_a_run_that_changed_nothing_says_so() -> None:
    found = history.runs(journal({**DONE, "summary": dict.fromkeys(COUNTS, 0)}))
    assert history.run_lines(found)[0].endswith("  ines  none")


# Rehearsal


def made(**changes: t.Any) -> dict[str, t.Any]:
    run = {"name": "First run", "seconds": 12.34, "result": "ok", "summary": COUNTS, "message": ""}
    again = {**run, "name": "Second run", "summary": {**dict.fromkeys(COUNTS, 0), "unchanged": 43}}
    return {
        "collection": "0.1.0",
        "inventory": "inventories/prod",
        "profile": "sfb2015",
        "time": "2026-11-24T06:00:00Z",
        "runs": [run, again],
        "findings": [],
        "skipped": [],
        **changes,
    }


def outcomes(value: dict[str, t.Any], fail_on: str = "error") -> dict[str, str]:
    cases = ET.fromstring(rehearsal.as_junit(value, fail_on)).iter("testcase")
    return {str(one.get("name")): next((child.tag for child in one if child.tag != "system-out"), "") for one in cases}


def test_a_rehearsal_that_succeeded() -> None:
    value = made()
    assert rehearsal.mistakes(value) == []
    text = rehearsal.as_markdown(value)
    assert "**It succeeded.**" in text
    assert "| First run | 12.3 | ok | 2 | 1 | 0 | 12 | 0 | 40 |" in text
    assert outcomes(value) == {"First run": "", "Second run": ""}


def test_a_second_run_that_changes_something_is_the_reason() -> None:
    value = made()
    value["runs"][1].update(result="changed", message="fabrikam.com")
    assert rehearsal.mistakes(value) == ["Second run changed something again: fabrikam.com"]
    assert "**It failed: Second run changed something again: fabrikam.com**" in rehearsal.as_markdown(value)
    assert outcomes(value) == {"First run": "", "Second run": "failure"}


def test_without_a_run_it_did_not_succeed() -> None:
    value = made(runs=[])
    assert rehearsal.mistakes(value) == ["nothing was run"]
    assert outcomes(value) == {"converge": "failure"}


def test_findings_count_from_fail_on_and_the_unseen_never_passes() -> None:
    found = [
        finding("warning", "partner", "row_risky", "b.example", "risky"),
        finding("unknown", "partner", "hidden", "c.example", "not seen"),
        finding("error", "partner", "row_invalid", "a.example", "invalid", "enable dialback"),
    ]
    skipped = [{"name": "Messages", "reason": "Prosody is not installed"}]
    value = made(findings=found, skipped=skipped)
    assert rehearsal.mistakes(value) == ["a.example: invalid; enable dialback"]
    assert len(rehearsal.mistakes(value, "warning")) == 3
    runs = {"First run": "", "Second run": "", "Messages": "skipped"}
    assert outcomes(value) == {**runs, "a.example": "failure", "b.example": "", "c.example": "skipped"}
    assert outcomes(value, "unknown")["c.example"] == "failure"
    text = rehearsal.as_markdown(value)
    assert text.index("a.example") < text.index("c.example") < text.index("b.example")
    assert "Prosody is not installed" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(text: str) -> None:
    value = made(findings=[finding("error", "partner", "x", text, text, text)], inventory=text)
    assert outcomes(value)[clean(text)] == "failure"
    assert "\n# e" not in rehearsal.as_markdown(value)
