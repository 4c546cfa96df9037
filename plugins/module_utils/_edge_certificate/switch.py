# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the switch: the steps that bring a certificate of the store into use, and the steps of the rollback.

Before the certificate is assigned, a file on the Edge marks that a restart is needed. The mark is removed when the
services run again. So the next run completes an interrupted run. The file lists the services that still drain, and the
services that stopped together with the draining services.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.step import Step
from .._topology.restart import Restart, restart_of, second_restart_of
from .._topology.services import WindowsService
from . import steps
from .edge import LISTENING, MARKER, USAGES, EdgeReader, EdgeState, affected, presents
from .listener import Handshake
from .wanted import WantedCertificate


@dataclass(frozen=True)
class WayBack:
    """This is the rollback to the former certificates of the usages.

    assign: one step for each certificate.
    restarts: the restarts of the switch, for a second time.
    complete: whether every changing usage had a certificate. A usage without a former certificate keeps the new
        certificate.
    presents: the thumbprint that the listener must present after the rollback; None if the thumbprint is unknown.
    """

    assign: tuple[Step, ...]
    restarts: tuple[Restart, ...]
    complete: bool
    presents: str | None


NO_WAY_BACK = WayBack((), (), False, None)


@dataclass(frozen=True)
class SwitchPlan:
    """This is the plan of a switch to one certificate.

    thumbprint: the new certificate.
    changing: the usages without this certificate.
    had: the thumbprints of the changing usages before the switch; None for a usage without a certificate.
    former: the former certificate of the first changing usage.
    mark, assign, unmark: the steps; None for a step that is not needed.
    back: the rollback.
    services: all services of the product before the switch.
    presented: the handshake before the switch; None without a listener.
    due_before: whether an earlier run left a restart.
    """

    thumbprint: str
    changing: tuple[str, ...]
    had: t.Mapping[str, str | None]
    former: str | None
    mark: Step | None
    assign: Step | None
    restarts: tuple[Restart, ...]
    unmark: Step | None
    back: WayBack
    services: tuple[WindowsService, ...]
    presented: Handshake | None
    due_before: bool
    warnings: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return all steps in the order of the run."""
        found = [self.mark, self.assign]
        for restart in self.restarts:
            found += restart.steps
        return tuple(step for step in [*found, self.unmark] if step is not None)

    @property
    def due_after(self) -> bool:
        """Return whether a restart is still needed after the steps."""
        return bool((self.due_before or self.mark) and not self.unmark)

    def with_certificate(self, thumbprint: str) -> SwitchPlan:
        """Return the plan for a certificate that did not exist at the time of planning."""
        assign = steps.assign(self.changing, thumbprint) if self.assign else None
        return replace(self, thumbprint=thumbprint, assign=assign)


def plan_switch(
    thumbprint: str, wanted: WantedCertificate, reader: EdgeReader, before: EdgeState, presented: Handshake | None
) -> SwitchPlan:
    """Plan the switch. Raises Refused, ServerRefused, ShellError if the services cannot be read."""
    changing = tuple(usage for usage in wanted.usages if before.thumbprint(usage) != thumbprint)
    marked = MARKER in before.files
    presents_another = bool(presented and presented.thumbprint and presented.thumbprint != thumbprint)
    pending = (marked or presents_another) and wanted.restart != "none"
    mark = steps.note(MARKER, "restart") if changing and not marked else None
    services: tuple[WindowsService, ...] = ()
    chosen: list[WindowsService] = []
    warnings: list[str] = []
    if (changing or pending) and wanted.restart != "none":
        services = tuple(reader.services())
        usages = wanted.usages if pending else changing
        chosen, warnings = _to_restart(usages, wanted.restart, services)
        left = reader.text(MARKER).split() if marked else []
        chosen = [s for s in services if s in chosen or (s.name in left and not s.running)]
        warnings += _outage(usages, chosen)
    return SwitchPlan(
        thumbprint=thumbprint,
        changing=changing,
        had={usage: before.thumbprint(usage) for usage in changing},
        former=next((before.thumbprint(usage) for usage in changing), None),
        mark=mark,
        assign=steps.assign(changing, thumbprint) if changing else None,
        restarts=tuple(restart_of(service, wanted.graceful) for service in chosen),
        unmark=steps.remove(MARKER) if chosen and (marked or mark) else None,
        # A compromised certificate is never assigned again.
        back=NO_WAY_BACK if wanted.renew_now and wanted.renew_now.compromised else _way_back(changing, before, chosen),
        services=services,
        presented=presented,
        due_before=marked,
        warnings=tuple(warnings),
    )


def no_switch(before: EdgeState, presented: Handshake | None) -> SwitchPlan:
    """Return a plan that assigns nothing and restarts nothing."""
    return SwitchPlan("", (), {}, None, None, None, (), None, NO_WAY_BACK, (), presented, MARKER in before.files)


def _to_restart(
    usages: t.Sequence[str], restart: str, services: t.Sequence[WindowsService]
) -> tuple[list[WindowsService], list[str]]:
    """Return the services to restart, and warnings."""
    chosen = affected(usages, services) if restart == "affected" else None
    if chosen is not None:
        return chosen, []
    warnings = []
    if restart == "affected" and not set(usages) >= set(USAGES):
        warnings.append(
            "the services that present the certificates of %s are not all known, so all services of the Edge server "
            "are restarted" % ", ".join(usages)
        )
    # A stopped service stays stopped, unless the service must present the certificate.
    wanted = [s for s in services if not s.stopped or any(presents(s, usage) for usage in usages)]
    return wanted, warnings


def _outage(usages: t.Sequence[str], chosen: t.Sequence[WindowsService]) -> t.Iterator[str]:
    """Warn if the restart interrupts sign-in, calls and conferences of remote users, not only XMPP."""
    others = [usage for usage in USAGES if usage != LISTENING]
    if any(usage in others for usage in usages) or any(presents(s, usage) for s in chosen for usage in others):
        names = ", ".join(service.name for service in chosen)
        yield (
            "the switch restarts %s. This is an outage for remote users of this Edge server: it interrupts their "
            "sign-in, calls and conferences" % names
        )


def _way_back(changing: t.Sequence[str], before: EdgeState, services: t.Sequence[WindowsService]) -> WayBack:
    former: dict[str, list[str]] = {}
    for usage in changing:
        had = before.thumbprint(usage)
        if had and had in before.store:
            former.setdefault(had, []).append(usage)
    complete = bool(former) and sum(map(len, former.values())) == len(changing)
    assign = tuple(steps.assign(usages, had) for had, usages in former.items())
    return WayBack(assign, tuple(map(second_restart_of, services)), complete, before.thumbprint(LISTENING))
