# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verification decides: whose certificate, which partners, what is shown, the sentence of a failure."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import verification as _verification
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.verification import Message, OwnCertificate
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.certificate import certificate_of

FILE = {"type": "pkcs12", "path": "/gateway.pfx", "passphrase": "secret"}


def test_its_file_and_names() -> None:
    names = ["sip.contoso.test", "contoso.test"]
    found = _verification.own_certificate({"names": names, "source": FILE})
    file = {"path": "/gateway.pfx", "passphrase": "secret"}
    assert found == OwnCertificate(("sip.contoso.test", "contoso.test"), "sip.contoso.test", file)


@pytest.mark.parametrize("kind", ["own_ca", "self_signed", "request", "enterprise_ca"])
def test_a_source_that_leaves_no_file_on_the_controller_is_not_tried(kind: str) -> None:
    assert _verification.own_certificate({"source": {"type": kind, "path": "/ca.pem"}}).file is None


def test_the_access_edge_may_be_named_by_itself() -> None:
    assert _verification.own_certificate({"access_edge": "access.contoso.test"}).access_edge == "access.contoso.test"
    domains = {"sip_domains": ["contoso.test"], "xmpp_domains": ["contoso.test"]}
    found = _verification.own_certificate({"access_edge": "access.contoso.test", **domains})
    assert found.names == ("access.contoso.test", "sip.contoso.test", "contoso.test")
    assert _verification.own_certificate({"names": ["*.contoso.test"]}).names == ("*.contoso.test",)
    # Ansible takes a text with commas for a list.
    assert _verification.own_certificate({"names": "a.test, b.test"}).names == ("a.test", "b.test")
    assert _verification.own_certificate({}) == OwnCertificate()


def test_the_certificate_is_that_of_the_edges_of_the_same_deployment() -> None:
    hostvars: dict[str, dict[str, t.Any]] = {
        "fe-a": {"sfb_xmpp_deployment": "a"},
        "fe-b": {"sfb_xmpp_deployment": "b"},
        "edge-a1": {"sfb_xmpp_deployment": "a"},
        "edge-a2": {"sfb_xmpp_deployment": "a", "sfb_xmpp_certificate": {"names": ["a.test"]}},
        "edge-b": {"sfb_xmpp_deployment": "b", "sfb_xmpp_certificate": {"names": ["b.test"]}},
    }
    groups = {"sfb_management": ["fe-a", "fe-b"], "sfb_edge": ["edge-a1", "edge-a2", "edge-b"]}
    templar = types.SimpleNamespace(template=lambda value: value)
    action = types.SimpleNamespace(_templar=templar, _loader=DataLoader())
    variables = {"hostvars": hostvars, "groups": groups, "inventory_hostname": "fe-a"}
    assert certificate_of(action, variables) == {"names": ["a.test"]}
    own = {**variables, "sfb_xmpp_certificate": {"names": ["door.test"]}}
    assert certificate_of(action, own) == {"names": ["a.test"]}
    hostvars["edge-a2"]["sfb_xmpp_certificate"] = None
    assert certificate_of(action, own) == {"names": ["door.test"]}
    hostvars["edge-a1"]["sfb_xmpp_certificate"] = {"name": "a.test"}
    with pytest.raises(Refused, match=r"sfb_xmpp_certificate of edge-a1\.name: there is no such option"):
        certificate_of(action, own)


def test_the_playbook_takes_the_parameters_of_the_role_from_the_settings() -> None:
    assert _verification.parameters_of({}) == _verification.PARAMETERS
    verification = {"own_domains": ["contoso.test"], "timeout": 2, "access_edge": "", "certificate": None}
    found = _verification.parameters_of({"verification": verification, "partners": PARTNERS, "for_partner": "a.test"})
    given = {"own_domains": ["contoso.test"], "timeout": 2, "partners": PARTNERS, "for_partner": "a.test"}
    assert found == {**_verification.PARAMETERS, **given}


PARTNERS: list[dict[str, t.Any]] = [
    {"domain": "Fabrikam.example", "additional_domains": ["im.fabrikam.example"]},
    {"domain": "adatum.example"},
]


@pytest.mark.parametrize("wanted", ["fabrikam.example", "romeo@IM.fabrikam.example"])
def test_one_partner_is_found_by_any_of_its_domains(wanted: str) -> None:
    assert _verification.of_partner(PARTNERS, wanted) == PARTNERS[:1]
    messages = [{"to_user": "x@adatum.example"}, {"to_user": "romeo@im.fabrikam.example"}]
    assert _verification.messages_to(messages, PARTNERS[:1], wanted) == [1]


def test_without_a_wish_all_partners_and_messages_are_meant() -> None:
    assert _verification.of_partner(PARTNERS, "") == PARTNERS
    assert _verification.messages_to([{"to_user": "x@y.test"}] * 2, PARTNERS, "") == [0, 1]
    assert _verification.of_partner(PARTNERS, "other.example") == []
    with pytest.raises(Invalid):
        _verification.of_partner(PARTNERS, "*.example")


def entry(domain: str, verdict: str, **values: t.Any) -> dict[str, t.Any]:
    return {"domain": domain, "verdict": verdict, "findings": [], **values}


ACCEPTS = {"SASL EXTERNAL over TLS": "unknown", "dialback over TLS": "yes", "dialback over clear TCP": "no"}
SOON = {
    "code": "certificate_expires_soon",
    "severity": "warning",
    "message": "it ends in 3 days",
    "remedy": "ask for a new one",
}
ENTRIES = [
    entry(
        "xn--mnchen-3ya.example",
        "warning",
        partner="xn--mnchen-3ya.example",
        tls={"version": "TLSv1.2"},
        declared={"uses": ["SASL EXTERNAL over TLS", "dialback over TLS"]},
        accepts=ACCEPTS,
        certificate={"not_after": "2027-02-20T12:00:00Z"},
        findings=[SOON],
        advice={"row": {"tls": "required"}, "text": "Require TLS.", "then": "nothing"},
    ),
    entry("contoso.test", "not_observable"),
]


def test_the_table_has_a_line_for_each_domain_and_finding() -> None:
    sent = Message("romeo@fabrikam.example", {"test": {"result": "success", "latency": 0.5}})
    lines = _verification.table(ENTRIES, [sent], "own domains: known", {"ok": 0, "warning": 1, "not_observable": 1})
    assert lines[1] == "  not observable  contoso.test (own)%s  no TLS seen" % (" " * 22), "the worst first"
    assert lines[2] == (
        "  warning         xn--mnchen-3ya.example (münchen.example)  TLSv1.2; declared settings use EXTERNAL?, else"
        " dialback in TLS; the server accepts EXTERNAL?, dialback in TLS; certificate until 2027-02-20"
    )
    assert lines[3:5] == [
        "      warning  it ends in 3 days; ask for a new one",
        "               from then on: the settings of the partner do not work any more",
    ]
    assert lines[5:] == [
        "advice for xn--mnchen-3ya.example: Require TLS.",
        "message to romeo@fabrikam.example: success in 0.50 s",
        "own domains: known",
        "not observable: 1, warning: 1",
    ]


def test_a_run_fails_with_one_sentence() -> None:
    lost = Message("x@y.test", {"msg": "no\n\x1b[2Jtest users"})
    assert str(lost) == "message to x@y.test: failure, no \\x1b[2Jtest users"
    assert _verification.wrong(ENTRIES, [], ["failed"]) == ""
    assert _verification.wrong(ENTRIES, [lost], ["warning"]) == (
        "The check failed for 1 of 2 domains (xn--mnchen-3ya.example) and 1 of 1 test messages (to x@y.test). The lines"
        " above show why."
    )
    many = [entry("p%d.test" % number, "failed") for number in range(7)]
    assert "(p0.test, p1.test, p2.test, p3.test, p4.test and 2 more)" in _verification.wrong(many, [], ["failed"])
