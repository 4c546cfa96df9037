# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute how many users a revocation affects, in check mode only. A real revocation does not read users."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.reading import UNREADABLE
from .._base.result import Params, Result
from .._base.task import Task
from .._federation.catalogue import RESOURCES
from .._federation.deployment import Reader
from .._shell.statement import Shell, place_of
from .._topology.topology import READINGS, topology_of
from .impact import Impact, impact, lines
from .known import Known
from .planned_impact import NAMED
from .reach import who_may_talk

# The sites are not read a second time: the routes are one of the kinds.
_BESIDE = tuple(one for one in READINGS if one.name != "sites")


def with_users(task: Task) -> Task:
    """Extend xmpp_partner_revocation: in check mode, also report the users who lose the domains.

    Raises the errors of ``task``.
    """

    def work(params: Params, shell: Shell, check: bool) -> Result:
        result = task.work(params, shell, check)
        if check and result.values["owners"]:
            going = {result.values["domain"], *result.values["also_revoked"]}
            found = _without(shell, going)
            result.values["impact"] = found.as_dict(NAMED)
            result.values["report"] = [*result.values["report"], *lines(found)]
        return result

    return replace(task, work=work)


def _without(shell: Shell, going: t.Collection[str]) -> Impact:
    """Return the impact of the removal of these domains. The impact also lists the values that cannot be read."""
    reader = Reader(shell)
    try:
        deployment, items = reader.kinds_and(RESOURCES, _BESIDE)
        topology = topology_of(items, place_of(shell).host)
        deployment = reader.with_all_users(deployment)
    except UNREADABLE as exc:
        return Impact(unread=str(exc))
    before = who_may_talk(Known(topology, deployment))
    left = {domain: side for domain, side in before.domains.items() if domain not in going}
    return impact(before, replace(before, domains=left), {key: user.name for key, user in deployment.users.items()})
