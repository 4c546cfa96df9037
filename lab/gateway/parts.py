# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold the shared parts of the gateway, and count the incoming streams."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from .events import Journal
from .surroundings import Surroundings

# Seconds between two checks whether a stream can continue.
TICK = 0.2


class Register:
    """Count the incoming streams of all Edges. The limits apply to these numbers: gateway-limits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0
        self._streams: dict[int, tuple[str, str]] = {}  # number -> host, partner ('' while unauthenticated)

    def add(self, host: str, most_strangers: int) -> int | None:
        """Return the number of a new stream; None if the host has the maximum of unauthenticated streams."""
        with self._lock:
            if sum(entry == (host, "") for entry in self._streams.values()) >= most_strangers:
                return None
            self._next += 1
            self._streams[self._next] = (host, "")
            return self._next

    def remove(self, number: int) -> None:
        with self._lock:
            self._streams.pop(number, None)

    def count(self) -> int:
        with self._lock:
            return len(self._streams)

    def admit(self, number: int, partner: str, limit: int) -> bool:
        """Add a stream to the number of the partner's streams. Return False if the partner has reached the limit."""
        with self._lock:
            host, known = self._streams[number]
            if known == partner:
                return True
            if sum(entry[1] == partner for entry in self._streams.values()) >= limit:
                return False
            self._streams[number] = (host, partner)
            return True


@dataclass
class Parts:
    """Hold the parts of one lab's gateway, for the gateway's threads."""

    around: Surroundings
    journal: Journal
    stopping: threading.Event = field(default_factory=threading.Event)
    register: Register = field(default_factory=Register)
