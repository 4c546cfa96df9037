# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole deployments as values: generated, brought about on a memory shell, read back, gone through as the playbooks do.

A state is what a snapshot holds: policies with who has them, partners, the two configurations, in the vocabulary of the
options. Users have to be listed beside it, since a snapshot knows only those who have a policy.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import key
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.grant import TASK as GRANT
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.policies import is_per_user
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.rules import RIGHTS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import configuration, info, plural
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import MemoryShell

State = dict[str, t.Any]
User = dict[str, t.Any]
BOLD: dict[str, t.Any] = {"force": True, "allow_loss": list(RIGHTS)}
PEOPLE = ("ann", "bob", "cid")


def user(name: str, policy: str | None = None) -> User:
    """A user as Get-CsUser returns one."""
    return {
        "Identity": "CN=%s" % name,
        "SipAddress": "sip:%s@contoso.test" % name,
        "ExternalAccessPolicy": policy and "Tag:" + policy,
    }


def run(task: Task, shell: MemoryShell, check: bool = False, **arguments: t.Any) -> Result:
    """Validate as Ansible does, and work."""
    validated = ArgumentSpecValidator(dict(task.argument_spec)).validate(arguments)
    assert not validated.error_messages, validated.error_messages
    return task.work(validated.validated_parameters, shell, check)


def make(state: t.Mapping[str, t.Any], shell: MemoryShell | None = None) -> MemoryShell:
    """A server in that state. ``users``: as Get-CsUser returns them."""
    shell = shell or MemoryShell()
    for policy in state.get("policies", ()):
        _put(shell, POLICY, policy)
    for partner in state.get("partners", ()):
        _put(shell, PARTNER, partner)
    _put(shell, GATEWAY, state.get("gateway", {}))
    _put(shell, ACCESS_EDGE, state.get("access_edge", {}))
    shell.users = [dict(item) for item in state.get("users", ())]
    return shell


def _put(shell: MemoryShell, resource: Resource, item: t.Mapping[str, t.Any]) -> None:
    name = "Global" if resource.key is None else str(item[resource.key.option])
    if resource is POLICY and is_per_user(key(name)):
        name = "Tag:" + name
    values = resource.from_user(item)
    given = [field for field in resource.fields if field.option in values]
    shell.put(resource.noun, name, {f.prop: f.kind.to_wire(values[f.option], None, True) for f in given})


def snapshot(shell: MemoryShell) -> State:
    return {
        "policies": run(info(POLICY), shell, grants=True).values["policies"],
        "partners": run(info(PARTNER), shell).values["partners"],
        "gateway": run(info(GATEWAY), shell).values["configuration"],
        "access_edge": run(info(ACCESS_EDGE), shell).values["configuration"],
    }


class Stopped(Exception):
    """A task failed, and the play ended there."""


def deploy(shell: MemoryShell, wanted: t.Mapping[str, t.Any], *, purge: bool, back: bool, check: bool = False) -> int:
    """Go through the deployment as the playbooks do; returns the number of steps. Raises Stopped.

    back: as restore does, so that nothing but ``wanted`` remains.
    """
    count = 0

    def do(task: Task, **arguments: t.Any) -> Result:
        nonlocal count
        result = run(task, shell, check, **arguments)
        count += len(result.steps or [])
        if result.failures:
            raise Stopped(result.message)
        return result

    policies = wanted["policies"]
    bare = [{name: value for name, value in item.items() if name != "granted_to"} for item in policies]
    also: list[str] = []
    if back:
        listed = {key(item["identity"]) for item in policies}
        current = run(info(POLICY), shell).values["policies"]
        also = [item["identity"] for item in current if key(item["identity"]) not in listed]
    arguments: dict[str, t.Any] = {"policies": bare, "purge": purge or back, "purge_also": also, **BOLD}
    partners: dict[str, t.Any] = {"partners": wanted["partners"], "purge": purge or back, "force": True}
    changed = do(plural(POLICY), **arguments, stage="changes")
    do(plural(PARTNER), **partners, stage="changes")
    do(configuration(GATEWAY), **wanted["gateway"])
    do(configuration(ACCESS_EDGE), **wanted["access_edge"], force=True)
    more = {"planned_policies": changed.values["policies"], "allow_loss": list(RIGHTS)}
    granted = [
        do(GRANT, policy=item["identity"], users=item["granted_to"], **more).values["grant"]
        for item in policies
        if item.get("granted_to")
    ]
    if back:
        number = len(granted)
        lists = [(item["identity"], item["granted_to"]) for item in policies if "granted_to" in item]
        for name, users in [*lists, *((name, []) for name in also if is_per_user(key(name)))]:
            kept = do(GRANT, policy=name, users=users, exclusive=True, planned_grants=granted[:number], **more)
            granted.append(kept.values["grant"])
    do(plural(PARTNER), **partners, stage="removals")
    do(plural(POLICY), **arguments, stage="removals", planned_grants=granted)
    return count


# Strategies

_DOMAINS = st.sampled_from(["a.test", "b.test", "c.test", "d.a.test", "bücher.test", "E.Test"])
_WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
_ROWS = st.sampled_from([("required", "required", False), ("required", "optional", True),
                         ("optional", "not_supported", True), ("not_supported", "not_supported", True)])  # fmt: skip
_NUMBERS = st.integers(0, 2**32 - 1)


@st.composite
def _partner(draw: st.DrawFn, domain: str) -> dict[str, t.Any]:
    tls, sasl, dialback = draw(_ROWS)
    return {
        "domain": domain,
        "additional_domains": draw(st.lists(_DOMAINS, max_size=3)),
        "description": draw(_WORDS),
        "partner_type": draw(st.sampled_from(["federated", "public_verified", "public_unverified"])),
        "tls_negotiation": tls,
        "sasl_negotiation": sasl,
        "support_dialback_negotiation": dialback,
        "enable_keep_alive": draw(st.booleans()),
        # A limit can be set, but not taken back.
        "connection_limit": draw(_NUMBERS),
        "proxy_fqdn": draw(st.sampled_from(["", "proxy.a.test"])),
    }


@st.composite
def _policy(draw: st.DrawFn, identity: str) -> dict[str, t.Any]:
    switches = {f.option: draw(st.booleans()) for f in POLICY.fields if f.option.startswith("enable_")}
    switches["enable_xmpp_access"] &= switches["enable_federation_access"]
    return {"identity": identity, "description": draw(_WORDS), **switches}


@st.composite
def _states(draw: st.DrawFn) -> State:
    names = draw(st.lists(st.sampled_from(["X", "Y", "Z", "site:A", "site:B"]), unique=True))
    policies = [draw(_policy(name)) for name in ["global", *names]]
    grants = {name: draw(st.sampled_from([None, *(n for n in names if is_per_user(key(n)))])) for name in PEOPLE}
    for policy in policies:
        if is_per_user(key(policy["identity"])):
            holders = [who for who, name in grants.items() if name == policy["identity"]]
            policy["granted_to"] = ["sip:%s@contoso.test" % who for who in holders]
    return {
        "policies": policies,
        "users": [user(who, name) for who, name in grants.items()],
        "partners": [draw(_partner(d)) for d in draw(st.lists(_DOMAINS, unique_by=str.lower, max_size=4))],
        "gateway": {f.option: draw(_NUMBERS) for f in GATEWAY.fields if type(f.kind).__name__ == "Number"}
        | {"enable_logging_all_message_bodies": draw(st.booleans())},
        "access_edge": {f.option: draw(st.booleans()) for f in ACCESS_EDGE.fields},
    }


# Whole deployments in which every property has a value.
STATES = _states()
