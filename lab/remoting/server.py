# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the lab's listeners: HTTPS on one loopback address per host, with one thread per connection."""

from __future__ import annotations

import contextlib
import errno
import http.server
import json
import logging
import socket
import socketserver
import ssl
import sys
import threading
import typing as t
from pathlib import Path

from ..cmdlets.runspace import Deployment
from ..deployment.endpoints import ADDRESSES, free_port
from ..deployment.hosts import SHELLS
from ..deployment.tls import ensure_identity
from ..errors import Cut, LabError
from .accounts import Accounts
from .auth import ConnectionAuth, NtlmStore
from .encryption import TYPE, NotSealed, seal, unseal
from .service import Service
from .sessions import Sessions

log = logging.getLogger(__name__)

# Windows ends an idle connection after two minutes (http.sys). After that, a client opens a new connection.
CONNECTION_IDLE = 120.0
# This is the address of the listener's counters.
TRAFFIC = "/lab/traffic"
# This size is well above the limit for answers with a fault. Larger requests are not read.
MAX_BODY = 4 * 1024 * 1024


class LabServer:
    """Serve all hosts of a lab on one port."""

    def __init__(self, deployment: Deployment, directory: Path, port: int, idle: float) -> None:
        """Bind and start. ``port`` 0 selects a free port. ``idle`` is a session's life without requests, in seconds.

        Raises LabError if an address is not available.
        """
        identity = ensure_identity(directory)
        context = identity.context()
        store = NtlmStore(directory / "ntlm-users")
        self._sessions = Sessions()
        self._stopping = threading.Event()
        self._doors: list[_Door] = []
        port = port or free_port(ADDRESSES.values())
        binding = identity.channel_binding()
        for host, address in ADDRESSES.items():
            services = [
                Service(deployment, shell, self._sessions, idle) for shell, one in SHELLS.items() if one.name == host
            ]
            auths = {one.path.lower(): Accounts(deployment, one.host) for one in services}

            def new_auth(path: str, auths: t.Mapping[str, Accounts] = auths) -> ConnectionAuth:
                return ConnectionAuth(auths[path], store, binding)

            def listen(
                address: str = address,
                services: t.Sequence[Service] = services,
                new_auth: t.Callable[[str], ConnectionAuth] = new_auth,
            ) -> _Listener:
                return _Listener(address, port, context, services, new_auth, self._stopping)

            try:
                self._doors.append(_Door(deployment, host, listen))
            except OSError as e:
                self.stop()
                raise LabError(_explain(e, address, port)) from e
        self.port = port
        threading.Thread(target=self._reap, daemon=True).start()

    def stop(self) -> None:
        """End all sessions and listeners."""
        self._stopping.set()
        for door in self._doors:
            door.close()
        self._sessions.close_all()

    def _reap(self) -> None:
        while not self._stopping.wait(0.1):
            self._sessions.close_expired()
            for door in self._doors:
                door.look()


class _Door:
    """Run the listener of one host, unless the setting ``hosts_down`` turns the host off."""

    def __init__(self, deployment: Deployment, host: str, listen: t.Callable[[], _Listener]) -> None:
        """Open the listener. Raises OSError if the address is not available."""
        self._deployment = deployment
        self._host = host
        self._listen = listen
        self._listener: _Listener | None = None
        if not self._off():
            self._open()

    def _off(self) -> bool:
        return bool(self._deployment.store.setting("hosts_down").get(self._host) == "off")

    def _open(self) -> None:
        self._listener = listener = self._listen()
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def look(self) -> None:
        """Open or close the listener, according to the current setting."""
        if self._off() and self._listener is not None:
            self.close()
        elif not self._off() and self._listener is None:
            try:
                self._open()
            except OSError as e:
                log.warning("%s cannot listen again: %s", self._host, e)

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()
            listener.cut()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        address: str,
        port: int,
        context: ssl.SSLContext,
        services: t.Sequence[Service],
        new_auth: t.Callable[[str], ConnectionAuth],
        stopping: threading.Event,
    ) -> None:
        self.context = context
        self.services = {service.path.lower(): service for service in services}
        self.new_auth = new_auth
        self.stopping = stopping
        self._open: set[socket.socket] = set()
        self.traffic = dict.fromkeys(("requests", "receives", "received", "sent"), 0)
        self.counting = threading.Lock()
        super().__init__((address, port), _Connection)

    def get_request(self) -> tuple[socket.socket, t.Any]:
        connection, peer = super().get_request()
        # The connection's own thread does the handshake. A silent client must not block the other clients.
        wrapped = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(wrapped)
        return wrapped, peer

    def shutdown_request(self, request: t.Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """Close the open connections, because the host is off."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("connection from %s ended: %s", client_address, sys.exc_info()[1])


class _Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sfb-xmpp-lab"
    sys_version = ""
    timeout = CONNECTION_IDLE
    disable_nagle_algorithm = True
    server: _Listener
    request: ssl.SSLSocket

    def setup(self) -> None:
        super().setup()
        self.request.do_handshake()
        self._auths: dict[str, ConnectionAuth] = {}

    def do_GET(self) -> None:
        """Answer with the traffic counters, for benchmarks. GET requests are not counted.

        WS-Management clients send no GET.

        requests: number of requests.
        receives: the number of requests for output. The number depends on the speed of the output.
        received, sent: bytes of the requests' and of the answers' bodies.
        """
        if self.path != TRAFFIC:
            return self._answer(404, b"")
        with self.server.counting:
            counts = json.dumps(self.server.traffic)
        return self._answer(200, counts.encode())

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            return self._answer(411, b"", close=True)
        if int(length) > MAX_BODY:
            return self._answer(413, b"", close=True)
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return None
        self._count(requests=1, receives=b"/shell/Receive<" in body, received=len(body))
        path = self.path.partition("?")[0].lower()
        service = self.server.services.get(path)
        if service is None:
            return self._answer(404, b"")
        service.travel()
        while service.down() == "hangs" and not self.server.stopping.wait(0.1):
            pass
        if service.down() == "unavailable":
            return self._answer(503, b"Service Unavailable", close=True, kind="text/html")
        if path not in self._auths:
            self._auths[path] = self.server.new_auth(path)
        auth = self._auths[path]
        verdict = auth.check(self.headers.get("Authorization", ""))
        if not verdict.user:
            return self._answer(401, b"", verdict.challenges)
        if not body:
            return self._answer(200, b"", verdict.challenges)
        asked = self.headers.get("Content-Type", "")
        sealed = asked.startswith(TYPE)
        try:
            if sealed:
                body = unseal(body, auth.context)
            answer = service.handle(body, verdict.user)
        except NotSealed as e:
            log.info("%s: a message cannot be decrypted: %s", service.host, e)
            return self._answer(400, b"", close=True)
        except Cut:
            log.info("connection cut on %s", service.host)
            self.close_connection = True
            return None
        if not sealed:
            return self._answer(answer.status, answer.body, verdict.challenges)
        kind, content = seal(answer.body, auth.context, asked)
        return self._answer(answer.status, content, verdict.challenges, kind=kind)

    def _count(self, **amounts: int) -> None:
        with self.server.counting:
            for name, amount in amounts.items():
                self.server.traffic[name] += amount

    def _answer(
        self,
        status: int,
        body: bytes,
        challenges: t.Iterable[str] = (),
        close: bool = False,
        kind: str = "application/soap+xml;charset=UTF-8",
    ) -> None:
        if self.command == "POST":
            self._count(sent=len(body))
        self.send_response(status)
        for challenge in challenges:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        # Headers and body are sent in one write. With two writes, each answer waits for the client's
        # delayed acknowledgement.
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]
        self.flush_headers()

    def log_message(self, format: str, *args: t.Any) -> None:
        log.debug("%s: " + format, self.server.server_address[0], *args)


def _explain(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return "port %d on %s is in use by another program. Choose another with --port" % (port, address)
    if error.errno == errno.EADDRNOTAVAIL:
        return "the loopback address %s does not exist here (Linux has all of 127.0.0.0/8)" % address
    return "cannot listen on %s port %d: %s" % (address, port, error.strerror)
