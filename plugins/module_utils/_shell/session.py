# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the shell of a host over its connection. Statements go to the process that keeps the session open."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.connection import Connection, ConnectionError  # noqa: A004 - Ansible's own name for it

from .statement import WAY, Answer, Place, ShellError, Statement

TRANSPORT = "sfb.xmpp.management_shell"

# The number of statements in the first call, and the most in any call.
FIRST, MOST = 20, 200
# Seconds that one call should take, and seconds between two messages about the progress.
AIM = 5.0


def needs_session(module: str, connection: str) -> str:
    """Return the message for a module that does not run over sfb.xmpp.management_shell.

    module: the module's name.
    connection: the name of the connection; empty if the name is unknown.
    """
    return (
        "%s works over the connection %s%s. Set 'ansible_connection: %s' for the host or the play."
        " With the command ansible, add -e ansible_connection=%s. Keep the ansible_psrp variables"
        % (module, TRANSPORT, connection and ", not over %s" % connection, TRANSPORT, TRANSPORT)
    )


@dataclass(frozen=True)
class Captured:
    """This is the unchanged answer of the server to one statement.

    answer: the decoded answer.
    output: the XML of each object.
    seconds: how long the statement took.
    selected: whether the server selected the wanted properties of the objects.
    versions: the versions that the session reports, such as its PSVersion.
    """

    answer: Answer
    output: tuple[str, ...] = ()
    seconds: float = 0.0
    selected: bool = False
    versions: t.Mapping[str, str] = field(default_factory=dict)


class ConnectionShell:
    """Send statements over the socket of a persistent connection (``module._socket_path``).

    tell: a function; called every few seconds with the progress of a long series of statements.
    """

    def __init__(self, socket_path: str | None, tell: t.Callable[[str], None] = lambda text: None) -> None:
        """Raise ShellError without a socket. Then the task does not run over sfb.xmpp.management_shell."""
        if not socket_path:
            raise ShellError(needs_session("this module", ""))
        self._connection = Connection(socket_path)
        self.tell = tell
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """Return the connection's data about the host. The data needs no session."""
        if self._place is None:
            try:
                self._place = Place(**self._connection.place())
            except ConnectionError as error:
                raise ShellError(str(error)) from None
        return self._place

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """Run the statements. Raises ShellError if nothing was executed. A later loss is in the answer.

        Many statements go in several calls of a few seconds each, because Ansible's command timeout is for one call.
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
        """Run one statement that reads, and return the objects unchanged. Raises ShellError."""
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
            # Ansible's text about a missing answer repeats the request with its secrets. So the text is not passed on.
            if not hasattr(error, "code") and _may_have_arrived(error):
                return Answer(lost="the process that keeps the session ended before it answered")
            raise ShellError(str(error), broken_at(getattr(error, "code", None))) from None
        return Answer.decode(answer)

    @contextlib.contextmanager
    def _patience(self, statements: t.Sequence[Statement]) -> t.Iterator[None]:
        """Report every few seconds that a long statement continues. The progress within one answer is unknown."""
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
    """Refuse statements in a task that works without a server."""

    place = Place()

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        raise ShellError("this module has no session")


def code_of(broken: str) -> int | None:
    """Return the step of WAY as the code of an error. Ansible keeps only this code and the text of an error."""
    return WAY.index(broken) + 1 if broken in WAY else None


def broken_at(code: t.Any) -> str:
    """Return the step of WAY for a code of code_of(); empty for any other code."""
    return WAY[code - 1] if isinstance(code, int) and 0 < code <= len(WAY) else ""


def _may_have_arrived(failure: Exception) -> bool:
    """Return whether the request may have been sent before the failure. The other process keeps the session."""
    text = str(failure)
    if text.startswith(("socket path", "Failed to encode")):
        return False
    return not isinstance(failure.__context__, (ConnectionRefusedError, FileNotFoundError))
