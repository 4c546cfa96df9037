# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace names by pseudonyms. With the same key, a name always has the same pseudonym.

Without the key, the names of the pseudonyms cannot be found.

Every word that is not one of the product's own words counts as a name. A word becomes ``x`` and ten digits. The labels
of a domain become words of this form, followed by ``.example``, which is reserved (RFC 2606). Thumbprints, SIDs, GUIDs,
addresses and numbers are replaced by values of the same form. In texts, only dates, times and versions stay unchanged.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import typing as t
import unicodedata

from .product_words import KNOWN, TYPES, WORDS, is_command

# Dates of this and the last century, and times. Dates and times identify no person.
_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
_DATE = (
    r"(?:{y}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:[T ]{c}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?"
    r"|{d}\.{m}\.{y}|{d}/{m}/{y}|{m}/{d}/{y}|{c})"
).format(y=_YEAR, m=_MONTH, d=_DAY, c=_CLOCK)
_TOKEN = re.compile(
    r"(?P<date>(?<![\w.:/+-])%s(?![\w:/-])(?!\.[0-9]))"
    r"|(?P<sid>\bS-1-5-21(?:-\d+)+)"
    r"|(?P<guid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)"
    # Thumbprints and addresses of network cards, byte by byte, or in groups of four digits.
    r"|(?P<pairs>\b[0-9a-fA-F]{2}(?P<between>[:\- ])[0-9a-fA-F]{2}(?:(?P=between)[0-9a-fA-F]{2}){4,}\b)"
    r"|(?P<fours>\b[0-9a-fA-F]{4}(?: [0-9a-fA-F]{4}){4,}\b)"
    r"|(?P<hex>\b[0-9a-fA-F]{16,}\b)"
    r"|(?P<ipv6>(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]{0,4})(?![\w:]))"
    r"|(?P<dotted>[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<word>[\w-]+)" % _DATE
)
# The same pattern without IPv6 addresses, for text that only looks like an IPv6 address.
_OTHERS = re.compile(_TOKEN.pattern.replace("(?P<ipv6>", "(?P<ipv6>(?!)", 1))
# The end of a product's name, before the year of its release.
_RELEASE = re.compile(r"(?:Server|Lync|Windows|Exchange|Office) \Z")
# Types and schemas of the product. "microsoft.com" is replaced like every other name.
_MICROSOFTS = re.compile(
    r"(?:Deserialized\.|Selected\.)*(?:Microsoft\.(?:Rtc|PowerShell|Management|WSMan)|System)\.[A-Z]"
)
# The words in a name of a type: "ADOperationException" and "PSListModifier" have three words each.
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SCHEMA = re.compile(r"urn:schema:Microsoft\.Rtc\.[\w.]+")
_NUMBERS = re.compile(r"\d+(?:\.\d+)+")
# Versions of Windows, the product, Exchange and PowerShell begin with a small number. 089.123.456 is a phone number.
_VERSION = re.compile(r"(?:0|1?[0-9]|20)(?:\.(?:0|[1-9][0-9]{0,4})){1,3}")
# The most digits of a number that is replaced by a unique other number.
_SHORT = 3
# The marks after a known word that introduces a name.
_PREFIX_ENDS = (":", "=", "#")


class Pseudonyms:
    """Make pseudonyms.

    key: a secret. The same key gives the same pseudonyms.
    seen: the words that were replaced.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.seen: set[str] = set()
        # The thumbprints of the replacing certificates, by the original thumbprint in upper case.
        self.thumbprints: dict[str, str] = {}
        self._shuffled: dict[int, list[str]] = {}

    def digest(self, kind: str, text: str) -> bytes:
        """Return 32 bytes that depend on a text and the key."""
        return hmac.new(self._key, ("%s:%s" % (kind, text)).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def text(self, text: str, prose: bool = False) -> str:
        """Return a text with pseudonyms.

        text: the text.
        prose: whether the text is a text of the product. Known words stay in a text of the product.
        """
        # A number by itself is a value of a property.
        if _SCHEMA.fullmatch(text) or (text.isdecimal() and len(text) <= _SHORT):
            return text
        return _TOKEN.sub(lambda found: self._token(found, text, prose), text)

    def kept(self, text: str) -> str:
        """Return a text that belongs to the product by its place, such as a type, with pseudonyms for names."""
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
        """Return another number of the same length and case. The first digit stays, to keep the length."""
        known = self.thumbprints.get(text.upper())
        new = known or text[0] + (self.digest("hex", text.casefold()).hex() * (len(text) // 64 + 1))[: len(text) - 1]
        return new.lower() if text == text.lower() else new.upper()

    def address(self, text: str) -> str:
        """Return another IPv4 address, within 10.0.0.0/8."""
        return "10.%d.%d.%d" % tuple(self.digest("address", text)[:3])

    def address6(self, text: str) -> str:
        """Return another IPv6 address, within 2001:db8::/32 (RFC 3849). Raises ValueError for any other text."""
        whole = ipaddress.IPv6Address(text)
        host = int.from_bytes(self.digest("address", whole.compressed)[:12], "big")
        return ipaddress.IPv6Address((0x20010DB8 << 96) | host).compressed

    def _token(self, found: re.Match[str], text: str, prose: bool) -> str:
        kind, token = str(found.lastgroup), found[0]
        if kind == "date":
            return token
        if kind == "ipv6":
            try:
                return self.address6(token)
            except ValueError:
                return _OTHERS.sub(lambda one: self._token(one, token, prose), token)
        if kind in ("pairs", "fours"):
            digits = iter(self.hexadecimal("".join(re.findall("[0-9a-fA-F]", token))))
            return re.sub("[0-9a-fA-F]", lambda _digit: next(digits), token)
        if kind == "sid":
            head, *numbers = token.removeprefix("S-1-5-21-").split("-")
            return "-".join(("S-1-5-21", *(self._digits(number) for number in (head, *numbers))))
        if kind == "guid":
            return self.guid(token)
        if kind == "hex":
            return self.hexadecimal(token)
        if kind == "dotted":
            return self._dotted(token, text[: found.start()].endswith("+"))
        if token.isdecimal():
            released = prose and re.fullmatch("20[0-9]{2}", token) and _RELEASE.search(text, 0, found.start())
            return token if released else self._digits(token)
        folded = _folded(token)
        alone = found.start() == 0 and found.end() == len(text)
        if folded in KNOWN and (prose or alone or text[found.end() : found.end() + 1] in _PREFIX_ENDS):
            return token
        if prose and (folded in WORDS or is_command(token)):
            return token
        return self._word(token) if token.strip("-_") else token

    def _dotted(self, token: str, telephone: bool) -> str:
        labels = token.split(".")
        if _NUMBERS.fullmatch(token):
            if len(labels) == 4 and all(int(one) < 256 for one in labels):
                return self.address(token)
            return token if _VERSION.fullmatch(token) and not telephone else ".".join(map(self._digits, labels))
        # A name can begin like a type. So a text stays only if every word in the text is a word of types.
        if token.isascii() and _MICROSOFTS.match(token):
            if all(piece.casefold() in TYPES for piece in _PIECE.findall(token)):
                return token
        return ".".join([*map(self._word, labels), "example"])

    def _word(self, word: str) -> str:
        folded = _folded(word)
        self.seen.add(folded)
        return "x" + self.digest("word", folded).hex()[:10]

    def _digits(self, number: str) -> str:
        """Return another number of the same length."""
        length = len(number)
        if length <= _SHORT:
            if length not in self._shuffled:
                every = ["%0*d" % (length, one) for one in range(10**length)]
                self._shuffled[length] = sorted(every, key=lambda one: self.digest("digits", one))
            return self._shuffled[length][int(number)]
        self.seen.add(number)
        new = int.from_bytes(self.digest("digits", number), "big") % (9 * 10 ** (length - 1))
        return str(new + 10 ** (length - 1))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def masked(value: t.Any) -> t.Any:
    """Return the replacement of a secret."""
    return "secret" if value else value
