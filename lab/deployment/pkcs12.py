# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open a PKCS#12 file as an old Windows does.

For newer encryption, an old Windows reports a wrong password.

Windows Server 2016 and older cannot read files that are encrypted with PBES2 (AES) or have a SHA-256 MAC. Several
certificate authorities document this symptom. RFC 7292 defines the structure of the file and the object identifiers.
"""

from __future__ import annotations

import typing as t

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12

# This is 1.2.840.113549.1.12.1. The children of this identifier are the old PBE schemes.
_PKCS12_PBE = bytes.fromhex("2a864886f70d010c01")
# The schemes are 3DES with three or two keys, and RC2 with 128 or 40 bits.
_OLD_SCHEMES = frozenset(_PKCS12_PBE + bytes((n,)) for n in (3, 4, 5, 6))
_SHA1 = bytes.fromhex("2b0e03021a")
_DATA = bytes.fromhex("2a864886f70d010701")
_ENCRYPTED_DATA = bytes.fromhex("2a864886f70d010706")
_SHROUDED_KEY_BAG = bytes.fromhex("2a864886f70d010c0a0102")


class Pkcs12Error(Exception):
    """The file cannot be opened. The text is the message of Windows."""


class Content(t.NamedTuple):
    """Hold the content of a file. The key is of a kind that can sign (RSA, ECC, ...)."""

    key: CertificateIssuerPrivateKeyTypes | None
    certificate: x509.Certificate | None
    friendly_name: str
    others: list[x509.Certificate]


WRONG_PASSWORD = "The specified network password is not correct."  # noqa: S105  # a message
NOT_A_FILE = "Cannot find the requested object."


def open_as_windows(data: bytes, password: str) -> Content:
    """Open the file. Raises Pkcs12Error."""
    try:
        schemes, mac = algorithms(data)
    except (ValueError, IndexError):
        raise Pkcs12Error(NOT_A_FILE) from None
    if not schemes <= _OLD_SCHEMES or mac not in (_SHA1, b""):
        raise Pkcs12Error(WRONG_PASSWORD)
    try:
        loaded = pkcs12.load_pkcs12(data, password.encode("utf-8"))
    except ValueError:
        raise Pkcs12Error(WRONG_PASSWORD) from None
    main = loaded.cert
    name = main.friendly_name.decode("utf-8", "replace") if main and main.friendly_name else ""
    return Content(
        t.cast("CertificateIssuerPrivateKeyTypes | None", loaded.key),
        main.certificate if main else None,
        name,
        [c.certificate for c in loaded.additional_certs],
    )


def algorithms(data: bytes) -> tuple[set[bytes], bytes]:
    """Return the object identifiers (in DER) of every encryption in the file, and of the MAC's digest (or empty)."""
    version, safe, *mac = _children(_only(data))
    kind, content = _children(safe[1])
    if kind[1] != _DATA:
        raise ValueError("the file is protected by a signature, and must have a MAC")
    schemes: set[bytes] = set()
    for info in _children(_only(_only(content[1]))):
        info_kind, info_content = _children(info[1])
        if info_kind[1] == _ENCRYPTED_DATA:
            encrypted_info = _children(_only(info_content[1]))[1]
            schemes.add(_children(_children(encrypted_info[1])[1][1])[0][1])
        elif info_kind[1] == _DATA:
            for bag in _children(_only(_only(info_content[1]))):
                bag_kind, bag_value = _children(bag[1])[:2]
                if bag_kind[1] == _SHROUDED_KEY_BAG:
                    schemes.add(_children(_children(_only(bag_value[1]))[0][1])[0][1])
    if not mac:
        return schemes, b""
    digest_info = _children(mac[0][1])[0]
    return schemes, _children(_children(digest_info[1])[0][1])[0][1]


def _only(data: bytes) -> bytes:
    """Return the content of the single element in the data."""
    return _element(data, 0)[1]


def _children(content: bytes | tuple[int, bytes]) -> list[tuple[int, bytes]]:
    """Return the elements of a constructed element's content, as (tag, content)."""
    data = content if isinstance(content, bytes) else content[1]
    found = []
    at = 0
    while at < len(data):
        tag, inner, at = _element(data, at)
        found.append((tag, inner))
    return found


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Read one DER element (X.690): tag, content, offset behind it."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length == 0x80:
        raise ValueError("indefinite length")
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[at : at + size], "big")
        at += size
    if at + length > len(data):
        raise ValueError("truncated")
    return tag, data[at : at + length], at + length
