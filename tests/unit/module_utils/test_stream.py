# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handshake from both sides: every way to authenticate, every refusal, and every breach with its condition."""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import stream as s

A, B = "contoso.test", "fabrikam.test"

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:db='jabber:server:dialback' from='fabrikam.test' to='contoso.test' version='1.0'>"
)
OLD_HEADER = HEADER.replace(b" version='1.0'>", b">")
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
AUTH = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
FEATURES = b"<stream:features/>"
KEY = b"<db:result from='fabrikam.test' to='contoso.test'>k</db:result>"
VERIFY = b"<db:verify from='fabrikam.test' to='contoso.test' id='7'>k</db:verify>"
MESSAGE = s.Element("{jabber:server}message", {"from": "b@" + A, "to": "c@" + B}, "", ())


class Pair:
    """Two streams in one memory."""

    def __init__(self) -> None:
        self.a = s.Stream("initiating", A, B)
        self.b = s.Stream("receiving", B, A)
        self.a.open()

    def to_b(self) -> list[s.Event]:
        return self.b.receive(self.a.data_to_send())

    def to_a(self) -> list[s.Event]:
        return self.a.receive(self.b.data_to_send())

    def opened(self, starttls: str = "", mechanisms: tuple[str, ...] = (), dialback: bool = False) -> s.Features:
        """Exchange headers and features; what the initiating side learned."""
        assert self.to_b() == [s.StreamOpened(A, B, "", "1.0", True)]
        self.b.respond()
        self.b.send_features(starttls, mechanisms, dialback)
        header, features = self.to_a()
        assert header == s.StreamOpened(B, A, self.b.id, "1.0", True)
        assert self.a.id == self.b.id != ""
        assert isinstance(features, s.Features)
        return features

    def encrypted(self) -> None:
        """Bring TLS up."""
        assert self.opened("required") == s.Features("required", (), False)
        self.a.request_tls()
        assert self.to_b() == [s.TlsRequested()]
        self.b.proceed_tls()
        assert self.to_a() == [s.TlsProceed()]
        self.b.tls_established()
        self.a.tls_established()
        assert self.a.secure
        assert self.b.secure
        assert self.a.id == self.b.id == ""

    def exchange(self) -> None:
        """A message arrives, and both sides close."""
        self.a.send(MESSAGE)
        assert self.to_b() == [s.Stanza(MESSAGE)]
        self.a.close()
        assert self.to_b() == [s.Closed()]
        assert self.to_a() == [s.Closed()]
        assert self.a.closed
        assert self.b.closed


def receiving(*, limits: s.StreamLimits | None = None) -> s.Stream:
    """The receiving side with both headers and the features behind it."""
    stream = s.Stream("receiving", A, B, limits)
    assert stream.receive(HEADER) == [s.StreamOpened(B, A, "", "1.0", True)]
    stream.respond()
    stream.send_features("offered", ("EXTERNAL",), True)
    stream.data_to_send()
    return stream


def initiating() -> s.Stream:
    """The initiating side with both headers and the features behind it."""
    stream = s.Stream("initiating", A, B)
    stream.open()
    events = stream.receive(HEADER.replace(b"'1.0'>", b"'1.0' id='4711'>") + FEATURES)
    assert events == [s.StreamOpened(B, A, "4711", "1.0", True), s.Features("", (), False)]
    stream.data_to_send()
    return stream


def test_tls_with_external() -> None:
    pair = Pair()
    pair.encrypted()
    assert pair.opened("", ("EXTERNAL",), True) == s.Features("", ("EXTERNAL",), True)
    pair.a.authenticate_external()
    assert pair.to_b() == [s.AuthRequested("EXTERNAL", None)]
    pair.b.accept_auth()
    assert pair.to_a() == [s.AuthSucceeded()]
    assert pair.a.authenticated
    assert pair.b.authenticated
    assert pair.opened() == s.Features("", (), False)
    pair.exchange()


@pytest.mark.parametrize("tls", [True, False])
def test_dialback(tls: bool) -> None:
    pair = Pair()
    if tls:
        pair.encrypted()
    assert pair.opened(dialback=True) == s.Features("", (), True)
    key = s.dialback_key("secret", B, A, pair.a.id)
    pair.a.send_key(A, B, key)
    assert pair.to_b() == [s.DialbackKey(A, B, key)]

    # The receiving side asks the originating domain's own server, on a stream of its own.
    ask, answer = s.Stream("initiating", B, A), s.Stream("receiving", A, B)
    ask.open()
    answer.receive(ask.data_to_send())
    answer.respond()
    answer.send_features(dialback=True)
    ask.receive(answer.data_to_send())
    ask.send_verify(B, A, pair.b.id, key)
    assert answer.receive(ask.data_to_send()) == [s.VerifyRequested(B, A, pair.b.id, key)]
    assert s.dialback_key_matches(key, "secret", B, A, pair.b.id)
    answer.answer_verify(A, B, pair.b.id, "valid")
    assert ask.receive(answer.data_to_send()) == [s.VerifyAnswer(A, B, pair.b.id, "valid", "")]

    pair.b.answer_key(B, A, "valid")
    assert pair.to_a() == [s.DialbackAnswer(B, A, "valid", "")]
    assert pair.a.validated == pair.b.validated == {(A, B)}
    assert not pair.a.authenticated
    pair.exchange()


def test_a_peer_without_version_gets_no_features_and_may_use_dialback() -> None:
    stream = s.Stream("receiving", A, B)
    assert stream.receive(OLD_HEADER) == [s.StreamOpened(B, A, "", "", True)]
    stream.respond()
    stream.send_features("required", ("EXTERNAL",), True)
    sent = stream.data_to_send()
    assert b"features" not in sent
    assert b" version=" not in sent.partition(b"?>")[2]
    assert b"xmlns:db='jabber:server:dialback'" in sent
    assert stream.receive(KEY) == [s.DialbackKey(B, A, "k")]


def test_a_header_without_dialback_says_so() -> None:
    stream = s.Stream("receiving", A, B)
    stream.receive(HEADER)
    stream.respond(dialback=False)
    other = s.Stream("initiating", B, A)
    other.open(dialback=False)
    own = other.data_to_send()
    assert b"xmlns:db" not in own
    assert other.receive(stream.data_to_send()) == [s.StreamOpened(A, B, stream.id, "1.0", False)]
    assert s.Stream("receiving").receive(own) == [s.StreamOpened(B, A, "", "1.0", False)]


def test_after_external_failed_dialback_may_follow() -> None:
    pair = Pair()
    pair.encrypted()
    pair.opened("", ("EXTERNAL",), True)
    pair.a.authenticate_external("contoso.test")
    assert pair.to_b() == [s.AuthRequested("EXTERNAL", "contoso.test")]
    pair.b.reject_auth("not-authorized", "the certificate has <expired>")
    assert pair.to_a() == [s.AuthFailed("not-authorized", "the certificate has <expired>")]
    pair.a.send_key(A, B, "k")
    assert pair.to_b() == [s.DialbackKey(A, B, "k")]
    pair.b.answer_key(B, A, "invalid")
    assert pair.to_a() == [s.DialbackAnswer(B, A, "invalid", "")]
    assert pair.a.validated == pair.b.validated == set()


def test_tls_refused_ends_the_stream() -> None:
    pair = Pair()
    pair.opened()
    pair.a.request_tls()  # not offered: some servers ask all the same
    assert pair.to_b() == [s.TlsRequested()]
    pair.b.refuse_tls()
    assert pair.b.closed
    assert pair.to_a() == [s.TlsRefused(), s.Closed()]
    assert pair.to_b() == [s.Closed()]


@pytest.mark.parametrize("condition", ["item-not-found", "remote-server-timeout", "remote-connection-failed"])
def test_dialback_errors_carry_their_condition(condition: str) -> None:
    pair = Pair()
    pair.opened(dialback=True)
    pair.a.send_key(A, B, "k")
    pair.a.send_verify(A, B, "7", "k")
    assert pair.to_b() == [s.DialbackKey(A, B, "k"), s.VerifyRequested(A, B, "7", "k")]
    pair.b.answer_key(B, A, "error", condition)
    pair.b.answer_verify(B, A, "7", "error", condition)
    assert pair.to_a() == [
        s.DialbackAnswer(B, A, "error", condition),
        s.VerifyAnswer(B, A, "7", "error", condition),
    ]


def test_a_stream_error_reaches_the_peer() -> None:
    pair = Pair()
    pair.opened()
    pair.b.fail("host-unknown", "no <such> host\x00")
    assert pair.to_a() == [s.PeerError("host-unknown", "no <such> host\ufffd")]
    assert pair.a.closed
    assert pair.b.receive(pair.a.data_to_send()) == []


def test_an_error_before_our_header_comes_with_one() -> None:
    stream = s.Stream("receiving", A)
    stream.receive(HEADER)
    stream.fail("host-unknown")
    other = s.Stream("initiating")
    other.open()
    opened, error = other.receive(stream.data_to_send())
    assert isinstance(opened, s.StreamOpened)
    assert error == s.PeerError("host-unknown", "")


def test_keepalives_are_neither_seen_nor_sent_where_they_would_hurt() -> None:
    pair = Pair()
    pair.opened("offered")
    pair.a.keepalive()
    assert pair.a.data_to_send() == b" "
    assert pair.b.receive(b" \n ") == []
    pair.a.request_tls()
    pair.a.data_to_send()
    pair.a.keepalive()
    assert pair.a.data_to_send() == b""


def test_the_example_key_of_the_specification() -> None:
    arguments = ("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F")
    key = "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"
    assert s.dialback_key(*arguments) == key
    assert s.dialback_key_matches(key, *arguments)
    for wrong in ("", key[:-1], key.upper(), "ключ", key + "0"):
        assert not s.dialback_key_matches(wrong, *arguments)


def test_stream_ids_do_not_repeat() -> None:
    assert len({s.new_stream_id() for _number in range(100)}) == 100


@pytest.mark.parametrize(
    ("header", "opened"),
    [
        (  # Prosody, initiating
            b"<?xml version='1.0'?><stream:stream xmlns:db='jabber:server:dialback' xml:lang='en' to='Contoso.test'"
            b" from='fabrikam.test' version='1.0' xmlns:stream='http://etherx.jabber.org/streams'"
            b" xmlns='jabber:server'>",
            s.StreamOpened(B, A, "", "1.0", True),
        ),
        (  # ejabberd, receiving; older versions give no from
            b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server'"
            b" xmlns:db='jabber:server:dialback' id='1834' version='1.0'>",
            s.StreamOpened("", "", "1834", "1.0", True),
        ),
        (  # double quotes, line ends, no declaration
            b'<stream:stream\r\n xmlns:stream="http://etherx.jabber.org/streams"\n\txmlns="jabber:server"'
            b' to="contoso.test">',
            s.StreamOpened("", A, "", "", False),
        ),
        (  # the namespace of the stream as the default one, another prefix for dialback
            b"\n<stream xmlns='http://etherx.jabber.org/streams' xmlns:d='jabber:server:dialback' version='1.0'>",
            s.StreamOpened("", "", "", "1.0", True),
        ),
        (  # no default namespace, another prefix for the stream, an attribute that nobody knows
            b"<?xml version='1.0' encoding='utf-8'?><s:stream xmlns:s='http://etherx.jabber.org/streams' s:x='y'"
            b" id='a&amp;b'>",
            s.StreamOpened("", "", "a&b", "", False),
        ),
    ],
)
def test_headers_as_servers_write_them(header: bytes, opened: s.StreamOpened) -> None:
    assert s.Stream("receiving").receive(header) == [opened]
    stream = s.Stream("initiating")
    stream.open()
    assert stream.receive(header) == [opened]
    assert stream.id == opened.id


def test_features_as_servers_write_them() -> None:
    stream = s.Stream("initiating", A, B)
    stream.open()
    events = stream.receive(
        HEADER + b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>\n<required/></starttls>"
        b"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
        b"<mechanism> PLAIN </mechanism></mechanisms><bidi xmlns='urn:xmpp:features:bidi'/>"
        b"<dialback xmlns='urn:xmpp:features:dialback'/></stream:features>"
    )
    assert events[1] == s.Features("required", ("EXTERNAL", "PLAIN"), True)


# What a peer must not send, and the condition of the stream error that it gets.
HEADERS = [
    (b"<stream:stream xmlns:stream='http://etherx.jabber.org/stream' xmlns='jabber:server'>", "invalid-namespace"),
    (HEADER.replace(b"'jabber:server'", b"'jabber:client'"), "invalid-namespace"),
    (HEADER.replace(b"stream:stream", b"stream:streams"), "bad-format"),
    (b"GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "not-well-formed"),
    (b"<stream:stream>", "bad-namespace-prefix"),
    (b"<?xml version='1.0' encoding='utf-16'?>" + HEADER, "unsupported-encoding"),
    (b"<?xml version='1.0' encoding='iso-8859-1'?>", "unsupported-encoding"),
    (HEADER.decode().encode("utf-16"), "unsupported-encoding"),
    (HEADER.decode().encode("utf-16-le"), "unsupported-encoding"),
    (HEADER.decode().encode("utf-16-be"), "unsupported-encoding"),
    (b"<!DOCTYPE x>", "restricted-xml"),
    (b"<!-- hi -->", "restricted-xml"),
]
ALWAYS = [
    (b"<message xmlns='jabber:client'/>", "invalid-namespace"),
    (b"<message/>", "not-authorized"),
    (b"<x/>", "unsupported-stanza-type"),
    (b"<x xmlns='urn:x'/>", "unsupported-stanza-type"),
    (b"hello", "bad-format"),
    (b"<a:b/>", "bad-namespace-prefix"),
    (b"<a></b>", "not-well-formed"),
    (b"<db:result>k</db:result>", "improper-addressing"),
    (b"<db:verify from='a' id='7'>k</db:verify>", "improper-addressing"),
]
TO_RECEIVING = [
    *ALWAYS,
    (FEATURES, "unsupported-stanza-type"),
    (PROCEED, "unsupported-stanza-type"),
    (KEY + STARTTLS, "policy-violation"),
    (KEY + AUTH, "policy-violation"),
    (STARTTLS + STARTTLS, "policy-violation"),
    (STARTTLS + b" ", "policy-violation"),
    (AUTH + AUTH, "policy-violation"),
    (AUTH + KEY, "policy-violation"),
    (AUTH.replace(b"=<", b"?<") * 6, "policy-violation"),
    (b"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" * 6, "policy-violation"),
    (b"<db:result from='fabrikam.test' to='contoso.test' type='valid'/>", "invalid-from"),
    (b"<db:verify from='fabrikam.test' to='contoso.test' id='7' type='valid'/>", "invalid-from"),
    (KEY * 200 + VERIFY * 57, "policy-violation"),
]
TO_INITIATING = [
    *((data, condition) for data, condition in ALWAYS if b"db:" not in data),
    (STARTTLS, "unsupported-stanza-type"),
    (FEATURES, "policy-violation"),
    (PROCEED, "policy-violation"),
    (b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "policy-violation"),
    (b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "policy-violation"),
    (b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "policy-violation"),
    (b"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "policy-violation"),
    (KEY, "unsupported-stanza-type"),
    (b"<db:result from='fabrikam.test' to='contoso.test' type='maybe'/>", "bad-format"),
    (b"<db:result from='fabrikam.test' to='contoso.test' type='valid'/>", "invalid-from"),
    (b"<db:verify from='fabrikam.test' to='contoso.test' id='7' type='valid'/>", "invalid-from"),
]


def expect_broken(stream: s.Stream, data: bytes, condition: str) -> None:
    """The last event is Broken, the peer is told, and nothing is read any more."""
    broken = stream.receive(data)[-1]
    assert isinstance(broken, s.Broken)
    assert broken.condition == condition
    sent = stream.data_to_send()
    assert (b"<stream:error><%s xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" % condition.encode()) in sent
    assert sent.endswith(b"</stream:stream>")
    assert stream.closed
    assert stream.receive(HEADER) == []
    assert stream.receive(b"</stream:stream>") == []
    assert stream.unread == 0
    assert stream.data_to_send() == b""


@pytest.mark.parametrize(("data", "condition"), HEADERS)
def test_headers_that_are_refused(data: bytes, condition: str) -> None:
    expect_broken(s.Stream("receiving", A), data, condition)
    stream = s.Stream("initiating", A, B)
    stream.open()
    expect_broken(stream, data, condition)


@pytest.mark.parametrize(("data", "condition"), TO_RECEIVING)
def test_what_the_receiving_side_refuses(data: bytes, condition: str) -> None:
    expect_broken(receiving(), data, condition)


@pytest.mark.parametrize(("data", "condition"), TO_INITIATING)
def test_what_the_initiating_side_refuses(data: bytes, condition: str) -> None:
    expect_broken(initiating(), data, condition)


@pytest.mark.parametrize("behind", [b" ", FEATURES, b"<message/>", b"\x16\x03"])
def test_what_stands_behind_proceed_is_not_read(behind: bytes) -> None:
    stream = initiating()
    stream.request_tls()
    assert [event.__class__ for event in stream.receive(PROCEED + behind)] == [s.Broken]
    stream = initiating()
    stream.request_tls()
    assert stream.receive(PROCEED) == [s.TlsProceed()]
    assert [event.__class__ for event in stream.receive(behind)] == [s.Broken]
    stream.tls_established()
    assert not stream.secure


def test_a_request_is_not_reported_if_something_was_injected_behind_it() -> None:
    assert [event.__class__ for event in receiving().receive(STARTTLS + HEADER)] == [s.Broken]


def test_tls_comes_once() -> None:
    stream = receiving()
    assert stream.receive(STARTTLS) == [s.TlsRequested()]
    stream.proceed_tls()
    stream.tls_established()
    stream.receive(HEADER)
    stream.respond()
    expect_broken(stream, STARTTLS, "policy-violation")


def test_what_was_proven_before_tls_is_forgotten() -> None:
    stream = initiating()
    stream.send_key(A, B, "k")
    assert stream.receive(KEY.replace(b">k</db:result>", b" type='valid'/>")) == [s.DialbackAnswer(B, A, "valid", "")]
    stream.request_tls()
    stream.receive(PROCEED)
    stream.tls_established()
    assert stream.validated == set()


def test_an_answer_to_a_question_from_before_tls_is_dropped() -> None:
    stream = receiving()
    assert stream.receive(VERIFY + STARTTLS) == [s.VerifyRequested(B, A, "7", "k"), s.TlsRequested()]
    stream.proceed_tls()
    stream.tls_established()
    stream.data_to_send()
    stream.answer_verify(A, B, "7", "valid")
    assert stream.data_to_send() == b""


def test_a_badly_encoded_identity_is_refused_without_asking() -> None:
    stream = receiving()
    assert stream.receive(AUTH.replace(b"=<", b"****<")) == []
    assert b"<incorrect-encoding/>" in stream.data_to_send()
    assert stream.receive(AUTH.replace(b"=<", b"Y29udG9zby50ZXN0<")) == [s.AuthRequested("EXTERNAL", "contoso.test")]


def test_an_aborted_attempt_and_a_challenge_end_in_a_failure() -> None:
    pair = Pair()
    pair.opened("", ("EXTERNAL",))
    pair.a.authenticate_external()
    pair.a.data_to_send()
    assert pair.a.receive(b"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>") == []
    assert pair.to_b() == []
    assert pair.to_a() == [s.AuthFailed("aborted", "")]


def test_acting_on_a_stream_that_the_peer_has_ended_does_nothing() -> None:
    stream = receiving()
    events = stream.receive(KEY + b"</stream:stream>")
    assert events == [s.DialbackKey(B, A, "k"), s.Closed()]
    assert stream.data_to_send() == b"</stream:stream>"
    stream.answer_key(A, B, "valid")
    stream.respond()
    stream.fail("reset")
    stream.close()
    stream.keepalive()
    assert stream.data_to_send() == b""
    assert stream.validated == set()


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("open", ()),
        ("request_tls", ()),
        ("authenticate_external", ()),
        ("send_key", (A, B, "k")),
        ("send_verify", (A, B, "7", "k")),
        ("tls_established", ()),
        ("send", (MESSAGE,)),
        ("respond", ()),
        ("send_features", ()),
        ("proceed_tls", ()),
        ("refuse_tls", ()),
        ("accept_auth", ()),
        ("reject_auth", ()),
        ("answer_key", (A, B, "valid")),
        ("answer_verify", (A, B, "7", "valid")),
    ],
)
def test_actions_out_of_turn_are_bugs_of_the_caller(action: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(RuntimeError, match=action):
        getattr(receiving(), action)(*arguments)
    if action not in ("request_tls", "authenticate_external", "send_key", "send_verify"):
        with pytest.raises(RuntimeError, match=action):
            getattr(initiating(), action)(*arguments)
