# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run xmpp_explain_info: read all links between a user and a partner, probe the partner, and explain the result.

If the account has no rights to read a value, the link is unknown. All other links are still checked.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from .._base.findings import Finding
from .._base.names import Invalid, canonical_domain
from .._base.names import key as key_of
from .._base.reading import is_unknown
from .._base.result import Params, Refused, Result, ServerRefused, Unreadable
from .._base.step import Record
from .._base.task import Task
from .._federation.catalogue import ACCESS_EDGE, PARTNER, POLICY
from .._federation.deployment import USER_PROPERTIES, Deployment, Reader, User, user_of
from .._probe.options import ARGUMENT_SPEC as PROBE_SPEC
from .._probe.own_domains import asking
from .._probe.tasks import work as probe_all
from .._probe.what_if import lines
from .._shell.statement import Shell, Statement
from .._topology.topology import read_topology
from .conditions import access_edges, unreadable
from .known import Known, Pair, Probed, Scope
from .pair import explain
from .servers import SERVER_OPTIONS, servers_known

PROBE_OPTIONS = (
    "access_edge",
    "gateway_port",
    "certificate",
    "trust_store",
    "nameservers",
    "timeout",
    "expires_within",
    "allow_local",
)
ARGUMENT_SPEC: dict[str, t.Any] = {
    "user": {"type": "str", "required": True},
    "partner": {"type": "str", "required": True},
    **SERVER_OPTIONS,
    "probe": {"type": "dict", "options": {name: PROBE_SPEC[name] for name in PROBE_OPTIONS}},
}
_ADDRESS = re.compile(r"[^@/\s*]+@[^@/\s*]+\Z")


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Run xmpp_explain_info. Raises Refused, ServerRefused, ShellError."""
    address, domain = _pair(params)
    topology, reader = read_topology(shell), Reader(shell)
    kinds = (POLICY, PARTNER, ACCESS_EDGE)
    deployment, _items = reader.kinds_and(kinds)
    pair = _between(address, domain, _user(shell, address), reader, deployment)
    known = replace(servers_known(params), topology=topology, deployment=deployment, pair=pair)
    probed = _probed(params, shell, known, pair)
    explanation, then = explain(known, probed), list(probed.what_if)
    report = [explanation.sentence, *map(str, explanation.entries), *lines(then)]
    odd = unreadable(known)
    return Result(
        {**explanation.as_dict(), "user": address, "partner_domain": domain, "what_if": then, "report": report},
        warnings=[odd.fields["what"]] if odd else [],
    )


def _pair(params: Params) -> tuple[str, str]:
    """Return the user's address and the partner's domain.

    The option can also be the address of one of the partner's users.
    """
    reasons = []
    address = str(params["user"] or "").strip().lower().removeprefix("sip:")
    if not _ADDRESS.match(address):
        text = "user: %s; write the user's SIP address, for example ann@contoso.com"
        reasons.append(text % ("'%s' is not an address" % params["user"] if address else "is missing"))
    given, domain = str(params["partner"] or "").strip(), ""
    try:
        if not given:
            raise Invalid("is missing; write the partner's domain, or the address of one of its users")
        domain = canonical_domain(given.lower().removeprefix("xmpp:").rpartition("@")[2])
    except Invalid as exc:
        reasons.append("partner: %s" % exc)
    if reasons:
        raise Refused(reasons)
    return address, domain


# The user and the policy


def _user(shell: Shell, address: str) -> User | t.Literal["unknown"] | None:
    """Return the user; None if no user has this address."""
    answer = shell.invoke([Statement("Get-CsUser", {"Identity": "sip:" + address}, select=USER_PROPERTIES)])
    if len(answer.output) == 1:
        return user_of(answer.output[0])
    nobody = answer.errors and all("notfound" in error.category.lower() for error in answer.errors)
    return None if nobody and not is_unknown(answer) and not answer.lost else "unknown"


def _between(
    address: str, domain: str, found: User | t.Literal["unknown"] | None, reader: Reader, deployment: Deployment
) -> Pair:
    if found is None or found == "unknown":
        return Pair(address, domain, absent=found is None)
    scope, policy = _policy(found, reader, deployment)
    return Pair(address, domain, found, policy=policy, scope=scope)


def _policy(user: User, reader: Reader, deployment: Deployment) -> tuple[Scope | None, Record | None]:
    """Return the level of the policy in effect, and the policy; None if unknown."""
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


# The probe


def _probed(params: Params, shell: Shell, known: Known, pair: Pair) -> Probed:
    options = params["probe"]
    if options is None:
        return Probed()
    own = asking([pair.address.rpartition("@")[2]])
    if not own:
        return Probed()  # a probe needs a valid own domain
    given: dict[str, t.Any] = {name: spec.get("default") for name, spec in PROBE_SPEC.items()}
    given.update({name: value for name, value in options.items() if value is not None})
    given.update(from_domain=own, own_domains=[own], read=["partners"], what_if=True)
    given["views"] = [view.as_dict() for view in known.views or ()]
    edges = access_edges(known.topology) if known.topology is not None else []
    if not given["access_edge"] and len(edges) == 1:
        given["access_edge"] = edges[0]
    record = known.partner
    if record is None:
        given["domains"] = [pair.domain]
    else:
        row = {**PARTNER.shown(record.identity, record.values), "domain": pair.domain, "additional_domains": []}
        given["partners"] = [row]
    try:
        result = probe_all(given, shell, False).values
    except Refused as exc:
        raise Refused(["probe: %s" % reason for reason in exc.reasons]) from None
    offers = [entry["features_before_tls"] or {} for entry in result["domains"]]
    requires = any(offer.get("starttls") == "required" for offer in offers)
    view = next((str(entry["view"]) for entry in result["domains"] if "view" in entry), "")
    then = tuple(one for entry in result["domains"] for one in entry.get("what_if", ()))
    return Probed(_findings(result["domains"]), _findings(result["own"]), requires, view, then)


def _findings(entries: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(**finding) for entry in entries for finding in entry["findings"])


TASK = Task(ARGUMENT_SPEC, work)
