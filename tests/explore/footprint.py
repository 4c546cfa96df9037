# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request reads and writes: two requests that touch nothing in common may change places."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY, RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement

# A thing that is read or written: its kind and its key. ALL: every one of the kind.
Thing = tuple[str, str]
ALL = "*"
LOCK: Thing = ("lock", ALL)
_KINDS = {resource.noun for resource in RESOURCES}
_USERS = ("CsUser", "CsEffectivePolicy")
# What nobody changes in these schedules, or nobody looks at.
_FIXED = frozenset((
    "Command", "CsService", "CsSipDomain", "CsPool", "CsAllowedDomain", "CsBlockedDomain", "CsServerVersion", "Date",
    "CsManagementStoreReplication", "CsManagementStoreReplicationStatus",
))  # fmt: skip


@dataclass(frozen=True)
class Footprint:
    """What a request reads and writes."""

    reads: frozenset[Thing] = frozenset()
    writes: frozenset[Thing] = frozenset()


NOTHING = Footprint()
# The beginning of a run with a lock: it depends on where the other run is.
START = Footprint(writes=frozenset((LOCK,)))


def footprint(statements: t.Iterable[Statement]) -> Footprint:
    """Of one request. Each depends on the beginning of another run, which may take the lock."""
    reads: set[Thing] = {LOCK}
    writes: set[Thing] = set()
    for statement in statements:
        verb, _dash, noun = statement.cmdlet.partition("-")
        identity = str(statement.parameters.get("Identity") or ALL).casefold()
        if noun in _FIXED:
            continue
        if noun in _USERS:
            reads.add((_USERS[0], identity))
        elif verb == "Grant":
            writes.add((_USERS[0], identity))
            policy = statement.parameters["PolicyName"]
            reads.add((POLICY.noun, ALL if policy is None else _policy(str(policy))))
        elif noun in _KINDS:
            own = (noun, _policy(identity) if noun == POLICY.noun else identity)
            (reads if statement.is_read else writes).add(own)
        else:
            _on_edge(statement, reads, writes)
    return Footprint(frozenset(reads), frozenset(writes))


def _on_edge(statement: Statement, reads: set[Thing], writes: set[Thing]) -> None:
    """What a request to an Edge touches: certificates of usages, the computer's store, our files, services."""
    path = str(statement.parameters.get("LiteralPath") or statement.parameters.get("Path") or "")
    in_store = path.startswith("Cert:")
    changed = writes if not statement.is_read else reads
    match statement.cmdlet:
        case "Get-CsCertificate" | "Remove-CsCertificate":
            changed.add(("assigned", ALL))
        case "Set-CsCertificate":
            writes.add(("assigned", ALL))
            reads.add(("store", ALL))
        case "Get-ChildItem":
            reads.add(("store" if in_store else "file", ALL))
        case "Import-CsCertificate":
            reads.add(("file", path))
            writes.add(("store", ALL))
        case "Get-Content" | "Set-Content" | "Add-Content" | "Remove-Item":
            changed.add(("store", ALL) if in_store else ("file", path))
        case "Get-CsWindowsService" | "Stop-CsWindowsService" | "Start-CsWindowsService":
            changed.add(("service", ALL))
            reads.add(("assigned", ALL))
        case other:
            raise AssertionError("unknown: %s" % other)


def _policy(identity: str) -> str:
    return identity.casefold().removeprefix("tag:")


def independent(one: Footprint, other: Footprint) -> bool:
    """Whether two requests of different runs may change places."""
    return not (_meet(one.writes, other.reads | other.writes) or _meet(other.writes, one.reads))


def _meet(some: t.Iterable[Thing], others: t.Iterable[Thing]) -> bool:
    return any(a[0] == b[0] and (a[1] == b[1] or ALL in (a[1], b[1])) for a in some for b in others)
