# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define a finding and its severity. All checks use the same scale."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

# Error: something is wrong. Unknown: the check was not possible. Warning: possibly wrong. The worst severity is the
# first.
ERROR, UNKNOWN, WARNING = "error", "unknown", "warning"
SEVERITIES = (ERROR, UNKNOWN, WARNING)
# A partner is checked on the Edge servers, on the controller, or on both. The values are the texts of the output.
EDGE, CONTROLLER, BOTH = "edge", "controller", "both"
VIEWS = {EDGE: "Edge's view", CONTROLLER: "controller's view", BOTH: "both views"}


@dataclass(frozen=True)
class Finding:
    """Describe one result of a check, with its remedy.

    code: the name that machines read.
    severity: one of SEVERITIES.
    message: what is wrong.
    remedy: what to do; begins with a verb.
    subject: the object that the finding is about; empty if the message names the object.
    view: where the check was made, one of VIEWS; empty if only one place can make the check.
    """

    code: str
    severity: str
    message: str
    remedy: str = ""
    subject: str = ""
    view: str = ""

    def as_dict(self) -> dict[str, str]:
        found = {"code": self.code, "severity": self.severity, "message": self.message, "remedy": self.remedy}
        return {**found, "view": self.view} if self.view else found

    def __str__(self) -> str:
        text = "%s: %s" % (self.subject, self.message) if self.subject else self.message
        return "%s (%s)" % (text, self.remedy) if self.remedy else text


def error(code: str, message: str, remedy: str) -> Finding:
    """Return a finding with the severity ``error``."""
    return Finding(code, ERROR, message, remedy)


def warning(code: str, message: str, remedy: str) -> Finding:
    """Return a finding with the severity ``warning``."""
    return Finding(code, WARNING, message, remedy)


def in_order(findings: t.Iterable[Finding]) -> list[Finding]:
    """Sort the findings by severity, the worst first. Findings of the same severity keep their order."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
