# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run xmpp_federation: apply all declared settings (_federation/tasks.py), with checks, backup and replication."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import replace

from .._base.result import Params, Refused, Result
from .._base.task import Task
from .._federation.federation import Federation
from .._federation.tasks import FEDERATION_SPEC, federate
from .._federation.words import called
from .._shell.statement import Shell, place_of
from .._topology.replicate import NONE, PUSHED, WAIT
from .around import Around

SPEC: dict[str, t.Any] = {
    **FEDERATION_SPEC,
    "preflight": {"type": "bool", "default": False},
    "preflight_ignore": {"type": "list", "elements": "str", "default": []},
    "replication": {"type": "str", "choices": [WAIT, PUSHED, NONE], "default": NONE},
    "replication_timeout": {"type": "int", "default": 900},
    "configuration_backup": {"type": "str"},
    "probe_first": {"type": "bool", "default": False},
    "impact_limit": {"type": "dict", "options": {"lose": {"type": "int"}, "gain": {"type": "int"}}},
}


def work(
    params: Params,
    shell: Shell,
    check: bool,
    federation: Federation | None = None,
    approval: t.Callable[[], list[str]] = list,
    probing: Params | None = None,
    impact: bool = False,
) -> Result:
    """Run xmpp_federation. Raises Refused, ServerRefused, ShellError; nothing was written then.

    approval: returns the reasons against writing now. Called only if the plan has steps.
    probing: options of xmpp_partner_probe_info for the probe of partners.
    impact: whether to show the effect on users, even if no plan is saved and no limit is set.
    """
    name = called(place_of(shell).playbook)
    if params["replication_timeout"] < 0:
        raise Refused(["%s: must be a number of seconds, 0 or more" % name("replication_timeout")])
    impact = impact or (check and bool(params.get("plan_file")))
    return federate(
        params, shell, check, Around(params, shell, name, probing=probing, impact=impact), federation, approval
    )


TASK = Task(SPEC, work, writes=True)


def task_with(
    federation: Federation,
    approval: t.Callable[[], list[str]] = list,
    probing: Params | None = None,
    impact: bool = False,
) -> Task:
    """Return the task for a caller that has already built the federation from the checked options."""
    own = functools.partial(work, federation=federation, approval=approval, probing=probing, impact=impact)
    return replace(TASK, work=own)
