# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets of a session, kept out of every text about it, also where a server spells them in its own way."""

from __future__ import annotations

import base64
import json
import re
import typing as t
import urllib.parse
from xml.sax.saxutils import escape

from .limits import CUT

MASK = "********"
# Below this many characters a secret is looked for as a word of its own, and in no other form: it, or they, would be
# found everywhere.
_SHORT = 4
# Where short() cuts a text.
_CUT = re.compile(re.escape(CUT))


class Mask:
    """Grows with every secret that a session has to do with."""

    def __init__(self, *secrets: str | None) -> None:
        self._forms: set[str] = set()
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def __repr__(self) -> str:
        return "Mask(...)"

    def add(self, *secrets: str | None) -> None:
        new = {secret for secret in secrets if secret} - self._known
        if not new:
            return
        self._known |= new
        for secret in new:
            self._forms |= set(_forms(secret))
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_searched, longest_first)), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """The text without them."""
        return self._without_cut_ones(self._pattern.sub(MASK, text)) if self._pattern else text

    def _without_cut_ones(self, text: str) -> str:
        """The text without the beginning of a secret where it was cut off."""
        for end in reversed([found.start() for found in _CUT.finditer(text)]):
            before = text[:end].casefold()
            longest = max((_common(before, form.casefold()) for form in self._forms), default=0)
            if longest >= _SHORT:
                text = text[: end - longest] + MASK + text[end:]
        return text


def _searched(form: str) -> str:
    return re.escape(form) if len(form) >= _SHORT else r"(?<!\w)%s(?!\w)" % re.escape(form)


def _common(text: str, form: str) -> int:
    """How many characters of the form's beginning stand at the text's end."""
    return next((n for n in range(min(len(text), len(form) - 1), 0, -1) if text.endswith(form[:n])), 0)


def _forms(secret: str) -> t.Iterator[str]:
    yield secret
    if len(secret) < _SHORT:
        return
    yield " ".join(secret.split())  # as texts are put on one line
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield secret.replace("'", "''")
    yield re.sub('(["`$])', r"`\1", secret)
    blanks = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
    for quotes in ({}, {'"': "&quot;", "'": "&apos;"}, {'"': "&#34;", "'": "&#39;"}, {'"': "&quot;", "'": "&#x27;"}):
        yield escape(secret, quotes)
        yield escape(secret, {**quotes, **blanks})
    yield escape(secret, {'"': "&quot;", **blanks})
    yield _clixml(secret)
    yield urllib.parse.quote(secret, safe="")
    yield urllib.parse.quote_plus(secret)
    for encoding in ("utf-8", "utf-16-le"):
        data = secret.encode(encoding, "surrogatepass")
        for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
            yield encoded.decode().rstrip("=")
        yield data.hex()


def _clixml(secret: str) -> str:
    """As PowerShell writes it in its XML (MS-PSRP 2.2.5.3.2): markup escaped, and what XML cannot hold as _xHHHH_."""
    return "".join("_x%04X_" % ord(c) if ord(c) < 32 else c for c in escape(re.sub("_(?=[xX])", "_x005F_", secret)))
