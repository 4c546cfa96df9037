# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users by pool or by site: who of them gets a policy, who is left out and why, for any mixture of users."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.federation import Federation, Grant, Selector
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan import Plan, make_plan
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import Pool
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.selection import choose
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.module_utils.plans import FULL, policies

POOLS = (
    Pool("fe01.test", "Redmond", ("fe01.test",), "2015", True, True),
    Pool("fe02.test", "Redmond", ("fe02.test",), "2013", True, True),
    Pool("fe11.test", "Dublin", ("fe11.test",), "2015", True, True),
    Pool("fe19.test", "Dublin", ("fe19.test",), "2019", True, True),
)
SELECTORS = (*(Selector("pool", pool.fqdn) for pool in POOLS), Selector("site", "redmond"), Selector("site", "Dublin"))

people = st.lists(
    st.builds(
        User,
        identity=st.integers(0, 30).map("CN={0:02},DC=test".format),
        name=st.just(""),
        policy=st.sampled_from(["", "Xmpp", "Other"]),
        pool=st.sampled_from([*(pool.fqdn for pool in POOLS), "FE01.test", ""]),
        provider=st.sampled_from(["", "", "online.test"]),
        enabled=st.sampled_from([True, True, False, None]),
    ),
    unique_by=lambda user: user.key,
    max_size=14,
)


def deployment(users: t.Iterable[User]) -> Deployment:
    found = {user.key: replace(user, name="sip:" + user.key[3:5]) for user in users}
    records = policies(xmpp=FULL, other=FULL)
    effective = dict.fromkeys(found, "global")
    named = {name: name for name in found}
    return Deployment("now", {"policies": records}, found, True, named, effective=effective, pools=POOLS)


def planned(
    users: t.Iterable[User], selector: Selector, guard: Guard, listed: t.Iterable[str] = ()
) -> tuple[Plan, Deployment]:
    grants = [Grant("xmpp", (), "policies[0].granted_to", selector=selector)]
    grants += [Grant("other", tuple(listed), "policies[1].granted_to")]
    before = deployment(users)
    return make_plan(before, Federation(grants=tuple(grants)), guard), before


def homed_there(user: User, selector: Selector) -> bool:
    pool = next((pool for pool in POOLS if pool.fqdn == user.pool.lower()), None)
    return pool is not None and selector.name.lower() in (pool.fqdn, pool.site.lower())


@given(people, st.sampled_from(SELECTORS), st.booleans(), st.data())
def test_who_gets_the_policy(users: list[User], selector: Selector, replaces: bool, data: st.DataObject) -> None:
    """Just those who are homed there, can use it, and lose nothing by it; the others are named, each once."""
    listed = data.draw(st.lists(st.sampled_from([user.key for user in users]), unique=True)) if users else []
    plan, before = planned(users, selector, Guard(replace_policies=replaces, allow_loss=frozenset()), listed)
    there = {user.key for user in users if homed_there(user, selector)}
    had = {user.key: user.policy for user in users}
    gets = {step.key for step in plan.steps if (step.after or {})["policy"] == "xmpp"}
    assert gets <= there - set(listed)
    for user in users:
        usable = user.enabled is not False and not user.provider and "19" not in user.pool
        wanted = user.key in there and user.key not in listed and usable
        wanted = wanted and had[user.key] in (("", "Other") if replaces else ("",))
        assert (user.key in gets) == wanted
    chosen = choose(before, plan.federation, Guard(replace_policies=replaces), plan.federation.grants[0])
    skipped = [user.key for those in (chosen.skipped or {}).values() for user in those]
    assert sorted([*skipped, *(user.key for user in chosen.users)]) == sorted(there if there else [])
    assert bool(plan.refusals) == (not there or not any(had[key] == "Xmpp" or usable_key(users, key) for key in there))
    for key in skipped:
        assert any(before.users[key].name in text for text in plan.warnings) or len(skipped) > 10
    # And again, on what has come of it: nothing to do.
    after = [replace(user, policy=plan.grants.policies[user.key]) for user in users]
    again, _now = planned(after, selector, Guard(replace_policies=replaces), listed)
    assert again.steps == ()


def usable_key(users: t.Iterable[User], key: str) -> bool:
    return any(
        user.key == key and user.enabled is not False and not user.provider and "19" not in user.pool for user in users
    )


ANN = User("CN=01,DC=test", "", "", "fe01.test")


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (Selector("pool", "fe10.test"), "there is no pool 'fe10.test' that homes users (did you mean fe1"),
        (
            Selector("site", "Redmont"),
            "there is no site 'Redmont' with a pool that homes users (did you mean Redmond?)",
        ),
        (Selector("pool", "fe02.test"), "no user that this account can see is homed on fe02.test"),
        (
            Selector("pool", "fe19.test"),
            "this account sees no selected user who can use the policy: 1 user homed on fe19.test, which runs Skype",
        ),
    ],
)
def test_a_selector_that_means_nobody_is_refused(selector: Selector, text: str) -> None:
    plan, _before = planned([ANN, replace(ANN, identity="CN=02,DC=test", pool="fe19.test")], selector, Guard())
    (refusal,) = plan.refusals
    assert refusal.startswith("policies[0].granted_to (%s): %s" % (selector, text))


def test_more_users_than_the_limit_are_refused_with_their_names() -> None:
    users = [replace(ANN, identity="CN=%02d,DC=test" % number) for number in range(12)]
    plan, _before = planned(users, Selector("site", "Redmond"), Guard(update_limit=30))
    (refusal,) = plan.refusals
    assert refusal.startswith("this would change 12 of 12 users (100 %; the limit is 30 %): sip:00, sip:01")
    assert not planned(users, Selector("site", "Redmond"), Guard(update_limit=100))[0].refusals


def test_two_selectors_for_one_user_are_refused() -> None:
    grants = (
        Grant("xmpp", (), "policies[0].granted_to", selector=Selector("pool", "fe01.test")),
        Grant("other", (), "policies[1].granted_to", selector=Selector("site", "Redmond")),
    )
    (refusal,) = make_plan(deployment([ANN]), Federation(grants=grants), Guard()).refusals
    assert "sip:01 also gets another policy in policies[0].granted_to" in refusal


def test_where_one_home_is_not_understood_no_selector_knows_its_users() -> None:
    odd = User("CN=02,DC=test", "", "", "", unread="RegistrarPool is 7 (int); a string was expected")
    plan, _before = planned([ANN, odd], Selector("site", "Redmond"), Guard())
    (refusal,) = plan.refusals
    assert "RegistrarPool is 7" in refusal
    assert plan.steps == ()


def test_users_of_a_branch_appliance_are_left_out_of_their_site() -> None:
    """It has a registrar and a legacy release, but no XMPP."""
    appliance = Pool("sba.test", "Redmond", ("sba.test",), "2015", True, False)
    bea = User("CN=02,DC=test", "", "", "sba.test")
    before = replace(deployment([ANN, bea]), pools=(*POOLS, appliance))
    grants = (Grant("xmpp", (), "policies[0].granted_to", selector=Selector("site", "Redmond")),)
    plan = make_plan(before, Federation(grants=grants), Guard(allow_loss=frozenset()))
    assert [step.key for step in plan.steps] == [ANN.key]
    (warning,) = plan.warnings
    assert "homed on sba.test, which is a branch appliance or branch server and has no XMPP): sip:02" in warning
    alone = replace(grants[0], selector=Selector("pool", "sba.test"))
    refused = make_plan(before, Federation(grants=(alone,)), Guard(allow_loss=frozenset()))
    assert refused.steps == ()
    assert "can use the policy: 1 user homed on sba.test" in refused.refusals[0]
