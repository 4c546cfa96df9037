# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Store revoked domains that are not in the inventory yet, in a file next to the journal.

The file has the effect of ``sfb_xmpp_revoked`` until the inventory has the entry.
"""

from __future__ import annotations

import json
import os
import typing as t

from ...module_utils._base import private_file
from ...module_utils._base.inventory_text import inventory_text, json_value
from ...module_utils._base.names import Invalid, canonical_domain
from ...module_utils._base.result import Refused
from ...module_utils._federation.files import safe

Entry = dict[str, t.Any]

OPTION = "sfb_xmpp_state_directory"
VARIABLE = "sfb_xmpp_revoked"


def path_of(directory: str, deployment: str) -> str:
    return os.path.join(os.path.expanduser(directory), "revoked-%s.json" % safe(deployment))


def read(directory: str, deployment: str) -> list[Entry]:
    """Return the entries; empty without a file. Raises Refused, because a revocation must not be lost silently."""
    path = path_of(directory, deployment)
    if not os.path.lexists(path):
        return []
    try:
        found = json_value(private_file.read_deciding(path, OPTION))
        if not isinstance(found, list) or not all(isinstance(one, dict) and one.get("domain") for one in found):
            raise Invalid("the file has no list of revoked domains")
    except Invalid as exc:
        raise Refused(["%s: %s: %s" % (OPTION, path, exc)]) from None
    return found


def remember(directory: str, deployment: str, entry: Entry) -> str:
    """Add an entry, or replace the domain's former entry. Return the path of the file. Raises Refused."""
    path = path_of(directory, deployment)
    private_file.make_folder(os.path.dirname(path), OPTION)
    with private_file.alone(path, OPTION):
        kept = [one for one in read(directory, deployment) if one["domain"] != entry["domain"]]
        _write(path, [*kept, entry])
    return path


def forget(directory: str, deployment: str, declared: t.Iterable[t.Mapping[str, t.Any]]) -> None:
    """Remove the entries that the inventory has. Raises Refused."""
    path = path_of(directory, deployment)
    if not os.path.lexists(path):
        return
    with private_file.alone(path, OPTION):
        entries = read(directory, deployment)
        left = missing(entries, declared)
        if not left:
            private_file.remove(path)
        elif len(left) < len(entries):
            _write(path, left)


def missing(entries: t.Iterable[Entry], declared: t.Iterable[t.Mapping[str, t.Any]]) -> list[Entry]:
    """Return the entries that are missing in the inventory."""
    known = {_canonical(one.get("domain")) for one in declared}
    return [one for one in entries if _canonical(one["domain"]) not in known]


def to_commit(entry: Entry) -> list[str]:
    """Return the entry for the inventory, as lines."""
    told = {name: value for name, value in entry.items() if value}
    return inventory_text({VARIABLE: [told]}).removeprefix("---\n").rstrip("\n").split("\n")


def _write(path: str, entries: t.Sequence[Entry]) -> None:
    private_file.write_deciding(path, (json.dumps(list(entries), indent=1) + "\n").encode(), OPTION)


def _canonical(text: t.Any) -> str:
    try:
        return canonical_domain(str(text))
    except Invalid:
        return ""
