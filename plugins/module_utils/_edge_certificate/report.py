# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the result of a run from its plan and its outcome."""

from __future__ import annotations

import typing as t

from .._base.result import Result
from .._base.step import difference
from .._x509.certificate import describe, thumbprint
from .apply import CertificateOutcome
from .delivery import NEW
from .edge import MARKER, EdgeState, parsed
from .plan import CertificatePlan

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate


def report(plan: CertificatePlan, outcome: CertificateOutcome) -> Result:
    """Return the result of xmpp_gateway_cert."""
    wanted, offer, switched, log = plan.wanted, plan.offer, outcome.switched, outcome.log
    after = outcome.after
    shown = log.shown("planned" if outcome.planned else "not_sent")
    changed = any(step["result"] in ("planned", "done") for step in shown)
    own = thumbprint(outcome.certificate) if outcome.certificate is not None else NEW
    assigned = {usage: after.thumbprint(usage) if after else None for usage in wanted.usages}
    mine = [usage for usage in wanted.usages if assigned[usage] == own]
    # A later run would make another certificate. So check mode shows only the values that are certain.
    fresh = outcome.planned and offer.made and bool(shown)
    values = {
        "certificate": _described(outcome.certificate, mine, fresh),
        "assigned": {usage: NEW if fresh and value == own else value for usage, value in assigned.items()},
        "findings": [finding.as_dict() for finding in offer.findings],
        "in_force": "unknown" if outcome.planned and shown else _in_force(plan, outcome, own, mine),
        "former_thumbprint": plan.switch.former,
        "restarts": dict(switched.down),
        "went_back": switched.went_back,
        "presented": switched.presented.thumbprint if switched.presented else None,
        "staged": bool(after and after.has(own)),
        "pending": bool(outcome.pending),
        "request": None,
        "renewal": offer.renewal.as_dict() if offer.renewal else None,
    }
    remarks = [str(finding) for finding in offer.findings] if changed else []
    pending = [outcome.pending] if outcome.pending else []
    return Result(
        values=values,
        changed=changed,
        diff=_diff(plan, outcome, after, own if fresh else "") if changed and after else [],
        steps=shown,
        failures=log.failures,
        warnings=[
            *remarks,
            *offer.warnings,
            *_earlier(offer.in_use, outcome.certificate),
            *(_by_hand(plan) if changed else ()),
            *outcome.warnings,
            *pending,
            *plan.switch.warnings,
            *switched.warnings,
            *log.warnings,
            *_unknown_key(own, plan.before, changed or bool(mine)),
        ],
    )


def _earlier(in_use: Certificate | None, new: Certificate | None) -> t.Iterator[str]:
    """Warn if the new certificate ends before the certificate in use, because the declared source may be wrong."""
    if in_use is not None and new is not None and new.not_valid_after_utc < in_use.not_valid_after_utc:
        ends = (describe(new)["not_after"], describe(in_use)["not_after"])
        yield "the new certificate ends earlier (%s) than the certificate in use (%s). Check the source" % ends


def _by_hand(plan: CertificatePlan) -> t.Iterator[str]:
    """Yield the manual steps for a compromised key."""
    if not plan.offer.outdated.compromised:
        return
    for name in sorted(plan.offer.outdated.thumbprints):
        certificate = parsed(plan.before.store.get(name))
        if certificate is not None:
            facts = describe(certificate)
            text = "manual step: revoke the certificate %s at its authority, %s. Reason: key compromise"
            yield text % (facts["serial_number"], facts["issuer"])
        others = [usage for usage in plan.before.assigned if plan.before.thumbprint(usage) == name]
        others = [usage for usage in others if usage not in plan.wanted.usages]
        if others:
            text = "%s is also in use for %s, so it stays on the Edge server with its key. Add these usages to usages"
            yield text % (name, ", ".join(others))


def _unknown_key(own: str, before: EdgeState, proven: bool) -> list[str]:
    """Warn about a certificate in the store if the session does not show HasPrivateKey. The switch may be refused.

    proven: whether Windows has just imported the certificate with its key, or has assigned the certificate.
    """
    stored = before.store.get(own)
    if proven or stored is None or stored.has_key is not None:
        return []
    text = (
        "it is unknown whether the certificate %s has its private key, because the session has no full Select-Object."
        " Without the key the switch fails. Check HasPrivateKey on the Edge server"
    )
    return [text % own]


def _described(certificate: Certificate | None, usages: t.Sequence[str], fresh: bool) -> dict[str, t.Any] | None:
    if certificate is None:
        return None
    facts = describe(certificate)
    if fresh:
        facts.update(thumbprint=None, serial_number=None)
    return {**facts, "usages": list(usages)}


def _in_force(plan: CertificatePlan, outcome: CertificateOutcome, own: str, mine: t.Sequence[str]) -> str:
    after, presented = outcome.after, outcome.switched.presented
    if after is None or MARKER in after.files or list(mine) != list(plan.wanted.usages):
        return "unknown"
    if presented is None or not presented.reached:
        return "assigned"
    return "proven" if presented.thumbprint == own else "unknown"


def _diff(plan: CertificatePlan, outcome: CertificateOutcome, after: EdgeState, new: str) -> list[dict[str, str]]:
    """Return the diff.

    new: the thumbprint of a certificate that a later run makes again; empty without such a certificate.
    """
    names = [restart.service.name for restart in plan.switch.restarts]
    restarted = names if outcome.planned else [name for name in names if name in outcome.switched.down]
    usages = plan.wanted.usages
    shown = {**after.shown(usages), "restarted": restarted}
    if new:
        shown = {k: NEW if isinstance(v, str) and v.startswith(new) else v for k, v in shown.items()}
    return [difference("gateway certificate", {**plan.before.shown(usages), "restarted": []}, shown)]
