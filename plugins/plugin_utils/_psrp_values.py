# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between the plain values of a statement or an answer and the objects that pypsrp sends and receives.

pypsrp is imported inside the functions: the process that only wants the connection's options need not load it.
"""

from __future__ import annotations

import queue
import typing as t
import uuid
import xml.etree.ElementTree as ET  # only for elements that pypsrp has parsed already

from ..module_utils._shell.statement import Credential, ListChange, Secret, ServerError, Statement, UInt32, Value

# Objects from a server refer to one another; what lies deeper than this is given as text.
DEPTH = 8

# System.Management.Automation.ErrorCategory, by number.
CATEGORIES: tuple[str, ...] = (
    *("NotSpecified", "OpenError", "CloseError", "DeviceError", "DeadlockDetected", "InvalidArgument", "InvalidData"),
    *("InvalidOperation", "InvalidResult", "InvalidType", "MetadataError", "NotImplemented", "NotInstalled"),
    *("ObjectNotFound", "OperationStopped", "OperationTimeout", "SyntaxError", "ParserError", "PermissionDenied"),
    *("ResourceBusy", "ResourceExists", "ResourceUnavailable", "ReadError", "WriteError", "FromStdErr"),
    *("SecurityError", "ProtocolError", "ConnectionError", "AuthenticationError", "LimitsExceeded", "QuotaExceeded"),
    "NotEnabled",
)


def quicken(serializer: t.Any) -> None:
    """Let a serializer of pypsrp read simple values at once.

    By itself it renders every element as text before it looks at it, which is half of what reading a long list costs.
    """
    thorough = serializer.deserialize

    def deserialize(element: t.Any, metadata: t.Any = None, clear: bool = True) -> t.Any:
        if not clear and not isinstance(element, str):
            tag, text = element.tag, element.text
            if tag in ("S", "ToString") and "_" not in (text or ""):  # else it may hold escaped characters
                return text or ""
            if tag == "B":
                return text.lower() == "true"
            if tag in ("I32", "U32"):
                return int(text)
            if tag == "Nil":
                return None
        return thorough(element, metadata, clear)

    serializer.deserialize = deserialize


def to_wire(value: Value) -> t.Any:
    """A parameter's value as pypsrp has to be given it, so that it arrives with the intended .NET type."""
    from pypsrp.complex_objects import ObjectMeta, PSCredential
    from pypsrp.serializer import Serializer

    def primitive(tag: str, content: str) -> t.Any:
        return Serializer().serialize(content, ObjectMeta(tag))

    if value is None:
        return None
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Credential):
        return PSCredential(username=value.user, password=value.password.reveal())
    if isinstance(value, UInt32):
        return primitive("U32", str(int(value)))
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**31) <= value < 2**31 else primitive("I64", str(value))
    if isinstance(value, ListChange):
        changes = (("Add", value.add), ("Remove", value.remove))
        return {name: list(items) for name, items in changes if items}
    if isinstance(value, tuple):
        return [to_wire(item) for item in value]
    return value


def wire_size(statement: Statement) -> int:
    """About how many bytes the statement takes in a pipeline message (measured: 1032 bare, 62 and more a parameter)."""
    selection = 1100 + sum(70 + len(name) for name in statement.select) if statement.select else 0
    return 1100 + selection + sum(70 + len(name) + _size(value) for name, value in statement.parameters.items())


def _size(value: Value) -> int:
    if isinstance(value, Secret):
        return _size(value.reveal())
    if isinstance(value, Credential):
        return 500 + _size(value.user) + 4 * len(value.password.reveal())  # UTF-16, padded, encrypted and in base64
    if isinstance(value, str):
        # Characters outside ASCII, control characters and markup are escaped, at worst to 14 bytes each.
        return sum(1 if " " <= c <= "~" and c not in "<>&_" else 14 for c in value)
    if isinstance(value, bytes):
        return len(value) * 4 // 3 + 4
    if isinstance(value, ListChange):
        return 250 + _size(value.add) + _size(value.remove)
    if isinstance(value, tuple):
        return 60 + sum(15 + _size(item) for item in value)
    return 12


def from_wire(value: t.Any, depth: int = DEPTH) -> t.Any:
    """What the server sent as plain built-ins: an enumeration as its name, an object as the dict of its properties."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if depth <= 0:
        return str(value)
    if isinstance(value, (list, tuple)):
        return [from_wire(item, depth - 1) for item in value]
    if isinstance(value, queue.Queue):
        return [from_wire(item, depth - 1) for item in list(value.queue)]
    if isinstance(value, dict):
        return {str(from_wire(key, 1)): from_wire(item, depth - 1) for key, item in value.items()}
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, ET.Element):
        return None  # a secure string, for which no key was exchanged
    return _object(value, depth)


def _object(value: t.Any, depth: int) -> t.Any:
    from pypsrp.complex_objects import GenericComplexObject

    if not isinstance(value, GenericComplexObject):
        return str(value)  # one of the few .NET types that pypsrp knows by name
    if value.property_sets:
        content = value.property_sets[0]
        if any(name.endswith("System.Enum") for name in value.types):
            return content if value.to_string is None else value.to_string
        if isinstance(content, str) and value.types and content.startswith(("<LST", "<IE", "<STK", "<QUE")):
            return _list_of_unknown_type(content, depth)
        return from_wire(content, depth - 1)  # a simple value with notes attached
    properties = {**value.adapted_properties, **value.extended_properties}
    if properties or value.to_string is None:
        return {str(name): from_wire(item, depth - 1) for name, item in properties.items()}
    return value.to_string


def _list_of_unknown_type(xml: str, depth: int) -> t.Any:
    """pypsrp hands over the XML of a list whose .NET type it does not know."""
    from pypsrp.exceptions import SerializationError
    from pypsrp.serializer import Serializer

    reader = Serializer()
    try:
        # The text is pypsrp's own rendering of elements it has parsed, so it brings no entities or declarations.
        elements = list(ET.fromstring(xml))  # noqa: S314
        return [from_wire(reader.deserialize(element, clear=False), depth - 1) for element in elements]
    except (ET.ParseError, KeyError, SerializationError):
        return xml


def server_error(record: t.Any) -> ServerError:
    """An error record in plain words. A record that lacks a field gives an empty text for it."""

    def text(name: str) -> str:
        value = getattr(record, name, None)
        return "" if value is None else str(from_wire(value))

    exception = from_wire(getattr(record, "exception", None))
    words = exception.get("Message") if isinstance(exception, dict) else None
    message = text("details_message") or words or (str(exception) if isinstance(exception, str) else "") or str(record)
    error_id = text("fq_error")
    number = getattr(record, "category", None)
    known = isinstance(number, int) and 0 <= number < len(CATEGORIES)
    target = from_wire(getattr(record, "target_object", None))
    return ServerError(
        # The id ends in the class that raised it, which is all there is where the server sends no invocation details.
        cmdlet=text("command_name") or text("activity") or text("invocation_name") or error_id.rpartition(",")[2],
        error_id=error_id,
        category=CATEGORIES[t.cast(int, number)] if known else "",
        message=str(message).strip(),
        target=target if isinstance(target, str) else text("target_name"),
    )
