# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sort the findings of reports, and decide which findings make a run fail. This code is pure.

A finding is a dict with ``code``, ``severity``, ``area``, ``object``, ``message`` and ``remedy``. A finding that the
Edges also check has ``view`` (audit.schema.json).
"""

from __future__ import annotations

import typing as t

from ...module_utils._base.findings import VIEWS
from ...module_utils._base.names import Invalid

# The worst severity comes first. Unknown is worse than a warning, because an unknown result can hide an error.
SEVERITIES = ("error", "unknown", "warning", "info")
NEVER = "never"

Finding = dict[str, t.Any]


def reached(findings: t.Iterable[Finding], fail_on: str = "error") -> list[Finding]:
    """Return the findings that are at least as bad as ``fail_on``, in the given order; no findings with ``never``.

    Raises Invalid for a wrong ``fail_on``.
    """
    if fail_on == NEVER:
        return []
    if fail_on not in SEVERITIES:
        raise Invalid("fail_on: '%s' must be one of %s" % (fail_on, ", ".join((*SEVERITIES, NEVER))))
    worst = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return [finding for finding in findings if finding["severity"] in worst]


def in_order(findings: t.Iterable[Finding]) -> list[Finding]:
    """Sort the findings by severity, area, object and code, so that two reports of the same state are equal."""
    return sorted(findings, key=lambda one: (SEVERITIES.index(one["severity"]), *identity(one), one["message"]))


def identity(finding: Finding) -> tuple[str, str, str]:
    """Return the parts that are equal in two reports. The message is left out, because a message may count days."""
    return finding["area"], finding["object"], finding["code"]


def sentence(finding: Finding) -> str:
    """Return the message and the remedy on one line. The line has the view if the Edges also check."""
    return with_view("; ".join(text for text in (finding["message"], finding["remedy"]) if text), finding)


def with_view(text: str, of: t.Mapping[str, t.Any]) -> str:
    """Return a text about a finding or a partner, with the view if the Edges also check."""
    return "%s [%s]" % (text, VIEWS[of["view"]]) if of.get("view") else text
