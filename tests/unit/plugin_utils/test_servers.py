# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts make a deployment."""

from __future__ import annotations

import typing as t

from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.servers import DeploymentHosts, servers_of
from hypothesis import given
from hypothesis import strategies as st

ONE = {"sfb_management": ["fe1", "fe2"], "sfb_front_end": ["fe1w"], "sfb_edge": ["e1", "e2"]}


def test_without_labels_all_hosts_are_one_deployment() -> None:
    servers = servers_of(ONE, {})
    assert servers.deployments == (DeploymentHosts("default", ("fe1", "fe2"), ("fe1w",), ("e1", "e2")),)
    assert not servers.mistakes


def test_a_label_on_the_doors_alone_holds_for_the_others() -> None:
    """Otherwise the Edges would be another deployment's, and a decommission would leave their certificate."""
    servers = servers_of(ONE, {"fe1": "contoso", "fe2": "contoso"})
    assert servers.deployments == (DeploymentHosts("contoso", ("fe1", "fe2"), ("fe1w",), ("e1", "e2")),)


def test_a_label_of_one_door_holds_for_the_other_door_too() -> None:
    assert [one.label for one in servers_of(ONE, {"fe1": "contoso"}).deployments] == ["contoso"]


def test_with_several_deployments_each_host_has_to_say_its_own() -> None:
    labels = {"fe1": "a", "fe2": "b", "fe1w": "a", "e1": "a"}
    servers = servers_of(ONE, labels)
    assert servers.mistakes == (
        "sfb_xmpp_deployment is not set for e2, but the inventory has the deployments a, b. Set it to one of them",
    )


def test_a_label_that_no_door_has_is_a_mistake() -> None:
    servers = servers_of(ONE, {"fe1": "a", "fe2": "a", "e1": "A"})
    assert servers.mistakes == (
        "sfb_xmpp_deployment of e1 is 'A', but no host of sfb_management has this value. Use one of the deployments: a",
    )


def test_edges_alone_may_be_of_several_deployments() -> None:
    servers = servers_of({"sfb_edge": ["e1", "e2"]}, {"e1": "a", "e2": "b"})
    assert [(one.label, one.edges) for one in servers.deployments] == [("a", ("e1",)), ("b", ("e2",))]
    assert not servers.mistakes


def test_a_limit_leaves_deployments_out_and_hosts_in() -> None:
    servers = servers_of(ONE, {"fe1": "a", "fe2": "b", "fe1w": "a", "e1": "a", "e2": "a"}).among(["e1"])
    assert [one.label for one in servers.deployments] == ["a"]
    assert servers.deployments[0].edges == ("e1", "e2")


names = st.sampled_from(["h1", "h2", "h3", "h4", "h5"])


@given(
    st.fixed_dictionaries({group: st.lists(names, unique=True) for group in ONE}),
    st.dictionaries(names, st.sampled_from(["", "a", "b"])),
)
def test_every_host_belongs_to_exactly_one_deployment(groups: dict[str, list[str]], labels: dict[str, t.Any]) -> None:
    servers = servers_of(groups, labels)
    for host in {host for hosts in groups.values() for host in hosts}:
        assert sum(host in one.hosts for one in servers.deployments) == 1
        if labels.get(host):
            assert servers.of(host).label == labels[host]
