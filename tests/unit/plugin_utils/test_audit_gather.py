# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the modules return to an audit: nothing that is missing becomes a value, and no object hides another."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION, FEDERATION_INFO
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import Audit
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_decide import (
    MOST_LINES,
    decide,
    lines,
    probe_options,
    why_failed,
)

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import make, run

SKIPPED = {"skipped": True, "changed": False}
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
PARTNERS = [{"domain": name, "connection_limit": 5, **ROW} for name in ("a.test", "b.test")]
CERTIFICATE = {
    "thumbprint": "2F7E1A0B5C9D4E3F8A6B7C1D2E3F4A5B6C7D8E9F",
    "names": ["access.contoso.com"],
    "not_before": "2026-10-01T00:00:00Z",
    "not_after": "2027-04-19T00:00:00Z",
    "usages": ["XmppServer", "AccessEdgeExternal"],
    "managed": ["XmppServer"],
    "renewal": {"due": True, "at": "2027-02-11T08:00:00Z", "reason": "31 % are left"},
    "findings": [{"code": "client_auth", "severity": "warning", "message": "m", "remedy": "r"}],
}


def server() -> MemoryShell:
    switches = ("enable_federation_access", "enable_xmpp_access", "enable_outside_access")
    policies = [{"identity": "Idle", **dict.fromkeys(switches, True)}]
    shell = make(
        {
            "partners": PARTNERS,
            "policies": policies,
            "access_edge": {"allow_outside_users": True, "allow_federated_users": True},
        }
    )
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": "edge.contoso.test"})
    return shell


def audit(shell: MemoryShell | None = None, **given: t.Any) -> Audit:
    shell = shell or server()
    existing = run(FEDERATION_INFO, shell).as_dict()
    parts = {"plan": {"steps": [], "summary": {}}, "probe": SKIPPED, "edges": {}, "access_edge": "", **given}
    return decide(deployment="default", time="2027-03-01T00:00:00Z", host="fe01", existing=existing, **parts)


def about(found: Audit, area: str) -> list[tuple[str, str, str]]:
    return [(one["severity"], one["code"], one["object"]) for one in found["findings"] if one["area"] == area]


def test_what_stands_as_it_may_is_no_error() -> None:
    found = audit()
    assert [one for one in found["findings"] if one["severity"] in ("error", "unknown")] == []
    assert about(found, "policy") == [("info", "unused", "Idle")]
    assert found["own"]["edge_pool"] == "edge.contoso.test"
    assert {one["verdict"] for one in found["partners"]} == {"not_probed"}


def test_each_step_is_a_finding_with_a_name_of_its_own() -> None:
    shell = server()
    declared = {
        "policies": [{"identity": "global", "description": "d"}],
        "partners": [*PARTNERS[:1], {"domain": "c.test", "description": "d"}],
        "partners_purge": True,
        "gateway": {"keep_alive_interval": 5, "dialback_passphrase": "s3cret"},
        "access_edge": {"enable_archiving_disclaimer": True},
    }
    plan = run(FEDERATION, shell, check=True, removal_limit=100, **declared).as_dict()
    found = audit(shell, plan=plan)
    names = [name for _severity, _code, name in about(found, "drift")]
    assert sorted(names) == ["access edge", "gateway", "partner b.test", "partner c.test", "policy global"]
    assert found["summary"]["drift"] == len(found["drift"]["steps"]) == 5
    assert "s3cret" not in str(found)


def test_a_broken_link_of_the_chain_is_a_finding() -> None:
    shell = server()
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": None})
    plan = run(TASK, shell, check=True, preflight=True, access_edge={"allow_federated_users": True}).as_dict()
    found = audit(shell, plan=plan)
    assert about(found, "preflight") == [("error", "no_route", "default")]
    (one,) = (one for one in found["findings"] if one["area"] == "preflight")
    assert one["remedy"].startswith("set a route (sfb_xmpp_federation_routes)")


def test_a_rule_that_finds_a_link_of_the_chain_has_its_severity() -> None:
    shell = server()
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": False})
    plan = run(TASK, shell, check=True, preflight=True, gateway={"keep_alive_interval": 300}).as_dict()
    found = [one for one in audit(shell, plan=plan)["findings"] if one["code"] == "federation_off"]
    assert [(one["area"], one["severity"]) for one in found] == [("own", "error"), ("preflight", "error")]


def test_a_plan_that_is_refused_is_a_finding() -> None:
    found = audit(plan={"msg": "Nothing was written: x", "reasons": ["x"], "failed": False})
    assert about(found, "drift") == [("error", "refused", "default")]


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ({"msg": "Get-CsX failed: denied", "failed": False}, "Get-CsX failed: denied"),
        ({"changed": False, "unanswered": "no route", "other_hosts": ["b"]}, "no route"),
        ({"failed": False}, "no reason given"),
    ],
)
def test_without_a_plan_there_is_no_audit(plan: dict[str, t.Any], why: str) -> None:
    with pytest.raises(Refused) as caught:
        audit(plan=plan)
    (reason,) = caught.value.reasons
    assert reason.startswith("default could not be compared with the settings")
    assert reason.endswith(": " + why)


def test_rules_are_told_apart_by_their_codes() -> None:
    shell = server()
    shell.put("CsExternalAccessPolicy", "Tag:Odd", {"EnableXmppAccess": True})
    codes = {code for _severity, code, name in about(audit(shell), "policy") if name == "Odd"}
    assert codes >= {"policy_without_federation", "policy_without_outside"}
    before = audit(shell)
    shell.put("CsExternalAccessPolicy", "Tag:Odd", {"EnableXmppAccess": True, "EnableFederationAccess": True})
    since = audit(shell, previous=before)["since"]
    assert [one["code"] for one in since["gone"]] == ["policy_without_federation"]
    assert audit(shell, previous={**before, "deployment": "other"})["since"] is None


def test_what_is_shown_and_why_a_run_fails() -> None:
    step = {"cmdlet": "Remove-CsXmppAllowedPartner", "parameters": {}, "result": "planned"}
    steps = [{**step, "identity": "p%02d.test" % number} for number in range(60)]
    found = audit(plan={"steps": steps, "summary": {"removed": 60}})
    shown = lines(found, ["/srv/audit/audit.json"], "error")
    assert shown[0].startswith("Audit of fe01: 60 differences from the inventory")
    assert shown[1].startswith("  error    partner p00.test: it exists, but is not declared")
    counted = "Findings: 60 errors, 1 note."
    assert shown[MOST_LINES + 1 :] == ["  10 more in audit.json", counted, "Files:", "  /srv/audit/audit.json"]
    assert why_failed(found, "error") == "60 findings of fe01 reach the severity error (sfb_xmpp_audit.fail_on)."
    assert why_failed(found, "never") == ""
    assert lines(found, [], "never")[1:] == [counted, "Files:"]
    # What could not be seen counts from its own severity on.
    unseen = audit(edges={"edge01": {"msg": "no route"}})
    assert [bool(why_failed(unseen, word)) for word in ("error", "unknown", "warning")] == [False, True, True]


FILE = {"type": "pkcs12", "path": "gw.pfx", "passphrase": "s3cret", "days": 30}


@pytest.mark.parametrize(
    ("verification", "certificate", "options"),
    [
        ({}, {}, {"own_domains": ["a.test", "b.test"], "from_domain": "a.test", "allow_local": False}),
        # The certificate chooses among the domains, names the Access Edge, and may be one text.
        (
            {},
            {"names": "sip.a.test, b.test", "source": FILE},
            {
                "own_domains": ["b.test"],
                "from_domain": "b.test",
                "access_edge": "sip.a.test",
                "certificate": {"path": "gw.pfx", "passphrase": "s3cret"},
                "allow_local": False,
            },
        ),
        # What is set for the probe wins. Another kind of source leaves no file here.
        (
            {
                "own_domains": "x.test",
                "from_domain": "y.test",
                "access_edge": "e.test",
                "timeout": 2,
                "workers": None,
                "allow_local": True,
            },
            {"names": ["sip.a.test"], "source": {**FILE, "type": "own_ca"}},
            {
                "own_domains": ["x.test"],
                "from_domain": "y.test",
                "access_edge": "e.test",
                "timeout": 2,
                "allow_local": True,
            },
        ),
    ],
)
def test_the_probe_is_asked_by_the_settings(
    verification: dict[str, t.Any], certificate: dict[str, t.Any], options: dict[str, t.Any]
) -> None:
    assert probe_options(verification, certificate, ["a.test", "b.test"]) == options


@pytest.mark.parametrize("odd", ["a_b.test", "single", "x.test\u200e"])
def test_partners_are_asked_in_the_name_of_an_own_domain_that_can_ask(odd: str) -> None:
    assert probe_options({}, {}, [odd, "b.test"])["from_domain"] == "b.test"
    assert probe_options({}, {}, [odd])["from_domain"] == ""


def test_a_probe_that_failed_is_a_finding_and_no_verdict() -> None:
    found = audit(probe={"failed": False, "msg": "dnspython is needed"})
    assert about(found, "partner") == [("unknown", "not_probed", "all partners")]
    assert {one["secured_by"] for one in found["partners"]} == {"unknown"}


def entry(domain: str, partner: str, verdict: str, uses: t.Any, accepts: t.Any, end: str) -> dict[str, t.Any]:
    told = {"code": "c", "severity": "error" if verdict == "failed" else "warning", "message": "m", "remedy": ""}
    return {
        "domain": domain,
        "partner": partner,
        "verdict": verdict,
        "findings": [] if verdict == "ok" else [told],
        "declared": {"uses": uses},
        "accepts": accepts,
        "certificate": {"not_after": end},
    }


def test_what_the_rules_say_of_a_partner_is_said_once() -> None:
    one = entry("a.test", "a.test", "failed", [], {}, "2027-09-01T00:00:00Z")
    one["findings"] = [
        {"code": code, "severity": "error", "message": "m", "remedy": ""} for code in ("row_invalid", "row_risky", "c")
    ]
    found = audit(probe={"domains": [one], "own": []})
    assert [code for _severity, code, name in about(found, "partner") if name == "a.test"] == ["c"]


def test_a_partner_is_as_good_as_the_worst_of_its_domains() -> None:
    sasl, dialback = "SASL EXTERNAL over TLS", "dialback over TLS"
    entries = [
        entry("a.test", "a.test", "ok", [sasl], {sasl: "yes"}, "2027-09-01T00:00:00Z"),
        entry("x.a.test", "a.test", "failed", [sasl, dialback], {sasl: "unknown", dialback: "yes"},
              "2027-08-01T00:00:00Z"),
        entry("b.test", "b.test", "warning", [sasl], {sasl: "unknown"}, "2027-08-01T00:00:00Z"),
    ]  # fmt: skip
    found = audit(probe={"domains": entries, "own": []})
    first, second = found["partners"]
    assert (first["verdict"], first["secured_by"]) == ("failed", "tls_dialback")
    assert first["certificate_end"] == "2027-08-01T00:00:00Z"
    assert (second["verdict"], second["secured_by"]) == ("warning", "unknown")
    assert [one["message"] for one in found["findings"] if one["object"] == "a.test"] == ["x.a.test: m"]


def test_edges_and_those_that_say_nothing() -> None:
    edges = {"edge01": {"certificates": [CERTIFICATE]}, "edge02": {"msg": "no route"}, "edge03": {"certificates": []}}
    found = audit(edges=edges)
    assert found["own"]["edges"] == ["edge01", "edge02", "edge03"]
    assert {one["usage"] for one in found["certificates"]} == {"XmppServer", "AccessEdgeExternal"}
    assert {one["renewal_due"] for one in found["certificates"]} == {"2027-02-11T08:00:00Z"}
    assert set(about(found, "preflight")) == {
        ("warning", "certificate_missing", "default"),
        ("unknown", "certificate_unknown", "default"),
    }
    (unread,) = (one for one in found["findings"] if one["code"] == "certificate_unknown")
    assert "edge02 (no route)" in unread["message"]
    assert set(about(found, "certificate")) == {
        ("warning", "client_auth", "edge01 XmppServer"),
        ("warning", "renewal_due", "edge01 XmppServer"),
        ("warning", "renewal_due", "edge01 AccessEdgeExternal"),
    }


def ended(usage: str) -> dict[str, t.Any]:
    over = {"code": "expired", "severity": "error", "message": "it expired", "remedy": "r"}
    return {**CERTIFICATE, "usages": [usage], "not_after": "2027-02-01T00:00:00Z", "findings": [over]}


def test_both_certificates_of_mtls_are_listed_with_their_ends_and_judged() -> None:
    edges = {"edge01": {"certificates": [{**CERTIFICATE, "findings": []}, ended("Internal")]}}
    found = audit(edges=edges, front_ends={"fe01": {"certificates": [ended("Default")]}})
    listed = {(one["host"], one["usage"], one["not_after"]) for one in found["certificates"]}
    assert listed >= {("edge01", "Internal", "2027-02-01T00:00:00Z"), ("fe01", "Default", "2027-02-01T00:00:00Z")}
    assert about(found, "preflight") == [
        ("error", "default_certificate_expired", "default"),
        ("error", "internal_certificate_expired", "default"),
    ]
    assert found["own"]["edges"] == ["edge01"]


def test_services_and_clocks_that_were_read_are_judged_by_the_same_links() -> None:
    services = [{"host": "fe01", "kind": "gateway", "status": "Stopped"}]
    edges = {"edge01": {"certificates": [CERTIFICATE], "clock_ahead": 900.0}}
    assert about(audit(edges=edges, services=services), "preflight") == [
        ("error", "gateway_stopped", "default"),
        ("warning", "clock_apart", "default"),
    ]
