# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments and plans made by hand: the objects that exist go in as records, a plan without a server comes out."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    BY_PART,
    GATEWAY,
    PARTNER,
    POLICY,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.federation import Federation, Wanted
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan import Plan, make_plan
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource

Records = dict[str, Record]
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}


def partner(domain: str, **values: t.Any) -> Record:
    return Record(domain, {**PARTNER.defaults(), **ROW, **values})


def partners(*names: str) -> Records:
    return {name: partner(name) for name in names}


def policy(identity: str, **values: t.Any) -> Record:
    return Record(identity, {**POLICY.defaults(), **values})


def policies(**records: t.Any) -> Records:
    """Policies by their key, each given by its values; global is always there."""
    found = {"global": {}, **records}
    return {name: policy(name, **values) for name, values in found.items()}


def gateway(**values: t.Any) -> Records:
    return {"global": Record("global", {**GATEWAY.defaults(), **values})}


def access_edge(**values: t.Any) -> Records:
    return {"global": Record("global", {**ACCESS_EDGE.defaults(), "allow_outside_users": False, **values})}


def sip(name: str) -> str:
    return "sip:%s@contoso.test" % name


def deployment(users: t.Mapping[str, str] | None = None, **records: Records) -> Deployment:
    """users: by name the policy of each, empty where he has none; None: users were not read."""
    people = {user.key: user for user in (User("CN=" + name, sip(name), had) for name, had in (users or {}).items())}
    named = {user.name: key for key, user in people.items()}
    effective = {key: "global" for key, user in people.items() if not user.policy}
    return Deployment("now", records, people, users is not None, named, {}, effective)


def lists(**declared: t.Any) -> Federation:
    """What is declared, without purge."""
    return declare(declared)


def absent(resource: Resource, *identities: str) -> Federation:
    """Objects that have to be gone, as the modules for one object declare them."""
    items = tuple(Wanted(resource.identity_from_user(identity), {}, absent=True) for identity in identities)
    return Federation({resource.part: items})


def checked(found: Plan) -> Plan:
    """The plan. Raises Refused as a run does."""
    if found.refusals:
        raise Refused(found.refusals)
    return found


def plan(
    actual: Records,
    wanted: t.Any,
    resource: Resource = PARTNER,
    *,
    purge: bool = False,
    users: t.Mapping[str, str] | None = None,
    guard: Guard | None = None,
    whole: bool = False,
) -> Plan:
    """The plan of one kind. wanted: a list (a dictionary of a configuration), or a Federation. Raises Refused.

    resource: of which kind a list is.
    """
    federation = wanted
    if not isinstance(wanted, Federation):
        federation = declare({resource.part: wanted}, purge=[resource.part] if purge else [])
    (part,) = federation.wanted
    if whole:
        federation = replace(federation, whole=True)
    return checked(make_plan(deployment(users, **{part: actual}), federation, guard or Guard()))


def calls(found: Plan) -> list[tuple[str, str]]:
    return [(step.cmdlet, step.identity) for step in found.steps]


def named_calls(found: Plan) -> list[str]:
    """``New partner a.test`` of each step."""
    return [
        " ".join(filter(None, (s.cmdlet.split("-")[0], BY_PART[s.part].label, s.identity))).strip() for s in found.steps
    ]
