# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules do: for each kind of object the singular, the plural and the info task, from its table.

A task is an argument spec and the work; a module is a task and a few lines (see _base/module.py).
"""

from __future__ import annotations

import typing as t

from .._base.result import Params, Result
from .._base.step import Record
from .._base.task import STATE, Task
from .._shell.statement import Shell
from .catalogue import ACCESS_EDGE, POLICY
from .converge import converge, read, shown_list, shown_one, wanted_list
from .guard import Guard, Purge
from .plan import STAGES
from .policies import add_grants, policy_eligible, read_usage, usage_matters, with_grants
from .resource import Resource
from .rules import RIGHTS, Change, Context

PLANNED_GRANT = {
    "policy": {"type": "str", "required": True},
    "users": {"type": "list", "elements": "str", "required": True},
    "exclusive": {"type": "bool", "default": False},
}
PLANNED_GRANTS = {"type": "list", "elements": "dict", "options": PLANNED_GRANT}
PLAN_DIGEST = {"type": "dict"}
PROTECT = {"type": "list", "elements": "str", "default": []}
ALLOW_LOSS = {"type": "list", "elements": "str", "choices": list(RIGHTS), "default": []}


def _policy_arguments(resource: Resource, params: Params) -> dict[str, t.Any]:
    """What only policies need: who uses them, and when that matters."""
    if resource is not POLICY:
        return {}
    grants = params.get("planned_grants") or ()
    return {"usage": lambda shell: with_grants(read_usage(shell), grants), "usage_matters": usage_matters}


def singular(resource: Resource) -> Task:
    """One object, present or absent: a list of one, without purge."""
    spec: dict[str, t.Any] = {**resource.spec(), "state": STATE, "protect": PROTECT, "plan_digest": PLAN_DIGEST}
    if resource is POLICY:
        spec.update(force={"type": "bool", "default": False}, allow_loss=ALLOW_LOSS)

    def work(params: Params, shell: Shell, check: bool) -> Result:
        (wanted,) = wanted_list(resource, [params])
        plan, result, records = converge(
            shell,
            resource,
            [wanted],
            check=check,
            guard=Guard(tuple(params.get("protect") or ())),
            force=params.get("force", False),
            judged=params.get("plan_digest"),
            allow_loss=params.get("allow_loss", ()),
            **_policy_arguments(resource, params),
        )
        result.values[resource.name] = shown_one(resource, records, wanted.identity)
        return result

    return Task(spec, work)


def plural(resource: Resource) -> Task:
    """A whole list; with purge, nothing but the list."""
    spec: dict[str, t.Any] = {
        resource.plural: {"type": "list", "elements": "dict", "required": True, "options": resource.spec()},
        "purge": {"type": "bool", "default": False},
        "protect": PROTECT,
        "removal_limit": {"type": "int", "default": 30},
        "update_limit": {"type": "int", "default": 30},
        "force": {"type": "bool", "default": False},
        "stage": {"type": "str", "choices": list(STAGES), "default": "all"},
        "plan_digest": PLAN_DIGEST,
    }
    if resource is POLICY:
        spec["allow_loss"] = ALLOW_LOSS
        spec["planned_grants"] = PLANNED_GRANTS
        spec["purge_also"] = {"type": "list", "elements": "str", "default": []}

    def work(params: Params, shell: Shell, check: bool) -> Result:
        eligible: t.Callable[[Record], bool] = (
            policy_eligible(params.get("purge_also") or ()) if resource is POLICY else lambda record: True
        )
        plan, result, records = converge(
            shell,
            resource,
            wanted_list(resource, params[resource.plural], resource.plural),
            check=check,
            purge=Purge(params["removal_limit"], eligible) if params["purge"] else None,
            guard=Guard(tuple(params["protect"]), params.get("update_limit")),
            force=params["force"],
            judged=params.get("plan_digest"),
            allow_loss=params.get("allow_loss", ()),
            stage=params["stage"],
            **_policy_arguments(resource, params),
        )
        result.values[resource.plural] = shown_list(resource, records)
        return result

    return Task(spec, work)


def configuration(resource: Resource) -> Task:
    """The one global object of a configuration: Get- and Set- only."""
    spec: dict[str, t.Any] = {**resource.spec(), "plan_digest": PLAN_DIGEST}
    if resource is ACCESS_EDGE:
        spec["force"] = {"type": "bool", "default": False}

    def work(params: Params, shell: Shell, check: bool) -> Result:
        wanted = wanted_list(resource, [params])
        plan, result, records = converge(
            shell,
            resource,
            wanted,
            check=check,
            force=params.get("force", False),
            judged=params.get("plan_digest"),
        )
        result.values[resource.name] = shown_one(resource, records, "global")
        return result

    return Task(spec, work)


def info(resource: Resource) -> Task:
    """What exists, in the vocabulary of the options, and what is risky in it."""
    spec: dict[str, t.Any] = {resource.key.option: {"type": "str"}} if resource.key else {}
    if resource is POLICY:
        spec["grants"] = {"type": "bool", "default": False}

    def work(params: Params, shell: Shell, check: bool) -> Result:
        chosen = resource.key and params.get(resource.key.option)
        (wanted,) = wanted_list(resource, [params]) if chosen else (None,)
        records = {k: r for k, r in read(shell, resource).items() if wanted is None or k == wanted.key}
        values: dict[str, t.Any] = {"findings": findings(resource, records)}
        if resource.single:
            values[resource.name] = shown_one(resource, records, "global")
        else:
            values[resource.plural] = shown_list(resource, records)
            if params.get("grants"):
                add_grants(values[resource.plural], read_usage(shell))
        return Result(values)

    return Task(spec, work)


def findings(resource: Resource, records: t.Mapping[str, Record]) -> list[dict[str, str]]:
    """What the rules would say if everything that stands there were written today."""
    found = []
    for key, record in sorted(records.items()):
        change = Change(key, record.identity, record.values, record.values, frozenset(record.values))
        for rule in resource.rules:
            for finding in rule(change, Context()):
                severity = "error" if finding.severity == "refuse" else "warning"
                found.append({"identity": finding.identity, "severity": severity, "message": finding.text})
    return found
