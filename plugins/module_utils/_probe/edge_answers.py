# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the output of an Edge's cmdlets to plain values. Pure. No other module reads the output of these cmdlets.

An object in an unknown form is skipped and is unknown.
Sources: the pages of Resolve-DnsName (module DnsClient), Test-NetConnection and Get-NetTCPConnection (NetTCPIP), and
Get-WinEvent (Microsoft.PowerShell.Diagnostics).
"""

from __future__ import annotations

import ipaddress
import typing as t

from .._base.names import Invalid, canonical_domain
from .._base.texts import foreign
from .._shell.statement import Answer, ServerError, Statement, Value
from .edge_view import LoggedEvent
from .facts import Addresses, ServiceRecord, Services

RESOLVE, TEST, CONNECTIONS, EVENTS = "Resolve-DnsName", "Test-NetConnection", "Get-NetTCPConnection", "Get-WinEvent"
CMDLETS = (RESOLVE, TEST, CONNECTIONS, EVENTS)
SRV = "_xmpp-server._tcp."
# The log of the product in both releases. The source is the page "Setting up XMPP federation in Lync Server 2013".
LOG = "Lync Server"
# The most events to read.
MOST_EVENTS = 1000
# Ids of the errors for: no record, no connection, no event.
_ABSENT = ("DNS_ERROR_RCODE_NAME_ERROR", "DNS_INFO_NO_RECORDS")
_NO_CONNECTION, _NO_EVENT = "CmdletizationQuery_NotFound", "NoMatchingEventsFound"
_RECORD = ("Name", "Type", "NameHost", "NameTarget", "Port", "Priority", "Weight", "IPAddress")
_ALIASES = 8  # the longest chain of CNAME records


def question(name: str, kind: t.Literal["SRV", "A_AAAA"]) -> Statement:
    """Return the DNS query for a name. ``A_AAAA``, the default of the cmdlet, means IPv4 and IPv6 addresses.

    Both kinds of questions read the same properties, because an answer with SRV records also has the addresses of
    their targets (RFC 2782, additional data).
    """
    return Statement(RESOLVE, {"Name": name, "Type": kind}, select=_RECORD)


def connection_test(address: str, port: int) -> Statement:
    """Return the test of one address. The test uses no name, because a second DNS answer can be different."""
    wanted = ("ComputerName", "RemotePort", "TcpTestSucceeded", "PingSucceeded")
    return Statement(TEST, {"ComputerName": address, "Port": port}, select=wanted)


def open_connections(end: t.Literal["LocalPort", "RemotePort"], ports: t.Sequence[int]) -> Statement:
    wanted = ("LocalPort", "RemoteAddress", "RemotePort")
    return Statement(CONNECTIONS, {"State": ("Established",), end: tuple(ports)}, select=wanted)


def logged(hours: int) -> Statement:
    """Return the query for critical events, errors and warnings of the last hours.

    The filter has the form of Event Viewer, and the server compares the times. So a wrong clock of the controller or
    another language of the server has no effect.
    """
    levels = " or ".join("Level=%d" % level for level in (1, 2, 3))
    span = "TimeCreated[timediff(@SystemTime) <= %d]" % (hours * 3_600_000)
    wanted = "*[System[(%s) and %s]]" % (levels, span)
    given: dict[str, Value] = {"LogName": (LOG,), "FilterXPath": wanted, "MaxEvents": MOST_EVENTS}
    return Statement(EVENTS, given, select=("Id", "Level", "ProviderName", "TimeCreated", "Message"), long=True)


class Names:
    """Collect the DNS answers for many names."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], list[t.Mapping[str, t.Any]]] = {}
        self._aliases: dict[str, str] = {}
        self._errors: dict[str, ServerError] = {}
        self._lost: dict[str, str] = {}

    def learn(self, asked: t.Sequence[Statement], answer: Answer) -> None:
        """Record an answer.

        asked: the queries of the answer's pipeline.
        """
        names = [_key(one.parameters["Name"]) for one in asked]
        for item in answer.output:
            if not isinstance(item, dict):
                continue
            name, kind = _key(item.get("Name")), str(item.get("Type"))
            if kind == "CNAME" and item.get("NameHost"):
                self._aliases.setdefault(name, _key(item["NameHost"]))
            elif kind in ("SRV", "A", "AAAA"):
                self._records.setdefault((name, kind), []).append(item)
        for error in answer.errors:
            # An error without a name can belong to each of the queries.
            of = [name for name in names if name == _key(error.target)] or names
            self._errors.update(dict.fromkeys(of, error))
        if answer.lost:
            self._lost.update(dict.fromkeys(names, answer.lost))

    def services(self, domain: str) -> Services:
        """Return the SRV records of a domain, in the order of connection attempts (see dns.py)."""
        name = self._final(SRV + domain)
        items = self._records.get((name, "SRV"), [])
        found = [record for record in map(_service, items) if record is not None]
        if len(found) < len(items):
            return Services("unknown", (), "an SRV record of %s has an unknown form" % domain)
        if found and not any(record.host for record in found):
            return Services("not_offered")
        if found:
            named = [record for record in found if record.host]
            return Services("found", tuple(sorted(named, key=lambda s: (s.priority, -s.weight, s.host, s.port))))
        state, text = self._absent(SRV + domain)
        return Services(state, (), text)

    def addresses(self, host: str) -> Addresses:
        name = self._final(host)
        items = [one for kind in ("A", "AAAA") for one in self._records.get((name, kind), [])]
        texts = [address for one in items if (address := _address(one.get("IPAddress")))]
        if len(texts) < len(items):
            return Addresses("unknown", (), "an address of %s has an unknown form" % host)
        if texts:
            return Addresses("found", tuple(sorted(dict.fromkeys(texts), key=lambda one: ":" in one)))
        state, text = self._absent(host)
        return Addresses(state, (), text)

    def _final(self, name: str) -> str:
        found = _key(name)
        for _step in range(_ALIASES):
            if found not in self._aliases:
                break
            found = self._aliases[found]
        return found

    def _absent(self, name: str) -> tuple[str, str]:
        """Return the state of a name without records: none, or unknown with the reason."""
        key = _key(name)
        if key in self._lost:
            return "unknown", foreign(self._lost[key])
        error = self._errors.get(key)
        if error is None or error.error_id.startswith(_ABSENT):
            return "none", ""
        return "unknown", foreign(error.message)


def _key(name: t.Any) -> str:
    return str(name or "").rstrip(".").casefold()


def _service(item: t.Mapping[str, t.Any]) -> ServiceRecord | None:
    """Return the record; None if the form of the record is unknown. If the target is the root, the host is empty."""
    target, numbers = item.get("NameTarget"), [item.get(name) for name in ("Port", "Priority", "Weight")]
    if not isinstance(target, str) or not all(isinstance(n, int) and 0 <= n < 65536 for n in numbers):
        return None
    host = target.rstrip(".").lower()
    if host:
        try:
            host = canonical_domain(host)
        except Invalid:
            # An invalid host name is shown, but not looked up: no server can have such a name.
            host = foreign(host)
    return ServiceRecord(host, *t.cast("list[int]", numbers))


def _address(value: t.Any) -> str:
    """Return the IP address; '' for other values."""
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def tested(answer: Answer) -> dict[tuple[str, int], tuple[bool, str]]:
    """Return, by address and port, whether a connection was established, and the ping result if not."""
    found = {}
    for item in answer.output:
        if not isinstance(item, dict):
            continue
        address, port, reached = (
            _address(item.get("ComputerName")),
            item.get("RemotePort"),
            item.get("TcpTestSucceeded"),
        )
        if address and isinstance(port, int) and isinstance(reached, bool):
            ping = "the host answers a ping" if item.get("PingSucceeded") is True else "the host does not answer a ping"
            found[address, port] = (reached, "" if reached else ping)
    return found


def connected(answer: Answer) -> tuple[list[tuple[str, int, int]], str]:
    """Return (remote address, remote port, local port) of each connection, and why the connections are unknown."""
    wrong = [error for error in answer.errors if not error.error_id.startswith(_NO_CONNECTION)]
    if answer.lost or wrong:
        return [], foreign(answer.lost or wrong[0].message)
    found = []
    for item in answer.output:
        ends = [item.get(name) for name in ("RemotePort", "LocalPort")] if isinstance(item, dict) else []
        address = _address(item.get("RemoteAddress")) if isinstance(item, dict) else ""
        if not address or not all(isinstance(end, int) for end in ends):
            return [], "a connection has an unknown form"
        found.append((address, *t.cast("list[int]", ends)))
    return t.cast("list[tuple[str, int, int]]", found), ""


def counted(answer: Answer) -> tuple[tuple[LoggedEvent, ...] | None, str]:
    """Return the events by number and provider, the most frequent first. If unknown, return None and the reason."""
    wrong = [error for error in answer.errors if not error.error_id.startswith(_NO_EVENT)]
    if answer.lost or wrong:
        return None, foreign(answer.lost or wrong[0].message)
    found: dict[tuple[int, str], LoggedEvent] = {}
    for item in answer.output:
        number, level = (item.get("Id"), item.get("Level")) if isinstance(item, dict) else (None, None)
        if not isinstance(number, int) or level not in (1, 2, 3):
            return None, "an event has an unknown form"
        provider = foreign(str(item.get("ProviderName") or ""))
        now = LoggedEvent(
            number,
            level,
            provider,
            1,
            foreign(str(item.get("TimeCreated") or "")),
            foreign(" ".join(str(item.get("Message") or "").split())),
        )
        # The newest event is the first in the output.
        known = found.get((number, provider))
        found[number, provider] = now if known is None else _more(known, level)
    return tuple(sorted(found.values(), key=lambda one: (-one.count, one.id, one.provider))), ""


def _more(known: LoggedEvent, level: int) -> LoggedEvent:
    return LoggedEvent(known.id, min(known.level, level), known.provider, known.count + 1, known.last, known.text)
