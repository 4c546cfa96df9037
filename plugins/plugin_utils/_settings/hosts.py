# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the variables of several hosts say together: to which deployment each belongs, and what its doors declare."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from .._actions.plain_values import plain
from .._servers.inventory import servers_in
from .settings import contradictions
from .table import PREFIX

Variables = t.Mapping[str, t.Any]


def mistakes_around(variables: Variables) -> list[str]:
    """What is wrong with the servers of the inventory, and between the doors of the deployment of a task's host."""
    servers = servers_in(variables)
    return [*servers.mistakes, *differences(variables, servers.of(str(variables["inventory_hostname"])).doors)]


def differences(variables: Variables, doors: t.Sequence[str]) -> list[str]:
    """What doors of one deployment declare otherwise than the first of them does. variables: those of a task."""
    hostvars = variables["hostvars"]
    return contradictions({host: _declared(hostvars[host]) for host in doors}) if len(doors) > 1 else []


def _declared(values: Variables) -> dict[str, t.Any]:
    """What a host declares, as plain values; a text where a value cannot be evaluated, which its own check names."""
    found: dict[str, t.Any] = {}
    for name in map(str, values):
        if name.startswith(PREFIX):
            try:
                found[name] = plain(values[name])
            except AnsibleError as exc:
                found[name] = str(exc)
    return found
