# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture in another dialect, for tests: as if a server answered the same in other forms than the lab's.

Properties come in another order, enumerations as plain texts, lists always as lists, objects carry properties that
nobody has heard of, and Windows services have other names.
"""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

from .capture import Answered, Capture
from .shapes import parse

SERVICES = {"RTCXMPPTGWPROXY": "XmppProxy", "RTCXMPPTGW": "XmppGateway"}
EXTRA = "XsAnyElements"
_COLLECTION = ("System.Collections.ObjectModel.Collection`1[[System.String]]", "System.Object")
_LIST_PROPERTIES = ("AdditionalDomains", "Computers", "Services", "Pools", "ActiveReplicas", "RoleName")


def alien(capture: Capture) -> Capture:
    """The same answers in that dialect."""
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
    for each in element.iter():
        each.text = SERVICES.get(each.text or "", each.text)
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
    """Each object names its types itself: a reference may not stand before what it refers to."""
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
    if element.tag == "Obj" and element.find("I32") is not None and element.findtext("ToString") is not None:
        made = ET.Element("S", {"N": name})
        made.text = element.findtext("ToString")
        return made
    if name in _LIST_PROPERTIES and element.tag != "Obj":
        number = "900%d" % _LIST_PROPERTIES.index(name)  # of an object and of a type that nothing else in it has
        made = ET.Element("Obj", {"N": name, "RefId": number})
        types = ET.SubElement(made, "TN", {"RefId": number})
        for type_name in _COLLECTION:
            ET.SubElement(types, "T").text = type_name
        inner = ET.SubElement(made, "LST")
        if element.tag == "S":
            ET.SubElement(inner, "S").text = element.text
        return made
    return element
