# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From bytes to elements: what is read, what is refused with which condition, and what each limit means."""

from __future__ import annotations

import contextlib
import re
import sys
import tracemalloc

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import xml_stream as _xml_stream
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.element import NS_XML, Element, escape, split_name
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import (
    Header,
    StreamEnd,
    StreamLimits,
    Violation,
    XmlReader,
)
from hypothesis import given
from hypothesis import strategies as st

OPEN = b"<s:s xmlns:s='urn:s' xmlns='jabber:server'>"
HEADER = Header("{urn:s}s", {}, {"s": "urn:s", "": "jabber:server"})


def read(data: bytes, limits: StreamLimits | None = None, piece: int = 1 << 30) -> list[Header | Element | StreamEnd]:
    """Everything that a reader finds in these bytes, cut into pieces. Raises Violation."""
    reader = XmlReader(limits or StreamLimits())
    found = []
    for at in range(0, len(data), piece):
        reader.append(data[at : at + piece])
        found += drain(reader)
    return found


def drain(reader: XmlReader) -> list[Header | Element | StreamEnd]:
    found = []
    while (node := reader.next()) is not None:
        found.append(node)
    return found


@pytest.mark.parametrize(
    ("data", "elements"),
    [
        (b"<a/>", [Element("{jabber:server}a")]),
        (b" <a> </a>\n\t", [Element("{jabber:server}a", {}, " ")]),
        (b"<a b='&lt;&#x41;&apos;' c=\">'\"/>", [Element("{jabber:server}a", {"b": "<A'", "c": ">'"})]),
        (b"<a xml:lang='en'/>", [Element("{jabber:server}a", {"{%s}lang" % NS_XML: "en"})]),
        (b"<a xmlns=''/>", [Element("a")]),
        (b"<q:a xmlns:q='urn:q' q:b='1' b='2'/>", [Element("{urn:q}a", {"{urn:q}b": "1", "b": "2"})]),
        (b"<a>x<b>y</b>z</a>", [Element("{jabber:server}a", {}, "xz", (Element("{jabber:server}b", {}, "y"),))]),
        (b"<a>&amp;&#9731;\r\n\xe2\x98\x83</a>", [Element("{jabber:server}a", {}, "&\u2603\n\u2603")]),
        (b"<a><![CDATA[<b>&amp;]]]]></a>", [Element("{jabber:server}a", {}, "<b>&amp;]]")]),
        (b"<![CDATA[ ]]><a/>", [Element("{jabber:server}a")]),
        (b"<a>]] ></a><b/>", [Element("{jabber:server}a", {}, "]] >"), Element("{jabber:server}b")]),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_elements(data: bytes, elements: list[Element], piece: int) -> None:
    assert read(OPEN + data + b"</s:s>", piece=piece) == [HEADER, *elements, StreamEnd()]


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"<!DOCTYPE s>", "restricted-xml"),
        (b"<!DOCTYPE s [<!ENTITY a 'b'>]>", "restricted-xml"),
        (b"<?php?>", "restricted-xml"),
        (b"<?xml-stylesheet?>", "restricted-xml"),
        (b"<!-", "restricted-xml"),
        (b"<?xml version='1.1'?>", "not-well-formed"),
        (b"<?xml version='1.0'?><?xml version='1.0'?>", "not-well-formed"),
        (b"<?xml?>", "restricted-xml"),
        (b"<?xml version='1.0' encoding='UTF-16'?>", "unsupported-encoding"),
        (b"\xfe\xff\x00<", "unsupported-encoding"),
        (b"\xef\xbb\xbf<a/>", "not-well-formed"),
        (b"text", "not-well-formed"),
        (b"</a>", "not-well-formed"),
        (b"<>", "not-well-formed"),
        (OPEN + b"<!-- -->", "restricted-xml"),
        (OPEN + b"<a><!-- --></a>", "restricted-xml"),
        (OPEN + b"<a><?b?></a>", "restricted-xml"),
        (OPEN + b"<?xml version='1.0'?>", "not-well-formed"),
        (OPEN + b"<a>&b;</a>", "restricted-xml"),
        (OPEN + b"<a b='&b;'/>", "restricted-xml"),
        (OPEN + b"<a>&#0;</a>", "not-well-formed"),
        (OPEN + b"<a>&b</a>", "not-well-formed"),
        (OPEN + b"<a>& nothing that ends", "not-well-formed"),
        (OPEN + b"<a>]]></a>", "not-well-formed"),
        (OPEN + b"<a b='1' b='2'/>", "not-well-formed"),
        (OPEN + b"<a b='<'/>", "not-well-formed"),
        (OPEN + b"<a></b>", "not-well-formed"),
        (OPEN + b"<q:a/>", "bad-namespace-prefix"),
        (OPEN + b"<a q:b=''/>", "bad-namespace-prefix"),
        (OPEN + b"<a>\xff</a>", "not-well-formed"),
        (OPEN + b"<a>\xed\xa0\x80</a>", "not-well-formed"),
        (OPEN + b"<a>\x00</a>", "not-well-formed"),
        (OPEN + b"text", "bad-format"),
        (OPEN + b"&#65;", "bad-format"),
        (OPEN + b"<![CDATA[x]]>", "bad-format"),
    ],
)
def test_what_is_refused(data: bytes, condition: str) -> None:
    for piece in (1, len(data)):
        with pytest.raises(Violation) as caught:
            read(data, piece=piece)
        assert caught.value.condition == condition


@pytest.mark.parametrize(
    ("fits", "too_much"),
    [
        (OPEN + b"<a>" + b"x" * 93 + b"</a>", OPEN + b"<a>" + b"x" * 94 + b"</a>"),
        (OPEN + b"<a>" + b"x" * 97, OPEN + b"<a>" + b"x" * 98),
        (OPEN + b"<a b='" + b">" * 91 + b"'/>", OPEN + b"<a b='" + b">" * 92 + b"'/>"),
        (OPEN + b"<a " + b"b" * 97, OPEN + b"<a " + b"b" * 98),
        (OPEN + b"<a>" * 5, OPEN + b"<a>" * 6),
        (OPEN + b"<a b='' c='' d=''/>", OPEN + b"<a b='' c='' d='' e=''/>"),
        (OPEN + b"<a b='' xmlns:c='c' xmlns='d'/>", OPEN + b"<a b='' xmlns:c='c' xmlns:e='e' xmlns='d'/>"),
        (OPEN + b"<a>" + b"<b/>" * 19 + b"</a>", OPEN + b"<a>" + b"<b/>" * 20 + b"</a>"),
        (b" " * (100 - len(OPEN)) + OPEN, b" " * (101 - len(OPEN)) + OPEN),
        (b" " * 100, b" " * 101),
        (b"<" + b"a" * 99, b"<" + b"a" * 100),
    ],
)
def test_limits(fits: bytes, too_much: bytes) -> None:
    limits = StreamLimits(stanza_bytes=100, depth=5, attributes=3, nodes=20)
    read(fits, limits)
    with pytest.raises(Violation) as caught:
        read(too_much, limits)
    assert caught.value.condition == "policy-violation"


def test_limits_hold_for_one_element_not_for_the_stream() -> None:
    limits = StreamLimits(stanza_bytes=100, depth=5, attributes=3, nodes=20)
    elements = read(OPEN + (b"<a b='c'><d/></a>" + b" " * 200) * 50, limits)
    assert len(elements) == 51


def test_long_namespaces_are_refused_because_they_are_copied_into_every_name() -> None:
    assert read(OPEN + b"<a xmlns='" + b"x" * 256 + b"'/>")[1:] == [Element("{" + "x" * 256 + "}a")]
    with pytest.raises(Violation):
        read(OPEN + b"<a xmlns='" + b"x" * 257 + b"'/>")


def test_a_restart_begins_with_a_new_header_and_keeps_what_was_not_read() -> None:
    reader = XmlReader(StreamLimits())
    reader.append(OPEN + b"<a/>" + b"<?xml version='1.0'?>" + OPEN + b"<b/>")
    assert [reader.next(), reader.next()] == [HEADER, Element("{jabber:server}a")]
    reader.restart()
    assert drain(reader) == [HEADER, Element("{jabber:server}b")]


def test_a_peer_with_ever_new_names_does_not_fill_the_memory() -> None:
    reader = XmlReader(StreamLimits())
    reader.append(OPEN)
    drain(reader)
    tracemalloc.start()
    try:
        for number in range(6000):
            # Twelve megabytes of names, of which no two are the same.
            reader.append(b"<%b%d xmlns:p%d='u'/>" % (b"x" * 2000, number, number))
            assert len(drain(reader)) == 1
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


def test_what_is_in_force_in_the_header_survives_long_streams() -> None:
    # Three megabytes: the parser has been replaced in between.
    elements = read(OPEN + b"<s:a><b>" + (b"x" * 980 + b"</b></s:a><s:a><b>") * 3000 + b"</b></s:a></s:s>")
    assert elements[0] == HEADER
    assert elements[1:-2] == [Element("{urn:s}a", {}, "", (Element("{jabber:server}b", {}, "x" * 980),))] * 3000
    assert elements[-1] == StreamEnd()


class Counting(bytearray):
    """Counts how many bytes are searched."""

    searched = 0

    def find(self, mark: bytes, start: int, end: int) -> int:  # type: ignore[override]
        at = super().find(mark, start, end)
        self.searched += (end if at < 0 else at + 1) - start
        return at


class CountingPattern:
    """A pattern that does the same."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern

    def search(self, buffer: Counting, start: int = 0, end: int = sys.maxsize) -> re.Match[bytes] | None:
        found = self.pattern.search(buffer, start, end)
        buffer.searched += (found.end() if found else min(end, len(buffer))) - start
        return found


@pytest.mark.parametrize(
    "start",
    [
        *(b"", b"<", b"</", b"<?xml ", OPEN[:-1], OPEN[:-1] + b" a='"),
        *(OPEN + start for start in (b"<a", b"<a b='", b'<a b="', b"</", b"<a>", b"<a><![CDATA[", b"<a>&#")),
    ],
)
@pytest.mark.parametrize("filling", [b" ", b"0", b"x", b">'", b"'", b"]]", b"\xe2\x98\x83", b"<", b"&amp;", b"\n\r"])
def test_no_byte_is_searched_again_for_each_that_follows(
    start: bytes, filling: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_NOT_BLANK", "_TEXT_END", "_TAG_MARK", "_REFERENCE_END"):
        monkeypatch.setattr(_xml_stream, name, CountingPattern(getattr(_xml_stream, name)))
    reader = XmlReader(StreamLimits(stanza_bytes=5000))
    reader._buffer = counting = Counting()
    given_bytes = 0
    with contextlib.suppress(Violation):
        for byte in start + filling * 3000:
            given_bytes += 1
            reader.append(bytes((byte,)))
            drain(reader)
    # Three times where the end mark has three characters; a reference is searched anew, but it is short.
    assert counting.searched <= 10 * given_bytes


def test_names() -> None:
    assert split_name("{a}b") == ("a", "b")
    assert split_name("b") == ("", "b")
    assert split_name("{a}}b") == ("a}", "b")


def test_escaping() -> None:
    assert escape("a<b>&'\"\r\n\t\x00\ud800\uffff") == "a&lt;b&gt;&amp;&apos;&quot;&#13;&#10;&#9;\ufffd\ufffd\ufffd"


def test_children_by_name() -> None:
    element = Element("a", {}, "", (Element("b", {}, "1"), Element("b", {}, "2")))
    assert element.child("b") == Element("b", {}, "1")
    assert element.child("c") is None


@pytest.mark.parametrize("name", ["", "a b", "a>", "1", "a/", "{x}", "a:b", "a\n"])
def test_what_is_no_name_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="must be an XML name"):
        Element(name).serialize()
    with pytest.raises(ValueError, match="must be an XML name"):
        Element("a", {name: ""}).serialize()


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
    lambda character: character >= " " or character in "\t\r\n"
)
TEXTS = st.text(CHARACTERS, max_size=20)
NAMES = st.sampled_from(["a", "{jabber:server}b", "{urn:x}c", "{http://x/y}d-e.f", "{urn:'<&}g"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["a", "b", "{urn:x}a", "{%s}lang" % NS_XML, "{urn:y}a"]), TEXTS)
ELEMENTS = st.recursive(
    st.builds(Element, NAMES, ATTRIBUTES, TEXTS),
    lambda inner: st.builds(Element, NAMES, ATTRIBUTES, TEXTS, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)


@given(ELEMENTS)
def test_what_is_written_is_read_again(element: Element) -> None:
    assert read(OPEN + element.serialize())[1:] == [element]
    alone = element.serialize("")
    assert read(b"<s:s xmlns:s='urn:s'>" + alone)[1:] == [element]
