# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the cmdlets of an Edge return to plain values. Pure. The only place that knows their forms.

Sources: the pages of Resolve-DnsName (module DnsClient), Test-NetConnection and Get-NetTCPConnection (NetTCPIP), and
Get-WinEvent (Microsoft.PowerShell.Diagnostics). Whatever has another form is left out, and counts as unknown.
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
# The log of the product in both releases. Source: the page "Setting up XMPP federation in Lync Server 2013".
LOG = "Lync Server"
# More events are not read.
MOST_EVENTS = 1000
# Ids of errors that say that there is no such record, or no such connection, or no such event.
_ABSENT = ("DNS_ERROR_RCODE_NAME_ERROR", "DNS_INFO_NO_RECORDS")
_NO_CONNECTION, _NO_EVENT = "CmdletizationQuery_NotFound", "NoMatchingEventsFound"
_RECORD = ("Name", "Type", "NameHost", "NameTarget", "Port", "Priority", "Weight", "IPAddress")
_ALIASES = 8  # of one name, one after the other


def question(name: str, kind: t.Literal["SRV", "A_AAAA"]) -> Statement:
    """Ask DNS for a name. ``A_AAAA``, both kinds of addresses, is the default of the cmdlet.

    Both kinds of questions read the same properties, because an answer with SRV records also has the addresses of
    their targets (RFC 2782, additional data).
    """
    return Statement(RESOLVE, {"Name": name, "Type": kind}, select=_RECORD)


def connection_test(address: str, port: int) -> Statement:
    """An address, so that what is tested is what DNS said before."""
    wanted = ("ComputerName", "RemotePort", "TcpTestSucceeded", "PingSucceeded")
    return Statement(TEST, {"ComputerName": address, "Port": port}, select=wanted)


def open_connections(end: t.Literal["LocalPort", "RemotePort"], ports: t.Sequence[int]) -> Statement:
    wanted = ("LocalPort", "RemoteAddress", "RemotePort")
    return Statement(CONNECTIONS, {"State": ("Established",), end: tuple(ports)}, select=wanted)


def logged(hours: int) -> Statement:
    """Critical events, errors and warnings. The filter has the form that Event Viewer gives it, and the time is the
    server's own, so that neither its clock nor its language matters.
    """
    levels = " or ".join("Level=%d" % level for level in (1, 2, 3))
    span = "TimeCreated[timediff(@SystemTime) <= %d]" % (hours * 3_600_000)
    wanted = "*[System[(%s) and %s]]" % (levels, span)
    given: dict[str, Value] = {"LogName": (LOG,), "FilterXPath": wanted, "MaxEvents": MOST_EVENTS}
    return Statement(EVENTS, given, select=("Id", "Level", "ProviderName", "TimeCreated", "Message"), long=True)


class Names:
    """What DNS said to many questions."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], list[t.Mapping[str, t.Any]]] = {}
        self._aliases: dict[str, str] = {}
        self._errors: dict[str, ServerError] = {}
        self._lost: dict[str, str] = {}

    def learn(self, asked: t.Sequence[Statement], answer: Answer) -> None:
        """asked: the questions of one pipeline."""
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
            # An error without a name may belong to any of the questions.
            of = [name for name in names if name == _key(error.target)] or names
            self._errors.update(dict.fromkeys(of, error))
        if answer.lost:
            self._lost.update(dict.fromkeys(names, answer.lost))

    def services(self, domain: str) -> Services:
        """The SRV records of a domain that was asked about, in the order in which they are tried (as dns.py has it)."""
        name = self._final(SRV + domain)
        items = self._records.get((name, "SRV"), [])
        found = [record for record in map(_service, items) if record is not None]
        if len(found) < len(items):
            return Services("unknown", (), "an SRV record of %s came in a form that is not known" % domain)
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
            return Addresses("unknown", (), "an address of %s came in a form that is not known" % host)
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
        """Of a name without records: none, or unknown and why."""
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
    """host: empty for the root. None for a record in a form that is not known."""
    target, numbers = item.get("NameTarget"), [item.get(name) for name in ("Port", "Priority", "Weight")]
    if not isinstance(target, str) or not all(isinstance(n, int) and 0 <= n < 65536 for n in numbers):
        return None
    host = target.rstrip(".").lower()
    if host:
        try:
            host = canonical_domain(host)
        except Invalid:
            # Shown, and not asked about: such a name is none that a server can have.
            host = foreign(host)
    return ServiceRecord(host, *t.cast("list[int]", numbers))


def _address(value: t.Any) -> str:
    """An IP address; empty for anything else."""
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def tested(answer: Answer) -> dict[tuple[str, int], tuple[bool, str]]:
    """Address and port -> whether a connection was established, and what the ping said if not."""
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
    """(remote address, remote port, local port) of each connection, and why they are not known."""
    wrong = [error for error in answer.errors if not error.error_id.startswith(_NO_CONNECTION)]
    if answer.lost or wrong:
        return [], foreign(answer.lost or wrong[0].message)
    found = []
    for item in answer.output:
        ends = [item.get(name) for name in ("RemotePort", "LocalPort")] if isinstance(item, dict) else []
        address = _address(item.get("RemoteAddress")) if isinstance(item, dict) else ""
        if not address or not all(isinstance(end, int) for end in ends):
            return [], "a connection came in a form that is not known"
        found.append((address, *t.cast("list[int]", ends)))
    return t.cast("list[tuple[str, int, int]]", found), ""


def counted(answer: Answer) -> tuple[tuple[LoggedEvent, ...] | None, str]:
    """The events by number and provider, the most frequent first; None and why if they are not known."""
    wrong = [error for error in answer.errors if not error.error_id.startswith(_NO_EVENT)]
    if answer.lost or wrong:
        return None, foreign(answer.lost or wrong[0].message)
    found: dict[tuple[int, str], LoggedEvent] = {}
    for item in answer.output:
        number, level = (item.get("Id"), item.get("Level")) if isinstance(item, dict) else (None, None)
        if not isinstance(number, int) or level not in (1, 2, 3):
            return None, "an event came in a form that is not known"
        provider = foreign(str(item.get("ProviderName") or ""))
        now = LoggedEvent(
            number,
            level,
            provider,
            1,
            foreign(str(item.get("TimeCreated") or "")),
            foreign(" ".join(str(item.get("Message") or "").split())),
        )
        # The newest comes first.
        known = found.get((number, provider))
        found[number, provider] = now if known is None else _more(known, level)
    return tuple(sorted(found.values(), key=lambda one: (-one.count, one.id, one.provider))), ""


def _more(known: LoggedEvent, level: int) -> LoggedEvent:
    return LoggedEvent(known.id, min(known.level, level), known.provider, known.count + 1, known.last, known.text)
