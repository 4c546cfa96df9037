# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of a lab: what they contain, how they are kept, and what is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from lab.cmdlets.runspace import Deployment
from lab.deployment.hosts import SHELLS, hosts_of, login
from lab.deployment.seed import seed
from lab.deployment.shape import SHAPE, Shape, read_shape, shape_in
from lab.deployment.store import Store
from lab.deployment.topology import home_problem
from lab.errors import LabError
from lab.partners import zone

NAMES = ("two-sites", "fourthcoffee")


def test_the_default_is_contoso() -> None:
    assert read_shape() == read_shape("") == Shape() == SHAPE
    assert SHAPE.edges() == ("edge01", "edge02")


@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_of_two_doors_and_two_edge_pools(name: str, tmp_path: Path) -> None:
    shape = read_shape(name)
    hosts = hosts_of(shape)
    with contextlib.closing(Store(tmp_path)) as store:
        seed(store, "sfb2015", shape)
        assert shape_in(store) == shape
        services, pools, computers = store.all("service_role"), store.all("pool"), store.all("computer")
        central = [one["Pool"] for one in services.values() if one["Role"] == "CentralManagement"]
        assert central == [shape.sites[shape.home]]
        for host in hosts.values():
            assert computers[host.fqdn]["Pool"] == host.pool
            assert host.fqdn in pools[host.pool]["Computers"]
            assert store.services(host.name)["RTCSRV"] == "Running"
        edges = {one["Pool"]: one["Edge"] for one in services.values() if one["Role"] == "EdgeServer"}
        assert list(edges) == [pool.fqdn for pool in shape.pools]
        assert all(edge["XmppListeningPort"] for edge in edges.values())
        assert len({edge["AccessEdgeExternalFqdn"] for edge in edges.values()}) == 2
        routes = {site: one["XmppFederationRoute"] for site, one in store.all("site").items()}
        assert routes[shape.home] == "EdgeServer:" + shape.pools[0].fqdn
        assert store.setting("read_controller") in shape.domain_controllers
        assert all(user["RegistrarPool"] in pools for user in store.users().values())
        presented = [set(store.presented(edge).values()) for edge in shape.edges()]
        assert presented[0] == presented[1] != presented[2] == presented[3], "each pool has certificates of its own"


def test_two_deployments_have_nothing_in_common() -> None:
    one, other = map(read_shape, NAMES)
    for first, second in (
        (set(one.addresses.values()), set(other.addresses.values())),
        ({host.fqdn for host in hosts_of(one).values()}, {host.fqdn for host in hosts_of(other).values()}),
        (set(one.sip_domains), set(other.sip_domains)),
        (set(one.sites.values()), set(other.sites.values())),
        (set(one.passwords.values()), set(other.passwords.values())),
        ({one.netbios, one.domain}, {other.netbios, other.domain}),
    ):
        assert not first & second


def test_what_dns_says_while_a_pool_carries_xmpp() -> None:
    shape = read_shape("two-sites")
    assert zone.published((), 5, shape)["contoso.test"] == zone.own(shape, "edge.contoso.test", 5)
    (service,) = zone.own(shape, "edge2.contoso.test", 5)
    assert service == zone.Service("sip2.contoso.test", 5, ("127.0.0.23", "127.0.0.24"))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("three-sites", "two-sites"),
        ("/nowhere/shape.json", "No such file"),
        ('{"pools": []}', "'pools' must be one of"),
        ("{", "Expecting property name"),
    ],
)
def test_what_is_no_shape(given: str, text: str) -> None:
    with pytest.raises(LabError, match="SFB_LAB_SHAPE") as caught:
        read_shape(given)
    assert text in str(caught.value)


def test_a_lab_keeps_its_shape(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path)) as store:
        seed(store, "sfb2015", read_shape("two-sites"))
    with pytest.raises(LabError, match="another shape"):
        Deployment(tmp_path)


def test_who_may_use_winrm_of_a_front_end() -> None:
    winrm = SHELLS["fe01/wsman"]
    assert (winrm.name, winrm.role, winrm.fqdn) == ("fe01", "front_end", "fe01.contoso.test")
    account = login(winrm, "CONTOSO\\admin")
    assert account is not None
    assert "CsAdministrator" in account.roles
    assert login(winrm, "CONTOSO\\viewer") is None
    assert login(winrm, "Administrator") is None


@pytest.mark.parametrize("profile", ["lync2013", "sfb2015"])
def test_a_branch_appliance_homes_users_and_has_no_xmpp(profile: str, tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path)) as store:
        seed(store, profile, read_shape("branch"))
        roles = store.all("service_role")
        problems = {user["SamAccountName"]: home_problem(roles, user) for user in store.all("user").values()}
        assert problems == {
            "aokafor": "",
            "lfirth": "is homed on sba01.contoso.test, a branch appliance, which has no XMPP",
        }
        assert "sba01.contoso.test" in store.all("replica")
