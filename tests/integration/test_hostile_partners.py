# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partners that are hostile, a table of kinds: none holds a probe longer than its deadline, and none is found good.

Each is a server on a real socket. All are probed side by side, as in a run with many partners.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import socketserver
import struct
import threading
import time
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.dns import Resolver
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.explanations import STAGES
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import Addresses, ServiceRecord, Services
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.prober import Job, Prober, ProbeSettings, concurrently
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import Bundle
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.budget import Budget
from OpenSSL import SSL

from tests.unit import certificates
from tests.unit.certificates import issue

STEP = 1.0  # seconds for a step of a probe
# The probe gives all steps of a partner together six times that, a check of a certificate at the very end one second
# more. The rest is for a busy machine, on which all these servers are busy as well.
DEADLINE = 6 * STEP + 1.0
SLACK = 8.0
FALLBACK = Row("optional", "optional", True)
CLEAR = Row("not_supported", "not_supported", True)

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:db='jabber:server:dialback' id='x' version='1.0'>"
)
TLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
DIALBACK = b"<dialback xmlns='urn:xmpp:features:dialback'/>"
SASL = b"urn:ietf:params:xml:ns:xmpp-sasl"
EXTERNAL = b"<mechanisms xmlns='%s'><mechanism>EXTERNAL</mechanism></mechanisms>" % SASL


def features(*offered: bytes) -> bytes:
    return b"<stream:features>%s</stream:features>" % b"".join(offered)


class Line:
    """A connection of the probe's."""

    def __init__(self, raw: socket.socket) -> None:
        self.raw = raw
        self._tls: SSL.Connection | None = None

    def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        for piece in pieces:
            (self._tls or self.raw).sendall(piece)
            if pause:
                time.sleep(pause)

    def flood(self, piece: bytes) -> None:
        """The same over and over, until the probe closes."""
        while True:
            self.send(piece)

    def drip(self, data: bytes) -> None:
        self.send(*(bytes([byte]) for byte in data), pause=0.05)

    def silence(self) -> None:
        while self.raw.recv(65536):
            pass

    def heard(self, word: bytes) -> bool:
        """Wait for a word of the probe's. False if it closes before."""
        data = b""
        while word not in data:
            more = self._tls.recv(65536) if self._tls is not None else self.raw.recv(65536)
            if not more:
                return False
            data += more
        return True

    def to_tls(self) -> bool:
        """Up to the handshake, which the probe has begun."""
        if not self.heard(b"stream:stream"):
            return False
        self.send(HEADER + features(TLS, DIALBACK))
        if not self.heard(b"starttls"):
            return False
        self.send(PROCEED)
        return bool(self.raw.recv(1, socket.MSG_PEEK))

    def secure(self, chain: int = 1) -> bool:
        """A stream in TLS whose header the probe has sent."""
        if not self.to_tls():
            return False
        self.raw.setblocking(True)  # for OpenSSL, to which a time limit is no answer
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        context.use_certificate(LEAF.certificate)
        context.use_privatekey(LEAF.key)
        for _one in range(chain):
            context.add_extra_chain_cert(certificates.intermediate().certificate)
        self._tls = SSL.Connection(context, self.raw)
        self._tls.set_accept_state()
        self._tls.do_handshake()
        return self.heard(b"stream:stream")


LEAF = issue("x", issuer=certificates.intermediate(), names=("fabrikam.test",))


def reset(line: Line) -> None:
    line.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def echo(line: Line) -> None:
    while data := line.raw.recv(65536):
        line.send(data)


def first(*pieces: bytes, then: t.Callable[[Line], object]) -> t.Callable[[Line], object]:
    """The pieces, whatever the probe says."""

    def act(line: Line) -> None:
        line.send(*pieces)
        then(line)

    return act


def after(*pieces: bytes, then: t.Callable[[Line], object]) -> t.Callable[[Line], object]:
    """The pieces once the probe has sent its header."""

    def act(line: Line) -> None:
        if line.heard(b"stream:stream"):
            line.send(*pieces)
            then(line)

    return act


def handshake(then: t.Callable[[Line], object]) -> t.Callable[[Line], object]:
    return lambda line: line.to_tls() and then(line)


def secured(*pieces: bytes, then: t.Callable[[Line], object]) -> t.Callable[[Line], object]:
    def act(line: Line) -> None:
        if line.secure():
            line.send(*pieces)
            then(line)

    return act


def challenges(line: Line) -> None:
    if line.secure():
        line.send(HEADER + features(EXTERNAL))
        if line.heard(b"<auth"):
            line.flood(b"<challenge xmlns='%s'>AAAA</challenge>" % SASL)


def no_answer_to_auth(line: Line) -> None:
    if line.secure():
        line.send(HEADER + features(EXTERNAL))
        line.heard(b"\0")


def long_chain(line: Line) -> None:
    if line.secure(300):
        line.silence()


def attributes(line: Line) -> None:
    for number in itertools.count():
        line.send(b" a%d='b'" % number)


def never(line: Line) -> None:
    line.silence()


def ends(line: Line) -> None:
    """Nothing more: the connection is closed when this returns."""


def flooding(piece: bytes) -> t.Callable[[Line], object]:
    return lambda line: line.flood(piece)


DEEP = b"<a xmlns='x'>"
BOMB = b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'aaaaaaaaaa'>%s]>" % b"".join(
    b"<!ENTITY %c '%s'>" % (one + 1, b"&%c;" % one * 10) for one in b"abcdefgh"
)
RECORD = b"\x16\x03\x03"  # a handshake in TLS 1.2

# By the stage at which the probe meets it.
STAGED: dict[str, dict[str, t.Callable[[Line], object]]] = {
    "stream": {
        # Before a stream
        "silence": never,
        "end at once": ends,
        "reset at once": reset,
        "echo": echo,
        "endless blanks": flooding(b" " * 4096),
        "endless zeros": flooding(b"\0" * 4096),
        "endless web page": first(b"HTTP/1.1 200 OK\r\n\r\n<html>", then=flooding(b"<p>no</p>" * 500)),
        "banner of another service": first(b"SSH-2.0-OpenSSH_9.2\r\n", then=never),
        "direct TLS garbage": flooding(b"\x15\x03\x03\x00\x02\x01\x5a"),
        # The header
        "dripping header": lambda line: line.drip(HEADER * 5),
        "header without end": first(b"<stream:stream id='", then=flooding(b"a" * 4096)),
        "endless attributes": first(HEADER[:-1], then=attributes),
        "entity bomb": first(BOMB, b"<stream:stream id='&i;'>", then=never),
        "endless comment": first(b"<?xml version='1.0'?><!--", then=flooding(b"x" * 4096)),
        "endless processing instruction": first(b"<?x ", then=flooding(b"x" * 4096)),
        "UTF-16": first(HEADER.decode().encode("utf-16"), then=never),
        "bytes that are no UTF-8": first(HEADER + b"<a>\xff\xfe</a>", then=never),
        "header of another stream": first(HEADER.replace(b"jabber:server'", b"jabber:client'"), then=never),
        "header again and again": after(then=flooding(HEADER)),
        # Features
        "no features": after(HEADER, then=never),
        "blanks instead of features": after(HEADER, then=lambda line: line.drip(b" " * 400)),
        "endless features": after(HEADER, b"<stream:features>", then=flooding(b"<a xmlns='x'/>" * 300)),
        "features without depth's end": after(HEADER, b"<stream:features>", then=flooding(DEEP * 300)),
        "endless mechanism": after(HEADER, b"<stream:features><a>", then=flooding(b"x" * 4096)),
        "stanzas instead of features": after(HEADER, then=flooding(b"<message><body>x</body></message>" * 100)),
        "endless text of an error": after(
            HEADER, b"<stream:error><undefined-condition/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>",
            then=flooding(b"x" * 4096),
        ),
    },
    "starttls": {
        "no answer to starttls": after(HEADER + features(TLS), then=never),
        "features instead of proceed": after(HEADER, then=flooding(features(TLS))),
    },
    "tls": {
        "silence in the handshake": handshake(never),
        "dripping handshake": handshake(lambda line: line.drip(RECORD + b"\x40\x00" + b"\2" * 400)),
        "endless warnings of TLS": handshake(flooding(b"\x15\x03\x03\x00\x02\x01\x5a" * 100)),
        "random handshake": handshake(lambda line: line.flood(RECORD + b"\x04\x00" + os.urandom(1024))),
        "handshake message of 16 MiB": handshake(
            first(RECORD + b"\x00\x04\x02\xff\xff\xff", then=flooding(RECORD + b"\x40\x00" + b"x" * 16384)),
        ),
        "chain of three hundred": long_chain,
    },
    "secure_stream": {
        "silence in TLS": secured(then=lambda line: line.heard(b"\0")),
        "endless features in TLS": secured(HEADER, b"<stream:features>", then=flooding(b"<a xmlns='x'/>" * 300)),
        "end without a word in TLS": secured(HEADER, then=ends),
    },
    "sasl": {
        "no answer to SASL": no_answer_to_auth,
        "endless challenges": challenges,
    },
    "key": {
        "no answer to a key": after(HEADER + features(TLS, DIALBACK), then=never),
        "answers to other keys": after(
            HEADER + features(TLS, DIALBACK), then=flooding(b"<db:result from='a' to='b' type='valid'/>" * 50),
        ),
    },
}  # fmt: skip
KINDS = {name: act for kinds in STAGED.values() for name, act in kinds.items()}
STAGE_OF = {name: stage for stage, kinds in STAGED.items() for name in kinds}


class Server(socketserver.ThreadingTCPServer):
    """Acts as it is told on every connection. left: connections that the probe still holds."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, act: t.Callable[[Line], object]) -> None:
        self.left = 0
        lock = threading.Lock()
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with lock:
                    server.left += 1
                self.request.settimeout(DEADLINE + SLACK + 10)
                # What the probe does to a server that it has enough of.
                with contextlib.suppress(ConnectionError, SSL.Error):
                    act(Line(self.request))
                with lock:
                    server.left -= 1

            def finish(self) -> None:
                self.request.close()

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A handler that outlives its time is counted as left."""


class Known(Resolver):
    """Knows where the partners are: the time of a probe is for them, and not for a name server on a busy machine."""

    def __init__(self, ports: t.Mapping[str, int]) -> None:
        super().__init__(["127.0.0.1:9"])
        self._ports = ports

    def services(self, domain: str, budget: Budget, direct: bool = False) -> Services:
        return (
            Services("none") if direct else Services("found", (ServiceRecord("xmpp." + domain, self._ports[domain]),))
        )

    def addresses(self, host: str, budget: Budget) -> Addresses:
        return Addresses("found", ("127.0.0.1",))


class Found(t.NamedTuple):
    """entry: what the probe found. seconds: how long it held its worker. server: for what is left of it."""

    entry: dict[str, t.Any]
    seconds: float
    server: Server


def _domain(name: str) -> str:
    return "".join(letter for letter in name.lower().replace(" ", "-") if letter.isalnum() or letter == "-") + ".test"


@pytest.fixture(scope="module")
def found() -> t.Iterator[dict[str, Found]]:
    """Every kind probed, four at a time."""
    own = issue("own", issuer=certificates.intermediate(), names=("contoso.test",))
    bundle = Bundle(own.certificate, own.key, (certificates.intermediate().certificate,))
    anchors = (certificates.root().certificate,)
    settings = ProbeSettings("contoso.test", anchors, STEP, 14, own=bundle, allow_local=True)
    servers = {name: Server(act) for name, act in KINDS.items()}
    prober = Prober(settings, Known({_domain(name): int(server.server_address[1]) for name, server in servers.items()}))

    def probe(name: str) -> dict[str, t.Any]:
        begun = time.monotonic()
        entry = prober.partner(Job(_domain(name), row=CLEAR if STAGE_OF[name] == "key" else FALLBACK))
        return {"name": name, "entry": entry, "seconds": time.monotonic() - begun}

    results = concurrently([lambda name=name: probe(name) for name in KINDS], 4)  # type: ignore[misc]
    yield {one["name"]: Found(one["entry"], one["seconds"], servers[one["name"]]) for one in results}
    for server in servers.values():
        server.shutdown()
        server.server_close()


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 30


@pytest.mark.parametrize("name", KINDS)
def test_none_holds_a_probe_longer_than_its_deadline(name: str, found: dict[str, Found]) -> None:
    entry, seconds, server = found[name]
    assert seconds < DEADLINE + SLACK
    assert entry["verdict"] in ("failed", "not_observable"), entry["findings"]
    told = {one["code"]: one["message"] for one in entry["findings"]}
    stage = STAGE_OF[name]
    if stage == "stream":
        assert entry["features_before_tls"] is None
    elif stage == "key":
        assert "method_unknown" in told
    else:
        assert any(STAGES[stage] in message for message in told.values()), told
    assert "mistake" not in told
    assert all(one["message"].isprintable() and len(one["message"]) < 1000 for one in entry["findings"])
    end = time.monotonic() + SLACK
    while server.left and time.monotonic() < end:
        time.sleep(0.02)
    assert server.left == 0, "the probe lets go of every connection"
