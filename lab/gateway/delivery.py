# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deliver, answer or send stanzas. Partners' stanzas go to local users, local users' stanzas go to partners."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import Element

from ..assumptions import rests_on
from ..deployment.hosts import HOSTS
from ..deployment.store import Message, fold
from . import rules, stanzas
from .outgoing import Item, Outgoing
from .parts import Parts
from .surroundings import Partner

_ID = "lab-%d"  # for a local user's message, with its number
_OUR_ID = re.compile("lab-([0-9]{1,18})")  # This number fits SQLite's integers.


@dataclass(frozen=True)
class Came:
    """Hold the source of a stanza: Edge, id of the stream, partner, and addresses without resource."""

    host: str
    stream_id: str
    partner: Partner
    sender: str
    recipient: str


class Delivery:
    """Deliver stanzas of authenticated streams, and messages of local users."""

    def __init__(self, parts: Parts, outgoing: Outgoing) -> None:
        self._parts = parts
        self._outgoing = outgoing

    # -- from partners

    def take(self, stanza: Element, host: str, stream_id: str, partner: Partner) -> None:
        """Process a stanza with addresses that belong to the stream."""
        given = stanza.attributes
        came = Came(host, stream_id, partner, stanzas.bare(given["from"]), stanzas.bare(given["to"]))
        if given.get("type") == "error":
            self._error(stanza, came)
        elif stanza.name == stanzas.MESSAGE:
            self._message(stanza, came)
        elif stanza.name == stanzas.PRESENCE:
            self._presence(stanza, came)
        elif stanza.name == stanzas.IQ and given.get("type") in ("get", "set"):
            answer = stanzas.result(stanza)
            if answer is not None:
                self._answer(came, answer)
            else:
                self._bounce(stanza, came, rules.Verdict("queries are not supported", "service-unavailable"))

    def _judge(self, came: Came) -> rules.Verdict:
        around = self._parts.around
        verdict = rules.user(around.user(came.recipient), came.recipient, around.federated_users())
        if not verdict.allowed:
            return verdict
        obstacle = around.obstacle(stanzas.domain(came.sender), came.host)
        if obstacle:
            return rules.Verdict(obstacle, "service-unavailable")
        is_contact = around.store.has_contact(came.recipient, came.sender)
        return rules.contact(came.partner.type, is_contact, came.sender)

    def _message(self, stanza: Element, came: Came) -> None:
        body = stanza.child(stanzas.BODY)
        verdict = self._judge(came)
        if verdict.allowed and stanza.attributes.get("type") == "groupchat":
            verdict = rules.Verdict("the gateway carries messages between two users only", "service-unavailable")
        if body is None and verdict.allowed:
            return  # a chat state or a receipt
        if body is not None:
            status = "delivered" if verdict.allowed else "refused"
            self._parts.around.store.add_message(
                "in", came.host, came.sender, came.recipient, body.text, status, verdict.reason
            )
        if verdict.allowed and body is not None:
            self._tell("delivered", came, **self._shown(body.text))
        else:
            self._bounce(stanza, came, verdict)

    def _presence(self, stanza: Element, came: Came) -> None:
        kind = stanza.attributes.get("type", "")
        verdict = self._judge(came)
        answers = rules.presence(kind, verdict.allowed)
        if not answers:
            return
        for answer in answers:
            self._answer(came, stanzas.presence(came.recipient, came.sender, answer))
        shown = [answer or "available" for answer in answers]
        outcome = "ok" if verdict.allowed else "refused"
        self._tell("presence", came, outcome, verdict.reason, type=kind, answers=shown)

    def _error(self, stanza: Element, came: Came) -> None:
        """Record an error, without an answer (RFC 6120, section 8.3.1). Errors can return a sent message."""
        ours = _OUR_ID.fullmatch(stanza.attributes.get("id", ""))
        sent = self._parts.around.store.message(int(ours[1])) if ours else None
        if sent is None or (sent.direction, sent.sender, sent.recipient) != ("out", came.recipient, came.sender):
            return
        reason = "the partner says %s" % stanzas.error_of(stanza)
        self._parts.around.store.settle_message(sent.id, sent.edge, "refused", reason)
        self._tell("undeliverable", came, "failed", reason, message=sent.id)

    def _bounce(self, stanza: Element, came: Came, verdict: rules.Verdict) -> None:
        self._answer(came, stanzas.bounce(stanza, verdict.condition, verdict.reason))
        self._tell("bounced", came, "refused", verdict.reason, condition=verdict.condition)

    def _answer(self, came: Came, stanza: Element) -> None:
        def settle(host: str, reason: str) -> None:
            if reason:
                self._tell("failed", came, "failed", "the answer was not sent: %s" % reason)

        pool = fold(HOSTS[came.host].pool)
        self._outgoing.submit(stanzas.domain(came.recipient), stanzas.domain(came.sender), pool, Item(stanza, settle))

    def _tell(self, action: str, came: Came, outcome: str = "ok", reason: str = "", **more: t.Any) -> None:
        self._parts.journal.write(
            action, "in", came.host, came.stream_id, stanzas.domain(came.sender), outcome, reason,
            **{"own": stanzas.domain(came.recipient), "from": came.sender, "to": came.recipient}, **more,
        )  # fmt: skip

    # -- from local users

    def send(self, message: Message) -> None:
        """Send or refuse a queued message."""
        sender = stanzas.bare(message.sender).removeprefix("sip:")
        recipient = message.recipient.removeprefix("sip:")
        own, domain = stanzas.domain(sender), stanzas.domain(recipient)

        def settle(host: str, reason: str) -> None:
            store = self._parts.around.store
            store.settle_message(message.id, host, "refused" if reason else "sent", reason)
            action, outcome = ("undeliverable", "failed") if reason else ("sent", "ok")
            self._parts.journal.write(
                action, "out", host, "", domain, outcome, reason, own=own, message=message.id,
                **{"from": sender, "to": recipient}, **self._shown(message.body),
            )  # fmt: skip

        reason = self._hindrance(message, sender, recipient, domain)
        if reason:
            settle("", reason)
            return
        rests_on("gateway-contacts")
        self._parts.around.store.add_contact(sender, stanzas.bare(recipient))
        stanza = stanzas.message(sender, recipient, _ID % message.id, message.body)
        self._outgoing.submit(own, domain, self._parts.around.pool_for(sender), Item(stanza, settle))

    def _hindrance(self, message: Message, sender: str, recipient: str, domain: str) -> str:
        around = self._parts.around
        verdict = rules.user(around.user(sender), sender, around.federated_users())
        if not verdict.allowed:
            return verdict.reason
        if "@" not in recipient or not all(map(stanzas.sendable, (recipient, message.body))):
            return "the address or the text cannot be sent"
        if around.partner(domain) is None:
            return "%s is not an allowed partner" % domain
        return around.obstacle(domain, user=sender)

    def _shown(self, body: str) -> dict[str, t.Any]:
        """Return the text of a message for the event log, only if EnableLoggingAllMessageBodies allows the text."""
        return {"body": body} if self._parts.around.settings().log_bodies else {"length": len(body)}
