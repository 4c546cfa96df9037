# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the what-if table of an audit: the line on the screen, and the section of audit.md. This code is pure."""

from __future__ import annotations

import typing as t

from .audit_document import Audit
from .audit_texts import counted
from .markdown import code, table, text

# The number of partners that are shown for an event. audit.json has all partners.
MOST_NAMES = 10
LEAD = "This table shows the effect of each event on the partners, calculated from the last probe. Nothing was tried."
# The order is from the best to the worst, as in audit.json.
OUTCOMES = {"works": "Works", "works_otherwise": "Works otherwise", "unknown": "Unknown", "fails": "Fails"}


def events(audit: Audit) -> list[dict[str, t.Any]]:
    """Return the events; none if no partner was probed, or if the audit is of an earlier version."""
    found: list[dict[str, t.Any]] = (audit.get("what_if") or {}).get("events") or []
    return found


def line(audit: Audit) -> str:
    """Return the line for the screen; empty if no event cuts a partner."""
    cutting = [one for one in events(audit) if one["cuts"]]
    if not cutting:
        return ""
    partners = {domain for one in cutting for domain in one["cuts"]}
    return "What if: %d of %d events would cut %s. See audit.md" % (
        len(cutting),
        len(events(audit)),
        counted(len(partners), "partner"),
    )


def section(audit: Audit) -> t.Iterator[str]:
    """Yield the section of audit.md: a line for each event, and the reasons if the event cuts partners."""
    if not events(audit):
        return
    yield "## What if"
    yield LEAD
    yield table(
        ["Event", *OUTCOMES.values(), "Cuts"],
        [
            [text(one["title"]), *(format(one[word], ",") for word in OUTCOMES), _names(one["cuts"])]
            for one in events(audit)
        ],
    )
    for one in events(audit):
        rows = list(reasons(audit, one["event"]))
        if rows:
            yield "### %s (%s)" % (text(one["title"]), format(len(one["cuts"]), ","))
            yield table(
                ["Partners", "Then", "What helps"],
                [[_names(names), text(then), text(help_)] for names, then, help_ in rows],
            )


def reasons(audit: Audit, event: str) -> t.Iterator[tuple[list[str], str, str]]:
    """Yield the partners that an event cuts. Partners with the same reason and remedy are in one row."""
    found: dict[tuple[str, str], list[str]] = {}
    for group in audit["what_if"]["partners"]:
        for one in group["then"]:
            if one["event"] == event and one["cuts"]:
                found.setdefault((one["text"], one["remedy"]), []).extend(group["domains"])
    for (then, help_), names in found.items():
        yield sorted(names), then, help_


def _names(domains: t.Sequence[str]) -> str:
    shown = ", ".join(map(code, domains[:MOST_NAMES]))
    more = len(domains) - MOST_NAMES
    return shown if more <= 0 else "%s and %s more" % (shown, format(more, ","))
