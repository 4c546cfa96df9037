# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write audit.prom: an audit as metrics for the textfile collector of Prometheus' node exporter. This code is pure.

Source of the text format: "Exposition formats", version 0.0.4. The collector does not accept times of samples.
"""

from __future__ import annotations

import typing as t

from ...module_utils._base.texts import one_line
from .._playbooks.audit import moment
from . import audit_texts as words
from .audit_document import Audit

Samples = t.Iterator[tuple[dict[str, str], float]]


def render(audit: Audit) -> str:
    metrics: tuple[tuple[str, str, t.Callable[[Audit], Samples]], ...] = (
        ("sfb_xmpp_audit_timestamp_seconds", "The time of the last audit.", _time),
        ("sfb_xmpp_audit_findings", "Findings of the last audit.", _findings),
        (
            "sfb_xmpp_forecast_timestamp_seconds",
            "The time of an object's first expected error.",
            _forecast,
        ),
        ("sfb_xmpp_drift_objects", "Changes that sfb.xmpp.converge would make (granted, withdrawn: users).", _drift),
        ("sfb_xmpp_certificate_days_left", "Days until a certificate of an Edge ends, at the audit.", _days),
        ("sfb_xmpp_certificate_not_after_timestamp_seconds", "The end of a certificate of an Edge.", _ends),
        ("sfb_xmpp_partners", "Federated partners by security and verdict.", _partners),
        (
            "sfb_xmpp_partner_certificate_not_after_timestamp_seconds",
            "The end of a partner's certificate.",
            _partner_ends,
        ),
    )
    lines: list[str] = []
    for name, help_text, samples in metrics:
        lines += ["# HELP %s %s" % (name, help_text.replace("\\", r"\\")), "# TYPE %s gauge" % name]
        for labels, value in samples(audit):
            shown = ",".join('%s="%s"' % (label, _escape(text)) for label, text in labels.items())
            lines.append("%s{%s} %s" % (name, shown, format(value, ".17g")))
    return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    """Escape backslash and quote in a label's value. Invisible characters are already escaped."""
    return one_line(value).replace("\\", r"\\").replace('"', r"\"")


def _labels(audit: Audit, **more: str) -> dict[str, str]:
    return {"deployment": audit["deployment"], **more}


def _time(audit: Audit) -> Samples:
    yield _labels(audit), moment(audit["time"]).timestamp()


def _findings(audit: Audit) -> Samples:
    """Yield every combination, also with zero, because an alert cannot count missing samples."""
    for area in words.AREAS:
        for severity in words.SEVERITIES:
            number = sum(one["area"] == area and one["severity"] == severity for one in audit["findings"])
            yield _labels(audit, area=area, severity=severity), number


def _forecast(audit: Audit) -> Samples:
    """Yield the first expected error of each object. Objects without a forecast have no sample."""
    first: dict[tuple[str, str], str] = {}
    for one in (audit.get("forecast") or {}).get("items") or ():
        if one["severity"] == "error":
            first.setdefault((one["area"], one["object"]), one["at"])
    for (area, name), at in first.items():
        yield _labels(audit, area=area, object=name), moment(at).timestamp()


def _drift(audit: Audit) -> Samples:
    for word in words.DRIFT:
        yield _labels(audit, change=word), audit["drift"][word]


def _days(audit: Audit) -> Samples:
    for one in audit["certificates"]:
        yield _labels(audit, host=one["host"], usage=one["usage"]), one["days_left"]


def _ends(audit: Audit) -> Samples:
    for one in audit["certificates"]:
        yield _labels(audit, host=one["host"], usage=one["usage"]), moment(one["not_after"]).timestamp()


def _partners(audit: Audit) -> Samples:
    for method in words.SECURED_BY:
        for verdict in words.VERDICTS:
            number = sum(one["secured_by"] == method and one["verdict"] == verdict for one in audit["partners"])
            yield _labels(audit, secured_by=method, verdict=verdict), number


def _partner_ends(audit: Audit) -> Samples:
    for one in audit["partners"]:
        if one["certificate_end"] is not None:
            yield _labels(audit, partner=one["domain"]), moment(one["certificate_end"]).timestamp()
