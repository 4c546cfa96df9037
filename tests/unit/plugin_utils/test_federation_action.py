# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action of xmpp_federation makes of variables and results, apart from a run."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain import federate
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import tasks
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    OPTIONS,
    PARTS,
    PURGED,
    RESOURCES,
    parts_of_tag,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.files import CONTENT
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION_SPEC
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.federation import chosen_digest, parts_of
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import BY_NAME, TAGS

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run


def test_what_is_declared_is_made_once_where_the_action_has_checked_it(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: dict[str, t.Any] = {"partners": [{"domain": "fabrikam.com"}]}
    task = federate.task_with(tasks.federation_of(declared))
    monkeypatch.setattr(tasks, "federation_of", lambda *_: pytest.fail("it was made before"))
    shell = MemoryShell()
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": True, "AllowFederatedUsers": True})
    assert run(task, shell, **declared).changed
    assert [statement.cmdlet for statement in shell.writes()] == ["New-CsXmppAllowedPartner"]


def test_every_list_of_kinds_follows_from_the_catalogue() -> None:
    """A further kind is a line there."""
    assert {*OPTIONS} == {resource.part for resource in RESOURCES} == set(CONTENT.values())
    assert set(OPTIONS) <= set(FEDERATION_SPEC)
    assert {"sfb_xmpp_" + option for option in OPTIONS} <= set(BY_NAME)
    assert {option + "_purge" for option in PURGED} == {name for name in FEDERATION_SPEC if name.endswith("_purge")}
    assert set(PARTS) == {resource.limited_as for resource in RESOURCES} | {"grants", "removals"}
    assert FEDERATION_SPEC["parts"]["choices"] == list(PARTS)
    assert TAGS["restore"] == TAGS["audit"] == PARTS
    assert TAGS["converge"] == (*PARTS, "certificate")
    for resource in RESOURCES:
        assert resource.limited_as in parts_of_tag(resource.limited_as)
        assert not resource.tag or resource.limited_as in parts_of_tag(resource.tag)
    assert parts_of(["gateway"], []) == ["gateway", "access_edge"]
    assert parts_of(["all"], ["gateway"]) == [part for part in PARTS if part not in ("gateway", "access_edge")]
    assert parts_of(["policies"], []) == ["policies", "removals"]
    assert parts_of_tag("federation_routes") == (), "it is the name of an option, and routes that of the part"


DIGEST = "5f2c1d0b" * 8
WHOLE = {"digest": DIGEST, "objects": {}}


@pytest.mark.parametrize(
    ("given", "deployments", "found"),
    [
        (None, ["a"], None),
        ("", ["a", "b"], None),
        (DIGEST, ["a"], DIGEST),
        (WHOLE, ["a"], WHOLE),
        ({"a": DIGEST}, ["a"], DIGEST),
        ({"a": DIGEST, "b": "x"}, ["a", "b"], DIGEST),
        ({"a": WHOLE, "b": "x"}, ["a", "b"], WHOLE),
    ],
)
def test_each_deployment_is_held_to_its_own_digest(given: t.Any, deployments: list[str], found: t.Any) -> None:
    assert chosen_digest(given, "a", deployments) == found


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (DIGEST, "sfb_xmpp_plan_digest: the run has the deployments a, b, which have separate plans"),
        ({"b": DIGEST}, "sfb_xmpp_plan_digest: has no digest for the deployment a. It only has b"),
    ],
)
def test_a_digest_that_is_nobodys_is_refused(given: t.Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        chosen_digest(given, "a", ["a", "b"])
