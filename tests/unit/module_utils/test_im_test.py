# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test message: who sends it, what is sent, and how each answer is read."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.im_test import seconds, work
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    Credential,
    Secret,
    ServerError,
    Statement,
)

GIVEN = {
    "to_user": "bob@fabrikam.com",
    "from_user": "SIP:ann@contoso.com",
    "credential": {"username": "CONTOSO\\ann", "password": "hush"},
    "pool": "pool.contoso.com",
}
BY_TEST_USERS = {"to_user": "sip:bob@fabrikam.com", "pool": "Pool.contoso.com"}
USERS = {"FirstTestUserSipUri": "sip:t1@contoso.com", "SecondTestUserSipUri": "sip:t2@contoso.com"}


class Server:
    """Gives one answer to the test, and keeps what it was sent. users: what it answers about test users."""

    def __init__(self, answer: Answer, users: Answer | None = None) -> None:
        self.answer, self.users = answer, users
        self.sent: list[Statement] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        self.sent += statements
        return self.users if self.users and statements[0].cmdlet.startswith("Get-") else self.answer


def reported(**properties: t.Any) -> Answer:
    return Answer(({"TargetFqdn": "pool.contoso.com", **properties},))


def test_a_message_that_arrives() -> None:
    server = Server(reported(Result="Success", Latency="PT1M0.5S", Error="", Diagnosis=""))
    result = work({**GIVEN, "registrar_port": 5061}, server, False)
    (statement,) = server.sent
    assert statement.cmdlet == "Test-CsXmppIM"
    assert statement.parameters == {
        "TargetFqdn": "pool.contoso.com",
        "Receiver": "bob@fabrikam.com",
        "UserSipAddress": "sip:ann@contoso.com",
        "UserCredential": Credential("CONTOSO\\ann", Secret("hush")),
        "RegistrarPort": 5061,
    }
    assert not result.failures
    assert not result.changed
    assert result.values["test"] == {
        "to_user": "bob@fabrikam.com",
        "from_users": ["ann@contoso.com"],
        "pool": "pool.contoso.com",
        "result": "success",
        "latency": 60.5,
        "error": "",
        "diagnosis": "",
    }
    assert "hush" not in repr(statement)
    assert "hush" not in repr(statement.shown())


def test_the_pools_test_users_send() -> None:
    """The first read says who they are, and the cmdlet gets neither an address nor a credential."""
    server = Server(reported(Result="Success"), Answer(({"Identity": "pool.contoso.com", **USERS},)))
    result = work(BY_TEST_USERS, server, False)
    assert [one.cmdlet for one in server.sent] == ["Get-CsHealthMonitoringConfiguration", "Test-CsXmppIM"]
    assert server.sent[1].parameters == {"TargetFqdn": "Pool.contoso.com", "Receiver": "bob@fabrikam.com"}
    assert result.values["test"]["from_users"] == ["t1@contoso.com", "t2@contoso.com"]
    assert not result.warnings


@pytest.mark.parametrize("answer", [Answer(), Answer(({"Identity": "other.contoso.com", **USERS},))])
@pytest.mark.parametrize("check", [True, False])
def test_without_test_users_somebody_has_to_be_named(answer: Answer, check: bool) -> None:
    server = Server(reported(Result="Success"), answer)
    with pytest.raises(Refused, match=r"has no test users.*set from_user and credential"):
        work(BY_TEST_USERS, server, check)
    assert [one.cmdlet for one in server.sent] == ["Get-CsHealthMonitoringConfiguration"]


def test_test_users_that_cannot_be_read_are_no_obstacle() -> None:
    """Whether there are any is the server's to say; that nothing is known of them is said."""
    unknown = Answer(errors=(ServerError("Get-CsHealthMonitoringConfiguration", "X", "ObjectNotFound", "not offered"),))
    result = work(BY_TEST_USERS, Server(reported(Result="Success"), unknown), False)
    assert result.values["test"]["from_users"] == []
    assert "the sender is unknown: not offered" in result.warnings[0]


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("credential",), ["credential"]),
        (("from_user",), ["from_user"]),
        (("from_user", "credential", "pool"), ["pool"]),
        (("to_user",), ["to_user"]),
    ],
)
def test_what_belongs_together(missing: tuple[str, ...], named: list[str]) -> None:
    server = Server(Answer())
    with pytest.raises(Refused) as refused:
        work({**GIVEN, **dict.fromkeys(missing)}, server, False)
    assert [reason.partition(":")[0] for reason in refused.value.reasons] == named
    assert not server.sent


def test_with_a_credential_the_pool_may_be_left_out() -> None:
    server = Server(reported(Result="Success"))
    assert work({**GIVEN, "pool": None}, server, False).values["test"]["pool"] is None
    assert "TargetFqdn" not in server.sent[0].parameters


@pytest.mark.parametrize(
    ("answer", "category", "words"),
    [
        (reported(Result="Failure", Error="10060", Diagnosis="no route"), "NotDelivered", "10060: no route"),
        (reported(Result="Failure"), "NotDelivered", "gave no reason"),
        (Answer(), "NotDelivered", "gave no reason"),
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


@pytest.mark.parametrize("address", ["bob", "", "@fabrikam.com", "bob@fabrikam.com/phone", "bob@x y.com"])
def test_what_is_no_address(address: str) -> None:
    server = Server(Answer())
    with pytest.raises(Refused, match="user@domain"):
        work({**GIVEN, "to_user": address}, server, False)
    assert not server.sent


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("PT0.25S", 0.25), ("PT0S", 0.0), ("P1DT1H1M1S", 90061.0), ("PT2M", 120.0), ("00:00:01", None), (None, None)],
)
def test_durations(text: t.Any, wanted: float | None) -> None:
    assert seconds(text) == wanted
