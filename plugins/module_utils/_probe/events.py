# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define possible events of a federation. Each event changes the test results of a partner to later test results. Pure.

An event only changes the test results. The rules for the findings of a probe decide the effect (what_if.py).
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, replace

from .facts import Ended, External, Facts, KeyAnswer, PeerOffer, Services

Side = t.Literal["partner", "own"]


@dataclass(frozen=True)
class World:
    """Describe the state of a partner: the test results, and values that no probe can test.

    proxy: whether the gateway connects to the partner's proxy_fqdn and uses no SRV record.
    reachable: whether the gateway finds the partner's server.
    up: whether the partner's server runs.
    trusts: whether the partner's server accepts the gateway's certificate when the partner's server connects; None:
        unknown.
    uses_external: whether the partner's server can use SASL EXTERNAL when that server connects; None: unknown.
    servers_only: whether the own certificate is already for servers only.
    """

    facts: Facts
    proxy: bool = False
    reachable: bool = True
    up: bool = True
    trusts: bool | None = None
    uses_external: bool | None = None
    servers_only: bool = False

    @classmethod
    def seen(cls, facts: Facts, proxy: bool, servers_only: bool = False) -> World:
        """Return the state after a probe.

        If the partner's server accepts the own certificate when the gateway connects, two assumptions follow. The
        server also accepts this certificate when the server connects, and then uses SASL EXTERNAL. XEP-0178 describes
        both sides.
        """
        known = True if facts.external == "succeeded" else None
        return cls(facts, proxy, trusts=known, uses_external=known, servers_only=servers_only)

    def with_facts(self, **changes: t.Any) -> World:
        return replace(self, facts=replace(self.facts, **changes))


@dataclass(frozen=True)
class Event:
    """Describe a possible event.

    side: who makes the change.
    title: what happens, as a sentence without a full stop.
    remedy: what to do.
    happens: returns the state after the event.
    """

    side: Side
    title: str
    remedy: str
    happens: t.Callable[[World], World]


# Events on the partner's side


def _fault(code: str, text: str, world: World) -> World:
    """Add a fault to the partner's certificate. A server without TLS has no certificate."""
    facts = world.facts
    return world.with_facts(faults={**facts.faults, code: text}) if facts.tls else world


def _tls13_only(world: World) -> World:
    return world.with_facts(tls="TLSv1.3", key_answers=_clear_only(world.facts)) if world.facts.tls else world


def _no_tls(world: World) -> World:
    """Remove TLS.

    If the server accepts dialback over TLS without a valid certificate, the server is assumed to accept dialback
    without TLS.
    """
    facts = world.facts
    if facts.before is None or not facts.before.starttls:
        return world
    nothing: dict[str, t.Any] = {"after": None, "tls": "", "cipher": "", "certificate": None, "faults": {}}
    world = world.with_facts(**nothing, external="not offered", before=PeerOffer("", (), False), ended=None)
    known = facts.key_answers.get(False)
    if known is None and facts.dialback == "offered":
        known = facts.bare_key or KeyAnswer("unknown")
    return _dialback_by_key(world, False, known)


def _dialback_by_key(world: World, secure: bool, answer: KeyAnswer | None) -> World:
    """Set the answer to a dialback key.

    The answer decides, not the announcement: some servers announce dialback, but accept dialback only with a good
    certificate. Without an answer, nothing changes.
    """
    header = world.facts.header
    if answer is None or header is None:
        return world
    answers = {**world.facts.key_answers, secure: answer}
    return world.with_facts(header=replace(header, dialback=True), key_answers=answers)


def _clear_only(facts: Facts) -> dict[bool, KeyAnswer]:
    return {secure: answer for secure, answer in facts.key_answers.items() if not secure}


def _no_dialback(world: World) -> World:
    facts = world.facts
    return world.with_facts(
        header=replace(facts.header, dialback=False) if facts.header else None,
        before=replace(facts.before, dialback=False) if facts.before else None,
        after=replace(facts.after, dialback=False) if facts.after else None,
        key_answers={},
        bare_key=None,
    )


def _no_external(world: World) -> World:
    return replace(_external(world, "not offered"), uses_external=False)


def _external(world: World, external: External) -> World:
    return world.with_facts(external=external) if world.facts.tls else world


def _no_records(world: World) -> World:
    """Remove the SRV record.

    The domain itself is not used as a server, although RFC 6120 section 3.2.2 allows this use.
    """
    if world.proxy:
        return world
    return replace(world.with_facts(services=Services("none")), reachable=False)


def _moved(world: World) -> World:
    """Move the server. The SRV record leads to the new server, but proxy_fqdn still leads to the old server."""
    return replace(world, reachable=False) if world.proxy else world


def _down(world: World) -> World:
    return replace(world, reachable=False, up=False)


# Events on your own side


def _own_server_only(world: World) -> World:
    """Replace the own certificate with a certificate for servers only.

    Not every server accepts this certificate from a client: ejabberd checks the purpose, Prosody does not. So a server
    that refuses a key without a certificate can still accept a key with this certificate.
    """
    if world.servers_only or world.facts.external != "succeeded":
        return world
    bare = world.facts.bare_key
    known = bare if bare is not None and bare.result == "taken" else KeyAnswer("unknown")
    return _doubted(world, "unknown", known)


def _doubted(world: World, external: External, key: KeyAnswer) -> World:
    """Set that the partner possibly refuses the own certificate of a client.

    key: the partner's answer to a key.
    """
    facts = world.facts
    if not facts.tls:
        return world
    world = _external(world, external)
    if facts.dialback != "offered" or not facts.own_certificate or facts.after is None:
        return world
    world = world.with_facts(after=replace(facts.after, dialback=False))
    return _dialback_by_key(world, True, key)


def _own_useless(world: World) -> World:
    """Set that the partner refuses the own certificate, both of a client and of a server."""
    world = _doubted(world, "not offered", world.facts.bare_key or KeyAnswer("unknown"))
    return replace(world, trusts=False) if world.facts.tls else world


def _only_tls12(world: World) -> World:
    if world.facts.tls not in ("TLSv1", "TLSv1.1"):
        return world
    ended = Ended("tls", "tls_failed", "", "both sides have no TLS version in common")
    return world.with_facts(tls="", cipher="", after=None, external="unknown", ended=ended)


_RENEW = "ask the partner for a certificate that names its domain, from a public CA, for servers and clients"
_OWN = "get a certificate that the partner trusts, for servers and clients"

EVENTS: t.Mapping[str, Event] = {
    "partner_server_only": Event(
        "partner",
        "The partner's certificate is for servers only",
        _RENEW,
        functools.partial(_fault, "client_auth", "it is not issued for client authentication"),
    ),
    "partner_expired": Event(
        "partner",
        "The partner's certificate expires",
        "ask the partner to renew the certificate in time",
        functools.partial(_fault, "expired", "it has expired"),
    ),
    "partner_name_missing": Event(
        "partner",
        "The partner's certificate does not name the domain",
        _RENEW,
        functools.partial(_fault, "name_mismatch", "it is for another name"),
    ),
    "partner_own_ca": Event(
        "partner",
        "The partner's certificate is from its own CA",
        "add the CA to the trusted roots of the Edge servers, or " + _RENEW,
        functools.partial(_fault, "untrusted", "its CA is not trusted"),
    ),
    "partner_tls13_only": Event(
        "partner", "The partner allows TLS 1.3 only", "ask the partner to allow TLS 1.2", _tls13_only
    ),
    "partner_no_tls": Event("partner", "The partner offers no TLS", "ask the partner to offer TLS", _no_tls),
    "partner_no_dialback": Event(
        "partner", "The partner switches dialback off", "ask the partner to allow dialback", _no_dialback
    ),
    "partner_no_external": Event(
        "partner", "The partner switches SASL EXTERNAL off", "ask the partner to offer SASL EXTERNAL", _no_external
    ),
    "partner_srv_moved": Event(
        "partner",
        "The partner's SRV record names another host",
        "change proxy_fqdn to the new host, or remove proxy_fqdn",
        _moved,
    ),
    "partner_srv_removed": Event(
        "partner",
        "The partner's SRV record is removed",
        "ask the partner to publish the record, or set proxy_fqdn",
        _no_records,
    ),
    "partner_down": Event("partner", "The partner's server is down", "ask the partner to start the server", _down),
    "own_server_only": Event("own", "The gateway's certificate is for servers only", _OWN, _own_server_only),
    "own_untrusted": Event("own", "The partner does not trust the gateway's CA", _OWN, _own_useless),
    "own_expired": Event(
        "own", "The gateway's certificate expires", "renew the certificate with sfb.xmpp.certificate", _own_useless
    ),
    "own_tls12_only": Event(
        "own",
        "The Edge servers allow TLS 1.2 only",
        "ask the partner to allow TLS 1.2 before you switch the older versions off",
        _only_tls12,
    ),
}
