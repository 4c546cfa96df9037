# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the values of fields between the user's form, the server's form and the canonical form.

A value is converted to its canonical form once, when it comes from the user or the server. After that, values are
compared directly. A value without the declared form is an error: Invalid for a user's value, Unreadable for a server's
value.
"""

from __future__ import annotations

import difflib
import re
import typing as t

from .._base.names import Invalid, canonical_domain, check_text, domain_from_server
from .._base.names import key as key_of
from .._shell.statement import ListChange, Secret, UInt32, Value

# The name of a .NET type. A server sends such a name in place of an object that was not serialized. The patterns are a
# generic type, a list, a plain object, or a long namespace. A domain such as "Microsoft.com" must not match.
_TYPE_NAME = re.compile(
    r"(?:Deserialized\.)?"
    r"(?:System\.(?:Object|String|Collections(?:\.[A-Z]\w*)+)|(?:System|Microsoft)(?:\.[A-Z][\w+]*)+(?=[`\[])"
    r"|(?:System|Microsoft)(?:\.[A-Z][\w+]*){3,})"
    r"(?:`\d+)?(?:\[.*\])?\Z"
)
# A domain that a server has stored: one word without the characters of other forms.
_STORED_DOMAIN = re.compile(r"[^\s,;:@`\[\]{}()<>=/\\\"']+\Z")
_SHOWN = 80


def is_type_name(text: str) -> bool:
    """Return whether a text is the name of a .NET type."""
    return bool(_TYPE_NAME.match(text))


class UnreadableValue(Exception):
    """Report that a server's value does not have the declared form. The text has the value and the expected form."""


class Kind:
    """Define the methods of every kind.

    spec: the option's argument spec. The spec has no default, so that a missing option does not change the property.
    expected: the server's form, for messages.
    """

    spec: t.Mapping[str, t.Any] = {"type": "str"}
    expected = "a string"

    def from_user(self, value: t.Any) -> t.Any:
        """Return the canonical form of a user's value. A value from a template can be a string. Raises Invalid."""
        raise NotImplementedError

    def from_server(self, value: t.Any) -> t.Any:
        """Return the canonical form of a server's value. Raises UnreadableValue."""
        raise NotImplementedError

    def from_snapshot(self, value: t.Any) -> t.Any:
        """Return the canonical form of a value in a snapshot.

        The value can break the rules for users. Raises Invalid.
        """
        return self.from_user(value)

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        """Return a canonical value as a cmdlet's parameter.

        before: the present value of the property.
        creating: whether the verb is New-.
        """
        return t.cast(Value, value)

    def unreadable(self, value: t.Any) -> UnreadableValue:
        return UnreadableValue("is %s; %s was expected" % (shortened(value), self.expected))


def written(value: t.Any) -> str:
    """Return a user's value for a message, in the words of YAML."""
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
    """Return a server's value for a message. If the value is not a string, its type follows."""
    text = repr(value) if isinstance(value, str) else "%s (%s)" % (value, type(value).__name__)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def check_unread(value: t.Any, place: str = "") -> None:
    """Raise Invalid for a number or a switch in place of a string, because YAML 1.1 can change the user's value.

    YAML 1.1 reads ``12:30:45`` as 45045, ``010`` as 8, ``1.10`` as 1.1 and ``no`` as false. After that, the original
    value is unknown. Sources: yaml.org/type/int.html, float.html and bool.html.
    """
    if isinstance(value, (bool, int, float)):
        kind = "a switch" if isinstance(value, bool) else "a number"
        raise Invalid("%sYAML reads the value as %s, %s. Put the text in quotes" % (place, kind, written(value)))


class Text(Kind):
    """Convert a string. No value means the empty string."""

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, (dict, list, tuple)):
            raise Invalid("must be a string, not %s" % written(value))
        check_unread(value)
        if is_type_name(str(value)):
            text = "%s is the name of a .NET type. Write the value, not a list that was converted to a string"
            raise Invalid(text % shortened(value))
        return check_text(str(value))

    def from_snapshot(self, value: t.Any) -> t.Any:
        if not isinstance(value, str):
            raise Invalid("must be a string, not %s" % written(value))
        return value

    def from_server(self, value: t.Any) -> t.Any:
        if value is None:
            return ""
        if not isinstance(value, str) or is_type_name(value):
            raise self.unreadable(value)
        return value


class SecretText(Kind):
    """Convert a string that is never shown."""

    spec = {"type": "str", "no_log": True}

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, (dict, list, tuple)):
            raise Invalid("must be a string")
        return Secret(str(value))

    def from_server(self, value: t.Any) -> t.Any:
        if value is not None and value != b"" and not isinstance(value, str):  # b"": a secure string
            raise UnreadableValue("is a %s; a string was expected" % type(value).__name__)
        return Secret(str(value) if value else "")


class Switch(Kind):
    """Convert a switch. The same words as in Ansible mean true or false."""

    spec = {"type": "bool"}
    expected = "True or False"
    _words: t.ClassVar = {
        **dict.fromkeys(("true", "yes", "on", "1", "y", "t"), True),
        **dict.fromkeys(("false", "no", "off", "0", "n", "f"), False),
    }

    def from_user(self, value: t.Any) -> t.Any:
        found = value if isinstance(value, bool) else self._words.get(str(value).strip().lower())
        if found is None:
            raise Invalid("must be true or false, not %s" % written(value))
        return found

    def from_server(self, value: t.Any) -> t.Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise self.unreadable(value)


class Number(Kind):
    """Convert an unsigned 32-bit number.

    minimum: the smallest number.
    maximum: the largest number.
    unset: whether a server can have no number. Then the value is None.
    """

    spec = {"type": "int"}

    def __init__(self, minimum: int = 0, maximum: int = 0xFFFFFFFF, *, unset: bool = False) -> None:
        self.minimum, self.maximum, self.unset = minimum, maximum, unset
        self.expected = "a whole number from %d to %d" % (minimum, maximum)

    def from_user(self, value: t.Any) -> t.Any:
        number = self._number(value)
        if number is None:
            raise Invalid("must be a whole number, not %s" % written(value))
        if not self.minimum <= number <= self.maximum:
            raise Invalid("must be from %d to %d, not %d" % (self.minimum, self.maximum, number))
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
    """Convert an enumeration.

    words: the option's words, each with the word of the product.
    """

    def __init__(self, **words: str) -> None:
        self.words = words
        self.spec = {"type": "str", "choices": list(words)}
        self.expected = "one of %s" % ", ".join(words.values())

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, str) and value in self.words:
            return str(value)
        near = did_you_mean(value, self.words) if isinstance(value, str) else ""
        *others, last = self.words
        words = " or ".join(filter(None, [", ".join(others), last]))
        raise Invalid("must be %s, not %s%s" % (words, written(value), near))

    def from_server(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            for word, wire in self.words.items():
                if wire.lower() == value.lower():
                    return word
        raise self.unreadable(value)

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        return self.words[value]


class Domain(Kind):
    """Convert one domain name, or the empty string."""

    expected = "a domain name"

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, (bool, dict, list, tuple)):
            raise Invalid("must be a domain name, not %s" % written(value))
        return "" if value == "" else canonical_domain(str(value))

    def from_server(self, value: t.Any) -> t.Any:
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or is_type_name(value) or not _STORED_DOMAIN.match(value):
            raise self.unreadable(value)
        return domain_from_server(value)


class SpelledDomain(str):
    """This is a domain in canonical form with the server's spelling. A removal must use the server's spelling."""

    on_server: str

    def __new__(cls, canonical: str, on_server: str) -> SpelledDomain:
        self = super().__new__(cls, canonical)
        self.on_server = on_server
        return self


class Domains(Kind):
    """Convert a set of domains to a sorted list. A server sends a list, a single string, or null."""

    spec = {"type": "list", "elements": "str"}
    expected = "a list of domain names"
    _one = Domain()

    def from_user(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            value = value.split(",") if value else []
        if not isinstance(value, (list, tuple)):
            raise Invalid("must be a list of domains, not %s" % written(value))
        found = []
        for number, item in enumerate(value):
            if isinstance(item, (bool, dict, list, tuple)) or item is None:
                raise Invalid("entry %d: must be a domain name, not %s" % (number, written(item)))
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
        # The page of the Set- cmdlet documents only additions and removals.
        had = set(before or ())
        return ListChange(
            add=tuple(item for item in value if item not in had),
            remove=tuple(str(getattr(item, "on_server", item)) for item in sorted(had) if item not in value),
        )


class EdgePoolName(Domain):
    """Convert the Edge pool of a route; empty for no route. The server has ``EdgeServer:FQDN`` (page of Set-CsSite)."""

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
    """Return `` (did you mean X?)`` for a similar known word; empty for no similar word."""
    near = difflib.get_close_matches(word.lower(), list(known), 1, 0.7)
    if not near:
        # A part of only one known word is also accepted, such as tls for tls_negotiation.
        parts = [name for name in known if word.lower() in name.lower().split("_")]
        near = parts if len(parts) == 1 else []
    return " (did you mean %s?)" % near[0] if near else ""
