# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan is one value in code: YAML only hands variables to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
MANAGEMENT = [
    TOP / "playbooks" / "converge.yml",
    TOP / "playbooks" / "restore.yml",
    *(
        path
        for role in ("access_policies", "federated_partners", "gateway_settings")
        for path in (TOP / "roles" / role / "tasks").glob("*.yml")
    ),
]


def test_few_expressions_and_no_facts() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in MANAGEMENT)
    expressions = re.findall(r"\{\{.*?\}\}|\{%.*?%\}|^ *when: .*", text, re.M)
    assert len(expressions) < 66, expressions
    assert "set_fact" not in text


@pytest.mark.parametrize("name", ["audit", "history"])
def test_yaml_only_says_which_hosts_in_which_order(name: str) -> None:
    text = (TOP / "playbooks" / ("%s.yml" % name)).read_text(encoding="utf-8")
    assert [word for word in ("hostvars", "{%", "set_fact", "builtin.debug", "lookup(", "query(") if word in text] == []
