# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One PowerShell remoting session: opened when first needed, kept, opened again after a loss, closed at the end.

The rule on repetition: a pipeline is sent again only if it certainly was not executed, or if it only reads. A write
that was cut off is reported as lost, and whoever sent it has to read what took effect.

pypsrp takes 0.3 s to import and is imported when a session opens.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ..module_utils._shell.statement import Answer, Credential, Secret, ServerError, Statement
from ._psrp_errors import NOTHING_YET, brief, interrupted, never_sent, no_session, transport_failed
from ._psrp_options import Target
from ._psrp_values import from_wire, quicken, server_error, to_wire, wire_size

if t.TYPE_CHECKING:
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.wsman import WSMan

# Statements of one pipeline. Long pipelines keep everyone waiting for the first result, and are lost as a whole.
CHUNK = 200
# Seconds after which an unused HTTP connection is not trusted any more: servers and firewalls drop idle ones in
# silence, and a write sent into a dropped connection would be a write of unknown outcome.
STALE = 60.0
# Seconds that the farewell to a server may take.
FAREWELL = 5


class SessionError(Exception):
    """There is no session, and nothing of what was asked has been executed."""


class _Broken(Exception):
    """A pipeline did not end as it should. ``untouched``: certainly nothing of it was executed."""

    def __init__(self, reason: str, untouched: bool, repeatable: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.untouched = untouched
        self.repeatable = repeatable


class PsrpSession:
    """A session on one target. Not for several threads.

    note: told in a few words what happens to the session (never holds secrets).
    """

    def __init__(self, target: Target, note: t.Callable[[str], None] = lambda text: None) -> None:
        self.target = target
        self._note = note
        self._pool: RunspacePool | None = None
        self._used = 0.0
        # Whether the endpoint takes several statements in one pipeline; None while that has not been tried.
        self._several: bool | None = None

    @property
    def is_open(self) -> bool:
        return self._pool is not None

    def open(self) -> RunspacePool:
        """Open the session unless it is open, and import the modules. Raises SessionError with what to check."""
        if self._pool is not None:
            return self._pool
        begun = time.monotonic()
        try:
            pool = self._pool = _new_pool(self.target)
            pool.open()
            self._used = time.monotonic()
            if self.target.modules:
                self._import_modules(pool)
        except Exception as error:  # whatever a library or the daemon's alarm raises here: there is no session
            self._drop()
            if isinstance(error, SessionError):
                raise
            raise SessionError(no_session(error, self.target)) from error
        self._note(
            "session opened on %s as '%s' (%s) in %.1f s"
            % (self.target.endpoint, self.target.user, self.target.auth, time.monotonic() - begun)
        )
        return pool

    def close(self) -> None:
        """End the session. Never fails; the server ends what it still knows of it by itself later."""
        if self._pool is not None:
            self._drop(gracefully=True)
            self._note("session closed on %s" % self.target.endpoint)

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """Run the statements in order, in as few pipelines as their number and size allow.

        A failed statement does not stop the next. Raises SessionError if nothing was executed; if the session is lost
        later, the answer says so in ``lost`` and holds what had come until then. An endpoint that takes one statement
        at a time gets reads one by one; writes are reported as ``refused``, as some of them may have been executed.
        """
        total = Answer()
        if not statements:
            return total
        limit = self.open().connection.max_payload_size
        chunks = _chunks(statements, limit, 1 if self._several is False else CHUNK)
        for number, chunk in enumerate(chunks):
            try:
                answer = self._run(chunk)
            except SessionError as error:
                if number == 0:
                    raise
                answer = Answer(lost=str(error))
            if answer.refused and all(statement.is_read for statement in statements):
                return self.invoke(statements)
            total += answer
            if answer.ended_early:
                break
        return total

    def _run(self, chunk: t.Sequence[Statement]) -> Answer:
        reads_only = all(statement.is_read for statement in chunk)
        for attempt in (1, 2):
            pool = self.open()
            try:
                return self._pipeline(pool, chunk)
            except _Broken as broken:
                self._drop()
                self._note("session lost on %s: %s" % (self.target.endpoint, broken.reason))
                again = broken.untouched or (reads_only and broken.repeatable)
                if attempt == 1 and again:
                    continue
                if broken.untouched:
                    raise SessionError("no session on %s: %s" % (self.target.endpoint, broken.reason)) from None
                return Answer(lost="the session on %s was lost: %s" % (self.target.endpoint, broken.reason))
        raise AssertionError("unreachable")

    def _pipeline(self, pool: RunspacePool, chunk: t.Sequence[Statement]) -> Answer:
        from pypsrp.powershell import PowerShell

        complete = False
        try:
            if time.monotonic() - self._used > STALE:
                _fresh_connection(pool)
            if any(isinstance(value, Credential) for one in chunk for value in one.parameters.values()):
                pool.exchange_keys()  # once a session: its password travels encrypted (MS-PSRP 2.2.5.1.24)
            shell = PowerShell(pool)
            for number, statement in enumerate(chunk):
                if number:
                    shell.add_statement()
                shell.add_cmdlet(statement.cmdlet)
                for name, value in statement.parameters.items():
                    shell.add_parameter(name, to_wire(value))
                if statement.select:
                    shell.add_cmdlet("Select-Object").add_parameter("Property", list(statement.select))
            shell.begin_invoke()
            complete = True  # until here the server has not had the whole pipeline
            shell.end_invoke()
            answer = self._judged(_answer(shell, chunk), shell, chunk)
        except Exception as error:
            if not transport_failed(error) and not interrupted(error):
                self._drop()
                raise
            reason = brief(error, self.target)
            raise _Broken(reason, not complete and never_sent(error), transport_failed(error)) from error
        self._used = time.monotonic()
        self._release(pool, shell)
        return answer

    def _judged(self, answer: Answer, shell: PowerShell, chunk: t.Sequence[Statement]) -> Answer:
        """Learn from the first pipeline of several statements whether the endpoint takes such."""
        from pypsrp.complex_objects import PSInvocationState

        if len(chunk) == 1 or answer.lost or self._several is not None:
            return answer
        self._several = shell.state != PSInvocationState.FAILED
        if self._several:
            return answer
        self._note("%s takes one statement at a time: %s" % (self.target.endpoint, answer.errors[0].message))
        return replace(answer, refused=True)

    def _release(self, pool: RunspacePool, shell: PowerShell) -> None:
        """Let the server forget a pipeline that has ended; it counts the ones it remembers."""
        from pypsrp.shell import SignalCode

        try:
            pool.shell.signal(SignalCode.TERMINATE, shell.id)
            pool.pipelines.pop(shell.id, None)
        except Exception as error:  # noqa: BLE001 - the results are here; the next call opens a new session
            self._drop()
            self._note("session lost on %s: %s" % (self.target.endpoint, brief(error, self.target)))

    def _import_modules(self, pool: RunspacePool) -> None:
        statements = [Statement("Import-Module", {"Name": name}) for name in self.target.modules]
        try:
            answer = self._pipeline(pool, statements)
        except _Broken as broken:
            raise SessionError(
                "no session on %s: while importing %s: %s"
                % (self.target.endpoint, ", ".join(self.target.modules), broken.reason)
            ) from None
        if answer.errors:
            raise SessionError(
                "no session on %s: cannot import %s: %s (%s). Check ansible_management_shell_modules: an Edge needs"
                " SkypeForBusiness (2015) or Lync (2013), a Front End's OcsPowershell has its cmdlets already."
                % (
                    self.target.endpoint,
                    ", ".join(self.target.modules),
                    answer.errors[0].message,
                    answer.errors[0].error_id,
                )
            )

    def _drop(self, gracefully: bool = False) -> None:
        """Forget the session, and ask the server to: what still runs in it ends, and it stops counting."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            transport = pool.connection.transport
            transport.connection_timeout = transport.read_timeout = FAREWELL
            if not gracefully:
                _fresh_connection(pool)
            pool.close()
            pool.connection.close()
        except Exception as error:  # noqa: BLE001 - it was lost before, or will time out by itself
            self._note("no farewell to %s: %s" % (self.target.endpoint, brief(error, self.target)))


def _new_pool(target: Target) -> RunspacePool:
    from pypsrp.exceptions import WSManFaultError
    from pypsrp.powershell import RunspacePool
    from pypsrp.wsman import WSMan

    class PatientWSMan(WSMan):
        """Asks again as long as there is nothing yet: opening a session or a cmdlet may outlast one operation."""

        def receive(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            while True:
                try:
                    return super().receive(*args, **kwargs)
                except WSManFaultError as fault:
                    if fault.code != NOTHING_YET:
                        raise

    connection: WSMan = PatientWSMan(**target.wsman)
    pool = RunspacePool(connection, configuration_name=target.configuration_name)
    if hasattr(pool, "_serializer"):
        quicken(pool._serializer)
    return pool


def _fresh_connection(pool: RunspacePool) -> None:
    """Let the next request use a new HTTP connection, and a new security context for encrypted messages."""
    transport = pool.connection.transport
    if transport.session is not None:
        transport.session.close()
    transport.encryption = None


def _chunks(statements: t.Sequence[Statement], limit: int, most: int) -> list[list[Statement]]:
    """The statements in runs of at most ``most`` that fit one message each, where a single one does."""
    chunks: list[list[Statement]] = []
    room = 0
    for statement in statements:
        size = wire_size(statement)
        if not chunks or size > room or len(chunks[-1]) == most:
            chunks.append([])
            room = limit - 1400  # what surrounds the statements of a pipeline
        chunks[-1].append(statement)
        room -= size
    return chunks


def _answer(shell: PowerShell, chunk: t.Sequence[Statement]) -> Answer:
    from pypsrp.complex_objects import PSInvocationState

    hidden = [secret for statement in chunk for secret in _secrets(tuple(statement.parameters.values()))]

    def masked(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, "********")
        return text

    errors = [server_error(record) for record in shell.streams.error]
    if shell.state == PSInvocationState.FAILED and not errors:
        errors.append(
            ServerError(cmdlet=chunk[0].cmdlet, message="the pipeline failed, and the server does not say why")
        )
    return Answer(
        output=tuple(from_wire(value) for value in shell.output),
        errors=tuple(replace(e, message=masked(e.message), target=masked(e.target)) for e in errors),
        warnings=tuple(masked(str(record.message)) for record in shell.streams.warning),
        lost="the server stopped the pipeline" if shell.state == PSInvocationState.STOPPED else "",
    )


def _secrets(values: t.Iterable[t.Any]) -> t.Iterator[str]:
    for value in values:
        if isinstance(value, Secret) and value.reveal():
            yield value.reveal()
        elif isinstance(value, Credential):
            yield from _secrets((value.password,))
        elif isinstance(value, tuple):
            yield from _secrets(value)
