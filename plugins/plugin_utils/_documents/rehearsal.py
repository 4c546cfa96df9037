# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a rehearsal: what became of an inventory in the lab, as Markdown and as JUnit. Pure.

A rehearsal is a dict: ``collection``, ``inventory``, ``profile`` (texts); ``time`` (UTC, as 2026-11-24T06:00:00Z);
``runs``, a list of ``{name, seconds, result, summary, message}`` with ``result`` one of ``ok``, ``changed`` (a run that
should have changed nothing) and ``failed``; ``findings`` as in audit.schema.json; ``skipped``, a list of
``{name, reason}``: what could not be rehearsed here.
"""

from __future__ import annotations

import typing as t

from .finding_order import SEVERITIES, Finding, in_order, reached, sentence
from .junit import Case, junit
from .markdown import code, document, table, text

Rehearsal = t.Mapping[str, t.Any]

_CHANGES = ("added", "changed", "removed", "granted", "withdrawn", "unchanged")
_HEADER = ["Run", "Seconds", "Result", *(word.capitalize() for word in _CHANGES)]
_RESULTS = {"ok": "ok", "changed": "changed something again", "failed": "failed"}


def mistakes(rehearsal: Rehearsal, fail_on: str = "error") -> list[str]:
    """Why it did not succeed, the first reason first; empty if it did. Raises Invalid for a ``fail_on`` that is none.

    A rehearsal without runs did not succeed.
    """
    found = [_run_text(run) for run in rehearsal["runs"] if run["result"] != "ok"]
    if not rehearsal["runs"]:
        found.append("nothing was run")
    return found + ["%s: %s" % (one["object"], sentence(one)) for one in _reached(rehearsal, fail_on)]


def failure(rehearsal: Rehearsal, fail_on: str = "error") -> str:
    """What fails the playbook, in one sentence; empty if it succeeded."""
    wrong = mistakes(rehearsal, fail_on)
    more = " (and %d more, which are shown above)" % (len(wrong) - 1) if len(wrong) > 1 else ""
    return "The rehearsal did not succeed: %s%s" % (wrong[0], more) if wrong else ""


def lines(rehearsal: Rehearsal) -> list[str]:
    """What the playbook shows."""
    found = ["%s (%.1f s)" % (_run_text(run), run["seconds"]) for run in rehearsal["runs"]]
    found += ["%s: %s: %s" % (one["severity"], one["object"], sentence(one)) for one in in_order(rehearsal["findings"])]
    return found + ["not rehearsed: %s: %s" % (one["name"], one["reason"]) for one in rehearsal["skipped"]]


def as_markdown(rehearsal: Rehearsal, fail_on: str = "error") -> str:
    """rehearsal.md: the reason first, where there is one."""
    wrong = mistakes(rehearsal, fail_on)
    findings = in_order(rehearsal["findings"])
    return document(
        [
            "# Rehearsal of %s" % code(rehearsal["inventory"]),
            "**%s**" % ("It did not succeed: %s" % text(wrong[0]) if wrong else "It succeeded."),
            "%s, against the lab as %s, by sfb.xmpp %s."
            % (text(rehearsal["time"]), text(rehearsal["profile"]), text(rehearsal["collection"])),
            "## Runs",
            table(_HEADER, map(_row, rehearsal["runs"])),
            "## Findings" if findings else "",
            table(
                ["Severity", "Object", "Finding", "What to do"],
                [[one["severity"], code(one["object"]), text(one["message"]), text(one["remedy"])] for one in findings],
            ),
            "## Not rehearsed" if rehearsal["skipped"] else "",
            table(["What", "Why"], [[text(one["name"]), text(one["reason"])] for one in rehearsal["skipped"]]),
        ]
    )


def as_junit(rehearsal: Rehearsal, fail_on: str = "error") -> str:
    """rehearsal.xml: a case for each run, each object that something was found about, and what was skipped."""
    fatal = [id(one) for one in _reached(rehearsal, fail_on)]
    cases = [
        Case("run", run["name"], [_run_text(run)] if run["result"] != "ok" else [], seconds=run["seconds"])
        for run in rehearsal["runs"]
    ]
    by_object: dict[tuple[str, str], list[Finding]] = {}
    for one in in_order(rehearsal["findings"]):
        by_object.setdefault((one["area"], one["object"]), []).append(one)
    for (area, name), found in by_object.items():
        counting = [sentence(one) for one in found if id(one) in fatal]
        rest = ["%s: %s" % (one["severity"], sentence(one)) for one in found if id(one) not in fatal]
        # What could not be seen does not pass, even where it does not count.
        unseen = [sentence(one) for one in found if one["severity"] == SEVERITIES[1] and id(one) not in fatal]
        cases.append(Case(area, name, counting, skipped=unseen, output=rest))
    cases += [Case("skipped", one["name"], skipped=[one["reason"]]) for one in rehearsal["skipped"]]
    if not rehearsal["runs"]:
        cases.append(Case("run", "converge", ["nothing was run"]))
    return junit("sfb.xmpp.rehearse", rehearsal["time"], cases)


def _reached(rehearsal: Rehearsal, fail_on: str) -> list[Finding]:
    return reached(in_order(rehearsal["findings"]), fail_on)


def _run_text(run: Rehearsal) -> str:
    told = ": %s" % run["message"] if run["message"] else ""
    return "%s %s%s" % (run["name"], _RESULTS[run["result"]], told)


def _row(run: Rehearsal) -> list[str]:
    """Empty cells where a run did not get as far as a plan."""
    summary = run["summary"] or {}
    counts = [str(summary.get(word, "")) for word in _CHANGES]
    return [text(run["name"]), "%.1f" % run["seconds"], _RESULTS[run["result"]], *counts]
