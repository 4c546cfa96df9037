# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run PSRP sessions: a runspace pool per shell, pipelines in worker threads, queues of fragments for Receive.

psrpcore implements the protocol without I/O and without locks. Every call of psrpcore in this module holds the
session's only lock. A session runs one pipeline at a time, like a pool with one runspace. So the cmdlets need no locks.
"""

from __future__ import annotations

import logging
import threading
import time
import typing as t
import uuid
from collections import deque

import psrpcore
from psrpcore import types as ps

from ..assumptions import rests_on
from ..cmdlets import clixml
from ..cmdlets.odd_forms import DATES
from ..cmdlets.runspace import Call, Deployment, Runspace
from ..errors import Cut, ErrorDetails, LabError
from .wsman import COMMAND_NOT_FOUND, INVALID_XML, PLUGIN_FAILED, SHELL_NOT_FOUND, SIGNAL_TERMINATE, SIGNALS_STOP, Fault

log = logging.getLogger(__name__)

# Receive waits for this time (seconds) for more output: the end of a short pipeline, or the next object of a list. So
# the answers to a long list are full. The number of answers depends on the list, not on the reader.
LINGER = 0.01


class OneStatement(Exception):
    """A pipeline has several statements, but the lab's setting allows only one."""


class Session:
    """Hold one shell of one user on one host."""

    def __init__(
        self, deployment: Deployment, session_id: str, host: str, user: str, protocol: str, idle: float
    ) -> None:
        """Prepare the session.

        protocol: the host's PSRP version.
        idle: seconds until an unused session ends.
        """
        self.id = session_id
        self.host = host
        self.user = user
        self.idle = idle
        self._deployment = deployment
        self._change = threading.Condition()
        self._runner = threading.Lock()
        self._runspace: Runspace | None = None
        self._pool = psrpcore.ServerRunspacePool()
        self._pool.our_capability.protocolversion = ps.PSVersion(protocol)
        self._queue: deque[bytes] = deque()
        self._commands: dict[str, _Command] = {}
        self._pipelines: dict[uuid.UUID, _Command] = {}
        self._fragment = 0
        self._used = time.monotonic()
        self._waiting = 0
        self._closed = False
        self._cut = False
        self._failure = ""

    # These methods serve WS-Management. Each raises Fault, or Cut if the connection must be dropped.

    def open(self, creation: bytes, fragment: int) -> None:
        """Open the runspace in the background, as a server does. The client gets the result through Receive.

        creation: the client's first PSRP messages.
        fragment: the largest payload that the client accepts, in bytes.
        """
        self._fragment = fragment
        threading.Thread(target=self._open, args=(creation,), daemon=True).start()

    def command(self, command_id: str, data: bytes, fragment: int) -> str:
        """Start a pipeline from the first fragment. Return the client's command id, or else the pipeline's id."""
        with self._change:
            self._touch(fragment)
            if len(data) < 61:
                raise Fault(INVALID_XML, "The command carries no PSRP message.", "w:InvalidParameter")
            # The fragment's header has 21 bytes. Then follow the message's destination (4), type (4) and pool (16).
            pipeline_id = uuid.UUID(bytes_le=data[45:61])
            command_id = (command_id or str(pipeline_id)).upper()
            # The command must exist before the first message is read.
            command = _Command(psrpcore.ServerPipeline(self._pool, pipeline_id))
            self._commands[command_id] = self._pipelines[pipeline_id] = command
            self._feed(data, pipeline_id)
            return command_id

    def send(self, command_id: str, data: bytes, fragment: int) -> None:
        """Accept further fragments, for a pipeline or (with an empty id) for the pool."""
        with self._change:
            self._touch(fragment)
            self._feed(data, self._command(command_id).pipeline.pipeline_id if command_id else None)

    def receive(self, command_id: str, fragment: int, timeout: float) -> tuple[bytes, bool] | None:
        """Return the waiting output of a pipeline or the pool, and whether the output has ended.

        Returns None after ``timeout`` seconds without output.
        """
        with self._change:
            self._touch(fragment)
            command = self._command(command_id) if command_id else None
            queue = command.queue if command else self._queue
            self._waiting += 1
            try:
                found = self._change.wait_for(lambda: queue or (command and command.done) or self._over, timeout)
                if command and found:
                    self._gather(command, fragment)
            finally:
                self._waiting -= 1
                self._used = time.monotonic()
            if self._cut:
                raise Cut
            if not queue and self._over:
                raise Fault(PLUGIN_FAILED, self._failure) if self._failure else not_found(self.id)
            if not found:
                return None
            size = 0
            taken: list[bytes] = []
            while queue and (not taken or size + len(queue[0]) <= fragment):
                size += len(queue[0])
                taken.append(queue.popleft())
            return b"".join(taken), bool(command and command.done and not queue)

    def signal(self, command_id: str, code: str) -> None:
        """Stop a pipeline. With Terminate, also remove the pipeline."""
        with self._change:
            self._touch(self._fragment)
            if code not in (SIGNAL_TERMINATE, *SIGNALS_STOP):
                raise Fault(INVALID_XML, "The lab does not know the signal '%s'." % code, "w:InvalidParameter")
            command = self._command(command_id)
            self._stop(command)
            if code == SIGNAL_TERMINATE:
                del self._commands[command_id.upper()]
                del self._pipelines[command.pipeline.pipeline_id]
                command.pipeline.close()

    def close(self) -> None:
        """Stop all pipelines. Wait up to one second for the running cmdlet, then close the runspace."""
        with self._change:
            if self._closed:
                return
            self._closed = True
            for command in self._commands.values():
                self._stop(command)
            self._change.notify_all()
        closing = threading.Thread(target=self._close_runspace, daemon=True)
        closing.start()
        closing.join(1)

    def touch(self) -> None:
        """Count a request that has no other effect."""
        with self._change:
            self._touch(self._fragment)

    def expired(self) -> bool:
        """Return whether the client was silent for too long."""
        with self._change:
            return not self._waiting and time.monotonic() - self._used > self.idle

    # These methods are internal.

    @property
    def _over(self) -> bool:
        return self._closed or self._cut or bool(self._failure)

    def _gather(self, command: _Command, size: int) -> None:
        """Wait for a full answer of ``size`` bytes, or until the pipeline sends nothing for a short time."""
        more = True
        while more and not (command.done or self._over) and sum(map(len, command.queue)) < size:
            rests_on("full-answers")
            more = self._change.wait(LINGER)

    def _touch(self, fragment: int) -> None:
        self._used = time.monotonic()
        self._fragment = fragment
        if self._closed and not self._cut:
            raise not_found(self.id)

    def _command(self, command_id: str) -> _Command:
        try:
            return self._commands[command_id.upper()]
        except KeyError:
            raise Fault(
                COMMAND_NOT_FOUND, "There is no command %s in this shell." % command_id, "w:InvalidSelectors"
            ) from None

    def _open(self, creation: bytes) -> None:
        with self._runner:
            try:
                runspace = self._deployment.open_runspace(self.host, self.user, self.id)
                with self._change:
                    self._runspace = runspace
                    self._feed(creation, None)
            except Cut:
                self._drop()
            except Exception as e:
                log.exception("session %s could not be opened", self.id)
                with self._change:
                    self._failure = "The session could not be opened: %s" % e
                    self._change.notify_all()

    def _feed(self, data: bytes, pipeline_id: uuid.UUID | None) -> None:
        try:
            self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline_id))
            while (event := self._pool.next_event()) is not None:
                self._handle(event)
        except Exception as e:
            # psrpcore raises various exceptions for malformed data. These exceptions have no common class.
            log.warning("session %s: unreadable PSRP data", self.id, exc_info=True)
            raise Fault(INVALID_XML, "The PSRP data cannot be read: %s" % e, "w:InvalidParameter") from e
        self._flush()

    def _handle(self, event: psrpcore.PSRPEvent[t.Any, t.Any]) -> None:
        if isinstance(event, psrpcore.CreatePipelineEvent):
            command = self._pipelines[event.pipeline_id]
            command.pipeline.state = ps.PSInvocationState.Running
            pipeline = event.pipeline
            if not pipeline.no_input:
                self._fail(command, _refusal("The lab's cmdlets take no input from the client.", "InputNotSupported"))
            else:
                threading.Thread(target=self._run, args=(command, statements(pipeline)), daemon=True).start()
        elif isinstance(event, psrpcore.GetCommandMetadataEvent):
            # Clients ask this question to build proxies. "None" is an answer. Without an answer, clients poll
            # without end.
            command = self._pipelines[event.pipeline_id]
            command.pipeline.state = ps.PSInvocationState.Running
            command.pipeline.write_output(ps.CommandMetadataCount(Count=0))
            self._finish(command)
        elif isinstance(event, psrpcore.GetAvailableRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, 0 if self._runner.locked() else 1)
        elif isinstance(
            event, (psrpcore.SetMaxRunspacesEvent, psrpcore.SetMinRunspacesEvent, psrpcore.ResetRunspaceStateEvent)
        ):
            self._pool.runspace_availability_response(event.ci, True)

    def _run(self, command: _Command, todo: t.Sequence[t.Sequence[Call]]) -> None:
        with self._runner:
            if command.done:
                return
            try:
                if self._runspace is None:
                    raise LabError("a command came before the session was open")
                if len(todo) > 1 and self._deployment.store.setting("one_statement"):
                    raise OneStatement
                self._runspace.run(todo, PipelineSink(self, command))
            except Cut:
                self._drop()
                return
            except OneStatement:
                rests_on("one-statement")
                with self._change:
                    refusal = _refusal("This endpoint takes one statement in a pipeline.", "StatementsNotAllowed")
                    self._fail(command, refusal)
                    self._flush()
                return
            except Exception as e:
                log.exception("session %s: a pipeline broke", self.id)
                with self._change:
                    self._fail(command, _refusal("The lab failed: %s: %s" % (type(e).__name__, e), "LabFailure"))
                    self._flush()
                return
        with self._change:
            self._finish(command)
            self._flush()

    def _finish(self, command: _Command) -> None:
        if not command.done:
            command.pipeline.complete()
            command.done = True

    def _fail(self, command: _Command, record: ErrorDetails) -> None:
        if command.done:
            return
        state = ps.PSInvocationState.Failed
        command.pipeline.prepare_message(
            ps.PipelineState(PipelineState=state.value, ExceptionAsErrorRecord=error_record(record))
        )
        clixml.arrange(self._pool)
        command.pipeline.state = state
        command.done = True

    def fail(self, command: _Command, record: ErrorDetails) -> None:
        """End a pipeline with an error, unless the client has stopped the pipeline."""
        with self._change:
            self._fail(command, record)
            self._flush()

    def _stop(self, command: _Command) -> None:
        if not command.done:
            if command.pipeline.state == ps.PSInvocationState.Running:
                command.pipeline.stop()
            command.done = True
            self._flush()

    def _flush(self) -> None:
        """Move psrpcore's output into the queues, and wake up the waiting Receives."""
        while (payload := self._pool.data_to_send(self._fragment)) is not None:
            if payload.pipeline_id is None:
                self._queue.append(payload.data)
            elif payload.pipeline_id in self._pipelines:
                self._pipelines[payload.pipeline_id].queue.append(payload.data)
        self._change.notify_all()

    def write(self, command: _Command, action: t.Callable[[psrpcore.ServerPipeline], None]) -> None:
        """Write to a pipeline, unless the client has stopped the pipeline."""
        with self._change:
            if not command.done:
                action(command.pipeline)
                self._flush()

    def setting(self, name: str) -> t.Any:
        """Return a setting of the lab."""
        return self._deployment.store.setting(name)

    def gone(self, command: _Command) -> bool:
        """Return whether further output is not needed."""
        return command.done or self._over

    def _drop(self) -> None:
        """Break the connection of a waiting Receive, or else of the next request."""
        with self._change:
            self._closed = self._cut = True
            for command in self._commands.values():
                command.done = True
            self._change.notify_all()
        threading.Thread(target=self._close_runspace, daemon=True).start()

    @property
    def doomed(self) -> bool:
        """Return whether the session was cut. After a cut, the next request of the session is also cut."""
        return self._cut

    def _close_runspace(self) -> None:
        with self._runner:
            runspace, self._runspace = self._runspace, None
        if runspace is not None:
            runspace.close()


class _Command:
    """Hold a pipeline, the output that waits for the client, and whether the pipeline has ended."""

    def __init__(self, pipeline: psrpcore.ServerPipeline) -> None:
        self.pipeline = pipeline
        self.queue: deque[bytes] = deque()
        self.done = False


class PipelineSink:
    """Receive the output of a runspace (see ``statement.Sink``). Thread-safe. Output after a stop is ignored."""

    def __init__(self, session: Session, command: _Command) -> None:
        self._session = session
        self._command = command
        self._reported = bool(session.setting("reported_forms"))
        self._dates = next((DATES[form] for form in session.setting("odd_forms") if form in DATES), None)

    def output(self, value: object) -> None:
        self._session.write(self._command, lambda pipeline: clixml.write(pipeline, value, self._reported, self._dates))

    def error(self, record: ErrorDetails) -> None:
        kind = ps.PSRPMessageType.ErrorRecord
        self._write(lambda pipeline: pipeline.prepare_message(error_record(record), message_type=kind))

    def failed(self, record: ErrorDetails) -> None:
        self._session.fail(self._command, record)

    def warning(self, text: str) -> None:
        self._write(lambda pipeline: pipeline.write_warning(text))

    def _write(self, action: t.Callable[[psrpcore.ServerPipeline], None]) -> None:
        def write(pipeline: psrpcore.ServerPipeline) -> None:
            action(pipeline)
            clixml.arrange(pipeline.runspace_pool)

        self._session.write(self._command, write)

    @property
    def stopped(self) -> bool:
        return self._session.gone(self._command)


def statements(pipeline: psrpcore.PowerShell) -> list[list[Call]]:
    """Return the pipeline's statements. Each is a list of the commands that pipe characters connect."""
    result: list[list[Call]] = [[]]
    for command in pipeline.commands:
        result[-1].append(Call(str(command.command_text), tuple(command.parameters), bool(command.is_script)))
        if command.end_of_statement:
            result.append([])
    return [statement for statement in result if statement]


def error_record(record: ErrorDetails) -> ps.ErrorRecord:
    """Return an error as the object that is sent (MS-PSRP 2.2.3.15)."""
    exception = ps.NETException(Message=record.message)
    exception.PSObject.to_string = "%s: %s" % (record.exception, record.message)
    exception.PSObject.type_names = [record.exception, *exception.PSObject.type_names]
    made = ps.ErrorRecord(
        Exception=exception,
        CategoryInfo=ps.ErrorCategoryInfo(
            Category=ps.ErrorCategory[record.category] if record.category else ps.ErrorCategory.NotSpecified,
            Activity=record.cmdlet,
            Reason=record.exception.rpartition(".")[2],
            TargetName=record.target,
            TargetType="String" if record.target else "",
        ),
        TargetObject=record.target or None,
        FullyQualifiedErrorId=record.error_id,
    )
    made.PSObject.to_string = record.message
    return made


def _refusal(message: str, error_id: str) -> ErrorDetails:
    return ErrorDetails(message, error_id, "InvalidOperation")


def not_found(session_id: str) -> Fault:
    """Return the fault for an unknown shell: a wrong id, an ended shell, or another user's shell."""
    return Fault(
        SHELL_NOT_FOUND,
        "There is no shell %s on this server: the identifier is wrong, or the shell has ended." % session_id,
        "w:InvalidSelectors",
    )
