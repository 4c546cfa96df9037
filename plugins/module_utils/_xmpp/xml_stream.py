# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the header and the elements from the bytes of an XML stream, within limits (RFC 6120 sections 4 and 11).

Expat parses. This file passes only whole tokens to expat, because expat scans an unfinished tag again from its start
when more data arrives. With single bytes, a peer could make this work quadratic. Document types, comments and
processing instructions, which XMPP forbids, never reach expat.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

from .element import Element

__all__ = ["Element", "Header", "StreamEnd", "StreamLimits", "Violation", "XmlReader"]

# Expat keeps every name, so a parser grows with its stream. The parser is replaced between two elements after this
# number of bytes.
_PARSER_LIFETIME = 1 << 20

# A namespace is copied into each of its names. So a long namespace would multiply the data of a peer.
_NAMESPACE_LENGTH = 256

# "&#x10FFFF;" has ten bytes. A few leading zeros are allowed.
_REFERENCE_LENGTH = 16

_WHITESPACE = " \t\r\n"
_NOT_BLANK = re.compile(rb"[^ \t\r\n]")
_TEXT_END = re.compile(rb"[<&]")
_REFERENCE_END = re.compile(rb"[^#0-9A-Za-z]")
_TAG_MARK = re.compile(rb"[>'\"]")
_CDATA = b"<![CDATA["
_DECLARATION = b"<?xml"


_CONDITIONS = {
    expat.errors.codes[expat.errors.XML_ERROR_UNBOUND_PREFIX]: "bad-namespace-prefix",
    expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]: "restricted-xml",
}


class Violation(Exception):
    """The peer's data is not allowed.

    condition: the stream error of the answer (RFC 6120 section 4.9.3).
    """

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition
        self.text = text


@dataclass(frozen=True)
class StreamLimits:
    """Limit one element, and the header of the stream.

    stanza_bytes: bytes on the wire.
    depth: levels; the stanza itself is the first.
    attributes: the attributes of one element, with namespace declarations.
    nodes: elements and attributes together.
    """

    stanza_bytes: int = 262144
    depth: int = 32
    attributes: int = 64
    nodes: int = 8192


@dataclass(frozen=True)
class Header:
    """This is the start tag of the stream.

    namespaces: the declared namespaces by prefix; '' is the prefix of the default namespace.
    """

    name: str
    attributes: Mapping[str, str]
    namespaces: Mapping[str, str]


@dataclass(frozen=True)
class StreamEnd:
    """This is the end tag of the stream."""


class _Open:
    """This is an element without its end."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.text: io.StringIO | None = None
        self.children: list[Element] = []

    def element(self) -> Element:
        text = self.text.getvalue() if self.text else ""
        return Element(self.name, self.attributes, text, tuple(self.children))


class XmlReader:
    """Read one stream. Call ``append`` with data, then call ``next`` until ``next`` returns None.

    The work is linear in the bytes, and the limits bound the memory. After a Violation the reader cannot be used.
    """

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self.restart()

    def restart(self) -> None:
        """Expect a new header (RFC 6120 section 4.3.3). Unread bytes belong to the new stream."""
        self._ready: deque[Header | Element | StreamEnd] = deque()
        self._stack: list[_Open] = []
        self._declared: dict[str, str] = {}
        self._opened = False
        self._header = b""
        self._unit = 0  # the bytes of the unfinished header or element
        self._nodes = 0
        self._scanned = 1  # the checked bytes of the unfinished token at the start of the buffer
        self._quote = b""  # the open quote at the end of these bytes
        self._renew()

    @property
    def pending(self) -> int:
        """Return the number of unread bytes."""
        return len(self._buffer)

    @property
    def unfinished(self) -> str:
        """Return the name of the unfinished element in Clark notation; empty without an unfinished element."""
        return self._stack[0].name if self._stack else ""

    def append(self, data: bytes) -> None:
        """Add bytes."""
        self._buffer += data

    def next(self) -> Header | Element | StreamEnd | None:
        """Return the next item of the stream, or None if the item is incomplete. Raises Violation."""
        while not self._ready:
            token = self._token()
            if not token:
                return None
            self._parse(token)
        return self._ready.popleft()

    # The parser

    def _renew(self) -> None:
        parser = expat.ParserCreate("UTF-8", " ")
        # Since version 2.6 expat may delay complete tokens. The delay is not needed, because expat only gets whole
        # tokens.
        defer = getattr(parser, "SetReparseDeferralEnabled", None)
        if defer is not None:
            defer(False)
        if self._header:
            parser.Parse(self._header)
        parser.XmlDeclHandler = self._on_declaration
        parser.StartNamespaceDeclHandler = self._on_namespace
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self._on_text
        self._parser = parser
        self._parsed = 0

    def _parse(self, token: bytes) -> None:
        self._unit += len(token)
        self._parsed += len(token)
        if not self._opened:
            self._header += token
        try:
            self._parser.Parse(token)
        except expat.ExpatError as exc:
            condition = _CONDITIONS.get(exc.code, "not-well-formed")
            raise Violation(condition, expat.ErrorString(exc.code) or "") from exc
        if self._opened and not self._stack:
            self._unit = 0
            if self._parsed > _PARSER_LIFETIME and token[0] == 0x3C:
                self._renew()

    def _on_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.upper() != "UTF-8":
            raise Violation("unsupported-encoding", "XMPP is written in UTF-8")
        if version != "1.0":
            raise Violation("not-well-formed", "XMPP is written in XML 1.0")

    def _on_namespace(self, prefix: str | None, namespace: str | None) -> None:
        if len(namespace or "") > _NAMESPACE_LENGTH:
            raise Violation("policy-violation", "a namespace of more than %d characters" % _NAMESPACE_LENGTH)
        self._declared[prefix or ""] = namespace or ""

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        declared, self._declared = self._declared, {}
        number = len(attributes) + len(declared)
        self._nodes += 1 + number
        if number > self._limits.attributes:
            raise Violation("policy-violation", "an element of more than %d attributes" % self._limits.attributes)
        if self._nodes > self._limits.nodes:
            raise Violation("policy-violation", "more than %d elements and attributes" % self._limits.nodes)
        if len(self._stack) >= self._limits.depth:
            raise Violation("policy-violation", "elements in more than %d levels" % self._limits.depth)
        clark = {_clark(key): value for key, value in attributes.items()}
        if self._opened:
            self._stack.append(_Open(_clark(name), clark))
        else:
            self._opened = True
            self._nodes = 0
            self._ready.append(Header(_clark(name), clark, declared))

    def _on_end(self, name: str) -> None:
        if not self._stack:
            self._ready.append(StreamEnd())
            return
        element = self._stack.pop().element()
        if self._stack:
            self._stack[-1].children.append(element)
        else:
            self._nodes = 0
            self._ready.append(element)

    def _on_text(self, text: str) -> None:
        if self._stack:
            inner = self._stack[-1]
            if inner.text is None:
                inner.text = io.StringIO()
            inner.text.write(text)
        elif text.strip(_WHITESPACE):
            raise Violation("bad-format", "text between the elements of the stream")

    # The tokens. The result depends only on the bytes, not on the pieces in which they arrive.

    def _token(self) -> bytes:
        """Return the next token: a tag, a section, a reference, or a piece of text. Empty for an incomplete token."""
        buffer, room = self._buffer, self._limits.stanza_bytes - self._unit
        if not self._opened:
            found = _NOT_BLANK.search(buffer)
            blanks = found.start() if found else len(buffer)
            del buffer[:blanks]
            self._unit += blanks
            room -= blanks
            if buffer and buffer[0] != 0x3C and room >= 0:
                raise self._not_xml(buffer[0])
        if not buffer and room >= 0:
            return b""
        end = max(0, min(len(buffer), room))
        size = self._size(end) if end else 0
        if not size and len(buffer) > room:
            raise Violation("policy-violation", "an element of more than %d bytes" % self._limits.stanza_bytes)
        token = bytes(buffer[:size])
        if size:
            del buffer[:size]
            self._scanned, self._quote = 1, b""
        return token

    @staticmethod
    def _not_xml(first: int) -> Violation:
        # A byte order mark of UTF-16, or half a character of UTF-16.
        if first in (0x00, 0xFE, 0xFF):
            return Violation("unsupported-encoding", "XMPP is written in UTF-8")
        return Violation("not-well-formed", "text before the stream")

    def _size(self, end: int) -> int:
        """Return the length of the token at the start of the buffer; 0 if the token does not end before ``end``."""
        buffer = self._buffer
        if buffer[0] == 0x26:  # &
            found = _REFERENCE_END.search(buffer, 1, min(end, _REFERENCE_LENGTH))
            if found.group() != b";" if found else end >= _REFERENCE_LENGTH:
                raise Violation("not-well-formed", "an ampersand without a reference")
            return found.end() if found else 0
        if buffer[0] != 0x3C:  # <
            found = _TEXT_END.search(buffer, 1, end)
            return found.start() if found else end
        if end < 2:
            return 0
        if buffer[1] == 0x21:  # !
            if not _CDATA.startswith(bytes(buffer[: min(end, len(_CDATA))])):
                raise Violation("restricted-xml", "document types and comments are not allowed")
            return self._find(b"]]>", end)
        if buffer[1] == 0x3F:  # ?
            start = bytes(buffer[: min(end, len(_DECLARATION))])
            if not _DECLARATION.startswith(start) or (end > len(start) and buffer[len(start)] not in b" \t\r\n"):
                raise Violation("restricted-xml", "processing instructions are not allowed")
            return self._find(b"?>", end)
        if buffer[1] == 0:
            raise Violation("unsupported-encoding", "XMPP is written in UTF-8")
        return self._tag(end)

    def _find(self, mark: bytes, end: int) -> int:
        stop = self._buffer.find(mark, max(1, self._scanned - len(mark) + 1), end)
        self._scanned = end
        return stop + len(mark) if stop > 0 else 0

    def _tag(self, end: int) -> int:
        """Return the length of a tag, as _size does. A tag ends at the first ``>`` outside quotes."""
        buffer, at, quote = self._buffer, self._scanned, self._quote
        while at < end:
            if quote:
                found = buffer.find(quote, at, end)
                if found < 0:
                    at = end
                else:
                    at, quote = found + 1, b""
            else:
                mark = _TAG_MARK.search(buffer, at, end)
                if mark is None:
                    at = end
                else:
                    at = mark.end()
                    if buffer[at - 1] == 0x3E:
                        return at
                    quote = bytes(buffer[at - 1 : at])
        self._scanned, self._quote = at, quote
        return 0


def _clark(name: str) -> str:
    namespace, blank, local = name.rpartition(" ")
    return "{%s}%s" % (namespace, local) if blank else local
