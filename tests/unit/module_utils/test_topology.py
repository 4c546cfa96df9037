# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology: whose each object of the answer is, what is not observable, and what is no answer."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY, ROUTE
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import POOLS, read_pools
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, ServerError, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replicate import carrying
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import Topology, read_topology

from tests.unit.module_utils import memory_shell
from tests.unit.module_utils.memory_shell import MemoryShell


def server(**changed: list[t.Any]) -> MemoryShell:
    """changed: by noun, what stands there instead."""

    class Changed(MemoryShell):
        def _run(self, statement: Statement) -> list[t.Any]:
            noun = statement.cmdlet.partition("-")[2]
            if noun not in changed:
                return super()._run(statement)
            role = next(iter(statement.parameters), "")
            return [one for one in changed[noun] if noun != "CsService" or one["Role"] == role]

    shell = Changed()
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": "EdgeServer:edge.contoso.com"})
    return shell


def refusing(shell: MemoryShell, cmdlet: str, error_id: str = "CommandNotFoundException") -> MemoryShell:
    error = ServerError(cmdlet, error_id, "", "the server's words")
    shell.fault = lambda statement: error if statement.cmdlet == cmdlet else None
    return shell


def hiding(shell: MemoryShell, cmdlet: str) -> MemoryShell:
    """A session that does not offer a cmdlet, and says so."""
    shell.hidden = {cmdlet}
    return shell


def test_everything_in_one_request() -> None:
    shell = server()
    found = read_topology(shell)
    assert shell.requests == 2, "what the session offers, then everything"
    assert found.release == "2015"
    assert [
        (pool.fqdn, pool.site, pool.computers, pool.release, pool.registrar, pool.front_end)
        for pool in found.pools or ()
    ] == [
        ("fe01.contoso.com", "Redmond", ("fe01.contoso.com",), "2015", True, True),
        ("edge.contoso.com", "Redmond", ("edge01.contoso.com",), "2015", False, False),
        ("branch.contoso.com", "Redmond", ("branch.contoso.com",), "2015", True, False),
    ]
    assert [(edge.fqdn, edge.has_xmpp, edge.legacy) for edge in found.edges or ()] == [("edge.contoso.com", True, True)]
    assert [(site.name, site.xmpp_route) for site in found.sites or ()] == [("Redmond", "edge.contoso.com")]
    assert (found.sip_domains, found.allowed_domains) == (("contoso.com", "a.com"), ("litware.com",))
    assert (found.blocked_domains, len(found.replicas or ())) == (("spam.example",), 2)
    assert found.unobserved == {}


# Which value is not there where a cmdlet is not offered; the releases of pools come from several.
LACKING = {
    "Get-CsSite": "sites",
    "Get-CsSipDomain": "sip_domains",
    "Get-CsAllowedDomain": "allowed_domains",
    "Get-CsBlockedDomain": "blocked_domains",
    "Get-CsManagementStoreReplicationStatus": "replicas",
    "Get-CsPool": "pools",
    "Get-CsService": "edges",
}


@pytest.mark.parametrize("told", [hiding, refusing])
@pytest.mark.parametrize("cmdlet", LACKING)
def test_what_is_not_offered_is_none_and_the_rest_is_there(
    cmdlet: str, told: t.Callable[[MemoryShell, str], MemoryShell]
) -> None:
    """Also where the session does not say beforehand that a cmdlet is missing. No more requests in either case."""
    shell = told(server(), cmdlet)
    whole, found = read_topology(server()), read_topology(shell)
    assert shell.requests == 2
    assert (cmdlet in [one.cmdlet for one in shell.sent]) == (told is refusing)
    assert found.unobserved == {cmdlet: "not offered to this account"}
    assert getattr(found, LACKING[cmdlet]) is None
    for name in set(LACKING.values()) - {LACKING[cmdlet], "pools"}:
        assert getattr(found, name) == getattr(whole, name)


def test_another_error_is_told_in_the_servers_words() -> None:
    found = read_topology(refusing(server(), "Get-CsSite", error_id="StoreNotAvailable"))
    assert found.unobserved == {"Get-CsSite": "the server's words"}


def test_an_error_that_names_no_cmdlet_is_an_error_of_the_whole() -> None:
    """Nobody knows whose objects are missing."""
    shell = server()
    error = ServerError("", "StoreNotAvailable", "", "the server's words")
    shell.fault = lambda statement: error if statement.cmdlet == "Get-CsSite" else None
    with pytest.raises(ServerRefused, match="the server's words"):
        read_topology(shell)


def test_nothing_at_all_is_a_failure() -> None:
    class Silent:
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            return Answer(lost="reset")

    with pytest.raises(ServerRefused, match="Get-CsService failed: reset"):
        read_topology(Silent())


def edge(**changed: t.Any) -> dict[str, t.Any]:
    return {**memory_shell.TOPOLOGY["CsService"][0], **changed}


WRONG: list[tuple[str, list[t.Any], str]] = [
    ("CsSipDomain", [{"IsDefault": True, "Name": None}], "Name of an object is missing or is not a string"),
    ("CsSipDomain", ["contoso.com"], "an unexpected object"),
    (
        "CsAllowedDomain",
        [{"Domain": 5, "MarkForMonitoring": False}],
        "Domain of an object is missing or is not a string",
    ),
    ("CsService", [edge(XmppListeningPort="5269")], "edge.contoso.com: XmppListeningPort must be a port, not '5269'"),
    ("CsService", [edge(XmppInternalPort=True)], "XmppInternalPort must be a port, not True"),
    ("CsPool", [{"Fqdn": "a", "Site": "Site:R", "Computers": [5]}], "a: Computers is not a list of strings"),
    ("CsPool", [{"Fqdn": "a", "Site": None, "Computers": []}], "Site of an object is missing or is not a string"),
    (
        "CsSite",
        [{"Identity": "Site:R", "XmppFederationRoute": 5}],
        "R: XmppFederationRoute must be an Edge pool such as",
    ),
    ("CsPool", [{"Nothing": "that was asked for"}], "an unexpected object: Nothing"),
]


@pytest.mark.parametrize(("noun", "items", "told"), WRONG)
def test_another_form_is_not_observable_and_hides_nothing_else(noun: str, items: list[t.Any], told: str) -> None:
    found = read_topology(server(**{noun: items}))
    assert list(found.unobserved) == ["Get-" + noun]
    assert told in found.unobserved["Get-" + noun]
    parts = {
        "CsService": found.edges, "CsSite": found.sites, "CsSipDomain": found.sip_domains,
        "CsAllowedDomain": found.allowed_domains, "CsPool": found.pools,
    }  # fmt: skip
    assert [name for name, part in parts.items() if part is None] == [noun]


def test_no_sip_domain_at_all_is_an_error() -> None:
    with pytest.raises(ServerRefused, match="the server returned no object"):
        read_topology(server(CsSipDomain=[]))


def test_an_object_out_of_its_order_is_not_observable() -> None:
    odd = [*memory_shell.TOPOLOGY["CsPool"], memory_shell.TOPOLOGY["CsAllowedDomain"][0]]
    assert "an unexpected object" in read_topology(server(CsPool=odd)).unobserved["Get-CsPool"]


RELEASES: list[tuple[t.Any, str, str | None]] = [
    (6, "", "2013"), ("6", "", "2013"), (7, "", "2015"), (8, "", "2019"), (9, "", "2019"), (5, "", None),
    ("seven", "", None), (True, "", None), (None, "", None),
    (8, "5.0.8308.0", "2013"), (8, "6.0.9319.548", "2015"), (7, "7.0.2046.820", "2019"), (7, "8.1.1.0", "2019"),
    (None, "16.0.1.2", "2019"), (7, "4.0.7577.0", "2015"), (7, "new", "2015"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "build", "release"), RELEASES)
def test_releases(number: t.Any, build: str, release: str | None) -> None:
    """Of replicas, or else of services. Later than the last that is known is later all the same."""
    services = [{"PoolFqdn": "fe01.contoso.com", "Role": "Registrar", "Version": number}]
    replica = {"ReplicaFqdn": "fe01.contoso.com", "UpToDate": True, "LastUpdateCreation": None, "ProductVersion": build}
    shell = server(CsManagementStoreReplicationStatus=[replica], CsService=services)
    shell.place = Place(host="FE01")
    found = read_topology(shell)
    pool = found.pool("FE01.contoso.com")
    assert pool is not None
    assert (found.release, pool.release) == (release, release)
    assert pool.legacy is (None if release is None else release != "2019")


def test_the_build_of_a_replica_says_more_than_a_number() -> None:
    made = {"UpToDate": True, "LastUpdateCreation": None, "ProductVersion": "7.0.2046.0"}
    replicas = [{"ReplicaFqdn": "FE01.contoso.com", **made}]
    assert _fe01(read_topology(server(CsManagementStoreReplicationStatus=replicas))) == "2019"
    mixed = [*replicas, {"ReplicaFqdn": "fe02.contoso.com", **made, "ProductVersion": "6.0.9319.0"}]
    pools = [{"Fqdn": "fe01.contoso.com", "Site": "R", "Computers": ["fe01.contoso.com", "fe02.contoso.com"]}]
    assert _fe01(read_topology(server(CsManagementStoreReplicationStatus=mixed, CsPool=pools))) is None


def _fe01(topology: Topology) -> str | None:
    pool = topology.pool("fe01.contoso.com")
    assert pool is not None
    return pool.release


def test_the_servers_version_is_never_asked_of_a_door() -> None:
    """Get-CsServerVersion is local to a server (its page)."""
    for shell, sent in ((server(), set(LACKING)), (hiding(server(), "Get-CsSite"), {*LACKING} - {"Get-CsSite"})):
        found = read_topology(shell)
        assert {one.cmdlet for one in shell.sent} == {"Get-Command", *sent}
        assert "Get-CsServerVersion" not in found.unobserved


ANSWERING = [
    ("fe01", "2015"),
    ("FE01.contoso.com", "2015"),
    ("edge01", "2015"),
    ("door", None),
    ("", None),
    ("fe", None),
]


@pytest.mark.parametrize(("host", "release"), ANSWERING)
def test_the_release_of_the_server_that_answers_is_that_of_its_pool(host: str, release: str | None) -> None:
    shell = server()
    shell.place = Place(host=host)
    assert read_topology(shell).release == release


def test_a_short_name_of_two_servers_is_that_of_none() -> None:
    pools = [
        {"Fqdn": "a.contoso.com", "Site": "R", "Computers": ["fe01.a.com"]},
        {"Fqdn": "b.contoso.com", "Site": "R", "Computers": ["fe01.b.com"]},
    ]
    replicas = [
        {"ReplicaFqdn": fqdn, "UpToDate": True, "LastUpdateCreation": None, "ProductVersion": "7.0.2046.0"}
        for fqdn in ("fe01.a.com", "fe01.b.com")
    ]
    for host, release in (("fe01", None), ("fe01.b.com", "2019")):
        shell = server(CsPool=pools, CsManagementStoreReplicationStatus=replicas)
        shell.place = Place(host=host)
        assert read_topology(shell).release == release


def test_a_pool_with_a_registrar_and_without_a_user_server_has_no_xmpp() -> None:
    """A survivable branch appliance: its users have a registrar, and a legacy release, but no XMPP."""
    found = read_topology(server())
    fe01, branch = found.pool("fe01.contoso.com"), found.pool("branch.contoso.com")
    assert fe01 is not None
    assert branch is not None
    assert (fe01.legacy, fe01.has_xmpp, branch.legacy, branch.has_xmpp) == (True, True, True, False)
    edges = ["edge.contoso.com"]
    assert carrying(found, edges) == {"fe01.contoso.com", "edge01.contoso.com"}
    assert read_pools(server()) == tuple(pool for pool in found.pools or () if pool.registrar)


def test_where_no_user_server_is_told_no_pool_is_known_to_have_xmpp() -> None:
    services = [one for one in memory_shell.TOPOLOGY["CsService"] if one["Role"] != "UserServer"]
    found = read_topology(server(CsService=services))
    assert [pool.has_xmpp for pool in found.pools or ()] == [None, None, None]
    # Whose replica carries XMPP is then a question of the registrar.
    assert carrying(found, []) == {"fe01.contoso.com", "branch.contoso.com"}
    assert [pool.has_xmpp for pool in read_pools(server(CsService=services))] == [None, None]


BRANCH_SITES: list[dict[str, t.Any]] = [
    {"Identity": "Site:Leeds", "FederationRoute": None, "SiteType": "BranchSite", "ParentSite": "Site:Redmond"},
    {"Identity": "Site:Leeds", "SiteType": "BranchSite"},
    {"Identity": "Site:Leeds", "ParentSite": "Site:Redmond"},
]


@pytest.mark.parametrize("branch", BRANCH_SITES)
@pytest.mark.parametrize("first", [False, True])
def test_a_branch_site_without_an_xmpp_route_is_no_site_with_routes(branch: dict[str, t.Any], first: bool) -> None:
    central = {"Identity": "Site:Redmond", "FederationRoute": "", "XmppFederationRoute": "EdgeServer:edge.contoso.com"}
    shell = server(CsSite=[branch, central] if first else [central, branch])
    assert [site.name for site in read_topology(shell).sites or ()] == ["Redmond"]
    assert list(Reader(shell).kinds([ROUTE]).of("federation_routes")) == ["redmond"]
    found, items = Reader(shell).kinds_and([ROUTE, POLICY], [POOLS])
    assert list(found.of("federation_routes")) == ["redmond"]
    fqdns = [item["Fqdn"] for item in items.of("pools") or ()]
    assert fqdns == ["fe01.contoso.com", "edge.contoso.com", "branch.contoso.com"]


def test_a_central_site_without_the_property_shows_no_route() -> None:
    site = {"Identity": "Site:Redmond", "FederationRoute": "", "SiteType": "CentralSite", "ParentSite": None}
    assert [one.xmpp_route for one in read_topology(server(CsSite=[site])).sites or ()] == [""]
    assert Reader(server(CsSite=[site])).kinds([ROUTE]).of("federation_routes")["redmond"].values == {}


@pytest.mark.parametrize("nothing", ["", "  ", None, 0])
def test_a_port_that_is_empty_is_none(nothing: t.Any) -> None:
    services = [edge(XmppListeningPort=nothing, XmppInternalPort=nothing), *memory_shell.TOPOLOGY["CsService"][1:]]
    (found,) = read_topology(server(CsService=services)).edges or ()
    assert (found.listening_port, found.internal_port, found.has_xmpp) == (None, None, False)


def test_references_may_be_objects_with_a_friendly_name() -> None:
    def friendly(name: str) -> dict[str, str]:
        return {"FriendlyName": name, "DistinguishedName": "CN=1:1,CN=Pools"}

    services = [{**one, "PoolFqdn": friendly(one["PoolFqdn"])} for one in memory_shell.TOPOLOGY["CsService"]]
    pools = [
        {**one, "Site": friendly(one["Site"]), "Computers": [friendly(fqdn) for fqdn in listed(one["Computers"])]}
        for one in memory_shell.TOPOLOGY["CsPool"]
    ]
    assert read_topology(server(CsService=services, CsPool=pools)) == read_topology(server())


def listed(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else [value]
