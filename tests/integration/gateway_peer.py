# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A partner for the lab's gateway that does as a test says: name server, XMPP server, and streams that it opens.

It authenticates others the plain way: EXTERNAL succeeds when told so, dialback by really asking the other side.
"""

from __future__ import annotations

import contextlib
import datetime
import queue
import socket
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import stream as xmpp
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import Element
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab.deployment.authority import BOTH_WAYS, Authority, common_name
from lab.deployment.public_ca import public_authority
from lab.gateway.certificates import Purpose, problem
from lab.gateway.dial import DialFailed, Dialog
from lab.gateway.dns import Lookup, LookupFailed
from lab.gateway.surroundings import Identity
from lab.gateway.wire import Wire, WireError, context

ADDRESS = "127.0.0.41"
PATIENCE = 20.0
SECRET = "the peer's own secret"
DAY = datetime.timedelta(days=1)


def certificate(directory: Path, domain: str, kind: str = "good") -> Identity:
    """A certificate of the public authority, good or ``expired``, ``wrongname``, ``unknownca``, ``serveronly``."""
    issuer, chain = public_authority(directory)
    if kind == "unknownca":
        issuer, chain = Authority(common_name("Nobody"), ec.generate_private_key(ec.SECP256R1()), 9 * DAY), ()
    key = ec.generate_private_key(ec.SECP256R1())
    made = issuer.issue(
        common_name(domain),
        key,
        [x509.DNSName("mail." + domain if kind == "wrongname" else domain)],
        9 * DAY,
        purposes=BOTH_WAYS[:1] if kind == "serveronly" else BOTH_WAYS,
        age=30 * DAY if kind == "expired" else 0 * DAY,
    )
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    return Identity(made, der, chain)


class Names:
    """A name server with the records that it is given: domain -> (address, port); answers to UDP only.

    upstream: the address and the port of another, which is asked for what is not among them; None: nobody is.
    """

    def __init__(self) -> None:
        self.servers: dict[str, tuple[str, int]] = {}
        self.upstream: tuple[str, int] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, 0))
        self.where = "%s:%d" % self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(4096)
                query = dns.message.from_wire(data)
                self._socket.sendto(self._answer(query).to_wire(), sender)
            except OSError:
                return

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        service, _dot, domain = name.partition("._tcp.")
        record = ""
        if service == "_xmpp-server" and domain in self.servers and question.rdtype == dns.rdatatype.SRV:
            record = "0 5 %d xmpp.%s." % (self.servers[domain][1], domain)
        elif name.removeprefix("xmpp.") in self.servers and question.rdtype == dns.rdatatype.A:
            record = self.servers[name.removeprefix("xmpp.")][0]
        if record:
            answer.answer.append(dns.rrset.from_text(question.name, 5, "IN", question.rdtype, record))
        elif self.upstream is not None:
            return dns.query.udp(query, self.upstream[0], PATIENCE, self.upstream[1])
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@dataclass
class Manner:
    """How the peer behaves. tls: '', ``offered``, ``required``; external: '', ``accept``, ``refuse``.

    refuses_tls: whether it refuses the TLS that it has offered. looks: whether it judges the gateway's certificate, and
    finds the gateway by DNS, as a real server does.
    """

    tls: str = "offered"
    refuses_tls: bool = False
    external: str = "accept"
    dialback: bool = True
    knows_keys: bool = True  # says ``valid`` when asked about a key of its own
    looks: bool = False


class Peer:
    """A domain with an XMPP server. ``came`` has the stanzas that its server took, ``methods`` how others got in."""

    def __init__(self, domain: str, identity: Identity | None, gateway: t.Sequence[tuple[str, int]]) -> None:
        """gateway: where the gateway listens, in the order in which to try."""
        self.domain = domain
        self.identity = identity
        self.manner = Manner()
        self.names = ""  # the name server and the roots of a peer that looks
        self.anchors: list[x509.Certificate] = []
        self.came: queue.Queue[Element] = queue.Queue()
        self.methods: list[str] = []
        self.closed = threading.Event()  # the last stream to the server has ended
        self.hangs_up = threading.Event()  # the server ends the streams to it
        self._gateway = gateway
        self._stopping = threading.Event()
        self._listener = socket.create_server((ADDRESS, 0))
        self.where = t.cast("tuple[str, int]", self._listener.getsockname())
        self._threads: list[threading.Thread] = []
        self._dialogs: list[Dialog] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._stopping.set()
        self._listener.close()
        for dialog in self._dialogs:
            dialog.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    # -- streams that it opens

    def dial(self, own: str = "contoso.test", claim: str | None = None) -> Dialog:
        """A stream to the gateway, with the features that it offers first. claim: '' opens without a from."""
        wire = Wire(self._connection(own))
        said = self.domain if claim is None else claim
        dialog = Dialog(wire, said, own, time.monotonic() + PATIENCE, self._stopping)
        self._dialogs.append(dialog)
        dialog.open()
        return dialog

    def _connection(self, own: str) -> socket.socket:
        """own: whose gateway; empty for the one that the peer was given."""
        places = self._gateway
        if self.manner.looks:
            try:
                places = Lookup(self.names).servers(own)
            except LookupFailed as e:
                raise DialFailed(str(e)) from e
        for place in places:
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(place, PATIENCE, (ADDRESS, 0))
        raise DialFailed("the gateway does not listen")

    def secured(self, own: str = "contoso.test", claim: str | None = None, version: int = 0) -> Dialog:
        """version: the only version of TLS; 0: any."""
        dialog = self.dial(own, claim)
        dialog.stream.request_tls()
        answer = dialog.wait(xmpp.TlsProceed, xmpp.TlsRefused)
        if isinstance(answer, xmpp.TlsRefused):
            raise DialFailed("TLS is refused")
        try:
            made = context(self.identity, server=False)
            if version:
                made.set_min_proto_version(version)
                made.set_max_proto_version(version)
            dialog.wire.start_tls(made, False, own, time.monotonic() + PATIENCE)
        except WireError as e:
            raise DialFailed(str(e)) from e
        dialog.stream.tls_established()
        dialog.hear_features()
        return dialog

    def external(self, dialog: Dialog, identity: str | None = None) -> xmpp.AuthFailed | None:
        """Authenticate by certificate; the failure, or None."""
        dialog.stream.authenticate_external(identity)
        answer = dialog.wait(xmpp.AuthSucceeded, xmpp.AuthFailed)
        if isinstance(answer, xmpp.AuthFailed):
            return answer
        dialog.hear_features()
        return None

    def dialback(self, dialog: Dialog, own: str = "contoso.test", domain: str = "") -> xmpp.DialbackAnswer:
        """Authenticate by dialback; the answer."""
        domain = domain or self.domain
        key = xmpp.dialback_key(SECRET, own, domain, dialog.stream.id)
        dialog.stream.send_key(domain, own, key)
        return dialog.wait(xmpp.DialbackAnswer)

    def _open(self, own: str) -> Dialog:
        """A stream to the gateway, in TLS if that offers it."""
        dialog = self.dial(own)
        if not dialog.features.starttls:
            return dialog
        dialog.close()
        return self.secured(own)

    def doubts(self, wire: Wire, own: str, purpose: Purpose) -> str:
        """What is wrong with the gateway's certificate, '' if nothing or if this peer takes any."""
        if not self.manner.looks:
            return ""
        now = datetime.datetime.now(datetime.timezone.utc)
        return problem(wire.peer_chain(), self.anchors, own, now, purpose)

    def authenticate(self, own: str = "contoso.test") -> Dialog | None:
        """A stream by the strongest method that both have, as a real server opens it; None if there is none."""
        dialog = self._open(own)
        if "EXTERNAL" in dialog.features.mechanisms and not self.doubts(dialog.wire, own, "server"):
            return dialog if self.external(dialog) is None else None
        if dialog.features.dialback and self.dialback(dialog, own).type == "valid":
            return dialog
        return None

    # -- streams to its server

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(Wire(connection),), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, wire: Wire) -> None:
        stream = xmpp.Stream("receiving", self.domain)
        self.closed.clear()
        with contextlib.suppress(WireError):
            while not self._stopping.is_set() and not self.hangs_up.is_set() and not stream.closed:
                data = wire.receive(0.05)
                if data == b"":
                    break
                for event in stream.receive(data or b""):
                    self._handle(stream, wire, event)
                self._flush(stream, wire)
        wire.close()
        self.closed.set()

    def _flush(self, stream: xmpp.Stream, wire: Wire) -> None:
        data = stream.data_to_send()
        if data:
            wire.send(data)

    def _handle(self, stream: xmpp.Stream, wire: Wire, event: object) -> None:
        manner = self.manner
        if isinstance(event, xmpp.StreamOpened):
            stream.local, stream.remote = event.to, event.from_
            stream.respond(dialback=manner.dialback)
            fresh = not stream.secure
            mechanisms = () if fresh or stream.authenticated or not manner.external else ("EXTERNAL",)
            stream.send_features(manner.tls if fresh else "", mechanisms, manner.dialback)
        elif isinstance(event, xmpp.TlsRequested) and manner.refuses_tls:
            stream.refuse_tls()
        elif isinstance(event, xmpp.TlsRequested):
            stream.proceed_tls()
            self._flush(stream, wire)
            wire.start_tls(context(self.identity, server=True), True, "", time.monotonic() + PATIENCE)
            stream.tls_established()
        elif isinstance(event, xmpp.AuthRequested):
            if manner.external == "accept" and not self.doubts(wire, stream.remote, "client"):
                self.methods.append("sasl-over-tls")
                stream.accept_auth()
            else:
                stream.reject_auth("not-authorized", "the peer was told so")
        elif isinstance(event, xmpp.DialbackKey):
            valid = self._ask(event, stream.id)
            if valid:
                self.methods.append("tls-dialback" if stream.secure else "tcp-dialback")
            stream.answer_key(event.to, event.from_, "valid" if valid else "invalid")
        elif isinstance(event, xmpp.VerifyRequested):
            good = event.key == xmpp.dialback_key(SECRET, event.from_, event.to, event.id) and manner.knows_keys
            stream.answer_verify(event.to, event.from_, event.id, "valid" if good else "invalid")
        elif isinstance(event, xmpp.Stanza):
            self.came.put(event.element)

    def _ask(self, event: xmpp.DialbackKey, stream_id: str) -> bool:
        """Ask the gateway whether a key is its own, inside TLS if it offers that."""
        with contextlib.suppress(DialFailed), contextlib.closing(self._open(event.from_)) as dialog:
            dialog.stream.send_verify(event.to, event.from_, stream_id, event.key)
            return dialog.wait(xmpp.VerifyAnswer).type == "valid"
        return False
