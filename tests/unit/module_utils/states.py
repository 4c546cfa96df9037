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
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import is_per_user, key
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import files
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    PARTS,
    POLICY,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.converge import Run, converge, gather
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.federation import Federation
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.rules import RIGHTS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION_INFO
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import HOME, MemoryShell

State = dict[str, t.Any]
User = dict[str, t.Any]
BOLD = Guard(allow_loss=frozenset(RIGHTS), force=True)
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
    values = resource.from_snapshot({o: v for o, v in item.items() if o != "granted_to"})
    given = [field for field in resource.fields if field.option in values]
    shell.put(resource.noun, name, {f.prop: f.kind.to_wire(values[f.option], None, True) for f in given})


def snapshot(shell: MemoryShell) -> State:
    """What is there, as xmpp_federation_info tells it."""
    values = run(FEDERATION_INFO, shell).values
    return {name: values[name] for name in ("policies", "partners", "gateway", "access_edge")}


class Stopped(Exception):
    """A step failed."""


def declared(wanted: t.Mapping[str, t.Any], *, purge: bool) -> Federation:
    given = {name: wanted[name] for name in ("policies", "partners", "gateway", "access_edge")}
    return declare(given, purge=("policies", "partners") if purge else ())


def kept(wanted: t.Mapping[str, t.Any]) -> Federation:
    """A state as the federation that its snapshot is: everything else goes."""
    shell = make({**wanted, "users": holders(wanted)})
    keeper = files.Snapshots(HOME + "/snapshots", "snapshot_directory", shell.place, keep=1)
    reader = Reader(shell)
    deployment = reader.with_all_users(gather(reader, declared(wanted, purge=False), BOLD))
    path = keeper.save(deployment, ("policies", "partners", "gateway", "access_edge"))
    return files.from_snapshot(path, frozenset(PARTS), "restore_from")[0]


def holders(wanted: t.Mapping[str, t.Any]) -> list[User]:
    """Users who have the policies of a state."""
    given = {name: p["identity"] for p in wanted["policies"] for name in p.get("granted_to", ())}
    return [user(who, given.get("sip:%s@contoso.test" % who)) for who in PEOPLE]


def deploy(
    shell: MemoryShell, wanted: t.Mapping[str, t.Any], *, purge: bool, back: bool, check: bool = False
) -> list[dict[str, t.Any]]:
    """Bring the deployment about; returns the steps. Raises Stopped.

    back: as restore does, so that nothing but ``wanted`` remains.
    """
    federation = kept(wanted) if back else declared(wanted, purge=purge)
    result = converge(shell, federation, Run(check, BOLD)).result
    if result.failures:
        raise Stopped(result.message)
    return result.steps or []


# Strategies

_NAMES = ("a.test", "b.test", "c.test", "d.a.test", "bücher.test", "E.Test")
_DOMAINS = st.sampled_from(_NAMES)
# What may be written; a server may hold other characters too.
_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf")), max_size=8)
_ROWS = st.sampled_from([("required", "required", False), ("required", "optional", True),
                         ("optional", "not_supported", True), ("not_supported", "not_supported", True)])  # fmt: skip
_NUMBERS = st.integers(0, 2**32 - 1)


@st.composite
def _partner(draw: st.DrawFn, domain: str) -> dict[str, t.Any]:
    tls, sasl, dialback = draw(_ROWS)
    return {
        "domain": domain,
        # A domain belongs to one partner.
        "additional_domains": draw(
            st.lists(st.sampled_from(["x.", "y.", "z."]).map(lambda sub: sub + domain), max_size=3)
        ),
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
