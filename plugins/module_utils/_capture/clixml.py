# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace the names in the XML of an object (CLIXML, MS-PSRP 2.2.5). The form of the XML stays the same."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import xml.etree.ElementTree as ET

from .certificate import stand_in
from .pseudonyms import Pseudonyms, masked

_TEXTS = frozenset(("S", "ToString", "URI", "XD", "SBK"))
_HARMLESS = re.compile(r"\s*(?:[-+]?[0-9][-+0-9.:TZE]*|-?P[0-9YMDTHS.]*|true|false|INF|-INF|NaN)?\s*")
_SECRET = re.compile("passphrase|password|secret|credential|privatekey|token", re.IGNORECASE)
_TYPE = re.compile(r"(?:Deserialized\.|Selected\.)*(?:System|Microsoft)\.")
# Texts and properties of cmdlets that have the product's own words or names.
_SERVICES = "get-cswindowsservice"
_PROSE = {("get-csserverversion", ""), (_SERVICES, "DisplayName")}
# No page lists the names of all services, so a capture keeps the names. The text of a service object is the service's
# name.
_KEPT = {(_SERVICES, "Name"), (_SERVICES, "")}
# A property with the product's own XML of the object. The other properties have the same data.
_ELEMENT = "Element"
# A class of the product. A name follows the class.
_ANCHOR = re.compile("[A-Z][A-Za-z]*#")


class Unsharable(Exception):
    """Report data that is not XML. The names in such data cannot be found."""


def replaced(xml: str, cmdlet: str, names: Pseudonyms) -> str:
    """Return the XML with pseudonyms. Raises Unsharable."""
    if "<!DOCTYPE" in xml:
        raise Unsharable("the data has a document type declaration")
    try:
        element = ET.fromstring(xml)  # noqa: S314 (no document type gets here)
    except (ET.ParseError, ValueError, RecursionError):
        raise Unsharable("the data is not well-formed XML") from None
    _Walk(cmdlet.casefold(), names).element(element, "", False, 60)
    return ET.tostring(element, encoding="unicode")


class _Walk:
    def __init__(self, cmdlet: str, names: Pseudonyms) -> None:
        self._cmdlet = cmdlet
        self._names = names

    def element(self, element: ET.Element, name: str, secret: bool, depth: int) -> None:
        """Replace the names in an element.

        element: the element.
        name: the name of the value's property.
        secret: whether the property is a secret.
        depth: how many levels of elements are still allowed.
        """
        if depth <= 0:
            raise Unsharable("the data is nested too deep")
        own = element.get("N")
        name = name if own is None else own
        secret = secret or bool(_SECRET.search(name))
        for attribute, value in element.attrib.items():
            if not value.isdigit():
                element.set(attribute, self._names.kept(value) if attribute == "N" else self._names.text(value))
        if element.text:
            element.text = self._text(element.tag, element.text, name, secret)
        for child in element:
            child.tail = None
            self.element(child, name, secret, depth - 1)

    def _text(self, tag: str, text: str, name: str, secret: bool) -> str:
        names = self._names
        if tag == "SS":
            return ""
        if tag == "BA":
            return self._bytes(text, secret)
        if tag == "G":
            return names.guid(text)
        if tag == "T" and _TYPE.match(text):
            return names.kept(text)
        if tag not in _TEXTS and _HARMLESS.fullmatch(text):
            return text
        if secret:
            return str(masked(text))
        if name == _ELEMENT and text.lstrip().startswith("<"):
            return "<leftOut />"
        anchor = _ANCHOR.match(text) if name == "Anchor" else None
        if anchor:
            return anchor[0] + names.text(text[anchor.end() :])
        if (self._cmdlet, name) in _KEPT and tag in ("S", "ToString"):
            return names.kept(text)
        return names.text(text, prose=(self._cmdlet, name) in _PROSE)

    def _bytes(self, text: str, secret: bool) -> str:
        """Return a replacing certificate for a certificate, and zeros for other data."""
        try:
            data = base64.b64decode("".join(text.split()), validate=True)
        except (ValueError, binascii.Error):
            return ""
        new = None if secret else stand_in(data, self._names)
        if new is None:
            return base64.b64encode(bytes(len(data))).decode()
        self._names.thumbprints[_thumbprint(data)] = _thumbprint(new)
        return base64.b64encode(new).decode()


def _thumbprint(data: bytes) -> str:
    # Windows names a certificate by its SHA-1 hash.
    return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()
