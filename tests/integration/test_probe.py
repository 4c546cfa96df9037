# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The prober against real listeners on loopback, from DNS to SASL, with every fault that they can have."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import random
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.module_utils._base.perform import perform
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import certificate as _probe_certificate
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import prober as _probe
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import tasks as _probe_task
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.tasks import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.budget import Budget
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.client import presented
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.stream import Stream
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL

from tests.integration.plays import Plays
from tests.integration.xmpp_peer import Manners, NameServer, Peer, deaf_port, shut_port
from tests.unit import certificates
from tests.unit.certificates import Issued, crossed, issue

DOMAIN = "fabrikam.test"
OWN = "contoso.test"
STRICT = {"tls_negotiation": "required", "sasl_negotiation": "required", "support_dialback_negotiation": False}
FALLBACK = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
LENIENT = {"tls_negotiation": "optional", "sasl_negotiation": "not_supported", "support_dialback_negotiation": True}
EITHER = {"tls_negotiation": "optional", "sasl_negotiation": "required", "support_dialback_negotiation": True}
CLEAR = {"tls_negotiation": "not_supported", "sasl_negotiation": "not_supported", "support_dialback_negotiation": True}


@functools.cache
def leaf(**options: t.Any) -> Issued:
    return issue("x", issuer=certificates.intermediate(), names=options.pop("names", (DOMAIN,)), **options)


def good(**more: t.Any) -> Manners:
    """A partner without a fault."""
    given = {"certificate": leaf(), "intermediates": (certificates.intermediate(),), "external": "trusted"}
    return Manners(**{**given, "clients": certificates.intermediate(), **more})


@dataclasses.dataclass
class Site:
    """A DNS server, a trust store, a certificate of our own, and the module in this process."""

    dns: NameServer
    directory: Path

    def probe(self, timeout: float = 10.0, **options: t.Any) -> dict[str, t.Any]:
        """What the module returns."""
        trusted = self.directory / "roots.pem"
        trusted.write_bytes(certificates.root().pem)
        given = {
            "from_domain": OWN,
            "nameservers": [self.dns.place],
            "trust_store": str(trusted),
            "timeout": timeout,
            **options,
        }
        validated = ArgumentSpecValidator(dict(TASK.argument_spec)).validate(given)
        assert not validated.error_messages
        return perform(TASK, validated.validated_parameters, None, False)[0]

    def partner(self, row: dict[str, t.Any] | None = None, timeout: float = 10.0, **options: t.Any) -> dict[str, t.Any]:
        """The entry of the one partner."""
        given = {"domains": [DOMAIN]} if row is None else {"partners": [{"domain": DOMAIN, **row}]}
        result = self.probe(timeout, **given, **options)
        assert result["changed"] is False
        (entry,) = result["domains"]
        assert result["summary"][entry["verdict"]] == 1
        return t.cast("dict[str, t.Any]", entry)

    def own_certificate(self, one: Issued | None = None) -> dict[str, str]:
        """As option ``certificate``."""
        one = one or issue("access", issuer=certificates.intermediate(), names=(OWN,))
        path = self.directory / "own.pfx"
        path.write_bytes(one.pkcs12(certificates.intermediate()))
        return {"path": str(path), "passphrase": certificates.PASSPHRASE}


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    with NameServer() as dns:
        yield Site(dns, tmp_path)


@contextlib.contextmanager
def published(site: Site, manners: Manners, domain: str = DOMAIN) -> t.Iterator[Peer]:
    with Peer(manners) as peer:
        site.dns.service(domain, peer.port)
        yield peer


def codes(entry: dict[str, t.Any], severity: str = "") -> set[str]:
    return {one["code"] for one in entry["findings"] if severity in ("", one["severity"])}


# What is seen of a partner without a fault


@pytest.mark.quick
def test_a_good_partner(site: Site) -> None:
    with published(site, good()) as peer:
        entry = site.partner(FALLBACK)
    assert (entry["verdict"], entry["findings"]) == ("ok", [])
    assert entry["srv"] == [{"host": "xmpp.fabrikam.test", "port": peer.port, "priority": 0, "weight": 0}]
    assert entry["addresses"] == {"xmpp.fabrikam.test": ["127.0.0.1"]}
    assert [one["result"] for one in entry["attempts"]] == ["answered"]
    assert entry["stream"]["from"] == DOMAIN
    assert entry["features_before_tls"] == {"starttls": "offered", "mechanisms": [], "dialback": True}
    assert entry["tls"]["version"] == "TLSv1.2"
    assert entry["tls"]["versions"] == {
        "TLSv1": "refused",
        "TLSv1.1": "refused",
        "TLSv1.2": "accepted",
        "TLSv1.3": "accepted",
    }
    assert entry["certificate"]["thumbprint"] == leaf().thumbprint
    # Without a certificate of our own nothing is known of EXTERNAL.
    assert (entry["sasl_external"], entry["dialback"]) == ("unknown", "offered")
    assert entry["declared"]["row"] == 7
    assert entry["suggestion"] == FALLBACK
    assert set(peer.seen) == {(OWN, DOMAIN)}


def test_external_is_tried_with_the_own_certificate(site: Site) -> None:
    with published(site, good()):
        entry = site.partner(STRICT, certificate=site.own_certificate())
    assert (entry["verdict"], entry["sasl_external"], entry["suggestion"]) == ("ok", "succeeded", STRICT)


def test_a_certificate_that_the_partner_does_not_trust(site: Site) -> None:
    with published(site, good()):
        entry = site.partner(STRICT, certificate=site.own_certificate(issue("access", names=(OWN,))))
    assert (entry["verdict"], entry["sasl_external"]) == ("failed", "not offered")
    assert {"external_not_offered", "row_does_not_work"} <= codes(entry, "error")
    assert entry["suggestion"] == FALLBACK


def test_external_that_is_refused_is_told_in_the_partners_words(site: Site) -> None:
    with published(site, good(external="all", answer="unsupported certificate purpose")):
        entry = site.partner(FALLBACK, certificate=site.own_certificate())
    assert (entry["verdict"], entry["sasl_external"]) == ("warning", "refused")
    (finding,) = entry["findings"]
    assert finding["code"] == "own_certificate_refused"
    assert "unsupported certificate purpose" in finding["message"]


def test_a_partner_that_insists_on_a_certificate(site: Site) -> None:
    with published(site, good(insists=True, dialback=False)):
        entry = site.partner(STRICT)
        assert (entry["verdict"], codes(entry)) == ("not_observable", {"wants_certificate"})
        entry = site.partner(STRICT, certificate=site.own_certificate())
        assert (entry["verdict"], entry["sasl_external"]) == ("ok", "succeeded")
        entry = site.partner(FALLBACK, certificate=site.own_certificate(issue("access", names=(OWN,))))
    assert entry["sasl_external"] == "refused"
    assert "own_certificate_refused" in codes(entry, "error")
    assert "could not be validated" in entry["findings"][0]["message"]


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_a_tls_handshake_that_demands_a_certificate(site: Site, version: int) -> None:
    """Rows with TLS are unknown until a certificate is given. A row without TLS is judged by what works in clear."""
    manners = good(demands=True, versions=(SSL.TLS1_2_VERSION, version))
    with published(site, manners):
        for row in (STRICT, FALLBACK, LENIENT, EITHER):
            entry = site.partner(row)
            assert entry["verdict"] == "not_observable"
            (finding,) = (one for one in entry["findings"] if one["code"] == "wants_certificate")
            assert finding["severity"] == "unknown"
            assert finding["remedy"].startswith("set certificate")
            assert entry["tls"]["versions"]["TLSv1.2"] == "accepted"
            assert not codes(entry, "error")
        clear = site.partner(CLEAR)
        assert (clear["verdict"], codes(clear)) == ("warning", {"tls_offered"})
        assert site.partner(STRICT, certificate=site.own_certificate())["verdict"] == "ok"
        dialback = site.partner({**FALLBACK, "sasl_negotiation": "not_supported"}, certificate=site.own_certificate())
        assert dialback["verdict"] == "ok"


# Dialback that is declared by the namespace, and not announced


@pytest.mark.parametrize(
    ("key", "dialback", "verdict", "code"),
    [
        ("invalid", "offered", "ok", ""),
        ("", "refused", "failed", "dialback_refused"),
        ("policy-violation", "refused", "failed", "dialback_refused"),
        ("remote-connection-failed", "unknown", "not_observable", "method_unknown"),
    ],
)
@pytest.mark.parametrize("starttls", ["offered", "required", ""])
def test_dialback_that_is_not_announced_is_tried(
    site: Site, key: str, dialback: str, verdict: str, code: str, starttls: str
) -> None:
    with published(site, good(announces=False, key=key, starttls=starttls)):
        entry = site.partner({**LENIENT, "tls_negotiation": "optional" if starttls else "not_supported"})
    assert (entry["dialback"], entry["verdict"]) == (dialback, verdict)
    assert code in codes(entry) | {""}
    if code:
        (finding,) = (one for one in entry["findings"] if one["code"] == code)
        assert (key or "no dialback here") in finding["message"]


def test_what_was_not_tried_is_not_ok(site: Site) -> None:
    """Without a certificate nothing is known of EXTERNAL; where the row has nothing else, nothing is known at all."""
    with published(site, good()):
        blind = site.partner(STRICT)
        seeing = site.partner(STRICT, certificate=site.own_certificate())
    assert (blind["verdict"], codes(blind)) == ("not_observable", {"external_not_tried"})
    assert blind["findings"][0]["remedy"].startswith("set certificate")
    assert seeing["verdict"] == "ok"


def test_certificates_that_do_not_serve_leave_dialback_in_tls(site: Site) -> None:
    """TLS optional, SASL required, dialback on: Microsoft's table lists dialback in TLS and in clear as well."""
    foreign = issue("access", names=(OWN,))
    with published(site, good()):
        assert site.partner(EITHER)["verdict"] == "warning"
        entry = site.partner(EITHER, certificate=site.own_certificate(foreign))
    assert (entry["verdict"], codes(entry)) == ("warning", {"row_risky", "external_not_offered"})
    assert entry["declared"]["uses"] == ["dialback over TLS"]
    with published(site, good(certificate=BAD["expired"][0])):
        entry = site.partner(EITHER, certificate=site.own_certificate())
    assert (entry["verdict"], codes(entry, "error")) == ("warning", set())
    with published(site, good(dialback=False)):
        entry = site.partner(EITHER, certificate=site.own_certificate(foreign))
    assert (entry["verdict"], entry["declared"]["uses"]) == ("failed", [])


@pytest.mark.parametrize("fault", ["tls_close", "tls_garbage"])
def test_tls_that_breaks_leaves_what_is_in_clear(site: Site, fault: str) -> None:
    """A row without TLS works. Whether a row with optional TLS goes on in clear is not documented."""
    with published(site, good(fault=fault)):
        assert site.partner(CLEAR)["verdict"] == "warning"
        entry = site.partner(LENIENT)
    assert (entry["verdict"], codes(entry)) == ("not_observable", {"tls_failed", "clear_unknown"})


# The certificate

BAD = {
    "expired": (leaf(start=-30, days=20), True),
    "not_yet_valid": (leaf(start=5), True),
    "name_mismatch": (leaf(names=("other.test",)), True),
    "untrusted": (issue("x", names=(DOMAIN,)), True),
    "incomplete_chain": (leaf(), False),
    "server_auth": (leaf(purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,)), True),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_certificate_that_proves_nothing(site: Site, fault: str) -> None:
    """An error where the row relies on it, a warning where dialback is left, and never ok."""
    certificate, complete = BAD[fault]
    more = {"certificate": certificate} if complete else {"certificate": certificate, "intermediates": ()}
    with published(site, good(**more)):
        strict = site.partner(STRICT, certificate=site.own_certificate())
        fallback = site.partner(FALLBACK)
    assert "certificate_" + fault in codes(strict, "error")
    assert strict["verdict"] == "failed"
    assert "certificate_" + fault in codes(fallback, "warning")
    assert fallback["verdict"] == "warning"
    assert strict["suggestion"] == FALLBACK


def test_a_chain_is_checked_within_limits(site: Site) -> None:
    """Of certificates that certify each other, and of too many, it is never said that they are good."""
    many = crossed(10)
    certificate = issue("x", issuer=many[0], names=(DOMAIN,))
    with published(site, good(certificate=certificate, intermediates=many[:14])):
        tangled = site.partner(STRICT, certificate=site.own_certificate())
    site.dns.records.clear()
    with published(site, good(intermediates=(certificates.intermediate(), *many[:19]))):
        strict = site.partner(STRICT, certificate=site.own_certificate())
        fallback = site.partner(FALLBACK)
    assert "certificate_untrusted" in codes(tangled, "error")
    assert tangled["seconds"] < 5
    assert codes(strict) == {"certificate_chain_not_checked"}
    assert strict["findings"][0]["message"].endswith("the server sends 21 certificates, more than 20")
    assert (strict["verdict"], strict["sasl_external"]) == ("not_observable", "succeeded")
    assert strict["accepts"]["SASL EXTERNAL over TLS"] == "unknown"
    assert strict["suggestion"] == FALLBACK
    assert codes(fallback, "warning") == {"certificate_chain_not_checked"}


def test_more_certificates_than_a_handshake_may_bring(site: Site) -> None:
    """OpenSSL reads 100 kB of them."""
    large = issue("large", key=certificates.elliptic_key(), names=("x" * 60000,))
    with published(site, good(intermediates=(large, large))):
        entry = site.partner(STRICT)
    assert "excessive message size" in entry["findings"][0]["message"]
    assert entry["verdict"] == "failed"


# What a partner would have on the administrator's terminal

HOSTILE = {
    "C1": ("a\x9b31m", "a\\x9b31m"),
    "delete": ("a\x7fb", "a\\x7fb"),
    "bidi": ("a\u202eb", "a\\u202eb"),
    "zero width": ("a\u200bb", "a\\u200bb"),
    "line separator": ("a\u2028b", "a\\u2028b"),
    "line break": ("a&#10;ok=9", "a\\nok=9"),
    "much": ("a" * 1000, "a" * 299 + "…"),
}
HEADER = (
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    " id='1' from='%s' version='%s'>"
)
ERROR = (
    "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>%s</text></stream:error>"
)
MECHANISM = (
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>%s</mechanism></mechanisms>"
    "</stream:features>"
)


@pytest.mark.parametrize("name", HOSTILE)
def test_texts_of_a_stream_can_be_printed(site: Site, name: str) -> None:
    sent, shown = HOSTILE[name]
    places: list[tuple[str, t.Callable[[dict[str, t.Any]], str]]] = [
        (HEADER % (sent, "1.0"), lambda entry: entry["stream"]["from"]),
        (HEADER % (DOMAIN, "1." + sent[1:]), lambda entry: entry["stream"]["version"]),
        (HEADER % (DOMAIN, "1.0") + ERROR % sent, lambda entry: entry["findings"][0]["message"]),
        (HEADER % (DOMAIN, "1.0") + MECHANISM % sent, lambda entry: entry["features_before_tls"]["mechanisms"][0]),
    ]
    for raw, place in places:
        site.dns.records.clear()
        with published(site, Manners(fault="raw", raw=raw.encode())):
            entry = site.partner()
        assert shown[1:290] in place(entry)
        assert json.dumps(entry, ensure_ascii=False).isprintable(), raw


def test_names_of_dns_can_be_printed(site: Site) -> None:
    """Names of any bytes, and the longest."""
    label = "\\027[2J\\010\\127" + "\\155" * 40
    site.dns.records["_xmpp-server._tcp." + DOMAIN, "SRV"] = ["0 0 5269 %s." % ".".join([label] * n) for n in (1, 5)]
    entry = site.partner()
    assert [one["host"][:11] for one in entry["srv"]] == ["\\027[2j\\010"] * 2
    assert [one["host"][-1] for one in entry["srv"]] == ["5", "…"]
    assert entry["verdict"] != "ok"
    assert json.dumps(entry, ensure_ascii=False).isprintable()


def test_what_deserves_a_word(site: Site) -> None:
    certificate = leaf(start=-80, days=90, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))
    with published(site, good(certificate=certificate)):
        strict = site.partner(STRICT, certificate=site.own_certificate())
        later = site.partner(LENIENT, expires_within=5)
    assert codes(strict, "warning") == {"certificate_expires_soon", "certificate_client_auth"}
    assert strict["verdict"] == "warning"
    assert strict["suggestion"] == FALLBACK  # our gateway may not take it as a client certificate
    assert (later["verdict"], later["findings"]) == ("ok", [])


# TLS


def test_only_tls_1_3(site: Site) -> None:
    manners = good(versions=(SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION))
    with published(site, manners):
        entry = site.partner(FALLBACK)
        clear = site.partner(CLEAR)
    assert entry["tls"]["versions"]["TLSv1.2"] == "refused"
    assert entry["tls"]["version"] == "TLSv1.3"
    assert codes(entry, "error") == {"tls13_only", "row_does_not_work"}
    assert entry["suggestion"] == CLEAR
    assert entry["certificate"]["thumbprint"] == leaf().thumbprint
    assert clear["verdict"] == "warning"


def test_only_old_tls(site: Site) -> None:
    with published(site, good(versions=(SSL.TLS1_VERSION, SSL.TLS1_1_VERSION))):
        entry = site.partner(FALLBACK)
    assert entry["tls"]["version"] == "TLSv1.1"
    assert codes(entry) == {"old_tls"}


@pytest.mark.parametrize(("row", "verdict"), [(FALLBACK, "failed"), (LENIENT, "warning"), (CLEAR, "ok")])
def test_no_tls(site: Site, row: dict[str, t.Any], verdict: str) -> None:
    with published(site, Manners(starttls="")):
        entry = site.partner(row)
    assert entry["verdict"] == verdict
    assert entry["tls"] is None
    assert ("tls_not_offered" in codes(entry)) is (row is not CLEAR)
    assert entry["suggestion"] == LENIENT


def test_a_partner_that_requires_tls_of_a_row_without(site: Site) -> None:
    with published(site, good(starttls="required")):
        entry = site.partner(CLEAR)
    assert codes(entry, "error") == {"tls_required", "row_does_not_work"}
    assert "sasl_negotiation: optional" in entry["findings"][-1]["remedy"]


@pytest.mark.parametrize("fault", ["tls_close", "tls_garbage"])
def test_tls_that_breaks(site: Site, fault: str) -> None:
    with published(site, good(fault=fault)):
        entry = site.partner(FALLBACK)
    assert "tls_failed" in codes(entry, "error")
    assert set(entry["tls"]["versions"].values()) == {"refused"}


def test_no_dialback(site: Site) -> None:
    with published(site, good(dialback=False)):
        entry = site.partner(LENIENT)
    assert entry["dialback"] == "not offered"
    assert "row_does_not_work" in codes(entry, "error")
    assert entry["suggestion"] == STRICT


# Listeners that are none


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("close", "closed"),
        ("garbage", "not_xmpp"),
        ("direct_tls", "direct_tls"),
        ("direct_tls_only", "direct_tls"),
        ("half_failure", "half_failure"),
        ("raw", "client_port"),
        ("stall", "no_answer"),
        ("trickle", "no_answer"),
        ("bare", "no_answer"),
        ("error:host-unknown", "stream_error"),
        ("error:policy-violation", "stream_error"),
        ("error:remote-connection-failed", "stream_error"),
    ],
)
def test_a_fault_has_its_name(site: Site, fault: str, code: str) -> None:
    client = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    with published(site, good(fault=fault, raw=client + b"<stream:features/>")):
        entry = site.partner(FALLBACK, timeout=1.0)
    assert entry["verdict"] == "failed"
    assert code in codes(entry, "error")
    if code == "stream_error":
        (finding,) = entry["findings"]
        assert fault.partition(":")[2] in finding["message"]
        assert "which means" in finding["message"]
        assert "'no \\u202ered\\nletters'" in finding["message"]  # what the peer wrote, on one line and nothing hidden


def test_any_answer_is_survived(site: Site) -> None:
    """Cut, doubled and mutilated pieces of a real answer, and plain noise."""
    chance = random.Random(6120)
    whole = Stream("receiving", DOMAIN)
    whole.receive(
        b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    )
    whole.respond()
    whole.send_features("required", ("EXTERNAL",), True)
    answer = whole.data_to_send() + b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    with published(site, Manners(fault="raw")) as peer:
        for number in range(150):
            data = bytearray(answer[chance.randrange(20) :] if number % 3 else answer)
            for place in chance.choices(range(len(data)), k=number % 7):
                data[place : place + chance.randrange(4)] = chance.randbytes(chance.randrange(6))
            data = data[: chance.randrange(len(data))] if number % 5 == 0 else data
            peer.manners = Manners(fault="raw", raw=bytes(data) if number % 10 else chance.randbytes(2000))
            entry = site.partner(FALLBACK)
            assert entry["verdict"] == "failed"
            assert "mistake" not in codes(entry)


# The way


def test_a_server_from_before_rfc_5746_is_met_as_windows_meets_it(site: Site) -> None:
    with published(site, good(fault="tls_old")) as peer:
        entry = site.partner(FALLBACK)
    assert "legacy_renegotiation" in codes(entry, "warning")
    first, second = peer.hellos[:2]
    assert first[0] == 21  # refused
    assert second[:1] != b"\x15"


def test_records_for_direct_tls_alone(site: Site) -> None:
    site.dns.records["_xmpps-server._tcp." + DOMAIN, "SRV"] = ["0 0 5270 xmpp.fabrikam.test."]
    site.dns.records["_xmpp-server._tcp." + DOMAIN, "SRV"] = ["0 0 0 ."]
    entry = site.partner(FALLBACK)
    assert codes(entry) == {"not_offered", "direct_tls_record"}
    (finding,) = (one for one in entry["findings"] if one["code"] == "direct_tls_record")
    assert "_xmpp-server._tcp.fabrikam.test" in finding["remedy"]


def test_a_target_that_is_an_address_is_named_and_not_tried(site: Site) -> None:
    with Peer(good()) as peer:
        name = "_xmpp-server._tcp." + DOMAIN
        site.dns.records[name, "SRV"] = ["0 0 %d 127.0.0.1." % peer.port]
        entry = site.partner(FALLBACK)
        assert (codes(entry, "error"), peer.seen) == ({"srv_target_is_address"}, [])
        site.dns.records[name, "SRV"].append("1 0 %d xmpp.fabrikam.test." % peer.port)
        site.dns.records["xmpp.fabrikam.test", "A"] = ["127.0.0.1"]
        entry = site.partner(FALLBACK)
    assert (entry["verdict"], codes(entry)) == ("warning", {"srv_target_is_address"})


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.1.1", "0.0.0.0", "224.0.0.251", "::1", "fe80::1", "::ffff:127.0.0.1"]
)
def test_dns_of_others_does_not_lead_to_the_controller(site: Site, address: str) -> None:
    kind = "AAAA" if ":" in address else "A"
    with Peer(good()) as peer:
        site.dns.records["_xmpp-server._tcp." + DOMAIN, "SRV"] = ["0 0 %d xmpp.fabrikam.test." % peer.port]
        site.dns.records["xmpp.fabrikam.test", kind] = [address]
        entry = site.partner(FALLBACK, allow_local=False)
    assert peer.seen == []
    assert entry["verdict"] == "not_observable"
    assert "local_address" in codes(entry, "unknown")
    assert [one["result"] for one in entry["attempts"]] == ["local"]


def test_at_most_ten_addresses_are_tried(site: Site) -> None:
    with shut_port() as shut, Peer(good()) as fine:
        name = "_xmpp-server._tcp." + DOMAIN
        site.dns.records[name, "SRV"] = ["0 0 %d h%d.fabrikam.test." % (shut, number) for number in range(10)]
        for number in range(10):
            site.dns.records["h%d.fabrikam.test" % number, "A"] = ["127.0.1.%d" % (number + 1)]
        site.dns.service(DOMAIN, fine.port, order="9 0")
        entry = site.partner(FALLBACK)
        assert (entry["verdict"], fine.seen) == ("not_observable", [])
        assert "not_tried" in codes(entry, "unknown")
        site.dns.records[name, "SRV"].pop(0)
        entry = site.partner(FALLBACK)
    assert entry["verdict"] == "warning"
    assert fine.seen


def test_ipv6_alone_is_not_said_to_work(site: Site) -> None:
    with Peer(good(), address="::1") as peer:
        site.dns.records["_xmpp-server._tcp." + DOMAIN, "SRV"] = ["0 0 %d xmpp.fabrikam.test." % peer.port]
        site.dns.records["xmpp.fabrikam.test", "AAAA"] = ["::1"]
        entry = site.partner(FALLBACK)
    assert (entry["verdict"], codes(entry)) == ("not_observable", {"ipv6_only"})


def test_the_next_server_is_tried(site: Site) -> None:
    with shut_port() as shut, deaf_port() as deaf, Peer(Manners(fault="close")) as closing, Peer(good()) as fine:
        for order, (name, port) in enumerate(
            (("a", shut), ("b", deaf), ("c", closing.port), ("d", fine.port), ("e", fine.port))
        ):
            site.dns.service(DOMAIN, port, host="%s.%s" % (name, DOMAIN), order="%d 0" % order)
        entry = site.partner(FALLBACK, timeout=2.0)
    assert [one["result"] for one in entry["attempts"]] == ["refused", "timeout", "silent", "answered"]
    assert codes(entry, "warning") == {"connection_refused", "not_reachable", "target_silent"}
    assert entry["verdict"] == "warning"


def test_nothing_listens(site: Site) -> None:
    with shut_port() as port:
        site.dns.service(DOMAIN, port)
        entry = site.partner(FALLBACK)
    assert (entry["verdict"], codes(entry)) == ("failed", {"connection_refused"})
    assert entry["suggestion"] is None


def test_what_does_not_answer_is_not_said_to_be_down(site: Site) -> None:
    with deaf_port() as port:
        site.dns.service(DOMAIN, port)
        entry = site.partner(FALLBACK, timeout=1.0)
    assert (entry["verdict"], codes(entry)) == ("not_observable", {"not_reachable"})
    assert entry["findings"][0]["message"].startswith("the controller cannot check this: ")


def test_dns_that_fails(site: Site) -> None:
    site.dns.silent.add("silent.test")
    site.dns.failing.add("_xmpp-server._tcp.failing.test")
    site.dns.service("half.test", 5269)
    site.dns.failing.add("xmpp.half.test")
    entries = site.probe(1.0, domains=["silent.test", "failing.test", "half.test"])["domains"]
    assert [entry["verdict"] for entry in entries] == ["not_observable"] * 3
    assert [codes(entry) for entry in entries] == [{"srv_unknown"}, {"srv_unknown"}, {"address_unknown"}]


def test_dns_that_says_no(site: Site) -> None:
    site.dns.records["_xmpp-server._tcp.refusing.test", "SRV"] = ["0 0 0 ."]
    site.dns.records["_xmpp-server._tcp.dangling.test", "SRV"] = ["0 0 5269 nowhere.test."]
    entries = site.probe(domains=["refusing.test", "dangling.test", "missing.test"])["domains"]
    assert [codes(entry, "error") for entry in entries] == [{"not_offered"}, {"no_address"}, {"no_address"}]
    assert codes(entries[2]) == {"no_srv", "no_address"}


def test_without_a_record_the_domain_itself_is_tried(site: Site) -> None:
    site.dns.records[DOMAIN, "A"] = ["127.0.0.77"]
    with Peer(good(), 5269, "127.0.0.77"):
        entry = site.partner(FALLBACK)
        assert (entry["verdict"], codes(entry)) == ("warning", {"no_srv"})
        site.dns.records["proxy.test", "A"] = ["127.0.0.77"]
        del site.dns.records[DOMAIN, "A"]
        entry = site.partner({**FALLBACK, "proxy_fqdn": "proxy.test"})
    assert (entry["verdict"], entry["srv"], entry["attempts"][0]["host"]) == ("ok", [], "proxy.test")


# The declaration


def test_additional_domains_share_the_row(site: Site) -> None:
    with published(site, good(certificate=leaf(names=(DOMAIN, "*.fabrikam.test")))) as peer:
        site.dns.service("chat.fabrikam.test", peer.port)
        partner = {"domain": "Fabrikam.test.", "additional_domains": ["chat.fabrikam.test"], **FALLBACK}
        found = site.probe(partners=[partner], domains=["chat.fabrikam.test", "fabrikam.test"])["domains"]
    assert [(entry["domain"], entry["partner"], entry["verdict"]) for entry in found] == [
        ("fabrikam.test", "fabrikam.test", "ok"),
        ("chat.fabrikam.test", "fabrikam.test", "ok"),
    ]


def test_an_option_left_out_counts_as_the_products_default(site: Site) -> None:
    with published(site, good()):
        entry = site.partner({})
    assert entry["declared"]["row"] == 1
    assert codes(entry, "warning") == {"row_risky"}


def test_refusals_come_before_any_packet(site: Site) -> None:
    refused = site.probe(
        domains=["*.fabrikam.test"],
        own_domains=["a b"],
        nameservers=["dns.fabrikam.test"],
        certificate={"path": "/nonexistent.pfx"},
        workers=0,
        timeout=0,
    )
    assert refused["failed"]
    names = [text.partition(":")[0] for text in refused["reasons"]]
    assert names == ["domains", "own_domains", "nameservers", "certificate", "timeout", "workers"]
    assert "set domains, partners or own_domains" in site.probe()["msg"]


def test_a_missing_package_is_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = [(ImportError("no"), "dnspython"), (None, "cryptography"), (ImportError("no"), "pyOpenSSL")]
    monkeypatch.setattr(_probe_task, "_PACKAGES", packages)
    assert [text.split()[4] for text in site.probe(domains=[DOMAIN])["reasons"]] == ["dnspython", "pyOpenSSL"]


def test_a_mistake_with_one_domain_does_not_hide_the_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = _probe_certificate.examine

    def examine(chain: t.Any, domain: str, *more: t.Any) -> t.Any:
        if domain == "other.test":
            raise ZeroDivisionError("secret")
        return real(chain, domain, *more)

    monkeypatch.setattr(_probe, "examine", examine)
    with published(site, good()) as peer:
        site.dns.service("other.test", peer.port)
        found = site.probe(domains=[DOMAIN, "other.test"])["domains"]
    assert [entry["verdict"] for entry in found] == ["ok", "not_observable"]
    (finding,) = found[1]["findings"]
    assert "ZeroDivisionError" in finding["message"]
    assert "secret" not in finding["message"]


# The own side


def own(site: Site, **options: t.Any) -> dict[str, t.Any]:
    (entry,) = site.probe(own_domains=[OWN], access_edge="access.contoso.test", **options)["own"]
    return t.cast("dict[str, t.Any]", entry)


def test_the_own_domain_as_partners_see_it(site: Site) -> None:
    site.dns.records["access.contoso.test", "A"] = ["127.0.0.78"]
    site.dns.service(OWN, 5269, address="127.0.0.78")
    presented_one = leaf(names=(OWN,))
    with Peer(good(certificate=presented_one), 5269, "127.0.0.78") as gateway:
        entry = own(site, domains=[])
        assert (entry["verdict"], entry["findings"]) == ("ok", [])
        assert entry["certificate"]["thumbprint"] == presented_one.thumbprint
        same = own(site, certificate=site.own_certificate(presented_one))
        assert same["verdict"] == "ok"
        site.dns.records["access.contoso.test", "A"] = ["127.0.0.79"]
        gateway.manners = good(certificate=leaf(start=-30, days=20))
        # The gateway answers to its partners.
        other = own(site, certificate=site.own_certificate(), partners=[{"domain": "silent.test"}])
    assert gateway.seen[-1] == ("silent.test", OWN)
    assert codes(other, "error") == {
        "srv_elsewhere",
        "own_certificate_expired",
        "own_certificate_name_mismatch",
        "own_certificate_differs",
    }


def test_own_records_that_are_wrong(site: Site) -> None:
    site.dns.records["access.contoso.test", "A"] = ["127.0.0.1"]
    assert codes(own(site), "error") == {"srv_missing"}
    site.dns.records["_xmpp-server._tcp." + OWN, "SRV"] = ["0 0 0 ."]
    assert codes(own(site), "error") == {"srv_missing"}
    del site.dns.records["_xmpp-server._tcp." + OWN, "SRV"]
    with published(site, Manners(starttls=""), OWN):
        assert codes(own(site), "error") == {"own_port", "own_no_tls"}
    site.dns.silent.add("access.contoso.test")
    with Peer(Manners(fault="close")) as peer:
        site.dns.records["_xmpp-server._tcp." + OWN, "SRV"] = ["0 0 %d xmpp.contoso.test." % peer.port]
        entry = own(site, timeout=1.0)
    assert codes(entry) == {"own_port", "own_listener", "srv_unknown"}


def test_a_gateway_without_tls_is_as_the_partners_rows_have_it(site: Site) -> None:
    site.dns.records["access.contoso.test", "A"] = ["127.0.0.1"]
    clear = {"tls_negotiation": "not_supported", "sasl_negotiation": "not_supported"}
    without = {"domain": "clear.example", **clear, "support_dialback_negotiation": True}
    with published(site, Manners(starttls=""), OWN):
        assert codes(own(site, partners=[without]), "error") == {"own_port"}
        assert codes(own(site, partners=[without, {"domain": "silent.test"}]), "error") == {"own_port", "own_no_tls"}


def test_presented() -> None:
    with Peer(good()) as peer:
        found = presented("127.0.0.1", peer.port, DOMAIN, OWN, 10)
    assert [certificates.Issued(one, None).thumbprint for one in found] == [
        leaf().thumbprint,
        certificates.intermediate().thumbprint,
    ]


# Bounds


def test_the_whole_time_of_a_domain_is_bounded(site: Site) -> None:
    """More dead servers than the time allows: the rest is not tried."""
    with deaf_port() as deaf:
        for number in range(30):
            site.dns.service(DOMAIN, deaf, host="x%d.%s" % (number, DOMAIN))
        entry = site.partner(FALLBACK, timeout=0.2)
    assert len(entry["attempts"]) < 30
    assert (entry["verdict"], "time_up" in codes(entry)) == ("not_observable", True)
    assert Budget(1, 0.5).seconds() <= 0.5


def test_many_at_the_same_time(site: Site) -> None:
    """They wait together: one after the other would take longer than a single one may."""
    with published(site, good(fault="bare")) as peer:
        names = ["d%d.test" % number for number in range(20)]
        for name in names:
            site.dns.service(name, peer.port)
        found = site.probe(3.0, domains=names)["domains"]
        assert [entry["domain"] for entry in found] == names
        assert {entry["verdict"] for entry in found} == {"failed"}


# As Ansible runs it


def test_as_a_task(site: Site, plays: Plays) -> None:
    """On the controller, without a session, in check mode as well; secrets stay out of the output."""
    root = site.directory / "roots.pem"
    root.write_bytes(certificates.root().pem)
    task = {
        "name": "Probe",
        "sfb.xmpp.xmpp_partner_probe_info": {
            "partners": [{"domain": DOMAIN, **STRICT}],
            "from_domain": OWN,
            "nameservers": [site.dns.place],
            "trust_store": str(root),
            "certificate": site.own_certificate(),
        },
        "delegate_to": "localhost",
        "vars": {"ansible_connection": "local"},
    }
    with published(site, good()):
        for arguments in ((), ("--check",)):
            run = plays.run(plays.tasks([task]), "-vvv", *arguments)
            assert run.code == 0, run.output
            (entry,) = run.result("Probe")["domains"]
            assert (entry["verdict"], entry["sasl_external"]) == ("ok", "succeeded")
            assert certificates.PASSPHRASE not in run.output
    assert plays.lab.store().events() == []  # nobody has asked the deployment anything
