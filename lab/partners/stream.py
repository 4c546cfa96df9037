# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether a running server serves a domain, and read the certificate that the server presents."""

from __future__ import annotations

import socket
import ssl
import time

from ..errors import LabError
from .servers import Partner

CLIENTS, SERVERS, COMPONENTS = "jabber:client", "jabber:server", "jabber:component:accept"

_HEADER = (
    "<?xml version='1.0'?><stream:stream to='%s' version='1.0' xmlns='%s'"
    " xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'>"
)
_STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
_HEADER_OF_ANSWER = b"<stream:stream"
_FEATURES = b"stream:features"
_PATIENCE = 10.0  # seconds for an answer


def serves(partner: Partner, domain: str) -> bool:
    """Return whether the server opens streams for the domain, to clients (wokkel: to components) and to servers."""
    # Components get no features (XEP-0114). Servers get none if Prosody has no features to offer.
    users = (COMPONENTS, _HEADER_OF_ANSWER) if partner.kind == "wokkel" else (CLIENTS, _FEATURES)
    try:
        for port, (kind, answer) in ((partner.client_port, users), (partner.server_port, (SERVERS, _HEADER_OF_ANSWER))):
            with socket.create_connection((partner.address, port), timeout=_PATIENCE) as connection:
                _open(connection, domain, kind, answer)
    except (OSError, LabError):
        return False
    return True


def presented(partner: Partner, domain: str) -> bytes:
    """Return the certificate (DER) that clients of the domain get after STARTTLS. Raises LabError, OSError."""
    with socket.create_connection((partner.address, partner.client_port), timeout=_PATIENCE) as connection:
        _open(connection, domain, CLIENTS)
        connection.sendall(_STARTTLS)
        _read(connection, b"<proceed")
        # The certificate is only compared, and the connection sends no data. So the certificate can be invalid.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(connection, server_hostname=domain) as secured:
            return secured.getpeercert(binary_form=True) or b""


def _open(connection: socket.socket, domain: str, kind: str, answer: bytes = _FEATURES) -> None:
    connection.sendall((_HEADER % (domain, kind)).encode())
    _read(connection, answer)


def _read(connection: socket.socket, wanted: bytes) -> None:
    data, limit = b"", time.monotonic() + _PATIENCE
    while wanted not in data:
        more = connection.recv(4096)
        if not more or time.monotonic() > limit:
            raise LabError("the server gave an unexpected answer: %r" % data[:200])
        data += more
