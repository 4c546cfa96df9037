# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mask the secrets of a session in every text, also in the forms that a server can use."""

from __future__ import annotations

import base64
import json
import re
import typing as t
import urllib.parse
from xml.sax.saxutils import escape

from .limits import CUT

MASK = "********"
# A secret with fewer characters is only masked as a whole word, and only in its plain form. Otherwise a short secret
# matches everywhere.
_SHORT = 4
# The mark of short() in a cut text.
_CUT = re.compile(re.escape(CUT))


class Mask:
    """Mask all secrets that a session has used."""

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
        """Return the text with the secrets masked."""
        return self._without_cut_ones(self._pattern.sub(MASK, text)) if self._pattern else text

    def _without_cut_ones(self, text: str) -> str:
        """Return the text with the beginnings of cut secrets masked."""
        for end in reversed([found.start() for found in _CUT.finditer(text)]):
            before = text[:end].casefold()
            longest = max((_common(before, form.casefold()) for form in self._forms), default=0)
            if longest >= _SHORT:
                text = text[: end - longest] + MASK + text[end:]
        return text


def _searched(form: str) -> str:
    return re.escape(form) if len(form) >= _SHORT else r"(?<!\w)%s(?!\w)" % re.escape(form)


def _common(text: str, form: str) -> int:
    """Return how many characters at the text's end match the beginning of the form."""
    return next((n for n in range(min(len(text), len(form) - 1), 0, -1) if text.endswith(form[:n])), 0)


def _forms(secret: str) -> t.Iterator[str]:
    yield secret
    if len(secret) < _SHORT:
        return
    yield " ".join(secret.split())  # This is the form of the secret in a text of one line.
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
    """Return the form in PowerShell's XML (MS-PSRP 2.2.5.3.2): escaped markup, and _xHHHH_ for control characters."""
    return "".join("_x%04X_" % ord(c) if ord(c) < 32 else c for c in escape(re.sub("_(?=[xX])", "_x005F_", secret)))
