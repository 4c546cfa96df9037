# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of values that a field can have: how a user writes one, how a server sends one, how it travels back.

A value is converted once at each border, into its canonical form, and compared plainly from then on. What does not
have the declared form is an error there and never becomes a value: Invalid for what a user wrote, Unreadable for what a
server sent.
"""

from __future__ import annotations

import difflib
import re
import typing as t

from .._base.names import Invalid, canonical_domain, check_text, domain_from_server
from .._base.names import key as key_of
from .._shell.statement import ListChange, Secret, UInt32, Value

# A type's name, which is what a server sends of an object that it did not take apart: generic, list, plain object, or
# deep in a namespace. A domain such as "Microsoft.com" is none.
_TYPE_NAME = re.compile(
    r"(?:Deserialized\.)?"
    r"(?:System\.(?:Object|String|Collections(?:\.[A-Z]\w*)+)|(?:System|Microsoft)(?:\.[A-Z][\w+]*)+(?=[`\[])"
    r"|(?:System|Microsoft)(?:\.[A-Z][\w+]*){3,})"
    r"(?:`\d+)?(?:\[.*\])?\Z"
)
# What a server may have stored as a domain: anything that is one word without the marks of another form.
_STORED_DOMAIN = re.compile(r"[^\s,;:@`\[\]{}()<>=/\\\"']+\Z")
_SHOWN = 80


def is_type_name(text: str) -> bool:
    """Whether a text is the name of a .NET type."""
    return bool(_TYPE_NAME.match(text))


class UnreadableValue(Exception):
    """A value that a server sent does not have the declared form. The text says what it is and what was expected."""


class Kind:
    """The contract of every kind.

    spec: the option's argument spec (without default: an option left out leaves the property alone).
    """

    spec: t.Mapping[str, t.Any] = {"type": "str"}
    expected = "a text"

    def from_user(self, value: t.Any) -> t.Any:
        """The canonical form of what a user wrote, as typed values or as texts from a template. Raises Invalid."""
        raise NotImplementedError

    def from_server(self, value: t.Any) -> t.Any:
        """The canonical form of what a server sent. Raises Unreadable."""
        raise NotImplementedError

    def from_snapshot(self, value: t.Any) -> t.Any:
        """The canonical form of what was read once: it may be a text that nobody should write. Raises Invalid."""
        return self.from_user(value)

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        """A canonical value as a cmdlet's parameter. ``before``: what the property has; creating: New- is the verb."""
        return t.cast(Value, value)

    def unreadable(self, value: t.Any) -> UnreadableValue:
        return UnreadableValue("is %s; %s was expected" % (shortened(value), self.expected))


def written(value: t.Any) -> str:
    """What a user wrote, for a message, in the words of YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a dictionary"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "an empty value"
    return shortened(value) if isinstance(value, str) else str(value)[:_SHOWN]


def shortened(value: t.Any) -> str:
    """What a server sent, for a message, with its type where it is no text."""
    text = repr(value) if isinstance(value, str) else "%s (%s)" % (value, type(value).__name__)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def check_unread(value: t.Any, place: str = "") -> None:
    """Raises Invalid for a number or a switch where a text belongs: YAML 1.1 has changed what the user wrote.

    It reads ``12:30:45`` as 45045, ``010`` as 8, ``1.10`` as 1.1 and ``no`` as false (yaml.org/type/int.html,
    float.html and bool.html), and nothing tells afterwards which of them it was.
    """
    if isinstance(value, (bool, int, float)):
        kind = "a switch" if isinstance(value, bool) else "a number"
        raise Invalid("%sYAML reads the value as %s, %s; put the text in quotes" % (place, kind, written(value)))


class Text(Kind):
    """A string. Nothing set and the empty string are the same."""

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, (dict, list, tuple)):
            raise Invalid("%s is no text" % written(value))
        check_unread(value)
        if is_type_name(str(value)):
            text = "%s is the name of a .NET type, as a list shows itself that was written as text"
            raise Invalid(text % shortened(value))
        return check_text(str(value))

    def from_snapshot(self, value: t.Any) -> t.Any:
        if not isinstance(value, str):
            raise Invalid("%s is no text" % written(value))
        return value

    def from_server(self, value: t.Any) -> t.Any:
        if value is None:
            return ""
        if not isinstance(value, str) or is_type_name(value):
            raise self.unreadable(value)
        return value


class SecretText(Kind):
    """A string that is never shown."""

    spec = {"type": "str", "no_log": True}

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, (dict, list, tuple)):
            raise Invalid("is no text")
        return Secret(str(value))

    def from_server(self, value: t.Any) -> t.Any:
        if value is not None and value != b"" and not isinstance(value, str):  # b"": a secure string
            raise UnreadableValue("is a %s; a text was expected" % type(value).__name__)
        return Secret(str(value) if value else "")


class Switch(Kind):
    """True or False. Words as Ansible takes them for a boolean."""

    spec = {"type": "bool"}
    expected = "True or False"
    _words: t.ClassVar = {
        **dict.fromkeys(("true", "yes", "on", "1", "y", "t"), True),
        **dict.fromkeys(("false", "no", "off", "0", "n", "f"), False),
    }

    def from_user(self, value: t.Any) -> t.Any:
        found = value if isinstance(value, bool) else self._words.get(str(value).strip().lower())
        if found is None:
            raise Invalid("%s is neither true nor false" % written(value))
        return found

    def from_server(self, value: t.Any) -> t.Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise self.unreadable(value)


class Number(Kind):
    """An unsigned 32-bit number. unset: whether a server may have none, which is None then."""

    spec = {"type": "int"}

    def __init__(self, minimum: int = 0, maximum: int = 0xFFFFFFFF, *, unset: bool = False) -> None:
        self.minimum, self.maximum, self.unset = minimum, maximum, unset
        self.expected = "a whole number from %d to %d" % (minimum, maximum)

    def from_user(self, value: t.Any) -> t.Any:
        number = self._number(value)
        if number is None:
            raise Invalid("%s is not a whole number" % written(value))
        if not self.minimum <= number <= self.maximum:
            raise Invalid("%d is outside %d to %d" % (number, self.minimum, self.maximum))
        return number

    def from_server(self, value: t.Any) -> t.Any:
        if value is None and self.unset:
            return None
        number = self._number(value)
        if number is None or not self.minimum <= number <= self.maximum:
            raise self.unreadable(value)
        return number

    @staticmethod
    def _number(value: t.Any) -> int | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return int(value) if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,20}", value.strip()) else None

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        return UInt32(value)


class Choice(Kind):
    """An enumeration: the option's word and the product's."""

    def __init__(self, **words: str) -> None:
        self.words = words
        self.spec = {"type": "str", "choices": list(words)}
        self.expected = "one of %s" % ", ".join(words.values())

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, str) and value in self.words:
            return str(value)
        near = did_you_mean(value, self.words) if isinstance(value, str) else ""
        raise Invalid("%s is none of %s%s" % (written(value), ", ".join(self.words), near))

    def from_server(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            for word, wire in self.words.items():
                if wire.lower() == value.lower():
                    return word
        raise self.unreadable(value)

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        return self.words[value]


class Domain(Kind):
    """One domain name, or empty."""

    expected = "a domain name"

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, (bool, dict, list, tuple)):
            raise Invalid("%s is no domain name" % written(value))
        return "" if value == "" else canonical_domain(str(value))

    def from_server(self, value: t.Any) -> t.Any:
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or is_type_name(value) or not _STORED_DOMAIN.match(value):
            raise self.unreadable(value)
        return domain_from_server(value)


class SpelledDomain(str):
    """A domain in canonical form that the server spells differently; only its own spelling can be removed there."""

    on_server: str

    def __new__(cls, canonical: str, on_server: str) -> SpelledDomain:
        self = super().__new__(cls, canonical)
        self.on_server = on_server
        return self


class Domains(Kind):
    """A set of domains, kept sorted. Arrives as a list, a single string, or null."""

    spec = {"type": "list", "elements": "str"}
    expected = "a list of domain names"
    _one = Domain()

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            value = value.split(",") if value else []
        if not isinstance(value, (list, tuple)):
            raise Invalid("%s is no list of domains" % written(value))
        found = []
        for number, item in enumerate(value):
            if isinstance(item, (bool, dict, list, tuple)) or item is None:
                raise Invalid("entry %d: %s is no domain name" % (number, written(item)))
            try:
                found.append(canonical_domain(str(item)))
            except Invalid as exc:
                raise Invalid("entry %d %s" % (number, exc) if str(exc).startswith("is ") else str(exc)) from exc
        return sorted(set(found))

    def from_server(self, value: t.Any) -> t.Any:
        if not (value is None or isinstance(value, (str, list, tuple))):
            raise self.unreadable(value)
        items = [] if value is None or value == "" else [value] if isinstance(value, str) else list(value)
        found = {}
        for item in items:
            if not item:
                raise self.unreadable(item)
            found[self._one.from_server(item)] = str(item)
        return sorted(c if key_of(s) == c else SpelledDomain(c, s) for c, s in found.items())

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        if creating:
            return tuple(value)
        # Additions and removals are what the cmdlet page documents for Set-.
        had = set(before or ())
        return ListChange(
            add=tuple(item for item in value if item not in had),
            remove=tuple(str(getattr(item, "on_server", item)) for item in sorted(had) if item not in value),
        )


class EdgePoolName(Domain):
    """The Edge pool of a route, empty where there is none: ``EdgeServer:FQDN`` on the wire (page of Set-CsSite)."""

    expected = "an Edge pool as EdgeServer:FQDN"

    def from_user(self, value: t.Any) -> t.Any:
        return super().from_user(self._bare(value))

    def from_server(self, value: t.Any) -> t.Any:
        bare = self._bare(value)
        if value and not bare:
            raise self.unreadable(value)
        return super().from_server(bare)

    @staticmethod
    def _bare(value: t.Any) -> t.Any:
        scoped = isinstance(value, str) and value.lower().startswith("edgeserver:")
        return value.partition(":")[2] if scoped else value

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        return "EdgeServer:" + value if value else None


def did_you_mean(word: str, known: t.Iterable[str]) -> str:
    """`` (did you mean X?)`` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), 1, 0.7)
    if not near:
        # A part of one known word, such as tls for tls_negotiation, is as good as a misspelling.
        parts = [name for name in known if word.lower() in name.lower().split("_")]
        near = parts if len(parts) == 1 else []
    return " (did you mean %s?)" % near[0] if near else ""
