# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Edge sees of partners, and what the product logged there: values, and their form as a task's result. Pure.

An answer of an Edge is compared and shown. It never tells the controller where to connect.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from .._base.result import Refused
from .facts import ServiceRecord

# Of the result's form. A later form has a higher number.
FORM = 1
Named = t.Literal["found", "none", "not_offered", "unknown"]


@dataclass(frozen=True)
class EdgeTarget:
    """A server of a domain. address: empty if its name has none. reached: None if it was not tried; text: why not, or
    what else is known.
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
    """What an Edge sees of a domain.

    named: what its DNS says: found (SRV records, or the address of the domain itself or of the proxy), none,
    not_offered (the target is the root) or unknown. records: SRV. targets: in the order in which they are tried.
    streams: TCP connections with the targets that are open now; None if unknown. text: why something is unknown.
    """

    domain: str
    named: Named
    records: tuple[ServiceRecord, ...] = ()
    targets: tuple[EdgeTarget, ...] = ()
    streams: int | None = None
    text: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the Edge reaches a server of the domain; None if that is unknown."""
        if any(one.reached for one in self.targets):
            return True
        if self.named in ("none", "not_offered"):
            return False
        if self.named == "unknown" or not self.targets or any(one.reached is None for one in self.targets):
            return None
        return False

    @property
    def first(self) -> EdgeTarget | None:
        """The first server that the Edge reaches."""
        return next((one for one in self.targets if one.reached), None)


@dataclass(frozen=True)
class LoggedEvent:
    """Events with one number of one provider. level: 1 (critical), 2 (error) or 3 (warning). text: of the last one."""

    id: int
    level: int
    provider: str
    count: int
    last: str
    text: str


@dataclass(frozen=True)
class EdgeView:
    """One Edge. host: in the inventory's words.

    sights: of the domains that it was asked about. left: how many it was not asked about, since the limit was reached.
    events: None if they could not be read; hours: of the log; more: whether the log has more than were read.
    unobserved: why something could not be seen, one text each.
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
        """The result of the task, plain values only."""
        return {"form": FORM, **t.cast("dict[str, t.Any]", _plain(asdict(self)))}


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def view_of(result: t.Mapping[str, t.Any]) -> EdgeView:
    """The view that a result tells of. Raises Refused for another form."""
    if result.get("form") != FORM:
        text = "the result of xmpp_edge_view has the form %r; this version of the collection reads %d"
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
