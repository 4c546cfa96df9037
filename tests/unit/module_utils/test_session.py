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
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.connection import recv_data, send_data
from ansible_collections.sfb.xmpp.plugins.module_utils._session import ConnectionShell
from ansible_collections.sfb.xmpp.plugins.module_utils._shell import Answer, Secret, ServerError, ShellError, Statement

STATEMENT = Statement("Set-CsXmppGatewayConfiguration", {"Identity": "Global", "DialbackPassphrase": Secret("hush")})


@pytest.fixture
def path() -> t.Iterator[Path]:
    with tempfile.TemporaryDirectory() as short:  # a socket's path may have 107 characters only
        yield Path(short) / "s"


class Daemon:
    """Takes one request. ``reply`` makes the response's members of it; None closes the socket without an answer."""

    def __init__(self, path: Path, reply: t.Callable[[t.Any], dict[str, t.Any] | None]) -> None:
        self.request: t.Any = None
        self._reply = reply
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with self._socket.accept()[0] as connection:
            self.request = json.loads(recv_data(connection))
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
