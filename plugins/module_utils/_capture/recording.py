# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a server for a capture: all that this collection would read, by its own readers. Get- only."""

from __future__ import annotations

import contextlib
import json
import typing as t
from dataclasses import dataclass

from .._base.reading import UNREADABLE
from .._edge_certificate.edge import EdgeReader
from .._federation.catalogue import RESOURCES
from .._federation.deployment import Reader
from .._shell.session import Captured
from .._shell.statement import Answer, Place, ShellError, Statement, place_of
from .._topology.services import read_services
from .._topology.topology import READINGS

ROLES = ("management", "edge", "front_end")

# Whole objects that say more about the product than the readers below need.
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


class CapturingShell(t.Protocol):
    """A shell that can hand over what a server sent as it came."""

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """What the server answers to them."""

    def capture(self, statement: Statement) -> Captured:
        """What the server sent for one, as it came."""


@dataclass(frozen=True)
class Asked:
    """A statement that was sent, and what came back."""

    statement: Statement
    captured: Captured


class Recording:
    """A shell that keeps what goes through it. One statement a request, so that it is known what belongs to which."""

    def __init__(self, shell: CapturingShell) -> None:
        self._shell = shell
        self._asked: dict[str, Asked] = {}

    @property
    def asked(self) -> list[Asked]:
        """In the order in which they were sent."""
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
        """The answer, that of before where the same was asked before. Raises ShellError."""
        if not statement.cmdlet.startswith("Get-"):
            raise ShellError("a capture only reads; %s is not sent" % statement.cmdlet)
        key = json.dumps(statement.encode())
        if key not in self._asked:
            self._asked[key] = Asked(statement, self._shell.capture(statement))
        return self._asked[key].captured


def record(shell: CapturingShell, role: str) -> Recording:
    """Ask everything. What a server refuses is a part of the capture. Raises ShellError if there is no session."""
    recording = Recording(shell)
    recording.ask(COMMANDS)
    read = {"management": _management, "edge": _edge, "front_end": _front_end}[role]
    for part in read(recording):
        with contextlib.suppress(*UNREADABLE):
            part()
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
    """All of them, and the policy that acts on one."""
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
