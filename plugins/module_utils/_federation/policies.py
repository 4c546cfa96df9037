# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is particular to external access policies: who has one, and which of them a purge may consider."""

from __future__ import annotations

import typing as t

from .._base.names import key as key_of
from .._base.names import policy_from_server
from .._base.result import ServerRefused
from .._base.step import Record
from .._shell.statement import Shell, Statement
from .guard import Guard, Purge
from .plan import Wanted
from .rules import rights_lost


def is_per_user(key: str) -> bool:
    return key != "global" and not key.startswith("site:")


def policy_eligible(also: t.Iterable[str] = ()) -> t.Callable[[Record], bool]:
    """A purge considers per-user policies that enable XMPP access; of the others only those that ``also`` names."""
    keys = {key_of(policy_from_server(name)) for name in also}
    return lambda record: (
        record.key in keys or (is_per_user(record.key) and bool(record.values.get("enable_xmpp_access")))
    )


def usage_matters(
    actual: t.Mapping[str, Record], wanted: t.Sequence[Wanted], purge: Purge | None, guard: Guard
) -> bool:
    """Whether the plan depends on who has which policy: reading all users is long where there are many."""
    listed = {item.key: item for item in wanted}
    for key, record in actual.items():
        if not is_per_user(key):
            continue
        item = listed.get(key)
        if item is None:
            if purge and purge.eligible(record) and not guard.protector(key):
                return True
        elif item.absent or rights_lost(record.values, {**record.values, **item.values}):
            return True
    return False


def read_usage(shell: Shell) -> dict[str, tuple[str, ...]]:
    """SIP addresses of users by the key of the per-user policy they have. Raises ServerRefused, ShellError."""
    answer = shell.invoke([Statement("Get-CsUser")])
    if answer.lost or answer.errors:
        raise ServerRefused("Get-CsUser", answer)
    found: dict[str, list[str]] = {}
    for user in answer.output:
        policy = policy_from_server(user.get("ExternalAccessPolicy"))
        if policy and policy != "global":
            found.setdefault(key_of(policy), []).append(user_name(user))
    return {key: tuple(sorted(users)) for key, users in found.items()}


def with_grants(
    usage: t.Mapping[str, tuple[str, ...]], grants: t.Sequence[t.Mapping[str, t.Any]]
) -> dict[str, tuple[str, ...]]:
    """The usage as it will be after grants of the same run, each as the grant module returns it.

    In check mode they have not happened; in a run another domain controller may not know of them yet.
    """
    found = {key: set(users) for key, users in usage.items()}
    for grant in grants:
        for users in found.values():
            users.difference_update(grant["users"])
        holders = found.setdefault(key_of(grant["policy"]), set())
        if grant.get("exclusive"):
            holders.clear()
        holders.update(grant["users"])
    return {key: tuple(sorted(users)) for key, users in found.items()}


def add_grants(policies: t.Iterable[dict[str, t.Any]], usage: t.Mapping[str, tuple[str, ...]]) -> None:
    """Tell of each per-user policy who has it, as an inventory does."""
    for policy in policies:
        name = key_of(policy["identity"])
        if is_per_user(name):
            policy["granted_to"] = list(usage.get(name, ()))


def user_name(user: t.Mapping[str, t.Any]) -> str:
    """How a user is called in messages and calls: the SIP address, else the distinguished name."""
    return str(user.get("SipAddress") or user.get("Identity"))
