# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS as the prober needs it: SRV and address records, with every query bounded.

The hosts file is not consulted, because the partner's own servers do not see it either.
"""

from __future__ import annotations

import ipaddress
import typing as t

from .._base.names import Invalid
from .._base.texts import foreign
from .._xmpp.budget import Budget
from .facts import Addresses, ServiceRecord, Services

try:
    import dns.exception
    import dns.name
    import dns.nameserver
    import dns.resolver
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

# One unanswered packet must not use up the time of the whole query.
_RETRY_AFTER = 2.0


class Resolver:
    """nameservers: ``ADDRESS`` or ``ADDRESS:PORT`` (``[ADDRESS]:PORT`` for IPv6); empty: the system's.

    Raises Invalid for what is none, or where the system has none.
    """

    def __init__(self, nameservers: t.Sequence[str] = ()) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=not nameservers)
        except dns.resolver.NoResolverConfiguration as exc:
            raise Invalid("the system has no name servers configured; give some") from exc
        if nameservers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*_nameserver(one)) for one in nameservers]
        self._resolver.timeout = _RETRY_AFTER

    def services(self, domain: str, budget: Budget, direct: bool = False) -> Services:
        """The XMPP servers of a domain for other servers (RFC 6120 section 3.2.1). Raises TimeUp.

        direct: those for direct TLS (XEP-0368), which the gateway does not know.
        In the order of their priority, and the heaviest first. RFC 2782 would have the order drawn by weight; a probe
        that is repeated should take the same one.
        """
        name = "_xmpps-server._tcp." if direct else "_xmpp-server._tcp."
        state, records, text = self._query(name + domain, "SRV", budget)
        root = dns.name.root
        found = [ServiceRecord(_text(r.target), r.port, r.priority, r.weight) for r in records if r.target != root]
        if records and not found:
            return Services("not_offered")
        return Services(state, tuple(sorted(found, key=lambda s: (s.priority, -s.weight, s.host, s.port))), text)

    def addresses(self, host: str, budget: Budget) -> Addresses:
        """IPv4 first, which is what the gateway's networks have; sorted, so that probes are alike. Raises TimeUp."""
        state, records, text = self._query(host, "A", budget)
        if state == "unknown":
            return Addresses(state, (), text)
        other, more, text = self._query(host, "AAAA", budget)
        found = tuple(record.address for some in (records, more) for record in sorted(some))
        return Addresses("found" if found else other, found, "" if found else text)

    def _query(self, name: str, kind: str, budget: Budget) -> tuple[str, list[t.Any], str]:
        """(found, none or unknown; the records; why unknown)."""
        seconds = budget.seconds()
        try:
            answer = self._resolver.resolve(
                dns.name.from_text(name), kind, search=False, lifetime=seconds, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            return "none", [], ""
        except dns.resolver.LifetimeTimeout:
            return "unknown", [], "no name server answered for %s within %.0f s" % (name, seconds)
        except dns.resolver.NoNameservers:
            return "unknown", [], "the name servers fail on %s (SERVFAIL, REFUSED or no answer at all)" % name
        except (dns.exception.DNSException, OSError) as exc:
            return "unknown", [], "%s cannot be resolved (%s)" % (name, type(exc).__name__)
        records = list(answer.rrset or ())
        return ("found" if records else "none"), records, ""


def _nameserver(text: str) -> tuple[str, int]:
    """Address and port. Raises Invalid."""
    wrong = Invalid("'%s' is not ADDRESS or ADDRESS:PORT; name servers are given by their IP address" % text)
    address, port = text, "53"
    if not _is_address(text):
        address, colon, port = text.rpartition(":")
    try:
        number = int(port)
    except ValueError:
        raise wrong from None
    if not _is_address(address):
        raise wrong
    if not 0 < number < 65536:
        raise Invalid("'%s' has no port between 1 and 65535" % text)
    return address.strip("[]"), number


def _is_address(text: str) -> bool:
    """IPv6 with or without its brackets."""
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _text(name: dns.name.Name) -> str:
    """The name as it is shown and asked for. dnspython writes a byte that is no printable ASCII as ``\\027``."""
    return foreign(name.to_text(omit_final_dot=True).lower())
