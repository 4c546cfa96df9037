# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes domains: one after the steps of a server that wants to send a message, many at the same time.

Nothing is sent but the handshake, and no step is without its end.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import functools
import os
import traceback
import typing as t
from dataclasses import dataclass, replace

from .._base.findings import Finding
from .._federation.negotiation import TCP_DIALBACK, Row
from .._x509 import certificate as x509
from .._x509.certificate import Bundle
from .._x509.later import shown
from .._xmpp.budget import Budget, TimeUp
from .._xmpp.client import Contexts
from .advice import advise
from .certificate import examine, examine_later
from .conversation import converse
from .dns import Resolver
from .facts import MOST_SERVERS, Addresses, Attempt, Ended, Facts, ServiceRecord, is_local
from .findings import check_name, check_partner, verdict
from .options import DEFAULT_PORT
from .own import check_own
from .rows import accepts, falls_to_clear, number, options, suggest, uses

if t.TYPE_CHECKING:
    from cryptography.x509 import Certificate

# All steps of a domain together have so many times the time of one.
_STEPS = 6
# Seconds in which a certificate is checked even if it came as the time for the domain ended.
_CHECK = 1.0

Entry = dict[str, t.Any]
Found = t.TypeVar("Found")


@dataclass(frozen=True)
class Job:
    """A domain to probe. partner: the declared domain to which it belongs, '' for none; row and proxy: as declared.

    unusable: why nothing can be asked about it, where the name was read from a server.
    """

    domain: str
    partner: str = ""
    row: Row | None = None
    proxy: str = ""
    unusable: str = ""


@dataclass(frozen=True)
class ProbeSettings:
    """from_: the own domain that asks. timeout: seconds for a step. expires_within: days.

    allow_local: also connect to loopback, link-local, multicast and unspecified addresses, which name the controller
    itself or its neighbours. clock: tells the time at which certificates are checked (UTC, aware).
    """

    from_: str
    anchors: tuple[Certificate, ...]
    timeout: float
    expires_within: int
    own: Bundle | None = None
    gateway_port: int = DEFAULT_PORT
    allow_local: bool = False
    clock: t.Callable[[], datetime.datetime] = functools.partial(datetime.datetime.now, datetime.timezone.utc)


class Prober:
    """May be used by several threads at once."""

    def __init__(self, settings: ProbeSettings, resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver
        self._contexts = Contexts(settings.own)
        self._anonymous = Contexts()

    @property
    def asks_as(self) -> str:
        """The own domain in whose name partners are asked."""
        return self._settings.from_

    def partner(self, job: Job) -> Entry:
        """Everything about a partner's domain."""
        budget = self._budget()
        facts = Facts(job.domain, unusable=job.unusable)
        if not job.unusable:
            facts = self._probe(job.domain, self._settings.from_, self._contexts, budget, job.proxy, row=job.row)
        findings = check_partner(facts, job.row)
        later = _later(facts, functools.partial(check_partner, row=job.row))
        suggested = suggest(facts)
        return {
            **_entry(facts, findings, budget),
            "partner": job.partner or None,
            "sasl_external": facts.external,
            "dialback": facts.dialback,
            "accepts": None if facts.header is None else dict(accepts(facts)),
            "declared": None if job.row is None else _declared(job.row, facts),
            "advice": advise(facts, job.row),
            "suggestion": None if suggested is None else options(suggested),
            "later": later,
        }

    def change(self, job: Job, former: Job | None) -> tuple[Entry, Entry | None]:
        """The same for new settings, and for those that they replace. What is tried follows from the settings."""
        return self.partner(job), None if former is None else self.partner(former)

    def own(self, domain: str, asks: str, access_edge: str, tls: bool = True, unusable: str = "") -> Entry:
        """What a partner (``asks``) sees of an own domain: it is to the partners that the gateway answers.

        tls: whether that partner's row has TLS, so that the gateway has to offer it. unusable: as that of a Job.
        """
        budget = self._budget()
        if unusable:
            facts = Facts(domain, unusable=unusable)
            return {**_entry(facts, list(check_name(facts)), budget), "later": []}
        facts = self._probe(domain, asks, self._anonymous, budget, own=True)
        edge = None
        try:
            for service in facts.services.records if facts.services is not None else ():
                self._addresses(facts, service.host, budget)
            edge = self._resolver.addresses(access_edge, budget) if access_edge else None
        except TimeUp:
            edge = Addresses("unknown", (), "the time for the domain was spent")
        given = self._settings.own
        thumbprint = x509.thumbprint(given.certificate) if given is not None else ""
        port = self._settings.gateway_port

        def judge(seen: Facts) -> list[Finding]:
            return check_own(seen, access_edge, edge, thumbprint, port, tls)

        return {**_entry(facts, judge(facts), budget), "later": _later(facts, judge)}

    def _budget(self) -> Budget:
        return Budget(self._settings.timeout, _STEPS * self._settings.timeout)

    def _probe(
        self,
        domain: str,
        from_: str,
        contexts: Contexts,
        budget: Budget,
        proxy: str = "",
        own: bool = False,
        row: Row | None = None,
    ) -> Facts:
        """Try the domain's servers in their order, until one answers. own: only what is published, and no versions."""
        facts = Facts(domain, own_certificate=contexts.own is not None)
        try:
            for service, address in self._servers(facts, proxy, budget, fallback=not own):
                earlier = facts.ended
                chain = converse(facts, service, address, from_, contexts, budget, versions=not own, row=row)
                if chain:
                    facts.certificate, facts.faults, facts.later = self._examine(chain, domain, budget)
                if facts.attempts[-1].result == "answered":
                    break
                if facts.ended is not None and facts.ended.stage == "connect" and earlier is not None:
                    facts.ended = earlier  # a server that answers nonsense says more than one that does not answer
            if not own and not proxy and facts.header is None:
                facts.direct_services = self._resolver.services(domain, budget, direct=True)
        except TimeUp:
            if facts.ended is None or facts.ended.stage == "connect":
                facts.ended = Ended("connect", "time_up")
        except Exception as exc:  # noqa: BLE001 - what one peer brings about must not hide what is seen of the others
            last = traceback.extract_tb(exc.__traceback__)[-1]
            facts.mistake = "%s in %s:%s" % (type(exc).__name__, os.path.basename(last.filename), last.lineno)
        return facts

    def _servers(
        self, facts: Facts, proxy: str, budget: Budget, fallback: bool
    ) -> t.Iterator[tuple[ServiceRecord, str]]:
        """Hosts with their addresses: at most MOST_SERVERS, and local ones only if allowed. Raises TimeUp.

        What is not tried is among the attempts all the same.
        """
        tried = 0
        for service, address in self._published(facts, proxy, budget, fallback):
            if tried >= MOST_SERVERS:
                facts.attempts.append(Attempt(service.host, address, service.port, "not_tried"))
                return
            if is_local(address) and not self._settings.allow_local:
                facts.attempts.append(Attempt(service.host, address, service.port, "local"))
                continue
            tried += 1
            yield service, address

    def _published(
        self, facts: Facts, proxy: str, budget: Budget, fallback: bool
    ) -> t.Iterator[tuple[ServiceRecord, str]]:
        if proxy:
            services: tuple[ServiceRecord, ...] = (ServiceRecord(proxy, DEFAULT_PORT),)
        else:
            facts.services = self._resolver.services(facts.domain, budget)
            services = facts.services.records
            if facts.services.state == "none" and fallback:
                services = (ServiceRecord(facts.domain, DEFAULT_PORT),)
        for service in services:
            if service.is_address:
                continue  # RFC 2782: a target is a name, and the gateway asks DNS for its address
            for address in self._addresses(facts, service.host, budget).addresses:
                yield service, address

    def _addresses(self, facts: Facts, host: str, budget: Budget) -> Addresses:
        if host not in facts.addresses:
            facts.addresses[host] = self._resolver.addresses(host, budget)
        return facts.addresses[host]

    def _examine(
        self, chain: t.Sequence[Certificate], domain: str, budget: Budget
    ) -> tuple[dict[str, t.Any] | None, dict[str, str], list[tuple[datetime.datetime, dict[str, str]]]]:
        now = self._settings.clock()
        within, seconds = self._settings.expires_within, budget.at_least(_CHECK)
        anchors = self._settings.anchors
        found, faults = examine(chain, domain, anchors, now, within, seconds)
        later = examine_later(chain, domain, anchors, now, within, faults, budget.at_least(_CHECK))
        return found or None, faults, later


def concurrently(calls: t.Sequence[t.Callable[[], Found]], workers: int) -> list[Found]:
    """The results of the calls, in their order."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, min(workers, len(calls)))) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def _entry(facts: Facts, findings: t.Sequence[Finding], budget: Budget) -> Entry:
    return {
        "domain": facts.domain,
        "verdict": verdict(findings),
        "srv": [service.as_dict() for service in facts.services.records] if facts.services is not None else [],
        "addresses": {host: list(found.addresses) for host, found in facts.addresses.items()},
        "attempts": [attempt.as_dict() for attempt in facts.attempts],
        "stream": facts.header.as_dict() if facts.header is not None else None,
        "features_before_tls": facts.before.as_dict() if facts.before is not None else None,
        "features_after_tls": facts.after.as_dict() if facts.after is not None else None,
        "tls": _tls(facts),
        "certificate": facts.certificate,
        "findings": [finding.as_dict() for finding in findings],
        "seconds": round(budget.spent(), 2),
    }


def _later(facts: Facts, judge: t.Callable[[Facts], list[Finding]]) -> list[dict[str, t.Any]]:
    """The findings that there will be if nothing changes but the time, each with the moment from which on."""
    states = ((at, judge(replace(facts, faults=faults))) for at, faults in facts.later)
    return shown(
        (at, {"verdict": verdict(found), "findings": [one.as_dict() for one in found]}) for at, found in states
    )


def _tls(facts: Facts) -> dict[str, t.Any] | None:
    if not facts.tls and not facts.versions:
        return None
    return {"version": facts.tls or None, "cipher": facts.cipher or None, "versions": dict(facts.versions)}


def _declared(row: Row, facts: Facts) -> dict[str, t.Any]:
    used = (TCP_DIALBACK,) if falls_to_clear(facts, row) else uses(facts, row)
    return {
        "row": number(row),
        **options(row),
        "level": row.level,
        "methods": list(row.methods),
        "uses": None if facts.header is None else list(used),
    }
