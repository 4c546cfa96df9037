# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of the own certificate as a deployment's Edges declare them: they are settings of each Edge."""

from __future__ import annotations

import typing as t

from .._actions.plain_values import plain
from .._servers.inventory import servers_in
from .table import PREFIX

NAME = PREFIX + "certificate"
Settings = t.Mapping[str, t.Any]


def certificate_settings(action: t.Any, variables: t.Mapping[str, t.Any]) -> list[Settings]:
    """``sfb_xmpp_certificate`` of each Edge of the deployment, then of the host of the task.

    variables: those of the task. What declares nothing is left out. The first play has checked the values.
    """
    hostvars = variables["hostvars"]
    edges = servers_in(variables).of(str(variables["inventory_hostname"])).edges
    found = [plain(hostvars[edge].get(NAME)) for edge in edges]
    if NAME in variables:
        found.append(plain(action._templar.template(variables[NAME])))
    return [one for one in found if one]
