# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate that is in the store comes into force: assign it, restart what presents it, look, or go back.

A restart that is due is marked by a file on the Edge before the certificate is assigned, and the mark goes away when
the services run again: a run that is interrupted in between is completed by the next one.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._base.step import Step
from .._shell.statement import ServerError
from . import edge_steps as steps
from .edge import LISTENING, MARKER, USAGES, Edge, Service, Sight, affected
from .journal import Journal
from .listener import Listener, Seen
from .supply import UNREADABLE


@dataclass(frozen=True)
class Restart:
    """One service's stop and start, sent together so that the start runs whatever becomes of the controller."""

    service: Service
    stop: Step
    start: Step


class Switch:
    """From the certificates that the usages have to ``thumbprint``; or, without one, nothing.

    restart: affected, all or none. listener: what is looked at to see what is presented; None: nothing is.
    """

    def __init__(
        self, edge: Edge, before: Sight, usages: t.Sequence[str], restart: str, listener: Listener | None = None
    ) -> None:
        self._edge, self._before, self._usages, self._restart = edge, before, usages, restart
        self._listener = listener
        self.seen = listener.look() if listener else None
        self._seen_first = self.seen
        self.thumbprint = ""
        self.changing: list[str] = []
        self.services: list[Service] = []
        self.mark: Step | None = None
        self.assign: Step | None = None
        self.restarts: tuple[Restart, ...] = ()
        self.unmark: Step | None = None
        self.warnings: list[str] = []
        self.down: dict[str, float] = {}
        self.went_back = False

    # Plan

    def plan(self, thumbprint: str) -> list[Step]:
        """The steps in the order in which they are sent."""
        self.thumbprint = thumbprint
        self.changing = [usage for usage in self._usages if self._before.thumbprint(usage) != thumbprint]
        marked = MARKER in self._before.files
        pending = (marked or self._presents_another()) and self._restart != "none"
        if self.changing:
            self.mark = None if marked else steps.note(MARKER, "restart")
            self.assign = steps.assign(self.changing, thumbprint)
        if self.changing or pending:
            self.restarts = self._restarts(self._usages if pending else self.changing)
        if self.restarts and (marked or self.mark):
            self.unmark = steps.remove(MARKER)
        found = [self.mark, self.assign]
        for restart in self.restarts:
            found += [restart.stop, restart.start]
        return [step for step in [*found, self.unmark] if step is not None]

    def settle(self, thumbprint: str, journal: Journal) -> None:
        """The certificate that was planned for exists now, and has a thumbprint."""
        if thumbprint != self.thumbprint and self.assign:
            planned, self.assign = self.assign, steps.assign(self.changing, thumbprint)
            journal.replace(planned, self.assign)
        self.thumbprint = thumbprint

    @property
    def marked(self) -> bool:
        """Whether a restart is still due after the planned steps."""
        return bool((MARKER in self._before.files or self.mark) and not self.unmark)

    def _presents_another(self) -> bool:
        return bool(self.seen and self.seen.thumbprint and self.seen.thumbprint != self.thumbprint)

    def _restarts(self, usages: t.Sequence[str]) -> tuple[Restart, ...]:
        if self._restart == "none":
            return ()
        self.services = self._edge.services()
        chosen = affected(usages, self.services) if self._restart == "affected" else None
        if chosen is None:
            if self._restart == "affected" and not set(usages) >= set(USAGES):
                self.warnings.append(
                    "not every one of %s has a service that is known to present its certificate, so all services of "
                    "the Edge are restarted" % ", ".join(usages)
                )
            # A service that somebody stopped stays stopped, unless it is one that has to present the certificate.
            chosen = [s for s in self.services if s.running or any(s.presents(usage) for usage in usages)]
        return tuple(
            Restart(service, steps.service("Stop", service.name), steps.service("Start", service.name))
            for service in chosen
        )

    # Apply

    def apply(self, journal: Journal) -> bool:
        """Send what was planned. Whether the certificate is in force as far as can be seen."""
        if self.mark and not _send(journal, self.mark):
            return False
        if self.assign:
            missing = self._assign(journal, self.assign)
            if missing is None:  # the mark stays, and the next run, which can read again, does what is due
                return False
            if missing == self.changing:  # nothing was assigned, so nothing new is due
                if self.mark:
                    _send(journal, self.unmark or steps.remove(MARKER))
                return False
            if missing:
                self._go_back(journal, restart=False)
                return False
        if not self.restarts:
            return True
        if self._restart_all(journal) and self._in_sight(journal, self.thumbprint):
            return not self.unmark or _send(journal, self.unmark)
        self._go_back(journal, restart=True)
        return False

    def _assign(self, journal: Journal, step: Step) -> list[str] | None:
        """The usages that have not got it; None where that cannot be read."""
        error = journal.send(step).get(step.cmdlet)
        try:
            seen = Sight(self._edge.assigned(), {})
        except UNREADABLE as exc:
            journal.fail(step, exc if error is None else error)
            return None
        missing = [usage for usage in self.changing if seen.thumbprint(usage) != self.thumbprint]
        if missing:
            text = "no error was reported, but Get-CsCertificate does not show it for %s" % ", ".join(missing)
            journal.fail(step, error or text)
        else:
            journal.done(step, error)
        return missing

    def _restart_all(self, journal: Journal) -> bool:
        """Stop and start one service after the other. Whether all of them were restarted, and run."""
        began: dict[str, float] = {}
        for restart in self.restarts:
            name = restart.service.name
            began[name] = time.monotonic()
            errors = journal.send(restart.stop, restart.start)
            if restart.stop.cmdlet in errors:
                journal.fail(restart.stop, errors[restart.stop.cmdlet])
                del began[name]
            elif not errors:
                self.down[name] = round(time.monotonic() - began[name], 1)
        running = self._make_run(journal)
        for name in began:
            if running and name not in self.down:
                self.down[name] = round(time.monotonic() - began[name], 1)
        return running and len(began) == len(self.restarts)

    def _make_run(self, journal: Journal) -> bool:
        """Whatever ran before, and whatever was restarted, has to run: stopping a service also stops its dependents."""
        starts = {service.name: steps.service("Start", service.name) for service in self.services if service.running}
        starts.update({restart.service.name: restart.start for restart in self.restarts})
        errors: dict[str, ServerError] = {}
        try:
            stopped = self._stopped(starts)
            for name in stopped:
                for error in journal.send(starts[name]).values():
                    errors[name] = error
            stopped = self._stopped(starts) if stopped else []
        except UNREADABLE as exc:
            journal.fail(self.restarts[-1].start, exc)
            return False
        for name, start in starts.items():
            if name in stopped:
                text = "the service does not run, although no error was reported"
                journal.fail(start, errors.get(name, text))
            elif journal.was_sent(start):
                journal.done(start)
        return not stopped

    def _stopped(self, names: t.Collection[str]) -> list[str]:
        return [service.name for service in self._edge.services() if service.name in names and not service.running]

    # See, and go back

    def _in_sight(self, journal: Journal, wanted: str) -> bool:
        """Whether the listener presents ``wanted``; also where it was never to be seen from here."""
        if self._listener is None:
            return True
        reached_before = self._seen_first is not None and self._seen_first.reached
        self.seen = self._listener.wait_for(wanted)
        if self.seen.thumbprint == wanted:
            return True
        if not self.seen.reached and not reached_before:
            self.warnings.append("what is presented was not seen from here: %s" % self.seen.text)
            return True
        journal.note("(handshake)", self._listener.place, "NotInForce", self._words(self.seen, wanted))
        return False

    def _words(self, seen: Seen, wanted: str) -> str:
        if seen.thumbprint:
            return "it presents %s and not %s" % (seen.thumbprint, wanted)
        return "it does not present %s: %s" % (wanted, seen.text)

    def _go_back(self, journal: Journal, restart: bool) -> None:
        """Assign what the usages had before, and restart what was restarted. The mark stays if that fails."""
        former: dict[str, list[str]] = {}
        for usage in self.changing:
            had = self._before.thumbprint(usage)
            if had and had in self._before.store:
                former.setdefault(had, []).append(usage)
        if not former:
            return
        back = [steps.assign(usages, had) for had, usages in former.items()]
        for step in back:
            error = journal.send(step).get(step.cmdlet)
            try:
                seen = Sight(self._edge.assigned(), {})
            except UNREADABLE as exc:
                journal.fail(step, error or exc)
                return
            if any(seen.thumbprint(usage) != step.identity for usage in former[step.identity]):
                journal.fail(step, error or "no error was reported, but Get-CsCertificate does not show it")
                return
            journal.done(step, error)
        if restart:
            first, self.down = self.down, {}
            self.restarts = self._again()
            running = self._restart_all(journal)
            names = {**first, **self.down}
            self.down = {name: round(first.get(name, 0.0) + self.down.get(name, 0.0), 1) for name in names}
            had = self._before.thumbprint(LISTENING)
            if not running or (had and not self._in_sight(journal, had)):
                return
        # A usage that had none cannot go back: it has the new one still, and the next run restarts for it.
        self.went_back = len(set().union(*former.values())) == len(self.changing)
        if self.went_back and (self.mark or self.unmark):
            _send(journal, steps.remove(MARKER))

    def _again(self) -> tuple[Restart, ...]:
        """The same restarts once more, as steps of their own."""
        return tuple(
            Restart(r.service, steps.service("Stop", r.service.name), steps.service("Start", r.service.name))
            for r in self.restarts
        )


def _send(journal: Journal, step: Step) -> bool:
    errors = journal.send(step)
    if errors:
        journal.fail(step, errors[step.cmdlet])
    return not errors
