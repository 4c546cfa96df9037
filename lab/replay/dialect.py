# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert a capture to other forms, for tests, as if another server had answered.

Properties have another order. Enumerations are objects with other numbers. A list with one entry is a text, and an
empty list is null. Objects have additional, unknown properties.
"""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

from .capture import Answered, Capture
from .shapes import parse

EXTRA = "XsAnyElements"
_ENUMERATION = ("Microsoft.Rtc.Management.Xds.%s", "System.Enum", "System.ValueType", "System.Object")
_ENUMERATIONS = ("PartnerType", "SaslNegotiation", "TlsNegotiation")


def alien(capture: Capture) -> Capture:
    """Return the same answers in these forms."""
    hosts = []
    for host in capture.hosts:
        statements = tuple(_statement(answered) for answered in host.statements)
        hosts.append(dataclasses.replace(host, statements=statements))
    return dataclasses.replace(capture, hosts=tuple(hosts))


def _statement(answered: Answered) -> Answered:
    return dataclasses.replace(answered, output=tuple(_object(xml) for xml in answered.output))


def _object(xml: str) -> str:
    element = parse(xml)
    _name_types(element)
    group = element.find("Props")
    if group is None:
        return xml
    its = list(group)
    for each in its:
        group.remove(each)
    for each in reversed(its):
        group.append(_property(each))
    ET.SubElement(group, "S", {"N": EXTRA}).text = "nobody knows"
    return ET.tostring(element, encoding="unicode")


def _name_types(element: ET.Element) -> None:
    """Write the type names into each object, because a reference must not come before the target."""
    known: dict[str | None, list[str | None]] = {}
    for number, each in enumerate(list(element.iter("*"))):
        if each.tag == "TN":
            known[each.get("RefId")] = [one.text for one in each]
        elif each.tag == "TNRef":
            each.tag = "TN"
            for name in known[each.get("RefId")]:
                ET.SubElement(each, "T").text = name
        else:
            continue
        each.set("RefId", str(number))


def _property(element: ET.Element) -> ET.Element:
    name = str(element.get("N"))
    if element.tag == "S" and name in _ENUMERATIONS:
        number = str(9000 + _ENUMERATIONS.index(name))  # of an object and a type with no other content
        made = ET.Element("Obj", {"N": name, "RefId": number})
        types = ET.SubElement(made, "TN", {"RefId": number})
        for type_name in _ENUMERATION:
            ET.SubElement(types, "T").text = type_name.replace("%s", name)
        ET.SubElement(made, "ToString").text = element.text
        ET.SubElement(made, "I32").text = number
        return made
    items = element.findall("LST/S")
    if element.find("LST") is not None and len(items) < 2:
        made = ET.Element("S" if items else "Nil", {"N": name})
        made.text = items[0].text if items else None
        return made
    return element
