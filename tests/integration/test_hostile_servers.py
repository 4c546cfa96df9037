# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that are broken, compromised or not the ones that they seem to be, over real sockets.

Whatever they send: a clear error, in bounded time and memory; nothing is taken for what it is not, and nothing that is
secret goes anywhere else.
"""

from __future__ import annotations

import resource
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Secret, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp import limits as _psrp_limits
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp import session as _psrp_session
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError

from lab.cmdlets.partners import DEFAULTS as PARTNER
from lab.deployment.tls import ensure_identity
from lab.remoting.wsman import Action
from tests.integration.hostile_server import (
    ADDRESS,
    COMPLETED,
    ERROR,
    OUTPUT,
    PASSWORD,
    STATE,
    USER,
    WARNING,
    HostileServer,
    Turn,
    at,
    fragments,
    whole,
)
from tests.unit.plugin_utils.test_psrp_options import OPTIONS

READ = Statement("Get-CsXmppGatewayConfiguration")
SECRET = "hush-hush-passphrase"
WRITE = Statement("Set-CsXmppGatewayConfiguration", {"Identity": "Global", "DialbackPassphrase": Secret(SECRET)})


class Victim:
    """Sessions on servers that misbehave, what they were told, and what they noted."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.servers: list[HostileServer] = []
        self.sessions: list[PsrpSession] = []
        self.notes: list[str] = []

    def server(self, tls: str = "") -> HostileServer:
        context = None
        if tls:
            (self.directory / tls).mkdir(exist_ok=True)
            context = ensure_identity(self.directory / tls).context()
        state = self.directory / ("state%d" % len(self.servers))
        state.mkdir()
        self.servers.append(HostileServer(state, context))
        return self.servers[-1]

    def session(self, server: HostileServer, **options: t.Any) -> PsrpSession:
        where = {
            "remote_addr": ADDRESS,
            "port": server.port,
            "path": "OcsPowershell",
            "protocol": "https" if server.context else "http",
            "auth": "basic",
            "message_encryption": "never",
            "remote_user": USER,
            "remote_password": PASSWORD,
            "ignore_proxy": True,
            "read_timeout": 3,
            "operation_timeout": 1,
        }
        self.sessions.append(PsrpSession(target({**OPTIONS, **where, **options}), self.notes.append))
        self.sessions[-1].limit = 20
        return self.sessions[-1]

    def told(self, session: PsrpSession, *statements: Statement) -> str:
        """Why there is no answer; it is fit to be shown."""
        try:
            answer = session.invoke(statements)
        except SessionError as error:
            text = str(error)
        else:
            text = answer.lost
            assert text, answer
        self.fit(text)
        return text

    def fit(self, *texts: str) -> None:
        for text in (*texts, *self.notes):
            assert SECRET not in text
            assert PASSWORD not in text
            assert "Traceback" not in text
            assert "object at 0x" not in text
            assert "\n" not in text
            assert len(text) < 5000

    def close(self) -> None:
        for session in self.sessions:
            session.close()
        for server in self.servers:
            server.stop()


@pytest.fixture
def victim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Victim]:
    monkeypatch.setattr(_psrp_session, "FAREWELL", 1)
    one = Victim(tmp_path)
    yield one
    one.close()


def test_the_server_itself_is_sound(victim: Victim) -> None:
    session = victim.session(victim.server())
    assert session.invoke([WRITE]).errors == ()
    assert session.invoke([READ]).output[0]["Identity"] == "Global"


# Redirects

ACTIONS = [Action.CREATE, Action.RECEIVE, Action.COMMAND, Action.SIGNAL, Action.DELETE]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("action", ACTIONS)
def test_no_redirect_is_followed_whenever_it_comes(victim: Victim, status: int, action: Action) -> None:
    other = victim.server()
    server = victim.server()
    where = "http://%s:%d/OcsPowershell" % (ADDRESS, other.port)
    server.misbehave = at(action, lambda turn: turn.http(status, Location=where))
    session = victim.session(server)
    if action in (Action.SIGNAL, Action.DELETE):  # the result is here by then
        assert session.invoke([WRITE]).errors == ()
        session.close()
        assert any(where in note for note in victim.notes)
    else:
        text = victim.told(session, WRITE)
        assert "HTTP status %d, a redirect to %s. The redirect is not followed" % (status, where) in text
        assert "ansible_psrp_path" in text
    session.close()
    victim.fit()
    assert other.requests == []


def test_a_redirect_to_nowhere(victim: Victim) -> None:
    server = victim.server()
    server.misbehave = at(Action.CREATE, lambda turn: turn.http(307))
    assert "a redirect without an address" in victim.told(victim.session(server), WRITE)


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_no_redirect_is_followed_within_an_authentication(victim: Victim, auth: str) -> None:
    other = victim.server("other")
    server = victim.server("one")
    where = "https://%s:%d/OcsPowershell" % (ADDRESS, other.port)

    def misbehave(turn: Turn) -> bool:
        if server.headers[-1]:
            turn.http(307, Location=where)
        else:
            turn.http(401, WWW_Authenticate="Negotiate, NTLM")
        return True

    server.misbehave = misbehave
    session = victim.session(server, auth=auth, cert_validation="ignore")
    assert "a redirect to %s" % where in victim.told(session, WRITE)
    assert other.requests == []


# Time

DRIP = [b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 100000\r\n\r\n", *[b"x"] * 600]
DRIP_HEAD = [b"HTTP/1.1 200 OK\r\n", *[b"X"] * 600]
DRIP_CHUNKS = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 600]


@pytest.mark.parametrize("drip", [DRIP, DRIP_HEAD, DRIP_CHUNKS], ids=["body", "head", "chunks"])
@pytest.mark.parametrize("action", [Action.CREATE, Action.COMMAND, Action.RECEIVE])
def test_an_answer_of_a_few_bytes_a_second_ends_with_the_time_for_a_call(
    victim: Victim, action: Action, drip: list[bytes]
) -> None:
    server = victim.server()
    server.misbehave = at(action, lambda turn: turn.raw(*drip, pause=0.3))
    session = victim.session(server)
    session.limit = 1.5
    begun = time.monotonic()
    text = victim.told(session, WRITE)
    assert time.monotonic() - begun < 30  # the whole answer takes 180 s
    assert "not finished within 1.5 s (ansible_command_timeout)" in text


@pytest.mark.parametrize("action", [Action.SIGNAL, Action.DELETE])
def test_a_farewell_of_a_few_bytes_a_second_has_a_time_of_its_own(victim: Victim, action: Action) -> None:
    server = victim.server()
    server.misbehave = at(action, lambda turn: turn.raw(*DRIP, pause=0.3))
    session = victim.session(server)
    begun = time.monotonic()
    answer = session.invoke([WRITE])
    session.close()
    assert time.monotonic() - begun < 30  # the whole answer takes 180 s
    assert (answer.lost, answer.errors) == ("", ())
    assert any("not finished within 1 s" in note for note in victim.notes)


def test_a_server_that_never_has_anything_to_say(victim: Victim) -> None:
    server = victim.server()
    server.misbehave = at(Action.RECEIVE, lambda turn: turn.received(done=False))
    session = victim.session(server)
    session.limit = 1
    assert "not finished within 1 s" in victim.told(session, WRITE)


def test_a_call_that_was_given_up_sends_nothing_more(victim: Victim) -> None:
    server = victim.server()

    def slow(turn: Turn) -> None:
        time.sleep(1.5)
        turn.received(done=False)

    server.misbehave = at(Action.RECEIVE, slow)
    session = victim.session(server)
    session.limit = 1
    victim.told(session, WRITE)
    time.sleep(1.5)
    sent = len(server.requests)
    time.sleep(1)
    assert len(server.requests) == sent


# Size


def peak() -> int:
    """MiB that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_an_object_of_fifty_megabytes_is_an_error_and_the_rest_is_read(victim: Victim) -> None:
    server = victim.server()
    large = fragments(OUTPUT, "<S>%s</S>" % ("x" * 50_000_000), 1, 400_000)
    rest = [whole(OUTPUT, "<S>small</S>", 2), whole(STATE, COMPLETED, 3)]
    queue = [[piece] for piece in large] + [rest]
    server.misbehave = at(Action.RECEIVE, lambda turn: turn.received(*queue.pop(0), done=not queue))
    before = peak()
    answer = victim.session(server).invoke([READ])
    assert answer.output == ("small",)
    (error,) = answer.errors
    assert error.category == "InvalidData"
    assert "the object has more than 16 MiB" in error.message
    assert peak() - before < 200  # the test's own copies are most of it


def test_an_answer_of_fifty_megabytes_is_an_error(victim: Victim) -> None:
    server = victim.server()
    server.misbehave = at(Action.RECEIVE, lambda turn: turn.http(200, b"x" * 50_000_000))
    assert "an answer of more than 4 MiB" in victim.told(victim.session(server), WRITE)


@pytest.mark.parametrize("what", [OUTPUT, ERROR, WARNING])
def test_output_without_end_is_an_error(victim: Victim, what: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_psrp_limits, "MOST", 3 * 2**20)
    server = victim.server()
    xml = '<Obj RefId="0"><MS><S N="InformationalRecord_Message">%s</S></MS></Obj>' % ("w" * 1000)
    piece = b"".join(whole(what, xml, number) for number in range(300))
    server.misbehave = at(Action.RECEIVE, lambda turn: turn.received(piece, done=False))
    assert "more than 3 MiB in answer to one call" in victim.told(victim.session(server), WRITE)


def test_messages_without_end_are_an_error(victim: Victim) -> None:
    server = victim.server()
    begun = b"".join(fragments(OUTPUT, "<S>abc</S>", number, 30)[0] for number in range(200))
    server.misbehave = at(Action.RECEIVE, lambda turn: turn.received(begun, done=False))
    assert "began more than 100 messages without ending one" in victim.told(victim.session(server), WRITE)


def test_headers_without_end_are_an_error(victim: Victim) -> None:
    server = victim.server()
    head = [b"HTTP/1.1 200 OK\r\n", *[b"X-Header: y\r\n"] * 200]
    server.misbehave = at(Action.CREATE, lambda turn: turn.raw(*head))
    victim.told(victim.session(server), WRITE)


# What cannot be read

NONSENSE = [
    ("<I32>many</I32>", "'many' must be a whole number"),
    ("<S>not closed", "not well-formed XML"),
    ("<Obj>" * 3000 + "</Obj>" * 3000, "nested more than"),
    ('<Obj RefId="0"><Props><B N="EnableKeepAlive">maybe</B></Props></Obj>', "EnableKeepAlive: 'maybe' must be true"),
    ('<Obj RefId="0"><Props><Ref N="A" RefId="7" /></Props></Obj>', "A: the XML refers to the object '7'"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><S>&b;</S>', "document type"),
    (b"<S>\xff\xfe</S>", "can't decode"),
    ("", "not well-formed XML"),
]


@pytest.mark.parametrize(("xml", "words"), NONSENSE)
@pytest.mark.parametrize("kind", [OUTPUT, ERROR, WARNING])
def test_what_cannot_be_read_is_an_error_that_names_the_cmdlet_and_never_a_value(
    victim: Victim, kind: int, xml: str | bytes, words: str
) -> None:
    server = victim.server()
    good = whole(OUTPUT, "<S>good</S>", 2)
    server.misbehave = at(
        Action.RECEIVE, lambda turn: turn.received(whole(kind, xml), good, whole(STATE, COMPLETED, 3))
    )
    answer = Answer.decode(victim.session(server).invoke([READ]).encode())
    assert answer.output == ("good",)
    if (kind, xml) == (OUTPUT, ""):  # this is how PowerShell sends $null
        assert answer.errors == ()
        return
    (error,) = answer.errors
    assert (error.cmdlet, error.category) == (READ.cmdlet, "InvalidData")
    assert error.message.startswith("the server sent an object that cannot be read: ")
    assert words in error.message
    victim.fit(error.message)


BROKEN: list[tuple[str, t.Callable[[Turn], object], str]] = [
    ("unknown message", lambda turn: turn.received(whole(0x00099999, "<S>a</S>")), "unknown type 0x00099999"),
    ("no fragment", lambda turn: turn.received(b"12345"), "5 bytes that are not a fragment"),
    ("cut fragment", lambda turn: turn.received(whole(OUTPUT, "<S>a</S>")[:-3]), "an incomplete fragment"),
    ("no start", lambda turn: turn.received(fragments(OUTPUT, "<S>a</S>", 1, 30)[1]), "in a wrong order"),
    (
        "wrong order",
        lambda turn: turn.received(*(fragments(OUTPUT, "<S>a</S>" * 9, 1, 30)[i] for i in (0, 2))),
        "fragment 2 of a message, but fragment 1 was next",
    ),
    ("no state", lambda turn: turn.received(whole(STATE, "<Obj><MS /></Obj>")), "has no state"),
    ("wrong state", lambda turn: turn.received(whole(STATE, "<I32>x</I32>")), "the end of the pipeline: 'x' must be"),
    (
        "alien state",
        lambda turn: turn.received(whole(STATE, '<Obj><MS><I32 N="PipelineState">42</I32></MS></Obj>')),
        "unfinished, in the state 42",
    ),
    ("host call", lambda turn: turn.received(whole(0x00041100, "<S>a</S>")), "cannot be read"),
    (
        "no base64",
        lambda turn: turn.soap("<rsp:ReceiveResponse><rsp:Stream Name='stdout'>a</rsp:Stream></rsp:ReceiveResponse>"),
        "cannot be read",
    ),
    ("no XML", lambda turn: turn.http(200, b"It works!"), "the server's answer cannot be read"),
    ("page", lambda turn: turn.http(200, b"<html>It works!<br>"), "answered with a web page"),
    ("nothing", lambda turn: turn.http(200, b""), "the server's answer cannot be read"),
    ("entities", lambda turn: turn.http(200, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "document type"),
    ("another answer", lambda turn: turn.http(200, b"<a/>"), "does not match"),
    ("HTTP 500", lambda turn: turn.http(500, b"<html><h1>Runtime Error</h1>"), "HTTP status 500 ('Runtime Error')"),
    ("HTTP 500, XML", lambda turn: turn.http(500, b"<html><h1>Oops</h1></html>"), "HTTP status 500 ('Oops')"),
    ("HTTP 500, empty", lambda turn: turn.http(500), "HTTP status 500"),
    ("HTTP 502", lambda turn: turn.http(502, b"<p>Bad gateway"), "HTTP status 502 ('Bad gateway')"),
    ("half an answer", lambda turn: turn.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc"), ""),
    ("no HTTP", lambda turn: turn.raw(b"SSH-2.0-OpenSSH_9.2\r\n"), ""),
    ("silence", lambda turn: turn.raw(b""), ""),
]


@pytest.mark.parametrize(("answer", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
@pytest.mark.parametrize("action", [Action.CREATE, Action.RECEIVE])
def test_broken_answers_are_named(
    victim: Victim, action: Action, answer: t.Callable[[Turn], object], words: str
) -> None:
    server = victim.server()
    server.misbehave = at(action, answer)
    text = victim.told(victim.session(server), WRITE)
    if action is Action.RECEIVE:
        assert words in text
    assert "mistake" not in text
    assert "unexpectedly" not in text


def test_a_secret_that_the_server_spells_in_its_own_way_is_masked(victim: Victim) -> None:
    server = victim.server()
    session = victim.session(server)
    assert session.invoke([WRITE]).errors == ()
    page = "<p>wrong: %s and %s</p>" % (SECRET.upper(), PASSWORD)
    server.misbehave = at(Action.RECEIVE, lambda turn: turn.http(500, page.encode()))
    text = victim.told(session, READ)
    assert "wrong: ******** and ********" in text


def test_a_password_that_the_server_repeats_when_it_refuses(victim: Victim) -> None:
    server = victim.server()
    server.misbehave = at(
        Action.CREATE, lambda turn: turn.http(500, ("<p>%s</p>" % turn.handler.headers["Authorization"]).encode())
    )
    assert "'Basic ********" in victim.told(victim.session(server), WRITE)


# Certificates


def test_another_certificate_within_a_session_is_refused_and_sent_nothing(victim: Victim) -> None:
    server = victim.server("one")
    session = victim.session(server, cert_validation="ignore")
    assert session.invoke([WRITE]).errors == ()
    (victim.directory / "two").mkdir()
    server.context = ensure_identity(victim.directory / "two").context()
    sent = len(server.requests)
    for _round in range(2):
        session._used = -1000.0  # so that a new connection is made, as after a pause
        text = victim.told(session, WRITE)
        assert "certificate differs from the one at the start" in text
        assert "ansible_psrp_cert_validation" in text
    assert len(server.requests) == sent


def test_a_certificate_that_is_not_trusted_within_a_session_is_refused_and_sent_nothing(victim: Victim) -> None:
    server = victim.server("one")
    session = victim.session(server, ca_cert=str(victim.directory / "one" / "ca.pem"))
    assert session.invoke([WRITE]).errors == ()
    (victim.directory / "two").mkdir()
    server.context = ensure_identity(victim.directory / "two").context()
    sent = len(server.requests)
    session._used = -1000.0  # so that a new connection is made, as after a pause
    assert "ansible_psrp_ca_cert" in victim.told(session, WRITE)
    assert len(server.requests) == sent


def test_a_session_goes_on_over_new_connections_to_the_same_server(victim: Victim) -> None:
    server = victim.server("one")
    session = victim.session(server, cert_validation="ignore")
    for _round in range(3):
        assert session.invoke([READ]).errors == ()
        session._used = -1000.0
    assert not any("lost" in note for note in victim.notes)


def test_an_answer_that_was_lost_is_not_asked_for_again(victim: Victim) -> None:
    """The server has sent it and goes on behind it: who asks again gets a list with holes."""
    server = victim.server()
    for number in range(400):
        server.store.put("partner", "p%d.example" % number, dict(PARTNER))
    session = victim.session(server, max_envelope_size=20000)
    asked = []

    def lose(turn: Turn) -> None:
        server.service.handle(turn.body, USER)
        asked.append(turn.pipeline)
        server.over.wait(3.5)
        turn.handler.close_connection = True

    server.misbehave = at(Action.RECEIVE, lose, times=1)
    answer = session.invoke([Statement("Get-CsXmppAllowedPartner")])
    assert len(asked) == 1
    assert len({item["Identity"] for item in answer.output}) == 400, "it was read anew, from its beginning"
    assert (answer.errors, answer.lost) == ((), "")
    server.misbehave = at(Action.RECEIVE, lose, times=1)
    written = session.invoke([WRITE])
    assert "was lost" in written.lost
    assert written.output == ()


def test_an_end_without_a_word_is_a_loss_at_once(victim: Victim) -> None:
    server = victim.server()
    session = victim.session(server)
    session.invoke([READ])
    count = len(server.requests)
    server.misbehave = at(Action.RECEIVE, lambda turn: turn.received())
    assert "without its result" in victim.told(session, WRITE)
    assert len(server.requests) - count < 10
