# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Front End that misbehaves on demand: the lab's own service behind sockets that a test tells what to answer."""

from __future__ import annotations

import base64
import contextlib
import http.server
import socketserver
import ssl
import struct
import threading
import time
import typing as t
import uuid
from pathlib import Path
from xml.sax.saxutils import escape

from lab.cmdlets.runspace import Deployment
from lab.remoting import wsman
from lab.remoting.service import Service
from lab.remoting.sessions import Sessions
from lab.remoting.wsman import Action, Request

# One for which the lab's certificates are made.
ADDRESS = "127.0.0.10"
USER = "CONTOSO\\admin"
PASSWORD = "Lab-admin-1"

OUTPUT, ERROR, STATE, WARNING = 0x00041004, 0x00041005, 0x00041006, 0x00041009
COMPLETED = '<Obj RefId="0"><MS><I32 N="PipelineState">4</I32></MS></Obj>'


class Turn:
    """One request, and the means to answer it otherwise than the lab would."""

    def __init__(self, handler: Handler, body: bytes, request: Request) -> None:
        self.handler = handler
        self.body = body
        self.request = request

    @property
    def pipeline(self) -> str:
        """The pipeline that a Receive asks about, '' for the session's own."""
        return self.request.attribute("rsp:Receive/rsp:DesiredStream", "CommandId")

    def raw(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Bytes on the connection, which then ends."""
        self.handler.close_connection = True
        for piece in pieces:
            self.handler.wfile.write(piece)
            self.handler.wfile.flush()
            if pause and self.handler.server.over.wait(pause):
                return

    def http(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.handler.answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def soap(self, body: str) -> None:
        """An answer of WS-Management with this body."""
        self.http(200, wsman.response(self.request, body))

    def received(self, *messages: bytes, done: bool = True) -> None:
        """The answer to a Receive: fragments of PSRP messages."""
        owner = ' CommandId="%s"' % escape(self.pipeline) if self.pipeline else ""
        content = base64.b64encode(b"".join(messages)).decode()
        state = "Done" if done else "Running"
        self.soap(
            '<rsp:ReceiveResponse><rsp:Stream Name="stdout"%s>%s</rsp:Stream>'
            '<rsp:CommandState%s State="%s/CommandState/%s"/></rsp:ReceiveResponse>'
            % (owner, content, owner, wsman.SHELL, state)
        )


def message(kind: int, xml: str | bytes) -> bytes:
    """A PSRP message for the client (MS-PSRP 2.2.1)."""
    content = xml.encode() if isinstance(xml, str) else xml
    return struct.pack("<II", 1, kind) + uuid.uuid4().bytes_le + uuid.uuid4().bytes_le + content


def fragments(kind: int, xml: str | bytes, number: int = 1, size: int = 0) -> list[bytes]:
    """The message in fragments of ``size`` bytes, in one without (MS-PSRP 2.2.4)."""
    data = message(kind, xml)
    size = size or len(data)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return [
        struct.pack(">QQBI", number, order, (order == 0) | (order == len(pieces) - 1) << 1, len(piece)) + piece
        for order, piece in enumerate(pieces)
    ]


def whole(kind: int, xml: str | bytes, number: int = 1) -> bytes:
    return fragments(kind, xml, number)[0]


class HostileServer(socketserver.ThreadingTCPServer):
    """misbehave: told of every request; returns whether it has answered it. requests: bodies, as they came.

    host: whose service it is; deployment: where several share one.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        directory: Path,
        context: ssl.SSLContext | None = None,
        host: str = "fe01",
        deployment: Deployment | None = None,
    ) -> None:
        self.context = context
        self.over = threading.Event()
        self.misbehave: t.Callable[[Turn], bool | None] = lambda turn: False
        self.requests: list[bytes] = []
        self.headers: list[str] = []
        self._shared = deployment is not None
        deployment = deployment or Deployment(directory)
        self.store = deployment.store
        self.user = USER if host.startswith("fe") else "Administrator"
        self.victim = 0  # a process, for tests that kill one
        self.sessions = Sessions()
        self.service = Service(deployment, host, self.sessions, 60)
        super().__init__((ADDRESS, 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def stop(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()
        self.sessions.close_all()
        time.sleep(0.05)
        if not self._shared:
            self.store.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are expected."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: HostileServer

    def setup(self) -> None:
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.requests.append(body)
        self.server.headers.append(self.headers.get("Authorization", ""))
        request = wsman.parse(body)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if not self.server.misbehave(Turn(self, body, request)):
                answer = self.server.service.handle(body, self.server.user)
                self.answer(answer.status, answer.body)

    do_GET = do_POST

    def answer(self, status: int, body: bytes, headers: t.Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/soap+xml;charset=UTF-8", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Silence."""


def at(
    action: Action, answer: t.Callable[[Turn], object], pipelines: bool = True, times: int = 10**9
) -> t.Callable[[Turn], bool]:
    """Misbehaviour at one kind of request; with ``pipelines`` only at a Receive that is for a pipeline."""
    left = [times]

    def misbehave(turn: Turn) -> bool:
        if turn.request.action is not action or (action is Action.RECEIVE and pipelines and not turn.pipeline):
            return False
        left[0] -= 1
        if left[0] < 0:
            return False
        answer(turn)
        return True

    return misbehave
