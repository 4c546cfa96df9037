# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Edge for unit tests: a Shell that answers the cmdlets which look at partners from tables, on its own clock."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_answers import CMDLETS
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import LIST
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, ServerError, Statement

SRV = "_xmpp-server._tcp."


def dns_error(
    name: str, error_id: str = "DNS_ERROR_RCODE_NAME_ERROR", text: str = "DNS name does not exist"
) -> ServerError:
    source = error_id + ",Microsoft.DnsClient.Commands.ResolveDnsName"
    return ServerError("Resolve-DnsName", source, "ResourceUnavailable", "%s : %s" % (name, text), name)


def service(domain: str, host: str, port: int = 5269, priority: int = 0, weight: int = 0) -> dict[str, t.Any]:
    """A record as it is read from the wire, cut to what was asked for."""
    numbers = {"Port": port, "Priority": priority, "Weight": weight}
    return {"Name": SRV + domain, "Type": "SRV", "NameHost": None, "NameTarget": host, **numbers}


def address(host: str, value: str) -> dict[str, t.Any]:
    return {"Name": host, "Type": "AAAA" if ":" in value else "A", "NameHost": None, "IPAddress": value}


def event(number: int, text: str = "x", level: int = 2, provider: str = "LS XMPP Proxy") -> dict[str, t.Any]:
    stamp = "2027-03-01T06:00:00Z"
    return {"Id": number, "Level": level, "ProviderName": provider, "TimeCreated": stamp, "Message": text}


@dataclass
class EdgeNetwork:
    """records: by (name, kind asked for). reached: addresses that answer. dead: seconds that a test of another takes.

    open: (remote address, remote port, local port) of connections. lacking: cmdlets that the session does not offer.
    """

    records: dict[tuple[str, str], list[dict[str, t.Any]]] = field(default_factory=dict)
    errors: dict[str, ServerError] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    dead: float = 22.0
    open: list[tuple[str, int, int]] = field(default_factory=list)
    events: list[dict[str, t.Any]] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    now: float = 0.0
    sent: list[list[Statement]] = field(default_factory=list)
    place: Place = field(default_factory=lambda: Place("edge01"))

    def clock(self) -> float:
        return self.now

    def partner(self, domain: str, *addresses: str, port: int = 5269) -> None:
        host = "xmpp." + domain
        self.records[SRV + domain, "SRV"] = [service(domain, host, port)]
        self.records[host, "A_AAAA"] = [address(host, one) for one in addresses]

    def asked(self, cmdlet: str) -> list[Statement]:
        return [one for pipeline in self.sent for one in pipeline if one.cmdlet == cmdlet]

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        if statements[0].cmdlet == LIST:
            return self._offered(t.cast("tuple[str, ...]", statements[0].parameters["Name"]))
        self.sent.append(list(statements))
        total = Answer()
        for one in statements:
            assert one.cmdlet in CMDLETS
            assert one.cmdlet not in self.lacking
            self.now += 0.05
            total += getattr(self, "_" + one.cmdlet.partition("-")[2].lower())(one.parameters)
        return total

    def _offered(self, names: tuple[str, ...]) -> Answer:
        def unknown(name: str) -> ServerError:
            return ServerError(LIST, "CommandNotFoundException,Get-Command", "ObjectNotFound", "no such", name)

        found = tuple({"Name": name, "CommandType": "Cmdlet"} for name in names if name not in self.lacking)
        return Answer(found, tuple(unknown(name) for name in names if name in self.lacking))

    def _dnsname(self, given: t.Mapping[str, t.Any]) -> Answer:
        name = str(given["Name"])
        if name in self.errors:
            return Answer(errors=(self.errors[name],))
        found = self.records.get((name, str(given["Type"])))
        return Answer(errors=(dns_error(name),)) if found is None else Answer(tuple(found))

    def _netconnection(self, given: t.Mapping[str, t.Any]) -> Answer:
        reached = given["ComputerName"] in self.reached
        self.now += 0.0 if reached else self.dead
        result = {"ComputerName": given["ComputerName"], "RemotePort": given["Port"], "TcpTestSucceeded": reached}
        return Answer(({**result, "PingSucceeded": False},), warnings=() if reached else ("TCP connect failed",))

    def _nettcpconnection(self, given: t.Mapping[str, t.Any]) -> Answer:
        (end,) = {"LocalPort", "RemotePort"}.intersection(given)
        found = [
            {"RemoteAddress": one[0], "RemotePort": one[1], "LocalPort": one[2]}
            for one in self.open
            if (one[2] if end == "LocalPort" else one[1]) in given[end]
        ]
        if found:
            return Answer(tuple(found))
        error_id = "CmdletizationQuery_NotFound_%s,Get-NetTCPConnection" % end
        return Answer(errors=(ServerError("Get-NetTCPConnection", error_id, "ObjectNotFound", "none"),))

    def _winevent(self, given: t.Mapping[str, t.Any]) -> Answer:
        if self.events:
            return Answer(tuple(self.events[: given["MaxEvents"]]))
        error_id = "NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"
        return Answer(errors=(ServerError("Get-WinEvent", error_id, "ObjectNotFound", "none"),))
