# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A shell without the network: how the output of a pipeline is cut into answers."""

from __future__ import annotations

import re
import typing as t

import psrpcore
import pytest

from lab.cmdlets.partners import DEFAULTS
from lab.remoting import shell

from .conftest import USERS, Bench

FRAGMENT = 20_000
PARTNERS = 150


@pytest.fixture
def session(bench: Bench) -> t.Iterator[shell.Session]:
    for number in range(PARTNERS):
        bench.store.put("partner", "p%03d.example" % number, dict(DEFAULTS))
    opened = shell.Session(bench.deployment, "S-1", "fe01", USERS["fe01"], "2.2", idle=60)
    yield opened
    opened.close()


def read_list(session: shell.Session) -> list[tuple[bytes, bool]]:
    """The answers to Receive for all partners, each with whether it was the last."""
    pool = psrpcore.ClientRunspacePool()
    pool.open()
    session.open(t.cast(psrpcore.PSRPPayload, pool.data_to_send()).data, FRAGMENT)
    while pool.state.name != "Opened":
        answer = session.receive("", FRAGMENT, 60)
        assert answer
        pool.receive_data(psrpcore.PSRPPayload(answer[0], psrpcore.StreamType.default, None))
        while pool.next_event():
            pass
    pipeline = psrpcore.ClientPowerShell(pool)
    pipeline.add_command("Get-CsXmppAllowedPartner")
    pipeline.start()
    command = session.command("", t.cast(psrpcore.PSRPPayload, pool.data_to_send()).data, FRAGMENT)
    answers: list[tuple[bytes, bool]] = []
    while not answers or not answers[-1][1]:
        found = session.receive(command, FRAGMENT, 60)
        assert found
        answers.append(found)
    return answers


def test_a_long_list_comes_in_full_answers(session: shell.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly it is made: here the pipeline is never silent for long enough."""
    monkeypatch.setattr(shell, "LINGER", 60)
    answers = read_list(session)
    sizes = [len(data) for data, _last in answers]
    assert max(sizes) <= FRAGMENT
    largest_object = 5_000
    assert len(sizes) > 5
    assert min(sizes[:-1]) > FRAGMENT - largest_object


@pytest.mark.parametrize("linger", [0, 60])
def test_nothing_is_lost_however_the_list_is_cut(
    session: shell.Session, monkeypatch: pytest.MonkeyPatch, linger: float
) -> None:
    monkeypatch.setattr(shell, "LINGER", linger)
    data = b"".join(data for data, _last in read_list(session))
    names = re.findall(rb'<S N="Identity">(p\d+\.example)</S>', data)
    assert names == [b"p%03d.example" % number for number in range(PARTNERS)]
