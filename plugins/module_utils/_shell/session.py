# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shell of a host as its connection offers it: statements go to the process that keeps the session open."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.connection import Connection, ConnectionError  # noqa: A004 - Ansible's own name for it

from .statement import WAY, Answer, Place, ShellError, Statement

TRANSPORT = "sfb.xmpp.management_shell"

# Statements of the first call, and of any; seconds that one should take, and between two words about the progress.
FIRST, MOST = 20, 200
AIM = 5.0


def needs_session(module: str, connection: str) -> str:
    """What to set where a module runs over another connection, or over one that cannot be told."""
    return (
        "%s works over the connection %s%s: set 'ansible_connection: %s' for the host or the play (in an ad hoc call"
        " add -e ansible_connection=%s), and keep the ansible_psrp variables as they are"
        % (module, TRANSPORT, connection and ", not over %s" % connection, TRANSPORT, TRANSPORT)
    )


@dataclass(frozen=True)
class Captured:
    """What one statement brought, as it came over the wire.

    output: the XML of each object. selected: whether the server cut the objects to what was wanted of them.
    versions: what the session says of itself, such as its PSVersion.
    """

    answer: Answer
    output: tuple[str, ...] = ()
    seconds: float = 0.0
    selected: bool = False
    versions: t.Mapping[str, str] = field(default_factory=dict)


class ConnectionShell:
    """A ``Shell`` over the socket of a persistent connection (``module._socket_path``).

    tell: told every few seconds how far a long series of statements has come.
    """

    def __init__(self, socket_path: str | None, tell: t.Callable[[str], None] = lambda text: None) -> None:
        """Raises ShellError if there is no socket: the task does not run over sfb.xmpp.management_shell."""
        if not socket_path:
            raise ShellError(needs_session("this module", ""))
        self._connection = Connection(socket_path)
        self.tell = tell
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """What the connection knows of its host; needs no session."""
        if self._place is None:
            try:
                self._place = Place(**self._connection.place())
            except ConnectionError as error:
                raise ShellError(str(error)) from None
        return self._place

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """Run the statements. Raises ShellError if nothing was executed; a loss later on is in the answer.

        Many go in several calls of a few seconds each, because Ansible's command timeout is for one call.
        """
        total, sent, size = Answer(), 0, FIRST
        begun = told = time.monotonic()
        while sent < len(statements):
            call = statements[sent : sent + size]
            started = time.monotonic()
            try:
                total += self._call(call)
            except ShellError as error:
                if not sent:
                    raise
                total += Answer(lost=str(error))
            if total.ended_early:
                break
            sent += len(call)
            now = time.monotonic()
            size = max(1, min(MOST, int(size * AIM / max(now - started, 0.001))))
            if now - told >= AIM and sent < len(statements):
                told = now
                self.tell("%d of %d calls sent after %d s" % (sent, len(statements), now - begun))
        return total

    def capture(self, statement: Statement) -> Captured:
        """The same for one statement that reads, with the objects as they came. Raises ShellError."""
        try:
            found = self._connection.capture(statement.encode())
        except ConnectionError as error:
            raise ShellError(str(error)) from None
        return Captured(**{**found, "answer": Answer.decode(found["answer"]), "output": tuple(found["output"])})

    def _call(self, statements: t.Sequence[Statement]) -> Answer:
        try:
            with self._patience(statements):
                answer = self._connection.invoke([statement.encode() for statement in statements])
        except ConnectionError as error:
            # Ansible's text on an answer that does not come repeats the request, secrets included: not to be passed on.
            if not hasattr(error, "code") and _may_have_arrived(error):
                return Answer(lost="the process that keeps the session ended before it answered")
            raise ShellError(str(error), broken_at(getattr(error, "code", None))) from None
        return Answer.decode(answer)

    @contextlib.contextmanager
    def _patience(self, statements: t.Sequence[Statement]) -> t.Iterator[None]:
        """Tell every few seconds that a long statement goes on: of one answer no share is known."""
        cmdlet = next((statement.cmdlet for statement in statements if statement.long), "")
        over = threading.Event()
        begun = time.monotonic()

        def tell() -> None:
            while not over.wait(AIM):
                self.tell("%s has been reading for %d s" % (cmdlet, time.monotonic() - begun))

        teller = threading.Thread(target=tell, daemon=True)
        if cmdlet:
            teller.start()
        try:
            yield
        finally:
            over.set()
            if cmdlet:
                teller.join()


class NoSession:
    """The ``Shell`` of a task that works without a server."""

    place = Place()

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        raise ShellError("this module has no session")


def code_of(broken: str) -> int | None:
    """The link of a way as the code of an error, which is all that Ansible passes on beside its text."""
    return WAY.index(broken) + 1 if broken in WAY else None


def broken_at(code: t.Any) -> str:
    """The link of such a code; empty for any other."""
    return WAY[code - 1] if isinstance(code, int) and 0 < code <= len(WAY) else ""


def _may_have_arrived(failure: Exception) -> bool:
    """Whether a failure between this process and the one that keeps the session came after the request was sent."""
    text = str(failure)
    if text.startswith(("socket path", "Failed to encode")):
        return False
    return not isinstance(failure.__context__, (ConnectionRefusedError, FileNotFoundError))
