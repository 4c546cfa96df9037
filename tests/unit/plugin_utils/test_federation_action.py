# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action of xmpp_federation makes of variables and results, apart from a run."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.federation import chosen_digest, unset


def test_a_variable_that_says_nothing_is_left_out() -> None:
    args: dict[str, t.Any] = {"partners": "", "access_edge": None, "federation_routes": [], "force": False}
    assert unset(args) == ["partners", "access_edge"]


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
        (DIGEST, "sfb_xmpp_plan_digest: the run has the deployments a, b, and each has a plan of its own"),
        ({"b": DIGEST}, "sfb_xmpp_plan_digest: has no digest for the deployment a; it has b"),
    ],
)
def test_a_digest_that_is_nobodys_is_refused(given: t.Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        chosen_digest(given, "a", ["a", "b"])
