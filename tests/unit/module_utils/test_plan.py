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
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.converge import converge, read, wanted_list
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard, Purge
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan import Plan, Wanted, diff, make_plan
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.policies import policy_eligible
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.rules import Context
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Secret
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import MemoryShell

GOOD = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}


def partner(domain: str, **values: t.Any) -> Record:
    return Record(domain, {**PARTNER.defaults(), **GOOD, **values})


def partners(*names: str) -> dict[str, Record]:
    return {name: partner(name) for name in names}


def plan(
    actual: dict[str, Record], wanted: t.Sequence[dict[str, t.Any]], resource: Resource = PARTNER, **more: t.Any
) -> Plan:
    return make_plan(resource, actual, wanted_list(resource, wanted, resource.plural), **more)


def calls(found: Plan) -> list[tuple[str, str]]:
    return [(step.cmdlet, step.identity) for step in found.steps]


def test_new_set_remove_in_this_order() -> None:
    found = plan(
        partners("a.test", "b.test"),
        [{"domain": "c.test", **GOOD}, {"domain": "b.test", "description": "new words"}],
        purge=Purge(),
    )
    assert calls(found) == [
        ("New-CsXmppAllowedPartner", "c.test"),
        ("Set-CsXmppAllowedPartner", "b.test"),
        ("Remove-CsXmppAllowedPartner", "a.test"),
    ]
    assert set(found.after) == {"b.test", "c.test"}


def test_only_what_differs_is_sent_and_every_write_names_its_object() -> None:
    found = plan(partners("a.test"), [{"domain": "A.test.", **GOOD, "connection_limit": 5}])
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
    with pytest.raises(Refused, match=r"partners\[0\] and partners\[2\] both name 'xn--bcher-kva.test'"):
        plan({}, [{"domain": "Bücher.test"}, {"domain": "b.test"}, {"domain": "xn--bcher-kva.test"}])


def test_every_mistake_of_a_list_is_named_at_once() -> None:
    with pytest.raises(Refused) as caught:
        plan({}, [{"domain": "*.a.test"}, {"domain": "b.test", "connection_limit": -1}, {"domain": ""}])
    assert [text.split(":")[0] for text in caught.value.reasons] == [
        "partners[0]",
        "partners[1] (b.test)",
        "partners[2]",
    ]
    assert "connection_limit: -1 is outside 0 to 4294967295" in caught.value.reasons[1]


class TestNegotiation:
    INVALID: t.ClassVar = {"sasl_negotiation": "not_supported", "support_dialback_negotiation": False}

    def test_an_invalid_row_that_would_be_written_is_refused(self) -> None:
        with pytest.raises(Refused, match=r"a\.test: TLS required, SASL not supported, dialback off: neither SASL"):
            plan({}, [{"domain": "a.test", **self.INVALID}])

    def test_it_is_judged_on_the_resulting_object(self) -> None:
        with pytest.raises(Refused, match="neither SASL nor dialback"):
            plan({"a.test": partner("a.test", sasl_negotiation="not_supported")}, [
                {"domain": "a.test", "support_dialback_negotiation": False}
            ])  # fmt: skip

    def test_an_invalid_row_that_stood_there_is_a_warning(self) -> None:
        had = {"a.test": partner("a.test", **self.INVALID)}
        found = plan(had, [{"domain": "a.test", "description": "other", **self.INVALID}])
        assert found.changed
        assert "neither SASL" in found.warnings[0]

    def test_a_run_without_changes_is_silent(self) -> None:
        assert not plan({"a.test": partner("a.test", **self.INVALID)}, [{"domain": "a.test", **self.INVALID}]).warnings

    def test_the_defaults_of_new_are_a_risky_row(self) -> None:
        assert "dialback never takes effect" in plan({}, [{"domain": "a.test"}]).warnings[0]

    def test_a_risky_row_that_is_not_written_is_silent(self) -> None:
        had = {"a.test": partner("a.test", sasl_negotiation="required")}
        assert not plan(had, [{"domain": "a.test", "description": "other"}]).warnings


class TestGuard:
    def test_three_removals_are_always_allowed(self) -> None:
        had = partners("a.test", "b.test", "c.test", "d.test")
        assert len(plan(had, [{"domain": "d.test"}], purge=Purge()).steps) == 3

    def test_forty_per_cent_is_refused_with_the_names(self) -> None:
        had = partners(*("p%02d.test" % n for n in range(20)))
        wanted = [{"domain": "p%02d.test" % n} for n in range(12)]
        with pytest.raises(Refused) as caught:
            plan(had, wanted, purge=Purge())
        text = str(caught.value)
        assert "would remove 8 of 20 partners (40 %; the limit is 30 %)" in text
        assert all("p%02d.test" % n in text for n in range(12, 20))
        assert "force" in text
        assert "protect" in text

    def test_up_to_the_limit_is_allowed(self) -> None:
        had = partners(*("p%02d.test" % n for n in range(20)))
        wanted = [{"domain": "p%02d.test" % n} for n in range(14)]
        assert len(plan(had, wanted, purge=Purge()).steps) == 6
        with pytest.raises(Refused):
            plan(had, wanted, purge=Purge(limit=29))

    def test_an_empty_list_is_refused_unless_forced(self) -> None:
        had = partners("a.test")
        with pytest.raises(Refused, match="is empty"):
            plan(had, [], purge=Purge())
        assert len(plan(had, [], purge=Purge(), context=Context(had, force=True)).steps) == 1
        assert not plan({}, [], purge=Purge()).changed

    def test_protect_wins_over_force(self) -> None:
        had = partners("keep.example.test", "a.test", "Keep.test".lower())
        guard = Guard(protect=("*.EXAMPLE.test", "keep.test"))
        found = plan(had, [], purge=Purge(), guard=guard, context=Context(had, force=True))
        assert calls(found) == [("Remove-CsXmppAllowedPartner", "a.test")]

    @pytest.mark.parametrize("pattern", ["bücher.test", "BÜCHER.test.", "bü*", "*.test", "xn--bcher-kva.test"])
    def test_protect_knows_a_domain_in_every_spelling(self, pattern: str) -> None:
        had = partners("xn--bcher-kva.test", "a.example")
        found = plan(had, [], purge=Purge(), guard=Guard((pattern,)), context=Context(had, force=True))
        assert calls(found) == [("Remove-CsXmppAllowedPartner", "a.example")]

    @pytest.mark.parametrize("force", [False, True])
    def test_protect_refuses_a_removal_by_name_and_names_the_pattern(self, force: bool) -> None:
        had = partners("a.example.test", "b.test")
        gone = [{"domain": "A.Example.test", "state": "absent"}]
        with pytest.raises(Refused, match=r"a\.example\.test: is protected by '\*\.EXAMPLE\.test'"):
            plan(had, gone, guard=Guard(("b.test", "*.EXAMPLE.test")), context=Context(had, force=force))
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
        wanted += [{"domain": "new%02d.test" % n, **GOOD} for n in range(30)]
        forced = plan(had, wanted, guard=Guard(update_limit=limit), context=Context(had, force=True))
        assert len(forced.steps) == changed + 30
        for stage in ("all", "changes", "removals"):
            if not refused:
                assert plan(had, wanted, guard=Guard(update_limit=limit), stage=stage) is not None
                continue
            with pytest.raises(Refused) as caught:
                plan(had, wanted, guard=Guard(update_limit=limit), stage=stage)
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
            plan(had, wanted, purge=Purge(), guard=Guard(update_limit=30))
        removals, updates, row = caught.value.reasons
        assert "would remove 120 of 200" in removals
        assert "p129.test and 70 more" in removals
        assert "would change 80 of 200" in updates
        assert "p049.test and 30 more" in updates
        assert "neither SASL nor dialback" in row

    def test_a_stage_judges_the_whole_plan(self) -> None:
        had = partners(*("p%02d.test" % n for n in range(10)))
        with pytest.raises(Refused, match="would remove 9 of 10"):
            plan(had, [{"domain": "p00.test"}], purge=Purge(), stage="changes")
        found = plan(partners("a.test"), [{"domain": "b.test", **GOOD}], purge=Purge(), stage="changes")
        assert calls(found) == [("New-CsXmppAllowedPartner", "b.test")]
        found = plan(partners("a.test"), [{"domain": "b.test", **GOOD}], purge=Purge(), stage="removals")
        assert calls(found) == [("Remove-CsXmppAllowedPartner", "a.test")]


def policy(identity: str, **values: t.Any) -> Record:
    return Record(identity, {**POLICY.defaults(), **values})


FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}


class TestPolicies:
    def test_xmpp_without_federation_is_refused_when_written(self) -> None:
        had = {"global": policy("global")}
        with pytest.raises(Refused, match="no effect without enable_federation_access"):
            plan(had, [{"identity": "x", "enable_xmpp_access": True}], POLICY)
        with pytest.raises(Refused, match="no effect"):
            plan({**had, "x": policy("x", **FULL)}, [{"identity": "X", "enable_federation_access": False}], POLICY)

    def test_global_needs_force_and_says_what_goes(self) -> None:
        had = {"global": policy("global", **FULL)}
        with pytest.raises(Refused, match="takes away enable_federation_access, enable_xmpp_access, enable_outside"):
            plan(had, [{"identity": "Global", "state": "absent"}], POLICY)
        found = plan(had, [{"identity": "Global", "state": "absent"}], POLICY, context=Context(had, force=True))
        assert calls(found) == [("Remove-CsExternalAccessPolicy", "global")]
        assert "taking away enable_federation_access" in found.warnings[0]
        assert found.after["global"].values["enable_xmpp_access"] is False
        assert not plan({"global": policy("global")}, [{"identity": "global", "state": "absent"}], POLICY,
                        context=Context(force=True)).changed  # fmt: skip

    def test_global_survives_every_purge(self) -> None:
        had = {"global": policy("global", **FULL), "x": policy("x", **FULL)}
        found = plan(had, [], POLICY, purge=Purge(limit=100), context=Context(had, force=True))
        assert calls(found) == [("Remove-CsExternalAccessPolicy", "x")]

    def test_a_purge_considers_other_policies_only_by_name_and_judges_them(self) -> None:
        had = {name: policy(name) for name in ("global", "x", "site:a", "site:b")}
        had["site:b"] = policy("site:b", **FULL)
        listed = [{"identity": "global"}]
        assert not plan(had, listed, POLICY, purge=Purge(eligible=policy_eligible())).changed
        found = plan(had, listed, POLICY, purge=Purge(eligible=policy_eligible(("Tag:X", "Site:A", "global"))))
        assert [identity for _cmdlet, identity in calls(found)] == ["site:a", "x"]
        with pytest.raises(Refused, match="site:b: would take federation_access and outside_access from everyone"):
            plan(had, listed, POLICY, purge=Purge(eligible=policy_eligible(("site:b",))))

    def test_a_purge_leaves_what_is_granted(self) -> None:
        had = {"global": policy("global"), "x": policy("x", **FULL)}
        context = Context(had, usage={"x": ("sip:a@contoso.test",)}, force=True)
        assert not plan(had, [], POLICY, purge=Purge(), context=context).changed

    def test_a_granted_policy_is_not_removed_by_name(self) -> None:
        had = {"global": policy("global", **FULL), "x": policy("x", **FULL)}
        with pytest.raises(Refused, match=r"still granted to 1 user \(sip:a@contoso\.test\)"):
            plan(
                had,
                [{"identity": "x", "state": "absent"}],
                POLICY,
                context=Context(had, usage={"x": ("sip:a@contoso.test",)}),
            )

    def test_rights_of_a_granted_policy_do_not_go_unsaid(self) -> None:
        had = {"global": policy("global"), "x": policy("x", **FULL)}
        usage = {"x": ("sip:a@contoso.test", "sip:b@contoso.test")}
        less = [{"identity": "x", "enable_outside_access": False}]
        with pytest.raises(Refused, match=r"take outside_access from 2 users \(sip:a@contoso\.test, sip:b@"):
            plan(had, less, POLICY, context=Context(had, usage=usage))
        allowed = Context(had, usage=usage, allow_loss=frozenset(("outside_access",)))
        assert plan(had, less, POLICY, context=allowed).changed
        assert plan(had, less, POLICY, context=Context(had, usage={})).changed

    def test_a_site_policy_acts_on_everyone_there(self) -> None:
        had = {"global": policy("global", **FULL)}
        with pytest.raises(Refused, match="take outside_access from everyone it applies to"):
            plan(had, [{"identity": "site:Redmond", "enable_federation_access": True}], POLICY)
        with pytest.raises(Refused, match="take federation_access"):
            plan(had, [{"identity": "global", "enable_federation_access": False, "enable_xmpp_access": False}], POLICY)


def test_federated_users_off_needs_force() -> None:
    had = {"global": Record("Global", {**ACCESS_EDGE.defaults(), "allow_federated_users": True})}
    with pytest.raises(Refused, match="nothing federates, neither SIP nor XMPP"):
        plan(had, [{"allow_federated_users": False}], ACCESS_EDGE)
    assert plan(had, [{"allow_federated_users": False}], ACCESS_EDGE, context=Context(had, force=True)).changed


def test_a_diff_says_of_a_secret_only_that_it_changes() -> None:
    had = {"global": Record("Global", {**GATEWAY.defaults(), "dialback_passphrase": Secret("old-one-0")})}
    found = plan(had, [{"dialback_passphrase": "new-one-1", "connection_limit": 9}], GATEWAY)
    text = str(diff(found.steps, GATEWAY)) + str([step.shown("planned") for step in found.steps])
    assert "old-one" not in text
    assert "new-one" not in text
    (entry,) = diff(found.steps, GATEWAY)
    assert 'dialback_passphrase: "(secret)"' in entry["before"]
    assert 'dialback_passphrase: "(secret, set anew)"' in entry["after"]


def test_a_diff_reads_like_the_inventory() -> None:
    (entry,) = diff(plan({}, [{"domain": "a.test", "description": "one\ntwo", **GOOD}]).steps, PARTNER)
    assert entry["before"] == ""
    assert entry["after"].splitlines()[:3] == [
        'domain: "a.test"',
        "additional_domains: []",
        'description: "one\\ntwo"',
    ]


# Properties

names = st.sampled_from(["a.test", "b.test", "c.test", "d.a.test", "bücher.test", "E.Test"])
texts = st.text(st.characters(codec="utf-8"), max_size=12)
row = st.sampled_from(
    [("required", "required", False), ("required", "optional", True), ("optional", "not_supported", True),
     ("not_supported", "not_supported", True), ("optional", "optional", True)]
)  # fmt: skip


@st.composite
def partner_lists(draw: st.DrawFn) -> list[dict[str, t.Any]]:
    found = []
    for name in draw(st.lists(names, unique_by=str.lower, max_size=5)):
        item: dict[str, t.Any] = {"domain": name}
        tls, sasl, dialback = draw(row)
        item.update(tls_negotiation=tls, sasl_negotiation=sasl, support_dialback_negotiation=dialback)
        item["description"] = draw(st.none() | texts)
        item["additional_domains"] = draw(st.none() | st.lists(names, max_size=3))
        item["partner_type"] = draw(st.none() | st.sampled_from(["federated", "public_verified", "public_unverified"]))
        item["connection_limit"] = draw(st.none() | st.integers(0, 2**32 - 1))
        item["proxy_fqdn"] = draw(st.sampled_from([None, "", "proxy.a.test"]))
        found.append(item)
    return found


@settings(deadline=None, max_examples=150)
@given(partner_lists(), partner_lists(), st.booleans())
def test_plan_then_apply_leaves_nothing_to_do(
    first: list[dict[str, t.Any]], second: list[dict[str, t.Any]], purge: bool
) -> None:
    shell = MemoryShell()
    for state in (first, second):
        arguments: dict[str, t.Any] = {"purge": Purge() if purge else None, "force": True}
        wanted = wanted_list(PARTNER, state, "partners")
        planned, shown, after_plan = converge(shell, PARTNER, wanted, check=True, **arguments)
        assert not shell.writes() or state is second
        before = len(shell.writes())
        made, result, after = converge(shell, PARTNER, wanted, check=False, **arguments)
        assert [s.statement for s in made.steps] == [s.statement for s in planned.steps] == shell.writes()[before:]
        assert result.changed == bool(made.steps) == shown.changed
        assert not result.failures
        assert {k: r.values for k, r in after.items()} == {k: r.values for k, r in after_plan.items()}
        if purge:
            assert set(after) == {item.key for item in wanted}
        again, nothing, unused = converge(shell, PARTNER, wanted, check=False, **arguments)
        assert not again.changed
        assert not nothing.changed
        assert nothing.diff == []


@settings(deadline=None, max_examples=60)
@given(partner_lists(), partner_lists(), st.integers(0, 6))
def test_whatever_the_interruption_a_rerun_finishes(
    first: list[dict[str, t.Any]], second: list[dict[str, t.Any]], writes: int
) -> None:
    shell = MemoryShell()
    converge(shell, PARTNER, wanted_list(PARTNER, first, "partners"), check=False, force=True)
    shell.lose_after = writes
    wanted = wanted_list(PARTNER, second, "partners")
    made, result, unused = converge(shell, PARTNER, wanted, check=False, purge=Purge(), force=True)
    lost = shell.lose_after == -1 and len(made.steps) > writes
    assert bool(result.failures) == lost
    for step in result.steps or []:
        assert step["result"] == "done" or lost
    shell.lose_after = -1
    unused_plan, again, after = converge(shell, PARTNER, wanted, check=False, purge=Purge(), force=True)
    assert not again.failures
    assert set(after) == {item.key for item in wanted}
    assert len(again.steps or []) + sum(s["result"] == "done" for s in result.steps or []) == len(made.steps)


@given(st.sampled_from([PARTNER, POLICY, GATEWAY, ACCESS_EDGE]), st.data())
def test_canonical_forms_are_idempotent(resource: Resource, data: st.DataObject) -> None:
    shell = MemoryShell()
    for item in resource.fields:
        value = data.draw(
            {
                "Switch": st.booleans(),
                "Number": st.integers(0, 2**32 - 1),
                "Domains": st.lists(names),
                "Domain": st.sampled_from(["", "a.test", "B.test."]),
                "Choice": st.sampled_from(list(getattr(item.kind, "words", "-"))),
            }.get(type(item.kind).__name__, texts)
        )
        once = item.kind.from_user(value)
        assert once == (item.kind.from_user(once) if not item.secret else once)
        # What was written and is read back compares equal.
        identity = "Global" if resource.single else "x.test"
        shell.put(resource.noun, identity, {item.prop: item.kind.to_wire(once, None, True)})
        record = read(shell, resource)["global" if resource.single else "x.test"]
        assert record.values[item.option] == once


def test_wanted_takes_its_key_from_the_identity() -> None:
    assert Wanted("Site:Redmond", {}).key == "site:redmond"
