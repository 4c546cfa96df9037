# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limit the time that a server may take, and the data that the server may send.

A timeout of the HTTP library limits a single read. An answer of one byte a second never exceeds such a timeout. So the
work with a server is done in a separate thread, and the caller waits for the thread until the limit. Then the sockets
are closed, so that the thread ends and sends nothing more.
"""

from __future__ import annotations

import contextvars
import signal
import threading
import time
import typing as t

# The most bytes of all answers to one call, and of one object.
MOST = 256 * 1024 * 1024
MOST_OBJECT = 16 * 1024 * 1024
# The most bytes of one answer. Servers are asked to send at most 500 KiB (MaxEnvelopeSize), or the user's setting.
MOST_ANSWER = 4 * 1024 * 1024

# The mark at the end of a cut text.
CUT = "(...)"

# The name of the threads that may be abandoned.
THREAD = "within a limit"

T = t.TypeVar("T")


def short(text: str, most: int = 60) -> str:
    """Return the beginning of a server's text, for a message."""
    return text if len(text) <= most else text[:most] + CUT


class AnswerError(Exception):
    """The server's answer is not acceptable. The text has the reason."""


class TooLate(AnswerError):
    """The time limit is over."""


class Limits:
    """Hold the remaining time and bytes of one piece of work.

    seconds: the time limit.
    variable: the variable that sets the time limit; empty without such a variable.
    """

    def __init__(self, seconds: float, variable: str = "") -> None:
        self.seconds = seconds
        self._variable = variable
        self._deadline = time.monotonic() + seconds
        self._bytes = MOST
        self._cuts: list[t.Callable[[], None]] = []

    def when_late(self, cut: t.Callable[[], None]) -> None:
        """Add a function that ends the work of an abandoned thread."""
        if cut not in self._cuts:
            self._cuts.append(cut)

    def give_up(self) -> None:
        """Abandon the work, because the wait is over."""
        for cut in self._cuts:
            cut()

    def left(self) -> float:
        """Return the remaining seconds, 0 or more."""
        return max(0.0, self._deadline - time.monotonic())

    def check(self) -> None:
        """Raise TooLate if the time is over."""
        if not self.left():
            raise self.late()

    def late(self) -> TooLate:
        return TooLate("not finished within %g s%s" % (self.seconds, self._variable and " (%s)" % self._variable))

    def give_back(self, count: int) -> None:
        """Give back the bytes of data that is not kept, because the data uses no memory."""
        self._bytes += count

    def take(self, count: int) -> None:
        """Add received bytes to the used bytes. Raises AnswerError for too many bytes, or if the time is over."""
        self._bytes -= count
        if self._bytes < 0:
            raise AnswerError("the server sent more than %d MiB in answer to one call" % (MOST // 2**20))
        self.check()


# The limits of the work in this thread.
_current: contextvars.ContextVar[Limits | None] = contextvars.ContextVar("limits", default=None)


def current() -> Limits:
    """Return the limits of the work in this thread."""
    return _current.get() or Limits(threading.TIMEOUT_MAX)


def within(limits: Limits, work: t.Callable[[], T]) -> T:
    """Return the result of work in a thread. Raises the exceptions of the work, and TooLate after the time limit."""
    limits.check()
    over = threading.Event()
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        # Ansible's alarm and a request to end must interrupt the main thread, which waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGALRM, signal.SIGTERM))
        _current.set(limits)
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises the error again
            failures.append(error)
        finally:
            over.set()

    threading.Thread(target=run, daemon=True, name=THREAD).start()
    try:
        ended = over.wait(limits.left())
    except BaseException:  # Ansible's alarm can interrupt the wait before the limit.
        limits.give_up()
        raise
    if not ended:
        limits.give_up()
        raise limits.late()
    if failures:
        raise failures[0]
    return results[0]
