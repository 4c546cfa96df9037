# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audits to test reports with: as many partners as wanted, in every state that there is, the same for the same seed.

``python -m tests.unit.plugin_utils.audit_sample DIRECTORY [PARTNERS]`` writes the files of one.
"""

from __future__ import annotations

import datetime
import itertools
import random
import sys
import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import number
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.what_if import what_if
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import Audit
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_files import save
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit import make_audit
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_what_if import gather_what_if

from tests.unit.module_utils.test_what_if import lenient, strict

NOW = datetime.datetime(2026, 11, 24, 6, 0, tzinfo=datetime.timezone.utc)
# What would be code, a command or the end of a field in one of the formats.
HOSTILE = (
    "<script>alert(1)</script>\"'>",
    '</script><img src="https://evil.example/x" onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %} ]]> -->",
    "a|b`c\\d\n# e\r\n- f [g](javascript:alert(1)) *h* _i_ @j &lt; #1",
    'x"} 1\nsfb_xmpp_drift_objects{deployment="y',
    "\x00\x1b[31m\x0b\ufffe\u202e",
    "\U0001f4a9 münchen.example",
)

_FIRST = "adatum alpine blueyonder cohowinery contoso fabrikam fourthcoffee graphic litware lucerne northwind".split()
_SECOND = "bank care cloud energy foods health labs legal lines media motors ports school steel tours trade".split()
_THIRD = "example mid.example north.example south.example east.example west.example central.example".split()
_VERDICTS = ["ok"] * 75 + ["warning"] * 14 + ["failed"] * 5 + ["not_observable"] * 6
_ROWS = {
    "certificate": Row("required", "required", False),
    "tls_dialback": Row("required", "optional", True),
    "clear_dialback": Row("not_supported", "not_supported", True),
    "nothing": Row("required", "required", True),
    "unknown": Row("required", "optional", True),
}
_CERTIFICATE_SOON = "remind the partner to renew it"


def stamp(days: float) -> str:
    """So many days after the audit."""
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def finding(severity: str, area: str, code: str, name: str, message: str, remedy: str = "") -> dict[str, str]:
    return {"code": code, "severity": severity, "area": area, "object": name, "message": message, "remedy": remedy}


def certificate(host: str, usage: str, days: int, due: int | None) -> dict[str, t.Any]:
    return {
        "host": host,
        "usage": usage,
        "thumbprint": "2F7E1A0B5C9D4E3F8A6B7C1D2E3F4A5B6C7D8E9F",
        "names": ["access.contoso.com", "contoso.com"],
        "not_before": stamp(days - 398),
        "not_after": stamp(days),
        "renewal_due": None if due is None else stamp(due),
    }


def partner(
    domain: str, verdict: str = "ok", secured_by: str = "certificate", days: int | None = 200
) -> dict[str, t.Any]:
    row = _ROWS[secured_by]
    return {
        "domain": domain,
        "additional_domains": [],
        "type": "federated",
        "row": {
            "number": number(row),
            "tls_negotiation": row.tls,
            "sasl_negotiation": row.sasl,
            "support_dialback_negotiation": row.dialback,
            "level": row.level,
        },
        "secured_by": secured_by,
        "verdict": verdict,
        "certificate_end": None if days is None else stamp(days),
    }


def sample(partners: int = 1000, seed: int = 1, hostile: bool = False, previous: Audit | None = None) -> Audit:
    """hostile: names and messages that no format may take for its own."""
    chance = random.Random(seed)
    members, found = [], []
    domains = (".".join(("-".join(pair), end)) for end, *pair in itertools.product(_THIRD, _FIRST, _SECOND))
    for domain in itertools.islice(domains, partners):
        member = _member(chance, domain)
        members.append(member)
        found += list(_about(chance, member))
    if hostile:
        for order, name in enumerate(HOSTILE):
            members.append({**partner(name, "failed", "nothing", None), "additional_domains": [name + "2"]})
            found.append(finding("error", "partner", "stream_error", name, name, name))
            found.append(finding("warning", "policy", name, name + str(order), name, name))
    steps = _steps(members[: min(7, partners)])
    found += [
        finding(
            "error",
            "drift",
            "not_as_declared",
            s["identity"],
            "tls_negotiation: optional, declared required",
            "run sfb.xmpp.converge",
        )
        for s in steps
    ]
    text = HOSTILE[0] if hostile else "the certificate of XmppServer ends in 19 days"
    found.append(
        finding(
            "warning",
            "certificate",
            "certificate_expires_soon",
            "edge02.contoso.com XmppServer",
            text,
            "run sfb.xmpp.certificate",
        )
    )
    found.append(
        finding("info", "policy", "policy_unused", "XmppPilot", "it enables XMPP access and is granted to nobody")
    )
    return make_audit(
        collection="0.1.0",
        deployment=HOSTILE[1] if hostile else "contoso",
        time=stamp(0),
        host="fe01.contoso.com",
        own={
            "domains": [
                {"domain": "contoso.com", "verdict": "ok"},
                {"domain": "contoso.example", "verdict": "warning"},
            ],
            "edge_pool": "edgepool.contoso.com",
            "access_edge_fqdn": "access.contoso.com",
            "edges": ["edge01.contoso.com", "edge02.contoso.com"],
        },
        findings=found,
        partners=members,
        policies=[
            {"identity": name, "enable_federation_access": True, "enable_xmpp_access": xmpp, "granted_to": users}
            for name, xmpp, users in (("global", False, None), ("XmppStaff", True, 1412), ("XmppPilot", True, 0))
        ],
        certificates=[
            certificate("edge01.contoso.com", "XmppServer", 211, 78),
            certificate("edge02.contoso.com", "XmppServer", 19, -114),
            certificate("edge01.contoso.com", "AccessEdgeExternal", 211, None),
        ],
        drift={
            "added": 2 if steps else 0,
            "changed": max(0, len(steps) - 2),
            "removed": 0,
            "granted": 0,
            "withdrawn": 0,
            "unchanged": partners,
            "steps": steps,
        },
        forecast={"days": 90, "items": [*_ahead(members[:3]), *_hostile_ahead(hostile)]},
        what_if=_what_if(members, hostile),
        previous=previous,
    )


def _ahead(members: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    """What breaks in the next days: a certificate of ours with what depends on it, then partners."""
    told = "it expired on %s" % stamp(19)
    for area, name in (("certificate", "edge02.contoso.com XmppServer"), ("own", "contoso.com")):
        yield _item(19, "error", area, "expired", name, told, "run sfb.xmpp.certificate", len(members), 1412)
    for order, member in enumerate(members):
        text = "the partner's certificate: it expired on %s" % stamp(30 + order)
        severity = "warning" if order else "error"
        yield _item(
            30 + order, severity, "partner", "certificate_expired", member["domain"], text, "ask for it", 1, None
        )


def _hostile_ahead(hostile: bool) -> t.Iterator[dict[str, t.Any]]:
    for order, name in enumerate(HOSTILE if hostile else ()):
        yield _item(60 + order, "error", "partner", "stream_error", name, name, name, 1, None)


def _item(
    days: float,
    severity: str,
    area: str,
    code: str,
    name: str,
    message: str,
    remedy: str,
    partners: int,
    users: int | None,
) -> dict[str, t.Any]:
    found = finding(severity, area, code, name, message, remedy)
    return {**found, "at": stamp(days), "last_day": stamp(days - 1)[:10], "partners": partners, "users": users}


def _what_if(members: t.Iterable[dict[str, t.Any]], hostile: bool) -> dict[str, t.Any]:
    """As of a probe that saw partners with all methods, and others with certificates alone."""
    seen = [what_if(facts, _ROWS["tls_dialback"]) for facts in (lenient(), strict())]
    entries = [
        {"partner": member["domain"], "what_if": [one.as_dict() for one in seen[member["secured_by"] == "certificate"]]}
        for member in members
    ]
    if hostile:
        for entry in entries:
            entry["what_if"] = [{**one, "text": HOSTILE[0], "remedy": HOSTILE[3]} for one in entry["what_if"]]
    return gather_what_if({"domains": entries})


def _member(chance: random.Random, domain: str) -> dict[str, t.Any]:
    verdict = chance.choice(_VERDICTS)
    ways = ["certificate"] * 5 + ["tls_dialback"] * 8 + ["clear_dialback"]
    secured = {"failed": "nothing", "not_observable": "unknown"}.get(verdict) or chance.choice(ways)
    # Two kinds of certificates are about: those of 90 days, renewed a month ahead, and those of a year.
    days = chance.choice([chance.randint(28, 90), chance.randint(28, 90), chance.randint(20, 397)])
    if verdict == "warning" and chance.random() < 0.6:
        days = chance.randint(-3, 14)
    seen = secured not in ("unknown", "clear_dialback") and chance.random() < 0.95
    member = partner(domain, verdict, secured, days if seen else None)
    if chance.random() < 0.1:
        member["additional_domains"] = ["chat." + domain]
    return member


def _about(chance: random.Random, member: dict[str, t.Any]) -> t.Iterator[dict[str, str]]:
    name, end = member["domain"], member["certificate_end"]
    if member["verdict"] == "failed":
        if chance.random() < 0.5:
            yield finding(
                "error",
                "partner",
                "certificate_expired",
                name,
                "the partner's certificate: it ended on 2026-11-02",
                "ask the partner to renew the certificate",
            )
        yield finding(
            "error",
            "partner",
            "row_does_not_work",
            name,
            "no method of the declared settings works (SASL EXTERNAL over TLS)",
            "declare tls_negotiation: required, sasl_negotiation: optional, support_dialback_negotiation: true",
        )
    elif member["verdict"] == "not_observable":
        text = "the controller cannot check this: xmpp.%s:5269 cannot be reached (timeout)" % name
        yield finding(
            "unknown",
            "partner",
            "not_reachable",
            name,
            text,
            "run the probe from a host with the same network access as the Edge",
        )
    elif member["verdict"] == "warning" and end is not None and end < stamp(15):
        yield finding(
            "warning",
            "partner",
            "certificate_expires_soon",
            name,
            "the partner's certificate: it ends on " + end[:10],
            _CERTIFICATE_SOON,
        )
    elif member["verdict"] == "warning":
        yield finding(
            "warning",
            "partner",
            "certificate_client_auth",
            name,
            "the partner's certificate: it is not issued for client authentication",
            "set sasl_negotiation to optional and support_dialback_negotiation to true, or ask the partner for a"
            " certificate with both purposes",
        )


def _steps(members: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return [
        {
            "cmdlet": "%s-CsXmppAllowedPartner" % ("New" if order < 2 else "Set"),
            "identity": member["domain"],
            "parameters": {"Identity": member["domain"], "TlsNegotiation": "Required", "ConnectionLimit": 20},
            "result": "planned",
        }
        for order, member in enumerate(members)
    ]


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    before = sample(count, seed=2)
    before["time"] = stamp(-7)
    print("\n".join(save(sys.argv[1], sample(count, previous=before))))
