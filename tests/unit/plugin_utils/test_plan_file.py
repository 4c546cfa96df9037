# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of a plan: what is in it, what is different from another, and what is no document."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.filter.plan_document import TOP, version
from ansible_collections.sfb.xmpp.plugins.plugin_utils._plan_file import compare, make_document

DIGEST: dict[str, t.Any] = {"digest": "0" * 64, "objects": {"a.test": "0123456789"}}
OTHER: dict[str, t.Any] = {"digest": "1" * 64, "objects": {"a.test": "9876543210"}}


def document(**changes: t.Any) -> dict[str, t.Any]:
    given: dict[str, t.Any] = {
        "judged": {
            "partners": {"plan_digest": DIGEST, "steps": [{"identity": "a.test"}], "changed": False},
            "policies": {"skipped": True},
            "grants of": {"results": [{"item": {"identity": "X"}, "plan_digest": DIGEST, "steps": []}]},
        },
        "host": "fe01",
        "time": "now",
        "collection": "1.0.0",
        "variables": {
            "sfb_xmpp_gateway": {"connection_limit": 1, "dialback_passphrase": "s3cret"},
            "sfb_xmpp_protect": [],
        },
    }
    return make_document(**{**given, **changes})


def test_a_document_is_itself_whenever_it_was_made() -> None:
    assert compare(document(), json.dumps(document(time="then", collection="0.9.0"))) == []
    assert set(document()["tasks"]) == {"partners", "grants of X"}
    assert document()["tasks"]["partners"]["steps"] == [{"identity": "a.test"}]


def test_every_difference_is_named() -> None:
    saved = document(
        host="fe02",
        judged={"partners": {"plan_digest": OTHER}, "gateway": {"plan_digest": DIGEST}},
        variables={"sfb_xmpp_gateway": {"connection_limit": 2}, "sfb_xmpp_partners": []},
    )
    assert compare(document(), json.dumps(saved)) == [
        "it was made for the host fe02, and this is fe01",
        "it was made from other values of sfb_xmpp_gateway, sfb_xmpp_partners, sfb_xmpp_protect",
        "gateway: in the plan, but not in this run",
        "grants of X: not in the plan",
        "partners: changed since the plan was made: a.test",
    ]


def test_a_secret_is_in_no_hash() -> None:
    other = {"sfb_xmpp_gateway": {"connection_limit": 1, "dialback_passphrase": "another"}, "sfb_xmpp_protect": []}
    assert compare(document(), json.dumps(document(variables=other))) == []


@pytest.mark.parametrize(
    "text",
    ["", "words", "[]", "null", "{}", '{"tasks": []}', '{"tasks": {"partners": {}}}',
     json.dumps({**document(), "variables": 3}), json.dumps({**document(), "tasks": {"partners": {"plan_digest": 1}}})],
)  # fmt: skip
def test_what_is_no_document_is_said_to_be_none(text: str) -> None:
    assert compare(document(), text) == ["it is not a plan that sfb.xmpp.converge has saved"]


def test_another_form_is_another_version() -> None:
    saved = {**document(), "form": 2, "collection": "9.0.0"}
    assert compare(document(), json.dumps(saved)) == ["it was saved by another version of the collection (9.0.0)"]


def test_the_version_is_the_collections() -> None:
    assert version() == yaml.safe_load((TOP / "galaxy.yml").read_text(encoding="utf-8"))["version"]
