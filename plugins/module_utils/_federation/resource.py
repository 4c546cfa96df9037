# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Field and Resource: one managed object as a table, from which everything else is read.

A field knows its argument spec, how a value looks in its canonical form (the options' vocabulary, compared plainly) and
how it travels. A resource is a noun with fields: from it follow the Get-, New-, Set- and Remove- cmdlets.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.names import Invalid, canonical_domain, domain_from_server
from .._base.names import key as key_of
from .._base.step import Record, Values
from .._shell.statement import ListChange, Secret, UInt32, Value


class Text:
    """A string. Nothing set and the empty string are the same."""

    spec: t.Mapping[str, t.Any] = {"type": "str"}

    def from_user(self, value: t.Any) -> t.Any:
        return str(value)

    def from_server(self, value: t.Any) -> t.Any:
        return "" if value is None else str(value)

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        return t.cast(Value, value)


class SecretText(Text):
    """A string that is never shown."""

    spec = {"type": "str", "no_log": True}

    def from_user(self, value: t.Any) -> t.Any:
        return Secret(str(value))

    def from_server(self, value: t.Any) -> t.Any:
        return Secret("" if value is None else str(value))


class Switch(Text):
    spec = {"type": "bool"}

    def from_user(self, value: t.Any) -> t.Any:
        return bool(value)

    def from_server(self, value: t.Any) -> t.Any:
        return value if isinstance(value, bool) else str(value).lower() == "true"


class Number(Text):
    """An unsigned 32-bit number; None where the server has none set."""

    spec = {"type": "int"}

    def __init__(self, minimum: int = 0, maximum: int = 0xFFFFFFFF) -> None:
        self.minimum, self.maximum = minimum, maximum

    def from_user(self, value: t.Any) -> t.Any:
        if not self.minimum <= int(value) <= self.maximum:
            raise Invalid("%d is outside %d to %d" % (value, self.minimum, self.maximum))
        return int(value)

    def from_server(self, value: t.Any) -> t.Any:
        return None if value is None else int(value)

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        return UInt32(value)


class Choice(Text):
    """An enumeration: the option's word and the product's."""

    def __init__(self, **words: str) -> None:
        self.words = words
        self.spec = {"type": "str", "choices": list(words)}

    def from_server(self, value: t.Any) -> t.Any:
        text = str(value).lower()
        return next((word for word, wire in self.words.items() if wire.lower() == text), str(value))

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        return self.words[value]


class Domain(Text):
    """One domain name, or empty."""

    def from_user(self, value: t.Any) -> t.Any:
        return canonical_domain(value) if value else ""

    def from_server(self, value: t.Any) -> t.Any:
        return domain_from_server(value)


class SpelledDomain(str):
    """A domain in canonical form that the server spells differently; only its own spelling can be removed there."""

    on_server: str

    def __new__(cls, canonical: str, on_server: str) -> SpelledDomain:
        self = super().__new__(cls, canonical)
        self.on_server = on_server
        return self


class Domains(Text):
    """A set of domains, kept sorted. Arrives as a list, a single string, or null."""

    spec = {"type": "list", "elements": "str"}

    def from_user(self, value: t.Any) -> t.Any:
        found = []
        for number, item in enumerate(value):
            try:
                found.append(canonical_domain(item))
            except Invalid as exc:
                raise Invalid("entry %d %s" % (number, exc) if str(exc).startswith("is ") else str(exc)) from exc
        return sorted(set(found))

    def from_server(self, value: t.Any) -> t.Any:
        items = [] if value is None else [value] if isinstance(value, str) else list(value)
        found = {domain_from_server(item): str(item) for item in items}
        return sorted(c if key_of(s) == c else SpelledDomain(c, s) for c, s in found.items() if c)

    def to_wire(self, value: t.Any, before: t.Any, creating: bool) -> Value:
        if creating:
            return tuple(value)
        # Additions and removals are what the cmdlet page documents for Set-.
        had = set(before or ())
        return ListChange(
            add=tuple(item for item in value if item not in had),
            remove=tuple(str(getattr(item, "on_server", item)) for item in sorted(had) if item not in value),
        )


@dataclass(frozen=True)
class Field:
    """One property.

    option: the Ansible option; prop: the cmdlet's parameter, which is the object's property too.
    default: what New- gives when the parameter is left out, as documented; None where no source states it.
    """

    option: str
    prop: str
    kind: Text
    default: t.Any = None

    @property
    def secret(self) -> bool:
        return isinstance(self.kind, SecretText)

    def spec(self) -> dict[str, t.Any]:
        """The option's argument spec. Never with a default: an option left out leaves the property alone."""
        return dict(self.kind.spec)


@dataclass(frozen=True)
class Resource:
    """A managed kind of object.

    name, plural: the return keys of the singular and the plural module.
    noun: of its cmdlets. key: the field that names an object; None for the one global object of a configuration.
    identity_from_user, identity_from_server: the identity's canonical form, in the writer's case.
    server_name: how calls name an existing object, where the canonical form may not be found.
    resettable: the key whose Remove- resets instead of removing (external access policy ``global``).
    """

    name: str
    plural: str
    noun: str
    fields: tuple[Field, ...]
    key: Field | None = None
    identity_from_user: t.Callable[[str], str] = str
    identity_from_server: t.Callable[[object], str] = str
    server_name: t.Callable[[object], str] | None = None
    rules: tuple[t.Any, ...] = ()
    resettable: str = ""

    def __post_init__(self) -> None:
        names = [field.option for field in self.fields]
        if len(set(names)) != len(names) or (self.key and self.key.option in names):
            raise ValueError("%s has an option twice" % self.noun)

    @property
    def single(self) -> bool:
        return self.key is None

    def field(self, option: str) -> Field:
        return next(field for field in self.fields if field.option == option)

    def spec(self) -> dict[str, t.Any]:
        """The argument spec of one object: its key, required, and its properties."""
        key = {self.key.option: {"type": "str", "required": True}} if self.key else {}
        return {**key, **{field.option: field.spec() for field in self.fields}}

    def from_user(self, params: Values) -> dict[str, t.Any]:
        """The properties that were given, in canonical form. Raises Invalid, naming the option."""
        found = {}
        for field in self.fields:
            value = params.get(field.option)
            if value is None:
                continue
            try:
                found[field.option] = field.kind.from_user(value)
            except Invalid as exc:
                raise Invalid("%s: %s" % (field.option, exc)) from exc
        return found

    def from_server(self, item: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """All properties of an object that was read. A property that this version lacks is left out."""
        return {f.option: f.kind.from_server(item[f.prop]) for f in self.fields if f.prop in item}

    def defaults(self) -> dict[str, t.Any]:
        """A new object's properties where nothing is given."""
        return {field.option: field.default for field in self.fields}

    def shown(self, identity: str, values: Values) -> dict[str, t.Any]:
        """An object as modules return it: can be fed back in. Secrets are left out."""
        key = {self.key.option: identity} if self.key else {}
        return {
            **key,
            **{f.option: _plain(values[f.option]) for f in self.fields if f.option in values and not f.secret},
        }

    def record(self, item: t.Mapping[str, t.Any]) -> Record:
        """An object that was read."""
        identity = self.identity_from_server(item.get("Identity"))
        return Record(
            identity, self.from_server(item), self.server_name(item.get("Identity")) if self.server_name else identity
        )


def _plain(value: t.Any) -> t.Any:
    return [str(item) for item in value] if isinstance(value, list) else value
