# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two probes of a partner say about a change: a reason, a warning, or nothing."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.probe_first import ProbedChange, judge
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.options import VERDICTS
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.prober import Job

JOB = Job("fabrikam.test", "fabrikam.test", None, "")


def entry(verdict: str, answered: bool = True) -> t.Any:
    return {"domain": "fabrikam.test", "verdict": verdict, "accepts": {} if answered else None, "findings": []}


@pytest.mark.parametrize(
    ("before", "after", "answered", "refused", "doubted"),
    [
        ("ok", "failed", True, True, False),
        ("warning", "failed", True, True, False),
        # Another server that does not answer breaks it too.
        ("ok", "failed", False, True, False),
        ("not_observable", "failed", True, True, False),
        ("not_observable", "failed", False, False, True),
        ("failed", "failed", True, False, True),
        (None, "failed", True, True, False),
        (None, "failed", False, False, True),
        ("ok", "ok", True, False, False),
        ("failed", "warning", True, False, False),
        (None, "not_observable", True, False, False),
    ],
)
def test_what_is_refused(before: str | None, after: str, answered: bool, refused: bool, doubted: bool) -> None:
    assert {before, after} <= {*VERDICTS, None}
    change = ProbedChange(JOB, JOB if before else None)
    entries = [(entry(after, answered), entry(before) if before else None)]
    found = judge([change], entries, str, allowed=False)
    assert (bool(found.refusals), bool(found.doubts)) == (refused, doubted)
    if before == "not_observable":
        assert "works with the present settings" not in "".join((*found.refusals, *found.doubts))
    allowed = judge([change], entries, str, allowed=True)
    assert (allowed.refusals, bool(allowed.doubts)) == ((), refused or doubted)
