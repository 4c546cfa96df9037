# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the plan of a switch: assign, restart the services, check with a handshake. If the check fails, roll back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.reading import UNREADABLE
from .._base.step import Step
from .._base.step_log import StepLog
from .._topology.restart import Restart, Restarted, restart_all
from . import steps
from .edge import ASSIGNED, MARKER, EdgeReader, EdgeState, assigned_of
from .listener import Handshake, Listener
from .switch import SwitchPlan


@dataclass(frozen=True)
class Switched:
    """This is the result of a switch.

    done: whether the certificate is in use, as far as the run can check.
    down: the seconds that each service was down, by name.
    presented: the last handshake.
    went_back: whether the former certificates are assigned again.
    """

    done: bool = False
    down: t.Mapping[str, float] = field(default_factory=dict)
    presented: Handshake | None = None
    went_back: bool = False
    warnings: tuple[str, ...] = ()


def switch(plan: SwitchPlan, log: StepLog, reader: EdgeReader, listener: Listener | None) -> Switched:
    """Send the planned steps. If the certificate does not come into use, roll back."""
    work = _Switching(plan, log, reader, listener)
    done = work.forth()
    return Switched(done, work.down, work.presented, work.went_back, tuple(work.warnings))


class _Switching:
    def __init__(self, plan: SwitchPlan, log: StepLog, reader: EdgeReader, listener: Listener | None) -> None:
        self._plan, self._log, self._reader, self._listener = plan, log, reader, listener
        self.presented = plan.presented
        self.down: dict[str, float] = {}
        self.went_back = False
        self.warnings: list[str] = []

    def forth(self) -> bool:
        """Switch, and return whether the certificate is in use, as far as the run can check."""
        plan, log = self._plan, self._log
        if plan.mark and not log.do(plan.mark):
            return False
        if plan.assign:
            missing = self._assign(plan.assign, plan.had)
            if missing is None:  # The mark stays, so that the next run completes the switch.
                return False
            if missing == list(plan.changing):  # Nothing was assigned, so no restart is needed.
                if plan.mark:
                    log.do(plan.unmark or steps.remove(MARKER))
                return False
            if missing:
                self._go_back(restart=False)
                return False
        if not plan.restarts:
            return True
        restarted = self._restart_all(plan.restarts)
        if restarted.left:  # The new certificate did not fail. The mark stays, and the next run completes the restart.
            log.do(steps.note(MARKER, "\n".join(restarted.left)))
            text = "the new certificate is assigned, but %s does not use it until it is restarted. Run again later"
            self.warnings.append(text % restarted.left[0])
            return False
        if restarted.complete and self._is_presented(plan.thumbprint):
            return not plan.unmark or log.do(plan.unmark)
        self._go_back(restart=True)
        return False

    def _assign(self, step: Step, had: t.Mapping[str, str | None]) -> list[str] | None:
        """Assign the certificate. Return the usages without the certificate; None if the usages cannot be read.

        had: the thumbprints of the usages before the step.
        """
        usages = list(had)
        error = self._log.send(step, look=ASSIGNED).get(step.cmdlet)
        self._say_what_it_met(step, had)
        try:
            found = EdgeState(self._reader.assigned(), {})
        except UNREADABLE as exc:
            self._log.fail(step, error or exc)
            return None
        missing = [usage for usage in usages if found.thumbprint(usage) != step.identity]
        if missing:
            text = "the server reported no error, but Get-CsCertificate does not show it for %s" % ", ".join(missing)
            self._log.fail(step, error or text)
        else:
            self._log.done(step, error)
        return missing

    def _say_what_it_met(self, step: Step, had: t.Mapping[str, str | None]) -> None:
        """Warn if this run overwrote the change of another run."""
        items = [item for item in self._log.looked if isinstance(item, dict) and "Use" in item]
        met = EdgeState(assigned_of(items), {})
        text = "%s: overwrote another change: it had %s in the plan, %s right before this run, and has %s now"
        self.warnings += [
            text % (usage, had[usage], met.thumbprint(usage), step.identity)
            for usage in had
            if items and met.thumbprint(usage) not in (had[usage], step.identity)
        ]

    def _restart_all(self, restarts: t.Sequence[Restart]) -> Restarted:
        found = restart_all(restarts, self._plan.services, self._log, self._reader.services)
        for name, seconds in found.down.items():
            self.down[name] = round(self.down.get(name, 0.0) + seconds, 1)
        return found

    # Handshake and rollback

    def _is_presented(self, wanted: str) -> bool:
        """Return whether the listener presents ``wanted``. The result is also true if the listener never answered."""
        if self._listener is None:
            return True
        answered_before = self._plan.presented is not None and self._plan.presented.reached
        found = self.presented = self._listener.wait_for(wanted)
        if found.thumbprint == wanted:
            return True
        if not found.reached and not answered_before:
            self.warnings.append("the controller could not check which certificate is presented: %s" % found.text)
            return True
        text = "the listener does not present %s: %s" % (wanted, found.text)
        if found.thumbprint:
            text = "the listener presents %s, not %s" % (found.thumbprint, wanted)
        self._log.note("(handshake)", self._listener.place, "NotInForce", text)
        return False

    def _go_back(self, restart: bool) -> None:
        """Assign the former certificates, and restart the services again. If a step fails, the mark stays."""
        plan, back = self._plan, self._plan.back
        if not back.assign:
            return
        for step in back.assign:
            usages = t.cast("tuple[str, ...]", step.parameters["Type"])
            if self._assign(step, dict.fromkeys(usages, plan.thumbprint)) != []:
                return
        if restart:
            running = self._restart_all(back.restarts)
            if not running.complete or (back.presents and not self._is_presented(back.presents)):
                return
        # A usage without a former certificate keeps the new certificate, and the next run restarts the usage's service.
        self.went_back = back.complete
        if self.went_back and (plan.mark or plan.unmark):
            self._log.do(steps.remove(MARKER))
