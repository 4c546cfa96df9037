# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables written as an inventory file come back as they were, and none of them is a template then."""

from __future__ import annotations

import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.sfb.xmpp.plugins.module_utils._base.inventory_text import inventory_text
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.plain_values import plain
from hypothesis import given, settings
from hypothesis import strategies as st

SPECIAL = [
    "{{ 1 + 1 }}",
    "{% raw %}",
    "{# x",
    "yes",
    "null",
    "1",
    "2026-07-27",
    "!unsafe x",
    "a: b",
    "- x",
    "*",
    "&a",
    "",
]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(SPECIAL)
NAMES = st.from_regex("[a-z_]{1,8}", fullmatch=True)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**40), 2**40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def read_back(text: str) -> t.Any:
    """As Ansible reads a file of variables, and resolves it."""
    loader = DataLoader()
    return plain(Templar(loader=loader, variables={}).template(loader.load(text)))


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(NAMES.map("sfb_{}".format), VALUES, min_size=1, max_size=3))
def test_what_is_written_is_read_back(variables: dict[str, t.Any]) -> None:
    assert read_back(inventory_text(variables)) == variables


@pytest.mark.parametrize("text", ["{{ lookup('pipe', 'false') }}", "{% include 'x' %}", "x {{", "{#"])
def test_a_template_is_a_text(text: str) -> None:
    assert "!unsafe" in inventory_text({"x": text})
    assert read_back(inventory_text({"x": [{"y": text}]})) == {"x": [{"y": text}]}


def test_null_options_are_left_out() -> None:
    assert inventory_text({"a": None, "b": [{"c": None, "d": ""}]}) == "---\nb:\n- d: ''\n"
