# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authenticate a stream to a partner. Try every allowed method, the strongest first, until a method succeeds."""

from __future__ import annotations

import time

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.stream import AuthFailed, AuthSucceeded, DialbackAnswer
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import Element

from ..assumptions import rests_on
from . import rules
from .dial import DialFailed, Dialog, connect, said
from .negotiation import SASL, TCP_DIALBACK, TLS_DIALBACK
from .parts import Parts
from .surroundings import Partner
from .verify import expected
from .wire import Wire


class Link:
    """Represent an authenticated stream that sends. Only one thread uses a stream at a time."""

    def __init__(self, parts: Parts, host: str, dialog: Dialog, own: str, domain: str, method: str) -> None:
        self.host = host
        self.method = method
        self.stream_id = dialog.stream.id
        self._parts = parts
        self._dialog = dialog
        self._own = own
        self._domain = domain
        self._turn = parts.around.turn(host)
        self._active = self._sent = time.monotonic()

    def send(self, stanza: Element) -> None:
        """Send a stanza. Raises DialFailed."""
        self._dialog.stream.send(stanza)
        self._dialog.flush()
        self._active = self._sent = time.monotonic()

    def look(self) -> str:
        """Receive data and do periodic work. Return why the stream must end; '' if the stream can continue.

        Raises DialFailed if the stream has ended.
        """
        while self._dialog.turn(0.0):
            for _event in self._dialog.heard():
                pass
            self._active = time.monotonic()
        around = self._parts.around
        if not around.goes_on(self.host) or around.turn(self.host) != self._turn:
            return "the XMPP proxy of %s was stopped" % self.host
        if not around.carries(self.host):
            return "no site has an XMPP federation route to the pool of %s any more" % self.host
        partner = around.partner(self._domain)
        if partner is None:
            return "" if around.streams_stay() else "%s is not an allowed partner any more" % self._domain
        if self.method not in partner.row.methods:
            return "the row does not allow %s any more" % self.method
        settings, now = around.settings(), time.monotonic()
        if now - self._active > settings.inactivity_timeout:
            return "nothing was sent for %d s" % settings.inactivity_timeout
        if partner.keep_alive and now - self._sent > settings.keep_alive_interval:
            self._dialog.stream.keepalive()
            self._dialog.flush()
            self._active = self._sent = now
        return ""

    def close(self) -> None:
        self._dialog.close()


def establish(parts: Parts, host: str, own: str, domain: str) -> Link:
    """Open a stream. Raises DialFailed if no method succeeds. The event log has the reason for each failed method."""
    partner = parts.around.partner(domain)
    if partner is None:
        raise DialFailed("%s is not an allowed partner" % domain, "policy-violation")
    obstacle = parts.around.obstacle(domain, host)
    if obstacle:
        raise DialFailed(obstacle)
    verdict = rules.opening(partner.row, parts.around.identity(host) is not None)
    if not verdict.allowed:
        raise DialFailed(verdict.reason, "policy-violation")
    return _Attempts(parts, host, own, partner, domain).run()


class _Attempts:
    def __init__(self, parts: Parts, host: str, own: str, partner: Partner, domain: str) -> None:
        self._parts = parts
        self._host = host
        self._own = own
        self._partner = partner
        self._domain = domain
        self._left = set(partner.row.methods)  # methods that are still possible

    def run(self) -> Link:
        """Open a connection for each attempt, because the other side often closes the connection after a failure."""
        while True:
            before = len(self._left)
            try:
                return self._connected()
            except DialFailed as e:
                self._tell("failed", "failed", str(e))
                if not self._left or len(self._left) == before:
                    raise

    def _connected(self) -> Link:
        parts = self._parts
        deadline = time.monotonic() + parts.around.settings().establishment_timeout
        wire = Wire(connect(parts.around, self._host, self._partner, self._domain, deadline))
        dialog = Dialog(wire, self._own, self._domain, deadline, parts.stopping)
        try:
            dialog.open()
            over_tls = self._left & {SASL, TLS_DIALBACK}
            if over_tls and rules.wants_tls(self._partner.row, dialog.features.starttls):
                method = self._over_tls(dialog)
            else:
                self._left -= over_tls
                if rules.wants_tls(self._partner.row, dialog.features.starttls):
                    rests_on("gateway-clear-after-tls")
                method = self._in_clear(dialog)
        except BaseException:
            dialog.close()
            raise
        link = Link(parts, self._host, dialog, self._own, self._domain, method)
        self._tell("accepted", "ok", "", method, link.stream_id)
        return link

    def _over_tls(self, dialog: Dialog) -> str:
        try:
            problem = dialog.start_tls(self._parts.around, self._host)
        except DialFailed:
            self._left -= {SASL, TLS_DIALBACK}
            raise
        self._parts.journal.write(
            "tls", "out", self._host, dialog.stream.id, self._domain, own=self._own,
            version=dialog.wire.version, certificate=problem or "good",
        )  # fmt: skip
        if SASL in self._left and self._external(dialog, problem):
            return SASL
        if TLS_DIALBACK not in self._left:
            raise DialFailed("nothing else is allowed over TLS (%s)" % self._partner.row)
        self._dialback(dialog, TLS_DIALBACK)
        return TLS_DIALBACK

    def _external(self, dialog: Dialog, problem: str) -> bool:
        self._left.discard(SASL)
        rests_on("gateway-mutual-authentication")
        verdict = rules.external(self._partner.row, True, problem)
        if verdict.allowed and "EXTERNAL" not in dialog.features.mechanisms:
            verdict = rules.Verdict("the partner does not offer SASL EXTERNAL")
        if not verdict.allowed:
            self._tell("refused", "refused", verdict.reason, SASL, dialog.stream.id)
            return False
        dialog.stream.authenticate_external(self._own)
        answer = dialog.wait(AuthSucceeded, AuthFailed)
        if isinstance(answer, AuthFailed):
            reason = "the partner refuses SASL EXTERNAL: %s" % said(answer.condition, answer.text)
            self._tell("refused", "refused", reason, SASL, dialog.stream.id)
            return False
        dialog.hear_features()
        return True

    def _in_clear(self, dialog: Dialog) -> str:
        verdict = rules.in_clear(self._partner.row, dialog.features.starttls)
        if not verdict.allowed:
            self._left.clear()
            raise DialFailed(verdict.reason, "policy-violation")
        self._dialback(dialog, TCP_DIALBACK)
        return TCP_DIALBACK

    def _dialback(self, dialog: Dialog, method: str) -> None:
        self._left.discard(method)
        if not dialog.features.dialback:
            raise DialFailed("the partner does not offer dialback")
        key = expected(self._parts.around, self._domain, self._own, dialog.stream.id)
        dialog.stream.send_key(self._own, self._domain, key)
        while True:
            answer = dialog.wait(DialbackAnswer)
            if (answer.from_, answer.to) == (self._domain, self._own):
                break
        if answer.type != "valid":
            raise DialFailed("the partner answers dialback with %s" % said(answer.type, answer.condition))

    def _tell(self, action: str, outcome: str, reason: str, method: str | None = None, stream_id: str = "") -> None:
        self._parts.journal.write(
            action, "out", self._host, stream_id, self._domain, outcome, reason, own=self._own, method=method
        )
