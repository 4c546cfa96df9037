# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the form of audit.json with audit.schema.json. This code is pure, except for reading the schema.

The code knows only the keywords of JSON Schema that the schema uses. An unknown keyword is an error, and is never
ignored.
"""

from __future__ import annotations

import functools
import json
import re
import typing as t
from pathlib import Path

from ...module_utils._base.names import Invalid

VERSION = 1
Audit = dict[str, t.Any]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_REMARKS = {"$schema", "$defs", "title", "description"}


@functools.cache
def schema() -> dict[str, t.Any]:
    content: dict[str, t.Any] = json.loads((Path(__file__).parent / "audit.schema.json").read_text(encoding="utf-8"))
    return content


def parse(text: str) -> Audit:
    """Return the value of an audit.json. Raises Invalid with the mistakes of the document."""
    try:
        audit = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Invalid("the file is not JSON (%s)" % exc) from None
    version = audit.get("schema") if isinstance(audit, dict) else None
    if version != VERSION:
        raise Invalid("the file has the schema %r, but this version of the collection needs %s" % (version, VERSION))
    return check(audit)


def check(audit: Audit) -> Audit:
    """Return the audit if the audit has the documented form. Raises Invalid with the first mistakes."""
    _refuse(mistakes(audit))
    return audit


def check_parts(parts: t.Mapping[str, t.Any]) -> None:
    """Check some keys of an audit. Raises Invalid with the first mistakes."""
    rules = schema()["properties"]
    _refuse([text for name, value in parts.items() for text in mistakes(value, rules[name], name)])


def _refuse(found: list[str]) -> None:
    if found:
        raise Invalid("the file is not an audit: %s" % "; ".join(found[:5]))


def mistakes(value: t.Any, rule: t.Mapping[str, t.Any] | None = None, place: str = "") -> list[str]:
    """Return one text for each mistake in a value, with the place of the mistake.

    rule: the rule of the schema; None for the whole schema.
    """
    rule = schema() if rule is None else rule
    found: list[str] = []
    for word, argument in rule.items():
        if word not in _REMARKS:
            found += _KEYWORDS[word](value, argument, place)
    return found


def resolve(rule: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """Return the rule of a reference. A rule without a reference is returned unchanged."""
    name = rule.get("$ref", "").rpartition("/")[2]
    return schema()["$defs"][name] if name else rule


def _type(value: t.Any, names: str | list[str], place: str) -> list[str]:
    allowed = [names] if isinstance(names, str) else names
    for name in allowed:
        # In Python, true and false are also numbers.
        if isinstance(value, _TYPES[name]) and not (name == "integer" and isinstance(value, bool)):
            return []
    return ["%s must be %s" % (place or "the document", " or ".join(allowed))]


def _enum(value: t.Any, words: list[t.Any], place: str) -> list[str]:
    return [] if value in words else ["%s must be one of %s, not %.40r" % (place, ", ".join(map(str, words)), value)]


def _const(value: t.Any, word: t.Any, place: str) -> list[str]:
    return [] if value == word and type(value) is type(word) else ["%s must be %r" % (place, word)]


def _required(value: t.Any, names: list[str], place: str) -> list[str]:
    missing = [name for name in names if name not in value] if isinstance(value, dict) else []
    return ["%s is missing" % _below(place, name) for name in missing]


def _properties(value: t.Any, rules: dict[str, t.Any], place: str) -> list[str]:
    known = {name: value[name] for name in rules if name in value} if isinstance(value, dict) else {}
    return [text for name, item in known.items() for text in mistakes(item, rules[name], _below(place, name))]


def _items(value: t.Any, rule: dict[str, t.Any], place: str) -> list[str]:
    items = enumerate(value) if isinstance(value, list) else ()
    return [text for number, item in items for text in mistakes(item, rule, "%s[%d]" % (place, number))]


def _any_of(value: t.Any, rules: list[dict[str, t.Any]], place: str) -> list[str]:
    answers = [mistakes(value, rule, place) for rule in rules]
    return [] if [] in answers else max(answers, key=len)


def _pattern(value: t.Any, pattern: str, place: str) -> list[str]:
    wrong = isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value)
    return ["%s must match %s, not %.40r" % (place, pattern, value)] if wrong else []


def _minimum(value: t.Any, least: int, place: str) -> list[str]:
    return ["%s must be at least %d" % (place, least)] if isinstance(value, int) and value < least else []


def _maximum(value: t.Any, most: int, place: str) -> list[str]:
    return ["%s must be at most %d" % (place, most)] if isinstance(value, int) and value > most else []


def _reference(value: t.Any, name: str, place: str) -> list[str]:
    return mistakes(value, resolve({"$ref": name}), place)


def _below(place: str, name: str) -> str:
    return "%s.%s" % (place, name) if place else name


_KEYWORDS: dict[str, t.Callable[[t.Any, t.Any, str], list[str]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "required": _required,
    "properties": _properties,
    "items": _items,
    "anyOf": _any_of,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "$ref": _reference,
}
