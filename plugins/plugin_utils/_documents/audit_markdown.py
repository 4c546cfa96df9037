# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write audit.md: an audit for a ticket. This code is pure."""

from __future__ import annotations

import typing as t

from . import audit_forecast, audit_what_if
from . import audit_texts as words
from .audit_document import Audit
from .finding_order import SEVERITIES, with_view
from .markdown import code, document, table, text

# A ticket must be short. The text refers to audit.html and audit.json, which have all rows.
MOST_ROWS = 50


def render(audit: Audit) -> str:
    own = audit["own"]
    return document(
        [
            "# XMPP federation of %s: audit" % text(audit["deployment"]),
            "**%s**" % text(words.headline(audit)),
            "%s, read through %s, by sfb.xmpp %s."
            % (text(audit["time"]), code(audit["host"]), text(audit["collection"])),
            table(
                ["Own side", ""],
                [
                    ["Domains", ", ".join(code(one["domain"]) for one in own["domains"]) or "none"],
                    ["Edge pool", code(own["edge_pool"]) if own["edge_pool"] else "unknown"],
                    ["Access Edge", code(own["access_edge_fqdn"]) if own["access_edge_fqdn"] else "unknown"],
                    ["Edge servers", ", ".join(map(code, own["edges"])) or "unknown"],
                ],
            ),
            *_findings(audit),
            *audit_forecast.markdown(audit, MOST_ROWS),
            *_drift(audit),
            *_certificates(audit),
            *_partners(audit),
            *audit_what_if.section(audit),
            *_since(audit),
        ]
    )


def _findings(audit: Audit) -> t.Iterator[str]:
    yield "## Findings"
    if not audit["findings"]:
        yield "None."
    for severity in SEVERITIES:
        found = [one for one in audit["findings"] if one["severity"] == severity]
        if found:
            yield "### %s (%d)" % (words.SEVERITIES[severity].capitalize(), len(found))
            yield _cut(
                ["Area", "Object", "Finding", "What to do"],
                [
                    [words.AREAS[f["area"]], code(f["object"]), text(with_view(f["message"], f)), text(f["remedy"])]
                    for f in found
                ],
            )


def _drift(audit: Audit) -> t.Iterator[str]:
    drift = audit["drift"]
    yield "## Drift"
    counts = ", ".join("%d %s" % (drift[word], words.DRIFT[word]) for word in words.DRIFT if drift[word])
    yield "%s. As declared: %d." % (counts or "None", drift["unchanged"])
    yield _cut(["Cmdlet", "Object"], [[code(one["cmdlet"]), code(one["identity"])] for one in drift["steps"]])


def _certificates(audit: Audit) -> t.Iterator[str]:
    yield "## Certificates of the Edge servers"
    yield (
        _cut(
            ["Host", "Usage", "Days left", "Ends", "Renewal due"],
            [
                [
                    code(c["host"]),
                    text(c["usage"]),
                    str(c["days_left"]),
                    c["not_after"][:10],
                    (c["renewal_due"] or "")[:10],
                ]
                for c in audit["certificates"]
            ],
        )
        or "No certificate was checked."
    )


def _partners(audit: Audit) -> t.Iterator[str]:
    """Yield the numbers of partners, and the partners that need attention by name."""
    counts = audit["summary"]["partners"]
    yield "## Partners"
    yield ", ".join("%d: %s" % (counts[word], name) for word, name in words.VERDICTS.items() if counts[word]) or "None."
    ill = [one for word in words.VERDICTS for one in audit["partners"] if one["verdict"] == word != "ok"]
    yield _cut(
        ["Partner", "Verdict", "Secured by", "Row", "Certificate ends"],
        [
            [
                code(one["domain"]),
                text(with_view(words.VERDICTS[one["verdict"]], one)),
                words.SECURED_BY[one["secured_by"]],
                str(one["row"]["number"]),
                (one["certificate_end"] or "")[:10],
            ]
            for one in ill
        ],
    )


def _since(audit: Audit) -> t.Iterator[str]:
    since = audit["since"]
    if since is None:
        return
    yield "## Since %s" % text(since["time"])
    if not any(since[name] for name in ("new", "gone", "changes")):
        yield "Nothing has changed."
    for name, title in (("new", "New findings"), ("gone", "Resolved findings")):
        if since[name]:
            yield "### %s (%d)" % (title, len(since[name]))
            yield _cut(
                ["Object", "Finding"],
                [[code(one["object"]), text(with_view(one["message"], one))] for one in since[name]],
            )
    if since["changes"]:
        yield "### Changed objects (%d)" % len(since["changes"])
        yield _cut(
            ["Kind", "Object", "Change"],
            [[one["kind"], code(one["object"]), text(words.change_text(one))] for one in since["changes"]],
        )


def _cut(header: list[str], rows: list[list[str]]) -> str:
    more = len(rows) - MOST_ROWS
    shown_rows = table(header, rows[:MOST_ROWS])
    return shown_rows if more <= 0 else "%s\n\n%d more rows are in audit.html and audit.json." % (shown_rows, more)
