# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect to a server for a probe: TCP, a server-to-server stream, TLS. Each step has a time limit.

The peer's certificates are recorded, not trusted. Other code checks the certificates after the handshake. Only the
handshake is sent.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import socket
import time
import typing as t

from .._base.texts import foreign
from .._x509.certificate import Bundle
from .._x509.fields import keep_quiet
from .budget import Budget, TimeUp
from .stream import Broken, Closed, Features, PeerError, Stream, StreamOpened, TlsProceed, TlsRefused
from .wire import has_features

try:
    from OpenSSL import SSL
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

if t.TYPE_CHECKING:
    from cryptography.x509 import Certificate

# TLS versions, oldest first.
VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

_CHUNK = 16384

# The first bytes of a TLS record of an alert or a handshake (RFC 8446 section 5.1).
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")

# OpenSSL's text for a server without RFC 5746.
LEGACY_RENEGOTIATION = "unsafe legacy renegotiation disabled"


class Failed(Exception):
    """A step failed.

    how: a value as in Ended; for a connection, a value as in Attempt.
    """

    def __init__(self, how: str, text: str = "", condition: str = "") -> None:
        super().__init__(how)
        self.how, self.text, self.condition = how, foreign(text), foreign(condition)


class Contexts:
    """Make TLS settings by their lowest and highest version. Connections share the settings.

    own: the certificate for a peer that requests a certificate.
    legacy: whether servers without RFC 5746 (secure renegotiation) are accepted. OpenSSL 3 refuses such servers.
        Windows accepts such servers.
    """

    def __init__(self, own: Bundle | None = None, legacy: bool = False) -> None:
        self.own = own
        self._legacy = legacy
        self.gateway = self._context(None, "TLSv1.2")
        self.only: dict[str, SSL.Context] = {}
        for version in VERSIONS:
            with contextlib.suppress(SSL.Error):  # OpenSSL was built without the TLS version.
                self.only[version] = self._context(version, version)

    def _context(self, lowest: str | None, highest: str) -> SSL.Context:
        numbers = dict(
            zip(VERSIONS, (SSL.TLS1_VERSION, SSL.TLS1_1_VERSION, SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION), strict=True)
        )
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        # Weak keys and old versions are accepted, so that the checks can report both.
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        context.set_verify(SSL.VERIFY_NONE)
        context.set_info_callback(_notice_request)
        if self._legacy:
            context.set_options(SSL.OP_LEGACY_SERVER_CONNECT)
        context.set_min_proto_version(numbers[lowest] if lowest else SSL.TLS1_VERSION)
        context.set_max_proto_version(numbers[highest])
        if self.own is not None:
            context.use_certificate(self.own.certificate)
            context.use_privatekey(t.cast(t.Any, self.own.key))
            for other in self.own.others:
                context.add_extra_chain_cert(other)
        return context


class StreamConnection:
    """Run an initiating stream over a socket, first without and then with TLS. The object is a context manager."""

    def __init__(self, address: str, port: int, to: str, from_: str, budget: Budget) -> None:
        """Connect to the address. Raises Failed (refused, timeout, unreachable), TimeUp."""
        self.stream = Stream("initiating", local=from_, remote=to)
        self.certificate_asked = False  # whether the peer asked for a certificate in the TLS handshake
        self._to = to
        self._budget = budget
        self._events: collections.deque[t.Any] = collections.deque()
        self._tls: SSL.Connection | None = None
        self._silent = True  # The peer has not sent anything yet.
        seconds = budget.seconds()
        try:
            self._socket = socket.create_connection((address, port), timeout=seconds)
        except TimeoutError:
            raise Failed("timeout", "no answer within %.0f s" % seconds) from None
        except OSError as exc:
            refused = exc.errno in (errno.ECONNREFUSED, errno.ECONNRESET)
            raise Failed("refused" if refused else "unreachable", exc.strerror or "") from None

    def __enter__(self) -> StreamConnection:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(Failed, TimeUp, RuntimeError):
            if not self.stream.closed:
                self.stream.close()
            self._flush(time.monotonic() + 0.2)
        self._socket.close()

    def open(self) -> tuple[StreamOpened, Features | None]:
        """Open the stream. Return the peer's header and features. Raises Failed, TimeUp.

        A peer from before XMPP 1.0 has no features.
        """
        self.stream.open()
        return self.opened()

    def opened(self) -> tuple[StreamOpened, Features | None]:
        """Return the peer's header and features if the own header is already queued, as after TLS."""
        header = t.cast(StreamOpened, self.wait(StreamOpened))
        return header, t.cast(Features, self.wait(Features)) if has_features(header.version) else None

    def wait(self, *kinds: type) -> t.Any:
        """Send the queued data and return the next event of these kinds, as one step. Raises Failed, TimeUp."""
        try:
            return self._next(*kinds)
        except Failed as exc:
            if self.stream.begun_refusal and exc.how in ("timeout", "closed", "broken"):
                raise Failed("half_failure") from None
            raise

    def _next(self, *kinds: type) -> t.Any:
        end = self._budget.end_of_step()
        self._flush(end)
        while True:
            while self._events:
                event = self._events.popleft()
                if isinstance(event, kinds):
                    return event
                if isinstance(event, PeerError):
                    raise Failed("stream_error", event.text, event.condition)
                if isinstance(event, Closed):
                    raise Failed("closed", "the server ended the stream")
                if isinstance(event, Broken):
                    raise Failed("broken", event.text, event.condition)
                # All other events are ignored.
            self._events.extend(self.stream.receive(self._receive(end)))

    def start_tls(self, context: SSL.Context) -> SSL.Connection:
        """Make the TLS handshake after the peer's <proceed/>. Raises Failed, TimeUp."""
        tls = self.shake_hands(context)
        self._tls = tls
        self.stream.tls_established()
        return tls

    def shake_hands(self, context: SSL.Context) -> SSL.Connection:
        """Make only the TLS handshake. Later data is not decrypted. Raises Failed, TimeUp."""
        tls = SSL.Connection(context, None)
        tls.set_tlsext_host_name(self._to.encode("ascii"))
        tls.set_connect_state()
        end = self._budget.end_of_step()
        while True:
            try:
                tls.do_handshake()
                self.certificate_asked = bool(tls.get_app_data())
                break
            except SSL.WantReadError:
                self._drain(tls, end)
                self.certificate_asked = bool(tls.get_app_data())
                data = self._read(end)
                if not data:
                    raise Failed("tls_failed", "the server closed the connection during the handshake") from None
                tls.bio_write(data)
            except SSL.Error as exc:
                with contextlib.suppress(Failed):
                    self._drain(tls, end)  # the alert
                raise Failed("tls_failed", _reason(exc)) from None
        self._drain(tls, end)
        return tls

    def _receive(self, end: float) -> bytes:
        """Return the peer's next data, decrypted. The data is never empty."""
        while True:
            try:
                if self._tls is not None:
                    return self._tls.recv(_CHUNK)
            except SSL.WantReadError:
                self._drain(t.cast(SSL.Connection, self._tls), end)
            except SSL.ZeroReturnError:
                raise Failed("closed", "the server closed the connection") from None
            except SSL.Error as exc:  # With TLS 1.3 the peer refuses a certificate after the handshake.
                raise Failed("tls_failed", _reason(exc)) from None
            data = self._read(end)
            if not data:
                raise Failed("closed", "the server closed the connection")
            if self._tls is None:
                self._look_at_first(data)
                return data
            self._tls.bio_write(data)

    def _look_at_first(self, data: bytes) -> None:
        """Check whether the first bytes belong to another protocol. Raises Failed."""
        if self._silent and data[:2] in _TLS_RECORDS:
            raise Failed("direct_tls")
        if self._silent and data[:5] == b"HTTP/":
            raise Failed("http", data.split(b"\r\n", 1)[0].decode("ascii", "replace"))
        self._silent = False

    def _flush(self, end: float) -> None:
        data = self.stream.data_to_send()
        if not data:
            return
        if self._tls is None:
            self._write(data, end)
            return
        try:
            self._tls.sendall(data)
        except SSL.Error as exc:
            raise Failed("tls_failed", _reason(exc)) from None
        self._drain(self._tls, end)

    def _drain(self, tls: SSL.Connection, end: float) -> None:
        with contextlib.suppress(SSL.WantReadError):
            while True:
                self._write(tls.bio_read(_CHUNK), end)

    def _read(self, end: float) -> bytes:
        try:
            self._socket.settimeout(_left(end))
            return self._socket.recv(_CHUNK)
        except TimeoutError:
            raise Failed("timeout", "no answer in time") from None
        except OSError:
            return b""

    def _write(self, data: bytes, end: float) -> None:
        try:
            self._socket.settimeout(_left(end))
            self._socket.sendall(data)
        except TimeoutError:
            raise Failed("timeout", "the server does not accept data") from None
        except OSError:
            raise Failed("closed", "the server closed the connection") from None


def presented(
    address: str, port: int, to: str, from_: str, timeout: float, context: SSL.Context | None = None
) -> tuple[Certificate, ...]:
    """Return the certificates that a listener presents after STARTTLS, its own first. Raises Failed, TimeUp.

    to: the listener's domain.
    from_: the own domain.
    timeout: seconds for each step. All steps together have four times as long.
    """
    with StreamConnection(address, port, to, from_, Budget(timeout, 4 * timeout)) as connection:
        connection.open()
        return chain_of(encrypt(connection, context or Contexts().gateway))


def _notice_request(tls: SSL.Connection, where: int, outcome: int) -> None:
    """Record a CertificateRequest. OpenSSL shows only the handshake's state (SSL_state_string_long)."""
    if b"certificate request" in tls.get_state_string():
        tls.set_app_data(True)


def chain_of(tls: SSL.Connection) -> tuple[Certificate, ...]:
    """Return the certificates in the order of the peer. Raises Failed if a certificate cannot be decoded."""
    keep_quiet()
    try:
        return tuple(tls.get_peer_cert_chain(as_cryptography=True) or ())
    except ValueError:
        raise Failed("tls_failed", "the server presents a certificate that cannot be decoded") from None


def encrypt(connection: StreamConnection, context: SSL.Context) -> SSL.Connection:
    """Request TLS and make the handshake. Raises Failed, TimeUp."""
    ask_for_tls(connection)
    return connection.start_tls(context)


def ask_for_tls(connection: StreamConnection) -> None:
    """Request TLS. Raises Failed, TimeUp."""
    connection.stream.request_tls()
    if isinstance(connection.wait(TlsProceed, TlsRefused), TlsRefused):
        raise Failed("tls_refused", "the server refuses the request for TLS")


def _left(end: float) -> float:
    """Return the seconds until ``end``. Raises TimeoutError after ``end``."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _reason(exc: SSL.Error) -> str:
    """Return the reasons of an error of OpenSSL: ``[(library, function, reason), …]``."""
    if isinstance(exc, SSL.SysCallError):
        return "the server closed the connection during the handshake"
    errors = exc.args[0] if exc.args and isinstance(exc.args[0], list) else []
    return "; ".join(str(one[-1]) for one in errors) or "the handshake failed"
