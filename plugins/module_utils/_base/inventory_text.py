# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write variables as an inventory file, and read the variables again.

Texts of a server cannot become templates in the YAML of the file.
"""

from __future__ import annotations

import json
import re
import typing as t

from .names import Invalid
from .texts import in_strings

# The marks that begin a template. Ansible would run the template when it reads the file.
_TEMPLATES = ("{{", "{%", "{#")
# A snapshot has 5 levels.
MOST_DEPTH = 50
# The pattern matches a complete string, or a bracket that opens or closes a level.
_MARKS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[][{}]', re.DOTALL)


def inventory_text(variables: t.Mapping[str, t.Any]) -> str:
    """Return the variables as one document. Null options are left out, because null options have no effect."""
    import yaml  # Ansible needs PyYAML, so the controller has PyYAML

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Mark texts with the form of templates, and use no aliases."""

        def ignore_aliases(self, data: t.Any) -> bool:
            return True

    def text(dumper: t.Any, value: str) -> t.Any:
        style = None if value.isprintable() else '"'  # a style with an escape for every character
        if any(mark in value for mark in _TEMPLATES):
            return dumper.represent_scalar("!unsafe", value, style='"')
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    written = yaml.dump(
        _without_nulls(variables),
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1_000_000,
    )
    return "---\n" + in_strings(str(written), lambda one: "\\U%08x" % ord(one))


def inventory_values(text: str) -> dict[str, t.Any]:
    """Return the variables of an inventory file. Templates stay texts. Raises Invalid."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Load texts that are marked as no templates."""

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    try:
        _check_events(yaml.parse(text, Loader=Loader))
        found = yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader that knows one more mark
    except yaml.YAMLError as exc:
        raise Invalid("is not YAML: %s" % exc) from exc
    except Invalid:
        raise
    except (ValueError, TypeError, ArithmeticError, AttributeError, RecursionError) as exc:
        # Python cannot convert a number, a date or a key.
        raise Invalid("has a YAML value that cannot be read: %s" % type(exc).__name__) from exc
    if not isinstance(found, dict):
        raise Invalid("has no variables")
    return found


def _check_events(events: t.Iterable[t.Any]) -> None:
    """Check the document before its values are built. Raises Invalid.

    Nested aliases multiply, and deep nesting ends the process.
    """
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Invalid("has a YAML anchor or alias. Write each value in full")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                raise Invalid("is nested more than %d levels deep" % MOST_DEPTH)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def json_value(data: bytes) -> t.Any:
    """Return the value of a JSON document. Raises Invalid."""
    try:
        text = data.decode("utf-8", "surrogatepass")
        _check_depth(text)
        return json.loads(text)
    except Invalid:
        raise
    except (ValueError, RecursionError) as exc:
        raise Invalid(
            "is not JSON: %s" % (exc if isinstance(exc, json.JSONDecodeError) else type(exc).__name__)
        ) from None


def _check_depth(text: str) -> None:
    depth = 0
    for mark in _MARKS.finditer(text):
        if mark.group() in "[{":
            depth += 1
            if depth > MOST_DEPTH:
                raise Invalid("is nested more than %d levels deep" % MOST_DEPTH)
        elif mark.group() in "]}":
            depth -= 1


def _without_nulls(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
