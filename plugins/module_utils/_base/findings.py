# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A finding: what was noticed, and how bad it is, on one scale for everything that looks at something."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

# Something is wrong; the answer cannot be seen from here; somebody should know. The worst first.
ERROR, UNKNOWN, WARNING = "error", "unknown", "warning"
SEVERITIES = (ERROR, UNKNOWN, WARNING)
# Who saw it, where the Edges look at partners as well, and how that is shown.
EDGE, CONTROLLER, BOTH = "edge", "controller", "both"
VIEWS = {EDGE: "Edge's view", CONTROLLER: "controller's view", BOTH: "both views"}


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed, and what to do about it. severity: one of SEVERITIES.

    subject: the object that it is about, where the message does not name it.
    view: who saw it, edge or controller, where both look; empty elsewhere.
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
    """A finding that something cannot be used as it is."""
    return Finding(code, ERROR, message, remedy)


def warning(code: str, message: str, remedy: str) -> Finding:
    """A finding that somebody should know of."""
    return Finding(code, WARNING, message, remedy)


def in_order(findings: t.Iterable[Finding]) -> list[Finding]:
    """The worst first, otherwise as they came."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
