# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A place on the way to the lab's servers, behind their TLS, where one message meets with one fault.

The servers are the lab's own; whoever speaks to them sees a certificate that is good, and what a broken network, a
proxy or a dying server makes of the N-th message.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import time
import typing as t
from pathlib import Path

from lab.cmdlets.runspace import Deployment
from lab.deployment.faults import Faults
from lab.deployment.store import Store
from lab.deployment.tls import ensure_identity
from lab.errors import Cut
from lab.remoting.service import Answer
from tests.faults.run import PATIENCE
from tests.integration.hostile_server import HostileServer, Turn

# Seconds that an answer takes which comes too late.
LATE = PATIENCE + 0.6

_STREAM = re.compile(rb"(<rsp:Stream[^>]*>)([^<]+)(</rsp:Stream>)")


def _handled(turn: Turn) -> Answer:
    return turn.handler.server.service.handle(turn.body, turn.handler.server.user)


def _end(turn: Turn) -> None:
    turn.handler.close_connection = True


def cut_before(turn: Turn) -> None:
    """The connection breaks, and the message never arrives."""
    _end(turn)


def cut_after(turn: Turn) -> None:
    """The message arrives, and its answer is lost."""
    _handled(turn)
    _end(turn)


def cut_within(turn: Turn) -> None:
    """The connection breaks in the middle of the answer."""
    answer = _handled(turn)
    head = b"HTTP/1.1 %d OK\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n"
    turn.raw(head % (answer.status, len(answer.body)), answer.body[: len(answer.body) // 2])


def answer_late(turn: Turn) -> None:
    """The answer arrives after the time limit of the controller."""
    answer = _handled(turn)
    time.sleep(LATE)
    turn.http(answer.status, answer.body)


def request_late(turn: Turn) -> None:
    """The message is delayed, and arrives after the time limit of the controller."""
    time.sleep(LATE)
    _handled(turn)
    _end(turn)


def delayed(turn: Turn) -> None:
    """The answer is slow, but arrives in time."""
    answer = _handled(turn)
    time.sleep(PATIENCE / 4)
    turn.http(answer.status, answer.body)


def twice(turn: Turn) -> None:
    """The network sends the message twice. The answer to the second message arrives."""
    _handled(turn)
    answer = _handled(turn)
    turn.http(answer.status, answer.body)


def answer_twice(turn: Turn) -> None:
    """The answer has the server's output twice."""
    answer = _handled(turn)

    def doubled(found: re.Match[bytes]) -> bytes:
        data = base64.b64decode(found[2])
        return found[1] + base64.b64encode(data + data) + found[3]

    turn.http(answer.status, _STREAM.sub(doubled, answer.body))


def corrupt(turn: Turn) -> None:
    """Some bytes of the answer are wrong: in the server's output, or in the envelope of an answer without output."""
    answer = _handled(turn)
    found = _STREAM.search(answer.body)
    start, end = found.span(2) if found else (0, len(answer.body))
    middle = (start + end) // 2
    turn.http(answer.status, answer.body[: middle - 8] + b"A" * 16 + answer.body[middle + 8 :])


def forgotten(turn: Turn) -> None:
    """The server restarts before the message, and has no sessions any more."""
    turn.handler.server.sessions.close_all()
    answer = _handled(turn)
    turn.http(answer.status, answer.body)


def dead_after(turn: Turn) -> None:
    """The server accepts the message, then ends all sessions and gives no answer."""
    _handled(turn)
    turn.handler.server.sessions.close_all()
    _end(turn)


def killed_before(turn: Turn) -> None:
    """The process of the run is killed (kill -9) before the message of the run arrives."""
    _kill(turn)
    _end(turn)


def killed_after(turn: Turn) -> None:
    """The process of the run is killed, and the message of the run arrives."""
    _kill(turn)
    _handled(turn)
    _end(turn)


def _kill(turn: Turn) -> None:
    os.kill(turn.handler.server.victim, signal.SIGKILL)


FAULTS: dict[str, t.Callable[[Turn], None]] = {
    one.__name__: one
    for one in (
        cut_before, cut_after, cut_within, answer_late, request_late, delayed, twice, answer_twice, corrupt, forgotten,
        dead_after, killed_before, killed_after,
    )
}  # fmt: skip
# Those for which the run has to be a process of its own.
KILLS = ("killed_before", "killed_after")
# What the lab does at a statement, not at a message: before the N-th takes effect, and after it.
STATEMENTS: dict[str, dict[str, t.Any]] = {
    "cut_before_statement": {"action": "cut", "when": "before"},
    "cut_after_statement": {"action": "cut", "when": "after"},
    "error_at_statement": {"action": "error", "when": "before"},
}
NAMES = (*FAULTS, *STATEMENTS)


class Way:
    """The servers of one deployment. arm() chooses what happens to which message, counted over all of them."""

    def __init__(self, directory: Path, hosts: t.Sequence[str]) -> None:
        self.identity = ensure_identity(directory)
        self.deployment = Deployment(directory)
        self.messages = 0
        self.faults = Faults(self.deployment.store)
        self._at = 0
        self._fault: t.Callable[[Turn], None] | None = None
        self.servers = {
            host: HostileServer(directory, self.identity.context(), host, self.deployment) for host in hosts
        }
        for server in self.servers.values():
            server.misbehave = self._message

    @property
    def store(self) -> Store:
        return self.deployment.store

    def arm(self, fault: str = "", at: int = 0) -> None:
        """From now on messages are counted anew; the one with this number meets with the fault.

        A fault of statements strikes the statement with this number.
        """
        self.faults.clear()
        self.messages, self._at, self._fault = 0, at, FAULTS.get(fault)
        if fault in STATEMENTS:
            self.faults.add("*", skip=at - 1, **STATEMENTS[fault])

    def victim(self, process: int) -> None:
        """Who is killed, where that is the fault."""
        for server in self.servers.values():
            server.victim = process

    def close(self) -> None:
        for server in self.servers.values():
            server.stop()
        self.store.close()

    def _message(self, turn: Turn) -> bool:
        self.messages += 1
        if self._fault is None or self.messages != self._at:
            return False
        try:
            self._fault(turn)
        except Cut:
            _end(turn)
        return True
