# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the XMPP server of a domain (RFC 6120, section 3.2; RFC 2782)."""

from __future__ import annotations

import typing as t

import dns.exception
import dns.name
import dns.resolver

_LIFETIME = 5.0  # seconds for one question, including repetitions
DEFAULT_PORT = 5269
_MAX_TARGETS = 8  # A federation does not need more. An attack could need more.


class LookupFailed(Exception):
    """No address was found. The text is the reason."""


class Lookup:
    """Query one DNS server. The system's DNS server is never used."""

    def __init__(self, nameserver: str, seconds: float = _LIFETIME) -> None:
        """Set the server. Raises LookupFailed.

        nameserver: ``ADDRESS:PORT``.
        seconds: the time for one question.
        """
        address, _colon, port = nameserver.rpartition(":")
        if not address or not port.isdigit():
            raise LookupFailed("no nameserver (the setting xmpp_nameserver is %r)" % nameserver)
        self.resolver = dns.resolver.Resolver(configure=False)
        try:
            self.resolver.nameservers = [address]
        except ValueError as e:
            raise LookupFailed("xmpp_nameserver is %r, which is not ADDRESS:PORT" % nameserver) from e
        self.resolver.port = int(port)
        self.resolver.lifetime = seconds

    def servers(self, domain: str) -> list[tuple[str, int]]:
        """Return (address, port) in the order of the attempts. Raises LookupFailed."""
        answer = self._ask("_xmpp-server._tcp." + domain, "SRV")
        if answer is None:
            return self.host(domain, DEFAULT_PORT)
        targets = [(str(record.target), int(record.port)) for record in answer]
        if [target for target, _port in targets] == ["."]:
            raise LookupFailed("%s offers no XMPP federation (its SRV record has no target)" % domain)
        found: list[tuple[str, int]] = []
        for target, port in targets[:_MAX_TARGETS]:
            found += [(record.address, port) for record in self._ask(target, "A") or ()]
        if not found:
            raise LookupFailed("no address for %s" % ", ".join(target for target, _port in targets))
        return found[:_MAX_TARGETS]

    def host(self, name: str, port: int) -> list[tuple[str, int]]:
        """Return the addresses of a host. Raises LookupFailed."""
        answer = self._ask(name, "A")
        if answer is None:
            raise LookupFailed("there is neither an SRV record nor an address for %s" % name)
        return [(record.address, port) for record in answer][:_MAX_TARGETS]

    def _ask(self, name: str, kind: str) -> list[t.Any] | None:
        """Return the records, sorted by priority and weight if present; None without records."""
        try:
            answer = self.resolver.resolve(dns.name.from_unicode(name.rstrip(".") + "."), kind)
            return list(answer.rrset.processing_order()) if answer.rrset else None
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except dns.exception.DNSException as e:
            raise LookupFailed("DNS: %s %s: %s" % (kind, name, str(e) or e.__class__.__name__)) from e
        except (UnicodeError, OSError) as e:
            raise LookupFailed("DNS: %s %s: %s" % (kind, name, e)) from e
