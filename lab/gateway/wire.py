# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send and receive bytes over TCP, with optional TLS. Every call ends within a time limit.

TLS uses pyOpenSSL over memory. The standard library cannot request a client's certificate and keep an invalid
certificate.
"""

from __future__ import annotations

import contextlib
import socket
import time
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL

from .surroundings import Identity

_CHUNK = 16384
# The connection is closed if a peer does not read what the gateway sends.
_WRITE_TIMEOUT = 10.0


class WireError(Exception):
    """The connection is no longer usable. The text is the reason."""


class Wire:
    """Send and receive with time-outs. Calls block, and only one thread uses a wire at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._tls: SSL.Connection | None = None
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self, seconds: float) -> bytes | None:
        """Return received data; b'' at the end of the connection; None if no data came in time. Raises WireError."""
        if self._tls is None:
            return self._read(seconds)
        # A peer that sends a record in small parts must not block the caller.
        deadline, looked = time.monotonic() + seconds, False
        while True:
            try:
                return self._tls.recv(_CHUNK)
            except SSL.WantReadError:
                # Even if no time is left, the caller gets the received data and the end of the connection.
                if looked and time.monotonic() > deadline:
                    return None
            except (SSL.ZeroReturnError, SSL.SysCallError):
                return b""
            except SSL.Error as e:
                raise WireError("TLS broke: %s" % _words(e)) from e
            data, looked = self._read(deadline - time.monotonic()), True
            if not data:
                return data
            self._tls.bio_write(data)

    def send(self, data: bytes) -> None:
        """Send the data. Raises WireError."""
        if self._tls is None:
            return self._write(data)
        try:
            for begin in range(0, len(data), _CHUNK):
                self._tls.send(data[begin : begin + _CHUNK])
                self._flush(self._tls)
        except SSL.Error as e:
            raise WireError("TLS broke: %s" % _words(e)) from e
        return None

    def start_tls(self, context: SSL.Context, server: bool, name: str, deadline: float) -> None:
        """Do the handshake. Raises WireError.

        name: the server's name, for a client.
        deadline: the end of the time limit, as a value of time.monotonic().
        """
        tls = SSL.Connection(context, None)
        if server:
            tls.set_accept_state()
        else:
            with contextlib.suppress(UnicodeError):
                tls.set_tlsext_host_name(name.encode("idna"))
            tls.set_connect_state()
        while True:
            try:
                tls.do_handshake()
                break
            except SSL.WantReadError:
                self._flush(tls)
            except SSL.Error as e:
                with contextlib.suppress(WireError):
                    self._flush(tls)  # Send the alert to the other side.
                raise WireError("the TLS handshake failed: %s" % _words(e)) from e
            data = self._read(deadline - time.monotonic())
            if data is None or time.monotonic() > deadline:
                raise WireError("the TLS handshake took too long")
            if not data:
                raise WireError("the other side closed the connection in the TLS handshake")
            tls.bio_write(data)
        self._flush(tls)
        self._tls = tls

    @property
    def version(self) -> str:
        return self._tls.get_protocol_version_name() if self._tls else ""

    def peer_chain(self) -> list[x509.Certificate]:
        """Return the other side's certificates, the leaf first; empty for missing or unreadable certificates."""
        if self._tls is None:
            return []
        try:
            leaf = self._tls.get_peer_certificate(as_cryptography=True)
            sent = self._tls.get_peer_cert_chain(as_cryptography=True) or []
        except ValueError:
            return []
        return [] if leaf is None else [leaf, *(certificate for certificate in sent if certificate != leaf)]

    def close(self) -> None:
        if self._tls is not None:
            with contextlib.suppress(SSL.Error, WireError):
                self._tls.shutdown()
                self._flush(self._tls)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _flush(self, tls: SSL.Connection) -> None:
        while True:
            try:
                data = tls.bio_read(_CHUNK)
            except SSL.WantReadError:
                return
            self._write(data)

    def _read(self, seconds: float) -> bytes | None:
        try:
            self._socket.settimeout(max(seconds, 0.001))
            return self._socket.recv(_CHUNK)
        except TimeoutError:
            return None
        except OSError as e:
            raise WireError("the connection broke: %s" % e.strerror) from e

    def _write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(_WRITE_TIMEOUT)
            self._socket.sendall(data)
        except TimeoutError as e:
            raise WireError("the other side does not take what it is sent") from e
        except OSError as e:
            raise WireError("the connection broke: %s" % e.strerror) from e


def context(identity: Identity | None, server: bool, only_12: bool = False) -> SSL.Context:
    """Return a TLS context of the gateway: TLS 1.0 to 1.2. Certificates are accepted first, and checked later.

    only_12: whether an administrator has disabled TLS below 1.2 in the server's operating system.
    Source: the product's page on encryption. Debian's OpenSSL has TLS 1.0 at the lowest security level only.
    Raises WireError if the certificate cannot be used.
    """
    made = SSL.Context(SSL.TLS_SERVER_METHOD if server else SSL.TLS_CLIENT_METHOD)
    made.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    made.set_min_proto_version(SSL.TLS1_2_VERSION if only_12 else SSL.TLS1_VERSION)
    made.set_max_proto_version(SSL.TLS1_2_VERSION)
    made.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    made.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    made.set_verify(SSL.VERIFY_PEER, _keep)
    if identity is not None:
        try:
            key = serialization.load_der_private_key(identity.key, None)
            made.use_privatekey(t.cast(t.Any, key))
            made.use_certificate(identity.certificate)
            for certificate in identity.chain:
                made.add_extra_chain_cert(certificate)
        except (SSL.Error, ValueError, TypeError) as e:
            raise WireError("the certificate cannot be used: %s" % _words(e)) from e
    return made


def _keep(*arguments: object) -> bool:
    return True


def _words(error: Exception) -> str:
    """Return the text of an error. pyOpenSSL's errors are lists of (library, function, reason)."""
    content = error.args[0] if error.args else ""
    if isinstance(content, (list, tuple)):
        return "; ".join(str(entry[-1]) for entry in content if entry) or "the connection ended"
    return str(content) or error.__class__.__name__
