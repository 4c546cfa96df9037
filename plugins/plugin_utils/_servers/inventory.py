# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the servers of the running inventory in the variables of a task."""

from __future__ import annotations

import typing as t

from .servers import GROUPS, VARIABLE, Servers, servers_of


def servers_in(variables: t.Mapping[str, t.Any]) -> Servers:
    """Return the servers. A host whose label cannot be evaluated is treated as a host without a label.

    variables: the variables of a task.
    """
    groups = {group: [str(host) for host in variables["groups"].get(group) or ()] for group in GROUPS}
    hostvars = variables["hostvars"]
    return servers_of(groups, {host: _label(hostvars, host) for hosts in groups.values() for host in hosts})


def _label(hostvars: t.Mapping[str, t.Any], host: str) -> str:
    try:
        return str(hostvars[host].get(VARIABLE) or "")
    except Exception:  # noqa: BLE001 - Ansible raises various errors. The check of the settings reports the errors
        return ""
