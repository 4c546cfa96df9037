# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe the form of a capture's objects: properties, order of properties, and the type of each value."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from .capture import Answered, Capture

# CLIXML's element -> the readable name ([MS-PSRP], section 2.2.5.1).
_PRIMITIVES = {
    "S": "text", "B": "Boolean", "I32": "Int32", "U32": "UInt32", "I64": "Int64", "U64": "UInt64", "By": "Byte",
    "Db": "Double", "DT": "date", "TS": "duration", "G": "Guid", "BA": "bytes", "URI": "URI", "Version": "version",
    "SS": "secret", "Nil": "null", "Ref": "reference", "XD": "XML",
}  # fmt: skip
_LISTS = ("LST", "IE", "STK", "QUE")


@dataclass
class Shape:
    """Hold the form of one cmdlet's objects.

    kinds: the types of the values by property.
    order: the order of the properties of the first object.
    """

    kinds: dict[str, set[str]] = field(default_factory=dict)
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class Property:
    """Hold one property of one object.

    values: the texts of the property, such as an enumeration's name or a list's entries.
    """

    name: str
    kind: str
    values: tuple[str, ...]
    number: int | None = None


def parse(xml: str) -> ET.Element:
    """Return an element. Raises ET.ParseError."""
    return ET.fromstring(xml)  # noqa: S314  # expat bounds what entities may grow to


def properties(xml: str) -> list[Property]:
    """Return the adapted and extended properties of an object, in the order of the CLIXML. Empty for a primitive."""
    try:
        element = parse(xml)
    except ET.ParseError:
        return []
    return [_property(e) for group in ("Props", "MS") for e in element.findall(group + "/*") if e.get("N") is not None]


def _property(element: ET.Element) -> Property:
    name = str(element.get("N"))
    if element.tag != "Obj":
        kind = _PRIMITIVES.get(element.tag, element.tag)
        return Property(name, kind, (element.text or "",) if kind != "null" else ())
    for tag in _LISTS:
        inner = element.find(tag)
        if inner is not None:
            return Property(name, "list", tuple(e.text or "" for e in inner))
    if element.find("DCT") is not None:
        return Property(name, "dictionary", ())
    shown = element.findtext("ToString") or ""
    number = next((e.text for e in element if e.tag in ("I32", "U32", "By", "I64")), None)
    if number is not None:
        return Property(name, "enumeration", (shown,), int(number))
    return Property(name, "object", (shown,))


def shape(answers: t.Iterable[Answered]) -> Shape:
    """Return the form of all objects of some answers."""
    found = Shape()
    for answered in answers:
        for xml in answered.output:
            its = properties(xml)
            found.order = found.order or tuple(p.name for p in its)
            for one in its:
                found.kinds.setdefault(one.name, set()).add(one.kind)
    return found


@dataclass(frozen=True)
class Difference:
    """Hold one difference between a capture and the lab.

    property: the name of the property; empty if the difference applies to the complete object.
    """

    cmdlet: str
    property: str
    what: str


def differences(capture: Capture, lab: Capture) -> list[Difference]:
    """Return all differences between the objects of a capture and the lab's, for cmdlets that both have."""
    found = []
    cmdlets = dict.fromkeys(one.cmdlet for host in capture.hosts for one in host.statements)
    for cmdlet in cmdlets:
        theirs, ours = shape(capture.statements(cmdlet)), shape(lab.statements(cmdlet))
        if not theirs.kinds or not ours.kinds:
            continue
        only_theirs = [name for name in theirs.kinds if name not in ours.kinds]
        only_ours = [name for name in ours.kinds if name not in theirs.kinds]
        found += [Difference(cmdlet, name, "the lab does not have it") for name in only_theirs]
        found += [Difference(cmdlet, name, "only the lab has it") for name in only_ours]
        for name in (name for name in theirs.kinds if name in ours.kinds):
            here, there = theirs.kinds[name] - {"null"}, ours.kinds[name] - {"null"}
            if here and there and not here <= there:
                found.append(Difference(cmdlet, name, "%s here, %s in the lab" % (_words(here), _words(there))))
        both = [name for name in theirs.order if name in ours.order]
        if both != [name for name in ours.order if name in theirs.order]:
            found.append(Difference(cmdlet, "", "the properties come in another order"))
    return found


def _words(kinds: t.Iterable[str]) -> str:
    return " or ".join(sorted(kinds))
