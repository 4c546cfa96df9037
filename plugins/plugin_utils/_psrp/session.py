# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep one PowerShell remoting session. The session opens at the first use and after a loss, and closes at the end.

A pipeline is sent again only if it certainly was not executed, or if it only reads. An interrupted write is reported as
lost. Then the caller must read which changes took effect.

The import of pypsrp takes 0.3 s. So pypsrp is imported when a session opens.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import replace

from ...module_utils._base.texts import foreign, printable
from ...module_utils._shell.rights import SELECT, question
from ...module_utils._shell.statement import SESSION, Answer, Credential, Secret, ServerError, Statement, Value
from .clixml import UnreadableXml
from .errors import (
    alarm,
    brief,
    broken_link,
    interrupted,
    login_refused,
    never_sent,
    no_session,
    repeatable,
    transport_failed,
)
from .limits import Limits, within
from .login import Login
from .mask import Mask
from .offered import Offered, is_refusal
from .options import Target
from .transport import Messages, Pin, fresh_connection, new_pool
from .values import LONGEST, server_error, to_wire, unreadable, wire_size

if t.TYPE_CHECKING:
    from pypsrp.powershell import PowerShell, RunspacePool

# The most statements of one pipeline. The first result of a long pipeline is late. If a pipeline is lost, all of its
# results are lost.
CHUNK = 200
# Seconds after which an unused HTTP connection is not used again. Servers and firewalls drop idle connections silently.
# The result of a write over a dropped connection is unknown.
STALE = 60.0
# Seconds for closing a pipeline or a session on the server.
FAREWELL = 5
# The default of seconds for one call, and its variable.
LIMIT = 600.0
LIMIT_VARIABLE = "ansible_command_timeout"


class SessionError(Exception):
    """No session is open, and no statement was executed.

    broken: the step of statement.WAY that failed; empty if none failed.
    """

    def __init__(self, text: str, broken: str = "") -> None:
        super().__init__(text)
        self.broken = broken


class _Broken(Exception):
    """A pipeline ended with an error of the transport.

    reason: the error.
    untouched: whether the server certainly executed no statement of the pipeline.
    repeatable: whether reads may be sent again.
    broken: the step of statement.WAY that failed; empty if none failed.
    """

    def __init__(self, reason: str, untouched: bool, repeatable: bool, broken: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.broken = broken
        self.untouched = untouched
        self.repeatable = repeatable


class PsrpSession:
    """Run statements in a session on one target. Use the session in one thread only.

    note: is called with short texts about the session. The texts never have secrets.
    mask: masks the secrets in texts. Secrets that are sent are added to the mask.
    limit: the time limit of one call, in seconds.
    logins: the directory of the run, for the lock of the first login.
    """

    def __init__(
        self,
        target: Target,
        note: t.Callable[[str], None] = lambda text: None,
        mask: Mask | None = None,
        logins: str = "",
    ) -> None:
        self.target = target
        self._logins = logins
        self.limit = LIMIT
        self._tell = note
        self._mask = mask or Mask()
        self._mask.add(*target.secrets)
        self._limits = self._new_limits()
        self._pin = Pin()
        self._pool: RunspacePool | None = None
        self._used = 0.0
        # Whether the endpoint accepts several statements in one pipeline; None before the first try.
        self._several: bool | None = None
        # The cmdlets that the endpoint offers. A new session offers the same cmdlets, because the roles do not change.
        self._offered = Offered()
        self._kept: list[str] | None = None

    @property
    def is_open(self) -> bool:
        return self._pool is not None

    def cuts(self, statement: Statement) -> bool:
        """Return whether the endpoint selects the wanted properties of the statement's objects, as far as known."""
        return self._offered.cuts(statement.select) is not False

    @contextlib.contextmanager
    def capturing(self) -> t.Iterator[list[str]]:
        """Yield a list with the unchanged XML of each object of the last pipeline in the block."""
        kept = self._kept = []
        try:
            yield kept
        finally:
            self._kept = None
            if self._pool is not None:
                _keep(self._pool, None)

    def versions(self) -> dict[str, str]:
        """Return the versions of the open session: all versions of PowerShell's table, and the protocol's version."""
        if self._pool is None:
            return {}
        data = getattr(self._pool, "application_private_data", None)
        found: dict[str, t.Any] = {"protocol": self._pool.protocol_version, **_version_table(data)}
        return {name: str(value) for name, value in found.items() if value is not None}

    def open(self) -> RunspacePool:
        """Open a closed session, and import the modules. Raises SessionError with the remedy."""
        if self._pool is not None:
            return self._pool
        begun = time.monotonic()
        login = Login(self.target, self._logins)
        try:
            pool = self._pool = within(self._limits, lambda: new_pool(self.target, self._pin, login.enter))
            within(self._limits, pool.open)
            login.leave(accepted=True)
            self._used = time.monotonic()
            if self.target.modules:
                self._import_modules(pool)
        except Exception as error:  # After any exception of a library or of the daemon's alarm, no session is open.
            login.leave(accepted=False, refused=login_refused(error))
            self._drop()
            if isinstance(error, SessionError):
                raise
            raise self._no_session(error) from error
        self._note(
            "session opened on %s as '%s' (%s) in %.1f s"
            % (self.target.endpoint, self.target.user, self.target.auth, time.monotonic() - begun)
        )
        return pool

    def close(self) -> None:
        """End the session. The method never fails. If the server keeps the session, the session times out later."""
        if self._pool is not None:
            self._drop(gracefully=True)
            self._offered = Offered()
            self._note("session closed on %s" % self.target.endpoint)

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """Run the statements in order, in as few pipelines as their number and size allow.

        A failed statement does not stop the next statement. Raises SessionError if nothing was executed. If the session
        is lost later, the answer has the reason in ``lost``, and the results until then. An endpoint may accept only
        one statement at a time. Then reads are sent one by one, and writes are reported as ``refused``, because some
        writes may have been executed. An object that cannot be read is an error of the category InvalidData.
        """
        if len(statements) == 1 and (known := self._offered.answer(statements[0])) is not None:
            return known
        self._mask.add(*_secrets(value for statement in statements for value in statement.parameters.values()))
        self._limits = self._new_limits()
        return self._invoke(statements)

    def _invoke(self, statements: t.Sequence[Statement]) -> Answer:
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
                return self._invoke(statements)
            total += answer
            if answer.ended_early:
                break
        return total

    def _run(self, chunk: t.Sequence[Statement]) -> Answer:
        """Run one pipeline. If the endpoint cannot select properties, read whole objects."""
        if any(self._offered.cuts(statement.select) is None for statement in chunk):
            self._attempt([question()])
            if not any(map(self.cuts, chunk)):
                self._read_whole()
        selecting = any(map(self.cuts, chunk))
        answer = self._attempt(chunk)
        if not selecting or not is_refusal(answer):
            return answer
        self._offered.refuse()
        self._read_whole()
        # The statements without a refused selection have run.
        return self._attempt(chunk) if all(statement.is_read for statement in chunk) else answer

    def _attempt(self, chunk: t.Sequence[Statement]) -> Answer:
        """Run one pipeline. If the session is lost, use a new session, but only if no write can run twice."""
        reads_only = all(statement.is_read for statement in chunk)
        for attempt in (1, 2):
            pool = self.open()
            try:
                answer = self._pipeline(pool, chunk)
            except _Broken as broken:
                self._drop()
                self._note("session lost on %s: %s" % (self.target.endpoint, broken.reason))
                again = broken.untouched or (reads_only and broken.repeatable)
                if attempt == 1 and again:
                    continue
                if broken.untouched:
                    text = "no session on %s: %s" % (self.target.endpoint, broken.reason)
                    raise SessionError(text, broken.broken) from None
                return Answer(lost="the session on %s was lost: %s" % (self.target.endpoint, broken.reason))
            if len(chunk) == 1:
                self._offered.learn(chunk[0], answer)
            return answer
        raise AssertionError("unreachable")

    def _pipeline(self, pool: RunspacePool, chunk: t.Sequence[Statement]) -> Answer:
        sent = False

        def work() -> tuple[PowerShell, Answer]:
            nonlocal sent
            shell = self._prepared(pool, chunk)
            shell.begin_invoke()
            sent = True  # Before this line, the server has not received the complete pipeline.
            shell.end_invoke()
            return shell, self._answer(shell, chunk)

        if self._kept is not None:
            self._kept.clear()  # Remove the objects of the first try.
            _keep(pool, self._kept)
        _messages(pool).wanted = _wanted(chunk)
        try:
            if time.monotonic() - self._used > STALE:
                fresh_connection(pool)
            shell, answer = within(self._limits, work)
        except Exception as error:
            if not transport_failed(error) and not interrupted(error):
                self._drop()
                raise
            untouched = not sent and never_sent(error)
            raise _Broken(self._brief(error), untouched, repeatable(error), broken_link(error)) from error
        self._used = time.monotonic()
        self._release(pool, shell)
        return self._judged(answer, shell, chunk)

    def _prepared(self, pool: RunspacePool, chunk: t.Sequence[Statement]) -> PowerShell:
        from pypsrp.powershell import PowerShell

        if any(isinstance(value, Credential) for statement in chunk for value in statement.parameters.values()):
            pool.exchange_keys()  # once for each session: passwords are sent encrypted (MS-PSRP 2.2.5.1.24)
        shell = PowerShell(pool)
        for number, statement in enumerate(chunk):
            if number:
                shell.add_statement()
            shell.add_cmdlet(statement.cmdlet)
            for name, value in statement.parameters.items():
                shell.add_parameter(name, to_wire(value))
            if self.cuts(statement):
                shell.add_cmdlet(SELECT)
                shell.add_parameter("Property", list(statement.select))
        return shell

    def _answer(self, shell: PowerShell, chunk: t.Sequence[Statement]) -> Answer:
        from pypsrp.complex_objects import PSInvocationState

        names = ", ".join(dict.fromkeys(statement.cmdlet for statement in chunk))
        errors = [server_error(record) for record in shell.streams.error]
        errors += [unreadable(names, value) for value in shell.output if isinstance(value, UnreadableXml)]
        if shell.state == PSInvocationState.FAILED and not errors:
            errors.append(
                ServerError(cmdlet=chunk[0].cmdlet, message="the pipeline failed, and the server gave no reason")
            )
        lost = ""
        if shell.state == PSInvocationState.STOPPED:
            lost = "the server stopped the pipeline"
        elif shell.state not in (PSInvocationState.COMPLETED, PSInvocationState.FAILED):
            lost = "the server left the pipeline unfinished, in the state %s" % shell.state
        return Answer(
            output=tuple(value for value in shell.output if not isinstance(value, UnreadableXml)),
            errors=tuple(map(self._error, errors)),
            warnings=tuple(self._words(_warning(record)) for record in shell.streams.warning),
            lost=lost,
        )

    def _error(self, error: ServerError) -> ServerError:
        """Mask the secrets, and make the message printable. Names stay unchanged, because they are compared."""
        masked = {name: self._mask(value) for name, value in error.as_dict().items()}
        return ServerError(**{**masked, "message": self._words(error.message)})

    def _words(self, text: str) -> str:
        """Return a text of the server for administrators, masked and printable."""
        return foreign(self._mask(text), 2 * LONGEST)

    def _judged(self, answer: Answer, shell: PowerShell, chunk: t.Sequence[Statement]) -> Answer:
        """Learn from the first pipeline with several statements whether the endpoint accepts several statements."""
        from pypsrp.complex_objects import PSInvocationState

        if len(chunk) == 1 or answer.lost or self._several is not None:
            return answer
        if any(map(self.cuts, chunk)) and is_refusal(answer):
            return answer
        self._several = shell.state != PSInvocationState.FAILED
        if self._several:
            return answer
        self._note("%s accepts only one statement at a time: %s" % (self.target.endpoint, answer.errors[0].message))
        return replace(answer, refused=True)

    def _release(self, pool: RunspacePool, shell: PowerShell) -> None:
        """Remove a finished pipeline on the server, because the server limits their number."""
        from pypsrp.shell import SignalCode

        try:
            within(Limits(FAREWELL), lambda: pool.shell.signal(SignalCode.TERMINATE, shell.id))
            pool.pipelines.pop(shell.id, None)
        except Exception as error:  # noqa: BLE001 - the results are complete. The next call opens a new session
            self._drop()
            self._note("session lost on %s: %s" % (self.target.endpoint, self._brief(error)))

    def _import_modules(self, pool: RunspacePool) -> None:
        """Import the modules. A module that reports errors is accepted if its commands are available."""
        answer = self._imported(pool, [Statement("Import-Module", {"Name": name}) for name in self.target.modules])
        for name in self.target.modules if answer.errors else ():
            wanted: dict[str, Value] = {"Module": (name,), "ListImported": True, "TotalCount": 1}
            if not self._imported(pool, [Statement("Get-Command", wanted)]).output:
                raise SessionError(
                    "no session on %s: cannot import %s: %s (%s). Check ansible_management_shell_modules. An Edge"
                    " server needs SkypeForBusiness (2015) or Lync (2013). OcsPowershell of a Front End needs none."
                    % (self.target.endpoint, name, answer.errors[0].message, answer.errors[0].error_id),
                    SESSION,
                )
        for error in answer.errors:
            self._note("a module reported an error, but its commands are available: %s" % error.message)

    def _imported(self, pool: RunspacePool, statements: t.Sequence[Statement]) -> Answer:
        try:
            answer = self._pipeline(pool, statements)
        except _Broken as broken:
            reason = broken.reason
        else:
            if not answer.lost:
                return answer
            reason = answer.lost
        raise SessionError(
            "no session on %s: importing %s failed: %s"
            % (self.target.endpoint, ", ".join(self.target.modules), reason),
            SESSION,
        )

    def _drop(self, gracefully: bool = False) -> None:
        """Drop the session on the controller and on the server. Running statements end."""
        pool, self._pool = self._pool, None
        if pool is None:
            return

        def farewell() -> None:
            if not gracefully:
                fresh_connection(pool)
            pool.close()
            pool.connection.close()

        try:
            transport = pool.connection.transport
            transport.connection_timeout = transport.read_timeout = FAREWELL
            within(Limits(FAREWELL), farewell)
        except Exception as error:  # noqa: BLE001 - the session was lost before, or times out
            self._note("the session on %s could not be closed: %s" % (self.target.endpoint, self._brief(error)))

    def _new_limits(self) -> Limits:
        return Limits(self.limit, LIMIT_VARIABLE)

    def _read_whole(self) -> None:
        self._note(
            "%s does not select properties of objects (%s), so whole objects are read" % (self.target.endpoint, SELECT)
        )

    def _note(self, text: str) -> None:
        self._tell(printable(self._mask(text)))

    def _brief(self, error: BaseException) -> str:
        return printable(self._mask(brief(self._in_time(error))))

    def _no_session(self, error: BaseException) -> SessionError:
        shown = self._in_time(error)
        return SessionError(printable(self._mask(no_session(shown, self.target))), broken_link(shown))

    def _in_time(self, error: BaseException) -> BaseException:
        """Replace Ansible's alarm by the error of the session's own limit, because both end at the same time."""
        return self._limits.late() if alarm(error) else error


def _chunks(statements: t.Sequence[Statement], limit: int, most: int) -> list[list[Statement]]:
    """Split the statements into chunks of at most ``most`` statements that fit into one message each."""
    chunks: list[list[Statement]] = []
    room = 0
    for statement in statements:
        size = wire_size(statement)
        if not chunks or size > room or len(chunks[-1]) == most:
            chunks.append([])
            room = limit - 1400  # The bytes of a pipeline without its statements.
        chunks[-1].append(statement)
        room -= size
    return chunks


def _keep(pool: RunspacePool, kept: list[str] | None) -> None:
    """Set the list for the XML of all later objects."""
    _messages(pool).kept = kept


def _messages(pool: RunspacePool) -> Messages:
    """Return the Messages object that new_pool() set."""
    return t.cast(Messages, pool._fragmenter.defragment)


def _wanted(chunk: t.Sequence[Statement]) -> frozenset[str] | None:
    """Return the wanted properties if every statement names its properties; otherwise None.

    A server that cannot select properties sends about ten times as much. Only the wanted properties are kept then.
    """
    if not all(statement.select for statement in chunk):
        return None
    return frozenset(name.lower() for statement in chunk for name in statement.select)


def _version_table(data: t.Any) -> dict[str, t.Any]:
    """Return $PSVersionTable, which a server sends when the session opens (MS-PSRP 2.2.2.13)."""
    table = getattr(data, "data", data)
    table = table.get("PSVersionTable", {}) if isinstance(table, dict) else {}
    return {str(name): value for name, value in table.items()} if isinstance(table, dict) else {}


def _warning(record: t.Any) -> str:
    return str(record.get("InformationalRecord_Message") if isinstance(record, dict) else record)


def _secrets(values: t.Iterable[t.Any]) -> t.Iterator[str]:
    for value in values:
        if isinstance(value, Secret):
            yield value.reveal()
        elif isinstance(value, Credential):
            yield from _secrets((value.password,))
        elif isinstance(value, tuple):
            yield from _secrets(value)
