# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment as the files of an inventory, which converge finds nothing to change with: for export and decommission.

Pure but for reading the files that are there: one that somebody else wrote, or changed since, is not overwritten.
"""

from __future__ import annotations

import hashlib
import os
import re
import typing as t
from dataclasses import dataclass

from ...module_utils._base import private_file
from ...module_utils._base.inventory_text import inventory_text
from ...module_utils._base.names import canonical_domain
from ...module_utils._base.names import key as key_of
from ...module_utils._base.result import Refused
from ...module_utils._base.texts import count, one_line, printable
from ...module_utils._federation.catalogue import BY_PART, PARTNER, POLICY, ROUTE
from ...module_utils._federation.declared import declare
from ...module_utils._federation.files import CONTENT
from ...module_utils._federation.resource import Resource

VARIABLES = os.path.join("group_vars", "all", "sfb_xmpp.yml")
README = "README.md"
_OPTION = "sfb_xmpp_into"
_MARK = re.compile(r"(?:# |<!-- )sfb\.xmpp\.export ([0-9a-f]{64})(?: -->)?\n")
_NAMED = {POLICY: "Policies", PARTNER: "Partners", ROUTE: "Federation routes"}

Info = t.Mapping[str, t.Any]
Item = dict[str, t.Any]


@dataclass(frozen=True)
class Exported:
    """variables: of the inventory. left_out: what stands in the deployment, but cannot be declared, one text each."""

    variables: dict[str, t.Any]
    left_out: tuple[str, ...]


def make_export(info: Info, defaults: bool = True) -> Exported:
    """The deployment as variables. info: what xmpp_federation_info returns. defaults: keep what a new object has.

    Raises Refused where converge could not read it back, though everything in it can be declared alone.
    """
    variables: dict[str, t.Any] = {}
    left_out: list[str] = []
    for variable, part in CONTENT.items():
        resource = BY_PART[part]
        if resource.single:
            variables[variable] = _item(resource, info[part], defaults, left_out) or {}
            continue
        items = sorted(info[part], key=lambda item, of=resource: _order(of, item))  # type: ignore[misc]
        if resource is ROUTE:
            # A site without one is not touched; to declare it would mean to clear it.
            items = [item for item in items if item.get("edge_pool")]
        found = [_item(resource, item, defaults, left_out) for item in items]
        variables[variable] = [item for item in found if item is not None]
        if resource is PARTNER:
            _without_domains_of_others(variables[variable], left_out)
    declare({CONTENT[variable]: value for variable, value in variables.items()}, lambda part: "sfb_xmpp_" + part)
    return Exported(variables, tuple(left_out))


def _without_domains_of_others(partners: list[Item], left_out: list[str]) -> None:
    """An additional domain that is a partner of its own may not be declared: the list that has it is left out."""
    names = {canonical_domain(item["domain"]) for item in partners}
    for item in partners:
        both = sorted(names.intersection(map(canonical_domain, item.get("additional_domains") or ())))
        if both:
            del item["additional_domains"]
            text = "partner %s: additional_domains: '%s' is a partner of its own; a domain belongs to one"
            left_out.append(text % (item["domain"], "', '".join(both)))


def _order(resource: Resource, item: t.Mapping[str, t.Any]) -> tuple[int, str]:
    """Policies from the widest scope on, everything else by name."""
    name = key_of(item[resource.key.option]) if resource.key else ""
    scope = (0 if name == "global" else 1 if name.startswith("site:") else 2) if resource is POLICY else 0
    return scope, name


def _item(resource: Resource, item: t.Mapping[str, t.Any], defaults: bool, left_out: list[str]) -> Item | None:
    """An object as it is declared; None where it cannot be. What was set elsewhere need not be what may be written."""
    key = resource.key
    found: Item = {key.option: item[key.option]} if key else {}
    name = "%s %s" % (resource.label, printable(str(item[key.option]))) if key else resource.label
    if key:
        reason = _mistake(resource, found)
        if reason:
            left_out.append("%s: %s" % (name, reason))
            return None
    for field in resource.fields:
        value = item.get(field.option)
        if value is None or (not defaults and value == field.default):
            continue
        reason = _mistake(resource, {**found, field.option: value})
        if reason:
            left_out.append("%s: %s" % (name, reason))
        else:
            found[field.option] = value
    if item.get("granted_to"):
        users = sorted(item["granted_to"], key=key_of)
        if _mistake(resource, {**found, "granted_to": users}):
            for user in list(users):
                reason = _mistake(resource, {**found, "granted_to": [user]})
                if reason:
                    left_out.append("%s: %s" % (name, reason))
                    users.remove(user)
        if users:
            found["granted_to"] = users
    return found


def _mistake(resource: Resource, item: Item) -> str:
    """Why this cannot be declared, in one line; empty if it can."""
    try:
        declare({resource.part: item if resource.single else [item]})
    except Refused as exc:
        return printable(exc.reasons[0].partition(": ")[2] or exc.reasons[0])
    return ""


# Files


def files(export: Exported, *, deployment: str, host: str) -> dict[str, str]:
    """The text of each file by its path within the directory. Raises Refused."""
    for text in (*_comments(export), *_texts(export.variables)):
        try:
            text.encode()
        except UnicodeError as exc:
            raise Refused(["what is there cannot be kept in a file: %s" % exc]) from None
    body = "".join("# %s\n" % line if line else "#\n" for line in _comments(export))
    return {
        VARIABLES: _marked("# sfb.xmpp.export %s\n", body + inventory_text(export.variables)),
        README: _marked("<!-- sfb.xmpp.export %s -->\n", _readme(export, deployment, host)),
    }


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _comments(export: Exported) -> list[str]:
    lines = [
        "Written by sfb.xmpp.export, which replaces this file as long as nobody has changed it.",
        "",
        "Not here, and not touched by sfb.xmpp.converge until you declare it:",
        "- secrets, which no server returns: dialback_passphrase in sfb_xmpp_gateway",
        "- certificates: sfb_xmpp_certificate",
        "- removals: sfb_xmpp_partners_purge, sfb_xmpp_policies_purge, sfb_xmpp_exclusive_grants",
    ]
    if export.left_out:
        lines += ["", "In the deployment, but not in a form that may be declared:"]
        lines += ["- " + one_line(text) for text in export.left_out]
    return lines


def numbers_of(export: Exported) -> dict[str, int]:
    """How many objects there are, by what they are called."""
    found = {title: len(export.variables["sfb_xmpp_" + resource.part]) for resource, title in _NAMED.items()}
    grants = sum(len(policy.get("granted_to", ())) for policy in export.variables["sfb_xmpp_policies"])
    return {**found, "Users with a policy of their own": grants}


def lines(export: Exported, directory: str, changed: bool, check: bool) -> list[str]:
    """What an export came to, for people."""
    numbers = ", ".join("%s: %d" % (title, number) for title, number in numbers_of(export).items())
    done = "is as it was" if not changed else "would be written" if check else "is written"
    return ["The export in %s %s. %s." % (directory, done, numbers), *("Left out: " + one for one in export.left_out)]


def _readme(export: Exported, deployment: str, host: str) -> str:
    numbers = ["| %s | %d |" % (title, number) for title, number in numbers_of(export).items()]
    lines = [
        "# XMPP federation of `%s`" % one_line(deployment).replace("`", "'"),
        "",
        "Read through `%s` by `sfb.xmpp.export`. `%s` declares what was there:"
        % (one_line(host).replace("`", "'"), VARIABLES),
        "",
        "| | |",
        "|---|---|",
        *numbers,
        "",
        "Put `group_vars` beside your inventory of hosts. This plan then has nothing to do:",
        "",
        "    ansible-playbook sfb.xmpp.converge -i INVENTORY --check --diff",
        "",
        "The head of the file says what is not in it.",
    ]
    if export.left_out:
        lines += ["%s could not be declared." % count(export.left_out, "value").capitalize()]
    return "\n".join(lines) + "\n"


def _marked(form: str, body: str) -> str:
    return form % hashlib.sha256(body.encode()).hexdigest() + body


def check_ours(directory: str, names: t.Iterable[str]) -> None:
    """Raises Refused, naming every file that was not written by an export, or was changed since."""
    reasons = []
    for name in names:
        path = os.path.join(os.path.expanduser(directory), name)
        data = private_file.read_if_there(path, _OPTION)
        if data is None:
            continue
        text = data.decode("utf-8", "replace")
        mark = _MARK.match(text)
        if mark is None:
            text = "%s: %s was not written by sfb.xmpp.export; name another directory, or move it away"
            reasons.append(text % (_OPTION, path))
        elif hashlib.sha256(text[mark.end() :].encode()).hexdigest() != mark[1]:
            text = "%s: %s was changed since sfb.xmpp.export wrote it; name another directory, or move it away"
            reasons.append(text % (_OPTION, path))
    if reasons:
        raise Refused(reasons)
