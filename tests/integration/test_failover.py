# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.failover over the wire: the route there and back, the services, and what it refuses to move to."""

from __future__ import annotations

import typing as t

import pytest

from lab.deployment import replication
from lab.deployment.breaks import EDGE_POOL_2019, break_link
from lab.deployment.seed import EDGE_POOL
from lab.deployment.store import Store
from tests.integration.plays import Plays, Run
from tests.integration.test_converge import mark, writes
from tests.integration.test_history import journal

SECOND = "edge2.contoso.test"


def add_edge_pool(store: Store) -> None:
    """A second Edge pool with XMPP, of the same release."""
    role = store.get("service_role", "EdgeServer:" + EDGE_POOL) or {}
    edge = {**role["Edge"], "AccessEdgeExternalFqdn": "sip2.contoso.test", "InternalInterfaceFqdn": SECOND}
    store.put("pool", SECOND, {"Site": "Redmond", "Computers": [SECOND], "Roles": ["EdgeServer"], "Number": 9})
    store.put("service_role", "EdgeServer:" + SECOND, {**role, "Pool": SECOND, "Edge": edge})
    store.put("computer", SECOND, {"Pool": SECOND})
    replication.install(store, SECOND)
    for key in ("replication_seconds", "replication_notice", "status_empty_seconds"):
        store.set_setting(key, 0.0)


def failover(plays: Plays, *arguments: str, **variables: t.Any) -> Run:
    hosts = plays.hosts()
    hosts["sfb_front_end"] = {"hosts": dict(hosts["sfb_management"]["hosts"])}
    inventory = plays.write("failover.yml", {**hosts, "all": {"vars": variables}})
    return plays.run("sfb.xmpp.failover", *arguments, inventory=inventory)


def routes(store: Store) -> dict[str, str]:
    return {name: site["XmppFederationRoute"] for name, site in store.all("site").items()}


def test_there_and_back(plays: Plays) -> None:
    store = plays.lab.store()
    add_edge_pool(store)
    before = routes(store)
    assert before == {"Redmond": "EdgeServer:" + EDGE_POOL, "Dublin": ""}
    planned = failover(plays, "-e", "edge_pool=" + SECOND, "--check", "--diff")
    assert planned.code == 0, planned.output
    assert writes(plays) == []
    assert routes(store) == before
    assert "edge.contoso.test -> edge2.contoso.test" in planned.output

    begin = mark(plays)
    done = failover(plays, "-e", "edge_pool=%s." % SECOND.upper())
    assert done.code == 0, done.output
    assert routes(store) == {"Redmond": "EdgeServer:" + SECOND, "Dublin": ""}
    sent = [event.cmdlet for event in writes(plays, begin)]
    assert sent == ["Set-CsSite", "Stop-CsWindowsService", "Start-CsWindowsService"], "the gateway, and no proxy"
    assert not [event for event in store.events(begin) if event.cmdlet.startswith("Invoke-")]
    assert set(done.result("Move the route")["replication"]["awaited"]) == {
        "fe01.contoso.test",
        "fe11.contoso.test",
        SECOND,
    }
    words = " ".join(done.output.split())
    for text in (
        "1. DNS: lead _xmpp-server._tcp of contoso.test, contoso-emea.test to sip2.contoso.test, port 5269.",
        "4. Topology Builder: download the topology before it is published the next time",
    ):
        assert text in words, words

    begin = mark(plays)
    again = failover(plays, "-e", "edge_pool=" + SECOND)
    assert again.code == 0, again.output
    assert writes(plays, begin) == []
    back = failover(plays, "-e", "edge_pool=" + EDGE_POOL, "-e", "site=redmond")
    assert back.code == 0, back.output
    assert routes(store) == before
    assert [run["playbook"] for run in journal(plays)] == ["failover"] * 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "edge_pool is missing"),
        (
            ["-e", "edge_pool=edge3.contoso.test"],
            "there is no Edge pool 'edge3.contoso.test'; the topology of default has",
        ),
        (["-e", "edge_pool=" + EDGE_POOL_2019], "has no XMPP; enable it"),
        (["-e", "edge_pool=" + SECOND, "-e", "site=Paris"], "site: there is no site 'Paris'"),
    ],
)
def test_what_it_refuses(plays: Plays, arguments: list[str], text: str) -> None:
    store = plays.lab.store()
    add_edge_pool(store)
    break_link(store, "route-to-2019")
    run = failover(plays, *arguments)
    assert run.code == 2, run.output
    assert text in " ".join(run.output.split())
    assert writes(plays) == []


def test_where_the_route_cannot_be_set_no_service_is_touched(plays: Plays) -> None:
    store = plays.lab.store()
    add_edge_pool(store)
    break_link(store, "set-site-missing")
    run = failover(plays, "-e", "edge_pool=" + SECOND)
    assert run.code == 2, run.output
    assert "set the route in Topology Builder" in " ".join(run.output.split())
    assert writes(plays) == []
