# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""xmpp_im_test over the wire: who signs in, what reaches the gateway, and where the password does not appear."""

from __future__ import annotations

import json
import typing as t

import pytest

from lab.cmdlets.synthetic import USER_PASSWORD
from tests.integration.plays import Plays, Run

POOL = "fe01.contoso.test"
USER = "mbell@contoso.test"
RECEIVER = "romeo@stranger.test"  # that the gateway refuses it shows that it got the message
ACCOUNT = {"username": "CONTOSO\\mbell", "password": USER_PASSWORD}
AS_A_USER = {"to_user": RECEIVER, "from_user": USER, "credential": ACCOUNT}


def send(plays: Plays, options: dict[str, t.Any], *arguments: str) -> tuple[Run, dict[str, t.Any]]:
    run = plays.run(plays.tasks([{"name": "Send", "sfb.xmpp.xmpp_im_test": options}]), "-vvv", *arguments)
    return run, run.result("Send")


def test_a_user_signs_in_with_his_credential(plays: Plays) -> None:
    run, result = send(plays, AS_A_USER)
    (message,) = plays.lab.store().messages()
    assert (message.sender, message.recipient) == ("sip:" + USER, RECEIVER)
    assert result["test"]["error"] == "The message was not delivered."
    assert result["test"]["diagnosis"] == "AllowFederatedUsers of the Access Edge is off"  # as after installation
    events = [event for event in plays.lab.store().events() if event.cmdlet]
    assert [event.cmdlet for event in events] == ["Test-CsXmppIM"]
    assert USER_PASSWORD not in run.output
    assert USER_PASSWORD not in json.dumps([task.result for task in run.tasks])
    assert USER_PASSWORD not in json.dumps([event.parameters for event in events])


@pytest.mark.parametrize(
    "account",
    [
        {**ACCOUNT, "password": "Lab-other-1"},
        {**ACCOUNT, "password": "Lab-user-1" + "x" * 300},
        {**ACCOUNT, "username": "CONTOSO\\ialmeida"},
    ],
)
def test_a_credential_that_is_not_the_users(plays: Plays, account: dict[str, str]) -> None:
    run, result = send(plays, {**AS_A_USER, "credential": account})
    assert "401 Unauthorized" in result["test"]["error"]
    assert plays.lab.store().messages() == []
    assert account["password"] not in run.output


def test_the_test_users_of_the_pool(plays: Plays) -> None:
    options = {"to_user": RECEIVER, "pool": POOL}
    _run, result = send(plays, options)
    assert "has no test users" in result["msg"]
    assert "set from_user and credential" in result["msg"]
    store = plays.lab.store()
    assert [event.cmdlet for event in store.events() if event.cmdlet] == ["Get-CsHealthMonitoringConfiguration"]
    store.put(
        "health_monitoring", POOL, {"FirstTestUserSipUri": "sip:" + USER, "SecondTestUserSipUri": "sip:x@contoso.test"}
    )
    _run, result = send(plays, options, "--check")
    assert (result["test"]["result"], store.messages()) == ("not_sent", [])
    _run, result = send(plays, options)
    assert result["test"]["from_users"] == [USER, "x@contoso.test"]
    (message,) = store.messages()
    assert message.sender == "sip:" + USER


def test_verify_sends_it_and_shows_no_password(plays: Plays) -> None:
    """The table names the receiver; what is looped over is not shown."""
    settings = {
        "own_domains": ["contoso.test"],
        "nameservers": ["127.0.0.1:1"],
        "timeout": 0.2,
        "messages": [AS_A_USER],
    }
    hosts = {"sfb_management": plays.hosts()["sfb_management"], "all": {"vars": {"sfb_xmpp_verification": settings}}}
    run = plays.run("sfb.xmpp.verify", "-vvv", inventory=plays.write("messages.yml", hosts))
    assert run.code == 2
    assert "message to %s: failure" % RECEIVER in run.output
    assert USER_PASSWORD not in run.output
    assert len(plays.lab.store().messages()) == 1
