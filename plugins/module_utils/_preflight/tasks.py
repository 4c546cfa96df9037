# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_preflight_info does: read the foundations, plan what is declared, check the chain on what comes of it."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from .._base.findings import ERROR, UNKNOWN, WARNING
from .._base.names import Invalid
from .._base.result import UNREADABLE_ANSWER, Params, Refused, Result, ServerRefused, Unreadable
from .._base.task import Task
from .._federation.access import ROLE, access_for
from .._federation.catalogue import RESOURCES
from .._federation.converge import gather, planned
from .._federation.declared import declare
from .._federation.deployment import Deployment, Reader
from .._federation.guard import Guard
from .._federation.plan import make_plan
from .._federation.resource import Resource
from .._federation.surroundings import Surroundings
from .._federation.tasks import FEDERATION_SPEC
from .._shell.statement import ServerError, Shell, place_of
from .._topology.chain import MARKS, HostService, Obstacle, check_chain
from .._topology.surroundings import BESIDE
from .._topology.tasks import SERVICES_OPTION
from .._topology.topology import Topology, read_topology, topology_of
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
        *(_unreadable(*one) for one in topology.unobserved.items() if one[1].startswith(UNREADABLE_ANSWER)),
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

    topology: Topology | None = None

    def __init__(self, host: str) -> None:
        self._host = host

    def kinds(self, reader: Reader, resources: t.Sequence[Resource]) -> Deployment:
        found = reader.kinds_and(resources, [one.statement for one in BESIDE])
        if found is None:
            return reader.kinds(resources)
        deployment, rest = found
        with contextlib.suppress(Unreadable):  # it is read again, each part by itself
            self.topology = topology_of(rest, BESIDE, self._host)
        return deployment


def _after_plan(params: Params, reader: Reader, shell: Shell) -> tuple[Topology, Deployment, t.Sequence[Obstacle]]:
    """The foundations, what the plan will make of the deployment, and whether the account may send it."""
    declared = declare({option: params[option] for option in DECLARED})
    # What is not declared is read all the same, and stays as it is.
    federation = replace(declared, wanted={**dict.fromkeys(DECLARED, ()), **declared.wanted})
    guard, together = Guard(force=True), _Together(place_of(shell).host)
    try:
        deployment = gather(reader, federation, guard, together)
    except ServerRefused as exc:
        told = [_form(error) for error in exc.errors if error.category == "InvalidData"]
        return together.topology or read_topology(shell), _what_can_be_read(reader), told
    topology = together.topology or read_topology(shell)
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


def _form(error: ServerError) -> Obstacle:
    return _unreadable(error.cmdlet, error.message)


def _unreadable(cmdlet: str, message: str) -> Obstacle:
    """An object in a form that nobody knows: the rest is looked at all the same."""
    return Obstacle(
        "unreadable",
        UNKNOWN,
        "%s: %s" % (cmdlet, message),
        "compare the object with what the cmdlet shows on a server, and report its form",
        effect="it is not known whether what depends on this object holds",
        where="%s in the management shell" % cmdlet,
    )


def _what_can_be_read(reader: Reader) -> Deployment:
    """Kind by kind, where not all of them can be read: without a plan, as it is now."""
    found = Deployment("")
    for resource in RESOURCES:
        with _what_is_refused():
            one = reader.kinds([resource])
            found = Deployment(one.time, {**found.records, **one.records})
    return found


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
