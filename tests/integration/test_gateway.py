# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's gateway over real TCP and TLS, with a peer that behaves as each test wants it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import stream as xmpp
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.xml_stream import Element
from OpenSSL import SSL

from lab.deployment.ready import USER, gateway_certificate, present
from lab.deployment.store import Message
from lab.gateway.dial import DialFailed
from lab.gateway.gateway import MAX_STRANGERS
from lab.gateway.stanzas import BODY, error_of, message
from lab.testing import Lab
from tests.integration.gateway_federation import ROMEO, Federation, listens, until
from tests.integration.gateway_peer import PATIENCE, Manner, certificate

CHECKOUT = Path(__file__).resolve().parents[2]
EXTERNAL = ("Required", "Required", False)
ANY = ("Optional", "Optional", True)
TLS_DIALBACK = ("Required", "NotSupported", True)
TCP_DIALBACK = ("NotSupported", "NotSupported", True)


@pytest.fixture
def federation(fresh_lab: Lab) -> t.Iterator[Federation]:
    with Federation.of(fresh_lab) as made:
        yield made


# -- incoming


@pytest.mark.quick
def test_incoming_sasl_external(federation: Federation) -> None:
    federation.allow(EXTERNAL)
    dialog = federation.peer.secured()
    assert dialog.features == xmpp.Features("", ("EXTERNAL",), False)
    assert dialog.wire.version == "TLSv1.2"
    assert federation.peer.external(dialog) is None
    said = federation.says(dialog, "Wherefore?")
    assert (said.status, said.edge, said.sender, said.recipient, said.body) == (
        "delivered", "edge01", ROMEO, USER, "Wherefore?",
    )  # fmt: skip
    event = federation.event("accepted", direction="in")
    assert (event.user, event.parameters["method"], event.host) == ("fabrikam.test", "sasl-over-tls", "edge01")
    assert federation.event("delivered").session == dialog.stream.id
    assert federation.event("delivered").parameters["length"] == 10
    assert "Wherefore" not in json.dumps([e.parameters for e in federation.store.events()])


def test_incoming_dialback_inside_tls(federation: Federation) -> None:
    federation.allow(TLS_DIALBACK)
    dialog = federation.peer.dial()
    assert dialog.features == xmpp.Features("required", (), False)
    dialog = federation.peer.secured()
    assert dialog.features == xmpp.Features("", (), True)
    assert federation.peer.dialback(dialog).type == "valid"
    assert federation.says(dialog).status == "delivered"
    assert federation.event("accepted", direction="in").parameters["method"] == "tls-dialback"


def test_incoming_dialback_in_clear(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial()
    assert dialog.features == xmpp.Features("", (), True)
    assert federation.peer.dialback(dialog).type == "valid"
    assert federation.says(dialog).status == "delivered"
    assert federation.event("accepted", direction="in").parameters["method"] == "tcp-dialback"


@pytest.mark.parametrize("kind", ["expired", "wrongname", "unknownca", "none"])
def test_a_certificate_that_is_not_good_leaves_dialback_only(federation: Federation, kind: str) -> None:
    federation.allow(ANY)
    federation.peer.identity = None if kind == "none" else certificate(federation.lab.directory, "fabrikam.test", kind)
    # The peer's own server has to have one for the verification.
    dialog = federation.peer.secured()
    assert dialog.features == xmpp.Features("", (), True)
    refused = federation.peer.external(dialog)
    assert refused is not None
    assert refused.condition == "not-authorized"
    federation.peer.identity = certificate(federation.lab.directory, "fabrikam.test")
    assert federation.peer.dialback(dialog).type == "valid"
    words = {
        "expired": "has expired",
        "wrongname": "not for fabrikam.test",
        "unknownca": "issuer certificate",
        "none": "none",
    }
    assert words[kind] in federation.event("refused", method="sasl-over-tls").error


def test_a_certificate_for_servers_only_is_refused(federation: Federation) -> None:
    federation.allow(EXTERNAL)
    federation.peer.identity = certificate(federation.lab.directory, "fabrikam.test", "serveronly")
    dialog = federation.peer.secured()
    assert dialog.features == xmpp.Features("", (), False)
    assert "no client authentication" in federation.event("tls").parameters["certificate"]


def test_a_key_that_its_server_does_not_know_is_invalid(federation: Federation) -> None:
    federation.allow(ANY)
    federation.peer.manner = Manner(knows_keys=False)
    dialog = federation.peer.secured()
    assert federation.peer.dialback(dialog).type == "invalid"
    assert "does not know the key" in federation.event("refused", method="tls-dialback").error


def test_a_key_that_nobody_can_verify_is_an_error(federation: Federation) -> None:
    federation.allow(ANY)
    del federation.names.servers["fabrikam.test"]
    answer = federation.peer.dialback(federation.peer.dial())
    assert (answer.type, answer.condition) == ("error", "remote-server-not-found")
    assert "could not be verified" in federation.event("refused", method="tcp-dialback").error


def test_dialback_against_the_row_is_refused(federation: Federation) -> None:
    federation.allow(EXTERNAL)
    answer = federation.peer.dialback(federation.peer.secured())
    assert (answer.type, answer.condition) == ("error", "policy-violation")


def test_a_stranger_is_refused(federation: Federation) -> None:
    dialog = federation.peer
    with pytest.raises(DialFailed, match=r"policy-violation.*not an allowed partner"):
        dialog.dial()
    event = federation.event("refused")
    assert (event.user, event.outcome, event.host) == ("fabrikam.test", "refused", "edge01")
    federation.allow(EXTERNAL)
    with pytest.raises(DialFailed, match="host-unknown"):
        dialog.dial(own="example.org")


def test_an_additional_domain_belongs_to_its_partner(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK, AdditionalDomains=["chat.fabrikam.test"])
    federation.names.servers["chat.fabrikam.test"] = federation.peer.where
    dialog = federation.peer.dial(claim="chat.fabrikam.test")
    assert federation.peer.dialback(dialog, domain="chat.fabrikam.test").type == "valid"
    assert federation.says(dialog, sender="juliet@chat.fabrikam.test").status == "delivered"


def test_who_does_not_say_who_it_is_is_judged_by_its_certificate(federation: Federation) -> None:
    federation.allow(EXTERNAL)
    dialog = federation.peer.secured(claim="")
    assert "EXTERNAL" in dialog.features.mechanisms
    with pytest.raises(DialFailed, match=r"adatum\.test is not an allowed partner"):
        federation.peer.external(dialog, "adatum.test")
    dialog = federation.peer.secured(claim="")
    assert federation.peer.external(dialog, "fabrikam.test") is None
    assert federation.says(dialog).status == "delivered"


def test_a_header_that_names_nobody_leaves_it_to_the_key(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial(own="", claim="")
    assert federation.peer.dialback(dialog, own="adatum.test").type == "error"
    dialog = federation.peer.dial(own="", claim="")
    assert federation.peer.dialback(dialog).type == "valid"
    assert federation.says(dialog).status == "delivered"


@pytest.mark.parametrize("version", [SSL.TLS1_VERSION, SSL.TLS1_1_VERSION, SSL.TLS1_2_VERSION])
def test_each_version_of_tls_that_the_product_has(federation: Federation, version: int) -> None:
    federation.allow(TLS_DIALBACK)
    dialog = federation.peer.secured(version=version)
    assert federation.peer.dialback(dialog).type == "valid"


def test_a_stanza_from_somebody_else_ends_the_stream(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    dialog.stream.send(message("eve@adatum.test", USER, "m1", "Hello"))
    assert "invalid-from" in federation.ended(dialog)
    assert federation.received() == []


@pytest.mark.parametrize(
    ("change", "reason", "condition"),
    [
        ("policy", "EnableXmppAccess is off", "policy-violation"),
        ("federation", "EnableFederationAccess is off", "policy-violation"),
        ("edge", "AllowFederatedUsers", "policy-violation"),
        ("nobody", "there is no user", "service-unavailable"),
        ("contact", "has not added", "subscription-required"),
    ],
)
def test_a_message_that_may_not_reach_the_user_comes_back(
    federation: Federation, change: str, reason: str, condition: str
) -> None:
    federation.allow(TCP_DIALBACK, PartnerType="PublicUnverified" if change == "contact" else "Federated")
    recipient = "nobody@contoso.test" if change == "nobody" else USER
    if change == "policy":
        federation.configure("policy", "Tag:Partners", EnableXmppAccess=False)
    elif change == "federation":
        federation.configure("policy", "Tag:Partners", EnableFederationAccess=False)
    elif change == "edge":
        federation.configure("access_edge", "Global", AllowFederatedUsers=False)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    said = federation.says(dialog, to=recipient)
    assert (said.status, reason in said.reason) == ("refused", True)
    bounced = federation.peer.came.get(timeout=PATIENCE)
    assert (bounced.attributes["type"], bounced.attributes["id"], bounced.attributes["to"]) == (
        "error", "m1", ROMEO + "/phone",
    )  # fmt: skip
    assert error_of(bounced).startswith(condition)
    assert reason in federation.event("bounced").error


def test_a_contact_may_write_and_see_presence(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK, PartnerType="PublicUnverified")
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"

    def subscribe() -> str:
        dialog.stream.send(b"<presence from='%s' to='%s' type='subscribe'/>" % (ROMEO.encode(), USER.encode()))
        dialog.flush()
        return federation.peer.came.get(timeout=PATIENCE).attributes.get("type", "available")

    assert subscribe() == "unsubscribed"
    assert federation.send().status == "sent"
    assert federation.peer.came.get(timeout=PATIENCE).child(BODY) is not None
    assert federation.says(dialog).status == "delivered"
    assert subscribe() == "subscribed"
    assert federation.peer.came.get(timeout=PATIENCE).attributes.get("type") is None


def test_queries_are_answered(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    for payload, kind in ((b"<ping xmlns='urn:xmpp:ping'/>", "result"), (b"<query xmlns='urn:x'/>", "error")):
        query = b"<iq id='q' type='get' from='fabrikam.test' to='contoso.test'>%s</iq>" % payload
        dialog.stream.send(query)
        dialog.flush()
        answer = federation.peer.came.get(timeout=PATIENCE)
        assert (answer.attributes["id"], answer.attributes["type"]) == ("q", kind)


def test_bodies_are_logged_only_when_asked_for(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    federation.configure("gateway", "Global", EnableLoggingAllMessageBodies=True)
    assert federation.send("Good morrow").status == "sent"
    assert federation.event("sent").parameters["body"] == "Good morrow"


# -- outgoing


@pytest.mark.parametrize(
    ("row", "manner", "method", "failed"),
    [
        (EXTERNAL, Manner(), "sasl-over-tls", ""),
        (ANY, Manner(tls="required"), "sasl-over-tls", ""),
        (ANY, Manner(external="refuse"), "tls-dialback", "refuses SASL EXTERNAL"),
        (ANY, Manner(external=""), "tls-dialback", "does not offer SASL EXTERNAL"),
        (ANY, Manner(tls=""), "tcp-dialback", ""),
        (TLS_DIALBACK, Manner(), "tls-dialback", ""),
        (TCP_DIALBACK, Manner(), "tcp-dialback", ""),
    ],
)
def test_outgoing_by_the_strongest_method_that_works(
    federation: Federation, row: tuple[str, str, bool], manner: Manner, method: str, failed: str
) -> None:
    federation.allow(row)
    federation.peer.manner = manner
    sent = federation.send("Hello")
    assert (sent.status, sent.edge, sent.reason) == ("sent", "edge01", "")
    came = federation.peer.came.get(timeout=PATIENCE)
    assert (came.attributes["from"], came.attributes["to"]) == (USER, ROMEO)
    assert t.cast(Element, came.child(BODY)).text == "Hello"
    assert federation.peer.methods == [method]
    assert federation.event("accepted", direction="out").parameters["method"] == method
    if failed:
        assert failed in federation.event("refused", direction="out").error
    # The stream serves the next message as well.
    assert federation.send("Again").status == "sent"
    assert federation.peer.methods == [method]


def test_outgoing_in_clear_after_tls_failed(federation: Federation) -> None:
    """Microsoft's table lists it for TLS optional, and does not say when: the assumption gateway-clear-after-tls."""
    federation.allow(ANY)
    federation.peer.manner = Manner(refuses_tls=True)
    assert federation.send("Hello").status == "sent"
    assert federation.peer.methods == ["tcp-dialback"]
    assert federation.event("failed", direction="out").error


@pytest.mark.parametrize(
    ("row", "manner", "reason"),
    [
        (EXTERNAL, Manner(tls=""), "the partner does not offer it"),
        (EXTERNAL, Manner(external="refuse"), "nothing else is allowed over TLS"),
        (TLS_DIALBACK, Manner(refuses_tls=True), "TLS"),
        (TCP_DIALBACK, Manner(tls="required"), "the partner requires TLS"),
        (TLS_DIALBACK, Manner(dialback=False), "does not offer dialback"),
        (("Required", "NotSupported", False), Manner(), "leaves no method"),
    ],
)
def test_outgoing_refusals_say_why(
    federation: Federation, row: tuple[str, str, bool], manner: Manner, reason: str
) -> None:
    federation.allow(row)
    federation.peer.manner = manner
    sent = federation.send()
    assert (sent.status, reason in sent.reason) == ("refused", True)
    assert federation.event("undeliverable").error == sent.reason


def test_outgoing_to_a_certificate_that_is_not_good(federation: Federation) -> None:
    federation.allow(EXTERNAL)
    federation.peer.identity = certificate(federation.lab.directory, "fabrikam.test", "expired")
    assert federation.send().status == "refused"
    assert "has expired" in federation.event("refused", direction="out").error
    federation.allow(ANY)
    assert federation.send().status == "sent"
    assert federation.peer.methods == ["tls-dialback"]


def test_who_may_not_send(federation: Federation) -> None:
    assert "not an allowed partner" in federation.send().reason
    federation.allow(TCP_DIALBACK)
    assert (
        "EnableFederationAccess is off in mbell@contoso.test's policy, Global"
        in federation.send(sender="mbell@contoso.test").reason
    )
    assert "there is no user" in federation.send(sender="nobody@contoso.test").reason
    assert "cannot be sent" in federation.send("bell \x07").reason
    del federation.names.servers["fabrikam.test"]
    assert "neither an SRV record nor an address" in federation.send().reason
    federation.store.set_setting("xmpp_nameserver", None)
    assert "no nameserver" in federation.send().reason
    federation.configure("site", "Redmond", XmppFederationRoute="")
    assert "no site has an XMPP federation route" in federation.send().reason


def test_a_message_that_comes_back_is_refused_after_all(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    sent = federation.send()
    assert sent.status == "sent"
    came = federation.peer.came.get(timeout=PATIENCE)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    dialog.stream.send(
        b"<message from='%s' to='%s' id='%s' type='error'><error type='cancel'><item-not-found "
        b"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        % (ROMEO.encode(), USER.encode(), came.attributes["id"].encode())
    )
    dialog.flush()
    until(lambda: t.cast(Message, federation.store.message(sent.id)).status == "refused")
    assert t.cast(Message, federation.store.message(sent.id)).reason == "the partner says item-not-found"


# -- changes while streams are open, limits, services


def test_removing_the_partner_closes_both_streams(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    assert federation.send().status == "sent"
    federation.store.delete("partner", "fabrikam.test")
    assert "not an allowed partner any more" in federation.ended(dialog)
    until(lambda: [e for e in federation.events("closed", direction="out") if "any more" in e.error])
    assert federation.peer.closed.wait(PATIENCE)


@pytest.mark.parametrize("row", [TCP_DIALBACK, TLS_DIALBACK])
def test_a_partner_that_ends_a_stream_is_dialled_again(federation: Federation, row: tuple[str, str, bool]) -> None:
    federation.allow(row)
    assert federation.send("the first").status == "sent"
    assert "the first" in str(federation.peer.came.get(timeout=PATIENCE))
    federation.peer.hangs_up.set()
    federation.event("closed", direction="out")
    federation.peer.hangs_up.clear()
    assert federation.send("the second").status == "sent"
    assert "the second" in str(federation.peer.came.get(timeout=PATIENCE))
    until(lambda: len(federation.events("accepted", direction="out")) == 2)


def test_where_open_streams_stay_only_a_restart_ends_them(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    federation.store.set_setting("revoked_streams_stay", True)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    assert federation.send().status == "sent"
    federation.store.delete("partner", "fabrikam.test")
    assert federation.says(dialog, "Still here").status == "delivered"
    assert not federation.events("closed")
    assert federation.send().status == "refused"
    federation.configure("service", "edge01/RTCXMPPTGWPROXY", Status="Stopped")
    assert "system-shutdown" in federation.ended(dialog)
    assert federation.peer.closed.wait(PATIENCE)


def test_a_row_that_gets_stricter_closes_the_stream(federation: Federation) -> None:
    federation.allow(ANY)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    federation.allow(EXTERNAL)
    assert "does not allow tcp-dialback any more" in federation.ended(dialog)


def test_a_stopped_service_ends_streams_and_listener(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    federation.configure("service", "edge01/RTCXMPPTGWPROXY", Status="Stopped")
    assert "system-shutdown" in federation.ended(dialog)

    until(lambda: not listens(federation.gateway[0]))
    sent = federation.send()  # by the other Edge of the pool
    assert (sent.status, sent.edge, sent.reason) == ("sent", "edge02", "")
    federation.configure("service", "edge01/RTCXMPPTGWPROXY", Status="Running")
    until(lambda: listens(federation.gateway[0]))


def test_a_service_that_drains_keeps_its_streams_and_takes_no_new_one(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    federation.configure("service", "edge01/RTCXMPPTGWPROXY", Status="Paused")
    until(lambda: not listens(federation.gateway[0]))
    assert federation.peer.dialback(dialog).type == "valid"
    federation.configure("service", "edge01/RTCXMPPTGWPROXY", Status="Stopped")
    assert "system-shutdown" in federation.ended(dialog)


def test_a_swapped_certificate_is_presented_at_once(federation: Federation) -> None:
    federation.allow(EXTERNAL)
    first = federation.peer.secured()
    assert federation.peer.external(first) is None
    other = certificate(federation.lab.directory, "contoso.test")
    present(federation.store, other.certificate, other.key, other.chain)
    assert "system-shutdown" in federation.ended(first)
    second = federation.peer.secured()
    assert second.wire.peer_chain()[0] == other.certificate
    assert first.wire.peer_chain()[0] == gateway_certificate(federation.lab.directory)[0]


def test_without_a_certificate_there_is_no_tls(federation: Federation) -> None:
    federation.allow(ANY)
    for host in ("edge01", "edge02"):
        federation.store.present(host, "XmppServer", None)
    assert federation.peer.dial().features.starttls == ""
    federation.allow(EXTERNAL)
    with pytest.raises(DialFailed, match="no certificate is presented"):
        federation.peer.dial()


@pytest.mark.parametrize("limit", ["partner", "gateway"])
def test_more_streams_than_the_limit_are_refused(federation: Federation, limit: str) -> None:
    if limit == "partner":
        federation.configure("gateway", "Global", PartnerConnectionLimit=50)
    federation.allow(EXTERNAL, ConnectionLimit=2 if limit == "partner" else None)
    for _count in range(2):
        assert federation.peer.external(federation.peer.secured()) is None
    if limit == "gateway":
        federation.configure("gateway", "Global", ConnectionLimit=2)
    with pytest.raises(DialFailed, match="resource-constraint"):
        federation.peer.external(federation.peer.secured())
    assert "limit" in federation.event("refused").error.lower()


def test_silent_streams_end(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    federation.configure("gateway", "Global", StreamEstablishmentTimeout=1, StreamInactivityTimeout=2)
    assert "connection-timeout" in federation.ended(federation.peer.dial())
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    assert federation.ended(dialog) == "the partner closed the stream"
    assert "nothing came for 2 s" in federation.event("closed", direction="in").error


def test_streams_are_kept_alive(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    federation.configure("gateway", "Global", KeepAliveInterval=1)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    dialog.flush()
    assert (until(lambda: dialog.wire.receive(0.2)) or b"").isspace()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='contoso.test'>",
        b"<?xml version='1.0'?>" + b"<a>" * 50,
        b"<a b='" + b"c" * 400000,
    ],
)
def test_nonsense_ends_its_own_stream_only(federation: Federation, data: bytes) -> None:
    federation.allow(TCP_DIALBACK)
    dialog = federation.peer.dial()
    assert federation.peer.dialback(dialog).type == "valid"
    with socket.create_connection(federation.gateway[0], PATIENCE) as stranger:
        with contextlib.suppress(ConnectionError):
            stranger.sendall(data)
        with contextlib.suppress(ConnectionError):
            while stranger.recv(4096):
                pass
    until(lambda: [e for e in federation.events("failed") if "broke the protocol" in e.error])
    assert federation.says(dialog).status == "delivered"


def test_strangers_cannot_use_up_the_threads(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)
    with contextlib.ExitStack() as stack:
        for _count in range(MAX_STRANGERS + 20):
            stack.enter_context(socket.create_connection(federation.gateway[0], PATIENCE))
        assert federation.event("full").host == "edge01"
        # The other Edge has places of its own.
        assert _features(federation.gateway[1])
    until(lambda: federation.streams() == 0)
    assert federation.peer.dial().features.dialback


def _features(place: tuple[str, int]) -> bool:
    stream = xmpp.Stream("initiating", "fabrikam.test", "contoso.test")
    stream.open()
    with socket.create_connection(place, PATIENCE) as connection:
        connection.sendall(stream.data_to_send())
        heard: list[object] = []
        while data := connection.recv(4096):
            heard += stream.receive(data)
            if any(isinstance(event, xmpp.Features) for event in heard):
                return True
    return False


def test_commands_send_and_list(federation: Federation) -> None:
    federation.allow(TCP_DIALBACK)

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lab", *arguments, "--directory", str(federation.lab.directory)],
            cwd=CHECKOUT, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    sent = command("send", USER, ROMEO, "Hello")
    assert (sent.returncode, sent.stdout.endswith(": sent\n"), sent.stderr) == (0, True, "")
    refused = command("send", "nobody@contoso.test", ROMEO, "Hello")
    assert (refused.returncode, "refused: there is no user nobody@contoso.test" in refused.stdout) == (1, True)
    listed = command("messages").stdout.splitlines()
    assert len(listed) == 2
    assert "out %s > %s: 'Hello' -> sent" % (USER, ROMEO) in listed[0]
    shown = command("events").stdout
    assert "fabrikam.test: xmpp out accepted own=contoso.test method=tcp-dialback -> ok" in shown
    assert "port %d" % federation.lab.xmpp_port in command("status").stdout


def test_a_taken_port_is_named(fresh_lab: Lab, tmp_path: Path) -> None:
    arguments = ["up", "--directory", str(tmp_path), "--port", "0", "--xmpp-port", str(fresh_lab.xmpp_port)]
    result = subprocess.run(
        [sys.executable, "-m", "lab", *arguments], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "port %d on 127.0.0.21 is in use by another program" % fresh_lab.xmpp_port in result.stderr
    assert "--xmpp-port" in result.stderr
