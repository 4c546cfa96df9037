# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that mean harm: whatever they send, nothing is raised, little is kept, and the end is the end."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import events as _stream_events
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import stream as s
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.hostile_streams import (
    OWN,
    PEER,
    PIECES,
    ROLES,
    SMALL,
    Role,
    act,
    conversations,
    feed,
    mutated,
    start,
)

GOOD = conversations()
WAYS = frozenset(("tls", "sasl", "dialback"))
HEADER = GOOD["receiving"][0][0]


def converse(role: Role, flights: list[list[bytes]], limits: s.StreamLimits) -> tuple[list[s.Event], bytes]:
    """What a side makes of these flights, each in its chunks, and what it says. It acts when a flight is over."""
    stream = s.Stream(role, OWN, PEER, limits, new_id=lambda: "77")
    start(stream)
    found: list[s.Event] = []
    for flight in flights:
        events = [event for chunk in flight for event in stream.receive(chunk)]
        for event in events:
            act(stream, event, WAYS)
        found += events
    return found, stream.data_to_send()


def _is_event(kind: object) -> bool:
    return getattr(kind, "__module__", "") == _stream_events.__name__


def test_the_good_conversations_are_good() -> None:
    seen: set[str] = set()
    for role in ROLES:
        for flights in GOOD[role]:
            events, _said = converse(role, [[flight] for flight in flights], s.StreamLimits())
            seen.update(event.__class__.__name__ for event in events)
            assert not any(isinstance(event, s.Broken) for event in events)
    kinds = {name for name, kind in vars(_stream_events).items() if _is_event(kind)}
    assert seen == kinds - {"Broken", "TlsRefused"}


@given(st.sampled_from(ROLES), st.lists(st.binary(max_size=200), max_size=8))
def test_any_bytes(role: Role, chunks: list[bytes]) -> None:
    feed(s.Stream(role, OWN, PEER), chunks, WAYS, Counter())


@given(st.sampled_from(ROLES), st.lists(st.sampled_from(PIECES), max_size=30), st.booleans())
def test_any_pieces_of_markup_behind_a_header(role: Role, pieces: list[bytes], together: bool) -> None:
    chunks = [HEADER, b"".join(pieces)] if together else [HEADER, *pieces]
    feed(s.Stream(role, OWN, PEER, SMALL), chunks, WAYS, Counter())


@given(st.sampled_from(ROLES), st.integers(0), st.sampled_from([SMALL, s.StreamLimits()]), st.data())
def test_how_the_bytes_are_cut_does_not_matter(
    role: Role, seed: int, limits: s.StreamLimits, data: st.DataObject
) -> None:
    rng = random.Random(seed)
    flights = list(data.draw(st.sampled_from(GOOD[role])))
    for _time in range(data.draw(st.integers(0, 3))):
        at = rng.randrange(len(flights))
        flights[at] = mutated(rng, flights[at], flights)
    cuts = [sorted(rng.randint(0, len(flight)) for _time in range(3)) for flight in flights]
    whole = converse(role, [[flight] for flight in flights], limits)
    single = converse(role, [[flight[at : at + 1] for at in range(len(flight))] for flight in flights], limits)
    four = converse(
        role,
        [[flight[:a], flight[a:b], flight[b:c], flight[c:]] for flight, (a, b, c) in zip(flights, cuts, strict=True)],
        limits,
    )
    for events, said in (single, four):
        assert without_injected(events) == without_injected(whole[0])
        assert said == whole[1]


def without_injected(events: list[s.Event]) -> list[s.Event]:
    """A request that comes at once with what was injected behind it is withheld; one that came before cannot be."""
    end = len(events) - 1
    if end > 0 and isinstance(events[end], s.Broken):
        if isinstance(events[end - 1], (s.TlsRequested, s.TlsProceed, s.AuthRequested)):
            return [*events[: end - 1], events[end]]
    return events


BOMBS = {
    "entities": b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><a>&c;</a>",
    "external entity": b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
    "depth": b"<a>" * 100_000,
    "attributes": HEADER + b"<a " + b" ".join(b"a%d=''" % number for number in range(20_000)) + b"/>",
    "namespaces": HEADER + b"<a " + b" ".join(b"xmlns:a%d='b'" % number for number in range(10_000)) + b"/>",
    "a namespace in many names": HEADER + b"<a xmlns='" + b"x" * 100_000 + b"'>" + b"<b/>" * 30_000,
    "elements": HEADER + b"<a>" + b"<b/>" * 60_000,
    "a long name": HEADER + b"<" + b"a" * 1_000_000,
    "a long attribute": HEADER + b"<a b='" + b">" * 1_000_000,
    "a long text": HEADER + b"<message><body>" + b"x" * 1_000_000,
    "lines": HEADER + b"<message><body>" + b"\n" * 1_000_000,
    "references": HEADER + b"<message><body>" + b"&#x1F600;" * 100_000,
    "a long section": HEADER + b"<message><body><![CDATA[" + b"]" * 1_000_000,
    "a long reference": HEADER + b"<message><body>&" + b"#" * 1_000_000,
    "a long header": HEADER[:-1] + b" " * 1_000_000,
    "blanks before the header": b" " * 1_000_000,
    "a long declaration": b"<?xml " + b" " * 1_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("role", ROLES)
def test_bombs(role: Role, name: str) -> None:
    data = BOMBS[name]
    stream = s.Stream(role, OWN, PEER)
    start(stream)
    tracemalloc.start()
    try:
        events: list[s.Event] = []
        for at in range(0, len(data), 4096):
            events += stream.receive(data[at : at + 4096])
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(events[-1], s.Broken)
    assert [event for event in events if isinstance(event, s.Broken)] == events[-1:]
    assert peak < 12_000_000
    assert stream.unread == 0


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_single_bytes(name: str) -> None:
    """Each byte alone: the same end, and in the time of this test, which it would not be with work that grows."""
    limits = s.StreamLimits(stanza_bytes=30_000)
    whole, single = (s.Stream("receiving", OWN, PEER, limits) for _number in range(2))
    expected = whole.receive(BOMBS[name])
    assert [event for byte in BOMBS[name][:40_000] for event in single.receive(bytes((byte,)))] == expected
    assert isinstance(expected[-1], s.Broken)
