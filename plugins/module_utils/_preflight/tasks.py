# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_preflight_info does: read the foundations, plan what is declared, check the chain on what comes of it."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from .._base.findings import ERROR, WARNING
from .._base.names import Invalid
from .._base.result import Params, Refused, Result, ServerRefused, Unreadable
from .._base.task import Task
from .._federation.access import ROLE, access_for
from .._federation.converge import gather, planned
from .._federation.declared import declare
from .._federation.deployment import Deployment, Reader, getting
from .._federation.guard import Guard
from .._federation.plan import make_plan
from .._federation.resource import Resource
from .._federation.surroundings import Surroundings
from .._federation.tasks import FEDERATION_SPEC
from .._shell.statement import Shell, place_of
from .._topology.chain import MARKS, HostService, Obstacle, check_chain
from .._topology.surroundings import BESIDE
from .._topology.tasks import SERVICES_OPTION
from .._topology.topology import Topology, topology_of
from .edges import check_edges
from .records import look_up

DECLARED = ("policies", "partners", "gateway", "access_edge", "federation_routes")

ARGUMENT_SPEC: dict[str, t.Any] = {
    **{option: FEDERATION_SPEC[option] for option in DECLARED},
    "services": SERVICES_OPTION,
    "edges": {
        "type": "list",
        "elements": "dict",
        "options": {
            "host": {"type": "str", "required": True},
            "certificates": {"type": "list", "elements": "dict"},
            "clock_ahead": {"type": "float"},
            "declared": {"type": "bool", "default": False},
        },
    },
    "records": {"type": "bool", "default": False},
    "domains": {"type": "list", "elements": "str", "default": []},
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "ignore": {"type": "list", "elements": "str", "default": []},
}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_preflight_info. Raises Refused for what is declared wrongly, ServerRefused, ShellError."""
    topology, deployment, missing_rights = _after_plan(params, Reader(shell), shell)
    services = params["services"]
    hosts = None if services is None else [HostService(one["host"], one["kind"], one["status"]) for one in services]
    found = [
        *check_chain(topology, deployment, hosts),
        *(_records(params, topology) if params["records"] else ()),
        *missing_rights,
        *check_edges(params["edges"]),
    ]
    ignored = [one.code for one in found if one.code in params["ignore"]]
    left = [one for one in found if one.code not in params["ignore"]]
    values = {
        "findings": [one.as_dict() for one in left],
        "blocking": [one.code for one in left if one.blocks],
        "ignored": ignored,
        "report": _report(left, ignored),
    }
    idle = [code for code in params["ignore"] if code not in ignored]
    text = "ignore: %s is not found any more; take it out of the list"
    return Result(values, warnings=[text % code for code in idle])


def _records(params: Params, topology: Topology) -> list[Obstacle]:
    try:
        return look_up(topology, params["domains"], params["nameservers"])
    except Invalid as exc:
        raise Refused([str(exc)]) from None


class _Together(Surroundings):
    """Reads the foundations in the pipeline of the kinds."""

    def __init__(self, host: str) -> None:
        self._host = host
        # What can be read, also where the plan needs more.
        self.topology = Topology()
        self.deployment: Deployment | None = None

    def kinds(self, reader: Reader, resources: t.Sequence[Resource]) -> Deployment:
        deployment, rest = reader.kinds_and(resources, [one.statement for one in BESIDE], DECLARED)
        if rest.nothing:
            rest.require(rest.failed)
        self.topology, self.deployment = topology_of(rest, BESIDE, self._host), deployment
        rest.require(map(getting, resources))
        return deployment


def _after_plan(params: Params, reader: Reader, shell: Shell) -> tuple[Topology, Deployment, t.Sequence[Obstacle]]:
    """The foundations, what the plan will make of the deployment, and whether the account may send it."""
    declared = declare({option: params[option] for option in DECLARED})
    # What is not declared is read all the same, and stays as it is.
    federation = replace(declared, wanted={**dict.fromkeys(DECLARED, ()), **declared.wanted})
    guard, together = Guard(force=True), _Together(place_of(shell).host)
    try:
        deployment = gather(reader, federation, guard, together)
    except Unreadable:
        raise
    except ServerRefused:
        if together.deployment is None:
            raise
        return together.topology, together.deployment, ()
    topology = together.topology
    later = any(pool.has_xmpp is False and pool.registrar for pool in topology.pools or ())
    if later and not deployment.all_users:
        names = [name for grant in federation.granting for name in grant.users]
        with _what_is_refused():  # then it is not known who is homed there, which the chain says
            deployment = reader.with_all_users(deployment, names)
    plan = make_plan(deployment, federation, guard, {})
    access = access_for(shell, plan.steps)
    obstacle = Obstacle(
        "rights",
        WARNING,
        access.text,
        "give the account the role %s" % ROLE,
        effect="none; converge refuses to begin",
        where="Active Directory, the group %s" % ROLE,
    )
    return topology, planned(plan), [obstacle] if access.lacking else ()


@contextlib.contextmanager
def _what_is_refused() -> t.Iterator[None]:
    """Goes on after a read that the server refused; a form that is another stays an error."""
    try:
        yield
    except Unreadable:
        raise
    except ServerRefused:
        pass


def _report(found: t.Sequence[Obstacle], ignored: t.Sequence[str]) -> list[str]:
    """For people: the first broken link, then every finding in the order of the chain."""
    lines = []
    for one in found:
        lines.append("%s %s: %s" % (MARKS[one.severity], one.code, one.message))
        lines.append("    effect: %s" % one.effect)
        lines.append("    to do:  %s" % one.remedy)
        lines.append("    where:  %s" % one.where)
    if ignored:
        lines.append("ignored: %s" % ", ".join(ignored))
    broken = [one for one in found if one.severity == ERROR]
    if broken:
        head = "The first broken link: %s." % broken[0].message
    elif found:
        head = "No broken link was found, but see below."
    else:
        head = "Every link that was looked at holds."
    return [head, *lines]


TASK = Task(ARGUMENT_SPEC, work)
