# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run xmpp_preflight_info: read the deployment, plan the declared settings, and check the chain after this plan."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.findings import ERROR
from .._base.names import Invalid
from .._base.result import Params, Refused, Result, ServerRefused, Unreadable
from .._base.task import Task
from .._federation.access import access_for
from .._federation.catalogue import OPTIONS
from .._federation.converge import gather, planned
from .._federation.declared import declare
from .._federation.deployment import Deployment, Reader, getting
from .._federation.guard import Guard
from .._federation.plan import make_plan
from .._federation.resource import Resource
from .._federation.surroundings import Surroundings
from .._federation.tasks import FEDERATION_SPEC
from .._federation.words import called
from .._shell.statement import Shell, place_of
from .._topology.topology import Topology, topology_of
from .around import BESIDE
from .known import DomainRecord
from .links import NOTHING
from .records import look_up
from .servers import SERVER_OPTIONS, servers_known
from .walk import accepted, lines, walk

ARGUMENT_SPEC: dict[str, t.Any] = {
    **{option: FEDERATION_SPEC[option] for option in OPTIONS},
    **SERVER_OPTIONS,
    "records": {"type": "bool", "default": False},
    "domains": {"type": "list", "elements": "str", "default": []},
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "ignore": {"type": "list", "elements": "str", "default": []},
}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Run xmpp_preflight_info. Raises Refused for wrong declarations, ServerRefused, ShellError."""
    topology, deployment, rights = _after_plan(params, Reader(shell), shell)
    servers = servers_known(params)
    known = replace(
        servers,
        reach=servers.views,
        topology=topology,
        deployment=deployment,
        rights=rights,
        domains=_records(params, topology) if params["records"] else None,
    )
    left, ignored = accepted(walk(known), params["ignore"])
    values = {
        "findings": [one.as_dict() for one in left],
        "blocking": [one.code for one in left if one.blocks or (one.severity == ERROR and one.effect == NOTHING)],
        "ignored": ignored,
        "report": lines(left, ignored),
    }
    idle = [code for code in params["ignore"] if code not in ignored]
    playbook = place_of(shell).playbook
    option = called(playbook)("preflight_ignore") if playbook else "ignore"
    text = "%s: the finding %s no longer occurs; remove the finding from the list"
    return Result(values, warnings=[text % (option, code) for code in idle])


def _records(params: Params, topology: Topology) -> tuple[DomainRecord, ...] | None:
    try:
        return look_up(topology, params["domains"], params["nameservers"])
    except Invalid as exc:
        raise Refused([str(exc)]) from None


class _Together(Surroundings):
    """Read the topology and the kinds of objects in one pipeline."""

    def __init__(self, host: str) -> None:
        self._host = host
        # All values that could be read, even if the plan needs more.
        self.topology = Topology()
        self.deployment: Deployment | None = None

    def kinds(self, reader: Reader, resources: t.Sequence[Resource]) -> Deployment:
        deployment, items = reader.kinds_and(resources, BESIDE)
        if items.nothing:
            items.require(items.failed)
        self.topology, self.deployment = topology_of(items, self._host), deployment
        items.require(map(getting, resources))
        return deployment


def _after_plan(params: Params, reader: Reader, shell: Shell) -> tuple[Topology, Deployment, str | None]:
    """Return the topology, the expected deployment after the plan, and the missing rights of the account."""
    declared = declare({option: params[option] for option in OPTIONS})
    # Objects that are not declared are also read. The plan does not change such objects.
    federation = replace(declared, wanted={**dict.fromkeys(OPTIONS, ()), **declared.wanted})
    guard, together = Guard(force=True), _Together(place_of(shell).host)
    try:
        deployment = gather(reader, federation, guard, together)
    except ServerRefused as exc:
        if together.deployment is None:
            raise
        return together.topology, _without(together.deployment, exc), None
    topology = together.topology
    later = any(pool.has_xmpp is False and pool.registrar for pool in topology.pools or ())
    if later and not deployment.all_users:
        names = [name for grant in federation.granting for name in grant.users]
        try:
            deployment = reader.with_all_users(deployment, names)
        except ServerRefused as exc:  # the chain then shows that the users of these pools are unknown
            deployment = _without(deployment, exc)
    plan = make_plan(deployment, federation, guard, {})
    return topology, planned(plan), access_for(shell, plan.steps).text


def _without(deployment: Deployment, refused: ServerRefused) -> Deployment:
    """Return the deployment that was read before a read failed. Objects in an unknown form become findings.

    Refused cmdlets have findings of their own.
    """
    odd = {error.cmdlet: error.message for error in refused.errors} if isinstance(refused, Unreadable) else {}
    return replace(deployment, unreadable={**deployment.unreadable, **odd})


TASK = Task(ARGUMENT_SPEC, work)
