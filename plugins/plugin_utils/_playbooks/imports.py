# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert files of the user to one file of variables, and count the objects. All functions are pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.inventory_text import inventory_text
from ...module_utils._base.names import key as key_of
from ...module_utils._base.result import Refused
from ...module_utils._base.texts import count
from ...module_utils._federation.catalogue import GATEWAY, PARTNER, POLICY
from ...module_utils._federation.declared import declare
from ...module_utils._federation.resource import Resource
from ...module_utils._federation.words import variable
from .._files.import_records import UnreadableSource
from .._files.import_values import granted, imported

PREFIX = "sfb_xmpp_import_"
# The resource of each file, by the setting that names the file. The variables are written in this order.
KINDS: t.Mapping[str, Resource] = {"policies": POLICY, "partners": PARTNER, "gateway": GATEWAY}
USERS = "users"


@dataclass(frozen=True)
class File:
    """Hold a file to import.

    path: the file's name in messages.
    data: the file's content.
    """

    path: str
    data: bytes


@dataclass(frozen=True)
class Imported:
    """Hold the result of an import.

    text: the content of the file of variables.
    numbers: the number of objects of each kind, such as ``2 policies``.
    warnings: one text for each warning.
    """

    text: str
    numbers: tuple[str, ...]
    warnings: tuple[str, ...]


def asked(values: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the paths of the files, by kind.

    values: the settings.
    Raises Refused if a setting is missing.
    """
    found = {kind: str(values["import_" + kind]) for kind in (*KINDS, USERS) if "import_" + kind in values}
    if not found:
        names = ", ".join(PREFIX + kind for kind in (*KINDS, USERS))
        raise Refused(["no file to import is named. Set at least one of %s" % names])
    return found


def decide(files: t.Mapping[str, File], encoding: str = "", ignore_columns: t.Collection[str] = ()) -> Imported:
    """Return the file of variables.

    files: the files, by kind.
    Raises Refused with all mistakes of all files.
    """
    variables: dict[str, t.Any] = {}
    numbers: list[str] = []
    wrong: list[str] = []
    warnings: list[str] = []
    for kind, resource in KINDS.items():
        if kind not in files:
            continue
        try:
            items, ignored = imported(resource, files[kind].data, encoding, ignore_columns, _name)
            if resource.single and not items:
                raise UnreadableSource(["the file has no object. Export it with Get-%s" % resource.noun])
        except UnreadableSource as exc:
            wrong += _reasons(kind, files[kind], exc)
            continue
        variables["sfb_xmpp_" + resource.part] = items[0] if resource.single else items
        numbers.append("the settings of the gateway" if resource.single else _number(items, resource))
        warnings += _left_out(resource, files[kind], ignored)
    if USERS in files:
        try:
            grants, total = granted(files[USERS].data, encoding, _name)
            variables["sfb_xmpp_policies"] = _with_users(variables.get("sfb_xmpp_policies"), grants)
            users = sum(map(len, grants.values()))
            numbers.append("the policies of %d of %d users" % (users, total))
        except UnreadableSource as exc:
            wrong += _reasons(USERS, files[USERS], exc)
    if wrong:
        raise Refused(wrong)
    # The policies and their users come first, as in an export.
    ordered = {
        name: variables[name] for name in map(variable, ("policies", "partners", "gateway")) if name in variables
    }
    declare({name.removeprefix("sfb_xmpp_"): value for name, value in ordered.items()}, variable)
    return Imported(inventory_text(ordered), tuple(numbers), tuple(warnings))


def lines(found: Imported, path: str, changed: bool, check: bool) -> list[str]:
    """Return the lines that the playbook shows."""
    done = "is unchanged and has" if not changed else "would have" if check else "now has"
    return ["%s %s %s." % (path, done, ", ".join(found.numbers))]


def _name(option: str) -> str:
    return PREFIX + option


def _number(items: t.Sized, resource: Resource) -> str:
    return count(items, resource.name) if len(items) == 1 else "%d %s" % (len(items), resource.plural)


def _reasons(kind: str, file: File, exc: UnreadableSource) -> list[str]:
    return ["%s%s: '%s' cannot be imported: %s" % (PREFIX, kind, file.path, text) for text in exc.reasons]


def _left_out(resource: Resource, file: File, ignored: t.Sequence[str]) -> t.Iterator[str]:
    secrets = {field.prop.lower() for field in resource.fields if field.secret}
    secrets |= {field.option for field in resource.fields if field.secret}
    for name in ignored:
        if name.lower() in secrets:
            text = "'%s': left out %s, because it is a secret. Set it in a file of ansible-vault"
            yield text % (file.path, name)
    others = [name for name in ignored if name.lower() not in secrets]
    if others:
        yield "'%s': left out the columns %s, because they are not options" % (file.path, ", ".join(others))


def _with_users(policies: list[dict[str, t.Any]] | None, grants: t.Mapping[str, list[str]]) -> list[dict[str, t.Any]]:
    """Return the policies with their users. Raises UnreadableSource if the file of policies does not have a policy."""
    if policies is None:
        return [{"identity": name, "granted_to": users} for name, users in sorted(grants.items())]
    by_key = {key_of(name): users for name, users in grants.items()}
    found = []
    for item in policies:
        users = by_key.pop(key_of(item["identity"]), None)
        found.append({**item, "granted_to": users} if users else item)
    if by_key:
        text = "the policy '%s' is granted to %s, but is not in the file of policies. Export both at the same time"
        names = {key_of(name): name for name in grants}
        raise UnreadableSource([text % (names[key], count(users, "user")) for key, users in by_key.items()])
    return found
