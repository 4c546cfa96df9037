# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What failover decides: whose the Edge pool is, what moves, and which services restart."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.failover import (
    before_the_move,
    move_of,
    owner,
    service_state,
    topologies_of,
)


def edge(fqdn: str, **values: t.Any) -> dict[str, t.Any]:
    ports = {"xmpp_listening_port": 5269, "xmpp_internal_port": 23456}
    return {"fqdn": fqdn, "access_edge": "sip." + fqdn, "release": "2015", **ports, **values}


CONTOSO: dict[str, t.Any] = {
    "edge_pools": [edge("edge.contoso.test"), edge("Edge2.contoso.test")],
    "sites": [
        {"name": "Redmond", "xmpp_federation_route": "edge.contoso.test"},
        {"name": "Dublin", "xmpp_federation_route": ""},
    ],
    "sip_domains": ["contoso.test"],
}
OTHER: dict[str, t.Any] = {**CONTOSO, "edge_pools": [edge("edge.other.test")]}


def refused(call: t.Callable[..., t.Any], *arguments: t.Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return "; ".join(caught.value.reasons)


def test_a_pool_belongs_to_the_deployment_whose_topology_has_it() -> None:
    both = {"contoso": CONTOSO, "other": OTHER}
    assert owner(both, "EDGE2.contoso.test.") == "contoso"
    assert owner(both, "edge.other.test") == "other"
    assert owner({**both, "silent": None}, "edge.other.test") == "other"


def test_a_pool_that_is_nobodys_is_refused() -> None:
    both = {"contoso": CONTOSO, "other": OTHER}
    text = "sfb_xmpp_failover_to: no deployment of this run has the Edge pool 'edge9.test'. The deployment "
    text += "contoso has edge.contoso.test, Edge2.contoso.test; other has edge.other.test"
    assert refused(owner, both, "edge9.test") == text
    # A pattern is no name.
    assert "no deployment of this run has the Edge pool" in refused(owner, both, "edge.*")
    assert "Edge pools of the deployment silent cannot be read" in refused(
        owner, {**both, "silent": None}, "edge9.test"
    )
    hidden = {**OTHER, "edge_pools": None}
    assert "Edge pools of the deployment other cannot be read" in refused(
        owner, {"contoso": CONTOSO, "other": hidden}, "edge9.test"
    )
    assert "of several deployments: contoso, twin" in refused(
        owner, {"contoso": CONTOSO, "twin": copy.deepcopy(CONTOSO)}, "edge.contoso.test"
    )


def test_the_named_site_moves_or_else_each_that_has_a_route() -> None:
    assert move_of(CONTOSO, "edge2.contoso.test", "").routes == (
        {"site": "Redmond", "edge_pool": "Edge2.contoso.test"},
    )
    (route,) = move_of(CONTOSO, "edge2.contoso.test", "dublin").routes
    assert route["site"] == "Dublin"
    assert "the topology has no site 'Paris'. Choose one of Redmond, Dublin" in refused(
        move_of, CONTOSO, "edge2.contoso.test", "Paris"
    )
    none = {**CONTOSO, "sites": [{"name": "Dublin", "xmpp_federation_route": None}]}
    assert "sfb_xmpp_failover_site: no site has a route" in refused(move_of, none, "edge2.contoso.test", "")
    hidden = {**CONTOSO, "sites": None}
    assert "cannot read the sites" in refused(move_of, hidden, "edge2.contoso.test", "")


@pytest.mark.parametrize("values", [{"xmpp_listening_port": None}, {"release": "2019"}])
def test_a_pool_without_xmpp_is_refused(values: dict[str, t.Any]) -> None:
    topology = {**CONTOSO, "edge_pools": [edge("edge2.contoso.test", **values)]}
    assert "edge2.contoso.test has no XMPP. Enable it" in refused(move_of, topology, "edge2.contoso.test", "")


@pytest.mark.parametrize(
    ("moves", "front_end", "state"),
    [
        ([{"changed": True}], True, "restarted"),
        ([{"changed": True}], False, "started"),
        ([{"changed": False}], True, "started"),
        ([{"changed": True, "failed": True}], True, ""),
        ([{"changed": False, "skipped": True}], True, ""),
        ([], True, ""),
    ],
)
def test_services_follow_the_route_of_their_own_deployment(
    moves: list[dict[str, t.Any]], front_end: bool, state: str
) -> None:
    assert service_state(moves, front_end) == state


AWAY = {"able": False, "reached": False, "reason": "timed out"}
ABLE = {"able": True, "reached": True, "reason": ""}
BARRED = {"able": False, "reached": True, "reason": "this session offers no Start-CsWindowsService"}


def test_what_cannot_be_restarted_is_told_before_the_route_moves() -> None:
    assert before_the_move(["fe1", "fe2"], ["e1"], {"fe1": ABLE, "fe2": ABLE, "e1": ABLE}) == []
    text = refused(before_the_move, ["fe1", "fe2"], ["e1"], {"fe1": ABLE, "fe2": BARRED, "e1": ABLE})
    assert text.startswith("fe2: its services cannot be restarted")
    assert text.endswith("this session offers no Start-CsWindowsService")
    # A server that is off takes the route when it starts, and must not hold up a failover.
    (line,) = before_the_move(["fe1", "fe2"], [], {"fe1": ABLE, "fe2": AWAY})
    assert line.startswith("fe2 does not answer (timed out)")
    (line,) = before_the_move(["fe1"], ["e1"], {"fe1": ABLE, "e1": BARRED})
    assert line.startswith("e1: this run cannot start its service")
    assert "No Front End is in sfb_front_end" in before_the_move([], ["e1"], {"e1": ABLE})[0]
    # --limit has left it out.
    assert before_the_move(["fe1"], [], {}) == []


def test_the_topology_is_that_of_the_host_that_answered() -> None:
    skipped, failed = {"skipped": True}, {"failed": True}
    found = topologies_of({"contoso": [skipped, CONTOSO], "other": [failed]})
    assert found == {"contoso": CONTOSO, "other": None}
