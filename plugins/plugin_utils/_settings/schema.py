# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the JSON Schema of an inventory's variables from the table, for editors and CI. All functions are pure.

The schema has two roots: a file of variables (group_vars, host_vars), and an inventory in YAML (hosts.yml).
"""

from __future__ import annotations

import typing as t

from .table import BY_NAME, FORECAST_DAYS, PREFIX, SETTINGS, Setting, Spec

Schema = dict[str, t.Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Each value can also be a template or a text from ansible-vault.
_TEMPLATE: Schema = {
    "type": "string",
    "pattern": r"\{\{|\{%|\$ANSIBLE_VAULT",
    "description": "A template, or a text that ansible-vault has encrypted.",
}
_WORDS = ["yes", "no", "on", "off", "true", "false", "Yes", "No", "True", "False"]
_PLAIN: dict[str, list[Schema]] = {
    "str": [{"type": ["string", "number", "boolean"]}],
    "path": [{"type": "string"}],
    "bool": [{"type": "boolean"}, {"enum": _WORDS}],
    "int": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\s*[+]?[0-9]+\s*$"}],
    "float": [{"type": "number"}, {"type": "string", "pattern": r"^\s*[+-]?[0-9]*\.?[0-9]+\s*$"}],
    "raw": [{}],
}
_TEXT: Schema = {"type": "string"}
# Options with forms or limits that an argument spec cannot express.
_FORMS: dict[str, list[Schema]] = {
    "sfb_xmpp_policies.granted_to": [
        {"type": "array", "items": _TEXT},
        *(
            {"type": "object", "properties": {name: _TEXT}, "required": [name], "additionalProperties": False}
            for name in ("pool", "site")
        ),
        {
            "type": "object",
            "properties": {"group": _TEXT, "nested": {"anyOf": _PLAIN["bool"]}},
            "required": ["group"],
            "additionalProperties": False,
        },
    ],
    "sfb_xmpp_audit.forecast_days": [
        {"type": "integer", "minimum": 1, "maximum": FORECAST_DAYS},
        {"type": "string", "pattern": r"^\s*[1-9][0-9]*\s*$"},
    ],
}


def variables(texts: t.Mapping[str, str]) -> Schema:
    """Return the schema of a file of variables.

    texts: descriptions, by place (``sfb_xmpp_audit.fail_on``).
    """
    return {"$schema": DRAFT, "title": "Variables of sfb.xmpp", "$ref": "#/$defs/variables", "$defs": _defs(texts)}


def inventory(texts: t.Mapping[str, str]) -> Schema:
    """Return the schema of an inventory in YAML.

    texts: descriptions of options, by place.
    """
    groups = {"type": "object", "additionalProperties": {"$ref": "#/$defs/group"}}
    group: Schema = {
        "type": ["object", "null"],
        "properties": {
            "hosts": {
                "type": ["object", "null"],
                "additionalProperties": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/variables"}]},
            },
            "vars": {"$ref": "#/$defs/variables"},
            "children": {"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/group"}},
        },
        "additionalProperties": False,
    }
    return {"$schema": DRAFT, "title": "An inventory of sfb.xmpp", **groups, "$defs": {**_defs(texts), "group": group}}


def _defs(texts: t.Mapping[str, str]) -> Schema:
    known = "|".join(sorted(name[len(PREFIX) :] for name in BY_NAME))
    own: Schema = {
        "type": ["object", "null"],
        "properties": {setting.name: _setting(setting, texts) for setting in SETTINGS},
        # A misspelt variable with the prefix is an error. Variables without the prefix are ignored.
        "patternProperties": {
            "^%s(?!(?:%s)$|x_|result$|changes$|snapshot_of$|snapshot_digest$)" % (PREFIX, known): {"not": {}}
        },
    }
    return {"template": _TEMPLATE, "variables": own}


def _setting(setting: Setting, texts: t.Mapping[str, str]) -> Schema:
    if setting.once:
        text = "%s This variable works only on the command line (-e)." % setting.text
        return {"not": {}, "description": text}
    return {**_value(setting.spec, setting.name, texts), "description": setting.text}


def _value(spec: Spec, place: str, texts: t.Mapping[str, str]) -> Schema:
    kind = str(spec.get("type", "str"))
    if kind == "dict":
        forms: list[Schema] = [_dictionary(spec, place, texts)]
    elif kind == "list":
        element = {"type": spec.get("elements", "str"), **{k: spec[k] for k in ("options", "choices") if k in spec}}
        forms = [{"type": "array", "items": _value(element, place, texts)}]
    elif "choices" in spec:
        forms = [{"enum": list(spec["choices"])}]
    else:
        forms = list(_FORMS.get(place) or _PLAIN[kind])
    found: Schema = {"anyOf": [*forms, {"type": "null"}, {"$ref": "#/$defs/template"}]}
    if kind == "raw":
        found = {"anyOf": [*_FORMS[place], {"type": "null"}, {"$ref": "#/$defs/template"}]} if place in _FORMS else {}
    if spec.get("default") not in (None, [], {}):
        found["default"] = spec["default"]
    if place in texts:
        found["description"] = texts[place]
    return found


def _dictionary(spec: Spec, place: str, texts: t.Mapping[str, str]) -> Schema:
    options: Spec = spec.get("options") or {}
    if not options:
        return {"type": "object"}
    found: Schema = {
        "type": "object",
        "properties": {name: _value(one, "%s.%s" % (place, name), texts) for name, one in options.items()},
        "additionalProperties": False,
    }
    required = [name for name, one in options.items() if one.get("required")]
    return {**found, "required": required} if required else found
