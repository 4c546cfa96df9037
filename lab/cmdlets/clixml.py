# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write objects as CLIXML as PowerShell's serializer does (MS-PSRP 2.2.5).

Also read objects from CLIXML, and send CLIXML unchanged.

psrpcore writes the same types in another order, and serializes the properties of every object. PowerShell sends an
object at the depth 1. So the adapted properties contain simple values, lists or tables of simple values, or texts.
"""

from __future__ import annotations

import datetime
import enum
import itertools
import re
import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

import psrpcore
import psrpcore.types as ps
from psrpcore.types._serializer import _serialize_string

_DEPTH = 1
_HEADER = 40  # bytes before the XML of a message (MS-PSRP 2.2.1), without the byte order mark of UTF-8
_TEXTS = (
    "System.Collections.Generic.List`1[[System.String, mscorlib, Version=4.0.0.0, Culture=neutral, "
    "PublicKeyToken=b77a5c561934e089]]",
    "System.Object",
)
_INTEGERS: dict[type, str] = {ps.PSInt: "I32", ps.PSUInt: "U32", ps.PSInt64: "I64"}
_UTC = re.compile(r"(<DT[^>]*>)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z</DT>")
_ARRAY = ("System.Object[]", "System.Array", "System.Object")
_TABLE = ("System.Collections.Hashtable", "System.Object")
# This is the order of an object's parts. The value of the object is between the text and the properties.
_PARTS = {"TN": 0, "TNRef": 0, "ToString": 1, "Props": 3, "MS": 4}


@dataclass(frozen=True)
class Raw:
    """Represent an object by the CLIXML of the object: one element, which is sent unchanged."""

    xml: str

    def object(self) -> object:
        """Return the object. Raises ValueError if the text is not CLIXML."""
        try:
            (value,) = ps.deserialize_clixml("<Objs>%s</Objs>" % self.xml, psrpcore.PSRemotingCrypto())
        except (ET.ParseError, ValueError, KeyError, TypeError) as e:
            raise ValueError("the text must be the CLIXML of one object: %s" % e) from e
        return t.cast(object, value)


def serialize(value: object, reported: bool = False) -> str:
    """Return the CLIXML of one object. For null, return an empty text.

    reported: whether lists with at most one text, and enumerations in properties, have the forms of public scripts.
    """
    if value is None:
        return ""
    return value.xml if isinstance(value, Raw) else _Writer(reported).value(value, "", _DEPTH)


def write(
    pipeline: psrpcore.ServerPipeline, value: object, reported: bool = False, dates: tuple[int, int] | None = None
) -> None:
    """Write one object to the output of a pipeline.

    dates: the form of the object's times, see odd_forms.DATES.
    """
    # psrpcore creates the message. psrpcore has no other way to send serialized data.
    pipeline.write_output(None)
    message = pipeline.runspace_pool._send_buffer[-1]
    xml = serialize(value, reported)
    message._data[_HEADER:] = (_dated(xml, *dates) if dates else xml).encode("utf-8", "surrogatepass")


def _dated(xml: str, minutes: int, digits: int) -> str:
    """Change times in UTC to local time, ``minutes`` ahead, with at least ``digits`` digits of a second."""
    offset = "%s%02d:%02d" % ("-" if minutes < 0 else "+", *divmod(abs(minutes), 60))

    def local(found: re.Match[str]) -> str:
        moment = datetime.datetime.fromisoformat(found[2]) + datetime.timedelta(minutes=minutes)
        fraction = (found[3] or "").ljust(digits, "1")
        return "%s%s%s%s</DT>" % (found[1], moment.isoformat(), "." + fraction if fraction else "", offset)

    return _UTC.sub(local, xml)


def arrange(pool: psrpcore.ServerRunspacePool) -> None:
    """Arrange the parts of the last message in the order in which PowerShell sends them."""
    message = pool._send_buffer[-1]
    root = ET.fromstring(message.data[_HEADER:])  # noqa: S314 (psrpcore wrote the XML)
    for element in root.iter("Obj"):
        element[:] = sorted(element, key=lambda part: _PARTS.get(part.tag, 2))
    message._data[_HEADER:] = _characters(ET.tostring(root, encoding="unicode")).encode()


class _Writer:
    """Write one message. A list of type names is written once. Later objects refer to this list."""

    def __init__(self, reported: bool) -> None:
        self._reported = reported
        self._types: dict[tuple[str, ...], int] = {}
        self._numbers = itertools.count()

    def value(self, value: object, name: str, depth: int) -> str:
        """Return an element.

        name: the attribute N of the element, or empty.
        depth: how many levels of the value are serialized.
        """
        if isinstance(value, enum.Enum):
            return self._enumeration(value, name, depth)
        if isinstance(value, (list, dict)):
            return self._collection(value, name, depth)
        if not isinstance(value, ps.PSObject):
            simple = _simple(value, name)
            if simple is None:
                raise AssertionError("the lab writes an object of an unknown type, %s" % type(value).__name__)
            return simple
        meta = value.PSObject
        more = bool(meta.adapted_properties or meta.extended_properties)
        simple = _simple(value, "" if more else name)
        if simple is not None and not more:
            return simple
        shown = meta.to_string
        if simple is None and shown is None and meta.adapted_properties:
            shown = meta.type_names[0].partition("#")[0]  # the result of System.Object.ToString
        if simple is None and depth < 1:
            return _simple(str(shown or ""), name) or ""
        head = self._open(name) + (simple or self._type_names(tuple(map(str, meta.type_names))))
        if simple is None and shown is not None:
            head += "<ToString>%s</ToString>" % _text(str(shown))
        for tag, group, inner in (
            ("Props", meta.adapted_properties, depth - 1),
            ("MS", meta.extended_properties, depth),
        ):
            if group:
                parts = (self._property(each.name, each.get_value(value), inner) for each in group)
                head += "<%s>%s</%s>" % (tag, "".join(parts), tag)
        return head + "</Obj>"

    def _property(self, name: str, value: object, depth: int) -> str:
        if self._reported and isinstance(value, list) and all(isinstance(item, str) for item in value):
            value = None if not value else value[0] if len(value) == 1 else value
        return self.value(value, ' N="%s"' % _text(name).replace('"', "&quot;"), depth)

    def _open(self, name: str) -> str:
        return '<Obj%s RefId="%d">' % (name, next(self._numbers))

    def _type_names(self, names: tuple[str, ...]) -> str:
        if names in self._types:
            return '<TNRef RefId="%d" />' % self._types[names]
        number = self._types[names] = len(self._types)
        return '<TN RefId="%d">%s</TN>' % (number, "".join("<T>%s</T>" % escape(each) for each in names))

    def _enumeration(self, value: enum.Enum, name: str, depth: int) -> str:
        if depth < 1 and not self._reported:
            return _simple(value.name, name) or ""
        types = self._type_names(tuple(map(str, value.PSObject.type_names)))  # type: ignore[attr-defined]
        return "%s%s<ToString>%s</ToString><I32>%d</I32></Obj>" % (
            self._open(name),
            types,
            value.name,
            int(value.value),
        )

    def _collection(self, value: list[t.Any] | dict[t.Any, t.Any], name: str, depth: int) -> str:
        head = self._open(name)
        if isinstance(value, dict):
            kind, types = "DCT", self._type_names(_TABLE)
            pairs = ((self.value(k, ' N="Key"', depth), self.value(v, ' N="Value"', depth)) for k, v in value.items())
            items = ["<En>%s%s</En>" % pair for pair in pairs]
        else:
            kind, types = "LST", self._type_names(_TEXTS if all(isinstance(item, str) for item in value) else _ARRAY)
            items = [self.value(item, "", depth) for item in value]
        content = "<%s>%s</%s>" % (kind, "".join(items), kind) if items else "<%s />" % kind
        return head + types + content + "</Obj>"


def _simple(value: object, name: str) -> str | None:
    """Return the element of a simple value, without the attached properties; None for an object."""
    if value is None:
        return "<Nil%s />" % name
    if isinstance(value, bool):
        return "<B%s>%s</B>" % (name, str(value).lower())
    if isinstance(value, str):
        return "<S%s>%s</S>" % (name, _text(value))
    # psrpcore also represents numbers, dates and texts as objects. The object in this branch has no value of its own.
    if value.__class__ == ps.PSObject:
        return None
    if isinstance(value, int) and type(value) in _INTEGERS:
        tag = _INTEGERS[type(value)]
        return "<%s%s>%d</%s>" % (tag, name, value, tag)
    element: ET.Element | None = ps.serialize(value, psrpcore.PSRemotingCrypto())
    if element is not None and element.tag == "Obj":
        element = next((part for part in element if part.tag not in _PARTS), None)
    if element is None:
        return None
    content = element.text or ""
    if element.tag == "DT":  # .NET writes no zeros after the fraction of a second.
        content = re.sub(r"\.(\d*?)0+(?!\d)", lambda found: found[1] and "." + found[1], content)
    return "<%s%s>%s</%s>" % (element.tag, name, escape(content), element.tag)


def _text(text: str) -> str:
    return _characters(escape(_serialize_string(text)))


def _characters(xml: str) -> str:
    """Return XML with two characters as references. PowerShell also writes references, which XML 1.0 forbids."""
    return xml.replace("\ufffe", "&#xFFFE;").replace("\uffff", "&#xFFFF;")
