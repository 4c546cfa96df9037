# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the plan of a run on an Edge server. Check mode, steps, diff and the run itself use this one value."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._base.result import Refused
from .._base.step import Step
from .._x509.certificate import der
from . import steps
from .delivery import NEW, Delivery
from .edge import ASKED, FORMER, ISSUER, MARKER, RENEWED, EdgeReader, EdgeState, StoredCertificate, transport
from .offer import Offer
from .source import check_clock
from .switch import SwitchPlan, no_switch, plan_switch
from .wanted import WantedCertificate


@dataclass(frozen=True)
class CertificatePlan:
    """This is the plan of a run on one Edge.

    wanted: the options.
    offer: the certificate and its delivery to the store.
    before: the state of the Edge before the run.
    sweep: the steps that remove the files of an interrupted run.
    switch: the steps that bring the certificate into use.
    finish: the steps after the certificate is in use.
    """

    wanted: WantedCertificate
    offer: Offer
    before: EdgeState
    sweep: tuple[Step, ...]
    switch: SwitchPlan
    finish: tuple[Step, ...]

    @property
    def delivery(self) -> Delivery:
        return self.offer.delivery

    @property
    def stages(self) -> bool:
        """Return whether the run only brings the certificate to the Edge."""
        return self.wanted.phase == "stage"

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return all steps in the order of the run."""
        return (*self.sweep, *self.delivery.steps, *self.switch.steps, *self.finish)

    @property
    def aliases(self) -> dict[str, str]:
        """Return values that differ from run to run, and the texts that are shown for the values."""
        found = dict(self.delivery.aliases)
        if self.wanted.check and self.offer.made:
            found[self.delivery.thumbprint] = NEW
        return found

    @property
    def expected(self) -> EdgeState:
        """Return the expected state of the Edge after the plan."""
        thumbprint, certificate = self.delivery.thumbprint, self.delivery.certificate
        changed = {} if self.stages else {usage: {"Thumbprint": thumbprint} for usage in self.wanted.usages}
        store = dict(self.before.store)
        if certificate is not None:
            store[thumbprint] = StoredCertificate(der(certificate), True)
        moved = (*self.sweep, *self.delivery.steps, *self.finish)
        gone = {step.identity for step in moved if step.cmdlet == "Remove-Item"}
        store = {name: stored for name, stored in store.items() if name not in gone}
        notes = [step.identity for step in moved if step.cmdlet == "Set-Content"]
        kept = [name for name in self.before.files if not transport(name) and name != MARKER]
        kinds = (FORMER, RENEWED, ISSUER)
        files = {*kept, *(name for name in notes if name == ASKED or any(one.match(name) for one in kinds))} - gone
        files |= {MARKER} if self.switch.due_after else set()
        return EdgeState({**self.before.assigned, **changed}, store, sorted(files))


def make_plan(wanted: WantedCertificate, offer: Offer, reader: EdgeReader, before: EdgeState) -> CertificatePlan:
    """Make the plan. Raises Refused, ServerRefused, ShellError."""
    delivery = offer.delivery
    presented = wanted.listener.read() if wanted.listener else None
    if wanted.phase == "switch" and not delivery.is_in_store:
        raise Refused(
            ["the certificate %s is not on this Edge server yet. Stage it first (phase: stage)" % delivery.thumbprint]
        )
    switch = no_switch(before, presented)
    finish: tuple[Step, ...] = ()
    if wanted.phase != "stage":
        switch = plan_switch(delivery.thumbprint, wanted, reader, before, presented)
        gone = _compromised(offer, switch, before)
        finish = (
            *delivery.in_force,
            *_former(wanted, delivery, switch, before, gone),
            *(steps.delete_certificate(name) for name in gone),
        )
    # If the certificate stays in use, no reason is saved.
    remembered = () if delivery.thumbprint in offer.outdated.thumbprints else offer.outdated.notes
    sweep = (*remembered, *(steps.remove(name) for name in before.files if transport(name)))
    plan = CertificatePlan(wanted, offer, before, sweep, switch, finish)
    if plan.steps:
        check_clock(reader, wanted.now)
    return plan


def _compromised(offer: Offer, switch: SwitchPlan, before: EdgeState) -> tuple[str, ...]:
    """Return the certificates that are deleted with their keys, because the keys are compromised.

    If another usage still has the certificate, the certificate is not deleted.
    """
    if not offer.outdated.compromised:
        return ()
    kept = {before.thumbprint(usage) for usage in before.assigned if usage not in switch.changing}
    return tuple(
        name
        for name in sorted(offer.outdated.thumbprints)
        if name in before.store and name not in kept and name != offer.delivery.thumbprint
    )


def _former(
    wanted: WantedCertificate, delivery: Delivery, switch: SwitchPlan, before: EdgeState, gone: t.Collection[str]
) -> t.Iterator[Step]:
    """Yield the notes about replaced certificates, and the removal of old certificates.

    gone: the certificates that are deleted now.
    """
    if wanted.keep_former is None:
        return
    today = wanted.now.strftime("%Y%m%d")
    replaced = {before.thumbprint(usage) for usage in switch.changing}
    for former in sorted(name for name in replaced if name and name in before.store and name not in gone):
        yield steps.note("sfb-xmpp-former-%s-%s.note" % (today, former), "former")
    kept = [usage for usage in before.assigned if usage not in switch.changing]
    in_use = {delivery.thumbprint, *map(before.thumbprint, kept)}
    for name in before.files:
        match = FORMER.match(name)
        if match is None:
            continue
        since = datetime.datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=datetime.timezone.utc)
        if match[2] in in_use:
            yield steps.remove(name)
        elif match[2] not in replaced and (wanted.now - since).days >= wanted.keep_former:
            if match[2] in before.store and match[2] not in gone:
                yield steps.delete_certificate(match[2])
            yield steps.remove(name)
