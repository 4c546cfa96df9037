# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inject faults: delays, errors and cut connections. Tests or ``python -m lab fault`` set faults."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .store import Store, fold
from .wildcard import like

Action = t.Literal["error", "delay", "cut"]
Moment = t.Literal["before", "after"]

# With this name, a fault delays or cuts the opening of a session, like a cmdlet.
SESSION = "(session)"

# These parameters name the object of a statement. These parameters are compared with ``identity``.
IDENTIFYING = ("Identity", "Domain", "Name", "Path", "LiteralPath", "Thumbprint", "ReplicaFqdn")


@dataclass(frozen=True)
class Fault:
    """Hold one armed fault.

    remaining: the number of matching calls to which the fault still applies; None for all calls.
    skip: the number of matching calls that still succeed before the fault applies.
    """

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
    """Manage the faults of a lab. The faults are in the store, and so also reach a lab in another process."""

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
        """Arm a fault and return the number of the fault.

        cmdlet: name or wildcard; ``(session)`` for the opening of a session.
        identity: name or wildcard, compared with each parameter that names the object; empty matches all.
        host: ``fe01``, ``edge01``, ...; empty matches all.
        times: the number of matching calls to which the fault applies; None for all calls.
        skip: the number of matching calls that succeed before the fault applies.
        action: ``error`` (the statement fails with ``message``), ``delay`` (of ``seconds``), ``cut`` (the connection).
        when: ``before`` or ``after`` the statement takes effect.
        """
        self._store.sql(
            "INSERT INTO fault (cmdlet, identity, host, action, moment, skip, remaining, seconds, message) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            cmdlet, identity, host, action, when, skip, times, seconds, message or "The lab was told to fail here.",
        )  # fmt: skip
        return max(fault.id for fault in self.armed())

    def clear(self, id: int | None = None) -> None:
        """Disarm one fault, or all faults."""
        self._store.sql("DELETE FROM fault WHERE ? IS NULL OR id=?", id, id)

    def armed(self) -> list[Fault]:
        """Return the faults that are still armed."""
        rows = self._store.sql(
            "SELECT id, cmdlet, identity, host, action, moment, skip, remaining, seconds, message "
            "FROM fault ORDER BY id"
        )
        return [Fault(*row) for row in rows if row[7] is None or row[7] > 0]

    def strike(self, when: Moment, cmdlet: str, host: str, identities: t.Sequence[str] = ()) -> list[Fault]:
        """Return the faults that this call meets now, and update the counters of the faults."""
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
