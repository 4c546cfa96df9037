# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that no server of HTTP gives: none holds a worker longer than its deadline, nor its thread after it."""

from __future__ import annotations

import contextlib
import gzip
import importlib
import itertools
import socket
import socketserver
import threading
import time
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp import session as _psrp_session
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.limits import THREAD
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError

from tests.unit.plugin_utils.test_psrp_options import OPTIONS

# The first session imports it, which takes a busy machine longer than DEADLINE.
importlib.import_module("pypsrp.powershell")
DEADLINE = 1.5
# Seconds for a busy machine, beside the deadline and the farewell.
SLACK = 6.0
Pieces = t.Iterable[bytes]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\n"
ERROR = HEAD.replace(b"200 OK", b"500 no")
ENVELOPE = (
    '<?xml version="1.0" encoding="%s"?>%s<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    '<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en">%s</s:Text></s:Reason>'
    "<s:Detail/></s:Fault></s:Body></s:Envelope>"
)
DOCTYPE = '<!DOCTYPE s [<!ENTITY x "INJECTED">]>'


def sized(body: bytes, head: bytes = HEAD) -> Pieces:
    return [head + b"Content-Length: %d\r\n\r\n" % len(body), body]


def endless(piece: bytes, head: bytes = b"") -> Pieces:
    return itertools.chain([head], itertools.repeat(piece))


def drip(data: bytes, head: bytes = b"") -> Pieces:
    yield head
    for byte in data:
        yield bytes([byte])
        time.sleep(0.05)


def silence() -> Pieces:
    while True:
        time.sleep(0.1)
        yield b""


def chunked(*pieces: bytes, more: bytes = b"") -> Pieces:
    yield HEAD + more + b"Transfer-Encoding: chunked\r\n\r\n"
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def bomb(layers: int) -> bytes:
    data = b"\0" * 2**24
    for _layer in range(layers):
        data = gzip.compress(data, 9)
    return data


PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in \xe2\x80\xae to Wi-Fi</title></head><body>Welcome</body></html>"
# What is answered, and what the message says (where it is always the same).
ANSWERS: dict[str, tuple[t.Callable[[], Pieces], str]] = {
    "declaration in UTF-8": (lambda: sized((ENVELOPE % ("UTF-8", DOCTYPE, "&x;")).encode()), "type declaration"),
    "declaration in UTF-16": (lambda: sized((ENVELOPE % ("UTF-16", DOCTYPE, "&x;")).encode("utf-16")), "UTF-8"),
    "declaration in UTF-16, no mark": (
        lambda: sized((ENVELOPE % ("UTF-16", DOCTYPE, "&x;")).encode("utf-16-le")), "UTF-8",
    ),
    "UTF-16": (lambda: sized((ENVELOPE % ("UTF-16", "", "fine")).encode("utf-16")), "UTF-8"),
    "Latin-1": (lambda: sized((ENVELOPE % ("ISO-8859-1", "", "\xe9")).encode("latin-1")), "UTF-8"),
    "Latin-1, said only": (lambda: sized((ENVELOPE % ("ISO-8859-1", "", "e")).encode()), "UTF-8"),
    "declaration behind a comment": (
        lambda: sized(("<!-- %s -->%s<a/>" % ("x" * 5000, DOCTYPE)).encode()), "type declaration",
    ),
    "web page": (lambda: sized(PAGE, HEAD.replace(b"soap+xml", b"html")), "web page ('Sign in \\u202e to Wi-Fi')"),
    "web page that is said to be SOAP": (lambda: sized(PAGE), "web page ('Sign in \\u202e to Wi-Fi')"),
    "silence": (silence, "not finished within"),
    "dripping header": (lambda: drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: bbbbbb\r\n" * 50), "not finished within"),
    "dripping body": (lambda: drip(b"<" * 5000, HEAD + b"Content-Length: 5000\r\n\r\n"), "not finished within"),
    "dripping body without a length": (lambda: drip(b"<" * 5000, HEAD + b"\r\n"), "not finished within"),
    "endless header": (lambda: endless(b"X-A: " + b"b" * 60000 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), ""),
    "endless 100 Continue": (lambda: endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 500), ""),
    "endless body": (lambda: endless(b"<" * 65536, HEAD + b"Content-Length: 99999999999\r\n\r\n"), "more than 4 MiB"),
    "endless body of an error": (lambda: endless(b"<" * 65536, HEAD.replace(b"200 OK", b"500 no") + b"\r\n"), ""),
    "endless size of a chunk": (lambda: endless(b"a" * 65536, HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;"), ""),
    "endless trailers": (lambda: endless(b"X: y\r\n" * 500, HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"), ""),
    "gzip": (lambda: chunked(bomb(1), more=b"Content-Encoding: gzip\r\n"), "more than 4 MiB"),
    "gzip in gzip": (lambda: chunked(bomb(2), more=b"Content-Encoding: gzip, gzip\r\n"), ""),
    "deep XML": (lambda: chunked(b"<a>" * 300000 + b"</a>" * 300000), ""),
    "declaration in UTF-16 of an error": (
        lambda: sized((ENVELOPE % ("UTF-16", DOCTYPE, "&x;")).encode("utf-16"), ERROR), "",
    ),
    "declaration of an error": (
        lambda: sized((ENVELOPE % ("UTF-8", DOCTYPE, "&x;")).encode(), ERROR), "type declaration",
    ),
    "escapes in a page": (lambda: sized(b"<p>\x1b]0;OWNED\x07\x1b[2Jx</p>", ERROR), "\\x1b[2Jx"),
    "escapes in a redirect": (
        lambda: sized(b"", b"HTTP/1.1 302 Found\r\nLocation: /\x1b[2Jx\r\n"), "\\x1b[2Jx",
    ),
    "escapes in a fault": (lambda: sized((ENVELOPE % ("UTF-8", "", "&#155;2J&#x202e;x")).encode(), ERROR), ""),
    "escapes in the status": (lambda: sized(b"", b"HTTP/1.1 500 \x1b[2Jno\r\n"), ""),
}  # fmt: skip


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, make: t.Callable[[], Pieces]) -> None:
        self.over = threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                sock: socket.socket = self.request
                sock.settimeout(20)
                with contextlib.suppress(OSError):
                    data = b""
                    while b"\r\n\r\n" not in data:
                        data += sock.recv(65536)
                    for piece in make():
                        if t.cast(Server, self.server).over.is_set():
                            return
                        sock.sendall(piece)

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_holds_a_worker_longer_than_its_deadline(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_psrp_session, "FAREWELL", 1)
    make, words = ANSWERS[name]
    server = Server(make)
    where = {
        "remote_addr": "127.0.0.1", "port": server.server_address[1], "protocol": "http", "auth": "basic",
        "message_encryption": "never", "remote_user": "u", "remote_password": "pw-secret", "ignore_proxy": True,
        "reconnection_retries": 0, "connection_timeout": 30, "read_timeout": 30,
    }  # fmt: skip
    session = PsrpSession(target({**OPTIONS, **where}))
    session.limit = DEADLINE
    begun = time.monotonic()
    with contextlib.closing(session), pytest.raises(SessionError) as caught:
        session.invoke([Statement("Get-CsXmppAllowedPartner")])
    taken = time.monotonic() - begun
    text = str(caught.value)
    assert taken < DEADLINE + 1 + SLACK
    assert words in text
    assert "INJECTED" not in text
    assert "pw-secret" not in text
    assert text.isprintable()
    end = time.monotonic() + SLACK
    while (left := [one for one in threading.enumerate() if one.name == THREAD]) and time.monotonic() < end:
        time.sleep(0.05)
    assert left == [], "nothing goes on after the work was given up"
    server.over.set()
    server.shutdown()
    server.server_close()
