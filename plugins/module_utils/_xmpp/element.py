# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define an XML element as a value that can be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NS_SERVER = "jabber:server"
NS_XML = "http://www.w3.org/XML/1998/namespace"

_NAME = re.compile(r"[^\W\d][\w.-]*\Z")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Element:
    """This is a complete element.

    All names are in Clark notation, ``{namespace}local``. A name without a namespace is plain.
    text: the element's own character data in one text. The places of its parts between the children are not kept,
        because the places have no meaning in XMPP.
    """

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Element, ...] = ()

    def child(self, name: str) -> Element | None:
        """Return the first child with the name; None without such a child."""
        return next((child for child in self.children if child.name == name), None)

    def serialize(self, default_namespace: str = NS_SERVER) -> bytes:
        """Return the element in UTF-8. Raises ValueError for a wrong name.

        Characters that XML does not allow become U+FFFD.
        default_namespace: the default namespace of the element's parent.
        """
        parts: list[str] = []
        _write(self, default_namespace, parts)
        return "".join(parts).encode()


def split_name(name: str) -> tuple[str, str]:
    """Return the namespace and the local part of a name in Clark notation."""
    namespace, _brace, local = name.rpartition("}")
    return namespace[1:], local


def escape(text: str) -> str:
    """Escape a text for an element or for single quotes. Characters that XML does not allow become U+FFFD."""
    text = _NOT_XML.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # The three characters must be references. Otherwise a parser changes the characters.
    text = text.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")
    return text.replace("'", "&apos;").replace('"', "&quot;")


def _write(element: Element, default_namespace: str, parts: list[str]) -> None:
    namespace, local = split_name(element.name)
    parts += ["<", _checked(local)]
    if namespace != default_namespace:
        parts.append(" xmlns='%s'" % escape(namespace))
    for number, (name, value) in enumerate(element.attributes.items()):
        prefix = ""
        attribute_namespace, attribute = split_name(name)
        if attribute_namespace == NS_XML:
            prefix = "xml:"
        elif attribute_namespace:
            prefix = "n%d:" % number
            parts.append(" xmlns:n%d='%s'" % (number, escape(attribute_namespace)))
        parts.append(" %s%s='%s'" % (prefix, _checked(attribute), escape(value)))
    if not element.text and not element.children:
        parts.append("/>")
        return
    parts += [">", escape(element.text)]
    for child in element.children:
        _write(child, namespace, parts)
    parts += ["</", local, ">"]


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise ValueError("%r must be an XML name" % name)
    return name
