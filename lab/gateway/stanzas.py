# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the gateway's stanzas (RFC 6120, section 8; RFC 6121), and read addresses (RFC 7622, without the tables)."""

from __future__ import annotations

import re

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.stream import NS_SERVER, NS_STANZAS
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import Element

from ..assumptions import rests_on
from ..deployment.store import fold
from .rules import ERROR_TYPES

MESSAGE = "{%s}message" % NS_SERVER
PRESENCE = "{%s}presence" % NS_SERVER
IQ = "{%s}iq" % NS_SERVER
BODY = "{%s}body" % NS_SERVER
ERROR = "{%s}error" % NS_SERVER
_PING = "{urn:xmpp:ping}ping"
_DISCO = "http://jabber.org/protocol/disco#info"
# XML 1.0 does not allow these characters.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def bare(address: str) -> str:
    """Return an address without resource, in the form for comparisons."""
    return fold(address.partition("/")[0])


def domain(address: str) -> str:
    return bare(address).rpartition("@")[2]


def sendable(text: str) -> bool:
    return not _NOT_XML.search(text)


def message(sender: str, recipient: str, id: str, body: str) -> Element:
    attributes = {"from": sender, "to": recipient, "id": id, "type": "chat"}
    return Element(MESSAGE, attributes, "", (Element(BODY, {}, body, ()),))


def presence(sender: str, recipient: str, kind: str) -> Element:
    """Return a presence stanza.

    kind: the type, '' for available.
    """
    attributes = {"from": sender, "to": recipient, **({"type": kind} if kind else {})}
    return Element(PRESENCE, attributes, "", ())


def bounce(stanza: Element, condition: str, text: str) -> Element:
    """Return the error that answers a stanza."""
    rests_on("gateway-conditions")
    said = (Element("{%s}%s" % (NS_STANZAS, condition), {}, "", ()), Element("{%s}text" % NS_STANZAS, {}, text, ()))
    error = Element(ERROR, {"type": ERROR_TYPES[condition]}, "", said)
    return Element(stanza.name, {**_back(stanza), "type": "error"}, "", (error,))


def result(query: Element) -> Element | None:
    """Return the answer to a supported query: a ping (XEP-0199) or the domain's features (XEP-0030)."""
    answer: tuple[Element, ...] | None = None
    if query.child(_PING) is not None:
        answer = ()
    elif query.child("{%s}query" % _DISCO) is not None and "@" not in query.attributes["to"]:
        identity = Element("{%s}identity" % _DISCO, {"category": "gateway", "type": "xmpp", "name": "lab"}, "", ())
        features = [Element("{%s}feature" % _DISCO, {"var": var}, "", ()) for var in (_DISCO, "urn:xmpp:ping")]
        answer = (Element("{%s}query" % _DISCO, {}, "", (identity, *features)),)
    if answer is None or query.attributes.get("type") != "get":
        return None
    return Element(IQ, {**_back(query), "type": "result"}, "", answer)


def error_of(stanza: Element) -> str:
    """Return the text of an error stanza: the condition, then the stanza's text if present."""
    error = stanza.child(ERROR)
    if error is None:
        return "an error without a reason"
    names = [child.name.rpartition("}")[2] for child in error.children]
    condition = next((name for name in names if name != "text"), "no condition")
    text = error.child("{%s}text" % NS_STANZAS)
    return "%s: %s" % (condition, text.text) if text is not None and text.text else condition


def _back(stanza: Element) -> dict[str, str]:
    given = stanza.attributes
    back = {"from": given["to"], "to": given["from"]}
    return {**back, "id": given["id"]} if "id" in given else back
