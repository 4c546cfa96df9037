# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write and read the parts of a server-to-server stream: headers, features, errors, dialback and its keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence

from .element import NS_SERVER, Element, escape, split_name
from .events import Features, StreamOpened
from .xml_stream import Header, Violation

NS_STREAM = "http://etherx.jabber.org/streams"
NS_STREAMS = "urn:ietf:params:xml:ns:xmpp-streams"  # conditions of stream errors
NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"  # conditions of stanza errors, which dialback uses too
NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_DIALBACK = "jabber:server:dialback"
NS_DIALBACK_FEATURE = "urn:xmpp:features:dialback"

Pair = tuple[str, str]


def new_stream_id() -> str:
    """Return a stream's id. The id cannot be guessed, because dialback depends on the id (RFC 6120 section 4.7.3)."""
    return secrets.token_hex(16)


def dialback_key(secret: str, receiving: str, originating: str, stream_id: str) -> str:
    """Return the key that proves ``originating`` to ``receiving`` on a stream (XEP-0185 section 3)."""
    material = "%s %s %s" % (receiving, originating, stream_id)
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    return hmac.new(hashed.encode(), material.encode(), hashlib.sha256).hexdigest()


def dialback_key_matches(key: str, secret: str, receiving: str, originating: str, stream_id: str) -> bool:
    """Return whether a peer's key equals that of dialback_key. The comparison takes constant time."""
    return hmac.compare_digest(key.encode(), dialback_key(secret, receiving, originating, stream_id).encode())


# Headers


def write_header(attributes: Iterable[tuple[str, str]], dialback: bool) -> str:
    """Return the header of a stream between servers. Empty attributes are left out."""
    written = "".join(" %s='%s'" % (name, escape(value)) for name, value in attributes if value)
    declared = " xmlns:db='%s'" % NS_DIALBACK if dialback else ""
    form = "<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='%s'%s%s xml:lang='en'>"
    return form % (NS_SERVER, NS_STREAM, declared, written)


def read_header(header: Header) -> StreamOpened:
    """Read a header. Raises Violation if the header does not belong to a stream between servers."""
    namespace, local = split_name(header.name)
    if local != "stream":
        raise Violation("bad-format", "the stream does not start with a stream element")
    # If the default namespace is missing, or is the namespace of the stream, each stanza declares its namespace (RFC
    # 6120 section 4.8.3).
    if namespace != NS_STREAM or header.namespaces.get("", "") not in (NS_SERVER, NS_STREAM, ""):
        raise Violation("invalid-namespace", "this is a stream between servers")
    attributes = header.attributes
    return StreamOpened(
        from_=domain(attributes, "from"),
        to=domain(attributes, "to"),
        id=attributes.get("id", ""),
        version=attributes.get("version", ""),
        dialback=NS_DIALBACK in header.namespaces.values(),
    )


def has_features(version: str) -> bool:
    """Return whether a peer with this version has features, as XMPP 1.0 does (RFC 6120 section 4.7.5)."""
    major = version.partition(".")[0]
    return major.isdecimal() and major.isascii() and major.strip("0") != ""


# Features


def write_features(starttls: str, mechanisms: Sequence[str], dialback: bool) -> str:
    """Return the features of a receiving side as XML."""
    offers = []
    if starttls:
        required = "<required/>" if starttls == "required" else ""
        offers.append("<starttls xmlns='%s'>%s</starttls>" % (NS_TLS, required))
    if mechanisms:
        names = "".join("<mechanism>%s</mechanism>" % escape(name) for name in mechanisms)
        offers.append("<mechanisms xmlns='%s'>%s</mechanisms>" % (NS_SASL, names))
    if dialback:
        offers.append("<dialback xmlns='%s'><errors/></dialback>" % NS_DIALBACK_FEATURE)
    return "<stream:features>%s</stream:features>" % "".join(offers)


def read_features(element: Element) -> Features:
    """Read the features of a receiving side."""
    starttls = element.child("{%s}starttls" % NS_TLS)
    offer = ""
    if starttls is not None:
        offer = "required" if starttls.child("{%s}required" % NS_TLS) else "offered"
    mechanisms = element.child("{%s}mechanisms" % NS_SASL)
    names = mechanisms.children if mechanisms is not None else ()
    return Features(
        starttls=offer,
        mechanisms=tuple(child.text.strip() for child in names if child.name == "{%s}mechanism" % NS_SASL),
        dialback=element.child("{%s}dialback" % NS_DIALBACK_FEATURE) is not None,
    )


# Errors


def write_stream_error(condition: str, text: str) -> str:
    """Return a stream error (RFC 6120 section 4.9.2)."""
    explanation = "<text xmlns='%s' xml:lang='en'>%s</text>" % (NS_STREAMS, escape(text)) if text else ""
    return "<stream:error><%s xmlns='%s'/>%s</stream:error>" % (condition, NS_STREAMS, explanation)


def write_auth_failure(condition: str, text: str = "") -> str:
    """Return a failure of SASL (RFC 6120 section 6.4.5)."""
    explanation = "<text xml:lang='en'>%s</text>" % escape(text) if text else ""
    return "<failure xmlns='%s'><%s/>%s</failure>" % (NS_SASL, condition, explanation)


def read_error(element: Element, namespace: str) -> tuple[str, str]:
    """Read the condition and the text of an error.

    namespace: the namespace of the error's conditions.
    """
    condition, text = "", ""
    for child in element.children:
        where, local = split_name(child.name)
        if where == namespace:
            if local == "text":
                text = child.text
            else:
                condition = condition or local
    return condition, text


# Dialback


def domain(attributes: Mapping[str, str], name: str) -> str:
    """Return the domain of an attribute in lower case; empty without a domain."""
    return attributes.get(name, "").strip().lower()


def read_pair(element: Element) -> Pair:
    """Read the two domains of a dialback element. Raises Violation if a domain is missing."""
    from_, to = domain(element.attributes, "from"), domain(element.attributes, "to")
    if not from_ or not to:
        raise Violation("improper-addressing", "dialback without from or to")
    return from_, to


def write_dialback(name: str, from_: str, to: str, id: str, key: str) -> str:
    """Return a ``result`` or ``verify`` with a key. A result has no id."""
    identifier = " id='%s'" % escape(id) if id else ""
    return "<db:%s xmlns:db='%s' from='%s' to='%s'%s>%s</db:%s>" % (
        name,
        NS_DIALBACK,
        escape(from_),
        escape(to),
        identifier,
        escape(key),
        name,
    )


def write_dialback_answer(name: str, from_: str, to: str, id: str, type: str, condition: str) -> str:
    """Return the answer to a ``result`` or ``verify``. The type 'error' has a condition (XEP-0220 section 2.4)."""
    identifier = " id='%s'" % escape(id) if id else ""
    error = ""
    if type == "error":
        kind = "wait" if condition == "remote-server-timeout" else "cancel"
        error = "<error type='%s'><%s xmlns='%s'/></error>" % (kind, condition or "undefined-condition", NS_STANZAS)
    return "<db:%s xmlns:db='%s' from='%s' to='%s'%s type='%s'>%s</db:%s>" % (
        name,
        NS_DIALBACK,
        escape(from_),
        escape(to),
        identifier,
        type,
        error,
        name,
    )


def read_dialback_answer(element: Element) -> tuple[str, str]:
    """Read the type and the condition of a dialback answer. Raises Violation if the element is not an answer."""
    type_ = element.attributes.get("type")
    if type_ is None:
        raise Violation("unsupported-stanza-type", "this stream goes in one direction")
    if type_ not in ("valid", "invalid", "error"):
        raise Violation("bad-format", "a dialback answer of an unknown type")
    error = next((child for child in element.children if split_name(child.name)[1] == "error"), None)
    return type_, read_error(error, NS_STANZAS)[0] if error is not None else ""
