# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""External access policies, allowed partners, gateway and Access Edge settings."""

from __future__ import annotations

import pytest
from psrpcore.types import PSDict, PSEnumBase, PSList, PSUInt

from .conftest import Bench

POLICY = "CsExternalAccessPolicy"
PARTNER = "CsXmppAllowedPartner"
TRICKY = "He said \"hi\"; `rm` $(Get-Date)\n\tüñí 🦊 'x' -Force"


class TestPolicies:
    def test_a_new_deployment_has_the_global_policy_only(self, bench: Bench) -> None:
        (row,) = bench.ok("Get-" + POLICY)
        assert row["Identity"] == "Global"
        assert [row[n] for n in sorted(row) if n.startswith("Enable")] == [False] * 5
        assert "Element" in row

    @pytest.mark.parametrize("identity", ["Sales", "tag:Sales", "TAG:Sales"])
    def test_a_per_user_policy_is_returned_with_its_tag(self, bench: Bench, identity: str) -> None:
        (created,) = bench.ok("New-" + POLICY, Identity=identity, EnableXmppAccess=True, Description=TRICKY)
        assert (created["Identity"], created["EnableXmppAccess"]) == ("Tag:Sales", True)
        for asked in ("sales", "tag:SALES"):
            (row,) = bench.ok("Get-" + POLICY, Identity=asked)
            assert (row["Identity"], row["Description"]) == ("Tag:Sales", TRICKY)

    def test_new_fails_for_what_exists(self, bench: Bench) -> None:
        bench.ok("New-" + POLICY, Identity="Sales")
        bench.ok("New-" + POLICY, Identity="site:redmond")
        for identity in ("Global", "global", "SALES", "tag:sales", "Site:Redmond"):
            assert bench.fails("New-" + POLICY, Identity=identity) == "ItemExists"
        assert list(bench.store.policies()) == ["Global", "Tag:Sales", "Site:Redmond"]

    def test_the_site_must_exist(self, bench: Bench) -> None:
        assert bench.fails("New-" + POLICY, Identity="site:Paris") == "ItemNotFound"

    @pytest.mark.parametrize("identity", ["service:x", "a:b", "tag:", " ", "a*"])
    def test_other_identities_are_refused(self, bench: Bench, identity: str) -> None:
        assert bench.fails("New-" + POLICY, Identity=identity) == "InvalidArgument"

    def test_set_without_identity_changes_global_and_only_what_is_given(self, bench: Bench) -> None:
        bench.ok("Set-" + POLICY, EnableFederationAccess=True)
        bench.ok("Set-" + POLICY, Description="x")
        assert bench.store.policies()["Global"]["EnableFederationAccess"] is True
        assert bench.store.policies()["Global"]["Description"] == "x"
        bench.ok("Set-" + POLICY, Identity="global", Description="")
        assert bench.ok("Get-" + POLICY)[0]["Description"] == ""

    def test_set_and_remove_of_an_unknown_policy_fail(self, bench: Bench) -> None:
        assert bench.fails("Set-" + POLICY, Identity="Nobody", EnableXmppAccess=True) == "ItemNotFound"
        assert bench.fails("Remove-" + POLICY, Identity="Nobody", Confirm=False) == "ItemNotFound"
        assert bench.fails("Get-" + POLICY, Identity="Nobody") == "ItemNotFound"
        assert list(bench.store.policies()) == ["Global"]

    def test_removing_global_resets_it(self, bench: Bench) -> None:
        bench.ok("Set-" + POLICY, EnableFederationAccess=True, Description="x")
        bench.ok("Remove-" + POLICY, Identity="Global", Confirm=False)
        assert bench.store.policies()["Global"]["EnableFederationAccess"] is False
        assert bench.store.policies()["Global"]["Description"] is None

    def test_a_granted_policy_cannot_be_removed(self, bench: Bench) -> None:
        bench.ok("New-" + POLICY, Identity="Sales")
        bench.ok("Grant-" + POLICY, Identity="sip:mbell@contoso.test", PolicyName="sales")
        assert bench.fails("Remove-" + POLICY, Identity="Sales", Confirm=False, Force=True) == "InvalidArgument"
        bench.ok("Grant-" + POLICY, Identity="sip:mbell@contoso.test", PolicyName=None)
        bench.ok("Remove-" + POLICY, Identity="Sales", Confirm=False)

    def test_the_filter_is_a_wildcard_on_the_identity(self, bench: Bench) -> None:
        for identity in ("Sales", "Support", "site:Dublin"):
            bench.ok("New-" + POLICY, Identity=identity)

        def found(pattern: str) -> list[str]:
            return [r["Identity"] for r in bench.ok("Get-" + POLICY, Filter=pattern)]

        assert found("tag:*") == ["Tag:Sales", "Tag:Support"]
        assert found("s*") == ["Tag:Sales", "Tag:Support", "Site:Dublin"]
        assert found("[a-h]*") == ["Global"]

    def test_a_draft_is_committed_by_set_with_the_instance(self, bench: Bench) -> None:
        draft = bench.call("New-" + POLICY, Identity="Draft", EnableXmppAccess=True, InMemory=True)
        assert "Tag:Draft" not in bench.store.policies()
        bench.ok("Set-" + POLICY, Instance=draft.values[0])
        assert bench.store.policies()["Tag:Draft"]["EnableXmppAccess"] is True

    def test_pipelines_bind_by_value_and_by_property_name(self, bench: Bench) -> None:
        bench.ok("New-" + POLICY, Identity="Sales")
        bench.ok("New-" + POLICY, Identity="Support")
        get = ("Get-" + POLICY, {"Filter": "tag:*"})
        assert bench.run((get, ("Set-" + POLICY, {"EnableXmppAccess": True}))).errors == []
        assert [p["EnableXmppAccess"] for p in bench.store.policies().values()] == [False, True, True]
        assert bench.run((get, ("Remove-" + POLICY, {"Confirm": False}))).errors == []
        assert list(bench.store.policies()) == ["Global"]


class TestPartners:
    def test_defaults_are_the_documented_ones(self, bench: Bench) -> None:
        assert bench.ok("Get-" + PARTNER) == []
        bench.ok("New-" + PARTNER, Identity="Fabrikam.test")
        (row,) = bench.ok("Get-" + PARTNER, Identity="fabrikam.TEST")
        assert (row["Identity"], row["Domain"]) == ("Fabrikam.test", "Fabrikam.test")
        assert (row["SupportDialbackNegotiation"], row["EnableKeepAlive"]) == (True, True)
        assert (row["ConnectionLimit"], row["Description"], row["AdditionalDomains"]) == (None, None, [])
        names = {n: row[n].name for n in ("PartnerType", "TlsNegotiation", "SaslNegotiation")}
        assert names == {
            "PartnerType": "PublicUnverified",
            "TlsNegotiation": "Required",
            "SaslNegotiation": "Required",
        }
        assert isinstance(row["PartnerType"], PSEnumBase)

    def test_values_arrive_verbatim_and_typed(self, bench: Bench) -> None:
        bench.ok(
            "New-" + PARTNER,
            Domain="fabrikam.test",
            Description=TRICKY,
            ConnectionLimit=PSUInt(4294967295),
            PartnerType="federated",
            TlsNegotiation="NOTSUPPORTED",
            ProxyFqdn="xmpp.fabrikam.test",
        )
        (row,) = bench.ok("Get-" + PARTNER)
        assert row["Description"] == TRICKY
        assert (type(row["ConnectionLimit"]), row["ConnectionLimit"]) == (PSUInt, 4294967295)
        assert row["PartnerType"].name == "Federated"
        assert row["TlsNegotiation"].name == "NotSupported"

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            (PSList(), []),
            (PSList(["a.test"]), ["a.test"]),
            ("a.test", ["a.test"]),
            (PSList(["a.test", "b.test"]), ["a.test", "b.test"]),
        ],
    )
    def test_a_list_is_a_list_whatever_its_length(self, bench: Bench, given: object, shown: object) -> None:
        bench.ok("New-" + PARTNER, Identity="x.test", AdditionalDomains=given)
        assert bench.ok("Get-" + PARTNER)[0]["AdditionalDomains"] == shown

    def test_additional_domains_change_by_add_and_remove(self, bench: Bench) -> None:
        bench.ok("New-" + PARTNER, Identity="x.test", AdditionalDomains=PSList(["a.test", "b.test"]))
        change = PSDict({"Add": PSList(["c.test"]), "Remove": "A.TEST"})
        bench.ok("Set-" + PARTNER, Identity="x.test", AdditionalDomains=change)
        assert bench.store.partners()["x.test"]["AdditionalDomains"] == ["b.test", "c.test"]
        for wrong in (PSDict({"Add": "B.test"}), PSDict({"Remove": "z.test"}), PSDict({"Replace": "z.test"}), "z.test"):
            assert bench.fails("Set-" + PARTNER, Identity="x.test", AdditionalDomains=wrong) == "InvalidArgument"
        assert bench.store.partners()["x.test"]["AdditionalDomains"] == ["b.test", "c.test"]
        bench.ok("Set-" + PARTNER, Identity="x.test", AdditionalDomains=None)
        assert bench.store.partners()["x.test"]["AdditionalDomains"] == []

    def test_there_is_no_global_partner(self, bench: Bench) -> None:
        assert bench.fails("Set-" + PARTNER, Description="x") == "ItemNotFound"

    def test_unknown_and_existing(self, bench: Bench) -> None:
        bench.ok("New-" + PARTNER, Identity="x.test")
        assert bench.fails("New-" + PARTNER, Domain="X.test") == "ItemExists"
        assert bench.fails("Set-" + PARTNER, Identity="y.test") == "ItemNotFound"
        assert bench.fails("Remove-" + PARTNER, Identity="y.test", Confirm=False) == "ItemNotFound"
        assert bench.fails("Get-" + PARTNER, Identity="y.test") == "ItemNotFound"
        assert bench.fails("New-" + PARTNER, Identity="a b.test") == "InvalidArgument"

    def test_a_partner_from_get_goes_back_through_set(self, bench: Bench) -> None:
        bench.ok("New-" + PARTNER, Identity="x.test", TlsNegotiation="Optional", AdditionalDomains=PSList(["a.test"]))
        before = bench.store.partners()
        read: tuple[str, dict[str, object]] = ("Get-" + PARTNER, {})
        pipeline = (read, ("Set-" + PARTNER, {"Description": "new"}))
        assert bench.run(pipeline).errors == []
        assert bench.store.partners() == {"x.test": {**before["x.test"], "Description": "new"}}

    def test_a_thousand_partners(self, bench: Bench) -> None:
        bench.ok("New-" + PARTNER, Identity="first.test")
        body = bench.store.partners()["first.test"]
        with bench.store.transaction():
            for number in range(1000):
                bench.store.put("partner", "d%d.test" % number, body)
        assert len(bench.ok("Get-" + PARTNER)) == 1001
        assert len(bench.ok("Get-" + PARTNER, Filter="d99*")) == 11


class TestSettings:
    def test_gateway_defaults_and_change(self, bench: Bench) -> None:
        (row,) = bench.ok("Get-CsXmppGatewayConfiguration")
        assert row["Identity"] == "Global"
        assert (row["ConnectionLimit"], row["KeepAliveInterval"], row["EnableLoggingAllMessageBodies"]) == (
            1000,
            300,
            False,
        )
        assert isinstance(row["StreamInactivityTimeout"], PSUInt)
        bench.ok("Set-CsXmppGatewayConfiguration", KeepAliveInterval=PSUInt(60), DialbackPassphrase="s3cret")
        (row,) = bench.ok("Get-CsXmppGatewayConfiguration", Identity="global")
        assert (row["KeepAliveInterval"], row["DialbackPassphrase"]) == (60, "s3cret")
        bench.store.set_setting("hide_dialback_passphrase", True)
        assert bench.ok("Get-CsXmppGatewayConfiguration")[0]["DialbackPassphrase"] is None

    def test_there_is_only_the_global_object(self, bench: Bench) -> None:
        for noun in ("CsXmppGatewayConfiguration", "CsAccessEdgeConfiguration"):
            assert bench.fails("Set-" + noun, Identity="site:Redmond") == "ItemNotFound"
            assert bench.fails("Get-" + noun, Identity="site:Redmond") == "ItemNotFound"

    def test_the_access_edge_object_depends_on_the_routing_method(self, bench: Bench) -> None:
        noun = "CsAccessEdgeConfiguration"
        bench.ok("Set-" + noun, AllowFederatedUsers=True)
        sink = bench.call("Get-" + noun)
        assert sink.values[0].PSObject.type_names[0].endswith("DisplayAccessEdgeSettingsDnsSrvRouting")
        assert sink.rows[0]["AllowFederatedUsers"] is True
        assert "DefaultRouteFqdn" not in sink.rows[0]
        bench.ok("Set-" + noun, UseDefaultRouting=True, DefaultRouteFqdn="next.contoso.test")
        sink = bench.call("Get-" + noun)
        assert sink.values[0].PSObject.type_names[0].endswith("DisplayAccessEdgeSettingsDefaultRoute")
        assert sink.rows[0]["DefaultRouteFqdn"] == "next.contoso.test"
        assert "EnablePartnerDiscovery" not in sink.rows[0]
        assert sink.rows[0]["AllowFederatedUsers"] is True

    def test_lync2013_lacks_the_newer_properties(self, bench2013: Bench) -> None:
        assert "DnsSrvCacheRecordCount" not in bench2013.ok("Get-CsAccessEdgeConfiguration")[0]
