# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of every plan: carried out it leaves nothing to do, and after any interruption another run finishes it."""

from __future__ import annotations

import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.converge import Outcome, Run, converge
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.federation import Federation
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import MemoryShell

FORCE = Guard(force=True)

names = st.sampled_from(["a.test", "b.test", "c.test", "d.a.test", "bücher.test", "E.Test"])
# What may be written; control characters and marks that nobody sees are refused.
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf")), max_size=12)
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
        # A domain belongs to one partner.
        subs = draw(st.none() | st.lists(st.sampled_from(["x.", "Y.", "bücher."]), max_size=3))
        item["additional_domains"] = subs and [sub + name for sub in subs]
        item["partner_type"] = draw(st.none() | st.sampled_from(["federated", "public_verified", "public_unverified"]))
        item["connection_limit"] = draw(st.none() | st.integers(0, 2**32 - 1))
        item["proxy_fqdn"] = draw(st.sampled_from([None, "", "proxy.a.test"]))
        found.append(item)
    return found


def federation(items: list[dict[str, t.Any]], purge: bool) -> Federation:
    return declare({"partners": items}, purge=["partners"] if purge else [])


def work(shell: MemoryShell, wanted: Federation, *, check: bool = False) -> Outcome:
    return converge(shell, wanted, Run(check, FORCE))


@settings(deadline=None, max_examples=100)
@given(partner_lists(), partner_lists(), st.booleans())
def test_plan_then_apply_leaves_nothing_to_do(
    first: list[dict[str, t.Any]], second: list[dict[str, t.Any]], purge: bool
) -> None:
    shell = MemoryShell()
    for state in (first, second):
        wanted = federation(state, purge)
        planned = work(shell, wanted, check=True)
        assert not shell.writes() or state is second
        before = len(shell.writes())
        made = work(shell, wanted)
        assert [s.statement for s in made.plan.steps] == [s.statement for s in planned.plan.steps]
        assert [s.statement for s in made.plan.steps] == shell.writes()[before:]
        assert made.result.changed == bool(made.plan.steps) == planned.result.changed
        assert not made.result.failures
        after, after_plan = made.deployment.of("partners"), planned.deployment.of("partners")
        assert {k: r.values for k, r in after.items()} == {k: r.values for k, r in after_plan.items()}
        if purge:
            assert set(after) == {item.key for item in wanted.wanted["partners"]}
        again = work(shell, wanted)
        assert not again.plan.changed
        assert not again.result.changed
        assert again.result.diff == []


@settings(deadline=None, max_examples=60)
@given(partner_lists(), partner_lists(), st.integers(0, 6))
def test_whatever_the_interruption_a_rerun_finishes(
    first: list[dict[str, t.Any]], second: list[dict[str, t.Any]], writes: int
) -> None:
    shell = MemoryShell()
    work(shell, federation(first, purge=False))
    shell.lose_after = writes
    wanted = federation(second, purge=True)
    made = work(shell, wanted)
    lost = shell.lose_after == -1 and len(made.plan.steps) > writes
    assert bool(made.result.failures) == lost
    for step in made.result.steps or []:
        assert step["result"] == "done" or lost
    shell.lose_after = -1
    again = work(shell, wanted)
    assert not again.result.failures
    assert set(again.deployment.of("partners")) == {item.key for item in wanted.wanted["partners"]}
    done = sum(step["result"] == "done" for step in made.result.steps or [])
    assert len(again.result.steps or []) + done == len(made.plan.steps)


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
        full = {f.prop: False for f in resource.fields if f.default is None and type(f.kind).__name__ == "Switch"}
        shell.put(resource.noun, identity, {**full, item.prop: item.kind.to_wire(once, None, True)})
        records = Reader(shell).kinds([resource]).of(resource.part)
        record = records["global" if resource.single else "x.test"]
        assert record.values[item.option] == once
