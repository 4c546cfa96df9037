# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in an inventory, with the exact text of each: the variable, the place, the object, what would be right."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare, declare_grant
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.federation import Grant, Selector
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import (
    FEDERATION,
    FEDERATION_SPEC,
    federation_of,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.words import variable
from hypothesis import given, settings

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.mistakes import MISTAKES, policies
from tests.unit.module_utils.states import STATES, State


def said(given: t.Mapping[str, t.Any], name: t.Callable[[str], str] = variable) -> list[str]:
    with pytest.raises(Refused) as caught:
        federation_of(given, name)
    return list(caught.value.reasons)


@pytest.mark.parametrize(("given", "texts"), MISTAKES)
def test_every_mistake_has_its_text(given: dict[str, t.Any], texts: list[str]) -> None:
    assert said(given) == texts


@pytest.mark.parametrize(("given", "texts"), MISTAKES)
def test_a_module_says_the_same_of_its_options_and_sends_nothing(given: dict[str, t.Any], texts: list[str]) -> None:
    shell = MemoryShell()
    defaults = {name: spec.get("default") for name, spec in FEDERATION_SPEC.items()}
    with pytest.raises(Refused) as caught:
        FEDERATION.work({**defaults, **given}, shell, False)
    options = [text.replace("sfb_xmpp_snapshot_file", "restore_from").replace("sfb_xmpp_", "") for text in texts]
    assert list(caught.value.reasons) == options
    assert shell.sent == []


def test_in_a_playbook_the_task_names_variables() -> None:
    shell = MemoryShell()
    shell.place = replace(shell.place, playbook="converge")
    defaults = {name: spec.get("default") for name, spec in FEDERATION_SPEC.items()}
    with pytest.raises(
        Refused, match=r"^sfb_xmpp_partners\[0\]: domain is missing. Set it to the name of the partner$"
    ):
        FEDERATION.work({**defaults, "partners": [{"description": "x"}]}, shell, True)
    assert shell.sent == []


def test_no_text_of_a_mistake_holds_a_secret() -> None:
    for wrong in (["s3cret-text"], {"a": "s3cret-text"}):
        assert "s3cret" not in str(said({"gateway": {"dialback_passphrase": wrong}}))


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        (
            {"policy": "site:R", "users": []},
            ["policy: 'site:R' is not a per-user policy. Name a per-user policy, because only these can be granted"],
        ),
        (
            {"policy": "global", "users": []},
            ["policy: 'global' is not a per-user policy. Name a per-user policy, because only these can be granted"],
        ),
        ({"policy": "", "users": []}, ["policy: '' is empty, or begins or ends with a space"]),
        (
            {"policy": "x*", "users": ["a*", 5]},
            [
                "policy: 'x*' is not a policy's name. Do not use * ? [ ] : / \\ or control characters",
                "users[0]: 'a*' is not one user. Write an address, without wildcards",
                "users[1]: 5 is not one user. Write an address, without wildcards",
            ],
        ),
        (
            {"policy": "x", "users": [], "absent": True, "exclusive": True},
            ["exclusive can only be used with state present. Remove it, or set state to present"],
        ),
    ],
)
def test_mistakes_of_a_grant(given: dict[str, t.Any], texts: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        declare_grant(given["policy"], given["users"], exclusive="exclusive" in given, absent="absent" in given)
    assert list(caught.value.reasons) == texts


@settings(deadline=None, max_examples=60)
@given(STATES)
def test_raw_and_typed_options_declare_the_same(state: State) -> None:
    """Ansible's types, or the texts that templates leave."""
    given = {name: state[name] for name in ("policies", "partners", "gateway", "access_edge")}
    validated = ArgumentSpecValidator(FEDERATION_SPEC).validate(given)
    assert not validated.error_messages
    typed = federation_of(validated.validated_parameters)

    def texts(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: texts(item) for name, item in value.items()}
        if isinstance(value, list):
            return [texts(item) for item in value]
        return value if isinstance(value, str) else str(value)

    assert federation_of(given) == federation_of(texts(given)) == typed


def test_two_partners_may_share_an_additional_domain() -> None:
    """No page of Microsoft's forbids it."""
    shared = [{"domain": name, "additional_domains": ["x.test"]} for name in ("a.test", "b.test")]
    assert len(declare({"partners": shared}).wanted["partners"]) == 2


def test_what_is_not_given_is_not_declared() -> None:
    assert declare({}).wanted == {}
    assert declare({"gateway": {}, "access_edge": {"allow_federated_users": None}}).wanted == {}
    assert set(declare({"partners": [], "gateway": {"connection_limit": 0}}).wanted) == {"partners", "gateway"}
    assert declare({"partners": []}, purge=["partners", "policies"]).purge == {"partners"}
    assert declare({}, purge=["partners"]).reads() == frozenset()


def test_granted_to_is_a_grant_of_its_policy() -> None:
    users = ["sip:a@b.test", "sip:a@b.test", "c@b.test"]
    found = declare(policies({"identity": "x"}, {"identity": "tag:Y", "granted_to": users}), exclusive=True)
    assert found.grants == (Grant("Y", ("sip:a@b.test", "c@b.test"), "policies[1].granted_to", exclusive=True),)
    assert declare(policies({"identity": "global", "granted_to": []})).grants == ()
    assert "granted_to" not in found.wanted["policies"][1].values


@pytest.mark.parametrize("spelling", ["EdgeServer:Edge.A.test", "edgeserver:edge.a.test.", "edge.a.test"])
def test_a_route_is_taken_as_get_cssite_prints_it(spelling: str) -> None:
    found = declare({"federation_routes": [{"site": "Site:Redmond", "edge_pool": spelling}]})
    (route,) = found.wanted["federation_routes"]
    assert (route.identity, route.values) == ("Redmond", {"edge_pool": "edge.a.test"})


def test_a_selector_is_declared_and_is_never_complete() -> None:
    item = {"identity": "x", "granted_to": {"pool": "FE01.Contoso.test."}}
    found = declare(policies(item, {"identity": "y", "granted_to": {"site": "Redmond"}}))
    assert [grant.selector for grant in found.grants] == [
        Selector("pool", "fe01.contoso.test"),
        Selector("site", "Redmond"),
    ]
    with pytest.raises(
        Refused, match=r"granted_to: the users of a pool change, .* or set sfb_xmpp_exclusive_grants to false"
    ):
        declare(policies(item), variable, exclusive=True)
