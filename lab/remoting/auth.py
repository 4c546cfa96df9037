# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a connection belongs to: Basic, NTLM, Negotiate and Kerberos over TLS, without I/O.

Tokens are pyspnego's work. Its acceptor reads credentials from the file that the variable NTLM_USER_FILE names; here
that file holds the one account that is just logging in, and nothing otherwise. Kerberos is there where the lab's
directory holds a keytab (see kdc.py), and the work of the GSSAPI library.
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

# In the order of preference; clients take the first that they can.
OFFERS = ("Negotiate", "NTLM", 'Basic realm="WSMAN"')

# The keys of the lab's services in Kerberos, beside the accounts' file.
KEYTAB = "krb5.keytab"

_NTLMSSP = b"NTLMSSP\x00"
# As they stand in tokens (RFC 4178, RFC 4121, MS-SPNG 1.9): 1.3.6.1.5.5.2, 1.2.840.113554.1.2.2 and the
# 1.2.840.48018.1.2.2 that Windows writes for it, 1.3.6.1.4.1.311.2.2.10.
_SPNEGO_OID = bytes.fromhex("06062b0601050502")
_KERBEROS_OIDS = (bytes.fromhex("06092a864886f712010202"), bytes.fromhex("06092a864882f712010202"))
_NTLM_OID = bytes.fromhex("060a2b06010401823702020a")
_AUTHENTICATE = b"NTLMSSP\x00\x03\x00\x00\x00"
_UNICODE = 1


@dataclass(frozen=True)
class Verdict:
    """``user`` is the account's name, '' while it is not known; ``challenges`` are for WWW-Authenticate."""

    user: str
    challenges: tuple[str, ...] = ()


REFUSED = Verdict("", OFFERS)


class Accounts(t.Protocol):
    """Who may log in (see accounts.py)."""

    def find(self, user: str) -> Account | None:
        """The account that a user name means; None if it may not log in."""

    def refused(self, user: str) -> None:
        """Note a login that was refused."""

    def accepted(self, account: Account) -> None:
        """Note a login that succeeded."""


class NtlmStore:
    """The credential file of a lab. Its name is in the environment while it is used, so only one at a time is."""

    _lock = threading.Lock()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keytab = path.with_name(KEYTAB)
        write_private(path, b"")

    def acceptor(self, binding: GssChannelBindings, token: bytes) -> spnego.ContextProxy:
        """A context for one login, which begins with ``token``."""
        if self._keytab.exists() and _begins_with_kerberos(token):
            with self._lock:
                os.environ["KRB5_KTNAME"] = str(self._keytab)
                return spnego.server(
                    protocol="kerberos" if _SPNEGO_OID not in token[:20] else "negotiate", channel_bindings=binding
                )
        with self._lock:
            os.environ["NTLM_USER_FILE"] = str(self._path)
            # The pure Python acceptor, also where GSSAPI is installed: that one knows nothing of the lab's accounts.
            return spnego.server(protocol="negotiate", channel_bindings=binding, options=NegotiateOptions.use_negotiate)

    def step(self, context: spnego.ContextProxy, token: bytes, accounts: Accounts) -> bytes | None:
        """One step of an acceptor; in the last one the file names the account that the client claims to be."""
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
    """The state of one TCP connection: NTLM and Negotiate prove who it is once, Basic with each request."""

    def __init__(self, accounts: Accounts, store: NtlmStore, channel_binding: bytes) -> None:
        self._accounts = accounts
        self._store = store
        self._binding = GssChannelBindings(application_data=channel_binding)
        self._context: spnego.ContextProxy | None = None
        self._user = ""

    def check(self, header: str) -> Verdict:
        """Judge a request by its Authorization header ('' if it has none)."""
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
        """That of the login which proved who it is. Raises NotSealed if there was none, as with Basic."""
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
            # The last is pyspnego's on a first token that GSSAPI refuses: it asks the context that never began.
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
    """Whether the first mechanism that a first token names is Kerberos; SPNEGO's list may name NTLM after it."""
    found = [at for at in map(token.find, _KERBEROS_OIDS) if at >= 0]
    ntlm = token.find(_NTLM_OID)
    return bool(found) and _NTLMSSP not in token and (ntlm < 0 or min(found) < ntlm)


def qualified(domain: str, user: str) -> str:
    """A user name as Windows writes it."""
    return "%s\\%s" % (domain, user) if domain else user


def claimed(token: bytes) -> tuple[str, str]:
    """Domain and user that an NTLM AUTHENTICATE message (MS-NLMP 2.2.1.3) claims, also inside SPNEGO; else '' twice."""
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
