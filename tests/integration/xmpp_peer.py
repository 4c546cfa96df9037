# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For tests: an XMPP server with faults on demand, and a DNS server; both on loopback, in threads."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import typing as t
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.stream import (
    AuthRequested,
    Closed,
    DialbackKey,
    Stream,
    StreamOpened,
    TlsRequested,
)
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from OpenSSL import SSL

from tests.unit.certificates import Issued

# No connection of a test is meant to live longer.
_PATIENCE = 30.0


@dataclass(frozen=True)
class Manners:
    """How a peer behaves.

    starttls: '', offered or required. versions: the lowest and highest TLS version. external: whom it offers SASL
    EXTERNAL inside TLS: '' nobody, 'all', or 'trusted' (whose certificate ``clients`` has issued). answer: to EXTERNAL;
    '' accepts, else the text of the refusal. insists: ends the stream of those without a trusted certificate.
    demands: fails the TLS handshake of those without a certificate. dialback: whether it declares the namespace.
    announces: whether it announces the feature too. key: what becomes of a dialback key: 'invalid', the condition of an
    error, or '' for the end of the stream.
    fault: '' or what happens instead of a stream: close, garbage, stall, trickle, bare (a header, then nothing),
    error:CONDITION, raw (``raw`` is sent), direct_tls (an alert, as of a server that speaks TLS at once),
    direct_tls_only (nothing but a TLS handshake is answered), or, instead of TLS, half_failure (a refusal without its
    end), tls_close, tls_garbage and tls_old (a ServerHello from before RFC 5746).
    """

    certificate: Issued | None = None
    intermediates: tuple[Issued, ...] = ()
    clients: Issued | None = None
    starttls: str = "offered"
    versions: tuple[int, int] = (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)
    external: str = ""
    answer: str = ""
    insists: bool = False
    demands: bool = False
    dialback: bool = True
    announces: bool = True
    key: str = "invalid"
    fault: str = ""
    raw: bytes = b""


class Peer:
    """A listener. ``port`` is where; ``seen`` has the ``from`` and ``to`` of every stream. A context manager.

    hellos: what came after each ServerHello of the fault tls_old; an alert begins with the byte 21.
    """

    def __init__(self, manners: Manners, port: int = 0, address: str = "127.0.0.1") -> None:
        self.manners = manners
        self.seen: list[tuple[str, str]] = []
        self.hellos: list[bytes] = []
        peer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(_PATIENCE)
                with contextlib.suppress(OSError, SSL.Error):
                    peer._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 256

        self._stopping = threading.Event()
        if ":" in address:
            Server.address_family = socket.AF_INET6
        self._server = Server((address, port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Peer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, raw: socket.socket) -> None:
        fault = self.manners.fault
        if fault == "close":
            return
        if fault == "raw":
            raw.recv(4096)
            raw.sendall(self.manners.raw)
            return
        if fault == "garbage":
            raw.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<!DOCTYPE html><p>no</p>")
            raw.recv(4096)
            return
        if fault.startswith("direct_tls"):
            first = raw.recv(1, socket.MSG_PEEK)
            if first == b"\x16":
                tls = SSL.Connection(_server_context(self.manners), raw)
                raw.setblocking(True)
                tls.set_accept_state()
                tls.do_handshake()
            elif fault == "direct_tls":
                raw.sendall(b"\x15\x03\x01\x00\x02\x02\x46")
            return
        if fault == "stall":
            raw.sendall(b"<?xml version='1.0'?><stream:str")
            self._stopping.wait(_PATIENCE)
            return
        if fault == "trickle":
            raw.sendall(b"<stream:stream ")
            while not self._stopping.wait(0.05):
                raw.sendall(b" ")
            return
        _Session(self, raw).run()

    def wait(self) -> None:
        self._stopping.wait(_PATIENCE)


class _Session:
    """One stream, as the receiving server."""

    def __init__(self, peer: Peer, raw: socket.socket) -> None:
        self._peer, self._manners, self._raw = peer, peer.manners, raw
        self._stream = Stream("receiving")
        self._tls: SSL.Connection | None = None
        self._trusted = False

    def run(self) -> None:
        while not self._stream.closed:
            data = self._tls.recv(16384) if self._tls is not None else self._raw.recv(16384)
            if not data:
                return
            for event in self._stream.receive(data):
                if isinstance(event, StreamOpened):
                    self._opened(event)
                elif isinstance(event, TlsRequested):
                    self._start_tls()
                elif isinstance(event, AuthRequested):
                    if self._manners.answer:
                        self._stream.reject_auth("not-authorized", self._manners.answer)
                    else:
                        self._stream.accept_auth()
                elif isinstance(event, DialbackKey):
                    self._answer_key(event)
                elif isinstance(event, Closed):
                    return
            self._send()

    def _send(self) -> None:
        data = self._stream.data_to_send()
        if data and self._tls is not None:
            self._tls.sendall(data)
        elif data:
            self._raw.sendall(data)

    def _opened(self, event: StreamOpened) -> None:
        manners, fault = self._manners, self._manners.fault
        self._peer.seen.append((event.from_, event.to))
        self._stream.local, self._stream.remote = event.to, event.from_
        self._stream.respond(dialback=manners.dialback)
        if fault.startswith("error:"):
            self._stream.fail(fault.partition(":")[2], "no \u202ered\nletters")
        elif fault == "bare":
            self._send()
            self._peer.wait()
        elif not self._stream.secure:
            self._stream.send_features(starttls=manners.starttls, dialback=manners.dialback and manners.announces)
        elif manners.insists and not self._trusted:
            self._stream.fail("not-authorized", "Your server's certificate could not be validated")
        else:
            offered = manners.external == "all" or (manners.external == "trusted" and self._trusted)
            mechanisms = ("EXTERNAL",) if offered and not self._stream.authenticated else ()
            self._stream.send_features(mechanisms=mechanisms, dialback=manners.dialback and manners.announces)

    def _answer_key(self, event: DialbackKey) -> None:
        key = self._manners.key
        if not key:
            self._stream.fail("unsupported-stanza-type", "no dialback here")
        elif key == "invalid":
            self._stream.answer_key(event.to, event.from_, "invalid")
        else:
            self._stream.answer_key(event.to, event.from_, "error", key)

    def _start_tls(self) -> None:
        if self._manners.fault == "half_failure":
            self._raw.sendall(b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'>")
            self._peer.wait()
            return
        self._stream.proceed_tls()
        self._send()
        if self._manners.fault == "tls_old":
            self._raw.recv(16384)
            # TLS 1.2, random bytes, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no extension (RFC 5246 7.4.1.3).
            hello = b"\x03\x03" + bytes(range(32)) + b"\x00" + b"\x00\x2f" + b"\x00"
            body = b"\x02" + len(hello).to_bytes(3, "big") + hello
            self._raw.sendall(b"\x16\x03\x03" + len(body).to_bytes(2, "big") + body)
            self._peer.hellos.append(self._raw.recv(16384))
            return
        if self._manners.fault == "tls_close":
            self._raw.recv(16384)
            self._raw.close()
        elif self._manners.fault == "tls_garbage":
            self._raw.recv(16384)
            self._raw.sendall(b"\x16\x03\x03\x00\x04never")
        self._raw.setblocking(True)
        self._tls = SSL.Connection(_server_context(self._manners), self._raw)
        self._tls.set_accept_state()
        self._tls.do_handshake()
        self._trusted = self._is_trusted(self._tls.get_peer_certificate(as_cryptography=True))
        self._stream.tls_established()

    def _is_trusted(self, certificate: x509.Certificate | None) -> bool:
        if certificate is None or self._manners.clients is None:
            return False
        try:
            certificate.verify_directly_issued_by(self._manners.clients.certificate)
        except (ValueError, InvalidSignature):
            return False
        return True


def _server_context(manners: Manners) -> SSL.Context:
    assert manners.certificate is not None
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    context.set_min_proto_version(manners.versions[0])
    context.set_max_proto_version(manners.versions[1])
    context.use_certificate(manners.certificate.certificate)
    context.use_privatekey(manners.certificate.key)
    for one in manners.intermediates:
        context.add_extra_chain_cert(one.certificate)
    # A bad certificate is kept: it decides what is offered.
    insist = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if manners.demands else 0
    context.set_verify(SSL.VERIFY_PEER | insist, lambda *found: True)
    return context


class NameServer:
    """Answers from ``records``: (name, type) -> texts. Names without any do not exist. A context manager.

    Names in ``silent`` get no answer, those in ``failing`` SERVFAIL.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.silent: set[str] = set()
        self.failing: set[str] = set()
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sender = self.request
                answer = server._answer(data)
                if answer:
                    sender.sendto(answer, self.client_address)

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.place = "127.0.0.1:%d" % self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def service(self, domain: str, port: int, host: str = "", address: str = "127.0.0.1", order: str = "0 0") -> None:
        """Publish a server of a domain."""
        host = host or "xmpp." + domain
        self.records.setdefault(("_xmpp-server._tcp." + domain, "SRV"), []).append("%s %d %s." % (order, port, host))
        self.records[host, "A"] = [address]

    def __enter__(self) -> NameServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if any(name == one or name.endswith("." + one) for one in self.silent):
            return b""
        if name in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer.to_wire()
        kind = question.rdtype.name
        if (name, kind) in self.records:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, self.records[name, kind]))
            self._add_addresses(answer)
        elif not any(known == name for known, other in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def _add_addresses(self, answer: dns.message.Message) -> None:
        """Send the addresses of a service's servers with the answer (RFC 2782), as most DNS servers do."""
        for record in answer.answer[0]:
            host = record.target.to_text(omit_final_dot=True) if record.rdtype == dns.rdatatype.SRV else ""
            for kind in ("A", "AAAA"):
                if texts := self.records.get((host, kind)):
                    answer.additional.append(dns.rrset.from_text_list(record.target, 60, "IN", kind, texts))


@contextlib.contextmanager
def deaf_port() -> t.Iterator[int]:
    """A port on loopback where connections are neither accepted nor refused: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        while True:
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.3)
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield port


@contextlib.contextmanager
def shut_port() -> t.Iterator[int]:
    """A port on loopback where connections are refused: it is taken, but nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
