# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authenticate connections without I/O: Basic, NTLM, Negotiate and Kerberos over TLS.

pyspnego processes the tokens. The acceptor of pyspnego reads credentials from the file in the variable NTLM_USER_FILE.
In the lab, that file contains only the account of the current login. Between logins, the file is empty. Kerberos is
available if the lab's directory contains a keytab (see kdc.py). The GSSAPI library processes Kerberos tokens.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import os
import struct
import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import NegotiateOptions, SpnegoError

from ..deployment.hosts import Account
from ..deployment.tls import write_private
from .encryption import NotSealed

log = logging.getLogger(__name__)

# This is the order of preference. Clients use the first supported scheme.
OFFERS = ("Negotiate", "NTLM", 'Basic realm="WSMAN"')

# The keys of the lab's Kerberos services are beside the accounts' file.
KEYTAB = "krb5.keytab"

_NTLMSSP = b"NTLMSSP\x00"
# Tokens contain these identifiers (RFC 4178, RFC 4121, MS-SPNG 1.9): 1.3.6.1.5.5.2, 1.2.840.113554.1.2.2 with the
# Windows form 1.2.840.48018.1.2.2, and 1.3.6.1.4.1.311.2.2.10.
_SPNEGO_OID = bytes.fromhex("06062b0601050502")
_KERBEROS_OIDS = (bytes.fromhex("06092a864886f712010202"), bytes.fromhex("06092a864882f712010202"))
_NTLM_OID = bytes.fromhex("060a2b06010401823702020a")
_AUTHENTICATE = b"NTLMSSP\x00\x03\x00\x00\x00"
_UNICODE = 1


@dataclass(frozen=True)
class Verdict:
    """Hold the result of an authentication.

    user: the account's name, '' while unknown.
    challenges: the values for WWW-Authenticate.
    """

    user: str
    challenges: tuple[str, ...] = ()


REFUSED = Verdict("", OFFERS)


class Accounts(t.Protocol):
    """Check logins (see accounts.py)."""

    def find(self, user: str) -> Account | None:
        """Return the account of a user name; None if the user must not log in."""

    def refused(self, user: str) -> None:
        """Record a login that was refused."""

    def accepted(self, account: Account) -> None:
        """Record a login that succeeded."""


class NtlmStore:
    """Manage the credential file of a lab. The environment names the file during a use, so uses are exclusive."""

    _lock = threading.Lock()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keytab = path.with_name(KEYTAB)
        write_private(path, b"")

    def acceptor(self, binding: GssChannelBindings, token: bytes) -> spnego.ContextProxy:
        """Return a context for one login, which begins with ``token``."""
        if self._keytab.exists() and _begins_with_kerberos(token):
            with self._lock:
                os.environ["KRB5_KTNAME"] = str(self._keytab)
                return spnego.server(
                    protocol="kerberos" if _SPNEGO_OID not in token[:20] else "negotiate", channel_bindings=binding
                )
        with self._lock:
            os.environ["NTLM_USER_FILE"] = str(self._path)
            # The pure Python acceptor is used even with GSSAPI, because GSSAPI does not know the lab's accounts.
            return spnego.server(protocol="negotiate", channel_bindings=binding, options=NegotiateOptions.use_negotiate)

    def step(self, context: spnego.ContextProxy, token: bytes, accounts: Accounts) -> bytes | None:
        """Run one step of an acceptor. In the last step, the file names the account that the client claims."""
        domain, user = claimed(token)
        account = accounts.find(qualified(domain, user)) if user else None
        with self._lock:
            os.environ["NTLM_USER_FILE"] = str(self._path)
            if account is not None and not set(domain + user) & set(":\r\n"):
                self._path.write_text("%s:%s:%s\n" % (domain, user, account.password), "utf-8")
            try:
                return context.step(token)
            finally:
                self._path.write_bytes(b"")


class ConnectionAuth:
    """Hold the state of one TCP connection. NTLM and Negotiate authenticate the connection once, Basic each request."""

    def __init__(self, accounts: Accounts, store: NtlmStore, channel_binding: bytes) -> None:
        self._accounts = accounts
        self._store = store
        self._binding = GssChannelBindings(application_data=channel_binding)
        self._context: spnego.ContextProxy | None = None
        self._user = ""

    def check(self, header: str) -> Verdict:
        """Check a request by the Authorization header ('' without header)."""
        scheme, _blank, value = header.partition(" ")
        if not scheme:
            return Verdict(self._user) if self._user else REFUSED
        try:
            data = base64.b64decode(value, validate=True)
        except binascii.Error:
            return REFUSED
        if scheme.lower() == "basic":
            return self._basic(data)
        if scheme.lower() in ("negotiate", "ntlm") and data:
            return self._negotiate(scheme, data)
        return REFUSED

    @property
    def context(self) -> spnego.ContextProxy:
        """Return the context of the successful login. Raises NotSealed without a context, as with Basic."""
        if self._context is None or not self._user:
            raise NotSealed("the connection has no security context")
        return self._context

    def _basic(self, data: bytes) -> Verdict:
        user, _colon, password = data.decode("utf-8", "replace").partition(":")
        account = self._accounts.find(user)
        if account is None or not hmac.compare_digest(account.password.encode(), password.encode()):
            self._accounts.refused(user)
            return REFUSED
        self._accounts.accepted(account)
        return Verdict(account.user)

    def _negotiate(self, scheme: str, token: bytes) -> Verdict:
        self._user = ""
        if self._context is None or self._context.complete:
            self._context = self._store.acceptor(self._binding, token)
        try:
            answer = self._store.step(self._context, token, self._accounts)
        except (SpnegoError, ValueError, struct.error, AttributeError) as e:
            # pyspnego raises the last type if GSSAPI refuses a first token: the context has no state then.
            log.info("login refused: %s", e)
            self._context = None
            domain, name = claimed(token)
            if name:
                self._accounts.refused(qualified(domain, name))
            return REFUSED
        challenge = ("%s %s" % (scheme, base64.b64encode(answer).decode()),) if answer else ()
        if not self._context.complete:
            return Verdict("", challenge or OFFERS)
        principal = self._context.client_principal or ""
        account = self._accounts.find(principal)
        if account is None:
            self._accounts.refused(principal)
            self._context = None
            return REFUSED
        self._accounts.accepted(account)
        self._user = account.user
        return Verdict(self._user, challenge)


def _begins_with_kerberos(token: bytes) -> bool:
    """Return whether Kerberos is the first mechanism in a first token. SPNEGO can list NTLM after Kerberos."""
    found = [at for at in map(token.find, _KERBEROS_OIDS) if at >= 0]
    ntlm = token.find(_NTLM_OID)
    return bool(found) and _NTLMSSP not in token and (ntlm < 0 or min(found) < ntlm)


def qualified(domain: str, user: str) -> str:
    """Return a user name as Windows writes it."""
    return "%s\\%s" % (domain, user) if domain else user


def claimed(token: bytes) -> tuple[str, str]:
    """Return domain and user in an NTLM AUTHENTICATE message (MS-NLMP 2.2.1.3), also inside SPNEGO; else '' twice."""
    start = token.find(_AUTHENTICATE)
    if start < 0:
        return "", ""
    message = token[start:]
    (flags,) = struct.unpack_from("<I", message, 60)
    encoding = "utf-16-le" if flags & _UNICODE else "cp437"

    def field(position: int) -> str:
        length, _space, offset = struct.unpack_from("<HHI", message, position)
        return message[offset : offset + length].decode(encoding, "replace")

    return field(28), field(36)
