# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.failover with two Edge pools: route, services and real messages, there and back; what it refuses."""

from __future__ import annotations

import json
import typing as t

import pytest

from lab.deployment.breaks import EDGE_POOL_2019, break_link
from lab.deployment.ready import USER, make_ready
from lab.deployment.seed import EDGE_POOL
from lab.deployment.shape import read_shape
from lab.deployment.store import Store
from lab.inventory import Place, inventory
from lab.partners import control, zone
from lab.talk import talk
from lab.testing import SECOND_POOL as SECOND
from lab.testing import Lab, running_deployments
from tests.integration.management import renewed
from tests.integration.plays import Plays, Run
from tests.integration.test_converge import mark, writes
from tests.integration.test_history import journal

FIRST_EDGES, SECOND_EDGES = {"edge01", "edge02"}, {"edge11", "edge12"}
PEER = "romeo@fabrikam.example"
PARTNER: dict[str, t.Any] = {
    "Description": None, "AdditionalDomains": [], "PartnerType": "Federated", "TlsNegotiation": "Required",
    "SaslNegotiation": "Required", "SupportDialbackNegotiation": False, "ConnectionLimit": None, "ProxyFqdn": None,
    "EnableKeepAlive": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def deployments(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, Lab]]:
    shapes = {"contoso": read_shape("two-sites"), "fourthcoffee": read_shape("fourthcoffee")}
    with running_deployments(tmp_path_factory.mktemp("labs"), shapes) as found:
        yield found


@pytest.fixture(scope="module")
def lab(deployments: dict[str, Lab]) -> Lab:
    """Contoso with a Front End and an Edge pool in each site."""
    return deployments["contoso"]


# What changes nothing; Select-Object only cuts what was read.
READS = ("Get-", "Select-")


def failover(plays: Plays, *arguments: str, **others: Lab) -> Run:
    """A run over the deployment, and over others by their names."""
    labs = {"contoso": plays.lab, **others}
    places = {name: Place(one.directory, one.port, one.profile, one.shape) for name, one in labs.items()}
    return plays.run("sfb.xmpp.failover", *arguments, inventory=plays.write("failover.yml", inventory(places)))


def routes(store: Store) -> dict[str, str]:
    return {name: site["XmppFederationRoute"] for name, site in store.all("site").items()}


def edges(store: Store, since: int) -> dict[str, str]:
    """Direction -> the Edge that carried the last message after a number."""
    return {one.direction: one.edge for one in store.messages(since) if one.status in ("sent", "delivered")}


@pytest.fixture
def partners(plays: Plays) -> t.Iterator[control.Partners]:
    """A real XMPP server at a partner that may talk with a user, through the first Edge pool."""
    store = plays.lab.store()
    make_ready(store)
    store.put("partner", "fabrikam.example", PARTNER)
    store.set_setting("route_at_restart", True)
    started = control.start(plays.lab.directory, plays.lab.xmpp_port, ("prosody",))
    try:
        yield started
    finally:
        started.stop()


def test_there_and_back(plays: Plays, partners: control.Partners) -> None:
    store = plays.lab.store()
    before = routes(store)
    assert before == {"Redmond": "EdgeServer:" + EDGE_POOL, "Dublin": ""}
    assert all(outcome.is_as("S") for outcome in talk(store, partners, PEER, USER))
    carried = edges(store, 0)
    assert set(carried) == {"in", "out"}
    assert set(carried.values()) <= FIRST_EDGES

    begin = mark(plays)
    planned = failover(plays, "-e", "sfb_xmpp_failover_to=" + SECOND, "--check", "--diff")
    assert planned.code == 0, planned.output
    assert writes(plays, begin) == []
    assert routes(store) == before
    assert "edge.contoso.test -> edge2.contoso.test" in planned.output

    done = failover(plays, "-e", "sfb_xmpp_failover_to=%s." % SECOND.upper())
    assert done.code == 0, done.output
    assert routes(store) == {"Redmond": "EdgeServer:" + SECOND, "Dublin": ""}
    sent = [(event.host, event.cmdlet) for event in writes(plays, begin)]
    restarted = [("Stop-CsWindowsService", "Start-CsWindowsService")] * 2
    assert sent[0][1] == "Set-CsSite"
    assert [(a[1], b[1]) for a, b in zip(sent[1::2], sent[2::2], strict=True)] == restarted, "gateways, and no proxy"
    assert [host for host, _cmdlet in sent[1:]] == ["fe01", "fe01", "fe11", "fe11"]
    assert not [event for event in store.events(begin) if event.cmdlet.startswith("Invoke-")]
    assert {"fe01.contoso.test", "fe11.contoso.test"} < set(done.result("Move the route")["replication"]["awaited"])
    words = " ".join(done.output.split())
    for text in (
        "1. DNS: point _xmpp-server._tcp of contoso.test, contoso-emea.test to sip2.contoso.test, port 5269.",
        "4. Topology Builder: download the topology before you publish it again",
    ):
        assert text in words, words

    # Own messages leave from the other pool at once. The partner follows DNS, which still names the first pool.
    last = len(store.messages())
    came, went = talk(store, partners, PEER, USER)
    assert not came.arrived
    assert "no site has an XMPP federation route to %s" % EDGE_POOL in came.why
    assert went.is_as("S")
    assert edges(store, last)["out"] in SECOND_EDGES
    partners.set_records("contoso.test", *zone.own(plays.lab.shape, SECOND, plays.lab.xmpp_port))
    last = len(store.messages())
    assert all(outcome.is_as("S") for outcome in talk(store, partners, PEER, USER))
    assert set(edges(store, last)) == {"in", "out"}
    assert set(edges(store, last).values()) <= SECOND_EDGES

    begin = mark(plays)
    again = failover(plays, "-e", "sfb_xmpp_failover_to=" + SECOND)
    assert again.code == 0, again.output
    assert writes(plays, begin) == []
    back = failover(plays, "-e", "sfb_xmpp_failover_to=" + EDGE_POOL, "-e", "sfb_xmpp_failover_site=redmond")
    assert back.code == 0, back.output
    assert routes(store) == before
    partners.set_records("contoso.test", *zone.own(plays.lab.shape, EDGE_POOL, plays.lab.xmpp_port))
    last = len(store.messages())
    assert all(outcome.is_as("S") for outcome in talk(store, partners, PEER, USER))
    assert set(edges(store, last).values()) <= FIRST_EDGES
    assert [run["playbook"] for run in journal(plays) if run["task"] == "xmpp_federation"] == ["failover"] * 3

    # A domain that was revoked does not come along, though somebody allowed it again.
    revoked = json.dumps({"sfb_xmpp_revoked": [{"domain": "fabrikam.example"}], "sfb_xmpp_failover_to": SECOND})
    assert failover(plays, "-e", revoked).code == 0
    assert "fabrikam.example" not in store.partners()
    assert not any(outcome.arrived for outcome in talk(store, partners, PEER, USER))


def test_of_two_deployments_only_the_one_that_has_the_pool_is_touched(
    plays: Plays, deployments: dict[str, Lab]
) -> None:
    other = renewed(deployments["fourthcoffee"])
    stores = {"contoso": plays.lab.store(), "fourthcoffee": other.store()}
    make_ready(stores["contoso"])
    site = stores["fourthcoffee"].get("site", "Seattle") or {}
    stores["fourthcoffee"].put(
        "site", "Seattle", {**site, "XmppFederationRoute": "EdgeServer:" + other.shape.pools[0].fqdn}
    )
    before = routes(stores["fourthcoffee"])
    begin = {name: max((event.id for event in store.events()), default=0) for name, store in stores.items()}
    nowhere = failover(plays, "-e", "sfb_xmpp_failover_to=edge9.contoso.test", fourthcoffee=other)
    assert nowhere.code == 2, nowhere.output
    text = "no deployment of this run has the Edge pool 'edge9.contoso.test'. The deployment contoso has %s, %s"
    assert text % (EDGE_POOL, SECOND) in " ".join(nowhere.output.split())
    done = failover(plays, "-e", "sfb_xmpp_failover_to=" + SECOND, fourthcoffee=other)
    assert done.code == 0, done.output
    text = "in the deployment fourthcoffee, because edge2.contoso.test is an Edge pool of the deployment contoso."
    assert text in " ".join(done.output.split())
    events = {name: store.events(begin[name]) for name, store in stores.items()}
    changing = {
        name: [(e.host, e.cmdlet) for e in found if e.kind == "statement" and not e.cmdlet.startswith(READS)]
        for name, found in events.items()
    }
    assert changing["fourthcoffee"] == []
    # Its first management host was read from; no other server of it was asked anything but what it offers.
    assert {event.host for event in events["fourthcoffee"] if event.kind == "session-open"} == {"fe01", "fe02"}
    asked = {event.host for event in events["fourthcoffee"] if event.kind == "statement" and "-Cs" in event.cmdlet}
    assert asked == {"fe01"}
    assert routes(stores["fourthcoffee"]) == before
    assert routes(stores["contoso"])["Redmond"] == "EdgeServer:" + SECOND
    restarted = [host for host, cmdlet in changing["contoso"] if cmdlet == "Start-CsWindowsService"]
    assert restarted == ["fe01", "fe11"]
    opened = {event.host for event in events["contoso"] if event.kind == "session-open"}
    assert opened == {"fe01", "fe11", *FIRST_EDGES, *SECOND_EDGES}
    assert [
        (run["playbook"], run["deployment"]["label"]) for run in journal(plays) if run["task"] == "xmpp_federation"
    ] == [("failover", "contoso")]
    moved = {task.host: task.state for task in done.tasks if task.task == "Move the route"}
    assert set(moved.values()) == {"ok", "skipped"}, moved


def test_without_a_restart_the_gateways_keep_the_former_route(plays: Plays, partners: control.Partners) -> None:
    store = plays.lab.store()
    site = store.get("site", "Redmond") or {}
    store.put("site", "Redmond", {**site, "XmppFederationRoute": "EdgeServer:" + SECOND})
    assert all(outcome.is_as("S") for outcome in talk(store, partners, PEER, USER))
    assert set(edges(store, 0).values()) <= FIRST_EDGES
    store.set_setting("hosts_down", dict.fromkeys(FIRST_EDGES, "off"))
    outcome = talk(store, partners, USER, PEER)[0]
    assert (outcome.arrived, "XMPP proxy is not running on any Edge" in outcome.why) == (False, True), outcome


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "sfb_xmpp_failover_to: is missing. Name the Edge pool"),
        (
            ["-e", "sfb_xmpp_failover_to=edge3.contoso.test"],
            "no deployment of this run has the Edge pool 'edge3.contoso.test'. The deployment contoso has",
        ),
        (["-e", "sfb_xmpp_failover_to=" + EDGE_POOL_2019], "has no XMPP. Enable it"),
        (
            ["-e", "sfb_xmpp_failover_to=" + SECOND, "-e", "sfb_xmpp_failover_site=Paris"],
            "sfb_xmpp_failover_site: the topology has no site 'Paris'",
        ),
    ],
)
def test_what_it_refuses(plays: Plays, arguments: list[str], text: str) -> None:
    store = plays.lab.store()
    break_link(store, "route-to-2019")
    run = failover(plays, *arguments)
    assert run.code == 2, run.output
    assert text in " ".join(run.output.split())
    assert writes(plays) == []


def test_a_gateway_that_cannot_be_restarted_stops_the_run_before_the_route_moves(plays: Plays) -> None:
    """The remote shell of a Front End offers Get-CsWindowsService alone; one that is off holds nothing up."""
    store = plays.lab.store()
    before = routes(store)
    place = Place(plays.lab.directory, plays.lab.port, plays.lab.profile, plays.lab.shape)
    groups = inventory({"contoso": place})
    first, *_others = groups["sfb_front_end"]["hosts"].values()
    own = dict(first)
    first.update(ansible_psrp_path="OcsPowershell", ansible_management_shell_modules=[])
    file = plays.write("shell.yml", groups)
    run = plays.run("sfb.xmpp.failover", "-e", "sfb_xmpp_failover_to=" + SECOND, inventory=file)
    assert run.code == 2, run.output
    words = " ".join(run.output.split())
    assert "does not offer Start-CsWindowsService, Stop-CsWindowsService" in words
    assert "its services cannot be restarted" in words
    assert (writes(plays), routes(store)) == ([], before)
    first.update(own, ansible_port=1)
    file = plays.write("off.yml", groups)
    run = plays.run("sfb.xmpp.failover", "-e", "sfb_xmpp_failover_to=" + SECOND, "--check", inventory=file)
    assert "does not answer" in " ".join(run.output.split())
    moved = [task for task in run.tasks if task.task == "Move the route" and task.state == "ok"]
    assert len(moved) == 1


def test_where_the_route_cannot_be_set_no_service_is_touched(plays: Plays) -> None:
    store = plays.lab.store()
    break_link(store, "set-site-missing")
    run = failover(plays, "-e", "sfb_xmpp_failover_to=" + SECOND)
    assert run.code == 2, run.output
    assert "set the route in Topology Builder" in " ".join(run.output.split())
    assert writes(plays) == []
