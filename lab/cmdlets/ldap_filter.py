# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the -LdapFilter of Get-CsUser: members of groups, in the form of RFC 4515."""

from __future__ import annotations

import re
import typing as t

from ..assumptions import rests_on
from ..deployment.store import Document, Store, fold
from .context import invalid

_IN_CHAIN = "1.2.840.113556.1.4.1941"  # page "Search Filter Syntax": LDAP_MATCHING_RULE_IN_CHAIN
_ITEM = re.compile(r"\(memberOf(?::([0-9.]+):)?=((?:[^()*\\\0]|\\[0-9a-fA-F]{2})+)\)", re.I)
_ESCAPED = re.compile(r"(?:\\[0-9a-fA-F]{2})+")


def passes(store: Store, text: str) -> t.Callable[[Document], bool]:
    """Return a check whether a user is in all groups of the filter. Raises CmdletError for other filters."""
    rests_on("ldap-filters")
    inner = text[2:-1] if text.startswith("(&") and text.endswith(")") else text
    items = list(_ITEM.finditer(inner))
    if not items or "".join(item[0] for item in items) != inner:
        raise invalid("The search filter is invalid, or the lab does not support it.", text)
    wanted = []
    for item in items:
        if item[1] not in (None, _IN_CHAIN):
            raise invalid("The lab knows no matching rule %s." % item[1], text)
        group = fold(_ESCAPED.sub(_unescaped, item[2]))
        wanted.append(_with_nested(store, group) if item[1] else {group})
    return lambda user: all(groups & set(map(fold, user.get("Groups", ()))) for groups in wanted)


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("\\", "")).decode("utf-8", "replace")


def _with_nested(store: Store, group: str) -> set[str]:
    """Return a group and all groups in this group, at every depth. Groups can contain each other."""
    parents = {fold(name): set(map(fold, one["MemberOf"])) for name, one in store.all("group").items()}
    found, more = {group}, {group}
    while more:
        more = {name for name, above in parents.items() if above & more} - found
        found |= more
    return found
