# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define Field and Resource: a managed kind of object as a table.

A field connects an option with a property and the kind of its values. A resource connects the noun of cmdlets with
fields. The argument specs, the Get-, New-, Set- and Remove- cmdlets and the shown values all come from the resource. A
resource also has its own rules, so no other code depends on the kind.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from dataclasses import field as kept

from .._base.findings import Finding
from .._base.names import Invalid, named
from .._base.result import Unreadable as UnreadableAnswer
from .._base.step import Record, Values
from .kinds import Kind, SecretText, UnreadableValue, did_you_mean, is_type_name, shortened

if t.TYPE_CHECKING:
    from .rules import Change, Context

Rule = t.Callable[["Change", "Context"], t.Iterable[Finding]]


@dataclass(frozen=True)
class Field:
    """Describe one property.

    option: the Ansible option.
    prop: the parameter of the cmdlet, which is also the property of the object.
    kind: the kind of the values.
    default: the documented value if the parameter of New- is left out; None if no source has the value.
    may_lack: whether a server can send objects without the property. True if the page of Get- does not show the
      property, or not for every version.
    """

    option: str
    prop: str
    kind: Kind
    default: t.Any = None
    may_lack: bool = False

    @property
    def secret(self) -> bool:
        return isinstance(self.kind, SecretText)

    def spec(self) -> dict[str, t.Any]:
        """Return the option's argument spec. Without a default, a missing option does not change the property."""
        return dict(self.kind.spec)


@dataclass(frozen=True)
class Resource:
    """Describe a managed kind of object.

    name: the return key of the module for one object.
    plural: the return key of the module for a list.
    part: the option of xmpp_federation for this kind.
    label: the name of one object in messages.
    noun: the noun of the cmdlets.
    mark: a property that only objects of this kind have.
    fields: the properties.
    key: the field with the name of an object; None for the one global object of a configuration.
    identity_from_user: makes the canonical form of a user's name. Upper and lower case stay.
    identity_from_server: makes the canonical form of a server's name. Upper and lower case stay.
    server_name: makes the name of an existing object in calls, if the server can fail to find the canonical form.
    rules: the rules for changes.
    resettable: the key of the object that Remove- resets (external access policy ``global``).
    fixed: whether cmdlets can neither create nor remove objects of this kind (sites come from the topology).
    marks: other properties that only this kind has, if objects can lack ``mark``.
    beside: returns whether an object of the Get- cmdlet does not belong to this kind.
    also_shown: properties that are read and shown in messages, but not managed.
    limit: the name of the kind in ``parts``; empty if the name is ``part``.
    tag: another tag of the playbooks that includes this kind; empty for none.
    """

    name: str
    plural: str
    part: str
    label: str
    noun: str
    mark: str
    fields: tuple[Field, ...]
    key: Field | None = None
    identity_from_user: t.Callable[[str], str] = str
    identity_from_server: t.Callable[[object], str] = str
    server_name: t.Callable[[object], str] | None = None
    rules: tuple[Rule, ...] = ()
    resettable: str = ""
    fixed: bool = False
    marks: tuple[str, ...] = ()
    beside: t.Callable[[t.Mapping[str, t.Any]], bool] = lambda item: False
    also_shown: tuple[str, ...] = ()
    limit: str = ""
    tag: str = ""
    _by_option: dict[str, Field] = kept(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_option.update({f.option: f for f in self.fields})
        if len(self._by_option) != len(self.fields) or (self.key and self.key.option in self._by_option):
            raise ValueError("%s has an option twice" % self.noun)

    @property
    def limited_as(self) -> str:
        """Return the name of this kind in ``parts``."""
        return self.limit or self.part

    def __hash__(self) -> int:
        return hash(self.part)

    @property
    def single(self) -> bool:
        return self.key is None

    def field(self, option: str) -> Field:
        return self._by_option[option]

    def returned(self, item: t.Any) -> bool:
        """Return whether an object is from the Get- cmdlet of this kind."""
        if not isinstance(item, dict):
            return False
        return any(mark in item for mark in (self.mark, *self.marks)) or self.beside(item)

    def spec(self) -> dict[str, t.Any]:
        """Return the argument spec of one object: its required key and its properties."""
        key = {self.key.option: {"type": "str", "required": True}} if self.key else {}
        return {**key, **{f.option: f.spec() for f in self.fields}}

    def from_user(self, params: Values) -> dict[str, t.Any]:
        """Return the given properties in canonical form. Raises Invalid with the first wrong option."""
        found, mistakes = self.checked(params)
        if mistakes:
            raise Invalid(mistakes[0])
        return found

    def from_snapshot(self, params: Values) -> dict[str, t.Any]:
        """Return the properties of an object in a snapshot. Raises Invalid."""
        known = {*self._by_option, *([self.key.option] if self.key else ())}
        other = [str(option) for option in params if option not in known]
        if other:
            raise Invalid("%s: there is no such option" % ", ".join(other))
        given = [f for f in self.fields if params.get(f.option) is not None]
        return {f.option: f.kind.from_snapshot(params[f.option]) for f in given}

    def checked(self, params: Values, also: t.Collection[str] = ()) -> tuple[dict[str, t.Any], list[str]]:
        """Return the given properties, and the mistakes: wrong values, and options that do not exist.

        params: the options of one object.
        also: other options that are allowed here.
        """
        found: dict[str, t.Any] = {}
        mistakes = []
        for f in self.fields:
            value = params.get(f.option)
            if value is None:
                continue
            try:
                found[f.option] = f.kind.from_user(value)
            except Invalid as exc:
                mistakes.append("%s: %s" % (f.option, exc))
        known = [*([self.key.option] if self.key else []), *self._by_option, *also]
        for option in params:
            if option not in known:
                mistakes.append("%s: there is no such option%s" % (option, did_you_mean(str(option), known)))
        return found, mistakes

    def from_server(self, item: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return all properties of a server's object. Raises UnreadableValue with the name of the property."""
        found = {}
        for f in self.fields:
            if f.prop not in item:
                if f.may_lack:
                    continue
                raise UnreadableValue("%s is missing" % f.prop)
            try:
                found[f.option] = f.kind.from_server(item[f.prop])
            except UnreadableValue as exc:
                raise UnreadableValue("%s %s" % (f.prop, exc)) from None
        return found

    def defaults(self) -> dict[str, t.Any]:
        """Return the properties of a new object without declared settings."""
        return {f.option: f.default for f in self.fields}

    def shown(self, identity: str, values: Values) -> dict[str, t.Any]:
        """Return an object with the names of the options, so that the object can be declared again.

        Secrets are left out.
        """
        key = {self.key.option: identity} if self.key else {}
        return {
            **key,
            **{f.option: _plain(values[f.option]) for f in self.fields if f.option in values and not f.secret},
        }

    def record(self, item: t.Mapping[str, t.Any]) -> Record:
        """Return the record of a server's object. Raises UnreadableValue."""
        identity = named(item.get("Identity"))
        if not isinstance(identity, str) or not identity.strip() or is_type_name(identity):
            raise UnreadableValue("Identity is %s; a name was expected" % shortened(identity))
        name = self.identity_from_server(identity)
        more = {prop: item[prop] for prop in self.also_shown if prop in item}
        return Record(name, self.from_server(item), self.server_name(identity) if self.server_name else name, more)

    def one(self, item: t.Any) -> Record | None:
        """Return the record of a server's object; None if the object belongs to another kind.

        Raises UnreadableAnswer.
        """
        cmdlet = "Get-" + self.noun
        if not isinstance(item, dict):
            raise UnreadableAnswer(cmdlet, "", "the server returned %s. An object was expected" % shortened(item))
        if self.beside(item):
            return None
        try:
            return self.record(item)
        except UnreadableValue as exc:
            named = item.get("Identity")
            raise UnreadableAnswer(cmdlet, named if isinstance(named, str) else "", str(exc)) from None

    def records(self, items: t.Iterable[t.Any]) -> dict[str, Record]:
        """Return the records of a server's objects by key. Raises UnreadableAnswer with cmdlet, object and property."""
        cmdlet = "Get-" + self.noun
        found: dict[str, Record] = {}
        for record in filter(None, map(self.one, items)):
            other = found.setdefault(record.key, record)
            if other is not record:
                text = "the server returned this object twice"
                raise UnreadableAnswer(cmdlet, record.identity, text)
        if (self.single or self.resettable) and "global" not in found:
            raise UnreadableAnswer(cmdlet, "", "the server did not return Global, which always exists")
        return found


def _plain(value: t.Any) -> t.Any:
    return [str(item) for item in value] if isinstance(value, list) else str(value) if isinstance(value, str) else value
