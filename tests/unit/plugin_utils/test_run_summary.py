# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last lines of a run."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import run_summary as _run_summary

CERTIFICATE = {"thumbprint": "1F3A77C0" * 5, "not_after": "2027-11-01T12:00:00Z"}
IN_FORCE = {"certificate": CERTIFICATE, "staged": True}


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ({}, "    edge01                          skipped"),
        (
            {**IN_FORCE, "in_force": "proven", "restarts": {"RTCSRV": 7.2, "RtcXmpp": 4.9}, "changed": True},
            "  ~ edge01                          1F3A77C0… until 2027-11-01, in use, checked by a TLS handshake, "
            "12 s without services",
        ),
        (
            {**IN_FORCE, "in_force": "assigned"},
            "    edge01                          1F3A77C0… until 2027-11-01, in use",
        ),
        (
            {**IN_FORCE, "in_force": "unknown", "changed": True},
            "  ~ edge01                          1F3A77C0… until 2027-11-01, on the Edge, not in use",
        ),
        (
            {"pending": True, "in_force": "unknown", "changed": True},
            "  ~ edge01                          waits for the answer to its request",
        ),
        (
            {"certificate": {**CERTIFICATE, "thumbprint": None}, "steps": [{"result": "planned"}] * 2, "changed": True},
            "  ~ edge01                          until 2027-11-01, 2 calls to send",
        ),
        (
            {"failed": True, "msg": "Nothing was written:\nmore"},
            "  ! edge01                          FAILED: Nothing was written:",
        ),
    ],
)
def test_a_line_for_each_edge(result: dict[str, t.Any], line: str) -> None:
    plan = ["sfb.xmpp plan for d (fe01)", "  + partner  shown.before", "Nothing changed."]
    found = _run_summary.lines([plan], {"d": {"edge01": result}})
    assert found == ["sfb.xmpp plan for d (fe01)", "Nothing changed.", "Edge servers of d", line]


def test_the_last_of_an_edges_tasks_counts() -> None:
    skipped = {"skipped": True}
    assert _run_summary.last(None, None) == {}
    assert _run_summary.last({"n": 1}, skipped) == {"n": 1}
    assert _run_summary.last({"n": 1}, {"n": 2}) == {"n": 2}
    assert _run_summary.last(skipped, None) == {}
