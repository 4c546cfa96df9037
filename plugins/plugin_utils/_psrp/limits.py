# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a server may take, and how much it may send.

The timeouts of the HTTP library are for one read each: an answer of one byte a second never meets them. So whatever
waits for a server does so in a thread of its own, and whoever needs the result waits for the thread, no longer than the
limit. Then the sockets are closed, so that the thread ends; it sends nothing more.
"""

from __future__ import annotations

import contextvars
import signal
import threading
import time
import typing as t

# Bytes that the answers to one call may have together, and one object of them.
MOST = 256 * 1024 * 1024
MOST_OBJECT = 16 * 1024 * 1024
# Bytes of one answer. Servers are told to send 500 KiB at most (MaxEnvelopeSize), or what the user sets.
MOST_ANSWER = 4 * 1024 * 1024

# What stands where a text was cut off.
CUT = "(...)"

# The name of the threads that may be given up.
THREAD = "within a limit"

T = t.TypeVar("T")


def short(text: str, most: int = 60) -> str:
    """The beginning of what a server sent, for a message."""
    return text if len(text) <= most else text[:most] + CUT


class AnswerError(Exception):
    """What a server sent is not acceptable. The text says what it was."""


class TooLate(AnswerError):
    """The time is over."""


class Limits:
    """What is left of the time and the bytes of a piece of work. variable: which the user sets the time by, or ''."""

    def __init__(self, seconds: float, variable: str = "") -> None:
        self.seconds = seconds
        self._variable = variable
        self._deadline = time.monotonic() + seconds
        self._bytes = MOST
        self._cuts: list[t.Callable[[], None]] = []

    def when_late(self, cut: t.Callable[[], None]) -> None:
        """What ends the work of a thread that was given up."""
        if cut not in self._cuts:
            self._cuts.append(cut)

    def give_up(self) -> None:
        """Nobody waits for the work any longer."""
        for cut in self._cuts:
            cut()

    def left(self) -> float:
        """Seconds, 0 at least."""
        return max(0.0, self._deadline - time.monotonic())

    def check(self) -> None:
        """Raises TooLate."""
        if not self.left():
            raise self.late()

    def late(self) -> TooLate:
        return TooLate("no end within %g s%s" % (self.seconds, self._variable and " (%s)" % self._variable))

    def give_back(self, count: int) -> None:
        """So many bytes that have come are not kept: what is thrown away on the way fills no memory."""
        self._bytes += count

    def take(self, count: int) -> None:
        """So many bytes have come. Raises AnswerError if that is too much, or too late."""
        self._bytes -= count
        if self._bytes < 0:
            raise AnswerError("the server sent more than %d MiB in answer to one call" % (MOST // 2**20))
        self.check()


# Those of the work that goes on in this thread.
_current: contextvars.ContextVar[Limits | None] = contextvars.ContextVar("limits", default=None)


def current() -> Limits:
    """The limits of the work that goes on in this thread."""
    return _current.get() or Limits(threading.TIMEOUT_MAX)


def within(limits: Limits, work: t.Callable[[], T]) -> T:
    """What the work returns or raises. Raises TooLate if there is no end of it in time; nothing waits for it then."""
    limits.check()
    over = threading.Event()
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        # Ansible's alarm and a request to end have to interrupt the main thread, which waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGALRM, signal.SIGTERM))
        _current.set(limits)
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failures.append(error)
        finally:
            over.set()

    threading.Thread(target=run, daemon=True, name=THREAD).start()
    try:
        ended = over.wait(limits.left())
    except BaseException:  # Ansible's alarm, which may ring first
        limits.give_up()
        raise
    if not ended:
        limits.give_up()
        raise limits.late()
    if failures:
        raise failures[0]
    return results[0]
