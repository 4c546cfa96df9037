# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a capture with the lab, ``python -m lab compare``: each assumption, and the form of the objects."""

from __future__ import annotations

import contextlib
import tempfile
import textwrap
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..assumptions import ASSUMPTIONS
from ..cmdlets.partners import DEFAULTS
from ..cmdlets.runspace import Deployment
from ..deployment.seed import POLICY_DEFAULTS
from .capture import Capture
from .evidence import CHECKS, Verdict
from .record import record
from .shapes import Difference, differences

_ORDER: tuple[Verdict, ...] = ("refuted", "confirmed", "unknown")


@dataclass(frozen=True)
class Finding:
    """Hold the result for one assumption."""

    key: str
    verdict: Verdict
    statement: str
    evidence: str


def compare(capture: Capture) -> list[Finding]:
    """Return the results for all assumptions: first refuted, then confirmed, then unknown."""
    found = []
    for entry in ASSUMPTIONS:
        check = CHECKS.get(entry.key)
        verdict, evidence = check(capture) if check else ("unknown", "only a write can show it")
        found.append(Finding(entry.key, verdict, entry.statement, evidence))
    return sorted(found, key=lambda finding: (_ORDER.index(finding.verdict), finding.key))


def compare_objects(capture: Capture) -> list[Difference]:
    """Return how the objects of a capture differ from the lab's objects."""
    return differences(capture, own(capture.profile))


def own(profile: str) -> Capture:
    """Return the lab's answers to the same statements, with partners and policies of every form."""
    with tempfile.TemporaryDirectory(prefix="sfb-lab-") as directory:
        deployment = Deployment(Path(directory), profile)
        with contextlib.closing(deployment.store) as store:
            for domains in ([], ["a.example"], ["b.example", "c.example"]):
                store.put("partner", "partner%d.example" % len(domains), {**DEFAULTS, "AdditionalDomains": domains})
            store.put("policy", "Tag:Partners", {**POLICY_DEFAULTS, "Description": "Partners"})
            store.grant(next(iter(store.all("user"))), "Tag:Partners", "dc01.contoso.test", 0.0)
            for kind in ("allowed_domain", "blocked_domain"):
                store.put(kind, "sip.example", {"Comment": None})
            return record(deployment)


def text(findings: t.Sequence[Finding], objects: t.Sequence[Difference] = ()) -> str:
    """Return all results as readable text."""
    lines = []
    for verdict in _ORDER:
        chosen = [finding for finding in findings if finding.verdict == verdict]
        lines.append("%s: %d" % (verdict, len(chosen)))
        if verdict == "unknown":
            keys = ", ".join(finding.key for finding in chosen)
            lines.append(textwrap.fill(keys, 110, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))
            continue
        for finding in chosen:
            lines += ["  %s: %s" % (finding.key, finding.statement), "    %s" % finding.evidence]
    lines.append("objects that differ: %d" % len(objects))
    lines += ["  %s%s: %s" % (o.cmdlet, o.property and " " + o.property, o.what) for o in objects]
    return "".join(line + "\n" for line in lines)
