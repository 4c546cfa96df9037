# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment with its partners over a year, by chance: certificates end, CAs end, people act or do not.

It is audited on the days on which an input changes, as xmpp_audit does: certificates are read by xmpp_gateway_cert_info
from an Edge in memory, partners are judged by the prober from what their servers would show, and decide() decides. The
world knows nothing of forecasts: when it is looked at next follows from its own certificates and dates.
"""

from __future__ import annotations

import datetime
import random
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import utc
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import INFO_ARGUMENT_SPEC, info
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import Row
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.dns import Resolver
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import (
    Addresses,
    Attempt,
    Ended,
    Facts,
    PeerHeader,
    PeerOffer,
    ServiceRecord,
    Services,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.prober import Job, Prober, ProbeSettings
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import VALID, options
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.budget import Budget
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import Audit
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import accepted
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_decide import decide
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.forecast import Ahead
from cryptography import x509

from tests.unit.certificates import BOTH, NOW, EdgeShell, Issued, elliptic_key, issue
from tests.unit.module_utils.states import make, run

UTC = datetime.timezone.utc
BEGIN = datetime.datetime(2026, 12, 1, 12, tzinfo=UTC)
END = BEGIN + datetime.timedelta(days=365)
DAY = datetime.timedelta(days=1)
OWN = ("access.contoso.test", "contoso.test")
# From when on public certificates live so long at most, and when public CAs of this world end client authentication.
LIVES = ((datetime.datetime(2026, 3, 15, tzinfo=UTC), 200), (datetime.datetime(2027, 3, 15, tzinfo=UTC), 100))
_PUBLIC = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.1"), None)])
WITHIN = 30


@dataclass
class Authority:
    """A CA with a root, and the intermediates that it has had. public: under the rules for public certificates."""

    public: bool
    root: Issued
    issuing: list[Issued] = field(default_factory=list)


@dataclass
class Held:
    """A certificate in use and what is sent with it. source: who issues its successor."""

    leaf: Issued
    above: Issued
    source: Authority


@dataclass
class Partner:
    domain: str
    row: Row
    held: Held
    external: str
    dialback: bool
    unreachable: float = 0.0


class World:
    """One deployment. acts: what people will do on which day; ``touched``: what they did to which objects."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.chance = chance = random.Random(seed)
        self.directory = directory
        self.now = BEGIN
        self.authorities = [self._authority(public) for public in (True, False)]
        self.edges = {"edge%02d" % n: self._certificate(OWN) for n in range(1, chance.choice((2, 2, 2, 3)))}
        self.partners = [self._partner("p%d.test" % n) for n in range(chance.choice((1, 1, 2, 3)))]
        self.strange = self._authority(False)
        if chance.random() < 0.2:
            self.partners[0].held.source = self.strange
            self.partners[0].held = self._renewed(self.partners[0].held, (self.partners[0].domain,))
        self.notes = [self._notes(one.domain) for one in self.partners]
        self.accepted = [one for partner in self.partners for one in self._acceptances(partner.domain)]
        self.touched: list[tuple[datetime.datetime, frozenset[str]]] = []
        self.acts = sorted(self._acts())
        trusted = [self.authorities[0].root, self.authorities[1].root]
        self.store = directory / ("%d.pem" % seed)
        self.store.write_bytes(b"".join(one.pem for one in trusted))
        self.anchors = tuple(one.certificate for one in trusted)
        partners = [{"domain": one.domain, "connection_limit": 5, **options(one.row)} for one in self.partners]
        shell = make(
            {"partners": partners, "access_edge": {"allow_outside_users": True, "allow_federated_users": True}}
        )
        self.existing = run(FEDERATION_INFO, shell).as_dict()
        self._prober = _Prober(self)

    # How it came about

    def _dated(self, start: datetime.datetime, days: float, **given: t.Any) -> t.Any:
        """Whole seconds, whatever the time of the test."""
        return issue(key=elliptic_key(), start=(start - NOW) / DAY, days=days, **given)

    def _authority(self, public: bool) -> Authority:
        lived, whole = self.chance.uniform(0, 3000), self.chance.choice((3100, 3650, 7300))
        name = "%s Root %d" % ("Public" if public else "Private", self.chance.randint(0, 10**9))
        root = self._dated(self.now - lived * DAY, whole, subject=name, ca=True)
        made = Authority(public, root)
        self._intermediate(made, self.chance.uniform(20, 1000))
        return made

    def _intermediate(self, authority: Authority, left: float) -> Issued:
        name = "Issuing %d" % self.chance.randint(0, 10**9)
        made: Issued = self._dated(self.now - 30 * DAY, 30 + left, subject=name, issuer=authority.root, ca=True)
        authority.issuing.append(made)
        return made

    def _certificate(self, names: tuple[str, ...], source: Authority | None = None, lived: bool = True) -> Held:
        """lived: whether a part of its life is over."""
        source = source or self.chance.choice(self.authorities)
        most = next(days for since, days in reversed(LIVES) if since <= self.now)
        whole = self.chance.choice((6, 47, 90, most)) if source.public else self.chance.choice((90, 365, 730))
        start = self.now - (self.chance.random() * whole * 0.9 * DAY if lived else 0.01 * DAY)
        above = source.issuing[-1]
        # A public CA of this world gives both purposes until its rules end that.
        both = not source.public or (self.chance.random() < 0.5 and start < LIVES[1][0])
        given = {"purposes": BOTH if both else BOTH[:1], "more": [_PUBLIC] if source.public else []}
        leaf = self._dated(start, whole, subject=names[0], names=names, issuer=above, **given)
        return Held(leaf, above, source)

    def _renewed(self, held: Held, names: tuple[str, ...]) -> Held:
        """From a CA whose root and intermediate are valid for a while: nobody takes another."""
        if held.source.root.certificate.not_valid_after_utc < self.now + 400 * DAY:
            held = replace(held, source=max(self.authorities, key=lambda one: one.root.certificate.not_valid_after_utc))
        above = held.source.issuing[-1].certificate
        if above.not_valid_after_utc < self.now + 100 * DAY:
            self._intermediate(held.source, self.chance.uniform(100, 1000))
        return self._certificate(names, held.source, lived=False)

    def _partner(self, domain: str) -> Partner:
        row = self.chance.choice(VALID)
        held = self._certificate((domain,))
        external = self.chance.choice(("succeeded", "succeeded", "not offered"))
        return Partner(domain, row, held, external, self.chance.random() < 0.6, self.chance.choice((0, 0, 0.05)))

    def _notes(self, domain: str) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {"domain": domain}
        for option in ("until", "review_by"):
            if self.chance.random() < 0.3:
                found[option] = self._day()
        return found

    def _acceptances(self, domain: str) -> t.Iterator[dict[str, t.Any]]:
        codes = ("certificate_client_auth", "certificate_untrusted", "row_does_not_work", "dialback_not_offered")
        for code in codes:
            if self.chance.random() < 0.3:
                yield {"code": code, "object": domain, "reason": "r", "ticket": "CHG-1", "until": self._day()}

    def _day(self) -> str:
        return (self.now + self.chance.uniform(-20, 380) * DAY).date().isoformat()

    def _acts(self) -> t.Iterator[tuple[datetime.datetime, str, str]]:
        """Nobody acts in half of the worlds."""
        if self.chance.random() < 0.5:
            return
        for host in self.edges:
            for _number in range(self.chance.randint(0, 4)):
                yield BEGIN + self.chance.uniform(0, 365) * DAY, "edge", host
        for partner in self.partners:
            for _number in range(self.chance.randint(0, 3)):
                yield BEGIN + self.chance.uniform(0, 365) * DAY, "partner", partner.domain
            if self.chance.random() < 0.3:
                yield BEGIN + self.chance.uniform(0, 365) * DAY, "note", partner.domain
            if self.chance.random() < 0.3:
                yield BEGIN + self.chance.uniform(0, 365) * DAY, "acceptance", partner.domain

    # What passes

    def next_day(self) -> datetime.datetime | None:
        """The first noon after which an input is another one; None after the year."""
        found = [at for at, _what, _name in self.acts]
        held = [*self.edges.values(), *(partner.held for partner in self.partners)]
        for one in held:
            start, end = one.leaf.certificate.not_valid_before_utc, one.leaf.certificate.not_valid_after_utc
            found += [start, end, *(end - min(days * DAY, (end - start) / 3) for days in (14, WITHIN))]
            for above in (one.above, one.source.root):
                found += [above.certificate.not_valid_before_utc, above.certificate.not_valid_after_utc]
        for option in ("until", "review_by"):
            days = [_midnight(one[option]) for one in (*self.notes, *self.accepted) if option in one]
            found += [*(day + DAY for day in days), *(day - 30 * DAY for day in days)]
        after = min((at for at in found if at > self.now), default=END)
        noon = after.replace(hour=12, minute=0, second=0, microsecond=0)
        noon += DAY if noon <= after else datetime.timedelta(0)
        # Nobody audits less than once in a quarter.
        noon = min(noon, self.now + 80 * DAY)
        return noon if noon < END else None

    def pass_to(self, moment: datetime.datetime) -> None:
        while self.acts and self.acts[0][0] <= moment:
            self.now, what, name = self.acts.pop(0)
            self._act(what, name)
        self.now = moment

    def _act(self, what: str, name: str) -> None:
        if what == "edge":
            self.edges[name] = self._renewed(self.edges[name], OWN)
            self.touched.append((self.now, frozenset(("default", "contoso.test", "%s XmppServer" % name))))
            return
        self.touched.append((self.now, frozenset((name,))))
        if what == "partner":
            (partner,) = (one for one in self.partners if one.domain == name)
            partner.held = self._renewed(partner.held, (name,))
        for one in self.notes if what == "note" else self.accepted if what == "acceptance" else ():
            if name in (one.get("domain"), one.get("object")):
                later = (self.now + self.chance.uniform(30, 380) * DAY).date().isoformat()
                one.update((option, max(later, one[option])) for option in ("until", "review_by") if option in one)

    # The audit

    def audit(self, days: int) -> Audit:
        names = [str(one["domain"]) for one in self.existing["partners"]]
        jobs = [Job(one.domain, one.domain, one.row) for one in self.partners if one.domain in names]
        entries = [self._prober.partner(job) for job in jobs]
        own = self._prober.own(OWN[1], jobs[0].domain, "")
        entries_accepted, mistakes = accepted.read(self.accepted, self.now.date())
        assert mistakes == []
        return decide(
            deployment="default",
            host="fe01",
            time=utc(self.now),
            existing=self.existing,
            plan={"steps": [], "summary": {}},
            probe={"domains": entries, "own": [own]},
            edges={host: self._read(held) for host, held in self.edges.items()},
            access_edge=OWN[0],
            declared={"partners": self.notes},
            accepted=entries_accepted,
            ahead=Ahead(days=days, releases=("2015",)),
        )

    def _read(self, held: Held) -> dict[str, t.Any]:
        """What xmpp_gateway_cert_info returns on an Edge that day."""
        edge = EdgeShell(intermediates=[held.above.der], roots=[held.source.root.der])
        edge.store[held.leaf.thumbprint] = (held.leaf.der, True)
        edge.assigned["XmppServer"] = held.leaf.thumbprint
        given = {name: spec.get("default") for name, spec in INFO_ARGUMENT_SPEC.items()}
        given |= {"names": list(OWN), "trust_store": str(self.store), "renew": {"as_of": utc(self.now)}}
        return dict(info(given, edge, True).values)


class _Prober(Prober):
    """Sees what the servers of a world would show; everything else is the prober's."""

    def __init__(self, world: World) -> None:
        settings = ProbeSettings(OWN[1], world.anchors, 1.0, WITHIN, clock=lambda: world.now)
        super().__init__(settings, Resolver(["127.0.0.1:9"]))
        self._world = world

    def _probe(self, domain: str, from_: str, contexts: t.Any, budget: Budget, *given: t.Any, **more: t.Any) -> Facts:
        world = self._world
        if domain == OWN[1]:
            facts = _facts(domain, OWN[0], "offered", True)
            held = world.edges["edge01"]
        else:
            (partner,) = (one for one in world.partners if one.domain == domain)
            if world.chance.random() < partner.unreachable:
                return _silent(domain)
            facts, held = _facts(domain, "xmpp." + domain, partner.external, partner.dialback), partner.held
        chain = [held.leaf.certificate, held.above.certificate]
        facts.certificate, facts.faults, facts.later = self._examine(chain, domain, budget)
        return facts


def _facts(domain: str, host: str, external: t.Any, dialback: bool) -> Facts:
    """A server that speaks TLS 1.2 and demands it."""
    return Facts(
        domain,
        services=Services("found", (ServiceRecord(host, 5269),)),
        addresses={host: Addresses("found", ("192.0.2.10",))},
        attempts=[Attempt(host, "192.0.2.10", 5269, "answered")],
        header=PeerHeader(domain, "1.0", dialback),
        before=PeerOffer("required"),
        after=PeerOffer("", ("EXTERNAL",) if external != "not offered" else (), dialback),
        tls="TLSv1.2",
        own_certificate=True,
        external=external,
    )


def _silent(domain: str) -> Facts:
    host = "xmpp." + domain
    return Facts(
        domain,
        services=Services("found", (ServiceRecord(host, 5269),)),
        addresses={host: Addresses("found", ("192.0.2.10",))},
        attempts=[Attempt(host, "192.0.2.10", 5269, "timeout")],
        ended=Ended("connect", "timeout"),
    )


def _midnight(day: str) -> datetime.datetime:
    return datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(), UTC)
