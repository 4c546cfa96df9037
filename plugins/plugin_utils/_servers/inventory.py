# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of the running inventory, from the variables that Ansible hands to a task."""

from __future__ import annotations

import typing as t

from .servers import GROUPS, VARIABLE, Servers, servers_of


def servers_in(variables: t.Mapping[str, t.Any]) -> Servers:
    """variables: those of a task. A host whose label cannot be evaluated counts as one that says nothing."""
    groups = {group: [str(host) for host in variables["groups"].get(group) or ()] for group in GROUPS}
    hostvars = variables["hostvars"]
    return servers_of(groups, {host: _label(hostvars, host) for hosts in groups.values() for host in hosts})


def _label(hostvars: t.Mapping[str, t.Any], host: str) -> str:
    try:
        return str(hostvars[host].get(VARIABLE) or "")
    except Exception:  # noqa: BLE001 - Ansible raises errors of its own here; the settings' check names them
        return ""
