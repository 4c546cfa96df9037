# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute the effect of possible events on a federation, from the test results of a partner. Pure.

An event changes the test results to the results after the event. The rules of a probe (rows.py) decide the effect on
messages to the partner. The rules for messages from the partner are in this module, because no probe can test this
direction.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR
from .._federation.negotiation import SASL_OVER_TLS, TCP_DIALBACK, TLS_DIALBACK, Row
from .._x509.certificate import NOT_CHECKED
from .certificate import FATAL
from .events import EVENTS, World
from .facts import Dialback, Facts
from .findings import check_partner, describe_row
from .rows import METHODS, VALID, accepts, falls_to_clear, uses

# From best to worst.
OUTCOMES = ("works", "works_otherwise", "unknown", "fails")
Outcome = t.Literal["works", "works_otherwise", "unknown", "fails"]
WORDS = {"works": "works", "works_otherwise": "otherwise", "unknown": "unknown", "fails": "fails"}
_DIRECTIONS = {"out": "messages to the partner", "in": "messages from the partner"}


@dataclass(frozen=True)
class Traffic:
    """Describe the state of one direction.

    works: whether messages get through; None if unknown.
    method: the method; '' if no method works, or if the partner chooses between several methods.
    why: what stops the messages, or what is unknown.
    """

    works: bool | None
    method: str = ""
    why: str = ""


@dataclass(frozen=True)
class WhatIf:
    """Describe the effect of an event on a partner.

    event: the name of the event.
    out, in_: the outcome of each direction.
    cuts: whether the event stops a direction that works now.
    text: the effect, in one sentence.
    remedy: what to do; '' if no action is needed.
    """

    event: str
    out: Outcome
    in_: Outcome
    cuts: bool
    text: str
    remedy: str = ""

    @property
    def outcome(self) -> Outcome:
        """Return the worse outcome of both directions."""
        return max(self.out, self.in_, key=OUTCOMES.index)

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "event": self.event,
            "outcome": self.outcome,
            "out": self.out,
            "in": self.in_,
            "cuts": self.cuts,
            "text": self.text,
            "remedy": self.remedy,
        }


def what_if(facts: Facts, row: Row, proxy: bool = False, servers_only: bool = False) -> list[WhatIf]:
    """Return the effect of each event on one domain of a partner, in the order of EVENTS.

    row: the declared settings.
    proxy: whether the settings have a proxy_fqdn, so that no SRV record is used.
    servers_only: whether the certificate that the probe presented is for servers only.
    """
    world = World.seen(facts, proxy, servers_only)
    now = (outgoing(world, row), incoming(world, row))
    return [_after(world, row, now, name) for name in EVENTS]


def outgoing(world: World, row: Row) -> Traffic:
    """Return the state of messages to the partner. The probe tests this direction."""
    facts = world.facts
    if not world.reachable:
        return Traffic(False, why=_not_reachable(world))
    if facts.header is None:
        failed = any(one.severity == ERROR for one in check_partner(facts, row))
        return Traffic(False if failed else None, why="the partner's server did not answer the probe")
    used, accepted = uses(facts, row), accepts(facts)
    if used and accepted[used[-1]] == "yes":
        return Traffic(True, used[0] if len(used) == 1 else "")
    if used:
        return Traffic(None, why="it is unknown whether the partner accepts %s" % " or ".join(used))
    if falls_to_clear(facts, row):
        return Traffic(None, why="no method works over TLS, and it is unknown whether the gateway then drops TLS")
    return Traffic(False, why=_nothing_left(facts, row, _good_for_server(facts)))


def incoming(world: World, row: Row) -> Traffic:
    """Return the state of messages from the partner.

    The partner's server connects, and the gateway offers the methods of the settings. If both sides have TLS, the
    connection uses TLS. A failed handshake ends the attempt.
    """
    facts = world.facts
    if not world.up:
        return Traffic(False, why=_not_reachable(world))
    if facts.header is None:
        return Traffic(None, why="the partner's server did not answer the probe")
    if facts.before is None and facts.header.features:
        return Traffic(None, why="the methods of its server are unknown")
    has_tls = facts.before is not None and bool(facts.before.starttls)
    if not has_tls or row.tls == "not_supported":
        return _in_clear(world, row, has_tls)
    if facts.tls_usable is None:
        return Traffic(None, why="it is unknown whether TLS works with the partner")
    if not facts.tls_usable:
        return Traffic(False, why=_no_tls(facts))
    return _in_tls(world, row)


def _in_clear(world: World, row: Row, has_tls: bool) -> Traffic:
    facts = world.facts
    if has_tls and facts.before is not None and facts.before.starttls == "required":
        return Traffic(False, why="the partner requires TLS, and the settings do not support it")
    if TCP_DIALBACK not in row.methods:
        return Traffic(False, why=_nothing_left(facts, row, True))
    return _by_dialback(world, TCP_DIALBACK, facts.clear_dialback)


def _in_tls(world: World, row: Row) -> Traffic:
    facts = world.facts
    good = _good_for_server(facts) and "client_auth" not in facts.faults
    external: bool | None = False
    if SASL_OVER_TLS in row.methods and good and world.uses_external is not False:
        known = NOT_CHECKED not in facts.faults and world.uses_external
        external = True if known and world.trusts else None
    if external:
        return Traffic(True, SASL_OVER_TLS)
    dialback = Traffic(False)
    if TLS_DIALBACK in row.methods:
        dialback = _by_dialback(world, TLS_DIALBACK, facts.dialback)
    if external is False:
        return dialback if dialback.works or dialback.why else Traffic(False, why=_nothing_left(facts, row, good))
    if dialback.works:
        return Traffic(True)
    # A server that accepts a key only with a good certificate also requires a good certificate when it connects.
    if world.trusts is False and facts.dialback in ("refused", "not offered"):
        return Traffic(False, why="the partner does not accept the gateway's certificate")
    return Traffic(None, why="it is unknown whether the partner uses SASL EXTERNAL when it connects")


def _by_dialback(world: World, method: str, offered: Dialback) -> Traffic:
    """Return the state with dialback: the gateway sends the partner's key back for verification."""
    if offered in ("refused", "not offered"):
        return Traffic(False, why=_NO_DIALBACK)
    if not world.reachable:
        return Traffic(False, why=_not_reachable(world))
    if offered == "unknown":
        return Traffic(None, why="it is unknown whether the partner uses %s" % method)
    return Traffic(True, method)


def _good_for_server(facts: Facts) -> bool:
    return not FATAL.intersection(facts.faults)


_NO_DIALBACK = "the partner does not use dialback"


def _not_reachable(world: World) -> str:
    return "the gateway does not find the partner's server" if world.up else "the partner's server is down"


def _nothing_left(facts: Facts, row: Row, certificate: bool) -> str:
    """Return why no method of the settings works.

    certificate: whether the partner's certificate is valid for this direction.
    """
    if not row.methods:
        return "the settings leave no method"
    told = dict.fromkeys(_against(facts, row, method, certificate) for method in row.methods)
    return " and ".join(told)


def _no_tls(facts: Facts) -> str:
    """Return why TLS does not work."""
    if facts.tls:
        return "the partner does not allow TLS 1.2"
    offers = facts.before is not None and facts.before.starttls
    return "TLS does not work with the partner" if offers else "the partner offers no TLS"


def _against(facts: Facts, row: Row, method: str, certificate: bool) -> str:
    if method == TCP_DIALBACK:
        if facts.before is not None and facts.before.starttls == "required" and row.tls == "not_supported":
            return "the partner requires TLS, and the settings do not support it"
        return _NO_DIALBACK
    if not facts.tls_usable:
        return _no_tls(facts)
    if method == TLS_DIALBACK:
        return _NO_DIALBACK
    if not certificate:
        code = next((one for one in facts.faults if one in FATAL), "client_auth")
        return "the partner's certificate is not accepted (%s)" % facts.faults[code]
    return "the partner does not accept the gateway's certificate for SASL EXTERNAL"


def _after(world: World, row: Row, now: tuple[Traffic, Traffic], name: str) -> WhatIf:
    event = EVENTS[name]
    then = event.happens(world)
    ways = (outgoing(then, row), incoming(then, row))
    out, in_ = (_outcome(before, after) for before, after in zip(now, ways, strict=True))
    cuts = any(before.works and after.works is False for before, after in zip(now, ways, strict=True))
    remedy = event.remedy if "fails" in (out, in_) else ""
    if cuts and (settings := _settings_for(then, row)) is not None:
        remedy = "%s; or set %s" % (remedy, describe_row(settings))
    return WhatIf(name, out, in_, cuts, _text(now, ways), remedy)


def _outcome(before: Traffic, after: Traffic) -> Outcome:
    if after.works is None:
        return "unknown"
    if not after.works:
        return "fails"
    other = before.method and after.method and before.method != after.method
    return "works_otherwise" if other else "works"


def _text(now: tuple[Traffic, Traffic], then: tuple[Traffic, Traffic]) -> str:
    """Return the effect: one sentence if both directions are equal, otherwise one sentence for each direction."""
    told = [_traffic_text(before, after) for before, after in zip(now, then, strict=True)]
    if told[0] == told[1]:
        return told[0]
    return "; ".join("%s: %s" % pair for pair in zip(_DIRECTIONS.values(), told, strict=True))


def _traffic_text(before: Traffic, after: Traffic) -> str:
    if after.works is None:
        return after.why
    if not after.works:
        return after.why if before.works is not False else "also does not work now (%s)" % before.why
    if not after.method:
        return "still works with %s or %s (the partner chooses)" % (SASL_OVER_TLS, TLS_DIALBACK)
    if before.method and before.method != after.method:
        return "works with %s instead of %s" % (after.method, before.method)
    return "still works with %s" % after.method


def _settings_for(world: World, declared: Row) -> Row | None:
    """Return the strictest settings that work in both directions after the event; None for no such settings."""
    works = (row for row in _STRICTEST if row != declared and outgoing(world, row).works and incoming(world, row).works)
    return next(works, None)


# Valid settings, sorted by their weakest method, the strongest first.
_STRICTEST = sorted(VALID, key=lambda row: (METHODS.index(row.methods[-1]), len(row.methods)))


def lines(found: t.Sequence[t.Mapping[str, t.Any]], most: int = 10) -> list[str]:
    """Return a short line for each event that changes something, the worst first. Empty if ``found`` is empty.

    found: the events of one partner, as plain values.
    most: the most events to show.
    """
    if not found:
        return []
    if all(one["outcome"] == "fails" and not one["cuts"] for one in found):
        return ["What if: not shown, because no message gets through now."]
    told = [one for one in found if one["outcome"] != "works"]
    told.sort(key=lambda one: (not one["cuts"], -OUTCOMES.index(one["outcome"])))
    cuts = sum(one["cuts"] for one in found)
    others = ", %d more have another effect" % (len(told) - cuts) if len(told) > cuts else ""
    head = "What if: %d of %d events would stop messages%s." % (cuts, len(found), others)
    shown = ["  %-16s %s" % (_short(one), EVENTS[one["event"]].title) for one in told[:most]]
    more = "%d more. " % (len(told) - most) if len(told) > most else ""
    last = "  %sNo event was tried. Reasons and remedies: what_if of the result (-v)" % more
    return [head, *shown, last] if told else [head]


def _short(one: t.Mapping[str, t.Any]) -> str:
    """Return the outcome, with its direction if the other direction has a better outcome."""
    word = WORDS[one["outcome"]]
    return word if one["out"] == one["in"] else "%s (%s)" % (word, "out" if one["out"] == one["outcome"] else "in")
