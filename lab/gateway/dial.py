# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open a connection to a partner's server, step by step. Each step waits for an answer."""

from __future__ import annotations

import collections
import contextlib
import datetime
import errno
import os
import socket
import threading
import time
import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.stream import (
    Broken,
    Closed,
    Features,
    PeerError,
    Stream,
    StreamOpened,
    TlsProceed,
    TlsRefused,
)

from ..assumptions import rests_on
from ..deployment import network
from .certificates import problem
from .dns import DEFAULT_PORT, Lookup, LookupFailed
from .parts import TICK
from .surroundings import Partner, Surroundings
from .wire import Wire, WireError, context

_CONNECT_TIMEOUT = 5.0

Event = t.TypeVar("Event")


class DialFailed(Exception):
    """The connection failed. The text is the reason.

    condition: the error condition for the sender of a stanza.
    """

    def __init__(self, reason: str, condition: str = "remote-server-timeout") -> None:
        super().__init__(reason)
        self.condition = condition


def connect(around: Surroundings, host: str, partner: Partner, domain: str, deadline: float) -> socket.socket:
    """Open a TCP connection from an Edge to the server of a partner's domain. Raises DialFailed."""
    try:
        lookup = Lookup(around.nameserver())
        if partner.proxy:
            rests_on("gateway-proxy-fqdn")
        servers = lookup.host(partner.proxy, DEFAULT_PORT) if partner.proxy else lookup.servers(domain)
    except LookupFailed as e:
        raise DialFailed(str(e), "remote-server-not-found") from e
    problems = []
    for address, port in servers:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return network.connect(around.store, host, address, port, min(_CONNECT_TIMEOUT, left))
        except OSError as e:
            words = "no answer" if isinstance(e, TimeoutError) else os.strerror(e.errno or errno.EIO)
            problems.append("%s port %d: %s" % (address, port, words))
    raise DialFailed("no connection to %s (%s)" % (domain, "; ".join(problems) or "no time left"))


class Dialog:
    """Control an initiating stream. Every method that waits raises DialFailed."""

    def __init__(self, wire: Wire, own: str, domain: str, deadline: float, stopping: threading.Event) -> None:
        self.wire = wire
        self.stream = Stream("initiating", own, domain)
        self.features = Features("", (), False)
        self._domain = domain
        self._deadline = deadline
        self._stopping = stopping
        self._events: collections.deque[object] = collections.deque()

    def open(self) -> None:
        self.stream.open()
        self.hear_features()

    def hear_features(self) -> None:
        """Receive the other side's header, and the features that follow in version 1.0 and later."""
        opened = self.wait(StreamOpened)
        features = self.wait(Features) if opened.version else Features("", (), False)
        self.features = Features(features.starttls, features.mechanisms, features.dialback or opened.dialback)

    def start_tls(self, around: Surroundings, host: str) -> str:
        """Start TLS. Return the problem of the other side's certificate; '' for no problem."""
        self.stream.request_tls()
        if isinstance(self.wait(TlsProceed, TlsRefused), TlsRefused):
            raise DialFailed("the partner refuses STARTTLS, which it offered")
        try:
            made = context(around.identity(host), False, around.only_tls12())
            self.wire.start_tls(made, False, self._domain, self._deadline)
        except WireError as e:
            raise DialFailed(str(e)) from e
        self.stream.tls_established()
        self.hear_features()
        chain = [*self.wire.peer_chain(), *around.intermediates(host)] if self.wire.peer_chain() else []
        now = datetime.datetime.now(datetime.timezone.utc)
        return problem(chain, around.anchors(host), self._domain, now, "server")

    @t.overload
    def wait(self, one: type[Event], /) -> Event:
        """Wait for one kind of event."""

    @t.overload
    def wait(self, one: type[t.Any], other: type[t.Any], /) -> object:
        """Wait for one of two kinds of events."""

    def wait(self, *kinds: type[t.Any]) -> object:
        """Return the next event of the given kinds. Ignore other events."""
        while True:
            for event in self.heard():
                if isinstance(event, kinds):
                    return event
            if self._stopping.is_set():
                raise DialFailed("the gateway is stopping")
            if time.monotonic() > self._deadline:
                raise DialFailed("the partner did not answer in time")
            self.turn(TICK)

    def heard(self) -> t.Iterator[object]:
        """Return the waiting events, each once. Raises DialFailed at the event that ends the stream."""
        while self._events:
            event = self._events.popleft()
            if isinstance(event, PeerError):
                raise DialFailed("the partner ended the stream: %s" % said(event.condition, event.text))
            if isinstance(event, Broken):
                self.flush()
                raise DialFailed("the partner broke the protocol: %s" % said(event.condition, event.text))
            if isinstance(event, Closed):
                raise DialFailed("the partner closed the stream")
            yield event

    def turn(self, seconds: float) -> bool:
        """Send the queue and receive data. Return whether data arrived."""
        self.flush()
        try:
            data = self.wire.receive(seconds)
        except WireError as e:
            raise DialFailed(str(e)) from e
        if data == b"":
            raise DialFailed("the partner closed the connection")
        if data:
            self._events.extend(self.stream.receive(data))
        return bool(data)

    def flush(self) -> None:
        data = self.stream.data_to_send()
        if data:
            try:
                self.wire.send(data)
            except WireError as e:
                raise DialFailed(str(e)) from e

    def close(self) -> None:
        """Close the stream in order, if possible."""
        if not self.stream.closed:
            self.stream.close()
        with contextlib.suppress(DialFailed):
            self.flush()
        self.wire.close()


def said(condition: str, text: str) -> str:
    return "%s (%s)" % (condition, text) if text else condition
