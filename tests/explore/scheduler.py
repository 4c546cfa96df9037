# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that stop before each request, and go on one at a time, in an order that the caller chooses.

A run is a thread of its own. Only one of them moves at any time, so that an order says all that happens.
"""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, ShellError, Statement

from tests.explore.footprint import NOTHING, START, Footprint, footprint

# What happens to one request. The last one ends the run before the request.
LOST_ANSWER, LOST_SESSION, KILL = "lost_answer", "lost_session", "kill"
FAULTS = (LOST_ANSWER, LOST_SESSION, KILL)
# Seconds after which a run that says nothing is a mistake of the scheduler.
PATIENCE = 30


class Killed(BaseException):
    """Ends a run at once. Nothing catches it."""


@dataclass(frozen=True)
class Fault:
    """kind: one of FAULTS. party: whose request. at: the number of the request, from 0."""

    kind: str
    party: int
    at: int


@dataclass(frozen=True)
class Told:
    """How a run ended. words: all that it said.

    state: done, refused, broken (the server could not be read), killed, or crashed.
    """

    state: str
    words: str = ""
    result: Result | None = None

    @property
    def green(self) -> bool:
        """Whether a user sees a success. Warnings do not change that."""
        return self.state == "done" and self.result is not None and not self.result.failures


class Server(t.Protocol):
    """What the runs share."""

    def place(self, party: int) -> Place:
        """Where the run is."""

    def invoke(self, party: int, request: int, statements: t.Sequence[Statement]) -> Answer:
        """Carry out a request."""


class Party(threading.Thread):
    """One run as a shell of its own.

    state: stopped (before a request), waiting (for the lock), running or over. pending: the footprint of what it does
    next. steps: whether it stops before each statement, and not only before each request.
    """

    def __init__(
        self, number: int, server: Server, work: t.Callable[[t.Any], Result], fault: Fault | None, *, locked: bool,
        steps: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(daemon=True)
        self.number, self.place, self.requests = number, server.place(number), 0
        self.state, self.told, self.pending = "running", Told("crashed"), NOTHING
        self._server, self._work, self._fault = server, work, fault
        self._locked, self._steps = locked, steps
        self._go, self._changed, self._abandoned = threading.Semaphore(0), threading.Condition(), False

    # The scheduler's side

    def wait(self, *but: str) -> None:
        """Until the run has stopped or is over, or waits for the lock. but: a state that is not waited for."""
        with self._changed:
            ends = {"stopped", "waiting", "over"} - set(but)
            assert self._changed.wait_for(lambda: self.state in ends, PATIENCE), "run %d does not stop" % self.number

    def go(self) -> None:
        """Let it carry out what it stopped at."""
        self.state = "running"
        self._go.release()
        self.wait()

    def abandon(self) -> None:
        """End it where it is."""
        self._abandoned = True
        self.go()

    def _become(self, state: str) -> None:
        with self._changed:
            self.state = state
            self._changed.notify_all()

    # The run's side

    def run(self) -> None:
        try:
            if self._locked:
                self._halt(START)
            self.told = self._tell(self._work(self))
        except Refused as exc:
            self.told = Told("refused", str(exc))
        except (ServerRefused, ShellError) as exc:
            self.told = Told("broken", str(exc))
        except Killed:
            self.told = Told("killed")
        finally:
            self._become("over")

    @staticmethod
    def _tell(result: Result) -> Told:
        return Told("done", "\n".join([*map(str, result.failures), *result.warnings]), result)

    def tell(self, text: str) -> None:
        """The lock is held by the other run."""
        self._become("waiting")

    def _halt(self, next_one: Footprint) -> None:
        self.pending = next_one
        self._become("stopped")
        assert self._go.acquire(timeout=PATIENCE)
        if self._abandoned:
            raise Killed

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        if all(statement.cmdlet == "Get-Command" for statement in statements):
            return self._server.invoke(self.number, self.requests, statements)  # what a session offers never changes
        number, self.requests = self.requests, self.requests + 1
        fault = self._fault.kind if self._fault and (self._fault.party, self._fault.at) == (self.number, number) else ""
        if not self._steps:
            self._halt(footprint(statements))
            return self._carry_out(number, fault, statements)
        total = Answer()
        for statement in statements:
            self._halt(footprint([statement]))
            total += self._carry_out(number, fault, [statement])
            if total.lost:
                break
        return total

    def _carry_out(self, number: int, fault: str, statements: t.Sequence[Statement]) -> Answer:
        if fault == KILL:
            raise Killed
        if fault == LOST_SESSION:
            return Answer(lost="connection reset")
        answer = self._server.invoke(self.number, number, statements)
        return Answer(lost="connection reset") if fault == LOST_ANSWER else answer


class Course:
    """One schedule as it is carried out: who moves next is asked at each step."""

    def __init__(self, parties: t.Sequence[Party]) -> None:
        self.parties = parties
        for party in parties:
            party.start()
            party.wait()

    @property
    def ready(self) -> dict[int, Footprint]:
        """Who can move, and what with."""
        return {party.number: party.pending for party in self.parties if party.state == "stopped"}

    def move(self, number: int) -> None:
        self.parties[number].go()
        self._unlock()

    def _unlock(self) -> None:
        """Who waited for the lock of a run that is over has it now, and stops at its next request."""
        if any(party.state == "over" for party in self.parties):
            for party in self.parties:
                party.wait("waiting")

    def end(self) -> None:
        """Leave no thread behind."""
        while stopped := [party for party in self.parties if party.state == "stopped"]:
            stopped[0].abandon()
            self._unlock()
