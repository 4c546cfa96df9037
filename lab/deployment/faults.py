# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: delays, errors and cut connections, set by tests or by ``python -m lab fault``."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .store import Store, fold
from .wildcard import like

Action = t.Literal["error", "delay", "cut"]
Moment = t.Literal["before", "after"]

# The name under which the opening of a session can be delayed or cut, as if it were a cmdlet.
SESSION = "(session)"

# Parameters that say which object a statement is about, for matching ``identity``.
IDENTIFYING = ("Identity", "Domain", "Name", "Path", "LiteralPath", "Thumbprint", "ReplicaFqdn")


@dataclass(frozen=True)
class Fault:
    """One armed fault. remaining: how often it still strikes (None: always); skip: matching calls it still spares."""

    id: int
    cmdlet: str
    identity: str
    host: str
    action: str
    when: str
    skip: int
    remaining: int | None
    seconds: float
    message: str


class Faults:
    """The faults of a lab. They live in the store, so they reach a lab that runs in another process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        cmdlet: str = "*",
        identity: str = "",
        host: str = "",
        times: int | None = 1,
        action: Action = "error",
        when: Moment = "before",
        seconds: float = 0.0,
        message: str = "",
        skip: int = 0,
    ) -> int:
        """Arm a fault and return its number.

        cmdlet: name or wildcard; ``(session)`` for the opening of a session.
        identity: name or wildcard, compared with whatever parameter names the object; empty matches all.
        host: ``fe01``, ``edge01``, ...; empty matches all.
        times: how often it strikes; None is for ever. skip: how many matching calls pass untouched first.
        action: ``error`` (the statement fails with ``message``), ``delay`` (of ``seconds``), ``cut`` (the connection).
        when: ``before`` or ``after`` the statement took effect.
        """
        self._store.sql(
            "INSERT INTO fault (cmdlet, identity, host, action, moment, skip, remaining, seconds, message) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            cmdlet, identity, host, action, when, skip, times, seconds, message or "The lab was told to fail here.",
        )  # fmt: skip
        return max(fault.id for fault in self.armed())

    def clear(self, id: int | None = None) -> None:
        """Disarm one fault, or all."""
        self._store.sql("DELETE FROM fault WHERE ? IS NULL OR id=?", id, id)

    def armed(self) -> list[Fault]:
        """The faults that are still armed."""
        rows = self._store.sql(
            "SELECT id, cmdlet, identity, host, action, moment, skip, remaining, seconds, message "
            "FROM fault ORDER BY id"
        )
        return [Fault(*row) for row in rows if row[7] is None or row[7] > 0]

    def strike(self, when: Moment, cmdlet: str, host: str, identities: t.Sequence[str] = ()) -> list[Fault]:
        """The faults that hit this call now; each is counted down."""
        if not self._store.sql("SELECT 1 FROM fault LIMIT 1"):
            return []
        hit = []
        with self._store.transaction():
            for fault in self.armed():
                if fault.when != when or not like(cmdlet, fault.cmdlet):
                    continue
                if (fault.cmdlet == SESSION) != (cmdlet == SESSION):
                    continue
                if fault.host and fold(fault.host) != fold(host):
                    continue
                if fault.identity and not any(like(name, fault.identity) for name in identities):
                    continue
                if fault.skip > 0:
                    self._store.sql("UPDATE fault SET skip=skip-1 WHERE id=?", fault.id)
                    continue
                self._store.sql("UPDATE fault SET remaining=remaining-1 WHERE id=?", fault.id)
                hit.append(fault)
        return hit
