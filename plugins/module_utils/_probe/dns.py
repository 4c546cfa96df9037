# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query the DNS for SRV and address records, with a time limit for every query.

The hosts file is not used, because the partner's own servers do not use this file either.
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

# Seconds. One lost packet must not use the time of the complete query.
_RETRY_AFTER = 2.0


class Resolver:
    """Query the DNS.

    nameservers: ``ADDRESS`` or ``ADDRESS:PORT`` (``[ADDRESS]:PORT`` for IPv6); empty: the system's name servers.

    Raises Invalid for a wrong name server, or if the system has no name servers.
    """

    def __init__(self, nameservers: t.Sequence[str] = ()) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=not nameservers)
        except dns.resolver.NoResolverConfiguration as exc:
            raise Invalid("the system has no name servers; set the name servers to ask") from exc
        if nameservers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*_nameserver(one)) for one in nameservers]
        self._resolver.timeout = _RETRY_AFTER

    def services(self, domain: str, budget: Budget, direct: bool = False) -> Services:
        """Return the XMPP servers of a domain for other servers (RFC 6120 section 3.2.1). Raises TimeUp.

        The order is by priority, then by weight with the highest first. RFC 2782 requires a random order by weight, but
        a repeated probe must test the same server.

        direct: return the servers for direct TLS (XEP-0368). The gateway does not use direct TLS.
        """
        name = "_xmpps-server._tcp." if direct else "_xmpp-server._tcp."
        state, records, text = self._query(name + domain, "SRV", budget)
        root = dns.name.root
        found = [ServiceRecord(_text(r.target), r.port, r.priority, r.weight) for r in records if r.target != root]
        if records and not found:
            return Services("not_offered")
        return Services(state, tuple(sorted(found, key=lambda s: (s.priority, -s.weight, s.host, s.port))), text)

    def addresses(self, host: str, budget: Budget) -> Addresses:
        """Return the addresses of a host, sorted. IPv4 comes first, as in the gateway's networks. Raises TimeUp."""
        state, records, text = self._query(host, "A", budget)
        if state == "unknown":
            return Addresses(state, (), text)
        other, more, text = self._query(host, "AAAA", budget)
        found = tuple(record.address for some in (records, more) for record in sorted(some))
        return Addresses("found" if found else other, found, "" if found else text)

    def _query(self, name: str, kind: str, budget: Budget) -> tuple[str, list[t.Any], str]:
        """Return the state (found, none or unknown), the records, and why the state is unknown."""
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
            return "unknown", [], "the name servers fail for %s (SERVFAIL, REFUSED or no answer)" % name
        except (dns.exception.DNSException, OSError) as exc:
            return "unknown", [], "%s cannot be resolved (%s)" % (name, type(exc).__name__)
        records = list(answer.rrset or ())
        return ("found" if records else "none"), records, ""


def _nameserver(text: str) -> tuple[str, int]:
    """Return address and port. Raises Invalid."""
    wrong = Invalid("'%s' is not ADDRESS or ADDRESS:PORT; write the IP address of the name server" % text)
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
    """Return whether the text is an IP address. IPv6 can have brackets."""
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _text(name: dns.name.Name) -> str:
    """Return the name as text, for output and queries. dnspython writes a byte outside printable ASCII as ``\\027``."""
    return foreign(name.to_text(omit_final_dot=True).lower())
