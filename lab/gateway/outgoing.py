# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send stanzas to partners over streams that open when needed and close when idle.

Each combination of own domain, partner's domain and Edge pool has one stream.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import Element

from ..deployment.shape import SHAPE
from .dial import DialFailed
from .establish import Link, establish
from .parts import TICK, Parts

log = logging.getLogger(__name__)

# This is the maximum of waiting stanzas per stream. The maximum limits partners that cause answers faster than they
# read answers.
_WAITING = 200
# A thread without a stream ends after this time in seconds.
_IDLE = 2.0


@dataclass(frozen=True)
class Item:
    """Hold a stanza to send.

    settle: receives the Edge that sent the stanza ('' for no Edge), and the reason for a failure.
    """

    stanza: Element
    settle: t.Callable[[str, str], None]


class Outgoing:
    """Manage all streams to partners, thread-safe."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._routes: dict[tuple[str, str, str], _Route] = {}

    def submit(self, own: str, domain: str, pool: str, item: Item) -> None:
        """Queue a stanza.

        pool: the Edge pool that sends the stanza, in lower case.

        The item's settle function receives the outcome, immediately if the queue is full.
        """
        with self._lock:
            route = self._routes.get((own, domain, pool))
            if route is None:
                route = self._routes[own, domain, pool] = _Route(self._parts, own, domain, pool, self._leave)
                route.start()
            taken = route.put(item)
        if not taken:
            item.settle("", "too many stanzas wait for %s" % domain)

    def join(self, deadline: float) -> None:
        """Wait until the streams have ended, after the gateway begins to stop."""
        with self._lock:
            routes = list(self._routes.values())
        for route in routes:
            route.join(max(0.0, deadline - time.monotonic()))

    def _leave(self, route: _Route) -> bool:
        """Remove an idle route. Return False if the route has received new work."""
        with self._lock:
            if route.waiting:
                return False
            del self._routes[route.own, route.domain, route.pool]
            return True


class _Route(threading.Thread):
    def __init__(self, parts: Parts, own: str, domain: str, pool: str, leave: t.Callable[[_Route], bool]) -> None:
        super().__init__(daemon=True, name="xmpp %s > %s" % (own, domain))
        self.own = own
        self.domain = domain
        self.pool = pool
        self._parts = parts
        self._leave = leave
        self._queue: queue.Queue[Item] = queue.Queue(_WAITING)
        self._link: Link | None = None

    def put(self, item: Item) -> bool:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return False
        return True

    @property
    def waiting(self) -> bool:
        return not self._queue.empty()

    def run(self) -> None:
        last = time.monotonic()
        while not self._parts.stopping.is_set():
            try:
                item = self._queue.get(timeout=TICK)
            except queue.Empty:
                item = None
            try:
                self._look()
                if item is not None:
                    last = time.monotonic()
                    self._send(item)
            except Exception:
                log.exception("the stream from %s to %s broke", self.own, self.domain)
                self._drop("the lab failed", "failed")
            if self._link is None and time.monotonic() - last > _IDLE and self._leave(self):
                return
        self._drop("the gateway stops")

    def _look(self) -> None:
        """Check whether the stream is still allowed and possible."""
        if self._link is None:
            return
        try:
            reason = self._link.look()
        except DialFailed as e:
            self._drop(str(e))
            return
        if reason:
            self._drop(reason)

    def _send(self, item: Item) -> None:
        try:
            if self._link is None:
                host = next((name for name in SHAPE.edges(self.pool) if self._parts.around.running(name)), None)
                if host is None:
                    raise DialFailed("the XMPP proxy is not running on any Edge")
                self._link = establish(self._parts, host, self.own, self.domain)
            self._link.send(item.stanza)
        except DialFailed as e:
            self._drop(str(e), "failed")
            reason = str(e)
        else:
            return item.settle(self._link.host, "")
        # Waiting stanzas fail too. The next new stanza opens another stream.
        item.settle("", reason)
        while self.waiting:
            self._queue.get_nowait().settle("", reason)
        return None

    def _drop(self, reason: str, outcome: str = "ok") -> None:
        link, self._link = self._link, None
        if link is None:
            return
        link.close()
        self._parts.journal.write(
            "closed", "out", link.host, link.stream_id, self.domain, outcome, reason, own=self.own, method=link.method
        )
