# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the values of a statement to the objects that pypsrp sends, and error records to texts.

pypsrp is imported inside the functions, because a process that only reads the connection's options does not need
pypsrp.
"""

from __future__ import annotations

import typing as t

from ...module_utils._shell.statement import Credential, ListChange, Secret, ServerError, Statement, UInt32, Value
from .limits import short

# The most characters of a server's text that are passed on.
LONGEST = 4000

# The id of the server's error for an unknown command.
NO_COMMAND = "CommandNotFoundException"

# System.Management.Automation.ErrorCategory, by number.
CATEGORIES: tuple[str, ...] = (
    *("NotSpecified", "OpenError", "CloseError", "DeviceError", "DeadlockDetected", "InvalidArgument", "InvalidData"),
    *("InvalidOperation", "InvalidResult", "InvalidType", "MetadataError", "NotImplemented", "NotInstalled"),
    *("ObjectNotFound", "OperationStopped", "OperationTimeout", "SyntaxError", "ParserError", "PermissionDenied"),
    *("ResourceBusy", "ResourceExists", "ResourceUnavailable", "ReadError", "WriteError", "FromStdErr"),
    *("SecurityError", "ProtocolError", "ConnectionError", "AuthenticationError", "LimitsExceeded", "QuotaExceeded"),
    "NotEnabled",
)


def to_wire(value: Value) -> t.Any:
    """Return a parameter's value in the form for pypsrp, so that the server gets the intended .NET type."""
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
    """Estimate the bytes of the statement in a pipeline message (measured: 1032, and 62 or more for each parameter)."""
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


def server_error(record: t.Any) -> ServerError:
    """Return an error record as texts. A missing field becomes an empty text."""
    fields: dict[str, t.Any] = record if isinstance(record, dict) else {"ErrorDetails_Message": str(record)}

    def text(*names: str) -> str:
        return next((_brief(value) for name in names if (value := fields.get(name)) not in (None, "")), "")

    exception = fields.get("Exception")
    words = exception.get("Message") if isinstance(exception, dict) else exception
    error_id = text("FullyQualifiedErrorId")
    number = fields.get("ErrorCategory_Category")
    target = fields.get("TargetObject")
    # The id ends in the class that raised the error. If the server sends no invocation details, only the id shows the
    # cmdlet. For an unknown command, the target is its name.
    _id, comma, source = error_id.rpartition(",")
    unknown = text("ErrorCategory_TargetName") if error_id == NO_COMMAND else ""
    return ServerError(
        cmdlet=text("CommandInfo_Name", "ErrorCategory_Activity", "InvocationInfo_InvocationName")
        or (source if comma else unknown),
        error_id=error_id,
        category=CATEGORIES[number] if isinstance(number, int) and 0 <= number < len(CATEGORIES) else "",
        message=(
            text("ErrorDetails_Message") or _brief(words) or "the server reported an error without a text"
        ).strip(),
        target=_brief(target) if isinstance(target, str) else text("ErrorCategory_TargetName"),
    )


def unreadable(cmdlets: str, reason: object) -> ServerError:
    """Return the error for an object that cannot be read."""
    return ServerError(
        cmdlet=cmdlets,
        error_id="UnreadableObject",
        category="InvalidData",
        message="the server sent an object that cannot be read: %s" % _brief(str(reason)),
    )


def _brief(value: t.Any) -> str:
    return "" if value is None else short(str(value), LONGEST)
