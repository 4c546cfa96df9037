# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JSON Schemas of the inventory's variables: as the table gives them, and what editors see with them."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.unit.plugin_utils.test_settings import MISTAKES
from tools import settings_schema

TOP = Path(__file__).resolve().parents[2]
# The environment of ansible-test has no programs of Ansible.
if not (Path(sys.executable).parent / "ansible-doc").exists():
    pytest.skip("no ansible-doc", allow_module_level=True)
MADE = settings_schema.files()


def schema(name: str) -> t.Any:
    return Draft202012Validator(json.loads(MADE[name]))


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_files_are_what_the_table_gives(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(MADE[name]))
    written = (settings_schema.FILES / name).read_text(encoding="utf-8")
    assert written == MADE[name], "run: make generate"


class Loader(yaml.SafeLoader):
    """Reads vaulted and unsafe texts as texts, as an editor does that knows the tags."""


for tag in ("!vault", "!unsafe"):
    Loader.add_constructor(tag, lambda loader, node: str(node.value))

EXAMPLES = sorted((TOP / "inventories").rglob("*.y*ml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(TOP)))
def test_example_inventories_are_valid(path: Path) -> None:
    content = yaml.load(path.read_text(encoding="utf-8"), Loader)
    root = "hosts.json" if path.stem in ("hosts", "inventory") else "variables.json"
    assert [error.message for error in schema(root).iter_errors(content)] == []


@pytest.mark.parametrize(("_playbook", "values", "texts"), MISTAKES)
def test_an_editor_sees_the_mistake(_playbook: str, values: dict[str, t.Any], texts: list[str]) -> None:
    if any(isinstance(value, Exception) for value in values.values()):
        return
    assert not schema("variables.json").is_valid(values), texts
    assert not schema("hosts.json").is_valid({"all": {"vars": values}}), texts


@pytest.mark.parametrize(
    "values",
    [
        {"sfb_xmpp_removal_limit": "{{ limit }}"},
        {"sfb_xmpp_partners": "{{ lookup('sfb.xmpp.partners', 'partners.csv') }}"},
        {"sfb_xmpp_certificate": {"source": {"type": "pkcs12", "path": "a.p12", "passphrase": "$ANSIBLE_VAULT;1.1"}}},
        {"sfb_xmpp_partners_purge": "yes", "sfb_xmpp_snapshot_keep": "5"},
        {"sfb_xmpp_policies": [{"identity": "a", "granted_to": {"pool": "fe01.contoso.com"}}]},
        {"sfb_xmpp_policies": [{"identity": "a", "granted_to": {"group": "CN=a,DC=b", "nested": True}}]},
        {"sfb_xmpp_policies": [{"identity": "a", "granted_to": "{{ users }}"}]},
        {"sfb_xmpp_x_own": object, "other": 1},
        {"sfb_xmpp_protect": None},
    ],
)
def test_what_is_right_is_valid(values: dict[str, t.Any]) -> None:
    assert [error.message for error in schema("variables.json").iter_errors(values)] == []
