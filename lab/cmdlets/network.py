# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate the network of an Edge, and the event log of the product on the Edge.

Resolve-DnsName asks the same DNS server as the lab's gateway. Test-NetConnection opens a real connection over the
network of the Edges (deployment/network.py). Get-NetTCPConnection lists the connections that are open on the Edge now.
"""

from __future__ import annotations

import datetime
import os
import re
import typing as t

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
from psrpcore.types import PSByte, PSEnumBase, PSObject, PSType, PSUInt16

from ..assumptions import rests_on
from ..deployment import network
from ..deployment.endpoints import ADDRESSES
from ..deployment.store import Event
from ..errors import CmdletError
from ..gateway.dns import Lookup, LookupFailed
from ..gateway.events import KIND
from .binding import Arguments
from .context import Context
from .objects import int32, make, moment, uint

_SECONDS = 5.0  # for one question, and for one connection
_RECORD = "Microsoft.DnsClient.Commands.DnsRecord"
_EVENT = "System.Diagnostics.Eventing.Reader.EventLogRecord"
LOG = "Lync Server"
# Event Viewer writes filters in this form. The lab knows no other form.
_LEVEL = "Level=[1-5]"
_FILTER = re.compile(
    r"\*\[System\[\((?P<levels>%s( or %s)*)\) and TimeCreated\[timediff\(@SystemTime\) <= (?P<span>\d+)\]\]\]\Z"
    % (_LEVEL, _LEVEL)
)
_EVER = "*[System[(%s) and TimeCreated[timediff(@SystemTime) <= 999999999999]]]" % " or ".join(
    "Level=%d" % number for number in range(1, 6)
)
_LEVELS = {2: "Error", 3: "Warning", 4: "Information"}
_BY_OUTCOME = {"failed": 2, "refused": 3}
# The event numbers belong to the lab: one number for each action of the gateway.
_IDS = {
    name: 44000 + number
    for number, name in enumerate(
        ("accepted", "refused", "failed", "tls", "verified", "delivered", "bounced", "presence", "sent",
         "undeliverable", "closed", "full")
    )
}  # fmt: skip


@PSType(["Microsoft.DnsClient.Commands.RecordType"], rehydrate=False)
class RecordType(PSEnumBase):
    A = 1
    CNAME = 5
    SOA = 6
    AAAA = 28
    SRV = 33


@PSType(["Microsoft.DnsClient.Commands.DNSSection"], rehydrate=False)
class Section(PSEnumBase):
    Answer = 1
    Authority = 2
    Additional = 3


@PSType(["Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetTCPConnection.State"], rehydrate=False)
class State(PSEnumBase):
    Established = 5


# DNS


def _resolve(ctx: Context, args: Arguments) -> t.Iterable[object]:
    name, wanted = args.need("Name"), args.text("Type") or "A_AAAA"
    rests_on("edge-dns")
    if wanted not in ("SRV", "A", "AAAA", "A_AAAA"):
        raise _dns_error(name, "The lab does not ask for %s." % wanted, "LabNotSimulated")
    resolver = _resolver(ctx, name)
    found: list[object] = []
    wrong: CmdletError | None = None
    for kind in ("A", "AAAA") if wanted == "A_AAAA" else (wanted,):
        try:
            answer = resolver.resolve(dns.name.from_text(name), kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            wrong = wrong or _dns_error(name, "DNS name does not exist", "DNS_ERROR_RCODE_NAME_ERROR")
            continue
        except dns.resolver.LifetimeTimeout:
            text = "This operation returned because the timeout period expired"
            wrong = wrong or _dns_error(name, text, "ERROR_TIMEOUT")
            continue
        except dns.exception.DNSException:
            wrong = wrong or _dns_error(name, "DNS server failure", "DNS_ERROR_RCODE_SERVER_FAILURE")
            continue
        for part, section in (("answer", Section.Answer), ("additional", Section.Additional)):
            for rrset in getattr(answer.response, part):
                found += [_record(rrset, one, section) for one in rrset]
    if wrong is not None and not found:
        raise wrong
    # For a name that has only other records, Windows returns the zone's SOA record, from the authority section.
    return found or [_empty(name)]


def _resolver(ctx: Context, name: str) -> dns.resolver.Resolver:
    try:
        return Lookup(str(ctx.store.setting("xmpp_nameserver") or ""), _SECONDS).resolver
    except LookupFailed:
        text = "No DNS servers configured for local system"
        raise _dns_error(name, text, "DNS_ERROR_NO_DNS_SERVERS") from None


def _dns_error(name: str, text: str, error_id: str) -> CmdletError:
    exception = "System.ComponentModel.Win32Exception"
    return CmdletError("%s : %s" % (name, text), error_id, "ResourceUnavailable", name, exception, terminating=False)


def _record(rrset: t.Any, record: t.Any, section: Section) -> PSObject:
    kind = dns.rdatatype.to_text(record.rdtype)
    own: dict[str, object] = {}
    if kind in ("A", "AAAA"):
        own = {"IPAddress": record.address, ("IP4Address" if kind == "A" else "IP6Address"): record.address}
    elif kind == "SRV":
        own = {
            "NameTarget": _name(record.target),
            "Port": PSUInt16(record.port),
            "Priority": PSUInt16(record.priority),
            "Weight": PSUInt16(record.weight),
        }
    elif kind == "CNAME":
        own = {"NameHost": _name(record.target)}
    return _made(kind, _name(rrset.name), rrset.ttl, section, own)


def _empty(name: str) -> PSObject:
    zone = name.partition(".")[2] or name
    return _made(
        "SOA", zone, 0, Section.Authority, {"PrimaryServer": "ns." + zone, "NameAdministrator": "admin." + zone}
    )


def _made(kind: str, name: str, ttl: int, section: Section, own: t.Mapping[str, object]) -> PSObject:
    properties = {**own, "Name": name, "Type": RecordType[kind], "TTL": uint(ttl), "Section": section}
    return make(["%s_%s" % (_RECORD, kind), _RECORD], properties)


def _name(name: t.Any) -> str:
    return str(name.to_text(omit_final_dot=True))


# TCP


def _test(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Test a connection. -ComputerName is an IP address in this lab, because the client resolves names."""
    rests_on("edge-connection-test")
    address, port = args.text("ComputerName") or "", int(args.get("Port") or 0)
    reached = refused = False
    try:
        network.connect(ctx.store, ctx.host.name, address, port, _SECONDS).close()
        reached = True
    except ConnectionRefusedError:
        refused = True
    except (OSError, ValueError):
        pass
    if not reached:
        ctx.wait(float(ctx.store.setting("unreachable_seconds")))
        ctx.warn("TCP connect to (%s : %d) failed" % (address, port))
    yield make(
        ["TestNetConnectionResult"],
        {
            "ComputerName": address,
            "RemoteAddress": address,
            "RemotePort": int32(port),
            "InterfaceAlias": "External",
            "SourceAddress": ADDRESSES[ctx.host.name],
            "TcpTestSucceeded": reached,
            # Test-NetConnection pings only if TCP failed.
            "PingSucceeded": refused,
        },
    )


def _connections(ctx: Context, args: Arguments) -> t.Iterable[object]:
    states = args.texts("State")
    found = network.connections(ctx.store, ctx.host.name) if not states or "Established" in states else []
    for name, end in (("LocalPort", 0), ("RemotePort", 1)):
        if name in args:
            wanted = set(map(int, args.get(name)))
            found = [one for one in found if one[end][1] in wanted]
            if not found:
                listed = ", ".join(map(str, sorted(wanted)))
                ctx.error(
                    CmdletError(
                        "No MSFT_NetTCPConnection objects found with property '%s' equal to '%s'.  Verify the value of "
                        "the property and retry." % (name, listed),
                        "CmdletizationQuery_NotFound_" + name,
                        "ObjectNotFound",
                        listed,
                        "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
                    )
                )
                return
    for one in found:
        yield make(
            ["Microsoft.Management.Infrastructure.CimInstance#ROOT/StandardCimv2/MSFT_NetTCPConnection"],
            {
                "LocalAddress": one.local[0],
                "LocalPort": PSUInt16(one.local[1]),
                "RemoteAddress": one.remote[0],
                "RemotePort": PSUInt16(one.remote[1]),
                "State": State.Established,
                "OwningProcess": uint(os.getpid()),
            },
        )


# The event log


def _events(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Return the log of the product: the actions of the lab's gateway on this Edge."""
    rests_on("edge-event-log")
    exception = "System.Exception"
    names = args.texts("LogName")
    if [one.casefold() for one in names] != [LOG.casefold()]:
        text = 'There is not an event log on the localhost computer that matches "%s".' % ", ".join(names)
        raise CmdletError(text, "NoMatchingLogsFound", "ObjectNotFound", ", ".join(names), exception, terminating=False)
    given = args.text("FilterXPath") or _EVER
    wanted = _FILTER.match(given)
    if wanted is None:
        error = "System.Diagnostics.Eventing.Reader.EventLogException"
        raise CmdletError("The specified query is invalid", error, "NotSpecified", "", error)
    since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(milliseconds=int(wanted["span"]))
    most = int(args.get("MaxEvents") or 10**9)
    found = [one for one in reversed(ctx.store.events()) if one.kind == KIND and one.host == ctx.host.name]
    found = [one for one in found if "Level=%d" % _level(one) in wanted["levels"] and _time(one) >= since][:most]
    if not found:
        text = "No events were found that match the specified selection criteria."
        raise CmdletError(text, "NoMatchingEventsFound", "ObjectNotFound", "", exception, terminating=False)
    for one in found:
        yield make(
            [_EVENT, "System.Diagnostics.Eventing.Reader.EventRecord"],
            {
                "Id": int32(_IDS.get(str(one.parameters.get("action")), 44999)),
                "Level": PSByte(_level(one)),
                "LevelDisplayName": _LEVELS[_level(one)],
                "TimeCreated": moment(_time(one)),
                "ProviderName": "LS XMPP Translating Gateway Proxy",
                "LogName": LOG,
                "MachineName": ctx.host.fqdn,
                "Message": "The stream with %s: %s.\r\n%s" % (one.user or "?", one.parameters.get("action"), one.error),
            },
        )


def _level(event: Event) -> int:
    return _BY_OUTCOME.get(event.outcome, 4)


def _time(event: Event) -> datetime.datetime:
    return datetime.datetime.fromisoformat(event.time.replace("Z", "+00:00")).astimezone(datetime.timezone.utc)


CMDLETS = {
    "Resolve-DnsName": _resolve,
    "Test-NetConnection": _test,
    "Get-NetTCPConnection": _connections,
    "Get-WinEvent": _events,
}
