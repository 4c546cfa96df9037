# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile byte streams for both sides of the handshake, a million with ``hostile_streams.py --streams 1000000``.

Prints how many streams were fed in what time, the peak memory and the events by kind. Exits with 1 if a stream raised,
got stuck, or kept more than its limits allow. A seed gives the same streams each time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import signal
import sys
import time
import typing as t
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import stream as s

Role = t.Literal["initiating", "receiving"]
ROLES: tuple[Role, Role] = ("initiating", "receiving")
OWN, PEER = "contoso.test", "fabrikam.test"
BATCH = 2500
# User time of the processor that no stream comes near: the longest has some ten thousand bytes.
STUCK_SECONDS = 20.0
SMALL = s.StreamLimits(stanza_bytes=1024, depth=6, attributes=8, nodes=64)


class Stuck(BaseException):
    """A stream kept the processor busy. Not an Exception, so that nothing in between can take it for its own."""


def start(stream: s.Stream) -> None:
    """What a side does before anything was received."""
    if stream.role == "initiating":
        stream.open()


def act(stream: s.Stream, event: s.Event, ways: frozenset[str]) -> None:
    """Answer an event as an obliging server would, TLS taking no time. ``ways``: of tls, sasl and dialback."""
    if isinstance(event, s.StreamOpened) and stream.role == "receiving":
        stream.remote = event.from_
        stream.respond()
        external = ("EXTERNAL",) if "sasl" in ways and stream.secure and not stream.authenticated else ()
        stream.send_features("offered" if "tls" in ways and not stream.secure else "", external, "dialback" in ways)
    elif isinstance(event, s.StreamOpened) and event.version == "":
        stream.send_key(OWN, PEER, "0123")
    elif isinstance(event, s.Features):
        if event.starttls and not stream.secure:
            stream.request_tls()
        elif "EXTERNAL" in event.mechanisms and not stream.authenticated:
            stream.authenticate_external()
        elif not stream.authenticated:
            stream.send_key(OWN, PEER, "0123")
        else:
            stream.send_verify(OWN, PEER, "77", "4567")
    elif isinstance(event, s.TlsRequested):
        if "tls" in ways:
            stream.proceed_tls()
            stream.tls_established()
        else:
            stream.refuse_tls()
    elif isinstance(event, s.TlsProceed):
        stream.tls_established()
    elif isinstance(event, s.AuthRequested):
        if event.identity is None:
            stream.accept_auth()
        else:
            stream.reject_auth("invalid-authzid")
    elif isinstance(event, s.AuthFailed):
        stream.send_key(OWN, PEER, "0123")
    elif isinstance(event, s.DialbackKey):
        stream.answer_key(event.to, event.from_, "valid" if event.key == "0123" else "invalid")
    elif isinstance(event, s.VerifyRequested):
        stream.answer_verify(event.to, event.from_, event.id, "error", "item-not-found")
    elif isinstance(event, s.DialbackAnswer) and event.type == "valid":
        stream.send(MESSAGE)
    elif isinstance(event, s.VerifyAnswer):
        stream.send(MESSAGE)
        stream.close()


MESSAGE = s.Element(
    "{jabber:server}message",
    {"from": "bob@contoso.test", "to": "carol@fabrikam.test", "type": "chat"},
    "",
    (s.Element("{jabber:server}body", {}, "Grüße & mehr <b>"), s.Element("{urn:xmpp:receipts}request")),
)

# What the two sides send in turn, in the form in which other servers write it.
PROSODY = (
    b"<?xml version='1.0'?><stream:stream xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xml:lang='en' from='fabrikam.test' to='contoso.test' version='1.0' xmlns='jabber:server'>",
    b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    b"<?xml version='1.0'?><stream:stream xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xml:lang='en' from='fabrikam.test' to='contoso.test' version='1.0' xmlns='jabber:server'>",
    b"<db:result from='fabrikam.test' to='contoso.test'>0123</db:result>",
    b"<message from='carol@fabrikam.test/x' to='bob@contoso.test' type='chat' id='a1'><body>Hi &quot;Bob&quot; &#9731;"
    b"</body><active xmlns='http://jabber.org/protocol/chatstates'/></message> \n",
    b"</stream:stream>",
)
EJABBERD = (
    b"<?xml version='1.0'?><stream:stream id='12345678901234567890' version='1.0' xml:lang='en' to='contoso.test'"
    b" from='fabrikam.test' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns='jabber:server'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    b"<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>",
    b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    b"<?xml version='1.0'?><stream:stream id='98765432109876543210' version='1.0' xml:lang='en' to='contoso.test'"
    b" from='fabrikam.test' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns='jabber:server'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    b"<mechanism>EXTERNAL</mechanism></mechanisms></stream:features>",
    b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
    b"<db:result to='contoso.test' from='fabrikam.test' type='valid'/>",
    b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
)

PIECES = (
    *(b"<", b">", b"/>", b"</", b"'", b'"', b"=", b"&", b";", b" ", b"\n", b"]]>", b"<![CDATA[", b"<?", b"?>", b"<!--"),
    *(
        b"<a",
        b"<a>",
        b"</a>",
        b"<message>",
        b"</message>",
        b"<iq xmlns='jabber:client'/>",
        b"<stream:error>",
        b"<b:c/>",
    ),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&amp;", b"&#x41;", b"&#0;", b"&b;", b"&#x", b"<?xml version='1.0'?>"),
    *(b"<?xml version='1.0' encoding='utf-16'?>", b"\xff\xfe<\x00", b"\xef\xbb\xbf", b"\xe2\x82", b"\xf4\x90\x80\x80"),
    *(b"\xed\xa0\x80", b"\x00", b"\xc0\xaf", b" type='error'", b" xmlns=''", b" xmlns:a='b'", b" a='", b"a='b' a='c'"),
    *(b"</stream:stream>", b"<stream:stream", b"=" * 40, b"x" * 300, b"<a>" * 9, b"<a b='" + b">" * 99, b"\r" * 20),
)


@dataclass
class Tally:
    """What came of some streams."""

    streams: int = 0
    bytes: int = 0
    events: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    peak: int = 0  # kilobytes, of the process

    def add(self, other: Tally) -> None:
        """Take in the figures of another part."""
        self.streams += other.streams
        self.bytes += other.bytes
        self.events += other.events
        self.failures += other.failures
        self.peak = max(self.peak, other.peak)


def conversations() -> dict[Role, list[tuple[bytes, ...]]]:
    """By the role that receives them: what a peer sends in good conversations, one flight after another."""
    found: dict[Role, list[tuple[bytes, ...]]] = {"initiating": [EJABBERD], "receiving": [PROSODY]}
    for ways in (("tls", "sasl"), ("tls", "dialback"), ("dialback",), ("tls", "sasl", "dialback")):
        heard = converse(frozenset(ways))
        for role in ROLES:
            found[role].append(tuple(heard[role]))
    return found


def converse(ways: frozenset[str]) -> dict[Role, list[bytes]]:
    """Two streams of this code against each other, until neither has anything to say; what each of them heard."""
    streams = {role: s.Stream(role, OWN, PEER, new_id=lambda: "77") for role in ROLES}
    heard: dict[Role, list[bytes]] = {role: [] for role in ROLES}
    start(streams["initiating"])
    speaker: Role
    listener: Role
    speaker, listener = ROLES
    while data := streams[speaker].data_to_send():
        heard[listener].append(data)
        for event in streams[listener].receive(data):
            act(streams[listener], event, ways)
        speaker, listener = listener, speaker
    return heard


def hostile(rng: random.Random, good: list[tuple[bytes, ...]]) -> list[bytes]:
    """One hostile stream, as the chunks in which it arrives."""
    kind = rng.random()
    if kind < 0.6:
        flights = list(rng.choice(good))
        for _unused in range(rng.randint(1, 4)):
            at = rng.randrange(len(flights))
            flights[at] = mutated(rng, flights[at], flights)
    elif kind < 0.7:
        flights = [rng.randbytes(rng.randint(1, 400))]
    else:
        flights = [rng.choice(good)[0]] if rng.random() < 0.8 else []
        flights.append(b"".join(rng.choices(PIECES, k=rng.randint(1, 40))))
    return [chunk for flight in flights for chunk in cut(rng, flight)]


def mutated(rng: random.Random, flight: bytes, flights: list[bytes]) -> bytes:
    """The flight with one thing wrong."""
    at, to = sorted((rng.randint(0, len(flight)), rng.randint(0, len(flight))))
    way = rng.randrange(7)
    if way == 0:
        return flight[:at] + bytes((rng.randrange(256),)) + flight[at + 1 :]
    if way == 1:
        return flight[:at] + flight[to:]
    if way == 2:
        return flight[:to] + flight[at:]
    if way == 3:
        return flight[:at] + rng.choice(PIECES) + flight[at:]
    if way == 4:
        return flight + rng.choice(flights)
    if way == 5:
        return rng.choice(flights)
    return flight[:at] + flight[at:to] * rng.randint(2, 30) + flight[to:]


def cut(rng: random.Random, data: bytes) -> Iterator[bytes]:
    """The data in pieces: whole, byte by byte, or at random."""
    way = rng.random()
    longest = len(data) if way < 0.6 else 1 if way < 0.65 else rng.randint(1, 200)
    at = 0
    while at < len(data):
        size = rng.randint(1, longest) if longest > 1 and way >= 0.65 else longest
        yield data[at : at + size]
        at += size


def feed(stream: s.Stream, chunks: list[bytes], ways: frozenset[str], events: Counter[str]) -> None:
    """Give a stream its chunks and act on what comes. Raises AssertionError if it keeps or does what it must not."""
    start(stream)
    over = False
    for chunk in chunks:
        for event in stream.receive(chunk):
            assert not over, "an event after the end: %r" % (event,)
            events[event.__class__.__name__] += 1
            over = isinstance(event, (s.Broken, s.Closed, s.PeerError))
            act(stream, event, ways)
        assert not over or stream.closed, "over, but open"
        assert stream.unread <= stream.limits.stanza_bytes, "%d bytes kept" % stream.unread
        stream.data_to_send()


def run(seed: int, streams: int) -> Tally:
    """Feed so many streams from one seed."""
    rng = random.Random(seed)
    good = conversations()
    tally = Tally()
    for number in range(streams):
        role = ROLES[number % 2]
        ways = frozenset(way for way in ("tls", "sasl", "dialback") if rng.random() < 0.8)
        chunks = hostile(rng, good[role])
        stream = s.Stream(role, OWN, PEER, SMALL if rng.random() < 0.2 else s.StreamLimits())
        signal.setitimer(signal.ITIMER_VIRTUAL, STUCK_SECONDS)
        try:
            feed(stream, chunks, ways, tally.events)
        except (Exception, Stuck) as exc:  # noqa: BLE001 - whatever it is, it is what is looked for
            tally.failures.append(
                "%s: %r\n  %s, %s, chunks %r" % (exc.__class__.__name__, exc, role, set(ways), chunks)
            )
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        tally.streams += 1
        tally.bytes += sum(map(len, chunks))
    tally.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return tally


def _stuck(signum: int, frame: object) -> None:
    raise Stuck("more than %d seconds" % STUCK_SECONDS)


def _prepare() -> None:
    signal.signal(signal.SIGVTALRM, _stuck)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Feed hostile byte streams to the server-to-server handshake.")
    parser.add_argument("--streams", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    begin = time.monotonic()
    total = Tally()
    batches = [
        (options.seed * 1_000_000 + number, min(BATCH, options.streams - at))
        for number, at in enumerate(range(0, options.streams, BATCH))
    ]
    with multiprocessing.Pool(options.processes, _prepare) as pool:
        for tally in pool.imap_unordered(_run, batches):
            total.add(tally)
    seconds = time.monotonic() - begin
    print(
        "%d streams, %d bytes, %.1f s, %.0f streams/s" % (total.streams, total.bytes, seconds, total.streams / seconds)
    )
    print("peak memory %.1f MB in a process" % (total.peak / 1024))
    for kind, number in sorted(total.events.items()):
        print("  %-16s %d" % (kind, number))
    print("%d failures" % len(total.failures))
    for failure in total.failures[:5]:
        print(failure)
    return 1 if total.failures else 0


def _run(batch: tuple[int, int]) -> Tally:
    return run(*batch)


if __name__ == "__main__":
    sys.exit(main())
