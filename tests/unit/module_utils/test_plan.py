# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan as a value: order, guard, refusals, and the property that a plan carried out leaves nothing to do."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
    ROUTE,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.federation import Wanted
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan import make_plan
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.summary import diff
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.words import called
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Secret

from tests.unit.module_utils.plans import (
    FULL,
    ROW,
    absent,
    access_edge,
    calls,
    checked,
    deployment,
    gateway,
    lists,
    named_calls,
    partner,
    partners,
    plan,
    policies,
    policy,
    sip,
)

FORCE = Guard(force=True)


def test_new_set_remove_in_this_order() -> None:
    found = plan(
        partners("a.test", "b.test"),
        [{"domain": "c.test", **ROW}, {"domain": "b.test", "description": "new words"}],
        purge=True,
    )
    assert calls(found) == [
        ("New-CsXmppAllowedPartner", "c.test"),
        ("Set-CsXmppAllowedPartner", "b.test"),
        ("Remove-CsXmppAllowedPartner", "a.test"),
    ]
    assert set(found.records["partners"]) == {"b.test", "c.test"}


def test_only_what_differs_is_sent_and_every_write_names_its_object() -> None:
    found = plan(partners("a.test"), [{"domain": "A.test.", **ROW, "connection_limit": 5}])
    (step,) = found.steps
    assert dict(step.parameters) == {"Identity": "a.test", "ConnectionLimit": 5, "Confirm": False}
    assert type(step.parameters["ConnectionLimit"]).__name__ == "UInt32"


def test_left_out_leaves_alone_and_empty_clears() -> None:
    had = {"a.test": partner("a.test", description="words", additional_domains=["x.a.test", "y.a.test"])}
    assert not plan(had, [{"domain": "a.test", "description": None}]).changed
    (step,) = plan(had, [{"domain": "a.test", "description": "", "additional_domains": []}]).steps
    assert step.shown("planned")["parameters"] == {
        "Identity": "a.test",
        "AdditionalDomains": {"remove": ["x.a.test", "y.a.test"]},
        "Description": "",
        "Confirm": False,
    }


def test_lists_are_sets_and_go_out_as_additions_and_removals() -> None:
    had = {"a.test": partner("a.test", additional_domains=["x.a.test", "y.a.test"])}
    assert not plan(had, [{"domain": "a.test", "additional_domains": ["Y.a.test", "x.a.test.", "x.a.test"]}]).changed
    (step,) = plan(had, [{"domain": "a.test", "additional_domains": ["z.a.test", "x.a.test"]}]).steps
    assert step.shown("planned")["parameters"]["AdditionalDomains"] == {"add": ["z.a.test"], "remove": ["y.a.test"]}


def test_a_domain_twice_names_both_places() -> None:
    with pytest.raises(Refused, match=r"partners\[0\] and partners\[2\] are both 'xn--bcher-kva.test'"):
        plan({}, [{"domain": "Bücher.test"}, {"domain": "b.test"}, {"domain": "xn--bcher-kva.test"}])


def test_every_mistake_of_a_list_is_named_at_once() -> None:
    with pytest.raises(Refused) as caught:
        plan({}, [{"domain": "*.a.test"}, {"domain": "b.test", "connection_limit": -1}, {"domain": ""}])
    assert [text.split(":")[0] for text in caught.value.reasons] == [
        "partners[0]",
        "partners[1] (b.test)",
        "partners[2]",
    ]
    assert "connection_limit: must be from 0 to 4294967295, not -1" in caught.value.reasons[1]


class TestNegotiation:
    INVALID: t.ClassVar = {"sasl_negotiation": "not_supported", "support_dialback_negotiation": False}

    def test_an_invalid_row_that_would_be_written_is_refused(self) -> None:
        with pytest.raises(
            Refused, match=r"a\.test: TLS required, SASL not supported, dialback off: SASL and dialback"
        ):
            plan({}, [{"domain": "a.test", **self.INVALID}])

    def test_it_is_judged_on_the_resulting_object(self) -> None:
        with pytest.raises(Refused, match="SASL and dialback are both off"):
            plan({"a.test": partner("a.test", sasl_negotiation="not_supported")}, [
                {"domain": "a.test", "support_dialback_negotiation": False}
            ])  # fmt: skip

    def test_an_invalid_row_that_stood_there_is_a_warning(self) -> None:
        had = {"a.test": partner("a.test", **self.INVALID)}
        found = plan(had, [{"domain": "a.test", "description": "other", **self.INVALID}])
        assert found.changed
        assert "SASL and dialback are both off" in found.warnings[0]

    def test_a_run_without_changes_is_silent(self) -> None:
        assert not plan({"a.test": partner("a.test", **self.INVALID)}, [{"domain": "a.test", **self.INVALID}]).warnings

    def test_the_defaults_of_new_are_a_risky_row(self) -> None:
        assert "dialback never takes effect" in plan({}, [{"domain": "a.test"}]).warnings[0]

    def test_a_risky_row_that_is_not_written_is_silent(self) -> None:
        had = {"a.test": partner("a.test", sasl_negotiation="required")}
        assert not plan(had, [{"domain": "a.test", "description": "other"}]).warnings


class TestGuard:
    @pytest.mark.parametrize(
        ("existing", "stay", "refused"),
        [
            # Three go beyond the share as long as at least half stay; a list of one no longer removes three of four.
            (4, 1, True),
            (4, 2, False),
            (5, 2, True),
            (6, 3, False),
            (7, 4, False),
            (2, 1, False),
            (3, 2, False),
            (3, 1, True),
            (8, 4, True),
        ],
    )
    def test_three_removals_are_allowed_while_half_of_the_objects_stay(
        self, existing: int, stay: int, refused: bool
    ) -> None:
        names = ["p%d.test" % n for n in range(existing)]
        wanted = [{"domain": name} for name in names[:stay]]
        if refused:
            with pytest.raises(Refused, match="would remove %d of %d partners" % (existing - stay, existing)):
                plan(partners(*names), wanted, purge=True)
        else:
            assert len(plan(partners(*names), wanted, purge=True).steps) == existing - stay
        for guard in (FORCE, Guard(allow=frozenset(("large_purge",))), Guard(removal_limit=None)):
            assert len(plan(partners(*names), wanted, purge=True, guard=guard).steps) == existing - stay

    def test_forty_per_cent_is_refused_with_the_names(self) -> None:
        had = partners(*("p%02d.test" % n for n in range(20)))
        wanted = [{"domain": "p%02d.test" % n} for n in range(12)]
        with pytest.raises(Refused) as caught:
            plan(had, wanted, purge=True)
        text = str(caught.value)
        assert "would remove 8 of 20 partners (40 %; the limit is 30 %)" in text
        assert all("p%02d.test" % n in text for n in range(12, 20))
        assert "force" in text
        assert "protect" in text

    def test_up_to_the_limit_is_allowed(self) -> None:
        had = partners(*("p%02d.test" % n for n in range(20)))
        wanted = [{"domain": "p%02d.test" % n} for n in range(14)]
        assert len(plan(had, wanted, purge=True).steps) == 6
        with pytest.raises(Refused):
            plan(had, wanted, purge=True, guard=Guard(removal_limit=29))

    def test_an_empty_list_is_refused_unless_forced(self) -> None:
        had = partners("a.test")
        with pytest.raises(Refused, match="is empty"):
            plan(had, [], purge=True)
        with pytest.raises(Refused, match="is empty"):
            plan(had, [], purge=True, guard=Guard(allow=frozenset(("large_purge",))))
        for guard in (FORCE, Guard(allow=frozenset(("empty_purge",)))):
            assert len(plan(had, [], purge=True, guard=guard).steps) == 1
        assert not plan({}, [], purge=True).changed

    def test_protect_wins_over_force(self) -> None:
        had = partners("keep.example.test", "a.test", "Keep.test".lower())
        found = plan(had, [], purge=True, guard=Guard(protect=("*.EXAMPLE.test", "keep.test"), force=True))
        assert calls(found) == [("Remove-CsXmppAllowedPartner", "a.test")]

    @pytest.mark.parametrize("pattern", ["bücher.test", "BÜCHER.test.", "bü*", "*.test", "xn--bcher-kva.test"])
    def test_protect_knows_a_domain_in_every_spelling(self, pattern: str) -> None:
        had = partners("xn--bcher-kva.test", "a.example")
        found = plan(had, [], purge=True, guard=Guard((pattern,), force=True))
        assert calls(found) == [("Remove-CsXmppAllowedPartner", "a.example")]

    def test_a_pattern_that_protects_nothing_is_mentioned(self) -> None:
        had = partners("a.example", "b.test")
        wanted = [{"domain": "new.test", **ROW}]
        found = plan(had, wanted, guard=Guard(protect=("A.example", "*.test", "fabrikam.exmaple", "new.*")))
        (idle,) = (text for text in found.warnings if "protects nothing" in text)
        assert "'fabrikam.exmaple'" in idle

    @pytest.mark.parametrize("force", [False, True])
    def test_protect_refuses_a_removal_by_name_and_names_the_pattern(self, force: bool) -> None:
        had = partners("a.example.test", "b.test")
        gone = absent(PARTNER, "A.Example.test")
        with pytest.raises(Refused, match=r"a\.example\.test: is protected by '\*\.EXAMPLE\.test'"):
            plan(had, gone, guard=Guard(("b.test", "*.EXAMPLE.test"), force=force))
        assert not plan({}, gone, guard=Guard(("*",))).changed, "what is not there need not be removed"
        assert plan(had, gone, guard=Guard(("b.*",))).changed

    @pytest.mark.parametrize(
        ("existing", "changed", "limit", "refused"),
        [
            (9, 9, 30, False),
            (10, 3, 30, False),
            (10, 4, 30, True),
            (10, 10, 100, False),
            (20, 1, 0, True),
            (20, 0, 0, False),
        ],
    )
    def test_many_updates_are_refused_with_numbers_and_names(
        self, existing: int, changed: int, limit: int, refused: bool
    ) -> None:
        names = ["p%02d.test" % n for n in range(existing)]
        had = partners(*names)
        wanted: list[dict[str, t.Any]] = [{"domain": name, "description": "new"} for name in names[:changed]]
        wanted += [{"domain": "new%02d.test" % n, **ROW} for n in range(30)]
        for allowed in (Guard(update_limit=limit, force=True), Guard((), None, limit, frozenset(("many_updates",)))):
            assert len(plan(had, wanted, guard=allowed).steps) == changed + 30
        if not refused:
            assert len(plan(had, wanted, guard=Guard(update_limit=limit)).steps) == changed + 30
            return
        with pytest.raises(Refused) as caught:
            plan(had, wanted, guard=Guard(update_limit=limit))
        (text,) = caught.value.reasons
        assert "would change %d of %d partners (%d %%; the limit is %d %%): p00.test" % (
            changed, existing, 100 * changed / existing, limit,
        ) in text  # fmt: skip
        assert "update_limit" in text
        assert "force" in text

    def test_all_reasons_are_given_at_once_and_names_are_cut_at_fifty(self) -> None:
        names = ["p%03d.test" % n for n in range(200)]
        had = partners(*names)
        wanted: list[dict[str, t.Any]] = [{"domain": name, "description": "new"} for name in names[:80]]
        wanted[0].update(sasl_negotiation="not_supported", support_dialback_negotiation=False)
        with pytest.raises(Refused) as caught:
            plan(had, wanted, purge=True, guard=Guard(update_limit=30))
        updates, removals, row = caught.value.reasons
        assert "would remove 120 of 200" in removals
        assert "p129.test and 70 more" in removals
        assert "would change 80 of 200" in updates
        assert "p049.test and 30 more" in updates
        assert "SASL and dialback are both off" in row

    def test_a_refusal_shows_the_whole_plan(self) -> None:
        """There are no stages any more: what is too much of one part stops the others too."""
        names = ["p%02d.test" % n for n in range(10)]
        wanted = [{"domain": "p00.test", "description": "new"}, {"domain": "n.test", **ROW}]
        federation = declare({"partners": wanted}, purge=["partners"])
        found = make_plan(deployment(partners=partners(*names)), federation, Guard())
        assert "would remove 9 of 10" in found.refusals[0]
        assert [cmdlet[:3] for cmdlet, _identity in calls(found)] == ["New", "Set", *["Rem"] * 9]

    @pytest.mark.parametrize(
        ("runs", "several", "name"),
        [
            (
                "converge",
                True,
                "raise sfb_xmpp_removal_limit, or use 'large_purge' in sfb_xmpp_allow, or sfb_xmpp_force",
            ),
            (
                "federated_partners",
                True,
                "raise federated_partners_removal_limit, or use 'large_purge' in federated_partners_allow",
            ),
            ("", True, "raise removal_limit, or use 'large_purge' in allow, or force"),
            ("", False, "raise removal_limit, or use force"),
        ],
    )
    def test_a_refusal_names_what_the_user_wrote(self, runs: str, several: bool, name: str) -> None:
        guard = Guard(called=called(runs), several=several)
        with pytest.raises(Refused) as caught:
            plan(partners("a.test", "b.test", "c.test"), [{"domain": "a.test"}], purge=True, guard=guard)
        assert name in str(caught.value)


class TestPolicies:
    def test_xmpp_without_federation_is_refused_when_written(self) -> None:
        had = policies()
        with pytest.raises(Refused, match="no effect without enable_federation_access"):
            plan(had, [{"identity": "x", "enable_xmpp_access": True}], POLICY)
        with pytest.raises(Refused, match="no effect"):
            plan(policies(x=FULL), [{"identity": "X", "enable_federation_access": False}], POLICY)

    @pytest.mark.parametrize("guard", [FORCE, Guard(allow=frozenset(("reset_global",)))])
    def test_global_needs_force_and_says_what_goes(self, guard: Guard) -> None:
        had = {"global": policy("global", **FULL)}
        with pytest.raises(Refused, match="takes away enable_federation_access, enable_xmpp_access, enable_outside"):
            plan(had, absent(POLICY, "Global"))
        rights = frozenset(("federation_access", "outside_access"))
        found = plan(
            had, absent(POLICY, "Global"), guard=Guard(force=guard.force, allow=guard.allow, allow_loss=rights)
        )
        assert calls(found) == [("Remove-CsExternalAccessPolicy", "global")]
        assert "The reset takes away enable_federation_access" in found.warnings[0]
        assert found.records["policies"]["global"].values["enable_xmpp_access"] is False
        assert not plan(policies(), absent(POLICY, "global"), guard=guard).changed

    def test_to_allow_the_reset_of_global_allows_no_loss_of_rights(self) -> None:
        had = {"global": policy("global", **FULL)}
        with pytest.raises(
            Refused, match="global: would take federation_access and outside_access from all users that it applies to"
        ):
            plan(had, absent(POLICY, "Global"), guard=Guard(allow=frozenset(("reset_global",))))

    def test_global_survives_every_purge(self) -> None:
        guard = Guard(removal_limit=100, force=True)
        for whole in (False, True):
            had = {"global": policy("global", **FULL), "x": policy("x", **FULL)}
            found = plan(had, [], POLICY, purge=True, guard=guard, whole=whole)
            assert calls(found) == [("Remove-CsExternalAccessPolicy", "x")]

    def test_only_a_snapshot_removes_other_policies_and_their_rights_count(self) -> None:
        """What ``purge_also`` named one by one is what a snapshot does not know."""
        had = {name: policy(name) for name in ("global", "x", "site:a", "site:b")}
        guard = Guard(removal_limit=100)
        assert not plan(had, [{"identity": "global"}], POLICY, purge=True, guard=guard).changed
        listed = [{"identity": "global"}, {"identity": "site:b"}]
        found = plan(had, listed, POLICY, purge=True, guard=guard, whole=True, users={})
        assert [identity for _cmdlet, identity in calls(found)] == ["site:a", "x"]
        had["site:b"] = policy("site:b", **FULL)
        with pytest.raises(
            Refused, match="site:b: would take federation_access and outside_access from all users that it applies to"
        ):
            plan(had, [{"identity": "global"}], POLICY, purge=True, guard=guard, whole=True, users={})

    def test_a_purge_leaves_what_is_granted(self) -> None:
        assert not plan(policies(x=FULL), [], POLICY, purge=True, users={"a": "x"}, guard=FORCE).changed

    def test_a_granted_policy_is_not_removed_by_name(self) -> None:
        with pytest.raises(Refused, match=r"still granted to 1 user \(sip:a@contoso\.test\)"):
            plan({"global": policy("global", **FULL), "x": policy("x", **FULL)}, absent(POLICY, "x"), users={"a": "X"})

    def test_rights_of_a_granted_policy_do_not_go_unsaid(self) -> None:
        had = policies(x=FULL)
        less = [{"identity": "x", "enable_outside_access": False}]
        with pytest.raises(Refused, match=r"take outside_access from 2 users \(sip:a@contoso\.test, sip:b@"):
            plan(had, less, POLICY, users={"a": "x", "b": "x", "c": ""})
        allowed = Guard(allow_loss=frozenset(("outside_access",)))
        assert plan(had, less, POLICY, users={"a": "x", "b": "x"}, guard=allowed).changed
        assert plan(had, less, POLICY, users={}).changed

    def test_a_site_policy_acts_on_everyone_there(self) -> None:
        had = {"global": policy("global", **FULL)}
        with pytest.raises(Refused, match="take outside_access from all users that it applies to"):
            plan(had, [{"identity": "site:Redmond", "enable_federation_access": True}], POLICY)
        with pytest.raises(Refused, match="take federation_access"):
            plan(had, [{"identity": "global", "enable_federation_access": False, "enable_xmpp_access": False}], POLICY)

    def test_xmpp_without_outside_access_is_a_warning(self) -> None:
        found = plan(policies(), [{"identity": "x", **FULL, "enable_outside_access": False}], POLICY)
        assert found.warnings == (
            "x: gives XMPP but not outside access, so its users cannot sign in from outside. To allow this, set "
            "enable_outside_access to true",
        )

    def test_letters_that_look_alike_are_a_warning(self) -> None:
        found = plan(policies(), [{"identity": "Ре\u0440p Users", "enable_federation_access": True}], POLICY)
        assert "has letters of CYRILLIC and LATIN in one word, which look similar" in found.warnings[0]


class TestAccessEdge:
    @pytest.mark.parametrize(
        ("option", "allow", "text"),
        [
            ("allow_federated_users", "federation_off", "SIP federation and XMPP federation do not work"),
            ("allow_outside_users", "outside_access_off", "users cannot sign in from outside"),
            ("allow_anonymous_users", "anonymous_access_off", "users without an account cannot join conferences"),
        ],
    )
    def test_switching_off_needs_force(self, option: str, allow: str, text: str) -> None:
        had = access_edge(**{option: True})
        with pytest.raises(Refused, match=text + ". To switch it off, use force"):
            plan(had, {option: False}, ACCESS_EDGE)
        for guard in (FORCE, Guard(allow=frozenset((allow,)))):
            assert plan(had, {option: False}, ACCESS_EDGE, guard=guard).changed
        assert not plan(access_edge(), {option: False}, ACCESS_EDGE).changed, "what is off stays off without a word"

    @pytest.mark.parametrize(
        ("more", "text"),
        [
            ({}, "EnablePartnerDiscovery is not shown by the server"),
            ({"EnablePartnerDiscovery": False}, "EnablePartnerDiscovery is False"),
            ({"EnablePartnerDiscovery": True}, "EnablePartnerDiscovery is True, so every domain that publishes"),
        ],
    )
    def test_switching_federation_on_says_what_else_it_opens(self, more: dict[str, t.Any], text: str) -> None:
        had = {"global": Record("global", access_edge()["global"].values, more=more)}
        (warning,) = plan(had, {"allow_federated_users": True}, ACCESS_EDGE).warnings
        assert "opens SIP federation as well as XMPP" in warning
        assert text in warning

    def test_partners_that_nothing_lets_in_are_a_warning(self) -> None:
        wanted = lists(partners=[{"domain": "a.test", **ROW}])
        off, on = (
            make_plan(deployment(partners={}, access_edge=access_edge(allow_federated_users=edge)), wanted, Guard())
            for edge in (False, True)
        )
        assert off.warnings == (
            "access edge: allow_federated_users is off, so federation does not work. Set it to true in access_edge."
            " This opens SIP federation too",
        )
        assert on.warnings == ()


class TestRoutes:
    HAD: t.ClassVar = {"a": Record("A", {"edge_pool": ""}), "b": Record("B", {"edge_pool": "edge.b.test"})}

    def test_a_site_is_neither_made_nor_removed(self) -> None:
        found = plan(self.HAD, [{"site": "a", "edge_pool": "Edge.A.test"}], ROUTE, purge=True)
        assert calls(found) == [("Set-CsSite", "A")]
        assert found.steps[0].parameters["XmppFederationRoute"] == "EdgeServer:edge.a.test"
        with pytest.raises(Refused, match=r"federation_routes\[0\]: there is no site 'C' in the deployment"):
            plan(self.HAD, [{"site": "C", "edge_pool": "edge.c.test"}], ROUTE)

    def test_a_route_is_not_cut_unsaid(self) -> None:
        moved, cleared = ([{"site": "b", "edge_pool": pool}] for pool in ("edge.a.test", ""))
        with pytest.raises(Refused, match=r"Moving it to edge\.a\.test is a failover. To allow it, use force"):
            plan(self.HAD, moved, ROUTE)
        with pytest.raises(Refused, match=r"goes through edge\.b\.test. To clear it, use force"):
            plan(self.HAD, cleared, ROUTE)
        assert plan(self.HAD, moved, ROUTE, guard=FORCE).changed
        (step,) = plan(self.HAD, cleared, ROUTE, guard=Guard(allow=frozenset(("clear_route",)))).steps
        assert step.parameters["XmppFederationRoute"] is None


class TestAcross:
    """All kinds in one plan."""

    def test_the_order_over_all_kinds(self) -> None:
        had = deployment(
            {"ann": "", "bob": "Old"},
            federation_routes={"a": Record("A", {"edge_pool": ""})},
            policies=policies(old=FULL, same=FULL),
            partners=partners("a.test", "b.test", "old.test"),
            gateway=gateway(),
            access_edge=access_edge(),
        )
        federation = declare(
            {
                "access_edge": {"enable_user_replicator": True},
                "gateway": {"connection_limit": 5},
                "partners": [
                    {"domain": "n.test", **ROW},
                    {"domain": "a.test", "description": "x"},
                    {"domain": "b.test"},
                ],
                "policies": [
                    {"identity": "same", "description": "x"},
                    {"identity": "New", **FULL, "granted_to": [sip("ann"), sip("bob")]},
                ],
                "federation_routes": [{"site": "A", "edge_pool": "edge.a.test"}],
            },
            purge=["partners", "policies"],
        )
        found = checked(make_plan(had, federation, Guard()))
        assert named_calls(found) == [
            "Set route A",
            "New policy New",
            "Set policy same",
            "New partner n.test",
            "Set partner a.test",
            "Set gateway global",
            "Set access edge global",
            "Grant grant sip:ann@contoso.test",
            "Grant grant sip:bob@contoso.test",
            "Remove partner old.test",
            # Nobody has it any more after the grants.
            "Remove policy old",
        ]
        assert found.unchanged == 1
        assert found.usage == {"new": (sip("ann"), sip("bob"))}

    def test_a_policy_that_somebody_keeps_is_not_removed(self) -> None:
        had = deployment({"ann": "Old", "bob": "Old"}, policies=policies(old=FULL))
        wanted = [{"identity": "New", **FULL, "granted_to": [sip("ann")]}]
        found = checked(make_plan(had, declare({"policies": wanted}, purge=["policies"]), Guard()))
        assert named_calls(found) == ["New policy New", "Grant grant sip:ann@contoso.test"]

    def test_parts_limit_what_is_planned(self) -> None:
        had = deployment({"ann": ""}, policies=policies(old=FULL), partners=partners("a.test", "b.test", "old.test"))
        given: dict[str, t.Any] = {
            "policies": [{"identity": "New", **FULL, "granted_to": [sip("ann")]}],
            "partners": [{"domain": "n.test", **ROW}, {"domain": "a.test"}, {"domain": "b.test"}],
        }

        def limited(*parts: str) -> list[str]:
            federation = declare(given, purge=["partners", "policies"], parts=parts)
            return named_calls(make_plan(had, federation, Guard(allow=frozenset(("large_purge",)))))

        assert limited("partners") == ["New partner n.test"]
        assert limited("policies") == ["New policy New"]
        assert limited("removals") == ["Remove partner old.test", "Remove policy old"]
        assert limited("partners", "removals") == ["New partner n.test", "Remove partner old.test"]
        assert limited("policies", "removals") == ["New policy New", "Remove policy old"]
        assert limited("gateway", "removals") == ["Remove partner old.test", "Remove policy old"]
        assert limited("gateway") == []
        found = make_plan(had, declare(given, parts=["grants"]), Guard())
        assert found.refusals == ("policies[0].granted_to: there is no policy 'New'. Create it first",)
        assert not found.changed


def test_a_diff_says_of_a_secret_only_that_it_changes() -> None:
    had = gateway(dialback_passphrase=Secret("old-one-0"))
    found = plan(had, {"dialback_passphrase": "new-one-1", "connection_limit": 9}, GATEWAY)
    text = str(diff(found.steps)) + str([step.shown("planned") for step in found.steps])
    assert "old-one" not in text
    assert "new-one" not in text
    (entry,) = diff(found.steps)
    assert 'dialback_passphrase: "(secret)"' in entry["before"]
    assert 'dialback_passphrase: "(secret, replaced)"' in entry["after"]


def test_a_diff_reads_like_the_inventory() -> None:
    (entry,) = diff(plan({}, [{"domain": "a.test", "description": "one\ntwo", **ROW}]).steps)
    assert entry["before"] == ""
    # What was declared of a new object, not what New- gives besides.
    assert entry["after"].splitlines() == [
        'domain: "a.test"',
        'description: "one\\ntwo"',
        'tls_negotiation: "required"',
        'sasl_negotiation: "optional"',
        "support_dialback_negotiation: true",
    ]


def test_a_diff_shows_the_key_and_what_changes_only() -> None:
    had = {"a.test": partner("a.test", description="words", additional_domains=["x.a.test"]), **partners("b.test")}
    found = plan(had, [{"domain": "a.test", "description": "other", "connection_limit": 3}], purge=True)
    changed, gone = diff(found.steps)
    assert changed == {
        "before_header": "partner a.test",
        "after_header": "partner a.test",
        "before": 'domain: "a.test"\ndescription: "words"\nconnection_limit: null\n',
        "after": 'domain: "a.test"\ndescription: "other"\nconnection_limit: 3\n',
    }
    assert gone["before"] == 'domain: "b.test"\n', "of what goes the key says enough"
    assert gone["after"] == ""


@pytest.mark.parametrize(("number", "entries"), [(50, 50), (51, 1)])
def test_above_fifty_objects_a_diff_is_a_number(number: int, entries: int) -> None:
    steps = plan({}, [{"domain": "p%d.test" % n, **ROW} for n in range(number)]).steps
    found = diff(steps)
    assert len(found) == entries
    if entries == 1:
        assert found[0]["after"].startswith("51 objects differ, but --diff shows only up to 50.")


def test_wanted_takes_its_key_from_the_identity() -> None:
    assert Wanted("Site:Redmond", {}).key == "site:redmond"
