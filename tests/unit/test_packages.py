# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of module_utils import only what the table in CONTRIBUTING.md allows them."""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PACKAGES = TOP / "plugins" / "module_utils"


def table() -> dict[str, set[str]]:
    """Package -> those that it may import, in the order of the table."""
    text = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(_\w+)` \|[^|]*\| ([^|]*) \|$", text, re.M)
    return {name: set(re.findall(r"`(_\w+)`", imports)) for name, imports in rows}


def imported(path: Path) -> t.Iterator[tuple[str, str]]:
    """Each package beside it that a file imports from, as (package, file), and what is not ours as ('', name)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            package, _dot, file = str(node.module).partition(".")
            yield package, file
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield "", str(node.module)
        elif isinstance(node, ast.Import):
            yield from (("", name.name) for name in node.names)


def test_the_table_names_every_package_and_nothing_lies_beside_them() -> None:
    assert set(table()) == {path.parent.name for path in PACKAGES.glob("*/__init__.py")}
    assert sorted(path.name for path in PACKAGES.glob("*.py")) in ([], ["__init__.py"])


def test_a_package_may_import_only_from_above() -> None:
    above: set[str] = set()
    for package, allowed in table().items():
        assert allowed <= above, package
        above.add(package)


@pytest.mark.parametrize("package", sorted(table()))
def test_imports_are_those_of_the_table(package: str) -> None:
    wrong = [
        "%s imports %s" % (path.name, other)
        for path in (PACKAGES / package).glob("*.py")
        for other, name in imported(path)
        if other and other not in table()[package]
    ]
    assert wrong == []


def test_only_one_file_knows_ansible_module() -> None:
    known = [path for path in PACKAGES.rglob("*.py") if ("", "ansible.module_utils.basic") in set(imported(path))]
    assert [path.relative_to(PACKAGES).as_posix() for path in known] == ["_base/module.py"]


def test_plugin_utils_has_folders_only_and_eight_at_most() -> None:
    folders = {path.parent.name for path in (TOP / "plugins" / "plugin_utils").glob("*/__init__.py")}
    assert len(folders) <= 8
    assert not list((TOP / "plugins" / "plugin_utils").glob("*.py"))
    rows = re.findall(r"^\| `plugin_utils/(_\w+)` \|", (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M)
    assert set(rows) == folders


NAMED_BY_ANSIBLE = {"ActionModule", "Connection", "FilterModule", "LookupModule", "ModuleDocFragment"}


def test_one_name_is_one_thing() -> None:
    """A class has a name that no other class of the plugins has, but where Ansible gives the name."""
    found: dict[str, list[str]] = {}
    for path in sorted((TOP / "plugins").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name not in NAMED_BY_ANSIBLE:
                found.setdefault(node.name, []).append(str(path.relative_to(TOP)))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
