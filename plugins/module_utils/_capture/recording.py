# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read everything from a server that the collection can read, for a capture. Only Get- cmdlets are used."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .._base.perform import mistake
from .._base.reading import UNREADABLE
from .._base.result import ServerRefused, Unreadable
from .._edge_certificate.edge import EdgeReader
from .._federation.catalogue import RESOURCES
from .._federation.deployment import Reader
from .._shell.session import Captured
from .._shell.statement import Answer, Place, ShellError, Statement, place_of
from .._topology.services import read_services
from .._topology.topology import READINGS

ROLES = ("management", "edge", "front_end")

# Whole objects that show more about the product than the readers below need.
_MORE: dict[str, tuple[Statement, ...]] = {
    "management": (
        Statement("Get-CsComputer"),
        Statement("Get-CsService"),
        Statement("Get-CsHealthMonitoringConfiguration"),
        Statement("Get-CsManagementStoreReplicationStatus", {"CentralManagementStoreStatus": True}),
    ),
    "edge": (
        Statement("Get-CsServerVersion"),
        Statement("Get-CsCertificate", {"Type": ("XmppServer",)}),
        Statement("Get-CsXmppAllowedPartner", {"LocalStore": True}),
        Statement("Get-CsXmppAllowedPartner"),
    ),
    "front_end": (Statement("Get-CsServerVersion"),),
}
COMMANDS = Statement("Get-Command", {}, select=("Name",))
# By role: the statements of a complete capture, in the form of label(). A statement without an answer is missing. A
# test compares this list with the statements that the lab gets.
_SERVICES = "Get-CsWindowsService"
_OF_USERS = "Get-CsEffectivePolicy"
EXPECTED: dict[str, tuple[str, ...]] = {
    "management": (
        "Get-Command",
        "Get-CsService -EdgeServer",
        "Get-CsService -Registrar",
        "Get-CsService -UserServer",
        "Get-CsSite",
        "Get-CsSipDomain",
        "Get-CsAllowedDomain",
        "Get-CsBlockedDomain",
        "Get-CsManagementStoreReplicationStatus",
        "Get-CsPool",
        "Get-CsExternalAccessPolicy",
        "Get-CsXmppAllowedPartner",
        "Get-CsXmppGatewayConfiguration",
        "Get-CsAccessEdgeConfiguration",
        "Get-CsUser",
        _OF_USERS,
        _SERVICES,
        "Get-CsComputer",
        "Get-CsService",
        "Get-CsHealthMonitoringConfiguration",
        "Get-CsManagementStoreReplicationStatus -CentralManagementStoreStatus",
    ),
    "edge": (
        "Get-Command",
        "Get-CsCertificate",
        "Get-ChildItem -Path Cert:\\LocalMachine\\My",
        "Get-ChildItem -Path Cert:\\LocalMachine\\CA",
        "Get-ChildItem -Path Cert:\\LocalMachine\\Root",
        "Get-ChildItem -Path C:\\Windows\\Temp -Filter sfb-xmpp-*",
        _SERVICES,
        "Get-Date",
        "Get-CsServerVersion",
        "Get-CsCertificate -Type XmppServer",
        "Get-CsXmppAllowedPartner -LocalStore",
        "Get-CsXmppAllowedPartner",
    ),
    "front_end": ("Get-Command", _SERVICES, "Get-CsServerVersion"),
}
# After this number of statements without a session, the server counts as lost. More statements would only wait.
_SILENT = 3


class CapturingShell(t.Protocol):
    """Define a shell that can return a server's answer unchanged."""

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """Return the server's answer."""

    def capture(self, statement: Statement) -> Captured:
        """Return the server's answer to one statement, unchanged."""


@dataclass(frozen=True)
class Asked:
    """This is a statement with its answer."""

    statement: Statement
    captured: Captured


def label(statement: Statement) -> str:
    """Return a statement as a text for messages, without names of a deployment."""
    parts = [statement.cmdlet]
    for name, value in statement.parameters.items():
        texts = value if isinstance(value, tuple) else (value,)
        if name != "Identity":
            parts += ["-" + name, *(str(one) for one in texts if one is not True)]
    return " ".join(parts)


class Recording:
    """Record the statements and answers of a shell. Each request has one statement, so that answers can be assigned.

    failures: answers that the collection cannot read, and statements that were not sent, with the reason.
    mistakes: errors of the collection while the collection read an answer, with type and place.
    """

    def __init__(self, shell: CapturingShell) -> None:
        self._shell = shell
        self._asked: dict[str, Asked] = {}
        self._silent = 0
        self.failures: list[str] = []
        self.mistakes: list[str] = []

    @property
    def asked(self) -> list[Asked]:
        """Return the statements in their order."""
        return list(self._asked.values())

    @property
    def place(self) -> Place:
        return place_of(self._shell)

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        total = Answer()
        for statement in statements:
            total += self.ask(statement).answer
            if total.ended_early:
                break
        return total

    def ask(self, statement: Statement) -> Captured:
        """Return the answer. The same statement is sent only once. Raises ShellError."""
        if not statement.cmdlet.startswith("Get-"):
            raise ShellError("a capture only reads, so %s is not sent" % statement.cmdlet)
        key = json.dumps(statement.encode())
        if key not in self._asked:
            if self._silent >= _SILENT:
                raise ShellError(
                    "%s was not sent, because the server did not answer %d times" % (label(statement), _SILENT)
                )
            try:
                self._asked[key] = Asked(statement, self._shell.capture(statement))
            except ShellError as exc:
                self._silent += 1
                raise ShellError("%s: %s" % (label(statement), exc)) from None
            self._silent = 0
        return self._asked[key].captured

    def missing(self, role: str) -> dict[str, str]:
        """Return the statements of EXPECTED without an answer, with the reason; empty for an unsent statement."""
        asked = {label(one.statement): one.captured for one in self.asked}
        found = {}
        for name in EXPECTED[role]:
            captured = asked.get(name)
            if captured is None:
                # The policy in effect is read for one user, so without users the policy is not missing.
                if name != _OF_USERS or "Get-CsUser" not in asked or asked["Get-CsUser"].output:
                    found[name] = ""
            elif not captured.output and (captured.answer.errors or captured.answer.lost):
                errors = captured.answer.errors
                found[name] = errors[0].message if errors else captured.answer.lost
        return found


def record(shell: CapturingShell, role: str) -> Recording:
    """Read everything. Refusals of the server are a part of the capture. Raises ShellError if there is no session."""
    recording = Recording(shell)
    recording.ask(COMMANDS)
    read = {"management": _management, "edge": _edge, "front_end": _front_end}[role]
    for part in read(recording):
        try:
            part()
        except UNREADABLE as exc:
            # A refusal of the server is already among its answers.
            if isinstance(exc, Unreadable) or not isinstance(exc, ServerRefused):
                recording.failures.append(str(exc))
        except Exception as exc:  # noqa: BLE001 - a capture must also record unexpected forms
            recording.mistakes.append(mistake(exc))
    return recording


def _management(recording: Recording) -> t.Iterator[t.Callable[[], object]]:
    yield lambda: recording.invoke([one.statement for one in READINGS])
    reader = Reader(recording)
    for resource in RESOURCES:
        yield lambda resource=resource: reader.kinds([resource])  # type: ignore[misc]
    yield lambda: _users(recording, reader)
    yield lambda: read_services(recording)
    for statement in _MORE["management"]:
        yield lambda statement=statement: recording.ask(statement)  # type: ignore[misc]


def _users(recording: Recording, reader: Reader) -> None:
    """Read all users, and the policy in effect for one user."""
    users = reader.with_all_users(reader.kinds([])).users
    for user in list(users.values())[:1]:
        recording.ask(Statement("Get-CsEffectivePolicy", {"Identity": user.name}))


def _edge(recording: Recording) -> t.Iterator[t.Callable[[], object]]:
    reader = EdgeReader(recording)
    yield reader.assigned
    for store in ("My", "CA", "Root"):
        yield lambda store=store: reader.store(store)  # type: ignore[misc]
    yield reader.files
    yield reader.services
    yield reader.clock
    for statement in _MORE["edge"]:
        yield lambda statement=statement: recording.ask(statement)  # type: ignore[misc]


def _front_end(recording: Recording) -> t.Iterator[t.Callable[[], object]]:
    yield lambda: read_services(recording)
    for statement in _MORE["front_end"]:
        yield lambda statement=statement: recording.ask(statement)  # type: ignore[misc]
