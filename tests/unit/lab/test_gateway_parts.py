# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateway's parts without sockets: certificates, what it reads from the store, events, messages, Test-CsXmppIM."""

from __future__ import annotations

import datetime
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import Element
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from psrpcore.types import PSCredential, PSSecureString

from lab.__main__ import _line
from lab.cmdlets.synthetic import USER_PASSWORD
from lab.deployment.authority import BOTH_WAYS, Authority, common_name
from lab.deployment.store import Store
from lab.gateway.certificates import SRV_NAME, XMPP_ADDRESS, Purpose, problem
from lab.gateway.dns import Lookup, LookupFailed
from lab.gateway.events import Journal
from lab.gateway.negotiation import Row
from lab.gateway.parts import Register
from lab.gateway.stanzas import bare, bounce, domain, error_of, message, result, sendable
from lab.gateway.surroundings import Surroundings
from lab.gateway.verify import expected, ours
from tests.unit.lab.conftest import Bench

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
DN = "CN=Ines Almeida,OU=Redmond,OU=Staff,DC=contoso,DC=test"
USER = "ialmeida@contoso.test"


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


ROOT = Authority(common_name("Root"), key(), 90 * DAY)
ISSUER = Authority(common_name("Issuer"), key(), 90 * DAY, above=ROOT)


def leaf(*names: x509.GeneralName, purposes: t.Iterable[x509.ObjectIdentifier] = BOTH_WAYS) -> x509.Certificate:
    return ISSUER.issue(common_name("x"), key(), names, 9 * DAY, purposes=purposes)


def checked(
    certificate: x509.Certificate, name: str = "fabrikam.test", purpose: Purpose = "client", at: datetime.datetime = NOW
) -> str:
    return problem([certificate, ISSUER.certificate], [ROOT.certificate], name, at, purpose)


def other(oid: x509.ObjectIdentifier, tag: int, text: str) -> x509.OtherName:
    return x509.OtherName(oid, bytes([tag, len(text)]) + text.encode())


@pytest.mark.parametrize(
    ("name", "good"),
    [
        (x509.DNSName("fabrikam.test"), True),
        (x509.DNSName("FABRIKAM.test"), True),
        (x509.DNSName("*.test"), True),
        (x509.DNSName("*.fabrikam.test"), False),
        (x509.DNSName("mail.fabrikam.test"), False),
        (other(SRV_NAME, 0x16, "_xmpp-server.fabrikam.test"), True),
        (other(SRV_NAME, 0x16, "_xmpp-client.fabrikam.test"), False),
        (other(XMPP_ADDRESS, 0x0C, "fabrikam.test"), True),
        (other(XMPP_ADDRESS, 0x04, "fabrikam.test"), False),
    ],
)
def test_names_of_a_certificate(name: x509.GeneralName, good: bool) -> None:
    said = checked(leaf(name))
    assert (said == "") == good
    assert good or "not for fabrikam.test" in said


def test_an_international_domain_matches_in_its_ascii_form() -> None:
    assert checked(leaf(x509.DNSName("xn--bcher-kva.test")), "bücher.test") == ""


def test_chain_and_time() -> None:
    good = leaf(x509.DNSName("fabrikam.test"))
    assert checked(good) == ""
    assert "expired" in checked(good, at=NOW + 10 * DAY)
    assert "not yet valid" in checked(good, at=NOW - DAY)
    assert "issuer" in problem([good], [ROOT.certificate], "fabrikam.test", NOW, "client")
    assert problem([good, ISSUER.certificate], [], "fabrikam.test", NOW, "client") != ""
    assert problem([], [ROOT.certificate], "fabrikam.test", NOW, "client") == "there is none"


@pytest.mark.parametrize(
    ("purposes", "client", "server"),
    [
        (BOTH_WAYS, True, True),
        ([ExtendedKeyUsageOID.SERVER_AUTH], False, True),
        ([ExtendedKeyUsageOID.CLIENT_AUTH], True, False),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], True, True),
    ],
)
def test_purposes(purposes: t.Iterable[x509.ObjectIdentifier], client: bool, server: bool) -> None:
    certificate = leaf(x509.DNSName("fabrikam.test"), purposes=purposes)
    assert (checked(certificate) == "", checked(certificate, purpose="server") == "") == (client, server)


# -- what the gateway reads


def test_a_partner_is_found_by_each_of_its_domains(bench: Bench) -> None:
    bench.ok("New-CsXmppAllowedPartner", Identity="Fabrikam.test", AdditionalDomains={"Add": ["chat.fabrikam.test"]})
    around = Surroundings(bench.store)
    for name in ("fabrikam.TEST", "chat.fabrikam.test"):
        found = around.partner(name)
        assert found is not None
        assert (found.domain, found.row, found.type) == (
            "fabrikam.test", Row("Required", "Required", True), "PublicUnverified",
        )  # fmt: skip
    assert around.partner("other.test") is None
    bench.ok("Remove-CsXmppAllowedPartner", Identity="fabrikam.test", Confirm=False)
    assert around.partner("fabrikam.test") is None


def test_the_policy_in_effect_is_the_users_own_then_the_sites_then_the_global(bench: Bench) -> None:
    around = Surroundings(bench.store)

    def effective() -> tuple[str, bool, bool]:
        found = around.user(USER.upper())
        assert found is not None
        return found.policy, found.xmpp, found.federation

    assert effective() == ("Global", False, False)
    bench.ok("New-CsExternalAccessPolicy", Identity="Site:Redmond", EnableXmppAccess=True)
    assert effective() == ("Site:Redmond", True, False)
    bench.ok("New-CsExternalAccessPolicy", Identity="Own", EnableFederationAccess=True)
    bench.ok("Grant-CsExternalAccessPolicy", Identity="sip:" + USER, PolicyName="Own")
    assert effective() == ("Tag:Own", False, True)
    shown = bench.ok("Get-CsEffectivePolicy", Identity="sip:" + USER, DomainController="dc01.contoso.test")
    assert shown[0]["ExternalAccessPolicy"] == "Own"
    assert around.user("nobody@contoso.test") is None


def test_services_and_routes(bench: Bench) -> None:
    around = Surroundings(bench.store)
    assert (around.running("edge01"), around.obstacle("fabrikam.test")) == (True, "")
    before = around.turn("edge01")
    proxy, gateway = (bench.store.service_name(*one) for one in (("edge01", "RTCXMPPTGWPROXY"), ("fe01", "RTCXMPPTGW")))
    bench.store.set_setting("services_at_doors", True)
    bench.ok("Stop-CsWindowsService", host="edge01", Name=proxy, Confirm=False)
    assert (around.running("edge01"), around.running("edge02")) == (False, True)
    bench.ok("Start-CsWindowsService", host="edge01", Name=proxy)
    assert around.running("edge01")
    assert around.turn("edge01") != before
    bench.ok("Stop-CsWindowsService", Name=gateway, Confirm=False)
    assert "RTCXMPPTGW is not running" in around.obstacle("fabrikam.test")


def test_the_dialback_secret_is_the_passphrase_or_one_of_the_labs(bench: Bench) -> None:
    around = Surroundings(bench.store)
    made = around.dialback_secret()
    assert around.dialback_secret() == made
    assert len(made) > 30
    good = expected(around, "fabrikam.test", "contoso.test", "id1")
    assert ours(around, "fabrikam.test", "contoso.test", "id1", good)
    assert not ours(around, "fabrikam.test", "contoso.test", "id2", good)
    assert not ours(around, "fabrikam.test", "contoso.test", "id1", "ü")
    bench.ok("Set-CsXmppGatewayConfiguration", Identity="global", DialbackPassphrase="Other-1")
    assert around.dialback_secret() == "Other-1"
    assert not ours(around, "fabrikam.test", "contoso.test", "id1", good)


def test_the_limit_of_a_partner_counts_its_authenticated_streams() -> None:
    register = Register()
    first, second, third = (register.add("edge01", 3) for _count in range(3))
    assert register.add("edge01", 3) is None
    assert register.add("edge02", 3) is not None
    assert first is not None
    assert second is not None
    assert third is not None
    assert register.admit(first, "fabrikam.test", 1)
    assert register.admit(first, "fabrikam.test", 1)
    assert not register.admit(second, "fabrikam.test", 1)
    assert register.admit(second, "adatum.test", 1)
    register.remove(first)
    assert register.admit(third, "fabrikam.test", 1)
    assert register.count() == 3


@pytest.mark.parametrize("nameserver", ["", "127.0.0.1", "host:53", "127.0.0.1:x"])
def test_a_name_server_has_an_address_and_a_port(nameserver: str) -> None:
    with pytest.raises(LookupFailed):
        Lookup(nameserver)


# -- stanzas


def test_addresses() -> None:
    assert bare("Romeo@Fabrikam.test/Phone") == "romeo@fabrikam.test"
    assert (domain("a@b.test/c@d"), domain("b.test")) == ("b.test", "b.test")
    assert sendable("Grüße\n\U0001f600")
    assert not sendable("\x00")
    assert not sendable("\ud800")


def test_an_error_goes_back_and_can_be_read() -> None:
    said = message("romeo@fabrikam.test/phone", USER, "m1", "Hello")
    back = bounce(said, "policy-violation", "AllowFederatedUsers is off")
    assert back.attributes == {"from": USER, "to": "romeo@fabrikam.test/phone", "id": "m1", "type": "error"}
    assert error_of(back) == "policy-violation: AllowFederatedUsers is off"
    assert error_of(said) == "an error without a reason"


@pytest.mark.parametrize(
    ("to", "payload", "kind", "known"),
    [
        ("contoso.test", "{urn:xmpp:ping}ping", "get", True),
        (USER, "{urn:xmpp:ping}ping", "get", True),
        ("contoso.test", "{http://jabber.org/protocol/disco#info}query", "get", True),
        (USER, "{http://jabber.org/protocol/disco#info}query", "get", False),
        ("contoso.test", "{urn:xmpp:ping}ping", "set", False),
        ("contoso.test", "{jabber:iq:version}query", "get", False),
    ],
)
def test_queries_that_are_answered(to: str, payload: str, kind: str, known: bool) -> None:
    given = {"from": "fabrikam.test", "to": to, "id": "q", "type": kind}
    answer = result(Element("{jabber:server}iq", given, "", (Element(payload, {}, "", ()),)))
    assert (answer is not None) == known


# -- events and messages


def test_events_read_well_and_hostile_ones_do_not_pile_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.gateway.events.KEPT", 5)
    monkeypatch.setattr("lab.gateway.events._PRUNE_EVERY", 10)
    bench.ok("Get-CsSite")
    before = len(bench.store.events())
    journal = Journal(bench.store)
    for number in range(20):
        journal.write("refused", "in", "edge01", "id", "fabrikam.test", "refused", "no", own="a.test", number=number)
    events = bench.store.events()
    assert [e.parameters["number"] for e in events if e.kind == "xmpp"] == [15, 16, 17, 18, 19]
    assert len(events) == before + 5
    assert "edge01 fabrikam.test: xmpp in refused own=a.test number=19 -> refused no" in _line(events[-1])


def test_messages_are_kept_with_what_became_of_them(bench: Bench) -> None:
    store = bench.store
    number = store.send_message(USER, "romeo@fabrikam.test", "Hello")
    assert [m.id for m in store.messages(status="queued")] == [number]
    store.settle_message(number, "edge01", "refused", "no")
    found = store.message(number)
    assert found is not None
    assert (found.direction, found.status, found.reason, found.edge) == ("out", "refused", "no", "edge01")
    assert store.messages(status="queued") == []
    assert store.message(number + 1) is None


def test_contacts_compare_without_case(bench: Bench) -> None:
    bench.store.add_contact(USER, "Romeo@fabrikam.test")
    assert bench.store.has_contact(USER.upper(), "romeo@FABRIKAM.test")
    assert not bench.store.has_contact(USER, "juliet@fabrikam.test")


def test_a_second_store_leaves_the_first_ones_locks(bench: Bench) -> None:
    # Without its lock, another process that closes the database would take it for unused and remove its log.
    Store(bench.store.directory).close()
    locks = Path("/proc/locks").read_text()
    inode = (bench.store.directory / "state.sqlite").stat().st_ino
    assert ":%d " % inode in locks


# -- Test-CsXmppIM


def gateway(store: Store, status: str, reason: str) -> threading.Thread:
    """Settles the first message that is queued, as a running gateway does."""

    def work() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            queued = store.messages(status="queued")
            if queued:
                store.settle_message(queued[0].id, "edge01", status, reason)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("status", ["sent", "refused"])
def test_the_synthetic_transaction_says_what_became_of_its_message(bench: Bench, status: str) -> None:
    bench.store.put("policy", "Tag:P", {"EnableXmppAccess": True, "EnableFederationAccess": True})
    bench.store.grant(DN, "Tag:P", "dc01.contoso.test", 0.0)
    reason = "" if status == "sent" else "the partner does not answer"
    thread = gateway(bench.store, status, reason)
    told = {"TargetFqdn": "fe01.contoso.test", "Receiver": "romeo@fabrikam.test"}
    bench.store.put("health_monitoring", "fe01.contoso.test", {"FirstTestUserSipUri": "sip:" + USER})
    sink = bench.call("Test-CsXmppIM", **told)
    thread.join()
    assert sink.errors == []
    row = sink.rows[0]
    assert (row["TargetFqdn"], row["Diagnosis"]) == ("fe01.contoso.test", reason)
    assert (row["Result"], bool(row["Error"])) == (("Success", False) if status == "sent" else ("Failure", True))
    assert t.cast(datetime.timedelta, row["Latency"]).total_seconds() > 0
    sent = bench.store.messages()[0]
    assert (sent.sender, sent.recipient) == ("sip:" + USER, "romeo@fabrikam.test")


def test_without_a_credential_only_test_users_send(bench: Bench) -> None:
    """The page: the cmdlet takes the pool's test users, or somebody's address together with his credential."""
    told = {"TargetFqdn": "fe01.contoso.test", "Receiver": "romeo@fabrikam.test"}
    assert bench.fails("Test-CsXmppIM", **told) == "ItemNotFound"
    assert bench.fails("Test-CsXmppIM", UserSipAddress="mbell@contoso.test", **told) == "ItemNotFound"
    assert bench.ok("Get-CsHealthMonitoringConfiguration") == []
    users = {"FirstTestUserSipUri": "sip:t1@contoso.test", "SecondTestUserSipUri": "sip:t2@contoso.test"}
    bench.store.put("health_monitoring", "fe01.contoso.test", users)
    assert bench.fails("Test-CsXmppIM", UserSipAddress="mbell@contoso.test", **told) == "ItemNotFound"
    (shown,) = bench.ok("Get-CsHealthMonitoringConfiguration", Identity="FE01.contoso.test")
    assert {name: shown[name] for name in users} == users
    assert bench.store.messages() == []


def test_the_synthetic_transaction_names_its_sender_and_its_pool(bench2013: Bench) -> None:
    told: dict[str, t.Any] = {
        "Receiver": "romeo@fabrikam.test",
        "UserSipAddress": "sip:mbell@contoso.test",
        "UserCredential": PSCredential(UserName="contoso\\MBELL", Password=PSSecureString(USER_PASSWORD)),
    }
    thread = gateway(bench2013.store, "sent", "")
    assert bench2013.ok("Test-CsXmppIM", TargetFqdn="FE01.contoso.test", **told)[0]["Result"] == "Success"
    thread.join()
    assert bench2013.store.messages()[0].sender == "sip:mbell@contoso.test"
    row = bench2013.ok("Test-CsXmppIM", TargetFqdn="nowhere.test", **told)[0]
    assert (row["Result"], "No matching cluster" in row["Error"]) == ("Failure", True)
    assert len(bench2013.store.messages()) == 1
    assert bench2013.fails("Test-CsXmppIM", Receiver="romeo@fabrikam.test") == "MissingMandatoryParameter"
    without = {name: value for name, value in told.items() if name != "UserSipAddress"}
    assert bench2013.fails("Test-CsXmppIM", **without) == "MissingMandatoryParameter"
    assert bench2013.fails("Test-CsXmppIM", TargetFqdn="fe01.contoso.test") == "MissingMandatoryParameter"
