# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forecast what breaks if administrators change nothing: repeat the audit's decision for later moments, on one reading.

All functions are pure. The decision is repeated at each moment at which an input of the decision changes
(audit_judge.py).
A finding that appears then and does not exist now is a forecast. Independent parts are decided separately, each at its
own moments. Without parts, each moment needs a decision for all partners. Published dates (announced.py) are added.
"""

from __future__ import annotations

import datetime
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from ...module_utils._base.change_control import Control
from ...module_utils._base.names import is_per_user
from ...module_utils._base.names import key as key_of
from ...module_utils._base.texts import utc
from ...module_utils._federation import notes
from ...module_utils._federation.negotiation import Row
from ...module_utils._x509.renewal import DAY, RenewalRule
from .._documents.finding_order import SEVERITIES, Finding, identity
from .accepted import Accepted
from .announced import Announced, client_auth_ends, lifetime_steps, midnight, support_days
from .audit import moment, unexplained
from .audit_gather import Result
from .audit_judge import NOTED, Reading, judge

DAYS = 90
# The findings with these codes only announce that something will break, so they are not forecast.
ADVANCE = frozenset(
    ("expires_soon", "certificate_expires_soon", "own_certificate_expires_soon", "renewal_due", "partnership_ends",
     "review_due")
)  # fmt: skip
# Findings of the severity info that are forecast.
_NOTES = frozenset(("support_ended", "updates_ended"))
# The usages of certificates that messages need.
_USAGES = ("XmppServer", "Internal", "Default")
# The areas that runs of the collection change. Windows and freezes apply to these areas.
_OURS = ("certificate", "own", "preflight")


@dataclass(frozen=True)
class Ahead:
    """Hold the settings of a forecast.

    days: the horizon in days.
    releases: the releases of the servers, such as ``2015``.
    rule: the renewal rule.
    control: windows and freezes.
    """

    days: int = DAYS
    releases: tuple[str, ...] = ()
    rule: RenewalRule = field(default_factory=RenewalRule)
    control: Control = field(default_factory=Control)


@dataclass(frozen=True)
class _Part:
    """Hold the inputs for a part of the decision.

    reading: the reading, limited to the part.
    turns: the moments (UTC) at which the inputs of the part change, without acceptances.
    declared: the settings of the part.
    releases: the releases of the servers, if the part checks the support of releases.
    names: the names of the part's objects; None for any name.
    """

    reading: Reading
    turns: tuple[datetime.datetime, ...]
    declared: t.Mapping[str, t.Any] = field(default_factory=dict)
    releases: tuple[str, ...] = ()
    names: frozenset[str] | None = frozenset()


def forecast(
    reading: Reading,
    findings: t.Iterable[Finding],
    now: datetime.datetime,
    *,
    declared: t.Mapping[str, t.Any],
    accepted: t.Sequence[Accepted] = (),
    ahead: Ahead,
) -> dict[str, t.Any]:
    """Return the value of ``forecast`` in audit.json.

    findings: the present findings.
    now: the present moment (UTC).
    declared, accepted: see ``judge()``.
    """
    end = now + ahead.days * DAY
    found = [*_decided(reading, findings, now, end, declared, accepted, ahead.releases)]
    found += _announced(reading, now, end, ahead)
    users = talkers(reading["existing"]["policies"])
    items = [_item(one, reading, now, ahead.control, users) for one in sorted(found, key=_order)]
    return {"days": ahead.days, "items": items}


def _order(one: Announced) -> tuple[t.Any, ...]:
    return one.at, SEVERITIES.index(one.severity), one.area, one.object, one.code


# The decision at later moments


def _decided(
    reading: Reading,
    findings: t.Iterable[Finding],
    now: datetime.datetime,
    end: datetime.datetime,
    declared: t.Mapping[str, t.Any],
    accepted: t.Sequence[Accepted],
    releases: tuple[str, ...],
) -> t.Iterator[Announced]:
    worst: dict[tuple[str, str, str], int] = {}
    for one in findings:
        rank = SEVERITIES.index(one["severity"])
        worst[identity(one)] = min(rank, worst.get(identity(one), rank))
    for part in _parts(reading, declared, releases):
        mine = [one for one in accepted if part.names is None or key_of(one.object) in part.names]
        ends = {midnight(one.until + DAY) for one in mine}
        for at in sorted({*part.turns, *ends}):
            if not now < at <= end:
                continue
            for one in _found(part, mine, at):
                rank = SEVERITIES.index(one["severity"])
                if rank < worst.get(identity(one), len(SEVERITIES)) and _breaks(one):
                    worst[identity(one)] = rank
                    yield Announced(
                        at, one["severity"], one["area"], one["code"], one["object"], one["message"], one["remedy"]
                    )


def _breaks(one: Finding) -> bool:
    return one["code"] in _NOTES if one["severity"] == "info" else one["code"] not in ADVANCE


def _found(part: _Part, accepted: t.Sequence[Accepted], at: datetime.datetime) -> list[Finding]:
    gathered = judge(part.reading, at, declared=part.declared, accepted=accepted, releases=part.releases)
    return [*gathered["findings"], *unexplained(gathered["partners"], gathered["findings"])]


def _parts(reading: Reading, declared: t.Mapping[str, t.Any], releases: tuple[str, ...]) -> t.Iterator[_Part]:
    existing, probe = reading["existing"], reading["probe"]
    nothing = {
        **reading,
        "existing": {**existing, "partners": [], "policies": [], "findings": [], "federation_routes": []},
        "plan": {"steps": []},
        "probe": {"skipped": True},
        "edges": {},
        "front_ends": {},
        "services": (),
        "views": {},
    }
    entries: dict[str, list[Result]] = defaultdict(list)
    for entry in probe.get("domains") or ():
        entries[key_of(entry["partner"] or "")].append(entry)
    for partner in existing["partners"]:
        name = key_of(partner["domain"])
        own = {"existing": {**nothing["existing"], "partners": [partner]}, "probe": {"domains": entries[name]}}
        yield _Part({**nothing, **own}, _turns(entries[name]), names=frozenset((name,)))
    for entry in probe.get("own") or ():
        alone = {**nothing, "probe": {"domains": [], "own": [entry]}}
        yield _Part(alone, _turns([entry]), names=frozenset((key_of(entry["domain"]),)))
    servers = {name: reading.get(name) or nothing[name] for name in ("edges", "front_ends", "services", "views")}
    reads = (*servers["edges"].values(), *servers["front_ends"].values())
    certificates = [one for read in reads for one in read.get("certificates") or ()]
    yield _Part({**nothing, **servers}, _turns(certificates), names=None)
    # Only acceptances have dates in this part.
    static = {**reading, **{name: nothing[name] for name in servers}}
    static["probe"] = {**probe, "domains": [], "own": []} if "domains" in probe else probe
    static["existing"] = {**existing, "partners": []}
    yield _Part(static, (), names=None)
    for option, _area, key in NOTED:
        for item in declared.get(option) or ():
            days = {notes.day_of(item[one]) + DAY for one in notes.DATES if item.get(one) not in (None, "")}
            turns = tuple(map(midnight, days))
            yield _Part(nothing, turns, {option: [item]}, names=frozenset((key_of(str(item[key])),)))
    yield _Part(nothing, tuple(map(midnight, support_days(releases))), releases=releases)


def _turns(items: t.Iterable[Result]) -> tuple[datetime.datetime, ...]:
    return tuple(moment(state["from"]) for item in items for state in item.get("later") or ())


# Published dates


def _announced(reading: Reading, now: datetime.datetime, end: datetime.datetime, ahead: Ahead) -> t.Iterator[Announced]:
    servers = reading["edges"]
    yield from lifetime_steps(servers, ahead.rule, now, end)
    rows = {
        one["domain"]: Row(one["tls_negotiation"], one["sasl_negotiation"], one["support_dialback_negotiation"])
        for one in reading["existing"]["partners"]
    }
    yield from client_auth_ends(servers, reading["probe"].get("domains") or (), rows, now, end)


# The affected users and partners, and the last day to act


def talkers(policies: t.Iterable[Result]) -> int | None:
    """Return how many users may exchange messages with partners; None if the number is unknown.

    An audit reads only the users with a per-user policy. If the global policy or a site policy allows XMPP, other users
    may exchange messages too. The number of such users is unknown. Policies do not name partners, so all partners have
    the
    same users.
    """
    number = 0
    for policy in policies:
        if not (policy["enable_federation_access"] and policy["enable_xmpp_access"]):
            continue
        if not is_per_user(key_of(policy["identity"])) or policy.get("granted_to") is None:
            return None
        number += len(policy["granted_to"])
    return number


def _item(
    one: Announced, reading: Reading, now: datetime.datetime, control: Control, users: int | None
) -> dict[str, t.Any]:
    partners = _partners(one, reading)
    day = last_day(one.at, now, control if one.area in _OURS else Control())
    return {
        "at": utc(one.at),
        "last_day": day and day.isoformat(),
        **{name: getattr(one, name) for name in ("code", "severity", "area", "object", "message", "remedy")},
        "partners": len(partners),
        "users": users if partners else 0,
    }


def _partners(one: Announced, reading: Reading) -> tuple[str, ...]:
    """Return the partners with which messages no longer pass. A warning breaks no partner at once."""
    if one.partners or one.severity != "error":
        return one.partners
    if one.area == "partner":
        return (one.object,)
    if one.area == "certificate" and not one.object.endswith(_USAGES):
        return ()
    every = tuple(str(partner["domain"]) for partner in reading["existing"]["partners"])
    return every if one.area in _OURS else ()


def last_day(at: datetime.datetime, now: datetime.datetime, control: Control) -> datetime.date | None:
    """Return the last whole day (UTC) before a moment on which a run may write; None if no day is left.

    One day is reserved for replication, restarts and DNS caches.
    """
    day = (at - DAY).date()
    while day >= now.date():
        if _open(day, now, control):
            return day
        day -= DAY
    return None


def _open(day: datetime.date, now: datetime.datetime, control: Control) -> bool:
    """Return whether windows and freezes allow a run on this day. The check is made for every quarter of an hour."""
    if control.allowed or not (control.windows or control.freezes):
        return True
    moments = (midnight(day) + quarter * datetime.timedelta(minutes=15) for quarter in range(96))
    return any(
        not any(one.covers(at) for one in control.freezes)
        and (not control.windows or any(one.covers(at) for one in control.windows))
        for at in moments
        if at >= now
    )
