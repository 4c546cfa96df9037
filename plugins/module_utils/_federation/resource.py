# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Field and Resource: a managed kind of object as a table, from which everything else is read.

A field is an option and a property with the kind of its values. A resource is a noun with fields: from it follow the
argument specs, the Get-, New-, Set- and Remove- cmdlets, and what is shown. It carries its own rules, so that nothing
else asks which kind it has in hand.
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
    """One property.

    option: the Ansible option; prop: the cmdlet's parameter, which is the object's property too.
    default: what New- gives when the parameter is left out, as documented; None where no source states it.
    may_lack: whether a server may send objects without the property (its page does not say that Get- returns it, or not
        for every version).
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
        """The option's argument spec. Never with a default: an option left out leaves the property alone."""
        return dict(self.kind.spec)


@dataclass(frozen=True)
class Resource:
    """A managed kind of object.

    name, plural: the return keys of the singular and the plural module.
    part: the part of a federation that its list is, which is the option of xmpp_federation.
    limit: what it is called in ``parts``, if not ``part``. tag: a tag that stands for it beside its own.
    label: what people call one object.
    noun: of its cmdlets. mark: a property that objects of this kind have and no other kind has.
    key: the field that names an object; None for the one global object of a configuration.
    identity_from_user, identity_from_server: the identity's canonical form, in the writer's case.
    server_name: how calls name an existing object, where the canonical form may not be found.
    resettable: the key whose Remove- resets instead of removing (external access policy ``global``).
    fixed: objects of this kind are neither made nor removed by cmdlets (sites come from the topology).
    beside: whether an object that the Get- cmdlet returns is none of this kind.
    marks: further properties that tell an object of the kind, where the first may be missing.
    also_shown: properties that are read and shown in messages, but not managed.
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
        """What a run is limited to in order to write this kind."""
        return self.limit or self.part

    def __hash__(self) -> int:
        return hash(self.part)

    @property
    def single(self) -> bool:
        return self.key is None

    def field(self, option: str) -> Field:
        return self._by_option[option]

    def returned(self, item: t.Any) -> bool:
        """Whether an object is one that the Get- cmdlet returns, and no other kind's does."""
        if not isinstance(item, dict):
            return False
        return any(mark in item for mark in (self.mark, *self.marks)) or self.beside(item)

    def spec(self) -> dict[str, t.Any]:
        """The argument spec of one object: its key, required, and its properties."""
        key = {self.key.option: {"type": "str", "required": True}} if self.key else {}
        return {**key, **{f.option: f.spec() for f in self.fields}}

    def from_user(self, params: Values) -> dict[str, t.Any]:
        """The properties that were given, in canonical form. Raises Invalid, naming the first option that is wrong."""
        found, mistakes = self.checked(params)
        if mistakes:
            raise Invalid(mistakes[0])
        return found

    def from_snapshot(self, params: Values) -> dict[str, t.Any]:
        """The properties of an object that was read once. Raises Invalid."""
        known = {*self._by_option, *([self.key.option] if self.key else ())}
        other = [str(option) for option in params if option not in known]
        if other:
            raise Invalid("%s: there is no such option" % ", ".join(other))
        given = [f for f in self.fields if params.get(f.option) is not None]
        return {f.option: f.kind.from_snapshot(params[f.option]) for f in given}

    def checked(self, params: Values, also: t.Collection[str] = ()) -> tuple[dict[str, t.Any], list[str]]:
        """The properties that were given, and what is wrong with them: values, and options that do not exist.

        also: further options that an object may have where it stands.
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
        """All properties of an object that was read. Raises Unreadable, naming the property."""
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
        """A new object's properties where nothing is given."""
        return {f.option: f.default for f in self.fields}

    def shown(self, identity: str, values: Values) -> dict[str, t.Any]:
        """An object as modules return it: can be fed back in. Secrets are left out."""
        key = {self.key.option: identity} if self.key else {}
        return {
            **key,
            **{f.option: _plain(values[f.option]) for f in self.fields if f.option in values and not f.secret},
        }

    def record(self, item: t.Mapping[str, t.Any]) -> Record:
        """An object that was read. Raises Unreadable."""
        identity = named(item.get("Identity"))
        if not isinstance(identity, str) or not identity.strip() or is_type_name(identity):
            raise UnreadableValue("Identity is %s; a name was expected" % shortened(identity))
        name = self.identity_from_server(identity)
        more = {prop: item[prop] for prop in self.also_shown if prop in item}
        return Record(name, self.from_server(item), self.server_name(identity) if self.server_name else name, more)

    def one(self, item: t.Any) -> Record | None:
        """One object that was read; None if it is beside the kind. Raises UnreadableAnswer, as ``records`` does."""
        cmdlet = "Get-" + self.noun
        if not isinstance(item, dict):
            raise UnreadableAnswer(cmdlet, "", "%s came back; an object was expected" % shortened(item))
        if self.beside(item):
            return None
        try:
            return self.record(item)
        except UnreadableValue as exc:
            named = item.get("Identity")
            raise UnreadableAnswer(cmdlet, named if isinstance(named, str) else "", str(exc)) from None

    def records(self, items: t.Iterable[t.Any]) -> dict[str, Record]:
        """Objects that were read, by key. Raises UnreadableAnswer, naming cmdlet, object and property."""
        cmdlet = "Get-" + self.noun
        found: dict[str, Record] = {}
        for record in filter(None, map(self.one, items)):
            other = found.setdefault(record.key, record)
            if other is not record:
                text = "came back twice, and only one of the two can be meant"
                raise UnreadableAnswer(cmdlet, record.identity, text)
        if (self.single or self.resettable) and "global" not in found:
            raise UnreadableAnswer(cmdlet, "", "no object came back for Global, which always exists")
        return found


def _plain(value: t.Any) -> t.Any:
    return [str(item) for item in value] if isinstance(value, list) else str(value) if isinstance(value, str) else value
