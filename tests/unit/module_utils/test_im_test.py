# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test message: what is sent, and how each answer is read."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.im_test import seconds, work
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement

GIVEN = {"receiver": "bob@fabrikam.com", "sender": "SIP:ann@contoso.com", "pool": "pool.contoso.com"}


class Server:
    """Gives one answer, and keeps what it was sent."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.sent: list[Statement] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        self.sent += statements
        return self.answer


def reported(**properties: t.Any) -> Answer:
    return Answer(({"TargetFqdn": "pool.contoso.com", **properties},))


def test_a_message_that_arrives() -> None:
    server = Server(reported(Result="Success", Latency="PT1M0.5S", Error="", Diagnosis=""))
    result = work(GIVEN, server, False)
    (statement,) = server.sent
    assert statement.cmdlet == "Test-CsXmppIM"
    assert statement.parameters == {
        "TargetFqdn": "pool.contoso.com",
        "Receiver": "bob@fabrikam.com",
        "UserSipAddress": "sip:ann@contoso.com",
    }
    assert not result.failures
    assert not result.changed
    assert result.values["test"] == {
        "receiver": "bob@fabrikam.com",
        "sender": "ann@contoso.com",
        "pool": "pool.contoso.com",
        "result": "success",
        "latency": 60.5,
        "error": "",
        "diagnosis": "",
    }


@pytest.mark.parametrize(
    ("answer", "category", "words"),
    [
        (reported(Result="Failure", Error="10060", Diagnosis="no route"), "NotDelivered", "10060: no route"),
        (reported(Result="Failure"), "NotDelivered", "does not say why"),
        (Answer(), "NotDelivered", "does not say why"),
        (
            Answer(errors=(ServerError("Test-CsXmppIM", "X", "InvalidArgument", "no pool"),)),
            "InvalidArgument",
            "no pool",
        ),
        (Answer(({"Result": "Success"},), lost="cut"), "ConnectionError", "unknown whether"),
    ],
)
def test_a_message_that_does_not(answer: Answer, category: str, words: str) -> None:
    server = Server(answer)
    result = work(GIVEN, server, False)
    assert len(server.sent) == 1
    assert result.values["test"]["result"] == "failure"
    (failure,) = result.failures
    assert failure.error.category == category
    assert words in failure.error.message


def test_check_mode_sends_nothing() -> None:
    server = Server(Answer())
    assert work(GIVEN, server, True).values["test"]["result"] == "not_sent"
    assert not server.sent


@pytest.mark.parametrize("receiver", ["bob", "", "@fabrikam.com", "bob@fabrikam.com/phone", "bob@x y.com"])
def test_what_is_no_address(receiver: str) -> None:
    server = Server(Answer())
    with pytest.raises(Refused, match="user@domain"):
        work({**GIVEN, "receiver": receiver}, server, False)
    assert not server.sent


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("PT0.25S", 0.25), ("PT0S", 0.0), ("P1DT1H1M1S", 90061.0), ("PT2M", 120.0), ("00:00:01", None), (None, None)],
)
def test_durations(text: t.Any, wanted: float | None) -> None:
    assert seconds(text) == wanted
