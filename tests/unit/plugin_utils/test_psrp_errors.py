# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are told when no session comes about. The errors are made by the libraries themselves where possible."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.errors import (
    LoginError,
    LoginRefused,
    brief,
    broken_link,
    never_sent,
    no_session,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.limits import AnswerError, TooLate
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import Target, target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.transport import Pin, new_pool
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.wsman import WSMan
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ProxyError, ReadTimeout
from spnego.exceptions import NoCredentialError

from .test_psrp_options import OPTIONS

HERE = {**OPTIONS, "auth": "basic", "ignore_proxy": True}


def failure(goal: Target) -> Exception:
    with pytest.raises(Exception) as caught:
        WSMan(**goal.wsman).get_server_config()
    return caught.value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_listens() -> None:
    goal = target({**HERE, "remote_addr": "127.0.0.1", "port": free_port()})
    error = failure(goal)
    assert never_sent(error)
    assert broken_link(error) == "port"
    text = no_session(error, goal)
    assert "Connection refused" in text
    assert "ansible_port" in text
    assert "object at" not in text


def test_the_name_is_unknown() -> None:
    goal = target({**HERE, "remote_addr": "nowhere.invalid"})
    error = failure(goal)
    assert never_sent(error)
    assert broken_link(error) == "dns"
    assert "name resolution" in no_session(error, goal)


def test_a_server_that_does_not_speak_tls() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        goal = target({**HERE, "remote_addr": "127.0.0.1", "port": server.getsockname()[1], "connection_timeout": 1})
        begun = time.monotonic()
        with pytest.raises(RequestsConnectionError) as caught:
            new_pool(goal, Pin()).open()
    assert time.monotonic() - begun < 10
    assert "no connection within 1 s" in no_session(caught.value, goal)
    assert broken_link(caught.value) == "tls", "it accepted the connection"
    assert never_sent(caught.value)


def test_a_server_that_ends_the_connection_during_the_handshake() -> None:
    """As one does that wants a client certificate, or knows no version of TLS that the controller speaks."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        goal = target({**HERE, "remote_addr": "127.0.0.1", "port": server.getsockname()[1]})

        def reset() -> None:
            connection, _address = server.accept()
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        thread = threading.Thread(target=reset)
        thread.start()
        with pytest.raises(RequestsConnectionError) as caught:
            new_pool(goal, Pin()).open()
        thread.join()
    assert broken_link(caught.value) == "tls"
    assert "TLS failed: the server ended the connection during the handshake" in no_session(caught.value, goal)


@pytest.mark.parametrize(
    ("code", "words"),
    [(62, "Set ansible_host to a name"), (10, "Renew the certificate on the server"), (20, "Set ansible_psrp_ca_cert")],
)
def test_a_certificate_that_is_not_accepted_has_the_remedy_of_its_fault(code: int, words: str) -> None:
    wrong = ssl.SSLCertVerificationError(1, "certificate verify failed")
    wrong.verify_code, wrong.verify_message = code, "because"
    error = RequestsConnectionError(wrong)
    assert broken_link(error) == "tls"
    assert "was not accepted: because. %s" % words in no_session(error, target(HERE))


def test_a_ca_file_that_is_not_there() -> None:
    goal = target({**HERE, "remote_addr": "127.0.0.1", "port": free_port(), "ca_cert": "/nowhere/ca.pem"})
    error = failure(goal)
    assert "ansible_psrp_ca_cert" in no_session(error, goal)
    assert broken_link(error) == "", "nothing was sent"


def test_basic_without_an_account() -> None:
    goal = target({**HERE, "remote_user": None})
    assert "username must be specified" in no_session(failure(goal), goal)


CASES: list[tuple[Exception, str, bool, str]] = [
    (AuthenticationError("Failed to authenticate the user x"), "ansible_psrp_auth", True, "login"),
    (NoCredentialError(context_msg="no ticket"), "with kinit", False, "login"),
    (
        WinRMTransportError("http", 404, "<p>No such page</p>"),
        "HTTP status 404 ('No such page'). Check ansible_psrp_path",
        False,
        "session",
    ),
    (WinRMTransportError("http", 403, ""), "403", False, "session"),
    (WinRMTransportError("http", 503, ""), "application pool", False, "session"),
    (WinRMTransportError("http", 500, ""), "event log", False, "session"),
    (WSManFaultError(5, "fe01", "Access is denied.", None, None, None), "RBAC", False, "login"),
    (
        WSManFaultError(2150858793, "fe01", "timed out", None, None, None),
        "ansible_psrp_operation_timeout",
        False,
        "session",
    ),
    (
        WSManFaultError(2150858843, "fe01", "unknown shell", None, None, None),
        "unknown shell (WSMan fault 2150858843)",
        True,
        "session",
    ),
    (
        WSManFaultError(2150858752, "fe01", "not found", None, None, None),
        "ansible_psrp_configuration_name",
        False,
        "session",
    ),
    (WSManFaultError(3, "fe01", "outer", "p", "path", "inner words"), "inner words (WSMan fault 3)", False, "session"),
    (WSManFaultError(1, "fe01", "quota\nis full", None, None, None), "quota is full", False, "session"),
    (
        WSManFaultError(5000, "fe01", None, None, None, None),
        "answered with WSMan fault 5000 and no text",
        False,
        "session",
    ),
    (AnswerError("the server sent nonsense"), "the server sent nonsense.", False, "session"),
    (TooLate("not finished within 2 s"), "not finished within 2 s. Check whether the server answers", False, "session"),
    (ImportError("No module named 'pypsrp'"), "Install 'pypsrp'", False, ""),
    (
        RequestsConnectionError(ConnectionResetError("Remote end closed")),
        "matches ansible_psrp_protocol",
        False,
        "session",
    ),
    (LoginRefused("fe01 refused the account before"), "refused the account before.", False, "login"),
    (ProxyError("no way"), "Check ansible_psrp_proxy", False, "port"),
    (ReadTimeout("no answer"), "ansible_psrp_read_timeout", False, "session"),
    (Exception("command timeout triggered, timeout value is 600 secs.\nSee"), "command timeout", False, ""),
]


@pytest.mark.parametrize(("error", "words", "unsent", "link"), CASES)
def test_advice(error: Exception, words: str, unsent: bool, link: str) -> None:
    text = no_session(error, target(HERE))
    assert words in text
    assert text.startswith("no session on https://fe01.contoso.example:5986/wsman: ")
    assert "\n" not in text
    assert never_sent(error) is unsent
    assert broken_link(error) == link


def test_the_account_is_named() -> None:
    def named(user: str | None) -> str:
        return no_session(AuthenticationError("401"), target({**HERE, "remote_user": user}))

    assert "'CONTOSO\\admin'" in named("CONTOSO\\admin")
    assert "without an account" in named(None)


@pytest.mark.parametrize("error", [AuthenticationError("401"), LoginError("Password incorrect")])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_password_that_ends_in_a_line_break_is_named_and_not_shown(error: Exception, end: str) -> None:
    text = no_session(error, target({**HERE, "remote_password": "Se cret" + end}))
    assert ("ansible_password ends in a line break" in text) is bool(end)
    assert "cret" not in text


def test_an_error_page_is_shown_in_short() -> None:
    page = "<html><style>p { color: red }</style><body>\n<h1>Server&nbsp;Error</h1>" + "<p>long</p> " * 10_000
    text = brief(WinRMTransportError("http", 500, page))
    assert text.startswith("the server answered HTTP status 500 ('Server&nbsp;Error long long ")
    assert len(text) < 300


KERBEROS = [
    ("Preauthentication failed", "Check ansible_password"),
    ("Client 'nobody@CONTOSO.TEST' not found in Kerberos database", "Check ansible_user"),
    ("Server HTTP/fe09@CONTOSO.TEST not found in Kerberos database", "ansible_psrp_negotiate_service: HTTP on a Front"),
    ('Cannot find KDC for realm "contoso.test"', "Write the realm in capitals"),
    ("Cannot contact any KDC for realm 'CONTOSO.TEST'", "the network to a domain controller"),
    ("Clock skew too great", "Correct the clock"),
    ("Ticket expired", "kinit"),
    ("The referenced credential has expired", "kinit"),
    ("No Kerberos credentials available (default cache: FILE:/tmp/x)", "Set ansible_password, or get a ticket"),
    ("Something else", "For Kerberos, check ansible_user"),
]


@pytest.mark.parametrize(("words", "advice"), KERBEROS)
def test_errors_of_kerberos_say_what_to_do(words: str, advice: str) -> None:
    text = no_session(LoginError(words), target({**HERE, "auth": "kerberos"}))
    assert "kerberos authentication of the account 'CONTOSO\\admin' failed before the login: %s. " % words in text
    assert advice in text
    assert text.endswith(".")
