# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the documentation about the form of audit.json, from its schema: ``python -m tools.audit_schema``."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SCHEMA = TOP / "plugins" / "plugin_utils" / "_documents" / "audit.schema.json"
PAGE = TOP / "docs" / "docsite" / "rst" / "audit_schema.rst"
Rule = dict[str, t.Any]

_HEAD = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.audit_schema:

The form of audit.json
======================

%s
Nothing in it is secret, but it names partners and what is wrong with them, so that it is written for its owner only.
The same as JSON Schema is in the collection: ``plugins/plugin_utils/_documents/audit.schema.json``.

.. list-table::
   :header-rows: 1
   :widths: 34 26 40

   * - Key
     - Type
     - What it is
"""


def page() -> str:
    """The page as reStructuredText: a line for each key, those of lists with ``[]``."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    rows = _rows(schema, schema["$defs"], "")
    lines = ["   * - ``%s``\n     - %s\n     - %s\n" % row for row in rows]
    return _HEAD % str(schema["description"]) + "".join(lines)


def _rows(rule: Rule, types: dict[str, Rule], place: str) -> t.Iterator[tuple[str, str, str]]:
    for name, member in rule.get("properties", {}).items():
        here = "%s.%s" % (place, name) if place else name
        told = re.sub(r"`([^`]+)`", r"``\1``", member.get("description", ""))
        yield here, _type(member, types), told
        inner, here = _inner(member, types, here)
        yield from _rows(inner, types, here)


def _inner(rule: Rule, types: dict[str, Rule], place: str) -> tuple[Rule, str]:
    """The object whose keys stand below this one, and its place. Findings are described once."""
    rule = _resolved(rule, types)
    if "anyOf" in rule:
        rule = next(_resolved(one, types) for one in rule["anyOf"] if one.get("type") != "null")
    if rule.get("type") == "array":
        rule, place = _resolved(rule["items"], types), place + "[]"
    return ({} if rule.get("title") == "finding" and place != "findings[]" else rule), place


def _resolved(rule: Rule, types: dict[str, Rule]) -> Rule:
    return types[rule["$ref"].rpartition("/")[2]] if "$ref" in rule else rule


def _type(rule: Rule, types: dict[str, Rule]) -> str:
    whole = _resolved(rule, types)
    if "anyOf" in whole:
        return " or ".join(_type(one, types) for one in whole["anyOf"])
    if "enum" in whole:
        return ", ".join("``%s``" % word for word in whole["enum"])
    if "const" in whole:
        return "``%s``" % whole["const"]
    if whole.get("type") == "array":
        return "list of " + _type(whole["items"], types)
    if "title" in whole:
        return str(whole["title"])
    names = whole.get("type", "any value")
    return " or ".join(names) if isinstance(names, list) else str(names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
