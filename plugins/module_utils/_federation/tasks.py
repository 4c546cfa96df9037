# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of the modules for the whole federation, for one object, for a list of objects, and for info modules.

Each module that writes declares a federation or a part of a federation, and runs the sequence in converge.py.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.findings import ERROR
from .._base.result import Params, Refused, Result
from .._base.task import STATE, Task
from .._shell.statement import Place, Shell, place_of
from . import files
from .catalogue import ACCESS_EDGE, BY_PART, GATEWAY, OPTIONS, PARTNER, PARTS, POLICY, PURGED, RESOURCES, ROUTE
from .converge import Run, converge, objects, one_object, sequence, turn
from .declared import declare, declare_grant, declare_objects
from .deployment import Deployment, Reader
from .federation import Federation
from .guard import Guard, allow_mistakes, lifted
from .plan_file import PlanFile
from .resource import Resource
from .revoked import SPEC as REVOKED
from .revoked import declare_revoked
from .rules import RIGHTS, Change, Context
from .summary import summarise
from .surroundings import Surroundings
from .way_back import only_partners
from .words import called

FORCE = {"type": "bool", "default": False}
PROTECT = {"type": "list", "elements": "str", "default": []}
ALLOW_LOSS = {"type": "list", "elements": "str", "choices": list(RIGHTS), "default": []}
LIMIT = {"type": "int", "default": 30}
PLAN_DIGEST = {"type": "raw"}  # the plan_digest of check mode, or only its digest
GRANTED_TO = {"type": "raw"}  # a list of users, or a selector
REPLACED = {"type": "bool", "default": False}
PROTECTED_ACCOUNTS = {"type": "str", "choices": ["warn", "fail"], "default": "fail"}
POLICIES = {"type": "list", "elements": "dict", "options": {**POLICY.spec(), "granted_to": GRANTED_TO}}


def singular(resource: Resource) -> Task:
    """Return the task for one object, present or absent."""
    spec: dict[str, t.Any] = {**resource.spec(), "plan_digest": PLAN_DIGEST}
    if not resource.fixed:
        spec.update(state=STATE, protect=PROTECT)
    if resource in (POLICY, ROUTE):
        spec["force"] = FORCE
    if resource is POLICY:
        spec["allow_loss"] = ALLOW_LOSS

    def work(params: Params, shell: Shell, check: bool) -> Result:
        wanted = declare_objects(resource, [params])
        outcome = converge(shell, Federation({resource.part: wanted}), _run(params, check))
        outcome.result.values = {resource.name: one_object(outcome.deployment, resource.part, wanted[0].identity)}
        return outcome.result

    return Task(spec, work, writes=True)


def plural(resource: Resource) -> Task:
    """Return the task for a list of objects. With purge, other objects are removed."""
    spec: dict[str, t.Any] = {
        resource.plural: {"type": "list", "elements": "dict", "required": True, "options": resource.spec()},
        "purge": {"type": "bool", "default": False},
        "protect": PROTECT,
        "removal_limit": LIMIT,
        "update_limit": LIMIT,
        "force": FORCE,
        "plan_digest": PLAN_DIGEST,
    }
    if resource is POLICY:
        spec[resource.plural] = {**POLICIES, "required": True}
        spec["allow_loss"] = ALLOW_LOSS
        spec["exclusive_grants"] = {"type": "bool", "default": False}
        spec["allow_replaced_policies"] = REPLACED

    def work(params: Params, shell: Shell, check: bool) -> Result:
        federation = declare(
            {resource.part: params[resource.plural]},
            purge=[resource.part] if params["purge"] else [],
            exclusive=bool(params.get("exclusive_grants")),
        )
        outcome = converge(shell, federation, _run(params, check))
        outcome.result.values = {resource.plural: _list(outcome.deployment, resource)}
        return outcome.result

    return Task(spec, work, writes=True)


def configuration(resource: Resource) -> Task:
    """Return the task for the global object of a configuration. Such an object has only Get- and Set-."""
    spec: dict[str, t.Any] = {**resource.spec(), "plan_digest": PLAN_DIGEST}
    if resource is ACCESS_EDGE:
        spec["force"] = FORCE

    def work(params: Params, shell: Shell, check: bool) -> Result:
        wanted = declare_objects(resource, [params])
        outcome = converge(shell, Federation({resource.part: wanted}), _run(params, check))
        outcome.result.values = {resource.name: one_object(outcome.deployment, resource.part, "global")}
        return outcome.result

    return Task(spec, work, writes=True)


def info(resource: Resource) -> Task:
    """Return the task that reads existing objects, with the names of the options, and findings about the objects."""
    spec: dict[str, t.Any] = {resource.key.option: {"type": "str"}} if resource.key else {}
    if resource is POLICY:
        spec["grants"] = {"type": "bool", "default": False}

    def work(params: Params, shell: Shell, check: bool) -> Result:
        chosen = resource.key and params.get(resource.key.option)
        key = declare_objects(resource, [params])[0].key if chosen else None
        reader = Reader(shell)
        deployment = reader.kinds([resource])
        if params.get("grants"):
            deployment = reader.with_holders(deployment)
        if key is not None:
            kept = {k: record for k, record in deployment.of(resource.part).items() if k == key}
            deployment = replace(deployment, records={resource.part: kept})
        values: dict[str, t.Any] = {"findings": findings(resource, deployment)}
        if resource.single:
            values[resource.name] = one_object(deployment, resource.part, "global")
        else:
            values[resource.plural] = _list(deployment, resource)
        return Result(values)

    return Task(spec, work)


def grant() -> Task:
    """Return the task for the users of one policy."""
    spec: dict[str, t.Any] = {
        "policy": {"type": "str", "required": True},
        "users": {"type": "list", "elements": "str", "required": True},
        "exclusive": {"type": "bool", "default": False},
        "allow_loss": ALLOW_LOSS,
        "protected_accounts": PROTECTED_ACCOUNTS,
        "domain_controller": {"type": "str"},
        "plan_digest": PLAN_DIGEST,
        "state": STATE,
    }

    def work(params: Params, shell: Shell, check: bool) -> Result:
        declared = declare_grant(
            params["policy"], params["users"], exclusive=params["exclusive"], absent=params["state"] == "absent"
        )
        outcome = converge(shell, Federation(grants=(declared,)), _run(params, check))
        policy = outcome.deployment.of("policies").get(declared.policy.casefold())
        holders = outcome.deployment.usage().get(declared.policy.casefold(), ())
        outcome.result.values = {
            "grant": {
                "policy": policy.identity if policy else declared.policy,
                "users": sorted(holders),
                "exclusive": declared.exclusive,
            }
        }
        return outcome.result

    return Task(spec, work, writes=True)


def _list(deployment: Deployment, resource: Resource) -> list[dict[str, t.Any]]:
    items = objects(deployment, resource.part)
    if resource is POLICY and deployment.holders:
        files.add_grants(items, deployment.usage())
    return items


def _run(params: Params, check: bool) -> Run:
    """Return the run for the options that several tasks share. A task can lack some of these options."""
    guard = Guard(
        protect=tuple(params.get("protect") or ()),
        removal_limit=params.get("removal_limit", 30),
        update_limit=params.get("update_limit"),
        allow_loss=frozenset(params.get("allow_loss") or ()),
        force=bool(params.get("force")),
        replace_policies=bool(params.get("allow_replaced_policies")),
    )
    return Run(
        check=check,
        guard=guard,
        controller=str(params.get("domain_controller") or ""),
        warn_protected=params.get("protected_accounts") == "warn",
        protected_option="protected_accounts" if "protected_accounts" in params else "",
        reviewed=params.get("plan_digest"),
        reports=False,
    )


def findings(resource: Resource, deployment: Deployment) -> list[dict[str, str]]:
    """Return the findings of the rules about existing objects, as if a run wrote the objects now."""
    found = []
    for key, record in sorted(deployment.of(resource.part).items()):
        change = Change(key, record.identity, record.values, record.values, frozenset(record.values))
        for rule in resource.rules:
            for finding in rule(change, Context()):
                severity = "error" if finding.severity == ERROR else "warning"
                found.append(
                    {
                        "identity": finding.subject,
                        "code": finding.code,
                        "severity": severity,
                        "message": finding.message,
                    }
                )
    return found


# The whole federation

FEDERATION_SPEC: dict[str, t.Any] = {
    "policies": POLICIES,
    "partners": {"type": "list", "elements": "dict", "options": PARTNER.spec()},
    "gateway": {"type": "dict", "options": GATEWAY.spec()},
    "access_edge": {"type": "dict", "options": ACCESS_EDGE.spec()},
    "federation_routes": {"type": "list", "elements": "dict", "options": ROUTE.spec()},
    "policies_purge": {"type": "bool", "default": False},
    "partners_purge": {"type": "bool", "default": False},
    "exclusive_grants": {"type": "bool", "default": False},
    "protect": PROTECT,
    "removal_limit": LIMIT,
    "update_limit": LIMIT,
    "allow_loss": ALLOW_LOSS,
    "allow": {"type": "list", "elements": "str", "default": []},
    "force": FORCE,
    "allow_replaced_policies": REPLACED,
    "protected_accounts": PROTECTED_ACCOUNTS,
    "domain_controller": {"type": "str"},
    "revoked": REVOKED,
    "parts": {"type": "list", "elements": "str", "choices": list(PARTS)},
    "plan_file": {"type": "path"},
    "plan_digest": PLAN_DIGEST,
    "snapshot_directory": {"type": "path"},
    "snapshot_keep": {"type": "int", "default": 20},
    "restore_from": {"type": "str"},
    "restore_only": {"type": "list", "elements": "str"},
}


def federation_of(params: Params, name: t.Callable[[str], str] = str) -> Federation:
    """Return the federation that the options of xmpp_federation declare. Raises Refused with all mistakes."""
    purge = [option for option in PURGED if params.get(option + "_purge")]
    given = {option: params.get(option) for option in OPTIONS}
    if params.get("restore_from") is not None and any(value is not None for value in given.values()):
        named = ", ".join(name(option) for option, value in given.items() if value is not None)
        text = "%s cannot be used with %s, because a snapshot has all objects. Remove one of the two"
        raise Refused([text % (name("restore_from"), named)])
    if params.get("restore_only") and params.get("restore_from") is None:
        text = "%s: names partners of a snapshot, but there is no snapshot. Set %s too"
        raise Refused([text % (name("restore_only"), name("restore_from"))])
    return declare(
        given,
        name,
        purge=purge,
        exclusive=bool(params.get("exclusive_grants")),
        parts=PARTS if params.get("parts") is None else params["parts"],
        # Without a preflight, the plan warns if federation is off.
        also_read=[] if params.get("preflight") else ["access_edge"],
    )


def federate(
    params: Params,
    shell: Shell,
    check: bool,
    surroundings: Surroundings | None = None,
    federation: Federation | None = None,
    approval: t.Callable[[], list[str]] = list,
) -> Result:
    """Apply everything that is declared.

    Raises Refused, ServerRefused, ShellError. After these errors, nothing was written.

    surroundings: the work around the plan; None for no such work.
    federation: the federation of the options; None to make the federation from the parameters.
    approval: returns the reasons why the run may not write now.
    """
    place = place_of(shell)
    name = called(place.playbook)
    if params.get("parts") == []:
        return Result({"summary": summarise((), 0)}, steps=[])
    if federation is None:
        federation = federation_of(params, name)
    guard = _guard_of(params, name)
    revoked = declare_revoked(params["revoked"], name("revoked"), guard)
    directory = params.get("snapshot_directory")
    snapshots = None
    if directory:
        snapshots = files.Snapshots(directory, name("snapshot_directory"), place, params["snapshot_keep"])
        if not check:
            snapshots.prepare()
    with turn(shell, check, snapshots):
        kept = None
        if params.get("restore_from") is not None:
            kept = _snapshot(params, snapshots, place, name)
            federation = files.federation_of(kept, federation.parts)
            if params["restore_only"]:
                federation = only_partners(federation, params["restore_only"], name("restore_only"))
        run = _run(params, check)
        run = Run(
            check=check,
            guard=guard,
            controller=run.controller,
            warn_protected=run.warn_protected,
            protected_option=name("protected_accounts"),
            reviewed=params.get("plan_digest"),
            reviewed_option=name("plan_digest"),
            plan_file=_plan_file(params, name),
            snapshots=snapshots,
            kept=kept,
            surroundings=surroundings or Surroundings(),
            approval=approval,
        )
        outcome = sequence(shell, replace(federation, revoked=revoked), run)
    outcome.result.values.update(_everything(outcome.deployment))
    return outcome.result


def _guard_of(params: Params, name: t.Callable[[str], str]) -> Guard:
    """Return the guard of a task with the option ``allow``. Raises Refused."""
    mistakes = allow_mistakes(params["allow"])
    if mistakes:
        raise Refused([name("allow") + text for text in mistakes])
    return replace(_run(params, True).guard, allow=lifted(params["allow"]), called=name, several=True)


def _plan_file(params: Params, name: t.Callable[[str], str]) -> PlanFile | None:
    path = params.get("plan_file")
    return PlanFile(path, name("plan_file"), anybody=params.get("plan_digest") is not None) if path else None


def _snapshot(
    params: Params, snapshots: files.Snapshots | None, place: Place, name: t.Callable[[str], str]
) -> files.Snapshot:
    """Return the snapshot to restore. Raises Refused, also if the snapshot has another label."""
    option = name("restore_from")
    found = snapshots or files.Snapshots(files.default_directory(place.home), option, place)
    kept = files.load(found.find(str(params["restore_from"])), option)
    owner = kept.identity.label
    if owner != place.deployment:
        text = "%s: %s is a snapshot of the deployment %s, and %s belongs to %s. Name a snapshot of %s."
        raise Refused([text % (option, kept.path, owner, place.host, place.deployment, place.deployment)])
    return kept


def _everything(deployment: Deployment) -> dict[str, t.Any]:
    """Return the objects that were read, by option, with the names of an inventory."""
    found: dict[str, t.Any] = {}
    for option in OPTIONS:
        if option in deployment.records:
            resource = BY_PART[option]
            found[option] = one_object(deployment, option, "global") if resource.single else _list(deployment, resource)
    return found


# The task without the work around the plan. The task of the module itself is in _topology.
FEDERATION = Task(FEDERATION_SPEC, federate, writes=True)


def _info(params: Params, shell: Shell, check: bool) -> Result:
    reader = Reader(shell)
    deployment = reader.kinds(RESOURCES)
    if params["grants"]:
        deployment = reader.with_holders(deployment)
    found = [
        {**finding, "kind": BY_PART[option].label}
        for option in deployment.records
        for finding in findings(BY_PART[option], deployment)
    ]
    return Result({**_everything(deployment), "findings": found, "time": deployment.time})


FEDERATION_INFO = Task({"grants": {"type": "bool", "default": True}}, _info)
