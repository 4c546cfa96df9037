# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe says of servers without SASL: jabberd2, once with TLS 1.0 only, once with demands in TLS."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import TCP_DIALBACK, Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.dns import Resolver
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.prober import Job, Prober, ProbeSettings
from cryptography import x509

from lab.partners.control import Partners, start
from lab.partners.programs import missing

CLEAR = Row("not_supported", "not_supported", True)
LENIENT = Row("optional", "not_supported", True)
OLD, MUTUAL = "lucernepublishing.example", "cohovineyard.example"
GATEWAY_PORT = 15269  # nothing listens there; it is only published

if missing(["jabberd2"]):
    pytest.skip("not installed: %s" % ", ".join(missing(["jabberd2"])), allow_module_level=True)


@pytest.fixture(scope="module")
def partners(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Partners]:
    running = start(tmp_path_factory.mktemp("partners"), GATEWAY_PORT, ["jabberd2-old", "jabberd2-mutual"])
    yield running
    running.stop()


def probe(partners: Partners, domain: str, row: Row) -> dict[str, t.Any]:
    anchors = tuple(x509.load_pem_x509_certificates(partners.root.read_bytes()))
    settings = ProbeSettings("contoso.test", anchors, timeout=2.0, expires_within=14, allow_local=True)
    return Prober(settings, Resolver([partners.nameserver])).partner(Job(domain, row=row))


def codes(entry: dict[str, t.Any]) -> set[str]:
    return {finding["code"] for finding in entry["findings"]}


def test_a_key_in_clear_that_is_ignored_is_not_taken_for_dialback(partners: Partners) -> None:
    """It requires TLS, announces STARTTLS without <required/> and dialback beside it, and says nothing to the key."""
    entry = probe(partners, MUTUAL, CLEAR)
    assert entry["features_before_tls"] == {"starttls": "offered", "mechanisms": [], "dialback": True}
    assert (entry["verdict"], entry["accepts"][TCP_DIALBACK]) == ("not_observable", "unknown")
    assert codes(entry) == {"tls_offered", "method_unknown"}


def test_a_certificate_is_demanded(partners: Partners) -> None:
    entry = probe(partners, MUTUAL, LENIENT)
    assert (entry["verdict"], "wants_certificate" in codes(entry)) == ("not_observable", True)


def test_old_tls_is_named(partners: Partners) -> None:
    entry = probe(partners, OLD, LENIENT)
    assert entry["tls"]["versions"] == {
        "TLSv1": "accepted",
        "TLSv1.1": "refused",
        "TLSv1.2": "refused",
        "TLSv1.3": "refused",
    }
    assert (entry["verdict"], codes(entry)) == ("warning", {"old_tls"})
    assert entry["declared"]["uses"] == ["dialback over TLS"]
