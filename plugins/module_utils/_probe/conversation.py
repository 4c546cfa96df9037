# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open a stream to one address in the same way as the gateway, up to the step before messages are sent."""

from __future__ import annotations

import secrets
import typing as t

from .._base.texts import foreign
from .._federation.negotiation import Row
from .._xmpp.budget import Budget, TimeUp
from .._xmpp.client import (
    LEGACY_RENEGOTIATION,
    VERSIONS,
    Contexts,
    Failed,
    StreamConnection,
    ask_for_tls,
    chain_of,
    encrypt,
)
from .._xmpp.stream import AuthFailed, AuthSucceeded, DialbackAnswer, Features, StreamOpened
from .facts import Attempt, Ended, Facts, KeyAnswer, PeerHeader, PeerOffer, ServiceRecord

if t.TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from OpenSSL import SSL


def converse(
    facts: Facts,
    service: ServiceRecord,
    address: str,
    from_: str,
    contexts: Contexts,
    budget: Budget,
    versions: bool = True,
    row: Row | None = None,
    bare: Contexts | None = None,
) -> tuple[Certificate, ...]:
    """Test one address, record the results in ``facts``, and return the peer's certificates. Raises TimeUp.

    versions: whether to test each TLS version with a connection of its own, and to test dialback if the peer's
        announcement is not clear.
    row: the declared settings, if any.
    bare: contexts without a certificate, to test whether dialback works if the own certificate is not accepted. None:
        dialback without a certificate is not tested.
    """

    def connect() -> StreamConnection:
        return StreamConnection(address, service.port, facts.domain, from_, budget)

    chain = _talk(facts, connect, contexts)
    if _failed_without_rfc_5746(facts):
        facts.legacy_renegotiation = True
        contexts = Contexts(contexts.own, legacy=True)
        chain = _talk(facts, connect, contexts)
    if versions and facts.header is None and (_ended(facts, "stream", "closed") or _ended(facts, "stream", "timeout")):
        # Many servers do not answer an unencrypted stream on their port for direct TLS.
        if _speaks_tls(connect, contexts):
            facts.ended = Ended("stream", "direct_tls")
    facts.attempts.append(_attempt(facts, service, address))
    if versions and facts.before is not None:
        if facts.before.starttls and not _ended(facts, "starttls"):
            chain = _try_versions(facts, connect, contexts, chain)
        _try_dialback(facts, connect, contexts, row)
        if bare is not None and facts.own_certificate and facts.tls_usable and facts.dialback == "offered":
            facts.bare_key = _send_key(facts.domain, connect, bare.gateway)
    return chain


def _talk(facts: Facts, connect: t.Callable[[], StreamConnection], contexts: Contexts) -> tuple[Certificate, ...]:
    facts.ended = None
    return _Conversation(facts, connect, contexts).run(contexts.gateway)


def _failed_without_rfc_5746(facts: Facts) -> bool:
    """Return whether OpenSSL ended the handshake because the server does not support RFC 5746."""
    return _ended(facts, "tls", "tls_failed") and LEGACY_RENEGOTIATION in (facts.ended.text if facts.ended else "")


def _speaks_tls(connect: t.Callable[[], StreamConnection], contexts: Contexts) -> bool:
    """Return whether the server accepts a TLS handshake as the first step (direct TLS, XEP-0368)."""
    try:
        with connect() as connection:
            connection.shake_hands(contexts.gateway)
    except (Failed, TimeUp):
        return False
    return True


def _attempt(facts: Facts, service: ServiceRecord, address: str) -> Attempt:
    ended = facts.ended
    if ended is None or facts.header is not None or ended.how == "stream_error":
        return Attempt(service.host, address, service.port, "answered")
    result = ended.how if ended.stage == "connect" else "silent"
    return Attempt(service.host, address, service.port, result, ended.text)


def _try_versions(
    facts: Facts, connect: t.Callable[[], StreamConnection], contexts: Contexts, chain: tuple[Certificate, ...]
) -> tuple[Certificate, ...]:
    """Test which TLS versions the peer accepts. If the peer accepts no version of the gateway, try a newer version."""
    if _ended(facts, "tls", "tls_failed") and not facts.wants_certificate and "TLSv1.3" in contexts.only:
        again = Facts(facts.domain, own_certificate=facts.own_certificate)
        chain = _Conversation(again, connect, contexts).run(contexts.only["TLSv1.3"])
        facts.versions["TLSv1.2"] = "refused"
        if again.tls:
            facts.tls, facts.cipher, facts.after = again.tls, again.cipher, again.after
            facts.external, facts.ended = again.external, again.ended
            facts.certificate_asked = again.certificate_asked
        elif _ended(again, "tls", "tls_failed"):
            facts.versions["TLSv1.3"] = "refused"
    for version in VERSIONS:
        if version == facts.tls:
            facts.versions[version] = "accepted"
        elif version not in contexts.only:
            facts.versions[version] = "not tried"
        elif version not in facts.versions:
            facts.versions[version] = _accepts(connect, contexts.only[version])
    return chain


# Errors of a server that could not reach the own domain to check the key (XEP-0220). If jabberd2 ignored the key,
# jabberd2 also answers connection-timeout.
_NOT_REACHED = ("remote-connection-failed", "remote-server-not-found", "remote-server-timeout", "connection-timeout")


def _try_dialback(facts: Facts, connect: t.Callable[[], StreamConnection], contexts: Contexts, row: Row | None) -> None:
    """Send a dialback key if the peer declares the dialback namespace but does not announce the feature.

    Such a declaration does not show whether the server has dialback. An unencrypted key is also sent to a peer that
    announces TLS and dialback. The condition is that the settings do not support TLS, or that TLS does not work.

    The key is random. A server that accepts dialback asks the own gateway about the key, and the gateway does not know
    this key.
    """
    before = facts.before
    clear = facts.tls_usable is False if row is None else row.tls == "not_supported"
    ask = before is not None and before.starttls != "required" and (clear or not before.dialback)
    if ask and facts.clear_dialback == "unknown":
        facts.key_answers[False] = _send_key(facts.domain, connect, None)
    if facts.tls and facts.tls_usable and facts.after is not None and facts.dialback == "unknown":
        facts.key_answers[True] = _send_key(facts.domain, connect, contexts.gateway)


def _send_key(domain: str, connect: t.Callable[[], StreamConnection], context: SSL.Context | None) -> KeyAnswer:
    try:
        with connect() as connection:
            connection.open()
            if context is not None:
                encrypt(connection, context)
                connection.opened()
            connection.stream.send_key(connection.stream.local, domain, secrets.token_hex(32))
            answer: DialbackAnswer = connection.wait(DialbackAnswer)
    except Failed as exc:
        told = " ".join(part for part in (exc.condition, exc.text) if part)
        refused = exc.how == "stream_error" and exc.condition not in _NOT_REACHED
        return KeyAnswer("refused" if refused else "unknown", told)
    except TimeUp:
        return KeyAnswer("unknown", "no answer in time")
    if answer.type in ("valid", "invalid"):
        return KeyAnswer("taken")
    return KeyAnswer("unknown" if answer.condition in _NOT_REACHED else "refused", foreign(answer.condition))


def _ended(facts: Facts, stage: str, how: str = "") -> bool:
    return facts.ended is not None and facts.ended.stage == stage and how in ("", facts.ended.how)


class _Conversation:
    """Run one test of one address. The test ends without an exception; the facts have the reason for the end."""

    def __init__(self, facts: Facts, connect: t.Callable[[], StreamConnection], contexts: Contexts) -> None:
        self._facts, self._connect, self._contexts = facts, connect, contexts
        self._stage = "connect"
        self._chain: tuple[Certificate, ...] = ()

    def run(self, context: SSL.Context) -> tuple[Certificate, ...]:
        try:
            with self._connect() as connection:
                try:
                    self._proceed(connection, context)
                finally:
                    self._facts.certificate_asked = connection.certificate_asked
        except Failed as exc:
            self._facts.ended = Ended(self._stage, exc.how, exc.condition, exc.text)
            if self._facts.own_refused:
                self._facts.external = "refused"
        except TimeUp:
            if self._stage == "connect":
                raise
            self._facts.ended = Ended(self._stage, "time_up")
        return self._chain

    def _proceed(self, connection: StreamConnection, context: SSL.Context) -> None:
        facts, self._stage = self._facts, "stream"
        connection.stream.open()
        header = connection.wait(StreamOpened)
        facts.header = PeerHeader(foreign(header.from_), foreign(header.version), header.dialback)
        if not facts.header.features:
            return
        facts.before = _offer(connection.wait(Features))
        if not facts.before.starttls:
            return
        self._stage = "starttls"
        ask_for_tls(connection)
        self._stage = "tls"
        tls = connection.start_tls(context)
        self._chain = chain_of(tls)
        facts.tls, facts.cipher = tls.get_protocol_version_name(), tls.get_cipher_name() or ""
        self._stage = "secure_stream"
        facts.after = None
        features = connection.opened()[1]
        if features is None:
            return
        facts.after = _offer(features)
        own = self._contexts.own is not None
        if "EXTERNAL" not in facts.after.mechanisms:
            # A server offers EXTERNAL only to clients with a verified certificate (XEP-0178). Without an own
            # certificate, the result is unknown.
            facts.external = "not offered" if own else "unknown"
            return
        facts.external = "offered"
        if own:
            self._stage = "sasl"
            connection.stream.authenticate_external()
            answer = connection.wait(AuthSucceeded, AuthFailed)
            facts.external = "succeeded" if isinstance(answer, AuthSucceeded) else "refused"
            if isinstance(answer, AuthFailed):
                raise Failed("sasl_refused", answer.text, answer.condition)


def _accepts(connect: t.Callable[[], StreamConnection], context: SSL.Context) -> str:
    """Return whether a handshake with these settings succeeds: accepted, refused or unknown."""
    try:
        with connect() as connection:
            connection.open()
            try:
                encrypt(connection, context)
            except Failed:
                if connection.certificate_asked:  # the request follows the agreement on the version
                    return "accepted"
                raise
    except Failed as exc:
        return "refused" if exc.how == "tls_failed" else "unknown"
    except TimeUp:
        return "unknown"
    return "accepted"


def _offer(features: Features) -> PeerOffer:
    return PeerOffer(features.starttls, tuple(foreign(one) for one in features.mechanisms), features.dialback)
