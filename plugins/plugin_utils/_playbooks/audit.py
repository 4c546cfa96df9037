# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build an audit as one value: the gathered parts in a stable order, and all numbers that follow from the parts.

All functions are pure. The form is audit.schema.json. Only make_audit() calculates, so that all parts of a report
agree.
"""

from __future__ import annotations

import datetime
import typing as t

from .._documents import audit_texts as words
from .._documents.audit_document import VERSION, Audit, check_parts
from .._documents.finding_order import SEVERITIES, Finding, in_order
from .audit_compare import compare

Objects = t.Iterable[dict[str, t.Any]]


def make_audit(
    *,
    collection: str,
    deployment: str,
    time: str,
    host: str,
    own: dict[str, t.Any],
    findings: t.Iterable[Finding],
    partners: Objects,
    policies: Objects,
    certificates: Objects,
    drift: dict[str, t.Any],
    edge_events: Objects = (),
    forecast: dict[str, t.Any] | None = None,
    what_if: dict[str, t.Any] | None = None,
    previous: Audit | None = None,
) -> Audit:
    """Return an audit.

    time: UTC, such as ``2026-11-24T06:00:00Z``.
    drift: ``summary`` and ``steps`` of a plan, as one dict.
    forecast: the result of forecast(); None without a forecast.
    what_if: the result of gather_what_if().
    previous: the audit before this audit.

    Raises Invalid if a part does not match the schema.
    """
    given: dict[str, t.Any] = {"time": time, "own": own, "drift": drift, "findings": list(findings)}
    given |= {"partners": list(partners), "policies": list(policies), "edge_events": list(edge_events)}
    given["forecast"] = forecast
    given["what_if"] = what_if or {"events": [], "partners": []}
    given["certificates"] = [{**one, "days_left": 0} for one in certificates]
    check_parts(given)
    now = moment(time)
    dated = [{**one, "days_left": days_between(now, moment(one["not_after"]))} for one in given["certificates"]]
    members = sorted(given["partners"], key=lambda one: one["domain"])
    found = in_order([*given["findings"], *unexplained(members, given["findings"])])
    listed = sorted(given["policies"], key=lambda one: one["identity"].lower())
    audit: Audit = {
        "schema": VERSION,
        "collection": collection,
        "deployment": deployment,
        "time": time,
        "host": host,
        "own": own,
        "summary": {
            "findings": {word: sum(one["severity"] == word for one in found) for word in SEVERITIES},
            "partners": {word: sum(one["verdict"] == word for one in members) for word in words.VERDICTS},
            "policies": len(listed),
            "certificates": len(dated),
            "drift": sum(drift[word] for word in words.DRIFT),
        },
        "findings": found,
        "partners": members,
        "policies": listed,
        "certificates": sorted(dated, key=lambda one: (one["not_after"], one["host"], one["usage"])),
        "drift": drift,
        "edge_events": given["edge_events"],
        "forecast": forecast,
        "what_if": given["what_if"],
        "since": None,
    }
    if previous is not None:
        audit["since"] = compare(previous, audit)
    return audit


def unexplained(partners: t.Iterable[dict[str, t.Any]], findings: t.Iterable[Finding]) -> t.Iterator[Finding]:
    """Return a finding for each verdict that no finding explains, because only findings can make a run fail."""
    told = {(one["object"], _severity(one)) for one in findings if one["area"] == "partner"}
    for one in partners:
        severity = {"failed": "error", "not_observable": "unknown"}.get(one["verdict"], "")
        if severity and (one["domain"], severity) not in told:
            yield {
                "code": one["verdict"],
                "severity": severity,
                "area": "partner",
                "object": one["domain"],
                "message": words.VERDICTS[one["verdict"]],
                "remedy": "run sfb.xmpp.verify for details",
            }


def _severity(one: Finding) -> str:
    """Return a finding's severity before the acceptance, because an accepted finding explains a verdict too."""
    return str((one.get("accepted") or one)["severity"])


def moment(text: str) -> datetime.datetime:
    """Return the time (UTC) of a text in an audit. Raises ValueError if the text is not a time."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


def days_between(start: datetime.datetime, end: datetime.datetime) -> int:
    """Return whole days, rounded down: 0 if the end is in an hour, -1 if the end was an hour ago."""
    return (end - start) // datetime.timedelta(days=1)
