# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a user, a partner and the deployment between them, and what is said of it: the values of explain."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR, Finding
from .._federation.negotiation import Row

# out: from the user to the partner. in: from the partner to the user.
Direction = t.Literal["out", "in"]
BOTH: tuple[Direction, ...] = ("out", "in")

Scope = t.Literal["user", "site", "global"]


@dataclass(frozen=True)
class User:
    """enabled: False if there is no such user, or the user is disabled. pool: the home. has_xmpp: whether that is a
    Front End pool of Lync Server 2013 or Skype for Business Server 2015; lack: why it is none. policy: the effective
    one; scope: which of the three it is; xmpp, federation: whether it gives that access.
    """

    address: str
    enabled: bool | None = None
    pool: str = ""
    has_xmpp: bool | None = None
    policy: str = ""
    scope: Scope | None = None
    xmpp: bool | None = None
    federation: bool | None = None
    lack: str = ""


@dataclass(frozen=True)
class Partner:
    """domain: that of the message. allowed: whether a partner has it. identity: that partner's own domain, which is
    another one if ``domain`` is one of its additional domains. type: as option ``partner_type``. sip: which list of
    SIP federation has the domain, allowed or blocked; '' if neither.
    """

    domain: str
    allowed: bool | None = None
    identity: str = ""
    type: str = ""
    row: Row | None = None
    sip: str | None = ""


@dataclass(frozen=True)
class Service:
    """A Windows service that XMPP needs. kind: gateway (Front End) or proxy (Edge)."""

    kind: t.Literal["gateway", "proxy"]
    host: str
    name: str
    running: bool | None = None


@dataclass(frozen=True)
class OwnCertificate:
    """Of an Edge, for XmppServer. assigned: whether there is one. faults: why it proves nothing, such as its end."""

    host: str
    assigned: bool | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deployment:
    """access_edge: AllowFederatedUsers. route: the Edge pool of the site's XMPP federation route; '' if there is none.

    services, certificates: empty if they were not looked at. has_xmpp: whether XMPP federation is enabled on that Edge
    pool. behind: servers that carry XMPP and whose replica is not up to date.
    """

    access_edge: bool | None = None
    route: str | None = None
    services: tuple[Service, ...] = ()
    certificates: tuple[OwnCertificate, ...] = ()
    has_xmpp: bool | None = True
    behind: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Probed:
    """Findings about the partner, and about what is published of the user's domain; None: not probed.

    requires_tls: whether the partner's server was seen to require TLS.
    """

    partner: tuple[Finding, ...] | None = None
    own: tuple[Finding, ...] | None = None
    requires_tls: bool = False

    @property
    def no_dialback(self) -> bool:
        """Whether the partner was seen not to take dialback, where its row has it beside certificates."""
        return any(one.code in ("dialback_not_offered", "dialback_refused") for one in self.partner or ())


@dataclass(frozen=True)
class Link:
    """severity: '' if it is good, else one of _base.findings. blocks: the directions that it ends if it is broken."""

    name: str
    severity: str
    text: str
    remedy: str = ""
    blocks: tuple[Direction, ...] = BOTH

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "severity": self.severity or "ok",
            "text": self.text,
            "remedy": self.remedy,
            "blocks": list(self.blocks) if self.severity == ERROR else [],
        }


@dataclass(frozen=True)
class Explanation:
    """links: the whole chain in its order. sentence: what is to be told."""

    links: tuple[Link, ...]
    sentence: str

    def broken(self, direction: Direction | None = None) -> Link | None:
        """The first broken link of a direction, or of any."""
        for link in self.links:
            if link.severity == ERROR and (direction is None or direction in link.blocks):
                return link
        return None

    def as_dict(self) -> dict[str, t.Any]:
        first = self.broken()
        return {
            "sentence": self.sentence,
            "first_broken": None if first is None else first.name,
            "out": None if (out := self.broken("out")) is None else out.name,
            "in": None if (into := self.broken("in")) is None else into.name,
            "links": [link.as_dict() for link in self.links],
        }
