# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of findings in reports, and which of them make a run fail. Pure.

A finding is a dict with ``code``, ``severity``, ``area``, ``object``, ``message`` and ``remedy``, and with
``view`` where the Edges look as well (audit.schema.json).
"""

from __future__ import annotations

import typing as t

from ...module_utils._base.findings import VIEWS
from ...module_utils._base.names import Invalid

# From the worst on. What could not be seen comes before a warning: it may hide an error.
SEVERITIES = ("error", "unknown", "warning", "info")
NEVER = "never"

Finding = dict[str, t.Any]


def reached(findings: t.Iterable[Finding], fail_on: str = "error") -> list[Finding]:
    """The findings that are at least as bad as ``fail_on``, in their order; none with ``never``.

    Raises Invalid for another word.
    """
    if fail_on == NEVER:
        return []
    if fail_on not in SEVERITIES:
        raise Invalid("fail_on: '%s' is none of %s" % (fail_on, ", ".join((*SEVERITIES, NEVER))))
    worst = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return [finding for finding in findings if finding["severity"] in worst]


def in_order(findings: t.Iterable[Finding]) -> list[Finding]:
    """The worst first; then by area, object and code, so that two reports of the same state are alike."""
    return sorted(findings, key=lambda one: (SEVERITIES.index(one["severity"]), *identity(one), one["message"]))


def identity(finding: Finding) -> tuple[str, str, str]:
    """What makes it the same finding in two reports: not the message, which may count days."""
    return finding["area"], finding["object"], finding["code"]


def sentence(finding: Finding) -> str:
    """The message with its remedy, on one line, and whose view it is where Edges look as well."""
    return with_view("; ".join(text for text in (finding["message"], finding["remedy"]) if text), finding)


def with_view(text: str, of: t.Mapping[str, t.Any]) -> str:
    """A text about a finding or a partner, and whose view it is where Edges look as well."""
    return "%s [%s]" % (text, VIEWS[of["view"]]) if of.get("view") else text
