# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the results of an Edge: its tests of partners and its log, as values and as a task's result. Pure.

These results are only compared and shown. The controller never connects to an address because an Edge returned the
address.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from .._base.result import Refused
from .facts import ServiceRecord

# The number of the result's form. A later form has a higher number.
FORM = 1
Named = t.Literal["found", "none", "not_offered", "unknown"]


@dataclass(frozen=True)
class EdgeTarget:
    """Describe a server of a domain.

    address: empty if the name has no address.
    reached: None if the server was not tested.
    text: why the server was not tested, or more about the result.
    """

    host: str
    address: str
    port: int
    reached: bool | None = None
    text: str = ""

    @property
    def where(self) -> str:
        address = "[%s]" % self.address if ":" in self.address else self.address
        return "%s (%s:%d)" % (self.host, address, self.port)


@dataclass(frozen=True)
class Sight:
    """Describe the test results of an Edge for a domain.

    named: the result of the Edge's DNS: found (SRV records, or an address of the domain or of the proxy), none,
        not_offered (the target is the root) or unknown.
    records: the SRV records.
    targets: the servers in the order of connection attempts.
    streams: number of open TCP connections with the servers; None if unknown.
    text: why a value is unknown.
    """

    domain: str
    named: Named
    records: tuple[ServiceRecord, ...] = ()
    targets: tuple[EdgeTarget, ...] = ()
    streams: int | None = None
    text: str = ""

    @property
    def reached(self) -> bool | None:
        """Return whether the Edge reaches a server of the domain; None if unknown."""
        if any(one.reached for one in self.targets):
            return True
        if self.named in ("none", "not_offered"):
            return False
        if self.named == "unknown" or not self.targets or any(one.reached is None for one in self.targets):
            return None
        return False

    @property
    def first(self) -> EdgeTarget | None:
        """Return the first server that the Edge reaches."""
        return next((one for one in self.targets if one.reached), None)


@dataclass(frozen=True)
class LoggedEvent:
    """Describe the events with the same number and the same provider.

    level: 1 (critical), 2 (error) or 3 (warning).
    count: number of events.
    last: time of the last event.
    text: text of the last event.
    """

    id: int
    level: int
    provider: str
    count: int
    last: str
    text: str


@dataclass(frozen=True)
class EdgeView:
    """Describe the results of one Edge.

    host: the name of the Edge in the inventory.
    sights: the results for the tested domains.
    left: number of domains that were not tested because of the limit.
    events: the logged events; None if the log could not be read.
    hours: the hours of the log that were read.
    more: whether the log has more events than were read.
    unobserved: reasons why values are missing, one text for each reason.
    """

    host: str
    sights: tuple[Sight, ...] = ()
    left: int = 0
    events: tuple[LoggedEvent, ...] | None = None
    hours: int = 0
    more: bool = False
    unobserved: tuple[str, ...] = ()

    def of(self, domain: str) -> Sight | None:
        return next((one for one in self.sights if one.domain == domain), None)

    def as_dict(self) -> dict[str, t.Any]:
        """Return the result of the task in plain values."""
        return {"form": FORM, **t.cast("dict[str, t.Any]", _plain(asdict(self)))}


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def view_of(result: t.Mapping[str, t.Any]) -> EdgeView:
    """Convert a result to an EdgeView. Raises Refused if the result has an unexpected form."""
    if result.get("form") != FORM:
        text = "the result of xmpp_edge_view has the form %r, but this version of the collection reads the form %d"
        raise Refused([text % (result.get("form"), FORM)])
    events = result["events"]
    return EdgeView(
        host=str(result["host"]),
        sights=tuple(map(_sight, result["sights"])),
        left=int(result["left"]),
        events=None if events is None else tuple(LoggedEvent(**one) for one in events),
        hours=int(result["hours"]),
        more=bool(result["more"]),
        unobserved=tuple(map(str, result["unobserved"])),
    )


def _sight(given: t.Mapping[str, t.Any]) -> Sight:
    records = tuple(ServiceRecord(**one) for one in given["records"])
    targets = tuple(EdgeTarget(**one) for one in given["targets"])
    return Sight(str(given["domain"]), given["named"], records, targets, given["streams"], str(given["text"]))
