# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_explain_info does: reads what stands between a user and a partner, probes the partner, and explains.

What may not be read is unknown, and everything else is looked at all the same.
"""

from __future__ import annotations

import re
import typing as t

from .._base.findings import ERROR, UNKNOWN, WARNING, Finding
from .._base.names import Invalid, canonical_domain
from .._base.names import key as key_of
from .._base.reading import is_unknown
from .._base.result import Params, Refused, Result, ServerRefused, Unreadable
from .._base.step import Record
from .._base.task import Task
from .._federation.catalogue import ACCESS_EDGE, PARTNER, POLICY
from .._federation.deployment import USER_PROPERTIES, Deployment, Reader, user_of
from .._federation.deployment import User as DirectoryUser
from .._federation.rules import negotiation_row
from .._shell.statement import Shell, Statement
from .._topology.replicate import carrying
from .._topology.tasks import SERVICES_OPTION
from .._topology.topology import Topology, read_topology
from . import between
from . import tasks as probe_tasks
from .explain import explain

PROBE_OPTIONS = (
    "access_edge",
    "gateway_port",
    "certificate",
    "trust_store",
    "nameservers",
    "timeout",
    "expires_within",
)
ARGUMENT_SPEC: dict[str, t.Any] = {
    "user": {"type": "str", "required": True},
    "partner": {"type": "str", "required": True},
    "services": SERVICES_OPTION,
    "certificates": {
        "type": "list",
        "elements": "dict",
        "options": {
            "host": {"type": "str", "required": True},
            "assigned": {"type": "bool"},
            "faults": {"type": "list", "elements": "str", "default": []},
        },
    },
    "probe": {"type": "dict", "options": {name: probe_tasks.ARGUMENT_SPEC[name] for name in PROBE_OPTIONS}},
}
_ADDRESS = re.compile(r"[^@/\s*]+@[^@/\s*]+\Z")
_SERVICES = {"gateway": "the XMPP gateway", "proxy": "the XMPP proxy"}
_MARKS = {ERROR: "!", UNKNOWN: "?", WARNING: "~", "": " "}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_explain_info. Raises Refused, ServerRefused, ShellError."""
    address, domain = _pair(params)
    topology = read_topology(shell)
    deployment = _what_can_be_read(shell)
    found = _user(shell, address)
    partner, record = _partner(domain, deployment, topology)
    user = _explained(address, found, Reader(shell), deployment, topology)
    explanation = explain(
        user, partner, _deployment(params, deployment, topology), _probed(params, shell, address, domain, record)
    )
    values = explanation.as_dict()
    lines = ["%s %-14s %s" % (_MARKS[link.severity], link.name, link.text) for link in explanation.links]
    return Result({**values, "user": address, "partner_domain": domain, "report": [explanation.sentence, *lines]})


def _pair(params: Params) -> tuple[str, str]:
    """The user's address and the partner's domain; of somebody there his address does as well."""
    reasons = []
    address = str(params["user"] or "").strip().lower().removeprefix("sip:")
    if not _ADDRESS.match(address):
        text = "user: %s; write the user's SIP address, as in ann@contoso.com"
        reasons.append(text % ("'%s' is none" % params["user"] if address else "is missing"))
    given, domain = str(params["partner"] or "").strip(), ""
    try:
        if not given:
            raise Invalid("is missing; write a domain, or the address of somebody there")
        domain = canonical_domain(given.lower().removeprefix("xmpp:").rpartition("@")[2])
    except Invalid as exc:
        reasons.append("partner: %s" % exc)
    if reasons:
        raise Refused(reasons)
    return address, domain


def _what_can_be_read(shell: Shell) -> Deployment:
    """In one request: what the account may not read leaves the others."""
    kinds = (POLICY, PARTNER, ACCESS_EDGE)
    deployment, _rest = Reader(shell).kinds_and(kinds, (), [resource.part for resource in kinds])
    return deployment


# Who may


def _user(shell: Shell, address: str) -> DirectoryUser | t.Literal["unknown"] | None:
    """The user; None if there is none of that address."""
    answer = shell.invoke([Statement("Get-CsUser", {"Identity": "sip:" + address}, select=USER_PROPERTIES)])
    if len(answer.output) == 1:
        return user_of(answer.output[0])
    nobody = answer.errors and all("notfound" in error.category.lower() for error in answer.errors)
    return None if nobody and not is_unknown(answer) and not answer.lost else "unknown"


def _explained(
    address: str,
    found: DirectoryUser | t.Literal["unknown"] | None,
    reader: Reader,
    deployment: Deployment,
    topology: Topology,
) -> between.User:
    if found == "unknown":
        return between.User(address)
    if found is None:
        return between.User(address, False)
    pool = topology.pool(found.pool)
    has_xmpp = False if found.provider else pool.has_xmpp if pool is not None else None
    scope, policy = _policy(found, reader, deployment)
    given = policy.values if policy is not None else {}
    return between.User(
        address,
        found.enabled,
        "%s (online)" % found.provider if found.provider else found.pool,
        has_xmpp,
        policy.identity if policy is not None else "",
        scope,
        given.get("enable_xmpp_access"),
        given.get("enable_federation_access"),
        pool.lack if pool is not None and pool.front_end is False and not found.provider else "",
    )


def _policy(user: DirectoryUser, reader: Reader, deployment: Deployment) -> tuple[between.Scope | None, Record | None]:
    """The policy in effect, and which of the three it is; None where that cannot be known."""
    policies = deployment.of(POLICY.part)
    if not policies:
        return None, None
    if user.policy:
        record = policies.get(key_of(user.policy))
        return ("user" if record else None), record
    try:
        known = Deployment(deployment.time, deployment.records, {user.key: user})
        key = reader.with_effective(known, [user.key]).effective[user.key]
    except Unreadable:
        raise
    except (Refused, ServerRefused):
        return None, None
    return ("global" if key == "global" else "site"), policies[key]


def _partner(domain: str, deployment: Deployment, topology: Topology) -> tuple[between.Partner, Record | None]:
    if PARTNER.part not in deployment.records:
        return between.Partner(domain), None
    partners = deployment.of(PARTNER.part)
    record = partners.get(key_of(domain))
    record = record or next((one for one in partners.values() if domain in one.values["additional_domains"]), None)
    if record is None:
        return between.Partner(domain, False), None
    lists = {"allowed": topology.allowed_domains, "blocked": topology.blocked_domains}
    sip = next((name for name, domains in lists.items() if domain in (domains or ())), "")
    unread = not sip and None in lists.values()
    return between.Partner(
        domain,
        True,
        record.identity,
        str(record.values["partner_type"]),
        negotiation_row(record.values),
        None if unread else sip,
    ), record


# What the deployment is set up for, and what runs


def _deployment(params: Params, deployment: Deployment, topology: Topology) -> between.Deployment:
    edge = deployment.of(ACCESS_EDGE.part).get("global")
    route, has_xmpp = _route(topology)
    return between.Deployment(
        None if edge is None else bool(edge.values["allow_federated_users"]),
        route,
        tuple(_service(one) for one in params["services"] or ()),
        tuple(
            between.OwnCertificate(one["host"], one["assigned"], tuple(one["faults"] or ()))
            for one in params["certificates"] or ()
        ),
        has_xmpp,
        _behind(topology),
    )


def _behind(topology: Topology) -> tuple[str, ...] | None:
    """Of the servers that carry XMPP those whose replica is not up to date."""
    if topology.replicas is None:
        return None
    # Without the route as well: a server that is behind may still have one.
    servers = carrying(topology, [edge.fqdn.casefold() for edge in topology.edges or () if edge.legacy is not False])
    late = [one.fqdn for one in topology.replicas if not one.up_to_date]
    return tuple(fqdn for fqdn in late if servers is None or fqdn.casefold() in servers)


def _service(given: t.Mapping[str, t.Any]) -> between.Service:
    """status: of Windows; '' where there is no such service, None where it could not be read."""
    status = given["status"]
    running = None if status is None else status == "Running"
    return between.Service(given["kind"], given["host"], _SERVICES[given["kind"]], running)


def _route(topology: Topology) -> tuple[str | None, bool | None]:
    """Where the sites' routes lead, one that ends at XMPP before others, and whether XMPP is there."""
    if topology.sites is None:
        return None, None
    routes = [site.xmpp_route for site in topology.sites if site.xmpp_route]
    if not routes:
        return "", None
    if topology.edges is None:
        return routes[0], None
    ends = {}
    for edge in topology.edges:
        ends[edge.fqdn.casefold()] = edge.legacy if edge.has_xmpp else False
    known = {route: ends.get(route.casefold(), False) for route in routes}
    for wanted in (True, None, False):
        for route, has in known.items():
            if has is wanted:
                return route, has
    return routes[0], None


# What is seen from outside


def _probed(params: Params, shell: Shell, address: str, domain: str, record: Record | None) -> between.Probed:
    options = params["probe"]
    if options is None:
        return between.Probed()
    own = address.rpartition("@")[2]
    given: dict[str, t.Any] = {name: spec.get("default") for name, spec in probe_tasks.ARGUMENT_SPEC.items()}
    given.update({name: value for name, value in options.items() if value is not None})
    given.update(from_domain=own, own_domains=[own])
    if record is None:
        given["domains"] = [domain]
    else:
        row = {**PARTNER.shown(record.identity, record.values), "domain": domain, "additional_domains": []}
        given["partners"] = [row]
    try:
        result = probe_tasks.work(given, shell, False).values
    except Refused as exc:
        raise Refused(["probe: %s" % reason for reason in exc.reasons]) from None
    offers = [entry["features_before_tls"] or {} for entry in result["domains"]]
    requires = any(offer.get("starttls") == "required" for offer in offers)
    return between.Probed(_findings(result["domains"]), _findings(result["own"]), requires)


def _findings(entries: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(**finding) for entry in entries for finding in entry["findings"])


TASK = Task(ARGUMENT_SPEC, work)
