# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would become of a federation if something happened: events, applied to what was seen of a partner. Pure.

An event replaces what was seen by what would be seen after it. The result is judged by the same rules as a probe
(rows.py). Only the partner's own way in is judged here, because a probe never goes that way.
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
    """How messages go in one direction.

    works: None if unknown. method: by which; '' if none does, or if the partner chooses between several. why: what
    ends it, or what is unknown.
    """

    works: bool | None
    method: str = ""
    why: str = ""


@dataclass(frozen=True)
class WhatIf:
    """What becomes of a partner after an event.

    event: its name. out, in_: per direction. cuts: whether it ends a direction that works now. text: what happens, in
    one sentence. remedy: what would help; '' where nothing has to.
    """

    event: str
    out: Outcome
    in_: Outcome
    cuts: bool
    text: str
    remedy: str = ""

    @property
    def outcome(self) -> Outcome:
        """The worse of both directions."""
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
    """Each event for one domain of a partner, in the order of EVENTS.

    row: the declared settings. proxy: whether they name a proxy_fqdn, so that no SRV record is asked for.
    servers_only: whether the certificate that was presented to it is not for clients.
    """
    world = World.seen(facts, proxy, servers_only)
    now = (outgoing(world, row), incoming(world, row))
    return [_after(world, row, now, name) for name in EVENTS]


def outgoing(world: World, row: Row) -> Traffic:
    """How messages of own users go to the partner: what the probe tried."""
    facts = world.facts
    if not world.reachable:
        return Traffic(False, why=_not_reachable(world))
    if facts.header is None:
        failed = any(one.severity == ERROR for one in check_partner(facts, row))
        return Traffic(False if failed else None, why="its server did not answer the probe")
    used, accepted = uses(facts, row), accepts(facts)
    if used and accepted[used[-1]] == "yes":
        return Traffic(True, used[0] if len(used) == 1 else "")
    if used:
        return Traffic(None, why="whether the partner accepts %s is not known" % " or ".join(used))
    if falls_to_clear(facts, row):
        return Traffic(None, why="nothing works in TLS, and whether the gateway goes on in clear is not documented")
    return Traffic(False, why=_nothing_left(facts, row, _good_for_server(facts)))


def incoming(world: World, row: Row) -> Traffic:
    """How messages of the partner's users come in. The partner's server connects, and the gateway offers what the
    settings have. Both sides use TLS where the other has it, and a failed handshake ends the attempt.
    """
    facts = world.facts
    if not world.up:
        return Traffic(False, why=_not_reachable(world))
    if facts.header is None:
        return Traffic(None, why="its server did not answer the probe")
    if facts.before is None and facts.header.features:
        return Traffic(None, why="what its server offers was not seen")
    has_tls = facts.before is not None and bool(facts.before.starttls)
    if not has_tls or row.tls == "not_supported":
        return _in_clear(world, row, has_tls)
    if facts.tls_usable is None:
        return Traffic(None, why="whether TLS works with the partner is not known")
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
    # A server that takes no key without a good certificate does not accept a bad one of the server that it connects to.
    if world.trusts is False and facts.dialback in ("refused", "not offered"):
        return Traffic(False, why="the partner does not accept the own certificate")
    return Traffic(None, why="whether the partner uses SASL EXTERNAL when it connects is not known")


def _by_dialback(world: World, method: str, offered: Dialback) -> Traffic:
    """The partner shows a key, and the gateway asks the partner's server about it."""
    if offered in ("refused", "not offered"):
        return Traffic(False, why=_NO_DIALBACK)
    if not world.reachable:
        return Traffic(False, why=_not_reachable(world))
    if offered == "unknown":
        return Traffic(None, why="whether the partner uses %s is not known" % method)
    return Traffic(True, method)


def _good_for_server(facts: Facts) -> bool:
    return not FATAL.intersection(facts.faults)


_NO_DIALBACK = "the partner does not use dialback"


def _not_reachable(world: World) -> str:
    return "the gateway does not find the partner's server" if world.up else "the partner's server is down"


def _nothing_left(facts: Facts, row: Row, certificate: bool) -> str:
    """Why none of the methods of the settings works. certificate: whether the partner's is good for the direction."""
    if not row.methods:
        return "the settings leave no method"
    told = dict.fromkeys(_against(facts, row, method, certificate) for method in row.methods)
    return " and ".join(told)


def _no_tls(facts: Facts) -> str:
    """Why TLS does not work, where it does not."""
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
    return "the partner does not accept the own certificate by SASL EXTERNAL"


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
    """What happens, in one sentence for each direction that differs from the other."""
    told = [_traffic_text(before, after) for before, after in zip(now, then, strict=True)]
    if told[0] == told[1]:
        return told[0]
    return "; ".join("%s: %s" % pair for pair in zip(_DIRECTIONS.values(), told, strict=True))


def _traffic_text(before: Traffic, after: Traffic) -> str:
    if after.works is None:
        return after.why
    if not after.works:
        return after.why if before.works is not False else "does not work now either (%s)" % before.why
    if not after.method:
        return "goes on by %s or %s, as the partner chooses" % (SASL_OVER_TLS, TLS_DIALBACK)
    if before.method and before.method != after.method:
        return "%s takes over from %s" % (after.method, before.method)
    return "goes on by %s" % after.method


def _settings_for(world: World, declared: Row) -> Row | None:
    """The strictest settings that work in both directions after the event; None if none do."""
    works = (row for row in _STRICTEST if row != declared and outgoing(world, row).works and incoming(world, row).works)
    return next(works, None)


# Valid settings, those whose weakest method is the strongest first.
_STRICTEST = sorted(VALID, key=lambda row: (METHODS.index(row.methods[-1]), len(row.methods)))


def lines(found: t.Sequence[t.Mapping[str, t.Any]], most: int = 10) -> list[str]:
    """The events for a screen, a short line each: those that change something, the worst first. Empty without any.

    found: of one partner, as plain values. most: events that have a line.
    """
    if not found:
        return []
    if all(one["outcome"] == "fails" and not one["cuts"] for one in found):
        return ["What if: not shown, because no message gets through now."]
    told = [one for one in found if one["outcome"] != "works"]
    told.sort(key=lambda one: (not one["cuts"], -OUTCOMES.index(one["outcome"])))
    head = "What if: %d of %d events would stop messages. No event was tried." % (
        sum(one["cuts"] for one in found),
        len(found),
    )
    shown = ["  %-16s %s" % (_short(one), EVENTS[one["event"]].title) for one in told[:most]]
    more = "%d more; " % (len(told) - most) if len(told) > most else ""
    last = "  %sreasons and remedies: what_if of the result (-v)" % more
    return [head, *shown, last] if told else [head]


def _short(one: t.Mapping[str, t.Any]) -> str:
    """The outcome, with its direction if the other one fares better."""
    word = WORDS[one["outcome"]]
    return word if one["out"] == one["in"] else "%s (%s)" % (word, "out" if one["out"] == one["outcome"] else "in")
