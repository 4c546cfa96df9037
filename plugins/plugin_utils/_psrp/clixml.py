# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the XML of a server's object (CLIXML, MS-PSRP 2.2.5) as plain values. Unknown forms are errors.

pypsrp itself accepts wrong objects: a damaged object becomes text, a wrong boolean becomes false, a wrong list becomes
empty. The collection does not accept wrong objects, because the objects decide what is written.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import typing as t
import uuid
import xml.etree.ElementTree as ET

from ...module_utils._base.names import marked
from .document import Doctype, refuse_doctype
from .limits import short

# The namespace of a file. Messages have no namespace.
NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
# The most levels. PowerShell itself sends a few levels (MS-PSRP: one, and more for some types).
DEPTH = 50

_INTEGERS = {
    "By": (0, 2**8 - 1),
    "SB": (-(2**7), 2**7 - 1),
    "U16": (0, 2**16 - 1),
    "I16": (-(2**15), 2**15 - 1),
    "U32": (0, 2**32 - 1),
    "I32": (-(2**31), 2**31 - 1),
    "U64": (0, 2**64 - 1),
    "I64": (-(2**63), 2**63 - 1),
}
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
# The types that are read as texts. Times, versions and decimal numbers stay texts.
_TEXTS = frozenset(("S", "ToString", "DT", "TS", "D", "Version", "URI", "XD", "SBK"))
_LISTS = frozenset(("LST", "IE", "STK", "QUE"))

_ESCAPED = re.compile("_[xX]([0-9A-Fa-f]{4})_")
# .NET writes U+FFFE and U+FFFF as references. XML 1.0 forbids such references (section 2.2).
_FORBIDDEN = re.compile("&#x(FFF[EF]);", re.IGNORECASE)


class UnreadableXml(Exception):
    """An object has an unknown form. The text has the place and the value."""


class Circular(dict):  # type: ignore[type-arg] # the keys and values do not matter
    """Replace a reference from an object to itself. No property of the collection can have this value."""


def read(xml: str, wanted: frozenset[str] | None = None) -> t.Any:
    """Return an object as built-in types: an enumeration as its name, an object as the dict of its properties.

    wanted: the names of the wanted properties in lower case; None for all. Only the wanted properties are kept, and
        must be readable.
    Raises UnreadableXml.
    """
    return _XmlReader(wanted).value(_parsed(xml), DEPTH)


def read_export(xml: str) -> list[t.Any]:
    """Return the objects of a file of ``Export-Clixml``, as read() does. Raises UnreadableXml.

    The file is an ``Objs`` element in the namespace NAMESPACE with one child for each object (its version is of
    MS-PSRP 2.2.5.3). Objects that were passed as one list are one child.
    """
    root = _parsed(xml)
    if root.tag != "{%s}Objs" % NAMESPACE:
        raise UnreadableXml(
            "the file is XML, but not from Export-Clixml. Export with Export-Clixml, or save a table as CSV"
        )
    for element in root.iter():
        element.tag = element.tag.removeprefix("{%s}" % NAMESPACE)
    reader = _XmlReader()
    found: list[t.Any] = []
    for number, child in enumerate(root, 1):
        try:
            value = reader.value(child, DEPTH)
        except UnreadableXml as error:
            raise UnreadableXml("record %d: %s" % (number, error)) from None
        found += value if isinstance(value, list) else [value]
    return found


def _parsed(xml: str) -> ET.Element:
    try:
        refuse_doctype(xml)
    except Doctype as error:
        raise UnreadableXml(str(error)) from None
    try:
        return ET.fromstring(_FORBIDDEN.sub(r"_x\1_", xml))  # noqa: S314 (documents with a DTD were refused)
    except (ET.ParseError, ValueError) as error:
        raise UnreadableXml("the text is not well-formed XML (%s)" % error) from None


class _XmlReader:
    """Read the values of one message. References refer to earlier objects and type names of the message."""

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self._wanted = wanted
        self._objects: dict[str, t.Any] = {}
        self._types: dict[str, list[str]] = {}

    def value(self, element: ET.Element, depth: int) -> t.Any:
        tag, content = element.tag, element.text or ""
        if tag != "Obj" and tag not in _LISTS and tag != "DCT" and len(element):
            raise UnreadableXml("<%s> contains <%s>, which is not allowed" % (short(tag), short(element[0].tag)))
        if tag in _TEXTS:
            return text(content)
        if tag == "B":
            if content not in _BOOLEANS:
                raise UnreadableXml("'%s' must be true or false" % short(content))
            return _BOOLEANS[content]
        if tag in _INTEGERS:
            return _integer(content, *_INTEGERS[tag])
        if tag == "Nil":
            return None
        if tag == "Obj":
            if depth <= 0:
                raise UnreadableXml("objects are nested more than %d deep" % DEPTH)
            return self._object(element, depth - 1)
        if tag in _LISTS or tag == "DCT":
            return self._collection(element, depth)
        if tag == "Ref":
            reference = element.get("RefId", "")
            if reference not in self._objects:
                raise UnreadableXml("the XML refers to the object '%s', which is missing" % short(reference))
            return self._objects[reference]
        return _rare(tag, content)

    def _object(self, element: ET.Element, depth: int) -> t.Any:
        reference = element.get("RefId")
        if reference is not None:
            self._objects[reference] = Circular()
        found = self._content(element, depth)
        if reference is not None:
            self._objects[reference] = found
        return found

    def _content(self, element: ET.Element, depth: int) -> t.Any:
        """Return the value of an object: its list or simple value. Otherwise return its properties or its text."""
        types: list[str] = []
        shown: str | None = None
        simple: list[t.Any] = []
        groups: dict[str, dict[str, t.Any]] = {}
        for child in element:
            if child.tag in ("TN", "TNRef"):
                types = self._type_names(child)
            elif child.tag == "ToString":
                shown = text(child.text or "")
            elif child.tag in ("Props", "MS"):
                if child.tag in groups:
                    raise UnreadableXml("the object has <%s> twice" % child.tag)
                groups[child.tag] = self._properties(child, depth, self._wanted if depth == DEPTH - 1 else None)
            else:
                simple.append(self.value(child, depth))
        if len(simple) > 1:
            raise UnreadableXml("the object has %d values instead of one" % len(simple))
        if simple:
            enumeration = any(name.endswith("System.Enum") for name in types)
            return shown if enumeration and shown is not None else simple[0]
        properties = {**groups.get("Props", {}), **groups.get("MS", {})}
        if any(name.endswith(("System.Array", "System.Collections.ArrayList")) for name in types):
            raise UnreadableXml("the object is a list without items")
        return properties if properties or shown is None else shown

    def _type_names(self, element: ET.Element) -> list[str]:
        reference = element.get("RefId", "")
        if element.tag == "TN":
            self._types[reference] = [child.text or "" for child in element]
        elif reference not in self._types:
            raise UnreadableXml("the XML refers to the type '%s', which is missing" % short(reference))
        return self._types[reference]

    def _properties(self, group: ET.Element, depth: int, wanted: frozenset[str] | None) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {}
        seen: set[str] = set()
        for element in group:
            name = text(element.get("N", ""))
            if wanted is not None and name.lower() not in wanted:
                if len(element):  # A wanted property can refer to the object.
                    with contextlib.suppress(UnreadableXml):
                        self.value(element, depth)
                continue
            if not name:
                raise UnreadableXml("a property has no name")
            if name.casefold() in seen:
                raise UnreadableXml("the object has the property %s twice" % short(name))
            seen.add(name.casefold())
            try:
                found[name] = self.value(element, depth)
            except UnreadableXml as error:
                raise UnreadableXml("%s: %s" % (short(name), error)) from None
        return found

    def _collection(self, element: ET.Element, depth: int) -> t.Any:
        if depth <= 0:
            raise UnreadableXml("objects are nested more than %d deep" % DEPTH)
        if element.tag in _LISTS:
            return [self.value(item, depth - 1) for item in element]
        table: dict[str, t.Any] = {}
        for entry in element:
            parts = {part.get("N"): part for part in entry}
            if entry.tag != "En" or len(entry) != 2 or set(parts) != {"Key", "Value"}:
                raise UnreadableXml("an entry of a table is not a key and a value")
            key = str(self.value(parts["Key"], 0))
            if key in table:
                raise UnreadableXml("a table has the key %s twice" % short(key))
            table[key] = self.value(parts["Value"], depth - 1)
        return table


def text(content: str) -> str:
    """Return a text without the escapes for characters that XML does not allow (MS-PSRP 2.2.5.3.2).

    A code point that is not a character becomes a visible mark (``marked``), because a text with a mark must not hide
    the whole list.
    """
    if "_" not in content or not _ESCAPED.search(content):
        return content
    whole = _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), content)
    # The escapes are units of UTF-16. Some characters need two escapes.
    return marked(whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))


def _integer(content: str, lowest: int, highest: int) -> int:
    if not re.fullmatch("[-+]?[0-9]{1,20}", content):
        raise UnreadableXml("'%s' must be a whole number" % short(content))
    number = int(content)
    if not lowest <= number <= highest:
        raise UnreadableXml("%d must be from %d to %d" % (number, lowest, highest))
    return number


def _rare(tag: str, content: str) -> t.Any:
    """Return the value of a rare simple type."""
    try:
        if tag in ("Sg", "Db"):
            return float(content)
        if tag == "BA":
            return base64.b64decode("".join(content.split()), validate=True)
        if tag == "G":
            return str(uuid.UUID(content))
        if tag == "C":
            return chr(_integer(content, 0, 2**16 - 1)).encode().decode()  # The encoding fails for half a character.
    except (ValueError, binascii.Error):
        raise UnreadableXml("'%s' cannot be read as <%s>" % (short(content), tag)) from None
    if tag == "SS":
        return b""  # A secure string without an exchanged key. None means that the value is missing.
    raise UnreadableXml("<%s> is not a known type of value" % short(tag))
