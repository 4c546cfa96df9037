# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve a capture as a deployment. The lab answers each statement with the real server's answer, byte for byte.

If a statement was not captured, an answer can be derived if the derivation is safe. An object can come from a complete
list, by identity. Select-Object can select properties of objects. The domain controller and the error action can
differ. Cmdlets that write fail. A statement without an answer in the capture fails, too.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict
from pathlib import Path

from ..assumptions import statement as resting
from ..cmdlets.clixml import Raw
from ..cmdlets.core import PRODUCT_MODULE, unknown_command
from ..cmdlets.masking import show_parameters
from ..cmdlets.objects import CommandType, make, properties_of
from ..cmdlets.runspace import Call, Deployment, Runspace
from ..cmdlets.statement import Run, Session, Sink
from ..deployment.hosts import HOSTS
from ..deployment.store import fold
from ..deployment.wildcard import has_wildcard, like
from ..errors import CmdletError, ErrorDetails, Failed
from .capture import Answered, Capture, Host, read

# These parameters do not change the output: error handling, and the domain controller.
_WITHOUT_EFFECT = {"erroraction", "ea", "warningaction", "wa", "domaincontroller"}
_PLUMBING = {"select-object", "out-default"}
_PREFIXES = ("", "tag:", "site:", "sip:")
# These properties identify an object. The last two properties identify a user.
_NAMES = ("Identity", "SipAddress", "UserPrincipalName", "DistinguishedName")
Key = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


class ReplayDeployment(Deployment):
    """Run a lab whose servers answer from a capture. The store only keeps the log."""

    def __init__(self, directory: Path, file: Path) -> None:
        """Open the replay. Raises CaptureError, or LabError if the directory has a lab of another profile."""
        capture = read(file)
        super().__init__(directory, capture.profile)
        self.store.set_setting("restricted_select", [])  # so that Select-Object can select properties
        self._hosts = _places(capture)

    def runspace(self, session: Session) -> Runspace:
        return ReplayRunspace(session, self._hosts.get(session.host.name))


def _places(capture: Capture) -> dict[str, Host]:
    """Assign the captured servers to servers of the lab, by role and in order."""
    found: dict[str, Host] = {}
    for role in ("management", "edge"):
        ours = [name for name, host in HOSTS.items() if host.role == role]
        found.update(zip(ours, (host for host in capture.hosts if host.role == role), strict=False))
    return found


class ReplayRunspace(Runspace):
    """Run one session on one host of a capture; None if the capture does not have the host."""

    def __init__(self, session: Session, host: Host | None) -> None:
        super().__init__(session)
        self._host = host
        self._answers: dict[Key, list[Answered]] = {}
        for one in host.statements if host else ():
            key = _key([(c.cmdlet, c.parameters) for c in one.pipeline])
            self._answers.setdefault(key, []).append(one)
        self._offered = {fold(name) for name in (host.commands if host and host.commands is not None else ())}

    def statement(self, calls: t.Sequence[Call], sink: Sink) -> None:
        started, name = time.time(), calls[0].name
        asked = [(call.name, show_parameters(None, call.parameters)) for call in calls]
        outcome, problem = "ok", ""
        try:
            with resting():
                records = self._answer(calls, asked, sink)
            if records:
                outcome, problem = "error", "; ".join(record.message for record in records)
        except CmdletError as e:
            outcome, problem = "error", e.message
            raise Failed(e.details(name)) from None
        finally:
            session = self.session
            session.store.log(
                "statement", session.host.name, session.id, session.account.user, name, asked[0][1], outcome, problem,
                started,
            )  # fmt: skip

    def _answer(
        self, calls: t.Sequence[Call], asked: list[tuple[str, dict[str, t.Any]]], sink: Sink
    ) -> list[ErrorDetails]:
        """Write the output of the capture. Return the errors. Raises CmdletError if the capture has no answer."""
        found = self._captured(asked)
        if found is not None:
            output: list[object] = [Raw(xml) for xml in found.output]
            return self._say(found, output, sink)
        name, parameters = asked[0]
        identity = next((v for k, v in parameters.items() if fold(k) == "identity"), None)
        if isinstance(identity, str):
            every = (name, {k: v for k, v in parameters.items() if fold(k) != "identity"})
            whole = self._captured([every, *asked[1:]])
            if whole is not None:
                return self._say(whole, _of_identity(whole, identity), sink)
        if len(calls) > 1 and fold(calls[-1].name) in _PLUMBING:
            kept: list[object] = []
            inner = _Collecting(sink, kept)
            records = self._answer(calls[:-1], asked[:-1], inner)
            last = Run(self.session, calls[-1], sink, sink.output)
            last.prepare(piped=True)
            last.pipe(kept)
            return records
        if fold(name) in ("import-module", *_PLUMBING):
            return []
        if fold(name) == "get-command":
            for each in self._commands(parameters):
                sink.output(each)
            return []
        raise self._nothing(name)

    def _captured(self, asked: t.Sequence[tuple[str, dict[str, t.Any]]]) -> Answered | None:
        """Return the next unused answer to this exact statement. After the last answer, repeat the last answer."""
        answers = self._answers.get(_key(asked))
        if not answers:
            return None
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _say(self, answered: Answered, output: t.Sequence[object], sink: Sink) -> list[ErrorDetails]:
        for value in output:
            sink.output(value)
        for text in answered.warnings:
            sink.warning(text)
        records = [ErrorDetails(**asdict(problem)) for problem in answered.errors]
        for record in records:
            sink.error(record)
        return records

    def _commands(self, parameters: dict[str, t.Any]) -> t.Iterator[object]:
        """Return the list of commands, if this exact statement was not captured."""
        wanted = parameters.get("Name", parameters.get("#0", "*"))
        names = self._host.commands if self._host and self._host.commands is not None else ()
        for pattern in wanted if isinstance(wanted, list) else [wanted]:
            matches = [name for name in names if like(name, str(pattern))]
            if not matches and not has_wildcard(str(pattern)):
                raise unknown_command(str(pattern))
            for name in matches:
                module = PRODUCT_MODULE[self.session.profile]
                properties = {"Name": name, "CommandType": CommandType.Cmdlet, "ModuleName": module, "Version": None}
                yield make(["System.Management.Automation.CmdletInfo"], properties, text=name)

    def _nothing(self, name: str) -> CmdletError:
        if self._host is None:
            return _error("The capture has no server for %s." % self.session.host.fqdn, "NotCaptured", name)
        known = {fold(one.cmdlet) for one in self._host.statements}
        if self._host.commands is not None and fold(name) not in self._offered | known:
            return unknown_command(name)
        if not fold(name).startswith(("get-", "test-")):
            return _error("The lab replays a capture; %s would write." % name, "ReplayIsReadOnly", name)
        return _error("The capture has no answer to this call of %s." % name, "NotCaptured", name)


class _Collecting:
    """Collect the objects for the next command. All other output goes to the next sink."""

    def __init__(self, sink: Sink, kept: list[object]) -> None:
        self._sink = sink
        self._kept = kept

    def output(self, value: object) -> None:
        self._kept.append(value)

    def error(self, record: ErrorDetails) -> None:
        self._sink.error(record)

    def failed(self, record: ErrorDetails) -> None:
        self._sink.failed(record)

    def warning(self, text: str) -> None:
        self._sink.warning(text)

    @property
    def stopped(self) -> bool:
        return self._sink.stopped


def _of_identity(whole: Answered, identity: str) -> list[object]:
    """Return the object of a list by identity, with or without scope. Raises CmdletError if no object matches."""
    wanted = {fold(prefix + identity) for prefix in _PREFIXES}
    found: list[object] = []
    for xml in whole.output:
        value = Raw(xml)
        its = properties_of(value)
        if any(fold(str(its[name])) in wanted for name in _NAMES if name in its):
            found.append(value)
    if not found:
        raise _error("The capture has no '%s'." % identity, "ItemNotFound", identity, "ObjectNotFound")
    return found


def _error(message: str, error_id: str, target: str, category: str = "InvalidOperation") -> CmdletError:
    return CmdletError(message, error_id, category, target)


def _key(pipeline: t.Sequence[tuple[str, dict[str, t.Any]]]) -> Key:
    """Return a key to compare statements: cmdlets and parameters, without case and in any order of parameters."""
    return tuple(
        (
            fold(cmdlet),
            tuple(sorted((fold(k), fold(repr(v))) for k, v in parameters.items() if fold(k) not in _WITHOUT_EFFECT)),
        )
        for cmdlet, parameters in pipeline
    )
