# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Register all sessions of a lab."""

from __future__ import annotations

import threading

from ..errors import Cut
from .shell import Session, not_found


class Sessions:
    """Register all sessions of a lab, thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def add(self, session: Session) -> bool:
        """Add a session. Return False if another session has this id."""
        with self._lock:
            return self._sessions.setdefault(session.id, session) is session

    def find(self, session_id: str, host: str, user: str) -> Session:
        """Return the user's own session. Raises Fault, or Cut for the first request after a cut."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and (session.host, session.user) == (host, user):
                if not session.doomed:
                    return session
                del self._sessions[session_id]
                raise Cut
        raise not_found(session_id)

    def close(self, session: Session) -> None:
        """End one session."""
        self.forget(session)
        session.close()

    def forget(self, session: Session) -> None:
        """Remove a session after a cut."""
        with self._lock:
            self._sessions.pop(session.id, None)

    def close_expired(self) -> None:
        """End the sessions whose clients were silent for too long."""
        with self._lock:
            expired = [session for session in self._sessions.values() if session.expired()]
        for session in expired:
            self.close(session)

    def close_all(self) -> None:
        """End all sessions."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            self.close(session)
