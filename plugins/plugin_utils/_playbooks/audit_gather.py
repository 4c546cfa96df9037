# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn the results of the modules into the parts of an audit.

All functions are pure. A missing result becomes a finding, never a value.
Without a plan no audit is made. An audit without a plan cannot show differences.
"""

from __future__ import annotations

import json
import typing as t

from ...module_utils._base.findings import BOTH
from ...module_utils._base.names import is_per_user
from ...module_utils._base.names import key as key_of
from ...module_utils._base.texts import printable
from ...module_utils._chain.links import LINKS
from ...module_utils._chain.servers import servers_known
from ...module_utils._chain.walk import walk
from ...module_utils._federation.catalogue import RESOURCES
from ...module_utils._federation.negotiation import SASL_OVER_TLS, TCP_DIALBACK, TLS_DIALBACK, Row
from ...module_utils._probe.rows import number
from .._documents import audit_texts as words
from .._documents.finding_order import Finding
from .audit_compare import certificate_name

Result = t.Mapping[str, t.Any]

_SECURED = {SASL_OVER_TLS: "certificate", TLS_DIALBACK: "tls_dialback", TCP_DIALBACK: "clear_dialback"}
_LABELS = {resource.noun: resource.label for resource in RESOURCES}
_SINGLE = {resource.label for resource in RESOURCES if resource.single}
# The rules for existing objects already report these findings.
_OF_RULES = ("row_invalid", "row_risky")
_RENEW = "run sfb.xmpp.certificate"
_CONVERGE = "run sfb.xmpp.converge, or declare the present state"
# If a finding of a rule is also a link of the chain, the finding has the severity of the link.
_LINKS = {link.code: link.severity for link in LINKS}
# The area of the findings of a rule, by the kind of the object.
_AREAS = {"partner": "partner", "policy": "policy"}


def finding(severity: str, area: str, code: str, name: str, message: str, remedy: str = "") -> Finding:
    return {"code": code, "severity": severity, "area": area, "object": name, "message": message, "remedy": remedy}


def not_compared(plan: Result) -> str:
    """Return why the plan is no comparison with the settings; empty if the plan is a comparison.

    A playbook that continues after a failure marks no task as failed. Therefore only the keys of a plan show a failure.
    A plan that converge refuses is also a comparison.
    """
    return "" if "steps" in plan or plan.get("reasons") else _reason(plan)


def gather(
    *,
    deployment: str,
    existing: Result,
    plan: Result,
    probe: Result,
    edges: t.Mapping[str, Result],
    access_edge: str,
    front_ends: t.Mapping[str, Result] | None = None,
    services: t.Sequence[Result] = (),
    views: t.Mapping[str, Result] | None = None,
) -> dict[str, t.Any]:
    """Return the arguments of make_audit() that come from servers and partners.

    existing: the result of xmpp_federation_info.
    plan: the result of xmpp_federation in check mode, for which not_compared() returns an empty text.
    probe: the result of xmpp_partner_probe_info, with ``skipped`` if this run does not probe.
    edges: results of xmpp_gateway_cert_info, by host.
    front_ends: results of xmpp_gateway_cert_info, by host, if Front Ends were read.
    services: the XMPP services of hosts (server_reads.py).
    views: results of xmpp_edge_view, by host.
    """
    partners, probed = _partners(existing["partners"], probe)
    certificates, of_certificates = _certificates({**edges, **(front_ends or {})})
    servers = _servers(deployment, edges, front_ends or {}, services, views or {})
    routes = [route["edge_pool"] for route in existing["federation_routes"] if route.get("edge_pool")]
    return {
        "own": {
            "domains": [{"domain": one["domain"], "verdict": one["verdict"]} for one in probe.get("own") or ()],
            "edge_pool": routes[0] if routes else None,
            "access_edge_fqdn": access_edge or None,
            "edges": sorted(edges),
        },
        "findings": [*_drift(deployment, plan), *_rules(existing), *probed, *of_certificates, *servers],
        "partners": partners,
        "policies": [_policy(one) for one in existing["policies"]],
        "certificates": certificates,
        "edge_events": [
            {"host": host, **{name: one[name] for name in ("id", "level", "provider", "count", "last", "text")}}
            for host, view in sorted((views or {}).items())
            for one in view["events"] or ()
        ],
        "drift": {**_no_drift(), **(plan.get("summary") or {}), "steps": list(plan.get("steps") or ())},
    }


# Drift


def _no_drift() -> dict[str, int]:
    return dict.fromkeys((*words.DRIFT, "unchanged"), 0)


def _drift(deployment: str, plan: Result) -> t.Iterator[Finding]:
    for step in plan.get("steps") or ():
        yield finding("error", "drift", "not_as_declared", step_object(step), _step_text(step), _CONVERGE)
    # The preflight checks the deployment in its state after the plan.
    links = (plan.get("preflight") or {}).get("findings", ())
    for one in links:
        yield _of_link(deployment, one)
    for text in plan.get("warnings") or ():
        if text not in [one["message"] for one in links]:
            yield finding("warning", "preflight", "warning", deployment, text)
    if "steps" not in plan:
        for text in plan["reasons"]:
            yield finding(
                "error", "drift", "refused", deployment, text, "converge would refuse to run. Correct this first"
            )


def _reason(result: Result) -> str:
    """Return why a task has no usable result."""
    texts = (result.get(name) for name in ("msg", "skip_reason", "unanswered"))
    return printable(next((str(text) for text in texts if text), "no reason given"))


def step_object(step: Result) -> str:
    """Return the object of a step with the object's kind, because a policy and a setting can have the same name."""
    noun = str(step["cmdlet"]).partition("-")[2]
    label = "user" if str(step["cmdlet"]).startswith("Grant-") else _LABELS.get(noun, noun)
    return label if label in _SINGLE else "%s %s" % (label, step["identity"])


def _step_text(step: Result) -> str:
    verb = str(step["cmdlet"]).partition("-")[0]
    given = {n: v for n, v in step["parameters"].items() if n not in ("Identity", "Confirm", "DomainController")}
    if verb == "Grant":
        policy = given.get("PolicyName")
        return "the policy %s is declared" % policy if policy else "no policy is declared, but the user has a policy"
    if verb == "New":
        return "it is declared, but does not exist"
    if verb == "Remove":
        return "it exists, but is not declared"
    return "other values are declared: " + ", ".join("%s %s" % (n, _value(v)) for n, v in given.items())


def _value(value: t.Any) -> str:
    if value == {"secret": True}:
        return "(secret)"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _rules(existing: Result) -> t.Iterator[Finding]:
    """Return the findings on existing objects that are wrong or risky, declared or not."""
    for one in existing["findings"]:
        area = _AREAS.get(one["kind"], "own")
        name = one["identity"] if area != "own" or one["kind"] not in _SINGLE else one["kind"]
        yield finding(_LINKS.get(one["code"], one["severity"]), area, one["code"], name, one["message"])
    for policy in existing["policies"]:
        if policy["enable_xmpp_access"] and _policy(policy)["granted_to"] == 0:
            yield finding(
                "info",
                "policy",
                "unused",
                policy["identity"],
                "it allows XMPP, but this account sees no user who has it",
            )


def _policy(policy: Result) -> dict[str, t.Any]:
    counted = is_per_user(key_of(policy["identity"])) and policy.get("granted_to") is not None
    return {
        "identity": policy["identity"],
        "enable_federation_access": policy["enable_federation_access"],
        "enable_xmpp_access": policy["enable_xmpp_access"],
        "granted_to": len(policy["granted_to"]) if counted else None,
    }


# Partners


def _partners(existing: t.Sequence[Result], probe: Result) -> tuple[list[dict[str, t.Any]], list[Finding]]:
    """Return the partners with the results of the probe, and the findings. A failed probe is a finding."""
    found: list[Finding] = []
    entries: dict[str, list[Result]] = {}
    for entry in probe.get("domains") or ():
        entries.setdefault(key_of(entry["partner"]), []).append(entry)
        found += _of_entry(entry, "partner", entry["partner"])
    for entry in probe.get("own") or ():
        found += _of_entry(entry, "own", entry["domain"])
    if "domains" not in probe and not probe.get("skipped"):
        text = "partners could not be probed: %s" % _reason(probe)
        found.append(finding("unknown", "partner", "not_probed", "all partners", text))
    return [_partner(one, entries.get(key_of(one["domain"]), [])) for one in existing], found


def _of_entry(entry: Result, area: str, name: str) -> t.Iterator[Finding]:
    about = "" if key_of(entry["domain"]) == key_of(name) else entry["domain"] + ": "
    for one in entry["findings"]:
        if one["code"] in _OF_RULES:
            continue
        found = finding(one["severity"], area, one["code"], name, about + one["message"], one["remedy"])
        yield {**found, "view": one["view"]} if one.get("view") else found


def _partner(partner: Result, entries: t.Sequence[Result]) -> dict[str, t.Any]:
    row = Row(partner["tls_negotiation"], partner["sasl_negotiation"], partner["support_dialback_negotiation"])
    verdicts = [entry["verdict"] for entry in entries] or ["not_probed"]
    secured = [_secured_by(entry) for entry in entries] or ["unknown"]
    ends = [entry["certificate"]["not_after"] for entry in entries if entry["certificate"]]
    return {
        "domain": partner["domain"],
        "additional_domains": list(partner["additional_domains"]),
        "type": partner["partner_type"],
        "row": {
            "number": number(row),
            "tls_negotiation": row.tls,
            "sasl_negotiation": row.sasl,
            "support_dialback_negotiation": row.dialback,
            "level": row.level,
        },
        **_of_edges(entries),
        # If a partner has several domains, the worst domain decides.
        "secured_by": max(secured, key=list(words.SECURED_BY).index),
        "verdict": min(verdicts, key=list(words.VERDICTS).index),
        "certificate_end": min(ends, default=None),
    }


def _of_edges(entries: t.Sequence[Result]) -> dict[str, t.Any]:
    """Return whose view decided the verdict, and which Edges reach the partner; empty if no Edge was asked."""
    seen = [entry for entry in entries if "view" in entry]
    if not seen:
        return {}
    views = {entry["view"] for entry in seen}
    reached: dict[str, list[t.Any]] = {}
    for entry in seen:
        for edge in entry["edges"]:
            reached.setdefault(edge["host"], []).append(edge["reached"])
    return {
        "view": BOTH if len(views) > 1 else views.pop(),
        # If a partner has several domains, the worst domain decides: first not reached, then unknown.
        "edges": [
            {"host": host, "reached": False if False in found else None if None in found else True}
            for host, found in sorted(reached.items())
        ],
    }


def _secured_by(entry: Result) -> str:
    """Return the strongest method that worked in a check.

    If the settings use no method, the value is ``nothing``. If no used method worked, or without settings, the value is
    ``unknown``.
    """
    uses = (entry["declared"] or {}).get("uses")
    if uses is None:
        return "unknown"
    seen = [method for method in uses if (entry["accepts"] or {}).get(method) == "yes"]
    return _SECURED[seen[0]] if seen else "unknown" if uses else "nothing"


# Edges and Front Ends


def _of_link(deployment: str, one: Result) -> Finding:
    """Return the finding for a broken link of the chain."""
    return finding(one["severity"], "preflight", one["code"], deployment, one["message"], one["remedy"])


def _servers(
    deployment: str,
    edges: t.Mapping[str, Result],
    front_ends: t.Mapping[str, Result],
    services: t.Sequence[Result],
    views: t.Mapping[str, Result],
) -> list[Finding]:
    """Return the broken links of the chain that depend on the servers.

    The view of the Edges on a partner is not included. The partner's entry of the probe has the view.
    """

    def given(reads: t.Mapping[str, Result]) -> list[dict[str, t.Any]]:
        return [
            {
                "host": _host(host, read),
                "certificates": read.get("certificates"),
                "clock_ahead": read.get("clock_ahead"),
                "view": views.get(host),
            }
            for host, read in sorted(reads.items())
        ]

    known = servers_known({"services": services, "edges": given(edges), "front_ends": given(front_ends)})
    return [_of_link(deployment, one.as_dict()) for one in walk(known)]


def _host(host: str, read: Result) -> str:
    """Return the host's name, with the reason if the host could not be read."""
    return host if "certificates" in read else "%s (%s)" % (host, _reason(read))


def _certificates(edges: t.Mapping[str, Result]) -> tuple[list[dict[str, t.Any]], list[Finding]]:
    certificates, found = [], []
    for host, result in sorted(edges.items()):
        for one in result.get("certificates", ()):
            renewal = one.get("renewal") or {}
            for usage in one["usages"]:
                item = {"host": host, "usage": usage, "renewal_due": renewal.get("at")}
                item.update({name: one[name] for name in ("thumbprint", "names", "not_before", "not_after")})
                certificates.append(item)
                name = certificate_name(item)
                managed = usage in one["managed"]
                # If a certificate has managed usages, the names and the CA of the certificate are checked for the
                # managed usages only.
                for two in one["findings"] if managed or not one["managed"] else ():
                    remedy = _RENEW if managed and two["code"] in ("expired", "expires_soon") else two["remedy"]
                    found.append(finding(two["severity"], "certificate", two["code"], name, two["message"], remedy))
                if renewal.get("due"):
                    text = "its renewal is due: %s" % renewal["reason"]
                    remedy = _RENEW if managed else "renew it in the deployment wizard"
                    found.append(finding("warning", "certificate", "renewal_due", name, text, remedy))
    return certificates, found
