# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's end of the socket, against a daemon that answers, refuses, or dies."""

from __future__ import annotations

import json
import pickle
import socket
import tempfile
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.connection import recv_data, send_data
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.session import ConnectionShell
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    Secret,
    ServerError,
    ShellError,
    Statement,
)

STATEMENT = Statement("Set-CsXmppGatewayConfiguration", {"Identity": "Global", "DialbackPassphrase": Secret("hush")})


@pytest.fixture
def path() -> t.Iterator[Path]:
    with tempfile.TemporaryDirectory() as short:  # a socket's path may have 107 characters only
        yield Path(short) / "s"


class Daemon:
    """Takes so many requests. ``reply`` makes a response's members of one; None closes the socket without an answer."""

    def __init__(self, path: Path, reply: t.Callable[[t.Any], dict[str, t.Any] | None], requests: int = 1) -> None:
        self.request: t.Any = None
        self.sizes: list[int] = []
        self._requests = requests
        self._reply = reply
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        for _number in range(self._requests):
            with self._socket.accept()[0] as connection:
                self.request = json.loads(recv_data(connection))
                self.sizes.append(len(self.request["params"][0][0]))
                members = self._reply(self.request)
                if members is not None:
                    answer = {"jsonrpc": "2.0", "id": self.request["id"], **members}
                    send_data(connection, json.dumps(answer).encode())

    def __enter__(self) -> Daemon:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._thread.join(10)
        self._socket.close()


def test_statements_go_out_and_answers_come_back(path: Path) -> None:
    answer = Answer(
        ({"Identity": "Global", "Raw": b"\x00"},), (ServerError("Set-X", "id", "cat", "m", "t"),), ("w",), ""
    )
    pickled = pickle.dumps(answer.encode()).decode("utf-8", "surrogateescape")
    with Daemon(path, lambda request: {"result": pickled, "result_type": "pickle"}) as daemon:
        assert ConnectionShell(str(path)).invoke([STATEMENT]) == answer
    assert daemon.request["method"] == "invoke"
    assert [Statement.decode(s) for s in daemon.request["params"][0][0]] == [STATEMENT]


def test_a_refusal_is_a_shell_error_in_the_words_of_the_daemon(path: Path) -> None:
    error = {"code": -32603, "message": "Internal error", "data": "no session on x"}
    with Daemon(path, lambda request: {"error": error}), pytest.raises(ShellError) as caught:
        ConnectionShell(str(path)).invoke([STATEMENT])
    assert str(caught.value) == "no session on x"


def test_a_daemon_that_dies_leaves_the_outcome_unknown_and_no_secret_behind(path: Path) -> None:
    with Daemon(path, lambda request: None):
        answer = ConnectionShell(str(path)).invoke([STATEMENT])
    assert "ended before it answered" in answer.lost
    assert "hush" not in answer.lost


def test_a_daemon_that_is_gone_has_executed_nothing(path: Path) -> None:
    with pytest.raises(ShellError, match="does not exist"):
        ConnectionShell(str(path)).invoke([STATEMENT])
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    with pytest.raises(ShellError, match="connect"):
        ConnectionShell(str(path)).invoke([STATEMENT])


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_task_over_another_connection_is_told_which_one_it_needs(nothing: str | None) -> None:
    with pytest.raises(ShellError, match=r"sfb\.xmpp\.management_shell"):
        ConnectionShell(nothing)


def reply(answer: Answer) -> dict[str, t.Any]:
    pickled = pickle.dumps(answer.encode()).decode("utf-8", "surrogateescape")
    return {"result": pickled, "result_type": "pickle"}


class Clock:
    """Time that passes as the daemon says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_many_statements_go_in_calls_of_a_few_seconds_and_the_progress_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    told: list[str] = []

    def slow(request: t.Any) -> dict[str, t.Any]:
        number = len(request["params"][0][0])
        clock.now += number * 0.1
        return reply(Answer(tuple(range(number)), warnings=("w",)))

    with Daemon(path, slow, 4) as daemon:
        answer = ConnectionShell(str(path), told.append).invoke([STATEMENT] * 160)
    assert daemon.sizes == [20, 50, 50, 40]
    assert len(answer.output) == 160
    assert len(answer.warnings) == 4
    assert told == ["70 of 160 calls sent after 7 s", "120 of 160 calls sent after 12 s"]


def test_calls_stay_below_a_limit_however_fast_the_server_is(path: Path) -> None:
    told: list[str] = []
    with Daemon(path, lambda request: reply(Answer()), 3) as daemon:
        ConnectionShell(str(path), told.append).invoke([STATEMENT] * 300)
    assert daemon.sizes == [20, 200, 80]


@pytest.mark.parametrize("early", [Answer(lost="cut"), Answer(refused=True)])
def test_after_a_loss_or_a_refusal_nothing_more_is_sent(path: Path, early: Answer) -> None:
    with Daemon(path, lambda request: reply(early)) as daemon:
        assert ConnectionShell(str(path)).invoke([STATEMENT] * 100) == early
    assert daemon.sizes == [20]


def test_a_session_that_cannot_be_had_again_half_way_is_a_loss(path: Path) -> None:
    answers = [reply(Answer((1,))), {"error": {"code": -32603, "message": "Internal error", "data": "no session on x"}}]
    with Daemon(path, lambda request: answers.pop(0), 2):
        answer = ConnectionShell(str(path)).invoke([STATEMENT] * 100)
    assert answer.output == (1,)
    assert answer.lost == "no session on x"
