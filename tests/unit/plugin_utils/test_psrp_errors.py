# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are told when no session comes about. The errors are made by the libraries themselves where possible."""

from __future__ import annotations

import socket
import time

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.errors import LoginError, brief, never_sent, no_session
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.limits import AnswerError, TooLate
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import Target, target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.transport import Pin, new_pool
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.wsman import WSMan
from requests.exceptions import ConnectionError as RequestsConnectionError
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
    text = no_session(error, goal)
    assert "Connection refused" in text
    assert "ansible_port" in text
    assert "object at" not in text


def test_the_name_is_unknown() -> None:
    goal = target({**HERE, "remote_addr": "nowhere.invalid"})
    error = failure(goal)
    assert never_sent(error)
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
    assert "nobody answered within 1 s" in no_session(caught.value, goal)
    assert never_sent(caught.value)


def test_a_ca_file_that_is_not_there() -> None:
    goal = target({**HERE, "remote_addr": "127.0.0.1", "port": free_port(), "ca_cert": "/nowhere/ca.pem"})
    assert "ansible_psrp_ca_cert" in no_session(failure(goal), goal)


def test_basic_without_an_account() -> None:
    goal = target({**HERE, "remote_user": None})
    assert "username must be specified" in no_session(failure(goal), goal)


CASES: list[tuple[Exception, str, bool]] = [
    (AuthenticationError("Failed to authenticate the user x"), "ansible_psrp_auth", True),
    (NoCredentialError(context_msg="no ticket"), "with kinit", False),
    (
        WinRMTransportError("http", 404, "<p>No such page</p>"),
        "HTTP status 404 ('No such page'). Check ansible_psrp_path",
        False,
    ),
    (WinRMTransportError("http", 403, ""), "403", False),
    (WinRMTransportError("http", 503, ""), "application pool", False),
    (WinRMTransportError("http", 500, ""), "event log", False),
    (WSManFaultError(5, "fe01", "Access is denied.", None, None, None), "RBAC", False),
    (WSManFaultError(2150858793, "fe01", "timed out", None, None, None), "ansible_psrp_operation_timeout", False),
    (
        WSManFaultError(2150858843, "fe01", "unknown shell", None, None, None),
        "unknown shell (WSMan fault 2150858843)",
        True,
    ),
    (WSManFaultError(2150858752, "fe01", "not found", None, None, None), "ansible_psrp_configuration_name", False),
    (WSManFaultError(3, "fe01", "outer", "p", "path", "inner words"), "inner words (WSMan fault 3)", False),
    (WSManFaultError(1, "fe01", "quota\nis full", None, None, None), "quota is full", False),
    (WSManFaultError(5000, "fe01", None, None, None, None), "answered WSMan fault 5000 without a text", False),
    (AnswerError("the server sent nonsense"), "the server sent nonsense.", False),
    (TooLate("no end within 2 s"), "no end within 2 s. Check that the server answers", False),
    (ImportError("No module named 'pypsrp'"), "Install 'pypsrp'", False),
    (RequestsConnectionError(ConnectionResetError("Remote end closed")), "ansible_psrp_protocol fit", False),
    (Exception("command timeout triggered, timeout value is 600 secs.\nSee"), "command timeout", False),
]


@pytest.mark.parametrize(("error", "words", "unsent"), CASES)
def test_advice(error: Exception, words: str, unsent: bool) -> None:
    text = no_session(error, target(HERE))
    assert words in text
    assert text.startswith("no session on https://fe01.contoso.example:5986/wsman: ")
    assert "\n" not in text
    assert never_sent(error) is unsent


def test_the_account_is_named() -> None:
    def named(user: str | None) -> str:
        return no_session(AuthenticationError("401"), target({**HERE, "remote_user": user}))

    assert "'CONTOSO\\admin'" in named("CONTOSO\\admin")
    assert "names no account" in named(None)


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
    ("Preauthentication failed", "check ansible_password"),
    ("Client 'nobody@CONTOSO.TEST' not found in Kerberos database", "check ansible_user"),
    ("Server HTTP/fe09@CONTOSO.TEST not found in Kerberos database", "ansible_psrp_negotiate_service (HTTP on a Front"),
    ('Cannot find KDC for realm "contoso.test"', "write it in capitals"),
    ("Cannot contact any KDC for realm 'CONTOSO.TEST'", "the way to a domain controller"),
    ("Clock skew too great", "Set the clock"),
    ("Ticket expired", "kinit"),
    ("The referenced credential has expired", "kinit"),
    ("No Kerberos credentials available (default cache: FILE:/tmp/x)", "Set ansible_password, or get a ticket"),
    ("Something else", "For Kerberos check ansible_user"),
]


@pytest.mark.parametrize(("words", "advice"), KERBEROS)
def test_errors_of_kerberos_say_what_to_do(words: str, advice: str) -> None:
    text = no_session(LoginError(words), target({**HERE, "auth": "kerberos"}))
    assert "kerberos authentication of the account 'CONTOSO\\admin' could not begin: %s. " % words in text
    assert advice in text
    assert text.endswith(".")
