# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the report of a rehearsal of an inventory in the lab, as Markdown and as JUnit. This code is pure.

A rehearsal is a dict with these keys:

collection, inventory, profile: texts.
time: the time in UTC, such as 2026-11-24T06:00:00Z.
runs: a list of ``{name, seconds, result, summary, message}``. The result is ``ok``, ``failed``, or ``changed`` if the
    run changed something but must not change anything.
findings: the findings in the form of audit.schema.json.
skipped: a list of ``{name, reason}`` with the parts that cannot be rehearsed.
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
    """Return the reasons for a failure, in order; empty after a success. Raises Invalid for a wrong ``fail_on``.

    A rehearsal without runs is a failure.
    """
    found = [_run_text(run) for run in rehearsal["runs"] if run["result"] != "ok"]
    if not rehearsal["runs"]:
        found.append("nothing was run")
    return found + ["%s: %s" % (one["object"], sentence(one)) for one in _reached(rehearsal, fail_on)]


def failure(rehearsal: Rehearsal, fail_on: str = "error") -> str:
    """Return the message of a failed rehearsal; empty if the rehearsal succeeded."""
    wrong = mistakes(rehearsal, fail_on)
    more = " (and %d more, which are shown above)" % (len(wrong) - 1) if len(wrong) > 1 else ""
    return "The rehearsal failed: %s%s" % (wrong[0], more) if wrong else ""


def lines(rehearsal: Rehearsal) -> list[str]:
    """Return the lines for the screen."""
    found = ["%s (%.1f s)" % (_run_text(run), run["seconds"]) for run in rehearsal["runs"]]
    found += ["%s: %s: %s" % (one["severity"], one["object"], sentence(one)) for one in in_order(rehearsal["findings"])]
    return found + ["not rehearsed: %s: %s" % (one["name"], one["reason"]) for one in rehearsal["skipped"]]


def as_markdown(rehearsal: Rehearsal, fail_on: str = "error") -> str:
    """Return rehearsal.md. The reason of a failure comes first."""
    wrong = mistakes(rehearsal, fail_on)
    findings = in_order(rehearsal["findings"])
    return document(
        [
            "# Rehearsal of %s" % code(rehearsal["inventory"]),
            "**%s**" % ("It failed: %s" % text(wrong[0]) if wrong else "It succeeded."),
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
    """Return rehearsal.xml: a case for each run, for each object with findings, and for each skipped part."""
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
        # An unknown result never passes, even if the result does not make the rehearsal fail.
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
    """Return the cells of a run. The cells are empty if the run ended before its plan."""
    summary = run["summary"] or {}
    counts = [str(summary.get(word, "")) for word in _CHANGES]
    return [text(run["name"]), "%.1f" % run["seconds"], _RESULTS[run["result"]], *counts]
