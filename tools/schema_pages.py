# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the pages about the formats of JSON files, from their schemas: ``python -m tools.schema_pages``."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PAGES = TOP / "docs" / "docsite" / "rst"
Rule = dict[str, t.Any]


@dataclass(frozen=True)
class Form:
    """Describe one page.

    page: name of the page.
    title: heading of the page.
    schema: path of the JSON Schema in the checkout.
    note: text after the description of the schema.
    """

    page: str
    title: str
    schema: str
    note: str


FORMS = (
    Form(
        "audit_schema",
        "Format of audit.json",
        "plugins/plugin_utils/_documents/audit.schema.json",
        "The file has no secrets. It names partners and their problems, so only its owner can read it.",
    ),
    Form(
        "plan_schema",
        "Format of a plan file",
        "docs/schema/plan.json",
        "The file has no secrets. It names partners and users, so only its owner can read it. To check a plan in CI,"
        "\nsee :ref:`ansible_collections.sfb.xmpp.docsite.guide_automation`.",
    ),
)

_HEAD = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.%(page)s:

%(title)s
%(line)s

%(description)s
%(note)s
The collection has the JSON Schema of this format: ``%(schema)s``.

.. list-table::
   :header-rows: 1
   :widths: 34 26 40

   * - Key
     - Type
     - Meaning
"""


def pages() -> dict[Path, str]:
    """Return the content of each page, by its path."""
    return {PAGES / (form.page + ".rst"): page(form) for form in FORMS}


def page(form: Form) -> str:
    """Return the page as reStructuredText, with a row for each key. Keys of lists have ``[]``."""
    schema = json.loads((TOP / form.schema).read_text(encoding="utf-8"))
    rows = _rows(schema, schema.get("$defs", {}), "")
    lines = ["   * - ``%s``\n     - %s\n     - %s\n" % row for row in rows]
    told = {"description": _marked(schema["description"]), "line": "=" * len(form.title)}
    return _HEAD % {**vars(form), **told} + "".join(lines)


def _rows(rule: Rule, types: dict[str, Rule], place: str) -> t.Iterator[tuple[str, str, str]]:
    for name, member in rule.get("properties", {}).items():
        here = "%s.%s" % (place, name) if place else name
        yield here, _type(member, types), _marked(member.get("description", ""))
        inner, here = _inner(member, types, here)
        yield from _rows(inner, types, here)


def _marked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"``\1``", text)


def _kinds(rule: Rule) -> list[str]:
    kinds = rule.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _inner(rule: Rule, types: dict[str, Rule], place: str) -> tuple[Rule, str]:
    """Return the object with the keys below this one, and its place. Findings are described once only."""
    rule = _resolved(rule, types)
    if "anyOf" in rule:
        rule = next(_resolved(one, types) for one in rule["anyOf"] if one.get("type") != "null")
    if "array" in _kinds(rule):
        rule, place = _resolved(rule["items"], types), place + "[]"
    return ({} if rule.get("title") == "finding" and place != "findings[]" else rule), place


def _resolved(rule: Rule, types: dict[str, Rule]) -> Rule:
    return types[rule["$ref"].rpartition("/")[2]] if "$ref" in rule else rule


def _type(rule: Rule, types: dict[str, Rule]) -> str:
    whole = _resolved(rule, types)
    if "anyOf" in whole:
        return " or ".join(_type(one, types) for one in whole["anyOf"])
    if "enum" in whole:
        return ", ".join("``%s``" % ("null" if word is None else word or '""') for word in whole["enum"])
    if "const" in whole:
        return "``%s``" % whole["const"]
    if "title" in whole:
        return str(whole["title"])
    kinds = ["list of " + _type(whole["items"], types) if kind == "array" else kind for kind in _kinds(whole)]
    return " or ".join(kinds) or "any value"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
