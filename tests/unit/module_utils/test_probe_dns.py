# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS for the prober: the order of servers, and what an answer, or none, is taken for."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.dns import Resolver, _nameserver
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.budget import Budget, TimeUp

from tests.integration.xmpp_peer import NameServer

SRV = "_xmpp-server._tcp.fabrikam.test"


@pytest.fixture
def dns() -> t.Iterator[NameServer]:
    with NameServer() as server:
        yield server


def test_servers_are_tried_by_priority_and_the_heaviest_first(dns: NameServer) -> None:
    dns.records[SRV, "SRV"] = [
        "20 100 5269 last.fabrikam.test.",
        "10 0 5269 light.fabrikam.test.",
        "10 60 5269 HEAVY.fabrikam.test.",
        "10 60 5270 heavy.fabrikam.test.",
        "0 0 5271 first.fabrikam.test.",
    ]
    found = Resolver([dns.place]).services("fabrikam.test", Budget(5, 30))
    assert [(one.host, one.port) for one in found.records] == [
        ("first.fabrikam.test", 5271),
        ("heavy.fabrikam.test", 5269),
        ("heavy.fabrikam.test", 5270),
        ("light.fabrikam.test", 5269),
        ("last.fabrikam.test", 5269),
    ]


def test_answers(dns: NameServer) -> None:
    resolver = Resolver([dns.place])
    dns.records[SRV, "SRV"] = ["0 0 0 ."]
    dns.records["six.test", "AAAA"] = ["2001:db8::1"]
    dns.records["both.test", "A"] = ["192.0.2.1", "192.0.2.2"]
    dns.records["both.test", "AAAA"] = ["2001:db8::2"]
    dns.failing.add("failing.test")
    dns.silent.add("silent.test")

    def addresses(host: str, seconds: float = 5) -> tuple[str, tuple[str, ...]]:
        found = resolver.addresses(host, Budget(seconds, 30))
        assert bool(found.text) is (found.state == "unknown")
        return found.state, found.addresses

    assert resolver.services("fabrikam.test", Budget(5, 30)).state == "not_offered"
    assert resolver.services("both.test", Budget(5, 30)).state == "none"
    assert addresses("six.test") == ("found", ("2001:db8::1",))
    assert addresses("both.test") == ("found", ("192.0.2.1", "192.0.2.2", "2001:db8::2"))
    assert addresses("nowhere.test") == ("none", ())
    assert addresses("failing.test") == ("unknown", ())
    assert addresses("silent.test", 0.3) == ("unknown", ())
    with pytest.raises(TimeUp):
        resolver.addresses("both.test", Budget(5, 0))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5300", ("192.0.2.1", 5300)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5300", ("2001:db8::1", 5300)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_name_servers(text: str, place: tuple[str, int]) -> None:
    assert _nameserver(text) == place


@pytest.mark.parametrize("text", ["", "dns.test", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:0", "192.0.2.1:65536", ":53"])
def test_what_is_no_name_server(text: str) -> None:
    with pytest.raises(Invalid):
        Resolver([text])
