# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate that is in the store comes into force: which steps it takes, and which lead back.

A restart that is due is marked by a file on the Edge before the certificate is assigned, and the mark goes away when
the services run again: a run that is interrupted in between is completed by the next one. The file names the services
that the run left draining, or stopped with one of them.
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
    """To what the usages had before. assign: a step for each certificate; restarts: those of the way forth once more.

    complete: every usage that changes had a certificate; one that had none keeps the new one. presents: what the
    listener has to present then; None if that is not known.
    """

    assign: tuple[Step, ...]
    restarts: tuple[Restart, ...]
    complete: bool
    presents: str | None


NO_WAY_BACK = WayBack((), (), False, None)


@dataclass(frozen=True)
class SwitchPlan:
    """From the certificates that the usages have to ``thumbprint``.

    changing: the usages that have another one or none. had: the thumbprints that these have; None for none. mark,
    assign, unmark: None where there is nothing to do.
    services: all of the product, as they are before. presented: by the listener before; None without one. due_before:
    a restart was due.
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
        """In the order in which they are sent."""
        found = [self.mark, self.assign]
        for restart in self.restarts:
            found += restart.steps
        return tuple(step for step in [*found, self.unmark] if step is not None)

    @property
    def due_after(self) -> bool:
        """Whether a restart is still due after the steps."""
        return bool((self.due_before or self.mark) and not self.unmark)

    def with_certificate(self, thumbprint: str) -> SwitchPlan:
        """The same for a certificate that did not exist when this was planned."""
        assign = steps.assign(self.changing, thumbprint) if self.assign else None
        return replace(self, thumbprint=thumbprint, assign=assign)


def plan_switch(
    thumbprint: str, wanted: WantedCertificate, reader: EdgeReader, before: EdgeState, presented: Handshake | None
) -> SwitchPlan:
    """Raises Refused, ServerRefused, ShellError where the services cannot be read."""
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
        # Nobody goes back to a key that others have.
        back=NO_WAY_BACK if wanted.renew_now and wanted.renew_now.compromised else _way_back(changing, before, chosen),
        services=services,
        presented=presented,
        due_before=marked,
        warnings=tuple(warnings),
    )


def no_switch(before: EdgeState, presented: Handshake | None) -> SwitchPlan:
    """Nothing is assigned and nothing restarted."""
    return SwitchPlan("", (), {}, None, None, None, (), None, NO_WAY_BACK, (), presented, MARKER in before.files)


def _to_restart(
    usages: t.Sequence[str], restart: str, services: t.Sequence[WindowsService]
) -> tuple[list[WindowsService], list[str]]:
    """The services to be restarted, and warnings."""
    chosen = affected(usages, services) if restart == "affected" else None
    if chosen is not None:
        return chosen, []
    warnings = []
    if restart == "affected" and not set(usages) >= set(USAGES):
        warnings.append(
            "not every one of %s has a service that is known to present its certificate, so all services of the Edge "
            "are restarted" % ", ".join(usages)
        )
    # A service that somebody stopped stays stopped, unless it is one that has to present the certificate.
    wanted = [s for s in services if not s.stopped or any(presents(s, usage) for usage in usages)]
    return wanted, warnings


def _outage(usages: t.Sequence[str], chosen: t.Sequence[WindowsService]) -> t.Iterator[str]:
    """A warning if the restart interrupts more than XMPP: sign-in, calls and conferences of remote users."""
    others = [usage for usage in USAGES if usage != LISTENING]
    if any(usage in others for usage in usages) or any(presents(s, usage) for s in chosen for usage in others):
        names = ", ".join(service.name for service in chosen)
        yield (
            "the switch restarts %s. This is an outage for remote users of this Edge: sign-in, calls and conferences "
            "through it are interrupted" % names
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
