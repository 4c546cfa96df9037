# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe many domains at the same time. For each domain, take the steps of a server that wants to send a message.

The probe sends only the handshake. Every step has a time limit.
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
from .certificate import examine, examine_later, for_clients
from .conversation import converse
from .dns import Resolver
from .facts import MOST_SERVERS, Addresses, Attempt, Ended, Facts, ServiceRecord, is_local
from .findings import check_name, check_partner, verdict
from .options import DEFAULT_PORT
from .own import check_own
from .rows import accepts, falls_to_clear, number, options, suggest, uses
from .what_if import what_if

if t.TYPE_CHECKING:
    from cryptography.x509 import Certificate

# The time limit for all steps of a domain, as a multiple of the time limit for one step.
_STEPS = 6
# Seconds to check a certificate, even if the time limit for the domain is reached.
_CHECK = 1.0

Entry = dict[str, t.Any]
Found = t.TypeVar("Found")


@dataclass(frozen=True)
class Job:
    """Describe a domain to probe.

    partner: the declared domain of the partner; '' for no partner.
    row, proxy: the declared settings.
    unusable: why a name that was read from a server cannot be probed.
    """

    domain: str
    partner: str = ""
    row: Row | None = None
    proxy: str = ""
    unusable: str = ""


@dataclass(frozen=True)
class ProbeSettings:
    """Describe the settings of a probe.

    from_: the own domain in the stream headers.
    timeout: seconds for one step.
    expires_within: days.
    allow_local: also connect to loopback, link-local, multicast and unspecified addresses. Such addresses belong to the
        controller or to its neighbours.
    clock: returns the time for the checks of certificates (UTC, aware).
    what_if: also compute the effect of possible events on declared partners (what_if.py).
    """

    from_: str
    anchors: tuple[Certificate, ...]
    timeout: float
    expires_within: int
    own: Bundle | None = None
    gateway_port: int = DEFAULT_PORT
    allow_local: bool = False
    clock: t.Callable[[], datetime.datetime] = functools.partial(datetime.datetime.now, datetime.timezone.utc)
    what_if: bool = False


class Prober:
    """Probe domains. Several threads can call this method at the same time."""

    def __init__(self, settings: ProbeSettings, resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver
        self._contexts = Contexts(settings.own)
        self._anonymous = Contexts()
        self._servers_only = settings.own is not None and not for_clients(settings.own.certificate)

    @property
    def asks_as(self) -> str:
        """Return the own domain in the stream headers of the probe."""
        return self._settings.from_

    def partner(self, job: Job) -> Entry:
        """Return the entry for a partner's domain."""
        budget = self._budget()
        facts = Facts(job.domain, unusable=job.unusable)
        if not job.unusable:
            facts = self._probe(job.domain, self._settings.from_, self._contexts, budget, job.proxy, row=job.row)
        findings = check_partner(facts, job.row)
        later = _later(facts, functools.partial(check_partner, row=job.row))
        suggested = suggest(facts)
        then = None
        if self._settings.what_if and job.row is not None:
            then = what_if(facts, job.row, bool(job.proxy), self._servers_only)
        return {
            **_entry(facts, findings, budget),
            **({} if then is None else {"what_if": [one.as_dict() for one in then]}),
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
        """Return the entries for the new and for the former settings. The settings decide which steps are tested."""
        return self.partner(job), None if former is None else self.partner(former)

    def own(self, domain: str, asks: str, access_edge: str, tls: bool = True, unusable: str = "") -> Entry:
        """Return the entry for an own domain, from a partner's view. The gateway answers only to partners.

        asks: the partner's domain in the stream header.
        tls: whether this partner's settings have TLS, so that the gateway must offer TLS.
        unusable: see Job.
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
            edge = Addresses("unknown", (), "the time limit for the domain was reached")
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
        """Test the domain's servers in their order, until one answers.

        own: test only the published servers, and do not test each TLS version.
        """
        facts = Facts(domain, own_certificate=contexts.own is not None)
        bare = self._anonymous if self._settings.what_if else None
        try:
            for service, address in self._servers(facts, proxy, budget, fallback=not own):
                earlier = facts.ended
                chain = converse(facts, service, address, from_, contexts, budget, not own, row, bare)
                if chain:
                    facts.certificate, facts.faults, facts.later = self._examine(chain, domain, budget)
                if facts.attempts[-1].result == "answered":
                    break
                if facts.ended is not None and facts.ended.stage == "connect" and earlier is not None:
                    facts.ended = earlier  # a wrong answer is more useful than no answer
            if not own and not proxy and facts.header is None:
                facts.direct_services = self._resolver.services(domain, budget, direct=True)
        except TimeUp:
            if facts.ended is None or facts.ended.stage == "connect":
                facts.ended = Ended("connect", "time_up")
        except Exception as exc:  # noqa: BLE001 - an error with one peer must not hide the results of other peers
            last = traceback.extract_tb(exc.__traceback__)[-1]
            facts.mistake = "%s in %s:%s" % (type(exc).__name__, os.path.basename(last.filename), last.lineno)
        return facts

    def _servers(
        self, facts: Facts, proxy: str, budget: Budget, fallback: bool
    ) -> t.Iterator[tuple[ServiceRecord, str]]:
        """Yield hosts with their addresses: at most MOST_SERVERS, and local addresses only if allowed. Raises TimeUp.

        Addresses that are not tested are also recorded as attempts.
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
                continue  # RFC 2782: a target must be a name, and the gateway looks up its address
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
    """Run the calls in parallel, and return their results in the same order."""
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
    """Return the later findings if only the time changes, each set with its first moment."""
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
