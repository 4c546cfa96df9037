# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read requests and build answers and faults of WS-Management, without I/O.

Sources: DSP0226 (WS-Management 1.0) for headers and faults, MS-WSMV 2.2.4 and 3.1.4 for the shell operations, MS-PSRP
for the position of PowerShell's fragments in the messages.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape, quoteattr

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
IDENTIFY = "http://schemas.dmtf.org/wbem/wsman/identify/1/wsmanidentity.xsd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
POWERSHELL = "http://schemas.microsoft.com/powershell"

NAMES = {"s": SOAP, "a": ADDRESSING, "w": WSMAN, "i": IDENTIFY, "rsp": SHELL, "pwsh": POWERSHELL}

RESOURCE_POWERSHELL = POWERSHELL + "/Microsoft.PowerShell"
SIGNAL_TERMINATE = SHELL + "/signal/Terminate"
SIGNALS_STOP = ("powershell/signal/ctrl_c", SHELL + "/signal/ctrl_c", SHELL + "/signal/ctrl_break")

# These are the WSManFault codes of winerror.h. Clients know the first two codes by number.
OPERATION_TIMED_OUT = 2150858793
SHELL_NOT_FOUND = 2150858843
RESOURCE_NOT_FOUND = 2150858752
INVALID_ACTION = 2150858753
INVALID_XML = 2150858819
MISSING_SELECTOR = 2150858842
ENVELOPE_TOO_LARGE = 2150858824
ALREADY_EXISTS = 183
PLUGIN_FAILED = 2150858883
COMMAND_NOT_FOUND = 2150859085

# An envelope has up to 500 KiB since Windows Server 2012. Without a size from the client, 150 KiB is the limit.
MAX_ENVELOPE = 512000
DEFAULT_ENVELOPE = 153600


class Action(Enum):
    """Define the operations that the lab answers. The value is the WS-Addressing action."""

    IDENTIFY = IDENTIFY + "/Identify"
    GET = TRANSFER + "/Get"
    CREATE = TRANSFER + "/Create"
    DELETE = TRANSFER + "/Delete"
    COMMAND = SHELL + "/Command"
    SEND = SHELL + "/Send"
    RECEIVE = SHELL + "/Receive"
    SIGNAL = SHELL + "/Signal"


class Fault(Exception):
    """The answer to a request is a SOAP fault.

    code: the WSManFault's number.
    """

    def __init__(self, code: int, reason: str, subcode: str = "w:InternalError") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.subcode = subcode

    @property
    def sender(self) -> bool:
        """Return whether the client caused the fault."""
        return self.subcode not in ("w:InternalError", "w:TimedOut")


@dataclass(frozen=True)
class Request:
    """Hold one request.

    timeout: the longest wait of the server, in seconds.
    max_envelope: the largest answer, in bytes.
    """

    action: Action
    message_id: str
    resource: str
    shell_id: str
    timeout: float
    max_envelope: int
    body: ET.Element

    def find(self, path: str) -> ET.Element | None:
        """Return the body's first element at ``path``, with the prefixes of ``NAMES``."""
        return self.body.find(path, NAMES)

    def text(self, path: str) -> str:
        """Return the text at ``path``, or ''."""
        element = self.find(path)
        return (element.text or "").strip() if element is not None else ""

    def attribute(self, path: str, name: str) -> str:
        """Return the attribute at ``path``, or ''."""
        element = self.find(path)
        return element.get(name, "") if element is not None else ""


class Unreadable(Fault):
    """A request is not a SOAP message, or asks for an unknown operation. The client still gets a fault."""

    def __init__(self, code: int, reason: str, message_id: str = "", subcode: str = "w:SchemaValidationError") -> None:
        super().__init__(code, reason, subcode)
        self.message_id = message_id


def parse(data: bytes) -> Request:
    """Read a request. Raises Unreadable."""
    if b"<!DOCTYPE" in data:
        # SOAP 1.2 (section 5) forbids document types. The refusal of document types also prevents entity expansion.
        raise Unreadable(INVALID_XML, "A document type declaration is not allowed in a SOAP message.")
    try:
        envelope = ET.fromstring(data)  # noqa: S314 (no document type gets here)
    except ET.ParseError as e:
        raise Unreadable(INVALID_XML, "The request is not well-formed XML: %s." % e) from e
    body = envelope.find("s:Body", NAMES)
    if envelope.tag != "{%s}Envelope" % SOAP or body is None:
        raise Unreadable(INVALID_XML, "The request is not a SOAP 1.2 envelope with a body.")

    def header(path: str) -> str:
        return (envelope.findtext("s:Header/" + path, "", NAMES) or "").strip()

    message_id = header("a:MessageID")
    if body.find("i:Identify", NAMES) is not None:
        action = Action.IDENTIFY
    else:
        try:
            action = Action(header("a:Action"))
        except ValueError:
            raise Unreadable(
                INVALID_ACTION,
                "The lab does not support the action '%s'." % header("a:Action"),
                message_id,
                "a:ActionNotSupported",
            ) from None
    selectors = envelope.findall("s:Header/w:SelectorSet/w:Selector", NAMES)
    size = header("w:MaxEnvelopeSize")
    return Request(
        action=action,
        message_id=message_id,
        resource=header("w:ResourceURI"),
        shell_id=next((s.text or "" for s in selectors if s.get("Name") == "ShellId"), "").upper(),
        timeout=duration(header("w:OperationTimeout"), 60.0),
        max_envelope=min(max(int(size), 8192), MAX_ENVELOPE) if size.isdigit() else DEFAULT_ENVELOPE,
        body=body,
    )


def duration(text: str, default: float) -> float:
    """Return the seconds of an xs:duration without years, months and days, such as ``PT20S`` or ``PT1M30.5S``."""
    match = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text)
    if match is None or not any(match.groups()):
        return default
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def payload_size(max_envelope: int) -> int:
    """Return the number of bytes of PowerShell data that an envelope can hold, with 2 KiB of headers and in base64."""
    return (max_envelope - 2048) * 3 // 4


def response(request: Request, body: str) -> bytes:
    """Return the answer to ``request``.

    body: XML with the envelope's prefixes (s, a, w, x, rsp, cfg).
    """
    if request.action is Action.IDENTIFY:
        return ("<s:Envelope xmlns:s=%s><s:Header/><s:Body>%s</s:Body></s:Envelope>" % (quoteattr(SOAP), body)).encode()
    return _envelope(request.action.value + "Response", request.message_id, body)


def fault(cause: Fault, message_id: str, machine: str) -> bytes:
    """Return the answer to a request that failed."""
    reason = escape(cause.reason)
    body = (
        "<s:Fault><s:Code><s:Value>%s</s:Value><s:Subcode><s:Value>%s</s:Value></s:Subcode></s:Code>"
        '<s:Reason><s:Text xml:lang="en-US">%s</s:Text></s:Reason><s:Detail>'
        '<f:WSManFault xmlns:f=%s Code="%d" Machine=%s><f:Message>%s</f:Message></f:WSManFault></s:Detail></s:Fault>'
    ) % (
        "s:Sender" if cause.sender else "s:Receiver",
        cause.subcode,
        reason,
        quoteattr(FAULT),
        cause.code,
        quoteattr(machine),
        reason,
    )
    action = (
        ADDRESSING + "/fault" if cause.subcode.startswith("a:") else "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
    )
    return _envelope(action, message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        '<s:Envelope xml:lang="en-US" xmlns:s=%s xmlns:a=%s xmlns:w=%s xmlns:x=%s xmlns:rsp=%s xmlns:cfg=%s><s:Header>'
        "<a:Action>%s</a:Action><a:MessageID>uuid:%s</a:MessageID>"
        "<a:To>%s/role/anonymous</a:To><a:RelatesTo>%s</a:RelatesTo></s:Header><s:Body>%s</s:Body></s:Envelope>"
        % (
            *(quoteattr(space) for space in (SOAP, ADDRESSING, WSMAN, TRANSFER, SHELL, CONFIG)),
            action,
            new_id(),
            ADDRESSING,
            escape(relates_to),
            body,
        )
    ).encode()


def new_id() -> str:
    """Return a new identifier for a shell, in the form of servers."""
    return str(uuid.uuid4()).upper()
