# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the XMPP gateway on the Edges' addresses. The gateway reads the current store for every stream and message.

An Edge listens while the XMPP proxy of the Edge runs. Each connection has a thread. rules.py has the decisions.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from pathlib import Path

from ..deployment.endpoints import ADDRESSES, free_port
from ..deployment.store import Store
from ..errors import LabError
from .delivery import Delivery
from .events import Journal
from .incoming import Incoming
from .outgoing import Outgoing
from .parts import TICK, Parts
from .surroundings import EDGES, Surroundings
from .wire import Wire

log = logging.getLogger(__name__)

MAX_STRANGERS = 256  # maximum of unauthenticated streams per host
_POLL = 0.1  # seconds between two checks of the message queue


class Gateway:
    """Run the XMPP side of all Edges."""

    def __init__(self, directory: Path, port: int) -> None:
        """Bind and start. ``port`` 0 selects a free port. Raises LabError if an address is not available."""
        # The gateway has a separate store connection, so that threads that wait for a stream never delay the cmdlets.
        self._store = Store(directory)
        self._parts = Parts(Surroundings(self._store), Journal(self._store))
        self._outgoing = Outgoing(self._parts)
        delivery = Delivery(self._parts, self._outgoing)
        self._edges: list[_Edge] = []
        port = port or free_port(ADDRESSES[host] for host in EDGES)
        try:
            for host in EDGES:
                self._edges.append(_Edge(self._parts, delivery, host, port))
        except OSError as e:
            for edge in self._edges:
                edge.close()
            self._store.close()
            raise LabError(_explain(e, ADDRESSES[EDGES[len(self._edges)]], port)) from e
        self.port = port
        self._sender = threading.Thread(target=self._send, args=(delivery,), daemon=True, name="xmpp sender")
        for thread in (*self._edges, self._sender):
            thread.start()

    def stop(self) -> None:
        """End all streams and listeners."""
        self._parts.stopping.set()
        deadline = time.monotonic() + 3.0
        self._sender.join(max(0.0, deadline - time.monotonic()))
        self._outgoing.join(deadline)
        for edge in self._edges:
            edge.finish(deadline)

    def _send(self, delivery: Delivery) -> None:
        """Send the queued messages of local users, each message once."""
        last = 0
        while not self._parts.stopping.wait(_POLL):
            for message in self._store.messages(last, "queued"):
                last = message.id
                try:
                    delivery.send(message)
                except Exception as e:
                    log.exception("message %d broke", message.id)
                    self._store.settle_message(message.id, "", "refused", "the lab failed: %s" % e)


class _Edge(threading.Thread):
    """Run the listener of one Edge while the XMPP proxy runs."""

    def __init__(self, parts: Parts, delivery: Delivery, host: str, port: int) -> None:
        super().__init__(daemon=True, name="xmpp " + host)
        self._parts = parts
        self._delivery = delivery
        self._host = host
        self._listener: socket.socket | None = _listen(ADDRESSES[host], port)
        self.port = port
        self._threads: set[threading.Thread] = set()
        self._full = False

    def run(self) -> None:
        while not self._parts.stopping.is_set():
            try:
                self._turn()
            except Exception:
                log.exception("the listener of %s broke", self._host)
                time.sleep(TICK)
        self.close()

    def _turn(self) -> None:
        running = self._parts.around.running(self._host)
        if not running:
            self.close()
            self._parts.stopping.wait(TICK)
            return
        if self._listener is None:
            try:
                self._listener = _listen(ADDRESSES[self._host], self.port)
            except OSError as e:
                reason = _explain(e, ADDRESSES[self._host], self.port)
                self._parts.journal.write("failed", "in", self._host, outcome="failed", reason=reason)
                self._parts.stopping.wait(5.0)
                return
        # Accept connections for a short time, then check the service again, even if connections arrive fast.
        until = time.monotonic() + TICK
        while time.monotonic() < until:
            try:
                connection, _address = self._listener.accept()
            except TimeoutError:
                return
            except OSError as e:  # The connection was already reset, or the file descriptors are exhausted.
                log.warning("%s could not accept: %s", self._host, e)
                self._parts.stopping.wait(TICK)
                return
            self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        number = self._parts.register.add(self._host, MAX_STRANGERS)
        if number is None:
            connection.close()
            if not self._full:
                reason = "%d unauthenticated streams" % MAX_STRANGERS
                self._parts.journal.write("full", "in", self._host, outcome="refused", reason=reason)
            self._full = True
            return
        self._full = False
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            Incoming(self._parts, self._delivery, self._host, Wire(connection), number).run()
        except Exception:
            log.exception("a stream on %s broke", self._host)
        finally:
            connection.close()
            self._parts.register.remove(number)

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def finish(self, deadline: float) -> None:
        """Wait until the threads have ended."""
        for thread in (self, *self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))


def _listen(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(64)
        made.settimeout(TICK)
    except OSError:
        made.close()
        raise
    return made


def _explain(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return "port %d on %s is in use by another program. Choose another with --xmpp-port" % (port, address)
    if error.errno == errno.EACCES:
        return "port %d on %s needs privileges. Choose another with --xmpp-port" % (port, address)
    return "cannot listen on %s port %d: %s" % (address, port, error.strerror)
