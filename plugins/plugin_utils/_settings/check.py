# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check values of variables, and report all mistakes, each with the variable's name. All functions are pure."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._base.names import Invalid
from ...module_utils._federation.kinds import Choice, Number, Switch, did_you_mean, written

Spec = t.Mapping[str, t.Any]

# A text of several lines or in brackets. The user probably meant a list or a dictionary.
_YAML = re.compile(r"\s*(?:- |\[|\{)|[^\n]*:[ \n]|.*\n", re.DOTALL)


def unset(spec: Spec, value: t.Any) -> bool:
    """Return whether a value is not set: null, or the empty text of a blank answer in a survey."""
    return value is None or (value == "" and spec.get("type", "str") != "raw")


def mistakes(spec: Spec, value: t.Any, place: str) -> list[str]:
    """Return the mistakes in the value of a variable or of an option.

    spec: the argument spec.
    value: the value.
    place: the name in mistakes, such as ``sfb_xmpp_audit.fail_on``.

    A value that can be converted without loss is not a mistake. For example, "5" is a number, and a list of names can
    be a text with commas, as in Ansible.
    """
    kind = str(spec.get("type", "str"))
    if kind == "raw" or value is None:
        return []
    if kind == "dict":
        return _of_dictionary(spec, value, place)
    if kind == "list":
        return _of_list(spec, value, place)
    if isinstance(value, (dict, list)):
        return ["%s: must be %s, not %s" % (place, _WANTED[kind], written(value))]
    if isinstance(value, str) and (now := spec.get("former", {}).get(value)):
        return ["%s: the value %s is called %s now. Use %s" % (place, value, now, now)]
    try:
        _CHECKS[kind](value)
        if "choices" in spec:
            # YAML reads a word of digits as a number. The number is converted to a text.
            word = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            Choice(**{str(one): str(one) for one in spec["choices"]}).from_user(word)
    except Invalid as exc:
        return ["%s: %s" % (place, exc)]
    return []


def _of_dictionary(spec: Spec, value: t.Any, place: str) -> list[str]:
    options: Spec = spec.get("options") or {}
    if not isinstance(value, dict):
        example = next(iter(options), "OPTION")
        return ["%s: must be a dictionary, not %s%s" % (place, written(value), _advice(value, "'%s: ...'" % example))]
    if not options:
        return []
    found = []
    for name, item in value.items():
        here = "%s.%s" % (place, name)
        if name not in options:
            found.append("%s: there is no such option%s" % (here, did_you_mean(str(name), options)))
        elif item == "" and options[name].get("type", "str") not in ("str", "raw"):
            continue
        else:
            found += mistakes(options[name], item, here)
    missing = [name for name, one in options.items() if one.get("required") and value.get(name) in (None, "")]
    return found + ["%s.%s: is missing" % (place, name) for name in missing]


def _of_list(spec: Spec, value: t.Any, place: str) -> list[str]:
    of_dictionaries = spec.get("elements") == "dict"
    if isinstance(value, str) and not of_dictionaries and not _YAML.match(value):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list):
        example = "an entry that begins with '- '"
        return ["%s: must be a list, not %s%s" % (place, written(value), _advice(value, example))]
    element = {"type": spec.get("elements", "str"), **{k: spec[k] for k in ("options", "choices") if k in spec}}
    return [text for number, item in enumerate(value) for text in mistakes(element, item, "%s[%d]" % (place, number))]


def _advice(value: t.Any, example: str) -> str:
    """Return how to write the value instead of a text."""
    if isinstance(value, str) and _YAML.match(value):
        return yaml_text()
    return ". Write %s" % example


def yaml_text() -> str:
    """Return how to convert a text that contains YAML, such as the answer of a survey."""
    return '. The string contains YAML. Convert it: "{{ NAME | from_yaml }}"'


def holds_yaml(value: t.Any) -> bool:
    """Return whether a value is a text that probably was meant to be a list or a dictionary."""
    return isinstance(value, str) and bool(_YAML.match(value))


def _number(value: t.Any) -> None:
    try:
        if isinstance(value, bool):
            raise ValueError
        float(value)
    except (TypeError, ValueError):
        raise Invalid("must be a number, not %s" % written(value)) from None


_WANTED = {"str": "a string", "path": "a path", "bool": "true or false", "int": "a whole number", "float": "a number"}
_CHECKS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "str": lambda value: None,
    "path": lambda value: None,
    "bool": Switch().from_user,
    "int": Number().from_user,
    "float": _number,
}
