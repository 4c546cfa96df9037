# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply a certificate plan, and return its outcome."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.reading import UNREADABLE
from .._base.step_log import StepLog
from .._x509.certificate import thumbprint
from .apply_switch import Switched, switch
from .edge import EdgeReader, EdgeState
from .plan import CertificatePlan

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate


@dataclass(frozen=True)
class CertificateOutcome:
    """This is the outcome of a plan.

    certificate: the certificate of the plan; None if the certificate does not exist yet.
    after: the state of the Edge after the run. In check mode, the expected state. None if the Edge could not be read.
    pending: why the certificate does not exist yet.
    planned: whether nothing was sent.
    """

    certificate: Certificate | None
    log: StepLog
    after: EdgeState | None
    switched: Switched = field(default_factory=Switched)
    pending: str = ""
    warnings: tuple[str, ...] = ()
    planned: bool = False


def apply(plan: CertificatePlan, reader: EdgeReader) -> CertificateOutcome:
    """Apply the plan. In check mode, and without work, the run sends nothing."""
    delivery = plan.delivery
    log = StepLog(reader.shell, plan.steps, delivery.secrets, plan.aliases)
    nothing = Switched(presented=plan.switch.presented)
    if plan.wanted.check or not plan.steps:
        return CertificateOutcome(delivery.certificate, log, plan.expected, nothing, planned=True)
    # If a reason cannot be saved, the run stops. Otherwise the next run would replace the certificate again.
    there = True
    for step in plan.sweep:
        there = (log.do(step) or step not in plan.offer.outdated.notes[:1]) and there
    found, pending = delivery.certificate, ""
    if there and delivery.steps:
        delivered = delivery.apply(log, reader)
        there, pending = delivered.certificate is not None, delivered.pending
        found = delivered.certificate or found
    switched = nothing
    if there and not plan.stages:
        switched = _switch(plan, found, log, reader)
    try:
        after = reader.read()
        if switched.done:
            _say_what_stayed(plan, found, after, log)
        return CertificateOutcome(found, log, after, switched, pending)
    except UNREADABLE as exc:
        unread = "the certificates of the Edge server could not be read after the changes: %s" % exc
        return CertificateOutcome(found, log, None, switched, pending, (unread,))


def _say_what_stayed(plan: CertificatePlan, own: Certificate | None, after: EdgeState, log: StepLog) -> None:
    """Record a failure if another run replaced the assigned certificate before this run ended."""
    wanted = thumbprint(own) if own is not None else ""
    found = {usage: after.thumbprint(usage) for usage in plan.switch.changing}
    others = ["%s has %s" % item for item in found.items() if item[1] != wanted]
    if others:
        text = "the step took effect, but another run or administrator then changed it: %s. Compare, then run again"
        log.note("Set-CsCertificate", wanted, "Overwritten", text % ", ".join(others))


def _switch(plan: CertificatePlan, certificate: Certificate | None, log: StepLog, reader: EdgeReader) -> Switched:
    wanted = plan.switch
    if plan.delivery.certificate is None and certificate is not None:
        planned, wanted = wanted, wanted.with_certificate(thumbprint(certificate))
        if planned.assign and wanted.assign:
            log.replace(planned.assign, wanted.assign)
    switched = switch(wanted, log, reader, plan.wanted.listener)
    if switched.done:
        for step in plan.finish:
            log.do(step)
    return switched
