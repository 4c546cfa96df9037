# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the remote shell of one host: convert the bytes of each WS-Management request to the bytes of an answer."""

from __future__ import annotations

import base64
import binascii
import logging
import time
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ..cmdlets.runspace import Deployment
from ..deployment import endpoints
from ..deployment.hosts import SHELLS
from ..errors import Cut
from . import wsman
from .sessions import Sessions
from .shell import Session, not_found
from .wsman import Action, Fault, Request

log = logging.getLogger(__name__)

# Both products ran on Windows PowerShell 3.0 and 4.0 (Windows Server 2012 and 2012 R2), which use PSRP 2.2.
PROTOCOL = "2.2"


@dataclass(frozen=True)
class Answer:
    """Hold the answer to a request.

    status: 200, or 500 for a fault.
    """

    status: int
    body: bytes


class Service:
    """Run one host's WS-Management service."""

    def __init__(self, deployment: Deployment, host: str, sessions: Sessions, idle: float) -> None:
        """Prepare the service.

        idle: seconds without requests until a session ends. Clients can ask for less.
        """
        self.host = host
        self.path = endpoints.path(host)
        self._deployment = deployment
        self._sessions = sessions
        self._idle = idle

    def travel(self) -> None:
        """Wait for the additional request time in the settings, to simulate a distant server."""
        seconds = float(self._deployment.store.setting("request_seconds"))
        if seconds:
            time.sleep(seconds)

    def down(self) -> str:
        """Return ``unavailable`` or ``hangs`` if a setting has this value for the host; '' otherwise.

        On a Front End, the setting applies only to the management shell, which IIS publishes. WinRM continues.
        """
        host = SHELLS[self.host]
        return "" if host.role == "front_end" else str(self._deployment.store.setting("hosts_down").get(host.name, ""))

    def handle(self, data: bytes, user: str) -> Answer:
        """Answer a request. Errors become a fault. Raises Cut if the connection must be dropped."""
        machine = SHELLS[self.host].fqdn
        message_id = ""
        try:
            if len(data) > wsman.MAX_ENVELOPE:
                raise Fault(
                    wsman.ENVELOPE_TOO_LARGE,
                    "The envelope has %d bytes, more than the allowed %d." % (len(data), wsman.MAX_ENVELOPE),
                    "w:EncodingLimit",
                )
            request = wsman.parse(data)
            message_id = request.message_id
            return Answer(200, wsman.response(request, self._body(request, user)))
        except wsman.Unreadable as e:
            return Answer(500, wsman.fault(e, e.message_id, machine))
        except Fault as e:
            return Answer(500, wsman.fault(e, message_id, machine))
        except Cut:
            raise
        except Exception as e:
            log.exception("a request on %s broke", self.host)
            cause = Fault(wsman.PLUGIN_FAILED, "The lab failed: %s: %s" % (type(e).__name__, e))
            return Answer(500, wsman.fault(cause, message_id, machine))

    def _body(self, request: Request, user: str) -> str:
        if request.action is Action.IDENTIFY:
            return _IDENTITY
        if request.action is Action.GET:
            return self._get(request, user)
        if request.resource.lower() != wsman.RESOURCE_POWERSHELL.lower():
            raise Fault(
                wsman.RESOURCE_NOT_FOUND,
                "The resource URI '%s' is not known here, only %s." % (request.resource, wsman.RESOURCE_POWERSHELL),
                "a:DestinationUnreachable",
            )
        if request.action is Action.CREATE:
            return self._create(request, user)
        session = self._session(request, user)
        try:
            return self._operate(session, request)
        except Cut:
            self._sessions.forget(session)
            raise

    def _session(self, request: Request, user: str) -> Session:
        if not request.shell_id:
            raise Fault(wsman.MISSING_SELECTOR, "The request needs the selector ShellId.", "w:InvalidSelectors")
        return self._sessions.find(request.shell_id, self.host, user)

    def _get(self, request: Request, user: str) -> str:
        if request.resource == wsman.CONFIG:
            return "<cfg:Config><cfg:MaxEnvelopeSizekb>%d</cfg:MaxEnvelopeSizekb></cfg:Config>" % (
                wsman.MAX_ENVELOPE // 1024
            )
        if request.resource != wsman.SHELL:
            raise Fault(
                wsman.RESOURCE_NOT_FOUND,
                "The resource URI '%s' is not known here." % request.resource,
                "a:DestinationUnreachable",
            )
        session = self._session(request, user)
        session.touch()
        return _shell(session, "<rsp:State>Connected</rsp:State>")

    def _create(self, request: Request, user: str) -> str:
        creation = _decoded(request.text("rsp:Shell/pwsh:creationXml"))
        session = Session(
            self._deployment,
            request.attribute("rsp:Shell", "ShellId").upper() or wsman.new_id(),
            self.host,
            user,
            PROTOCOL,
            min(self._idle, wsman.duration(request.text("rsp:Shell/rsp:IdleTimeOut"), self._idle)),
        )
        if not self._sessions.add(session):
            raise Fault(wsman.ALREADY_EXISTS, "There is a shell %s already." % session.id, "w:AlreadyExists")
        session.open(creation, wsman.payload_size(request.max_envelope))
        return (
            "<x:ResourceCreated><a:Address>%s/role/anonymous</a:Address><a:ReferenceParameters>"
            '<w:ResourceURI>%s</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">%s</w:Selector></w:SelectorSet>'
            "</a:ReferenceParameters></x:ResourceCreated>%s"
        ) % (wsman.ADDRESSING, wsman.RESOURCE_POWERSHELL, escape(session.id), _shell(session))

    def _operate(self, session: Session, request: Request) -> str:
        size = wsman.payload_size(request.max_envelope)
        if request.action is Action.COMMAND:
            first = _decoded(request.text("rsp:CommandLine/rsp:Arguments"))
            command_id = session.command(request.attribute("rsp:CommandLine", "CommandId"), first, size)
            return "<rsp:CommandResponse><rsp:CommandId>%s</rsp:CommandId></rsp:CommandResponse>" % escape(command_id)
        if request.action is Action.SEND:
            stream = "rsp:Send/rsp:Stream"
            session.send(request.attribute(stream, "CommandId"), _decoded(request.text(stream)), size)
            return "<rsp:SendResponse/>"
        if request.action is Action.RECEIVE:
            command_id = request.attribute("rsp:Receive/rsp:DesiredStream", "CommandId")
            return self._received(command_id, session.receive(command_id, size, request.timeout))
        if request.action is Action.SIGNAL:
            session.signal(request.attribute("rsp:Signal", "CommandId"), request.text("rsp:Signal/rsp:Code"))
            return "<rsp:SignalResponse/>"
        if request.action is Action.DELETE:
            self._sessions.close(session)
            return ""
        raise not_found(session.id)

    def _received(self, command_id: str, result: tuple[bytes, bool] | None) -> str:
        if result is None:
            raise Fault(
                wsman.OPERATION_TIMED_OUT, "There was no output within the operation's time. Ask again.", "w:TimedOut"
            )
        data, done = result
        owner = ' CommandId="%s"' % escape(command_id, {'"': "&quot;"}) if command_id else ""
        content = base64.b64encode(data).decode()
        stream = '<rsp:Stream Name="stdout"%s>%s</rsp:Stream>' % (owner, content) if data else ""
        state = "Done" if done else "Running"
        return "<rsp:ReceiveResponse>%s%s</rsp:ReceiveResponse>" % (
            stream,
            '<rsp:CommandState%s State="%s/CommandState/%s"/>' % (owner, wsman.SHELL, state) if command_id else "",
        )


def _shell(session: Session, more: str = "") -> str:
    return (
        "<rsp:Shell><rsp:ShellId>%s</rsp:ShellId><rsp:ResourceUri>%s</rsp:ResourceUri><rsp:Owner>%s</rsp:Owner>"
        "<rsp:IdleTimeOut>PT%.3fS</rsp:IdleTimeOut><rsp:InputStreams>stdin pr</rsp:InputStreams>"
        "<rsp:OutputStreams>stdout</rsp:OutputStreams>%s</rsp:Shell>"
    ) % (escape(session.id), wsman.RESOURCE_POWERSHELL, escape(session.user), session.idle, more)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as e:
        raise Fault(wsman.INVALID_XML, "The PSRP data is not base64: %s." % e, "w:SchemaValidationError") from e


_IDENTITY = (
    '<i:IdentifyResponse xmlns:i="%s"><i:ProtocolVersion>%s</i:ProtocolVersion>'
    "<i:ProductVendor>sfb.xmpp lab</i:ProductVendor>"
    "<i:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</i:ProductVersion></i:IdentifyResponse>"
) % (wsman.IDENTIFY, wsman.WSMAN)
