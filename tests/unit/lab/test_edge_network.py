# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Edge of the lab sees: DNS, connections over a network of its own, and the event log of the gateway."""

from __future__ import annotations

import socket
import typing as t

import pytest
from psrpcore.types import PSList

from lab.deployment.endpoints import ADDRESSES
from lab.gateway.events import KIND
from tests.integration.xmpp_peer import NameServer

from .conftest import Bench

EDGE = "edge01"
DOMAIN = "fabrikam.test"
SRV = "_xmpp-server._tcp." + DOMAIN
DAY = "*[System[(Level=1 or Level=2 or Level=3) and TimeCreated[timediff(@SystemTime) <= 86400000]]]"


@pytest.fixture
def names(bench: Bench) -> t.Iterator[NameServer]:
    with NameServer() as server:
        bench.store.set_setting("xmpp_nameserver", server.place)
        yield server


@pytest.fixture
def listener() -> t.Iterator[int]:
    """A port on loopback where something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def resolve(bench: Bench, name: str, kind: str = "SRV") -> list[dict[str, t.Any]]:
    return bench.ok("Resolve-DnsName", host=EDGE, Name=name, Type=kind)


def test_records_of_a_partner(bench: Bench, names: NameServer) -> None:
    names.service(DOMAIN, 5270, order="10 20", address="127.0.0.9")
    record, added = resolve(bench, SRV)
    assert (record["Name"], record["NameTarget"], record["Port"]) == (SRV, "xmpp." + DOMAIN, 5270)
    assert (record["Priority"], record["Weight"], record["Type"].name) == (10, 20, "SRV")
    assert (added["IPAddress"], added["Section"].name) == ("127.0.0.9", "Additional")
    (address,) = resolve(bench, "xmpp." + DOMAIN, "A_AAAA")
    assert (address["IPAddress"], address["Type"].name, address["Section"].name) == ("127.0.0.9", "A", "Answer")
    assert [one["Type"].name for one in resolve(bench, "xmpp." + DOMAIN)] == ["SOA"]


def test_names_without_an_answer(bench: Bench, names: NameServer) -> None:
    names.failing.add("failing.test")
    for name, reason in (
        ("absent.test", "DNS_ERROR_RCODE_NAME_ERROR"),
        ("failing.test", "DNS_ERROR_RCODE_SERVER_FAILURE"),
    ):
        (error,) = bench.call("Resolve-DnsName", host=EDGE, Name=name).errors
        assert error.error_id == reason + ",Microsoft.DnsClient.Commands.ResolveDnsName"
        assert (error.target, error.category) == (name, "ResourceUnavailable")


def test_an_edge_without_dns_servers(bench: Bench) -> None:
    assert bench.fails("Resolve-DnsName", host=EDGE, Name=DOMAIN) == "DNS_ERROR_NO_DNS_SERVERS"


@pytest.mark.parametrize(
    ("address", "place", "reached"),
    [
        ("127.0.0.1", None, True),
        ("127.0.0.1", False, False),
        ("203.0.113.9", "127.0.0.1", True),
    ],
)
def test_the_network_of_an_edge(bench: Bench, listener: int, address: str, place: t.Any, reached: bool) -> None:
    """As anywhere else; not reached by the Edge; reached by the Edge alone."""
    if place is not None:
        bench.store.set_setting("edge_network", {address: place and "%s:%d" % (place, listener)})
    sink = bench.call("Test-NetConnection", host=EDGE, ComputerName=address, Port=listener)
    (result,) = sink.rows
    assert (result["ComputerName"], result["RemotePort"]) == (address, listener)
    assert result["TcpTestSucceeded"] is reached
    assert bool(sink.warnings) is not reached


def test_a_port_on_which_nothing_listens(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (result,) = bench.ok("Test-NetConnection", host=EDGE, ComputerName="127.0.0.1", Port=port)
    assert (result["TcpTestSucceeded"], result["PingSucceeded"]) == (False, True)


def test_connections_that_are_open(bench: Bench, listener: int) -> None:
    """Those of the Edge itself, with the partner's address as the Edge knows it."""
    wanted = {"State": PSList(["Established"]), "RemotePort": PSList([listener])}
    fault = bench.fails("Get-NetTCPConnection", host=EDGE, **wanted)
    assert fault == "CmdletizationQuery_NotFound_RemotePort"
    bench.store.set_setting("edge_network", {"203.0.113.9": "127.0.0.1:%d" % listener})
    with socket.create_connection(("127.0.0.1", listener), 5, (ADDRESSES[EDGE], 0)):
        (found,) = bench.ok("Get-NetTCPConnection", host=EDGE, **wanted)
        assert (found["LocalAddress"], found["RemoteAddress"]) == (ADDRESSES[EDGE], "203.0.113.9")
        assert (found["RemotePort"], found["State"].name) == (listener, "Established")
        bench.fails("Get-NetTCPConnection", host="edge02", **wanted)


def test_the_log_of_the_product(bench: Bench) -> None:
    def events(**more: t.Any) -> list[tuple[t.Any, ...]]:
        found = bench.ok("Get-WinEvent", host=EDGE, LogName="Lync Server", **more)
        return [(one["Id"], one["Level"], one["LevelDisplayName"]) for one in found]

    fault = bench.fails("Get-WinEvent", host=EDGE, LogName="Lync Server", FilterXPath=DAY)
    assert fault == "NoMatchingEventsFound"
    for host, action, outcome in (
        (EDGE, "accepted", "ok"),
        (EDGE, "failed", "failed"),
        ("edge02", "refused", "refused"),
    ):
        bench.store.log(KIND, host, "1", DOMAIN, "", {"action": action, "direction": "outgoing"}, outcome, "no answer")
    assert events(FilterXPath=DAY) == [(44002, 2, "Error")]
    assert events() == [(44002, 2, "Error"), (44000, 4, "Information")]
    assert events(MaxEvents=1) == [(44002, 2, "Error")]
    assert bench.fails("Get-WinEvent", host=EDGE, LogName="Other") == "NoMatchingLogsFound"


def test_a_server_without_these_cmdlets(bench: Bench) -> None:
    bench.store.set_setting("cmdlets_hidden", ["Test-NetConnection"])
    assert bench.fails("Test-NetConnection", host=EDGE, ComputerName="127.0.0.1", Port=1) == "CommandNotFoundException"
    assert bench.fails("Test-NetConnection", ComputerName="127.0.0.1", Port=1) == "CommandNotFoundException"
