# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a Federation from the declared options. All mistakes are reported at once, with the names that the user wrote.

Ansible gives the options with types, or raw from the task. Both forms must give the same federation.
"""

from __future__ import annotations

import typing as t

from .._base.names import Invalid, canonical_domain, is_per_user
from .._base.names import key as key_of
from .._base.result import Refused
from . import notes
from .catalogue import BY_PART, PARTNER, PARTS, POLICY, RESOURCES
from .federation import Federation, Grant, Selector, Wanted
from .groups import group_from_user
from .kinds import Switch, Text, check_unread, written
from .resource import Resource
from .sites import canonical_site

Name = t.Callable[[str], str]


def declare(
    params: t.Mapping[str, t.Any],
    name: Name = str,
    *,
    purge: t.Collection[str] = (),
    exclusive: bool = False,
    parts: t.Collection[str] = (),
    also_read: t.Collection[str] = (),
) -> Federation:
    """Return the federation of the options policies, partners, gateway, access_edge and federation_routes.

    params: the options.
    name: returns the name of an option for the user.
    purge: options whose lists are complete.
    exclusive: whether users that are not listed lose the policy.
    parts: the parts of the run; empty for all.
    also_read: options whose objects are read only for warnings.
    Raises Refused with all mistakes.
    """
    reader = _Reader(name)
    wanted = {}
    for resource in RESOURCES:
        if params.get(resource.part) is not None:
            read = reader.single if resource.single else reader.objects
            wanted[resource.part] = read(resource, params[resource.part])
    # A single object without declared settings is not changed.
    wanted = {o: items for o, items in wanted.items() if not BY_PART[o].single or any(item.values for item in items)}
    grants = reader.grants(params.get("policies"), exclusive)
    reader.check_whole(wanted)
    if reader.mistakes:
        raise Refused(reader.mistakes)
    return Federation(
        wanted,
        grants,
        frozenset(purge) & frozenset(wanted),
        parts=frozenset(parts or PARTS),
        also_read=frozenset(also_read),
    )


def declare_objects(
    resource: Resource, items: t.Sequence[t.Mapping[str, t.Any]], place: str = ""
) -> tuple[Wanted, ...]:
    """Return the declared objects of one kind. Raises Refused with all mistakes.

    place: the name of the list for messages; empty for the single object of a module.
    """
    reader = _Reader(str)
    found = reader.objects(resource, list(items), place) if place else reader.alone(resource, items[0])
    reader.check_whole({resource.part: found})
    if reader.mistakes:
        raise Refused(reader.mistakes)
    return found


class _Reader:
    """Read the options, and collect the mistakes."""

    def __init__(self, name: Name) -> None:
        self.name = name
        self.mistakes: list[str] = []

    def objects(self, resource: Resource, value: t.Any, variable: str = "") -> tuple[Wanted, ...]:
        """Read a list of objects."""
        variable = variable or self.name(resource.part)
        key = resource.key.option if resource.key else ""
        if not isinstance(value, (list, tuple)):
            text = "%s: must be a list, not %s. Write each %s as an entry that begins with '- %s:'"
            self.mistakes.append(text % (variable, written(value), resource.label, key))
            return ()
        found = []
        for number, item in enumerate(value):
            place = "%s[%d]" % (variable, number)
            if not isinstance(item, dict):
                example = item if isinstance(item, str) and item else "..."
                text = "%s: %s is not a %s. Write '- %s: %s', with its options below"
                self.mistakes.append(text % (place, written(item), resource.label, key, example))
                continue
            one = self._one(resource, item, place)
            if one is not None:
                found.append(one)
        self._twice(found)
        return tuple(found)

    def alone(self, resource: Resource, item: t.Mapping[str, t.Any]) -> tuple[Wanted, ...]:
        """Read the single object of a module. The module's other options do not belong to the object."""
        known = {field.option for field in resource.fields} | ({resource.key.option} if resource.key else set())
        absent = item.get("state") == "absent"
        one = self._one(resource, {o: v for o, v in item.items() if o in known}, "", absent)
        return (one,) if one else ()

    def _one(self, resource: Resource, item: t.Mapping[str, t.Any], place: str, absent: bool = False) -> Wanted | None:
        identity = ""
        prefix = place + ": " if place else ""
        if resource.key is None:
            identity = "global"
        else:
            key = resource.key.option
            given = item.get(key)
            try:
                if given is None or (isinstance(given, str) and not given.strip()):
                    what = "empty" if key in item else "missing"
                    raise Invalid("%s is %s. Set it to the name of the %s" % (key, what, resource.label))
                text = isinstance(resource.key.kind, Text)
                if isinstance(given, (dict, list) if text else (dict, list, bool)):
                    raise Invalid("%s: must be a string, not %s" % (key, written(given)))
                if text:
                    check_unread(given, key + ": ")
                try:
                    identity = resource.identity_from_user(str(given))
                except Invalid as exc:
                    raise Invalid("%s %s" % (key, exc)) from exc
                prefix = "%s (%s): " % (place, identity) if place else "%s: " % identity
            except Invalid as exc:
                self.mistakes.append(prefix + str(exc))
        also = ("granted_to",) if resource is POLICY else ()
        noted = resource in (PARTNER, POLICY)
        given = notes.without_notes(item) if noted else item
        # A misspelt option can also be meant as a note.
        values, mistakes = resource.checked({} if absent else given, (*also, *notes.NOTES) if noted else also)
        mistakes += notes.mistakes(item) if noted else []
        self.mistakes += [prefix + text for text in mistakes]
        told = notes.notes_of(item) if noted else {}
        return Wanted(identity, values, place, absent, told) if identity and not mistakes else None

    def single(self, resource: Resource, value: t.Any) -> tuple[Wanted, ...]:
        """Read the options of a configuration."""
        variable = self.name(resource.part)
        if not isinstance(value, dict):
            text = "%s: must be a dictionary, not %s. Write its options below it, as in '%s: ...'"
            self.mistakes.append(text % (variable, written(value), resource.fields[0].option))
            return ()
        values, mistakes = resource.checked(value)
        self.mistakes += ["%s: %s" % (variable, text) for text in mistakes]
        return (Wanted("global", values, variable),)

    def _twice(self, items: t.Sequence[Wanted]) -> None:
        places: dict[str, Wanted] = {}
        for item in items:
            first = places.setdefault(item.key, item)
            if first is not item:
                text = "%s and %s are both '%s'. Remove one of the two entries"
                self.mistakes.append(text % (first.place, item.place, item.identity))

    def check_whole(self, wanted: t.Mapping[str, tuple[Wanted, ...]]) -> None:
        """Check that each domain belongs to only one partner, as its domain or as an additional domain."""
        partners = [item for item in wanted.get("partners", ()) if not item.absent]
        owners = {item.key: item for item in partners}
        for item in partners:
            where = "%s (%s): " % (item.place, item.identity) if item.place else "%s: " % item.identity
            for domain in item.values.get("additional_domains", ()):
                owner = owners.get(domain)
                if owner is item:
                    text = "additional_domains: '%s' is the partner's own domain. Remove it from the list" % domain
                    self.mistakes.append(where + text)
                elif owner is not None:
                    text = "additional_domains: '%s' is already another partner, %s. Remove one of the two entries"
                    self.mistakes.append(where + text % (domain, owner.place))

    def grants(self, policies: t.Any, exclusive: bool) -> tuple[Grant, ...]:
        """Read the lists ``granted_to`` of the policies."""
        variable = self.name("policies")
        found: list[Grant] = []
        holders: dict[str, tuple[str, str]] = {}
        for number, item in enumerate(policies if isinstance(policies, (list, tuple)) else ()):
            users = item.get("granted_to") if isinstance(item, dict) else None
            if users is None:
                continue
            try:
                identity = POLICY.identity_from_user(str(item.get("identity") or ""))
            except Invalid:
                continue  # already among the mistakes
            place = "%s[%d] (%s)" % (variable, number, identity)
            if not is_per_user(key_of(identity)):
                if users != []:
                    text = "%s: granted_to: only a per-user policy can be granted. Remove granted_to from this policy"
                    self.mistakes.append(text % place)
                continue
            if isinstance(users, dict):
                selector = self.selector(users, "%s: granted_to" % place, exclusive)
                if selector is not None:
                    place = "%s[%d].granted_to" % (variable, number)
                    # For a pool or a site, selector() has refused ``exclusive``.
                    found.append(Grant(identity, (), place, exclusive, selector=selector))
                continue
            names = self.users(users, "%s: granted_to" % place)
            for user in names:
                first = holders.setdefault(key_of(user).removeprefix("sip:"), (place, identity))
                if first[1] != identity:
                    text = (
                        "'%s' is in granted_to of %s and of %s. A user has exactly one policy, so list them only once"
                    )
                    self.mistakes.append(text % (user, first[0], place))
            found.append(Grant(identity, names, "%s[%d].granted_to" % (variable, number), exclusive))
        return tuple(found)

    def selector(self, value: dict[t.Any, t.Any], place: str, exclusive: bool) -> Selector | None:
        """Read a selector of users: a pool, a site or a group."""
        if "group" in value and set(value) <= {"group", "nested"}:
            return self._group(value, place)
        kinds: dict[str, t.Callable[[str], str]] = {"pool": canonical_domain, "site": canonical_site}
        known = sorted(str(key) for key in value if key in kinds)
        if len(value) != 1 or not known:
            given = " and ".join(sorted(map(str, value))) or "nothing"
            text = (
                "%s: must be a list of users, or one of {pool: FQDN}, {site: NAME} and {group: DN}. The dictionary has"
                " %s"
            )
            self.mistakes.append(text % (place, given))
            return None
        (kind,) = known
        try:
            if not isinstance(value[kind], str):
                raise Invalid("must be a string, not %s" % written(value[kind]))
            name = kinds[kind](value[kind])
        except Invalid as exc:
            self.mistakes.append("%s: %s: %s" % (place, kind, exc))
            return None
        if exclusive:
            text = (
                "%s: the users of a %s change, so other users cannot lose the policy automatically. List the"
                " users, or set %s to false"
            )
            self.mistakes.append(text % (place, kind, self.name("exclusive_grants")))
            return None
        return Selector("pool" if kind == "pool" else "site", name)

    def _group(self, value: dict[t.Any, t.Any], place: str) -> Selector | None:
        readers: dict[str, t.Callable[[t.Any], t.Any]] = {"group": group_from_user, "nested": Switch().from_user}
        found: dict[str, t.Any] = {"nested": False}
        for option, read in readers.items():
            try:
                if value.get(option) is not None or option == "group":
                    found[option] = read(value[option])
            except Invalid as exc:
                self.mistakes.append("%s: %s: %s" % (place, option, exc))
        return Selector("group", found["group"], found["nested"]) if "group" in found else None

    def users(self, value: t.Any, place: str) -> tuple[str, ...]:
        """Read a list of users, each with one address."""
        if not isinstance(value, (list, tuple)):
            self.mistakes.append(
                "%s: must be a list of users, not %s. Write '- sip:user@example.com' for each" % (place, written(value))
            )
            return ()
        for number, user in enumerate(value):
            if not isinstance(user, str) or not user.strip() or "*" in user:
                text = "%s[%d]: %s is not one user. Write an address, without wildcards"
                self.mistakes.append(text % (place, number, written(user)))
        return tuple(dict.fromkeys(str(user) for user in value))


def declare_grant(policy: str, users: t.Sequence[t.Any], *, exclusive: bool, absent: bool) -> Grant:
    """Return the grant of the module for one policy. Raises Refused with all mistakes.

    policy: the name of the policy.
    users: the users, as the user wrote them.
    exclusive: whether users that are not listed lose the policy.
    absent: whether the listed users lose the policy.
    """
    reader = _Reader(str)
    identity = ""
    try:
        identity = POLICY.identity_from_user(str(policy or ""))
        if not is_per_user(key_of(identity)):
            text = "policy: '%s' is not a per-user policy. Name a per-user policy, because only these can be granted"
            reader.mistakes.append(text % identity)
    except Invalid as exc:
        reader.mistakes.append("policy: %s" % exc)
    names = reader.users(list(users), "users")
    if absent and exclusive:
        reader.mistakes.append("exclusive can only be used with state present. Remove it, or set state to present")
    if reader.mistakes:
        raise Refused(reader.mistakes)
    return Grant(identity, names, "users", exclusive, absent)
