# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML says which hosts, in which order. What is decided is decided in code, and settings are mapped in defaults."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FOLDERS = ("tasks", "defaults", "handlers", "vars")
FILES = [
    *sorted((TOP / "playbooks").rglob("*.yml")),
    *(path for folder in FOLDERS for path in sorted(TOP.glob("roles/*/%s/*.yml" % folder))),
]
# Lines with an expression, over all of these files. It may become less.
MOST_EXPRESSIONS = 245
# Where a decision is still made in YAML. A file that is done leaves the list, and none comes in.
DECIDE = ("hostvars", "{%", "set_fact", "builtin.debug", "lookup(", "query(")
STILL: dict[str, set[str]] = {
    "playbooks/capture.yml": {"hostvars", "{%", "set_fact", "builtin.debug", "lookup("},
    "playbooks/decommission.yml": {"hostvars"},
    "playbooks/explain.yml": {"hostvars"},
    "playbooks/export.yml": {"hostvars", "query("},
    "playbooks/import.yml": {"lookup("},
    "playbooks/internal/certificate.yml": {"hostvars"},
    "playbooks/migration.yml": {"hostvars"},
    "playbooks/preflight.yml": {"hostvars"},
    "playbooks/rehearse.yml": {"set_fact", "builtin.debug", "lookup("},
    "roles/gateway_certificate/tasks/prepare.yml": {"hostvars"},
    "roles/gateway_certificate/tasks/stage.yml": {"set_fact"},
    "roles/gateway_certificate/tasks/switch_one.yml": {"hostvars", "{%"},
    "roles/gateway_certificate/tasks/switch_pool.yml": {"builtin.debug"},
}


def code(path: Path) -> str:
    """Without comments."""
    return re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_few_expressions() -> None:
    found = [line for path in FILES for line in code(path).splitlines() if "{{" in line or "{%" in line]
    assert len(found) <= MOST_EXPRESSIONS


def test_yaml_decides_nothing() -> None:
    found = {str(path.relative_to(TOP)): {word for word in DECIDE if word in code(path)} for path in FILES}
    more = {path: words - STILL.get(path, set()) for path, words in found.items()}
    assert {path: words for path, words in more.items() if words} == {}
