# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a deployment as the files of an inventory, for export and decommission.

With these files, converge changes nothing. This code is pure, except for reading the existing files. A file that was
changed or has another origin is not overwritten.
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
    """Hold an exported deployment.

    variables: the variables of the inventory.
    left_out: the values of the deployment that cannot be declared, one text for each value.
    """

    variables: dict[str, t.Any]
    left_out: tuple[str, ...]


def make_export(info: Info, defaults: bool = True) -> Exported:
    """Return the deployment as variables. Raises Refused if converge could not read the variables.

    info: the result of xmpp_federation_info.
    defaults: whether to include default values.
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
            # A site without a route is left out, because a declared site without a route means "remove the route".
            items = [item for item in items if item.get("edge_pool")]
        found = [_item(resource, item, defaults, left_out) for item in items]
        variables[variable] = [item for item in found if item is not None]
        if resource is PARTNER:
            _without_domains_of_others(variables[variable], left_out)
    declare({CONTENT[variable]: value for variable, value in variables.items()}, lambda part: "sfb_xmpp_" + part)
    return Exported(variables, tuple(left_out))


def _without_domains_of_others(partners: list[Item], left_out: list[str]) -> None:
    """Remove lists of additional domains that contain another partner, because such a list cannot be declared."""
    names = {canonical_domain(item["domain"]) for item in partners}
    for item in partners:
        both = sorted(names.intersection(map(canonical_domain, item.get("additional_domains") or ())))
        if both:
            del item["additional_domains"]
            text = "partner %s: additional_domains: '%s' is a separate partner. A domain can belong to only one partner"
            left_out.append(text % (item["domain"], "', '".join(both)))


def _order(resource: Resource, item: t.Mapping[str, t.Any]) -> tuple[int, str]:
    """Return the sort key: policies by scope, the widest scope first; all other objects by name."""
    name = key_of(item[resource.key.option]) if resource.key else ""
    scope = (0 if name == "global" else 1 if name.startswith("site:") else 2) if resource is POLICY else 0
    return scope, name


def _item(resource: Resource, item: t.Mapping[str, t.Any], defaults: bool, left_out: list[str]) -> Item | None:
    """Return an object in the declared form; None if the object cannot be declared.

    Other tools may set values that converge refuses.
    """
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
    """Return why an object cannot be declared, in one line; empty if the object can be declared."""
    try:
        declare({resource.part: item if resource.single else [item]})
    except Refused as exc:
        return printable(exc.reasons[0].partition(": ")[2] or exc.reasons[0])
    return ""


# Write the files
def files(export: Exported, *, deployment: str, host: str) -> dict[str, str]:
    """Return the text of each file, by path within the directory. Raises Refused."""
    for text in (*_comments(export), *_texts(export.variables)):
        try:
            text.encode()
        except UnicodeError as exc:
            raise Refused(["a value of the deployment cannot be written to a file: %s" % exc]) from None
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
        "Written by sfb.xmpp.export. The next export replaces this file if it is unchanged.",
        "",
        "Not in this file, and not changed by sfb.xmpp.converge until you declare it:",
        "- secrets, which no server returns: dialback_passphrase in sfb_xmpp_gateway",
        "- certificates: sfb_xmpp_certificate",
        "- removals: sfb_xmpp_partners_purge, sfb_xmpp_policies_purge, sfb_xmpp_exclusive_grants",
    ]
    if export.left_out:
        lines += ["", "These values of the deployment cannot be declared:"]
        lines += ["- " + one_line(text) for text in export.left_out]
    return lines


def numbers_of(export: Exported) -> dict[str, int]:
    """Return the number of objects of each kind, by title."""
    found = {title: len(export.variables["sfb_xmpp_" + resource.part]) for resource, title in _NAMED.items()}
    grants = sum(len(policy.get("granted_to", ())) for policy in export.variables["sfb_xmpp_policies"])
    return {**found, "Users with a policy of their own": grants}


def lines(export: Exported, directory: str, changed: bool, check: bool) -> list[str]:
    """Return the lines that show the result of an export."""
    numbers = ", ".join("%s: %d" % (title, number) for title, number in numbers_of(export).items())
    done = "is unchanged" if not changed else "would be written" if check else "is written"
    return ["The export in %s %s. %s." % (directory, done, numbers), *("Left out: " + one for one in export.left_out)]


def _readme(export: Exported, deployment: str, host: str) -> str:
    numbers = ["| %s | %d |" % (title, number) for title, number in numbers_of(export).items()]
    lines = [
        "# XMPP federation of `%s`" % one_line(deployment).replace("`", "'"),
        "",
        "Read through `%s` by `sfb.xmpp.export`. `%s` declares these objects:"
        % (one_line(host).replace("`", "'"), VARIABLES),
        "",
        "| | |",
        "|---|---|",
        *numbers,
        "",
        "Put `group_vars` next to your inventory of hosts. Then this plan has no changes:",
        "",
        "    ansible-playbook sfb.xmpp.converge -i INVENTORY --check --diff",
        "",
        "The first lines of the file list what is not in it.",
    ]
    if export.left_out:
        lines += ["%s could not be declared." % count(export.left_out, "value").capitalize()]
    return "\n".join(lines) + "\n"


def _marked(form: str, body: str) -> str:
    return form % hashlib.sha256(body.encode()).hexdigest() + body


def check_ours(directory: str, names: t.Iterable[str]) -> None:
    """Raise Refused if a file is not from an export, or was changed after its export.

    The error names every such file.
    """
    reasons = []
    for name in names:
        path = os.path.join(os.path.expanduser(directory), name)
        data = private_file.read_if_there(path, _OPTION)
        if data is None:
            continue
        text = data.decode("utf-8", "replace")
        mark = _MARK.match(text)
        if mark is None:
            text = "%s: %s was not written by sfb.xmpp.export. Use another directory, or move the file away"
            reasons.append(text % (_OPTION, path))
        elif hashlib.sha256(text[mark.end() :].encode()).hexdigest() != mark[1]:
            text = "%s: %s was changed since sfb.xmpp.export wrote it. Use another directory, or move the file away"
            reasons.append(text % (_OPTION, path))
    if reasons:
        raise Refused(reasons)
