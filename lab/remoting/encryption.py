# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encrypt and decrypt messages with the keys of the authentication (MS-WSMV 2.2.9.1.1), without I/O."""

from __future__ import annotations

import re
import struct

import spnego
from spnego.exceptions import SpnegoError

TYPE = "multipart/encrypted"
_BOUNDARY = b"Encrypted Boundary"
_PROTOCOL = re.compile(r'protocol="(application/HTTP-[A-Za-z]+-session-encrypted)"')
_PARTS = re.compile(
    rb"--Encrypted Boundary\r\n.*?Length=(\d+)\r\n--Encrypted Boundary\r\n"
    rb"\s*Content-Type: application/octet-stream\r\n(.*)--Encrypted Boundary--\r\n",
    re.DOTALL,
)


class NotSealed(Exception):
    """A message is not encrypted as the header states, or not for this connection."""


def unseal(data: bytes, context: spnego.ContextProxy) -> bytes:
    """Return the message in the body of a request. Raises NotSealed."""
    found = _PARTS.fullmatch(data)
    if found is None:
        raise NotSealed("it must have two parts")
    length, sealed = int(found[1]), found[2]
    (size,) = struct.unpack_from("<I", sealed)
    try:
        message = context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
    except SpnegoError as e:
        raise NotSealed(str(e)) from e
    if len(message) != length:
        raise NotSealed("it has %d bytes instead of %d" % (len(message), length))
    return message


def seal(message: bytes, context: spnego.ContextProxy, asked: str) -> tuple[str, bytes]:
    """Return the answer's Content-Type and body.

    asked: the Content-Type of the request.
    """
    found = _PROTOCOL.search(asked)
    protocol = found[1] if found else "application/HTTP-SPNEGO-session-encrypted"
    sealed = context.wrap_winrm(message)
    head = (
        "--Encrypted Boundary\r\n\tContent-Type: %s\r\n"
        "\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
        "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
    ) % (protocol, len(message) + sealed.padding_length)
    body = head.encode() + struct.pack("<I", len(sealed.header)) + sealed.header + sealed.data
    return (
        '%s;protocol="%s";boundary="%s"' % (TYPE, protocol, _BOUNDARY.decode()),
        body + b"--Encrypted Boundary--\r\n",
    )
