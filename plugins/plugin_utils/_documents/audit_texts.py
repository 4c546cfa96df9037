# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Translate the values of an audit into words for reports, and write the headline of a report. This code is pure."""

from __future__ import annotations

import typing as t

from .audit_document import Audit

# The order is from the worst to the best.
VERDICTS = {
    "failed": "does not work",
    "not_observable": "unknown",
    "not_probed": "not probed",
    "warning": "needs attention",
    "ok": "works",
}
# The order is from the strongest to the weakest.
SECURED_BY = {
    "certificate": "certificate over TLS",
    "tls_dialback": "dialback over TLS",
    "clear_dialback": "dialback, not encrypted",
    "nothing": "no method works",
    "unknown": "unknown",
}
# The kinds of drift. The keys are those of the summary of xmpp_federation.
DRIFT = {
    "added": "to add",
    "changed": "to change",
    "removed": "to remove",
    "granted": "to grant",
    "withdrawn": "to withdraw",
}
SEVERITIES = {"error": "errors", "unknown": "unknown", "warning": "warnings", "info": "notes"}
AREAS = {
    "drift": "Drift",
    "preflight": "Preflight",
    "certificate": "Certificates",
    "partner": "Partners",
    "own": "Own domains",
    "policy": "Policies",
    "change": "Changes",
}
PARTNER_TYPES = {
    "federated": "federated",
    "public_verified": "public, verified",
    "public_unverified": "public, unverified",
}


def counted(number: int, one: str, many: str = "") -> str:
    """Return the number with a noun, as in ``1 partner`` and ``1,000 partners``."""
    return "%s %s" % (format(number, ","), one if number == 1 else many or one + "s")


def state(audit: Audit) -> str:
    """Return the verdict of the audit: failed, not_observable, warning or ok. An unchecked part is never ok."""
    findings, partners = audit["summary"]["findings"], audit["summary"]["partners"]
    if findings["error"] or partners["failed"] or audit["summary"]["drift"]:
        return "failed"
    if findings["unknown"] or partners["not_observable"] or partners["not_probed"]:
        return "not_observable"
    return "warning" if findings["warning"] or partners["warning"] else "ok"


def headline(audit: Audit) -> str:
    """Return the headline in one sentence, the worst part first."""
    text = "; ".join(_parts(audit))
    return text[:1].upper() + text[1:] + "."


def _parts(audit: Audit) -> t.Iterator[str]:
    summary = audit["summary"]
    partners, findings = summary["partners"], summary["findings"]
    total = sum(partners.values())
    over = sum(one["days_left"] < 0 for one in audit["certificates"])
    unseen = partners["not_observable"] + partners["not_probed"]
    if partners["failed"]:
        verb = "does" if partners["failed"] == 1 else "do"
        yield "%s of %s %s not work" % (format(partners["failed"], ","), counted(total, "partner"), verb)
    if summary["drift"]:
        yield counted(summary["drift"], "difference") + " from the inventory"
    if over:
        yield "%s of Edge servers %s expired" % (counted(over, "certificate"), "has" if over == 1 else "have")
    if findings["error"] and not (partners["failed"] or summary["drift"] or over):
        yield counted(findings["error"], "error")
    if unseen:
        yield "%s could not be checked" % counted(unseen, "partner")
    elif findings["unknown"]:
        yield counted(findings["unknown"], "check") + " without a result"
    if findings["warning"]:
        yield counted(findings["warning"], "warning")
    elif partners["warning"]:
        verb = "needs" if partners["warning"] == 1 else "need"
        yield "%s %s attention" % (counted(partners["warning"], "partner"), verb)
    if state(audit) == "ok":
        yield "everything is as declared"
        if total:
            yield "%s %s" % (counted(total, "partner"), "works" if total == 1 else "work")


def change_text(change: t.Mapping[str, t.Any]) -> str:
    """Return a change as a text, such as ``verdict: ok -> failed``."""
    fields = ["%s: %s -> %s" % (one["name"], shown(one["before"]), shown(one["after"])) for one in change["fields"]]
    return "; ".join(fields) or str(change["change"])


def shown(value: t.Any) -> str:
    """Return a field's value for a sentence."""
    if isinstance(value, dict):
        return ", ".join("%s %s" % (name, shown(item)) for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(shown, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
