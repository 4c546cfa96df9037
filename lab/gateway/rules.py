# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide for the gateway, without sockets or store. Input: a partner's settings and facts. Output: a verdict.

negotiation.py has the rows. The conditions are from RFC 6120, sections 4.9.3 (streams) and 8.3.3 (stanzas). The lab
selects the condition for each case: gateway-conditions.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..assumptions import rests_on
from .negotiation import SASL, TCP_DIALBACK, TLS_DIALBACK, Row

_REQUIRED = "Required"
_NOT_SUPPORTED = "NotSupported"


@dataclass(frozen=True)
class Verdict:
    """Hold the decision about a stream, a message or a user.

    reason: why the stream or message is not allowed; empty if allowed.
    condition: the error condition for the other side.
    """

    reason: str = ""
    condition: str = ""

    @property
    def allowed(self) -> bool:
        return not self.reason


YES = Verdict()


def starttls(row: Row | None, has_certificate: bool) -> str:
    """Return the STARTTLS feature of the gateway: '', ``offered`` or ``required``.

    row: None while the other side's domain is unknown.
    """
    if row is None:
        rests_on("gateway-unnamed-peers")
    if not has_certificate or (row is not None and row.tls == _NOT_SUPPORTED):
        return ""
    return "required" if row is not None and row.tls == _REQUIRED else "offered"


def opening(row: Row, has_certificate: bool) -> Verdict:
    """Decide whether a stream of this partner can succeed with any method."""
    if not row.methods:
        return Verdict("the row leaves no method (%s)" % row, "policy-violation")
    if row.tls == _REQUIRED and not has_certificate:
        return Verdict("the row requires TLS and no certificate is presented", "internal-server-error")
    return YES


def external(row: Row, secure: bool, problem: str) -> Verdict:
    """Decide whether SASL EXTERNAL succeeds.

    problem: the problem of the other side's certificate; '' for no problem.
    """
    if SASL not in row.methods:
        return Verdict("the row does not allow SASL (%s)" % row, "not-authorized")
    if not secure:
        return Verdict("SASL EXTERNAL needs TLS", "encryption-required")
    if problem:
        return Verdict("the certificate is not good: " + problem, "not-authorized")
    return YES


def dialback(row: Row, secure: bool) -> Verdict:
    """Decide whether dialback is allowed, in TLS (secure) or on a clear stream."""
    method = TLS_DIALBACK if secure else TCP_DIALBACK
    if method in row.methods:
        return YES
    return Verdict("the row does not allow %s (%s)" % (method, row), "policy-violation")


def in_clear(row: Row, tls_offered: str) -> Verdict:
    """Decide whether an outgoing stream can continue without TLS.

    tls_offered: whether the partner offers TLS, as in starttls().
    """
    if tls_offered == "required":
        return Verdict("the partner requires TLS, the row does not support it (%s)" % row)
    if row.tls == _REQUIRED:
        return Verdict("the row requires TLS, the partner does not offer it (%s)" % row)
    return dialback(row, secure=False)


def wants_tls(row: Row, tls_offered: str) -> bool:
    """Decide whether an outgoing stream starts TLS."""
    return bool(tls_offered) and row.tls != _NOT_SUPPORTED


@dataclass(frozen=True)
class User:
    """Hold a local user in the gateway.

    policy: the name of the policy in effect.
    problem: why the user's home pool has no XMPP; empty if the pool has XMPP.
    """

    address: str
    policy: str
    xmpp: bool
    federation: bool
    problem: str = ""


def user(person: User | None, address: str, federated_users: bool) -> Verdict:
    """Decide whether a user can exchange messages with XMPP partners.

    federated_users: AllowFederatedUsers of the Access Edge.
    """
    if person is None:
        return Verdict("there is no user %s" % address, "service-unavailable")
    if person.problem:
        rests_on("gateway-legacy-homes")
        return Verdict("%s %s" % (person.address, person.problem), "service-unavailable")
    if not federated_users:
        return Verdict("AllowFederatedUsers of the Access Edge is off", "policy-violation")
    for right, name in ((person.federation, "EnableFederationAccess"), (person.xmpp, "EnableXmppAccess")):
        if not right:
            return Verdict("%s is off in %s's policy, %s" % (name, person.address, person.policy), "policy-violation")
    return YES


def contact(partner_type: str, is_contact: bool, sender: str) -> Verdict:
    """Decide whether a user of a partner of this type is allowed to reach a local user.

    is_contact: whether the local user has the sender as a contact.
    """
    if partner_type != "PublicUnverified" or is_contact:
        return YES
    return Verdict("PublicUnverified: the user has not added %s" % sender, "subscription-required")


def presence(kind: str, allowed: bool) -> tuple[str, ...]:
    """Return the answers to a presence stanza by type; '' is available (RFC 6121, sections 3.1.3 and 4.3.2)."""
    if kind == "subscribe":
        return ("subscribed", "") if allowed else ("unsubscribed",)
    if kind == "probe":
        return ("",) if allowed else ("unsubscribed",)
    if kind == "unsubscribe":
        return ("unsubscribed",)
    return ()


ERROR_TYPES: t.Mapping[str, str] = {
    "bad-request": "modify",
    "internal-server-error": "cancel",
    "policy-violation": "modify",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
}
