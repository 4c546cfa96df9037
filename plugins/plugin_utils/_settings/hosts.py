# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the variables of several hosts: the deployment of each host, and the settings of its management hosts."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from .._actions.plain_values import plain
from .._servers.inventory import servers_in
from .settings import contradictions
from .table import PREFIX

Variables = t.Mapping[str, t.Any]


def mistakes_around(variables: Variables) -> list[str]:
    """Return the mistakes in the servers of the inventory.

    The mistakes include differences between the management hosts in the deployment of the task's host.
    """
    servers = servers_in(variables)
    return [*servers.mistakes, *differences(variables, servers.of(str(variables["inventory_hostname"])).doors)]


def differences(variables: Variables, doors: t.Sequence[str]) -> list[str]:
    """Return the differences between the settings of the first management host and of all other management hosts.

    variables: the variables of a task.
    doors: the management hosts of one deployment.
    """
    hostvars = variables["hostvars"]
    return contradictions({host: _declared(hostvars[host]) for host in doors}) if len(doors) > 1 else []


def _declared(values: Variables) -> dict[str, t.Any]:
    """Return the settings of a host, as plain values.

    If a variable cannot be evaluated, the error is its value. The host's own check reports the error.
    """
    found: dict[str, t.Any] = {}
    for name in map(str, values):
        if name.startswith(PREFIX):
            try:
                found[name] = plain(values[name])
            except AnsibleError as exc:
                found[name] = str(exc)
    return found
