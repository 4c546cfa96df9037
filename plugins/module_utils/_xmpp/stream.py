# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the XMPP server-to-server handshake without I/O: bytes in, events out, for both sides of a stream.

Sources: RFC 6120 and RFC 7590 (streams, STARTTLS, SASL), XEP-0178 (SASL EXTERNAL), XEP-0220 (dialback), XEP-0185
(dialback keys). This file checks the order of the steps. The caller decides whether a step is acceptable, for example
dialback without TLS.
"""

from __future__ import annotations

import base64
import binascii
import typing as t
from collections.abc import Callable, Sequence

from .element import NS_SERVER, Element, split_name
from .events import (
    AuthFailed,
    AuthRequested,
    AuthSucceeded,
    Broken,
    Closed,
    DialbackAnswer,
    DialbackKey,
    Event,
    Features,
    PeerError,
    Stanza,
    StreamOpened,
    TlsProceed,
    TlsRefused,
    TlsRequested,
    VerifyAnswer,
    VerifyRequested,
)
from .wire import (
    NS_DIALBACK,
    NS_DIALBACK_FEATURE,
    NS_SASL,
    NS_STANZAS,
    NS_STREAM,
    NS_STREAMS,
    NS_TLS,
    Pair,
    dialback_key,
    dialback_key_matches,
    has_features,
    new_stream_id,
    read_dialback_answer,
    read_error,
    read_features,
    read_header,
    read_pair,
    write_auth_failure,
    write_dialback,
    write_dialback_answer,
    write_features,
    write_header,
    write_stream_error,
)
from .xml_stream import Header, StreamEnd, StreamLimits, Violation, XmlReader

__all__ = [
    "NS_DIALBACK",
    "NS_DIALBACK_FEATURE",
    "NS_SASL",
    "NS_SERVER",
    "NS_STANZAS",
    "NS_STREAM",
    "NS_STREAMS",
    "NS_TLS",
    "AuthFailed",
    "AuthRequested",
    "AuthSucceeded",
    "Broken",
    "Closed",
    "DialbackAnswer",
    "DialbackKey",
    "Element",
    "Event",
    "Features",
    "PeerError",
    "Stanza",
    "Stream",
    "StreamLimits",
    "StreamOpened",
    "TlsProceed",
    "TlsRefused",
    "TlsRequested",
    "VerifyAnswer",
    "VerifyRequested",
    "dialback_key",
    "dialback_key_matches",
    "new_stream_id",
]

# A receiving side ends the stream after some failed attempts. RFC 6120 section 6.4.5 recommends 2 to 5.
_ATTEMPTS = 5

# The most keys and questions of a peer that may wait for an answer.
_UNANSWERED = 256


class Stream:
    """Follow the protocol of one server-to-server stream, from either side.

    Call ``receive`` with data, handle its events in their order, and send the data of ``data_to_send``. ``receive``
    never raises. An action that the protocol does not allow at the time raises RuntimeError. On a closed stream the
    action does nothing, because the peer may have ended the stream together with the data that is being answered.

    role: initiating or receiving.
    local, remote: the domains in the own header. A receiving side may set the domains before respond().
    id: the id of the receiving side; empty before the id is known.
    secure: whether TLS is active.
    authenticated: whether SASL has succeeded.
    validated: the pairs (originating, receiving) that dialback has proven.
    closed: whether nothing more can be sent.
    """

    def __init__(
        self,
        role: t.Literal["initiating", "receiving"],
        local: str = "",
        remote: str = "",
        limits: StreamLimits | None = None,
        new_id: Callable[[], str] = new_stream_id,
    ) -> None:
        self.role = role
        self.local = local
        self.remote = remote
        self.secure = False
        self.authenticated = False
        self.closed = False
        self.limits = limits or StreamLimits()
        self._new_id = new_id
        self._out: list[bytes] = []
        self._reader: XmlReader | None = XmlReader(self.limits)  # With None, nothing more is read.
        self._unfinished = ""
        self._attempts = 0
        self._dialback = True
        self._verifies: list[tuple[str, str, str]] = []  # without an answer, as _keys
        if role == "initiating":
            self._elements = {
                "{%s}features" % NS_STREAM: self._on_features,
                "{%s}proceed" % NS_TLS: self._on_proceed,
                "{%s}failure" % NS_TLS: self._on_tls_failure,
                "{%s}challenge" % NS_SASL: self._on_challenge,
                "{%s}success" % NS_SASL: self._on_success,
                "{%s}failure" % NS_SASL: self._on_auth_failure,
                "{%s}result" % NS_DIALBACK: self._on_key_answer,
                "{%s}verify" % NS_DIALBACK: self._on_verify_answer,
            }
        else:
            self._elements = {
                "{%s}starttls" % NS_TLS: self._on_starttls,
                "{%s}auth" % NS_SASL: self._on_auth,
                "{%s}abort" % NS_SASL: self._on_abort,
                "{%s}result" % NS_DIALBACK: self._on_key,
                "{%s}verify" % NS_DIALBACK: self._on_verify,
            }
        self._elements["{%s}error" % NS_STREAM] = self._on_error
        for name in ("message", "presence", "iq"):
            self._elements["{%s}%s" % (NS_SERVER, name)] = self._on_stanza
        self._start_over()

    def _start_over(self) -> None:
        """Begin a new stream over the same connection. The state of the old stream is forgotten.

        Source: RFC 6120 sections 5.4.3.3 and 6.4.6.
        """
        self.id = ""
        self.validated: set[Pair] = set()
        self._header_sent = False
        self._opened = False
        self._peer_version = ""
        self._features_done = False
        # The current step: '', 'tls-requested', 'tls-proceed' or 'auth'.
        self._step = ""
        # The keys without an answer: the own keys on the initiating side, the peer's keys on the receiving side.
        self._keys: list[Pair] = []
        self._stale, self._verifies = self._verifies, []

    # Receive
    def receive(self, data: bytes) -> list[Event]:
        """Return the events of these bytes and the bytes before. Accepts any input."""
        events: list[Event] = []
        reader = self._reader
        if reader is None:
            return events
        reader.append(data)
        try:
            while self._reader is not None:
                if self._waits and self._reader.pending:
                    # The data was sent before TLS or SASL took effect. The data must not count as data that was sent
                    # later.
                    if events:
                        events.pop()
                    raise Violation("policy-violation", "data was sent before the answer to the last request")
                node = self._reader.next()
                if node is None:
                    break
                event = self._take(node)
                if event is not None:
                    events.append(event)
        except Violation as exc:
            self.fail(exc.condition, exc.text)
            events.append(Broken(exc.condition, exc.text))
        self._unfinished = reader.unfinished
        return events

    @property
    def begun_refusal(self) -> bool:
        """Return whether the peer has begun a <failure/> of STARTTLS or SASL without its end."""
        return self._unfinished in ("{%s}failure" % NS_TLS, "{%s}failure" % NS_SASL)

    @property
    def _waits(self) -> bool:
        """Return whether the peer must not send anything until the peer has an answer, or until TLS is active."""
        return self._step == "tls-proceed" or (self.role == "receiving" and self._step != "")

    def _take(self, node: Header | Element | StreamEnd) -> Event | None:
        if isinstance(node, Header):
            return self._on_header(node)
        if isinstance(node, StreamEnd):
            self.close()
            self._reader = None
            return Closed()
        handler = self._elements.get(node.name)
        if handler is None:
            if split_name(node.name)[0] == "jabber:client":
                raise Violation("invalid-namespace", "this is a stream between servers")
            raise Violation("unsupported-stanza-type", "an element that is not allowed here")
        return handler(node)

    def _on_header(self, header: Header) -> Event:
        opened = read_header(header)
        self._opened = True
        self._peer_version = opened.version
        if self.role == "initiating":
            self.id = opened.id
        return opened

    def _on_error(self, element: Element) -> Event:
        condition, text = read_error(element, NS_STREAMS)
        self.close()
        self._reader = None
        return PeerError(condition or "undefined-condition", text)

    def _on_stanza(self, element: Element) -> Event:
        if not self.authenticated and not self.validated:
            raise Violation("not-authorized", "a stanza before authentication")
        return Stanza(element)

    # Receive as the initiating side

    def _on_features(self, element: Element) -> Event:
        if self._features_done:
            raise Violation("policy-violation", "features were sent before")
        self._features_done = True
        return read_features(element)

    def _on_proceed(self, element: Element) -> Event:
        self._expect("tls-requested")
        self._step = "tls-proceed"
        return TlsProceed()

    def _on_tls_failure(self, element: Element) -> Event:
        self._expect("tls-requested")
        return TlsRefused()

    def _on_challenge(self, element: Element) -> None:
        # EXTERNAL needs only the first message, so a challenge has no response. The peer answers the abort with a
        # failure.
        self._expect("auth")
        self._step = "auth"
        self._count_attempt()
        self._queue("<abort xmlns='%s'/>" % NS_SASL)

    def _on_success(self, element: Element) -> Event:
        self._expect("auth")
        self.authenticated = True
        self._restart()
        self.open(self._dialback)
        return AuthSucceeded()

    def _on_auth_failure(self, element: Element) -> Event:
        self._expect("auth")
        condition, text = read_error(element, NS_SASL)
        return AuthFailed(condition, text)

    def _expect(self, step: str) -> None:
        if self._step != step:
            raise Violation("policy-violation", "an answer without a request")
        self._step = ""

    def _on_key_answer(self, element: Element) -> Event:
        from_, to = read_pair(element)
        type_, condition = read_dialback_answer(element)
        if (to, from_) not in self._keys:
            raise Violation("invalid-from", "a dialback answer without a request")
        self._keys.remove((to, from_))
        if type_ == "valid":
            self.validated.add((to, from_))
        return DialbackAnswer(from_, to, type_, condition)

    def _on_verify_answer(self, element: Element) -> Event:
        from_, to = read_pair(element)
        type_, condition = read_dialback_answer(element)
        id = element.attributes.get("id", "")
        if (to, from_, id) not in self._verifies:
            raise Violation("invalid-from", "a dialback answer without a request")
        self._verifies.remove((to, from_, id))
        return VerifyAnswer(from_, to, id, type_, condition)

    # Receive as the receiving side

    def _on_starttls(self, element: Element) -> Event:
        if self.secure:
            raise Violation("policy-violation", "TLS is already active")
        self._must_be_fresh()
        self._step = "tls-requested"
        return TlsRequested()

    def _on_auth(self, element: Element) -> Event | None:
        self._must_be_fresh()
        self._count_attempt()
        identity = None
        text = element.text.strip()
        if text not in ("", "="):
            try:
                identity = base64.b64decode(text, validate=True).decode()
            except (binascii.Error, ValueError):  # UnicodeDecodeError is a ValueError.
                self._queue(write_auth_failure("incorrect-encoding"))
                return None
        self._step = "auth"
        return AuthRequested(element.attributes.get("mechanism", ""), identity or None)

    def _on_abort(self, element: Element) -> None:
        self._count_attempt()
        self._queue(write_auth_failure("aborted"))

    def _must_be_fresh(self) -> None:
        # TLS and SASL restart the stream, which would drop the results and requests of dialback.
        if self.authenticated or self.validated or self._keys:
            raise Violation("policy-violation", "the stream is already in use")

    def _count_attempt(self) -> None:
        self._attempts += 1
        if self._attempts > _ATTEMPTS:
            raise Violation("policy-violation", "too many attempts to authenticate")

    def _on_key(self, element: Element) -> Event:
        if "type" in element.attributes:
            raise Violation("invalid-from", "a dialback answer without a request")
        pair = read_pair(element)
        self._count_unanswered()
        self._keys.append(pair)
        return DialbackKey(*pair, element.text.strip())

    def _on_verify(self, element: Element) -> Event:
        if "type" in element.attributes:
            raise Violation("invalid-from", "a dialback answer without a request")
        from_, to = read_pair(element)
        id = element.attributes.get("id", "")
        self._count_unanswered()
        self._verifies.append((from_, to, id))
        return VerifyRequested(from_, to, id, element.text.strip())

    def _count_unanswered(self) -> None:
        if len(self._keys) + len(self._verifies) >= _UNANSWERED:
            raise Violation("policy-violation", "too many dialback requests at a time")

    @property
    def unread(self) -> int:
        """Return the bytes of an unfinished header or element. The bytes never exceed the limit."""
        return 0 if self._reader is None else self._reader.pending

    # Send on both sides

    def data_to_send(self) -> bytes:
        """Return the data for the peer, and empty the queue."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def tls_established(self) -> None:
        """Restart the stream after the TLS handshake. The initiating side sends a header first."""
        if self._may(self._step == "tls-proceed", "tls_established"):
            self.secure = True
            self._reader = XmlReader(self.limits)
            self._start_over()
            if self.role == "initiating":
                self.open(self._dialback)

    def send(self, stanza: Element | bytes) -> None:
        """Queue a stanza. Bytes are sent unchanged. SASL or dialback must have authenticated the stream."""
        if self._may(self._opened and (self.authenticated or bool(self.validated)), "send"):
            self._out.append(stanza if isinstance(stanza, bytes) else stanza.serialize())

    def keepalive(self) -> None:
        """Queue one space (RFC 6120 section 4.6.1), if the protocol allows a space at this time."""
        if self._header_sent and not self._step and not self.closed:
            self._out.append(b" ")

    def fail(self, condition: str, text: str = "") -> None:
        """End the stream with an error (RFC 6120 section 4.9). Nothing more is read."""
        if not self.closed:
            if self.role == "receiving" and not self._header_sent:
                self._send_header()  # An error must be inside a stream, RFC 6120 section 4.9.1.2.
            if self._header_sent:
                self._queue(write_stream_error(condition, text))
        self.close()
        self._reader = None

    def close(self) -> None:
        """Close the own direction. Data is read until the peer closes its direction (RFC 6120 section 4.4)."""
        if not self.closed:
            if self._header_sent:
                self._queue("</stream:stream>")
            self.closed = True

    # Send as the initiating side

    def open(self, dialback: bool = True) -> None:
        """Queue the header.

        dialback: whether to declare the namespace of dialback, in this header and after each restart.
        """
        if self._may(self.role == "initiating" and not self._header_sent, "open"):
            self._dialback = dialback
            self._send_header()

    def request_tls(self) -> None:
        """Request TLS."""
        if self._may(self._is_open("initiating") and not self.secure and not self.authenticated, "request_tls"):
            self._step = "tls-requested"
            self._queue("<starttls xmlns='%s'/>" % NS_TLS)

    def authenticate_external(self, identity: str | None = None) -> None:
        """Request SASL EXTERNAL.

        identity: None for the name in the certificate (``=``, XEP-0178 section 3).
        """
        if self._may(self._is_open("initiating") and not self.authenticated, "authenticate_external"):
            self._step = "auth"
            text = base64.b64encode(identity.encode()).decode() if identity else "="
            self._queue("<auth xmlns='%s' mechanism='EXTERNAL'>%s</auth>" % (NS_SASL, text))

    def send_key(self, from_: str, to: str, key: str) -> None:
        """Claim to be ``from_`` with a dialback key (XEP-0220 section 2.1.1)."""
        if self._may(self._is_open("initiating"), "send_key"):
            self._keys.append((from_.lower(), to.lower()))
            self._queue(write_dialback("result", from_, to, "", key))

    def send_verify(self, from_: str, to: str, id: str, key: str) -> None:
        """Ask ``to`` whether ``to`` made the key for the stream ``id`` (XEP-0220 section 2.2.1)."""
        if self._may(self._is_open("initiating"), "send_verify"):
            self._verifies.append((from_.lower(), to.lower(), id))
            self._queue(write_dialback("verify", from_, to, id, key))

    # Send as the receiving side

    def respond(self, dialback: bool = True) -> None:
        """Queue the header with a new id.

        dialback: whether to declare the namespace of dialback.
        """
        if self._may(self.role == "receiving" and self._opened and not self._header_sent, "respond"):
            self._dialback = dialback
            self._send_header()

    def send_features(self, starttls: str = "", mechanisms: Sequence[str] = (), dialback: bool = False) -> None:
        """Queue the features.

        starttls: '', 'offered' or 'required'. Peers older than XMPP 1.0 get no features.
        """
        may = self.role == "receiving" and self._header_sent and not self._features_done
        if self._may(may, "send_features") and has_features(self._peer_version):
            self._features_done = True
            self._queue(write_features(starttls, mechanisms, dialback))

    def proceed_tls(self) -> None:
        """Accept TLS. Send the queued data, make the handshake, then call tls_established()."""
        if self._may(self.role == "receiving" and self._step == "tls-requested", "proceed_tls"):
            self._step = "tls-proceed"
            self._queue("<proceed xmlns='%s'/>" % NS_TLS)

    def refuse_tls(self) -> None:
        """Refuse TLS, which ends the stream (RFC 6120 section 5.4.2.2)."""
        if self._may(self.role == "receiving" and self._step == "tls-requested", "refuse_tls"):
            self._step = ""
            self._queue("<failure xmlns='%s'/>" % NS_TLS)
            self.close()

    def accept_auth(self) -> None:
        """Accept SASL. The stream is authenticated, and the peer restarts the stream."""
        if self._may(self.role == "receiving" and self._step == "auth", "accept_auth"):
            self.authenticated = True
            self._queue("<success xmlns='%s'/>" % NS_SASL)
            self._restart()

    def reject_auth(self, condition: str = "not-authorized", text: str = "") -> None:
        """Refuse SASL with a condition of RFC 6120 section 6.5. The peer may try again or use dialback."""
        if self._may(self.role == "receiving" and self._step == "auth", "reject_auth"):
            self._step = ""
            self._queue(write_auth_failure(condition, text))

    def answer_key(self, from_: str, to: str, type: str, condition: str = "") -> None:
        """Answer the key of ``to``.

        type: 'valid', 'invalid', or 'error' with a stanza error's condition.
        """
        pair = (to.lower(), from_.lower())
        if self._may(self._is_open("receiving") and pair in self._keys, "answer_key"):
            self._keys.remove(pair)
            if type == "valid":
                self.validated.add(pair)
            self._queue(write_dialback_answer("result", from_, to, "", type, condition))

    def answer_verify(self, from_: str, to: str, id: str, type: str, condition: str = "") -> None:
        """Answer the question of ``to`` whether a key is genuine.

        type, condition: as for answer_key.
        """
        question = (to.lower(), from_.lower(), id)
        if question in self._stale:
            self._stale.remove(question)  # The peer has restarted the stream, and does not wait for the answer.
        elif self._may(self.role == "receiving" and self._header_sent and question in self._verifies, "answer_verify"):
            self._verifies.remove(question)
            if self._step != "tls-proceed":
                self._queue(write_dialback_answer("verify", from_, to, id, type, condition))

    # Helpers

    def _may(self, allowed: bool, action: str) -> bool:
        if self.closed:
            return False
        if not allowed:
            raise RuntimeError("%s() is not allowed at this point of the stream" % action)
        return True

    def _is_open(self, role: str) -> bool:
        """Return whether both headers were sent and no step is in progress."""
        return self.role == role and self._header_sent and self._opened and not self._step

    def _restart(self) -> None:
        if self._reader is not None:
            self._reader.restart()
        self._start_over()

    def _send_header(self) -> None:
        self._header_sent = True
        attributes = [("from", self.local), ("to", self.remote)]
        if self.role == "receiving":
            self.id = self._new_id()
            attributes.append(("id", self.id))
        # The answer to a header without a version has no version (RFC 6120 section 4.7.5).
        if self.role == "initiating" or has_features(self._peer_version) or not self._opened:
            attributes.append(("version", "1.0"))
        self._queue(write_header(attributes, self._dialback))

    def _queue(self, text: str) -> None:
        self._out.append(text.encode())
