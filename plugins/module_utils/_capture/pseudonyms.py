# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other names for names: the same everywhere for whoever has the key, and nothing to anybody else.

What is not on the list of the product's own words is taken for a name. A word becomes ``x`` and ten digits, a domain
the same label by label below ``.example``, which reaches nobody (RFC 2606); thumbprints, SIDs, GUIDs, addresses and
long numbers become others of their form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import typing as t
import unicodedata

from .product_words import KNOWN, TYPES, WORDS, is_command

_TOKEN = re.compile(
    r"(?P<sid>\bS-1-5-21(?:-\d+)+)"
    r"|(?P<guid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)"
    r"|(?P<hex>\b[0-9a-fA-F]{16,}\b)"
    r"|(?P<dotted>[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<word>[\w-]+)"
)
# Types and schemas of the product. "microsoft.com" is a name like any other.
_MICROSOFTS = re.compile(
    r"(?:Deserialized\.|Selected\.)*(?:Microsoft\.(?:Rtc|PowerShell|Management|WSMan)|System)\.[A-Z]"
)
# "ADOperationException" is three words, "PSListModifier" too.
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SCHEMA = re.compile(r"urn:schema:Microsoft\.Rtc\.[\w.]+")
_VERSION = re.compile(r"\d+(?:\.\d+)+")
# What stands behind a known word that says what follows.
_PREFIX_ENDS = (":", "=", "#")


class Pseudonyms:
    """key: secret; the same key gives the same names. seen: the words that were replaced."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.seen: set[str] = set()
        # Of certificates that are replaced by others, by the former thumbprint in upper case.
        self.thumbprints: dict[str, str] = {}

    def digest(self, kind: str, text: str) -> bytes:
        """32 bytes that follow from a text and the key."""
        return hmac.new(self._key, ("%s:%s" % (kind, text)).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def text(self, text: str, prose: bool = False) -> str:
        """A text with other names. prose: it is the product's own, in which words of the language may stay."""
        if _SCHEMA.fullmatch(text):
            return text
        return _TOKEN.sub(lambda found: self._token(found, text, prose), text)

    def kept(self, text: str) -> str:
        """A text that is the product's by its place, such as a type; with other names where one stands in it."""
        if text.startswith("System."):
            return text

        def one(found: re.Match[str]) -> str:
            folded = _folded(found[0])
            return self._word(found[0]) if folded in self.seen and folded not in KNOWN | WORDS else found[0]

        return re.sub(r"[\w-]+", one, text)

    def guid(self, text: str) -> str:
        if not text.strip("0-{}"):
            return text
        new = self.digest("guid", text.casefold().strip("{}")).hex()
        return "-".join((new[:8], new[8:12], new[12:16], new[16:20], new[20:32]))

    def hexadecimal(self, text: str) -> str:
        """Of the same length and case. The first digit stays, so that the number stays as long."""
        known = self.thumbprints.get(text.upper())
        new = known or text[0] + (self.digest("hex", text.casefold()).hex() * (len(text) // 64 + 1))[: len(text) - 1]
        return new.lower() if text == text.lower() else new.upper()

    def address(self, text: str) -> str:
        """Of IPv4, within 10.0.0.0/8."""
        return "10.%d.%d.%d" % tuple(self.digest("address", text)[:3])

    def _token(self, found: re.Match[str], text: str, prose: bool) -> str:
        kind, token = str(found.lastgroup), found[0]
        if kind == "sid":
            head, *numbers = token.removeprefix("S-1-5-21-").split("-")
            return "-".join(("S-1-5-21", *(self._digits(number) for number in (head, *numbers))))
        if kind == "guid":
            return self.guid(token)
        if kind == "hex":
            return self.hexadecimal(token)
        if kind == "dotted":
            return self._dotted(token)
        if token.isdigit():
            return token if len(token) < 4 or (prose and len(token) == 4) else self._digits(token)
        folded = _folded(token)
        alone = found.start() == 0 and found.end() == len(text)
        if folded in KNOWN and (prose or alone or text[found.end() : found.end() + 1] in _PREFIX_ENDS):
            return token
        if prose and (folded in WORDS or is_command(token)):
            return token
        return self._word(token) if token.strip("-_") else token

    def _dotted(self, token: str) -> str:
        labels = token.split(".")
        if _VERSION.fullmatch(token):
            return self.address(token) if len(labels) == 4 and all(int(one) < 256 for one in labels) else token
        # A name of somebody's may begin like a type, so each word of it has to be known.
        if token.isascii() and _MICROSOFTS.match(token):
            if all(piece.casefold() in TYPES for piece in _PIECE.findall(token)):
                return token
        return ".".join([*map(self._word, labels), "example"])

    def _word(self, word: str) -> str:
        folded = _folded(word)
        self.seen.add(folded)
        return "x" + self.digest("word", folded).hex()[:10]

    def _digits(self, number: str) -> str:
        self.seen.add(number)
        new = int.from_bytes(self.digest("digits", number), "big") % (9 * 10 ** (len(number) - 1))
        return str(new + 10 ** (len(number) - 1))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def masked(value: t.Any) -> t.Any:
    """What stands in place of a secret."""
    return "secret" if value else value
