# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write JUnit's XML for CI systems. This code is pure."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from .characters import clean


@dataclass(frozen=True)
class Case:
    """Hold the result of one check.

    failures: the problems.
    errors: the results that are unknown and make the check fail.
    skipped: the reasons why the check was skipped.
    output: texts that are neither failures nor errors.
    seconds: the duration; None if the duration was not measured.
    """

    group: str
    name: str
    failures: t.Sequence[str] = ()
    errors: t.Sequence[str] = ()
    skipped: t.Sequence[str] = ()
    output: t.Sequence[str] = field(default=())
    seconds: float | None = None


def junit(name: str, time: str, cases: t.Sequence[Case]) -> str:
    """Return the document with one suite for each group, in the order of the first case of each group.

    time: the time in ISO 8601, such as ``2026-11-24T06:00:00Z``.
    """
    top = ET.Element("testsuites", {"name": clean(name), **_counts(cases)})
    for group in dict.fromkeys(case.group for case in cases):
        members = [case for case in cases if case.group == group]
        suite = ET.SubElement(top, "testsuite", {"name": clean(group), **_counts(members)})
        suite.set("timestamp", time.rstrip("Z"))
        suite.set("time", "%.3f" % sum(case.seconds or 0 for case in members))
        for case in members:
            _case(suite, name, case)
    ET.indent(top)
    body = ET.tostring(top, encoding="unicode")
    return '<?xml version="1.0" encoding="UTF-8"?>\n%s\n' % body


def _counts(cases: t.Sequence[Case]) -> dict[str, str]:
    outcomes = [_outcome(case) for case in cases]
    counts = {"tests": len(cases), "failures": outcomes.count("failure"), "errors": outcomes.count("error")}
    return {name: str(number) for name, number in {**counts, "skipped": outcomes.count("skipped")}.items()}


def _outcome(case: Case) -> str:
    """Return the worst outcome of a case. Some CI systems count several outcomes as several tests."""
    return "failure" if case.failures else "error" if case.errors else "skipped" if case.skipped else ""


def _case(suite: ET.Element, name: str, case: Case) -> None:
    attributes = {"classname": clean("%s.%s" % (name, case.group)), "name": clean(case.name)}
    element = ET.SubElement(suite, "testcase", {**attributes, "time": "%.3f" % (case.seconds or 0)})
    outcome = _outcome(case)
    texts = [*case.failures, *case.errors, *case.skipped]
    if outcome:
        inner = ET.SubElement(element, outcome, {"message": clean(texts[0])})
        if outcome != "skipped":
            inner.set("type", clean(case.group))
            inner.text = clean("\n".join(texts))
    if case.output:
        ET.SubElement(element, "system-out").text = clean("\n".join(case.output))
