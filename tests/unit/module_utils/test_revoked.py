# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A revoked domain is allowed by no plan, whoever declares it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import (
    FORCED,
    Guard,
    allow_mistakes,
    lifted,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan import Plan, make_plan
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.revoked import declare_revoked
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.words import variable
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.module_utils.plans import deployment

ROW = {"tls_negotiation": "required", "sasl_negotiation": "required", "support_dialback_negotiation": False}
NAMES = ("a.test", "b.test", "c.test", "d.test", "e.test")


def partner(domain: str, *more: str) -> dict[str, t.Any]:
    return {"domain": domain, "additional_domains": list(more), **ROW}


def existing(*partners: dict[str, t.Any]) -> dict[str, t.Any]:
    """As the server has them."""
    return {
        item.key: Record(item.identity, {**PARTNER.defaults(), **item.values})
        for item in declare({"partners": list(partners)}).wanted["partners"]
    }


def plan(
    had: t.Sequence[dict[str, t.Any]],
    wanted: t.Sequence[dict[str, t.Any]] | None,
    revoked: t.Sequence[str],
    guard: Guard | None = None,
    **more: t.Any,
) -> Plan:
    guard = guard or Guard(update_limit=0, removal_limit=0)
    federation = declare({} if wanted is None else {"partners": list(wanted)}, **more)
    entries = declare_revoked([{"domain": one, "ticket": "CHG-1"} for one in revoked], "revoked", guard)
    return make_plan(deployment(partners=existing(*had)), replace(federation, revoked=entries), guard)


def calls(made: Plan) -> list[tuple[str, str]]:
    assert made.refusals == ()
    return [(step.cmdlet.partition("-")[0], step.identity) for step in made.steps]


def allowed(made: Plan) -> set[str]:
    """Every domain that the plan leaves allowed."""
    records = made.records["partners"].values()
    return {name for one in records for name in (one.identity, *one.values["additional_domains"])}


def test_what_is_declared_is_not_made_and_what_is_there_goes() -> None:
    made = plan([partner("a.test")], [partner("a.test"), partner("b.test")], ["a.test", "b.test"])
    assert calls(made) == [("Remove", "a.test")]
    assert len([text for text in made.warnings if "CHG-1" in text and "partners[" in text]) == 2


def test_who_declares_nothing_loses_it_all_the_same() -> None:
    had = [partner("a.test"), partner("b.test", "x.test", "y.test")]
    made = plan(had, None, ["a.test", "X.test."])
    assert sorted(calls(made)) == [("Remove", "a.test"), ("Set", "b.test")]
    assert allowed(made) == {"b.test", "y.test"}
    assert made.warnings == ()


def test_an_additional_domain_is_not_brought_back() -> None:
    had = [partner("b.test", "y.test")]
    made = plan(had, [partner("b.test", "x.test", "y.test")], ["x.test"])
    assert calls(made) == []
    assert len(made.warnings) == 1


def test_it_counts_for_no_limit() -> None:
    had = [partner("p%d.test" % number, "x%d.test" % number) for number in range(20)]
    names = ["p%d.test" % number for number in range(10)] + ["x%d.test" % number for number in range(10, 20)]
    made = plan(had, had, names)
    assert len(calls(made)) == 20
    made = plan(had, had, names, purge=["partners"])
    assert len(calls(made)) == 20


def test_a_run_may_lift_it_by_name() -> None:
    guard = Guard(allow=lifted(["revoked:A.Test."]))
    assert calls(plan([], [partner("a.test"), partner("b.test")], ["a.test", "b.test"], guard)) == [("New", "a.test")]
    assert calls(plan([], [partner("a.test")], ["a.test"], Guard(force=True))) == []


def test_other_parts_leave_it_alone() -> None:
    assert calls(plan([partner("a.test")], None, ["a.test"], parts=["policies"])) == []


def test_a_protected_domain_cannot_be_revoked() -> None:
    guard = Guard(("*.test",), called=variable)
    with pytest.raises(Refused) as caught:
        declare_revoked([{"domain": "a.test"}, {"domain": "-"}], "sfb_xmpp_revoked", guard)
    first, second = caught.value.reasons
    assert first.startswith("sfb_xmpp_revoked[0].domain: a.test")
    assert "sfb_xmpp_protect" in first
    assert second.startswith("sfb_xmpp_revoked[1].domain: ")


@pytest.mark.parametrize(
    ("word", "right"),
    [*((word, True) for word in FORCED), ("outside_window", True), ("revoked:a.test", True), ("revoked:", False),
     ("revoked", False), ("empty_purg", False), (7, False)],
)  # fmt: skip
def test_words_of_allow(word: t.Any, right: bool) -> None:
    assert (allow_mistakes([word]) == []) is right


PARTNERS = st.lists(
    st.builds(
        lambda name, more: partner(name, *(one for one in more if one != name)),
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(["x.test", "y.test", "z.test"]), max_size=2, unique=True),
    ),
    max_size=4,
    unique_by=lambda one: one["domain"],
)


@given(PARTNERS, st.one_of(st.none(), PARTNERS), st.sets(st.sampled_from([*NAMES, "x.test", "y.test"])), st.booleans())
def test_no_plan_allows_one(
    had: list[dict[str, t.Any]], wanted: list[dict[str, t.Any]] | None, revoked: set[str], purge: bool
) -> None:
    guard = Guard(removal_limit=None)
    made = plan(had, wanted, sorted(revoked), guard, purge=["partners"] if purge else [])
    if revoked or wanted is not None:
        assert not allowed(made) & revoked
    # The plan is complete: what it leads to needs nothing more.
    later = replace(made.deployment, records={**made.deployment.records, **made.records})
    again = make_plan(later, made.federation, guard)
    assert again.steps == ()
