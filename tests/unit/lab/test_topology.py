# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sites and their routes, domains, test users, and the Central Management Store with its replicas."""

from __future__ import annotations

import datetime
import io
import json
import typing as t
import zipfile

import pytest
from psrpcore.types import PSInt

from lab.deployment.breaks import POOL_2019, break_link

from .conftest import Bench

STATUS = "Get-CsManagementStoreReplicationStatus"
PUSH = "Invoke-CsManagementStoreReplication"
EXPORT = "Export-CsConfiguration"


def route(bench: Bench, site: str = "Redmond") -> object:
    (row,) = bench.ok("Get-CsSite", Identity=site)
    return row["XmppFederationRoute"]


class TestRoutes:
    def test_a_route_is_set_and_cleared(self, bench: Bench) -> None:
        assert route(bench, "Dublin") == ""
        assert bench.ok("Set-CsSite", Identity="dublin", XmppFederationRoute="edgeserver:EDGE.contoso.test") == []
        assert route(bench, "Dublin") == "EdgeServer:edge.contoso.test"
        for nothing in (None, ""):
            bench.ok("Set-CsSite", Identity="Redmond", XmppFederationRoute="EdgeServer:edge.contoso.test")
            bench.ok("Set-CsSite", Identity="Redmond", XmppFederationRoute=nothing)
            assert route(bench) == ""
        assert bench.ok("Get-CsSite", Identity="Redmond")[0]["FederationRoute"] == "EdgeServer:edge.contoso.test"

    @pytest.mark.parametrize("wrong", ["edge.contoso.test", "Registrar:fe01.contoso.test", "EdgeServer:nowhere.test"])
    def test_a_route_is_an_edge_service(self, bench: Bench, wrong: str) -> None:
        assert bench.fails("Set-CsSite", Identity="Redmond", XmppFederationRoute=wrong) == "InvalidArgument"
        assert route(bench) == "EdgeServer:edge.contoso.test"

    @pytest.mark.parametrize("identity", ["site:Redmond", "Paris"])
    def test_the_identity_is_the_bare_name(self, bench: Bench, identity: str) -> None:
        assert bench.fails("Set-CsSite", Identity=identity, XmppFederationRoute="") == "ItemNotFound"
        assert bench.fails("Set-CsSite", XmppFederationRoute="") == "ItemNotFound"

    def test_what_if_writes_nothing(self, bench: Bench) -> None:
        bench.ok("Set-CsSite", Identity="Redmond", XmppFederationRoute="", WhatIf=True)
        assert route(bench) == "EdgeServer:edge.contoso.test"

    def test_the_other_properties(self, bench: Bench) -> None:
        bench.ok("Set-CsSite", Identity="Redmond", DisplayName="Headquarters", Description="All of it")
        (row,) = bench.ok("Get-CsSite", Identity="Redmond")
        assert (row["DisplayName"], row["Description"], row["Identity"]) == (
            "Headquarters",
            "All of it",
            "Site:Redmond",
        )

    def test_a_shell_may_not_offer_it(self, bench: Bench) -> None:
        break_link(bench.store, "set-site-missing")
        assert bench.fails("Set-CsSite", Identity="Redmond") == "CommandNotFoundException"
        assert bench.fails("Get-Command", Name="Set-CsSite") == "CommandNotFoundException"


class TestPools:
    @pytest.mark.parametrize(("fixture", "legacy"), [("bench", 7), ("bench2013", 6)])
    def test_versions_tell_legacy_pools_from_those_of_2019(
        self, request: pytest.FixtureRequest, fixture: str, legacy: int
    ) -> None:
        bench: Bench = request.getfixturevalue(fixture)
        break_link(bench.store, "coexistence")
        versions = {row["PoolFqdn"]: row["Version"] for row in bench.ok("Get-CsService", Registrar=True)}
        assert versions == {"fe01.contoso.test": legacy, "fe11.contoso.test": legacy, POOL_2019: 8}
        (pool,) = bench.ok("Get-CsPool", Identity=POOL_2019)
        assert "Registrar:" + POOL_2019 in pool["Services"]
        builds = {row["ReplicaFqdn"]: row["ProductVersion"] for row in bench.ok(STATUS)}
        assert builds[POOL_2019] == "7.0.2046.0"
        assert builds["edge01.contoso.test"] == {7: "6.0.9319.0", 6: "5.0.8308.0"}[legacy]

    def test_a_server_tells_its_own_version_only(self, bench: Bench) -> None:
        bench.store.set_setting("server_version", 8)
        (text,) = bench.call("Get-CsServerVersion", host="fe01/wsman").values
        assert "7.0.2046" in text
        assert {row["Version"] for row in bench.ok("Get-CsService", Registrar=True)} == {7}

    def test_the_ports_of_an_edge_without_xmpp_are_empty(self, bench: Bench) -> None:
        (edge,) = bench.ok("Get-CsService", EdgeServer=True)
        assert (edge["XmppListeningPort"], edge["XmppInternalPort"]) == (5269, 23456)
        assert isinstance(edge["XmppListeningPort"], PSInt)
        break_link(bench.store, "edge-without-xmpp")
        (edge,) = bench.ok("Get-CsService", EdgeServer=True)
        assert (edge["XmppListeningPort"], edge["XmppInternalPort"]) == (None, None)

    def test_where_users_are_homed(self, bench: Bench) -> None:
        break_link(bench.store, "users-on-2019")
        homes = {row["SamAccountName"]: row["RegistrarPool"] for row in bench.ok("Get-CsUser")}
        assert [name for name, pool in homes.items() if pool == POOL_2019] == ["ialmeida", "mbell"]
        policy = bench.ok("Get-CsEffectivePolicy", Identity="mbell@contoso.test")[0]["ExternalAccessPolicy"]
        assert policy == "Global"

    @pytest.mark.parametrize(("name", "field"), [("users-online", "HostingProvider"), ("users-disabled", "Enabled")])
    def test_users_who_are_elsewhere(self, bench: Bench, name: str, field: str) -> None:
        before = {row["SamAccountName"]: row[field] for row in bench.ok("Get-CsUser")}
        break_link(bench.store, name)
        after = {row["SamAccountName"]: row[field] for row in bench.ok("Get-CsUser")}
        assert [name for name in before if before[name] != after[name]] == ["ialmeida", "mbell"]


class TestDomains:
    @pytest.mark.parametrize("kind", ["allowed", "blocked"])
    def test_the_lists_of_sip_federation(self, bench: Bench, kind: str) -> None:
        cmdlet = "Get-Cs%sDomain" % kind.title()
        assert bench.ok(cmdlet) == []
        break_link(bench.store, "partner-" + kind)
        (row,) = bench.ok(cmdlet)
        assert (row["Identity"], row["Domain"], row["Comment"]) == ("fabrikam.example", "fabrikam.example", None)
        assert ("ProxyFqdn" in row) == (kind == "allowed")
        assert len(bench.ok(cmdlet, Filter="fab*")) == 1
        assert bench.fails(cmdlet, Identity="other.example") == "ItemNotFound"

    def test_test_users(self, bench: Bench) -> None:
        assert bench.ok("Get-CsHealthMonitoringConfiguration") == []
        users = {"FirstTestUserSipUri": "sip:a@contoso.test", "SecondTestUserSipUri": "sip:b@contoso.test"}
        bench.store.put("health_monitoring", "fe01.contoso.test", users)
        (row,) = bench.ok("Get-CsHealthMonitoringConfiguration", Identity="FE01.contoso.test")
        assert row["Identity"] == row["TargetFqdn"] == "fe01.contoso.test"
        assert row["SecondTestUserSipUri"] == "sip:b@contoso.test"


class TestReplication:
    def current(self, bench: Bench) -> dict[str, bool]:
        return {r["ReplicaFqdn"]: r["UpToDate"] for r in bench.ok(STATUS)}

    def update(self, bench: Bench, fqdn: str = "edge01.contoso.test") -> datetime.datetime:
        (row,) = bench.ok(STATUS, ReplicaFqdn=fqdn)
        return t.cast(datetime.datetime, row["LastUpdateCreation"])

    def now(self, bench: Bench) -> datetime.datetime:
        """The server's clock, as its status shows it: the shell has no Get-Date."""
        return t.cast(datetime.datetime, bench.ok(STATUS)[0]["LastStatusReport"])

    def test_replicas_are_behind_after_a_change(self, bench: Bench) -> None:
        bench.store.set_setting("replication_seconds", 3600)
        bench.store.set_setting("replication_notice", 0)
        assert set(self.current(bench).values()) == {True}
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test", WhatIf=True)
        assert set(self.current(bench).values()) == {True}
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test")
        assert set(self.current(bench).values()) == {False}
        bench.store.set_setting("replication_seconds", 0)
        bench.store.set_setting("replicas_stuck", ["edge02.contoso.test"])
        behind = [fqdn for fqdn, up_to_date in self.current(bench).items() if not up_to_date]
        assert behind == ["edge02.contoso.test"]

    def test_the_status_may_still_be_that_from_before_a_change(self, bench: Bench) -> None:
        bench.store.set_setting("replication_seconds", 3600)
        bench.store.set_setting("replication_notice", 3600)
        before = self.now(bench)
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test")
        assert set(self.current(bench).values()) == {True}
        assert self.update(bench) < before
        bench.store.set_setting("replication_seconds", 0)
        assert before < self.update(bench) < self.now(bench)

    def test_times_are_those_of_the_servers_clock(self, bench: Bench) -> None:
        bench.store.set_setting("replication_seconds", 0)
        bench.store.set_setting("status_empty_seconds", 0)
        bench.store.set_setting("clock_ahead", 600)
        before = self.now(bench)
        bench.ok(PUSH)
        assert before <= self.update(bench) <= self.now(bench)

    def test_a_later_change_does_not_hide_that_an_earlier_one_came(self, bench: Bench) -> None:
        bench.store.set_setting("replication_seconds", 0)
        first = self.now(bench)
        bench.ok("New-CsXmppAllowedPartner", Identity="z.test")
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test")
        bench.store.set_setting("replication_seconds", 3600)
        second = self.now(bench)
        bench.ok("New-CsXmppAllowedPartner", Identity="b.test")
        assert first < self.update(bench) < second

    def test_a_push_deletes_the_status_of_its_replicas_and_starts_a_copy(self, bench: Bench) -> None:
        bench.store.set_setting("replication_seconds", 0)
        bench.store.set_setting("status_empty_seconds", 3600)
        everyone = set(self.current(bench))
        bench.ok(PUSH, ReplicaFqdn="EDGE01.contoso.test")
        assert set(self.current(bench)) == everyone - {"edge01.contoso.test"}
        bench.ok(PUSH)
        assert self.current(bench) == {}
        (store,) = bench.ok(STATUS, CentralManagementStoreStatus=True)
        assert set(store["ActiveReplicas"]) == everyone
        for name, replica in bench.store.all("replica").items():
            bench.store.put("replica", name, {**replica, "pushed": replica["pushed"] - 1800})
        rows = bench.ok(STATUS)
        assert {(r["UpToDate"], r["LastUpdateCreation"], r["ProductVersion"]) for r in rows} == {(False, None, None)}
        bench.store.set_setting("status_empty_seconds", 0)
        assert self.current(bench) == dict.fromkeys(everyone, True)
        assert {r["ProductVersion"] for r in bench.ok(STATUS)} != {None}
        assert bench.fails(PUSH, ReplicaFqdn="nowhere.test") == "ItemNotFound"
        assert bench.fails(STATUS, ReplicaFqdn="nowhere.test") == "ItemNotFound"

    def test_one_is_late_and_one_never_comes(self, bench: Bench) -> None:
        bench.store.set_setting("replication_seconds", 0)
        bench.store.set_setting("replication_notice", 0)
        break_link(bench.store, "stale-front-end")
        break_link(bench.store, "late-replica")
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test")
        behind = {fqdn for fqdn, new in self.current(bench).items() if not new}
        assert behind == {"edge01.contoso.test", "fe01.contoso.test"}
        bench.store.set_setting("replicas_late", {"edge01.contoso.test": 0})
        assert {fqdn for fqdn, new in self.current(bench).items() if not new} == {"fe01.contoso.test"}

    def test_the_state_of_the_store(self, bench: Bench) -> None:
        (row,) = bench.ok(STATUS, CentralManagementStoreStatus=True)
        assert row["ActiveMasterFqdn"] == "fe01.contoso.test"
        assert len(row["ActiveReplicas"]) == 4

    def test_a_stale_replica_shows_what_it_knew(self, bench: Bench) -> None:
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test")
        break_link(bench.store, "stale-replica")
        bench.ok("New-CsXmppAllowedPartner", Identity="b.test")

        def known(host: str) -> list[object]:
            return [row["Identity"] for row in bench.ok("Get-CsXmppAllowedPartner", host=host, LocalStore=True)]

        assert known("edge01") == ["a.test"]
        assert known("edge02") == known("fe01") == ["a.test", "b.test"]


class TestExport:
    def documents(self, content: bytes) -> dict[str, dict[str, object]]:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return t.cast("dict[str, dict[str, object]]", json.loads(archive.read("DocItemSet.json")))

    def test_to_a_file_of_the_server(self, bench: Bench) -> None:
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test")
        assert bench.ok(EXPORT, FileName="c:\\temp\\before.zip") == []
        content = bench.store.files("fe01")["c:\\temp\\before.zip"]
        assert list(self.documents(content)["partner"]) == ["a.test"]

    def test_as_bytes(self, bench: Bench) -> None:
        (content,) = bench.call(EXPORT, AsBytes=True).values
        assert list(self.documents(bytes(content))["site"]) == ["Redmond", "Dublin"]

    @pytest.mark.parametrize("path", ["D:\\x.zip", "C:\\Nowhere\\x.zip", "x.zip", "C:\\Temp\\"])
    def test_where_it_cannot(self, bench: Bench, path: str) -> None:
        assert bench.fails(EXPORT, FileName=path) == "ExportFailed"
        assert bench.store.files("fe01") == {}

    def test_from_the_local_store_of_an_edge(self, bench: Bench) -> None:
        assert bench.fails(EXPORT, host="edge01", FileName="C:\\Temp\\x.zip") == "CannotOpenDatabase"
        bench.ok(EXPORT, host="edge01", FileName="C:\\Temp\\x.zip", LocalStore=True)
        assert len(bench.store.files("edge01")) == 1
