# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect the protocol with the simulation: a deployment, and the runspaces that clients open in the deployment."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace
from pathlib import Path

from ..deployment.faults import SESSION, Faults, Moment
from ..deployment.hosts import SHELLS, Account, Host, login
from ..deployment.seed import seed
from ..deployment.shape import SETTING, SHAPE
from ..deployment.store import Store
from ..errors import Cut, ErrorDetails, Failed, LabError, Stopped
from . import contract
from .objects import as_serialised
from .odd_forms import more, odd
from .statement import Call, Run, Session, Sink

__all__ = ["Call", "Deployment", "Runspace", "Sink"]


class Deployment:
    """Hold the state and behavior of one lab."""

    def __init__(self, directory: Path, profile: str = "sfb2015") -> None:
        """Open or create the lab in a directory. Raises LabError if the profile or shape of the lab differs."""
        if profile not in contract.PROFILES:
            raise LabError("the lab has no profile '%s'. Use one of: %s" % (profile, ", ".join(contract.PROFILES)))
        self.store = Store(directory)
        self.profile = profile
        with self.store.transaction():
            existing = self.store.setting("profile")
            if existing is None:
                seed(self.store, profile)
            shape = self.store.setting(SETTING)
        if shape != SHAPE.as_text():
            self.store.close()
            raise LabError("the lab in %s has another shape. Use that shape, or remove the directory" % directory)
        if existing not in (None, profile):
            self.store.close()
            raise LabError(
                "the lab in %s has the profile %s. Use --profile with that profile, or reset the lab"
                % (directory, existing)
            )

    def login(self, host: str, user: str) -> Account | None:
        """Return the account of a user name, as the client sent it, on a host; None if no account matches."""
        return login(_host(host), user)

    def open_runspace(self, host: str, user: str, session_id: str) -> Runspace:
        """Open a runspace for an authenticated user. A fault can delay the opening, or raise Cut or LabError."""
        where = _host(host)
        account = self.login(host, user)
        if account is None:
            raise LabError("'%s' has no account on %s" % (user, host))
        started = time.time()
        time.sleep(float(self.store.setting("open_seconds")))
        moments: tuple[Moment, ...] = ("before", "after")
        for moment in moments:
            for fault in Faults(self.store).strike(moment, SESSION, where.name):
                if fault.action == "cut":
                    raise Cut
                if fault.action == "error":
                    raise LabError(fault.message)
                time.sleep(fault.seconds)
        self.store.log("session-open", where.name, session_id, account.user, started=started)
        return self.runspace(Session(self.store, self.profile, where, account, session_id))

    def runspace(self, session: Session) -> Runspace:
        """Return the runspace of an open session."""
        return Runspace(session)


class Runspace:
    """Represent one session on one host. A session runs one pipeline at a time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._closed = False

    def close(self) -> None:
        """Log the end of the session. A second call logs nothing."""
        if not self._closed:
            self._closed = True
            session = self.session
            session.store.log("session-close", session.host.name, session.id, session.account.user)

    def run(self, statements: t.Sequence[t.Sequence[Call]], sink: Sink) -> None:
        """Run statements in order. Raises Cut (fault injection).

        If a single statement fails, the pipeline ends. If one of several statements fails, the next statements still
        run, as in PowerShell. But with -ErrorAction Stop, the pipeline ends.
        """
        for statement in statements:
            if sink.stopped:
                return
            try:
                self.statement(statement, sink)
            except Stopped:
                return
            except Failed as failure:
                if len(statements) == 1 or failure.whole:
                    sink.failed(failure.record)
                    return
                sink.error(_between(failure.record))

    def statement(self, calls: t.Sequence[Call], sink: Sink) -> None:
        """Run the commands of one statement in order. Raises Failed, Cut or Stopped."""
        commands: list[tuple[Run, list[object]]] = []
        forms, first = self.session.store.setting("odd_forms"), calls[0].name
        for position, call in enumerate(calls):
            last = position == len(calls) - 1
            collected: list[object] = []
            # The commands of a pipeline pass complete objects. Only objects that leave the server are serialized.
            output = (lambda value: sink.output(odd(as_serialised(value), first, forms))) if last else collected.append
            commands.append((Run(self.session, call, sink, output), collected))
        for position, (command, _collected) in enumerate(commands):
            command.prepare(piped=position > 0)
        passed: list[object] | None = None
        for command, collected in commands:
            command.pipe(passed)
            passed = collected
        for value in more(first, forms):
            sink.output(value)


def _between(record: ErrorDetails) -> ErrorDetails:
    """Return the error of one of several statements. For PowerShell's own errors, the record has another exception."""
    own = ("ParameterBindingException", "ParameterBindingValidationException", "CommandNotFoundException")
    if record.exception.rpartition(".")[2] in own:
        return replace(record, exception="System.Management.Automation.ParentContainsErrorRecordException")
    return record


def _host(name: str) -> Host:
    if name not in SHELLS:
        raise LabError("the lab has no host '%s'. Use one of: %s" % (name, ", ".join(SHELLS)))
    return SHELLS[name]
