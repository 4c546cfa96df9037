# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle a connection to an Edge: the identity and rights of the other side, the method, and then stanzas."""

from __future__ import annotations

import datetime
import time
import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import stream as xmpp

from ..assumptions import rests_on
from . import rules, stanzas, verify
from .certificates import problem
from .delivery import Delivery
from .dial import DialFailed, said
from .negotiation import SASL, TCP_DIALBACK, TLS_DIALBACK
from .parts import TICK, Parts
from .surroundings import Partner
from .wire import Wire, WireError, context

_MAX_ATTEMPTS = 5  # failed attempts at SASL and dialback before the stream ends
_MAX_PAIRS = 50  # maximum of domain pairs that authenticate on one stream (XEP-0220, section 2.5)


class Incoming:
    """Handle one receiving stream, from the first byte to the end."""

    def __init__(self, parts: Parts, delivery: Delivery, host: str, wire: Wire, number: int) -> None:
        """Prepare the stream.

        number: the stream's number in the register.
        """
        self._parts = parts
        self._delivery = delivery
        self._host = host
        self._wire = wire
        self._number = number
        self._stream = xmpp.Stream("receiving")
        self._own = ""
        self._claimed = ""  # the domain in the header
        self._id = ""  # the last id; a stream that restarts has none for a short time
        self._identity = parts.around.identity(host)
        self._turn = parts.around.turn(host)
        self._pairs: dict[tuple[str, str], str] = {}  # (partner's domain, own domain) -> method
        self._partners: dict[str, Partner] = {}  # partner's domain -> settings when the partner was last allowed
        self._attempts = 0
        self._answered = False  # whether the other side asked for the verification of keys
        self._begin = self._active = self._sent = time.monotonic()
        self._over = False

    def run(self) -> None:
        """Run until the stream ends. A peer cannot cause an exception."""
        due = 0.0
        try:
            while not self._over:
                data = self._wire.receive(TICK)
                if data == b"":
                    self._end("the partner closed the connection")
                elif data:
                    self._active = time.monotonic()
                    self._take(data)
                # This check also runs while a peer sends without a pause.
                if time.monotonic() >= due:
                    self._look()
                    due = time.monotonic() + TICK
                self._flush()
        except WireError as e:
            self._end(str(e))
        finally:
            self._wire.close()

    def _take(self, data: bytes) -> None:
        for event in self._stream.receive(data):
            if self._over:
                return
            self._handle(event)

    # -- ends

    def _flush(self) -> None:
        data = self._stream.data_to_send()
        if data:
            self._wire.send(data)

    def _end(self, reason: str) -> None:
        """Record the end of the stream. Streams that only verified keys end without an event."""
        if self._over:
            return
        self._over = True
        if self._pairs:
            self._tell("closed", reason=reason, method=next(iter(self._pairs.values())))
        elif not self._answered:
            self._tell("failed", "failed", reason)

    def _fail(self, condition: str, reason: str, action: str = "refused") -> None:
        """End the stream with an error."""
        if self._over:
            return
        self._over = True
        self._stream.fail(condition, reason)
        outcome = "ok" if action == "closed" else "refused"
        method = next(iter(self._pairs.values()), None)
        self._tell(action, outcome, reason, method=method, condition=condition)

    def _tell(self, action: str, outcome: str = "ok", reason: str = "", **more: t.Any) -> None:
        more.setdefault("own", self._own)
        partner = more.pop("partner", self._claimed)
        self._parts.journal.write(action, "in", self._host, self._id, partner, outcome, reason, **more)

    def _look(self) -> None:
        """End the stream if the stream must not continue."""
        if self._over:
            return None
        around, now = self._parts.around, time.monotonic()
        if self._parts.stopping.is_set() or not around.goes_on(self._host) or around.turn(self._host) != self._turn:
            return self._fail("system-shutdown", "the XMPP proxy was stopped", "closed" if self._pairs else "refused")
        settings = around.settings()
        if not self._pairs:
            if now - self._begin > settings.establishment_timeout:
                if self._answered:
                    self._stream.close()
                    return self._end("nothing more to verify")
                return self._fail("connection-timeout", "not authenticated in %d s" % settings.establishment_timeout)
            return None
        if not around.carries(self._host):
            return self._fail(
                "system-shutdown",
                "no site has an XMPP federation route to the pool of %s any more" % self._host,
                "closed",
            )
        keep_alive = False
        for (theirs, _ours), method in self._pairs.items():
            partner = self._still(theirs)
            if partner is None:
                return self._fail("policy-violation", "%s is not an allowed partner any more" % theirs, "closed")
            if method not in partner.row.methods:
                return self._fail("policy-violation", "the row does not allow %s any more" % method, "closed")
            keep_alive = keep_alive or partner.keep_alive
        if now - self._active > settings.inactivity_timeout:
            self._stream.close()
            rests_on("gateway-timeouts")
            return self._end("nothing came for %d s" % settings.inactivity_timeout)
        if keep_alive and now - self._sent > settings.keep_alive_interval:
            self._stream.keepalive()
            self._sent = now
        return None

    def _still(self, domain: str) -> Partner | None:
        """Return the partner of a domain that is authenticated on this stream, if the stream can continue."""
        partner = self._parts.around.partner(domain)
        if partner is not None:
            self._partners[domain] = partner
        elif self._parts.around.streams_stay():
            partner = self._partners.get(domain)
        return partner

    # -- events

    def _handle(self, event: object) -> None:
        if isinstance(event, xmpp.StreamOpened):
            self._opened(event)
        elif isinstance(event, xmpp.TlsRequested):
            self._start_tls()
        elif isinstance(event, xmpp.AuthRequested):
            self._authenticate(event)
        elif isinstance(event, xmpp.DialbackKey):
            self._dialback(event)
        elif isinstance(event, xmpp.VerifyRequested):
            self._verify(event)
        elif isinstance(event, xmpp.Stanza):
            self._stanza(event)
        elif isinstance(event, xmpp.Closed):
            self._stream.close()
            self._end("the partner closed the stream")
        elif isinstance(event, (xmpp.PeerError, xmpp.Broken)):
            who = "ended the stream" if isinstance(event, xmpp.PeerError) else "broke the protocol"
            self._end("the partner %s: %s" % (who, said(event.condition, event.text)))

    def _opened(self, event: xmpp.StreamOpened) -> None:
        again = bool(self._own)
        if again and event.to not in ("", self._own):
            self._stream.respond()
            return self._fail("host-unknown", "the header names %s, the one before named %s" % (event.to, self._own))
        if again and self._claimed and event.from_ not in ("", self._claimed):
            self._stream.respond()
            return self._fail("invalid-from", "the header comes from %s, not %s" % (event.from_, self._claimed))
        self._claimed = event.from_ or self._claimed
        if not event.to:
            # In RFC 3920, section 8, a stream header for dialback can omit both domains. The dialback key contains the
            # domains.
            rests_on("gateway-unnamed-peers")
        elif not again and not self._parts.around.own(event.to):
            self._stream.respond()
            return self._fail("host-unknown", "%s is not one of our domains" % event.to)
        self._own = self._own or event.to
        self._stream.local, self._stream.remote = self._own, self._claimed
        known = self._parts.around.partner(self._claimed)
        self._stream.respond(dialback=known is None or rules.dialback(known.row, self._stream.secure).allowed)
        self._id = self._stream.id
        partner = None
        if self._claimed:
            partner = self._allowed(self._claimed)
            if partner is None:
                return None
        settings = self._parts.around.settings()
        if self._parts.register.count() > settings.connection_limit:
            rests_on("gateway-limits")
            return self._fail("resource-constraint", "ConnectionLimit is %d" % settings.connection_limit)
        if event.version:
            self._offer(partner)
        return None

    def _allowed(self, domain: str) -> Partner | None:
        """Return the partner of a domain, if the partner is allowed to have streams. Otherwise end the stream."""
        obstacle = self._parts.around.obstacle(domain, self._host)
        if obstacle:
            self._fail("internal-server-error", obstacle)
            return None
        partner = self._parts.around.partner(domain)
        if partner is None:
            self._fail("policy-violation", "%s is not an allowed partner" % domain)
            return None
        verdict = rules.opening(partner.row, self._identity is not None)
        if not verdict.allowed:
            self._fail(verdict.condition, verdict.reason)
            return None
        return partner

    def _offer(self, partner: Partner | None) -> None:
        """Send the currently available features."""
        stream = self._stream
        row = partner.row if partner else None
        if stream.authenticated:
            stream.send_features()
        elif not stream.secure:
            starttls = rules.starttls(row, self._identity is not None)
            clear = row is not None and rules.dialback(row, secure=False).allowed
            stream.send_features(starttls=starttls, dialback=clear)
        else:
            # If the header has no from domain, SASL can supply the domain, with a valid certificate.
            good = row is None or rules.external(row, True, self._problem(self._claimed)).allowed
            over_tls = row is None or rules.dialback(row, secure=True).allowed
            stream.send_features(mechanisms=("EXTERNAL",) if good else (), dialback=over_tls)

    def _problem(self, domain: str) -> str:
        """Return the problem of the other side's certificate for a domain."""
        around = self._parts.around
        sent = self._wire.peer_chain()
        chain = [*sent, *around.intermediates(self._host)] if sent else []
        now = datetime.datetime.now(datetime.timezone.utc)
        return problem(chain, around.anchors(self._host), domain, now, "client")

    def _start_tls(self) -> None:
        partner = self._parts.around.partner(self._claimed) if self._claimed else None
        if not rules.starttls(partner.row if partner else None, self._identity is not None):
            self._stream.refuse_tls()
            self._flush()
            return self._end("the partner wants TLS, which is not offered to it")
        self._stream.proceed_tls()
        self._flush()
        deadline = self._begin + self._parts.around.settings().establishment_timeout
        made = context(self._identity, True, self._parts.around.only_tls12())
        self._wire.start_tls(made, True, "", deadline)
        self._stream.tls_established()
        certificate = (self._problem(self._claimed) or "good") if self._claimed else None
        self._tell("tls", version=self._wire.version, certificate=certificate)
        return None

    def _authenticate(self, event: xmpp.AuthRequested) -> None:
        domain = (event.identity or self._claimed).lower()
        if self._claimed and domain != self._claimed:
            return self._reject("invalid-authzid", "%s claims to be %s" % (self._claimed, domain))
        if event.mechanism != "EXTERNAL":
            return self._reject("invalid-mechanism", "the mechanism %s is not offered" % event.mechanism)
        if not domain:
            return self._reject("invalid-authzid", "the stream has no from domain")
        partner = self._allowed(domain)
        if partner is None:
            return None
        verdict = rules.external(partner.row, self._stream.secure, self._problem(domain))
        if not verdict.allowed:
            return self._reject(verdict.condition, verdict.reason)
        if self._admit(partner):
            self._claimed = domain
            self._stream.accept_auth()
            self._accept(domain, self._own, SASL)
        return None

    def _reject(self, condition: str, reason: str) -> None:
        self._stream.reject_auth(condition, reason)
        self._tell("refused", "refused", reason, method=SASL)
        self._count_attempt()

    def _count_attempt(self) -> None:
        self._attempts += 1
        if self._attempts >= _MAX_ATTEMPTS and not self._pairs:
            self._fail("policy-violation", "%d attempts have failed" % self._attempts)

    def _admit(self, partner: Partner) -> bool:
        limit = self._parts.around.settings().partner_connection_limit if partner.limit is None else partner.limit
        if self._parts.register.admit(self._number, partner.domain, limit):
            return True
        rests_on("gateway-limits")
        self._fail("resource-constraint", "%s has %d streams, the limit" % (partner.domain, limit))
        return False

    def _accept(self, theirs: str, ours: str, method: str) -> None:
        self._pairs[theirs, ours] = method
        self._still(theirs)
        self._tell("accepted", partner=theirs, own=ours, method=method)

    def _dialback(self, event: xmpp.DialbackKey) -> None:
        """Verify a key with the server of the claimed domain (XEP-0220, section 2.2)."""
        method = TLS_DIALBACK if self._stream.secure else TCP_DIALBACK
        partner = self._parts.around.partner(event.from_)
        if not self._parts.around.own(event.to):
            verdict = rules.Verdict("%s is not one of our domains" % event.to, "item-not-found")
        elif partner is None:
            verdict = rules.Verdict("%s is not an allowed partner" % event.from_, "policy-violation")
        elif len(self._pairs) >= _MAX_PAIRS:
            verdict = rules.Verdict("the stream has %d pairs of domains" % _MAX_PAIRS, "policy-violation")
        else:
            verdict = rules.dialback(partner.row, self._stream.secure)
        kind, condition, reason = "error", verdict.condition, verdict.reason
        if verdict.allowed and partner is not None and self._allowed(event.from_) is not None:
            kind, condition, reason = self._asked(partner, event)
        if self._over or (kind == "valid" and partner is not None and not self._admit(partner)):
            return
        self._stream.answer_key(event.to, event.from_, kind, condition)
        if kind == "valid":
            self._accept(event.from_, event.to, method)
        else:
            self._tell("refused", "refused", reason, partner=event.from_, own=event.to, method=method)
            self._count_attempt()

    def _asked(self, partner: Partner, event: xmpp.DialbackKey) -> tuple[str, str, str]:
        self._flush()  # Earlier data must not wait for this query.
        try:
            valid = verify.ask(
                self._parts, self._host, event.to, partner, event.from_, self._stream.id, event.key
            )  # fmt: skip
        except DialFailed as e:
            return "error", e.condition, "the key could not be verified: %s" % e
        return ("valid", "", "") if valid else ("invalid", "", "the authoritative server does not know the key")

    def _verify(self, event: xmpp.VerifyRequested) -> None:
        partner = self._parts.around.partner(event.from_)
        if partner is None:
            return self._fail("policy-violation", "%s is not an allowed partner" % event.from_)
        rests_on("gateway-verify-security")
        verdict = rules.dialback(partner.row, self._stream.secure)
        if not verdict.allowed:
            return self._fail(verdict.condition, verdict.reason)
        if not self._parts.around.own(event.to):
            self._stream.answer_verify(event.to, event.from_, event.id, "error", "item-not-found")
            return None
        good = verify.ours(self._parts.around, event.from_, event.to, event.id, event.key)
        self._stream.answer_verify(event.to, event.from_, event.id, "valid" if good else "invalid")
        reason = "" if good else "the key is not ours"
        self._tell("verified", "ok" if good else "refused", reason, partner=event.from_, own=event.to)
        self._answered = True
        if not good:
            self._count_attempt()
        return None

    def _stanza(self, event: xmpp.Stanza) -> None:
        given = event.element.attributes
        theirs, ours = (stanzas.domain(given.get(name, "")) for name in ("from", "to"))
        if (theirs, ours) not in self._pairs:
            # Source: RFC 6120, sections 4.9.3.8 and 4.9.3.10.
            known = any(pair[0] == theirs for pair in self._pairs)
            condition = "improper-addressing" if known or not (theirs and ours) else "invalid-from"
            return self._fail(condition, "a stanza from %r to %r does not belong to the stream" % (theirs, ours))
        partner = self._still(theirs)
        if partner is None:
            return self._fail("policy-violation", "%s is not an allowed partner any more" % theirs, "closed")
        self._delivery.take(event.element, self._host, self._id, partner)
        return None
