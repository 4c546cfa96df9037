# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sfb.xmpp.capture makes of the answers, whatever fails: a file, and a word on each answer that is missing."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._capture import recording as _recording
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.pseudonyms import Pseudonyms
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.recording import EXPECTED, Recording, label, record
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.tasks import INFO, read_key
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.session import Captured
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    Place,
    ServerError,
    ShellError,
    Statement,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import capture as _capture
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.servers import DeploymentHosts

from lab.replay import capture as files

MINE = DeploymentHosts("contoso", ("fe01", "fe02"), (), ("edge01",))
NAMES = Pseudonyms(b"0" * 32)


class Server:
    """Answers every statement with an object of no known form, but for those that it refuses or has no session for."""

    place = Place(host="fe01.contoso.test")

    def __init__(self, refused: t.Collection[str] = (), silent: t.Collection[str] = ()) -> None:
        self.refused, self.silent = refused, silent
        self.sent: list[str] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        raise AssertionError

    def capture(self, statement: Statement) -> Captured:
        name = label(statement)
        self.sent.append(name)
        if name in self.silent:
            raise ShellError("fe01.contoso.test does not answer")
        if name in self.refused:
            error = ServerError(statement.cmdlet, "X", "", "Access of Brunhilde is denied.")
            return Captured(Answer(errors=(error,)))
        return Captured(Answer(output=({"Name": "Get-CsUser"},)), ("<S>fe01.contoso.test</S>",))


def part(server: Server, role: str, directory: Path) -> dict[str, t.Any]:
    """The result of xmpp_capture_info."""
    given = {"role": role, "users": 200, "key_file": str(directory / "key")}
    return INFO.work(given, server, False).as_dict()


def decided(results: dict[str, dict[str, t.Any]]) -> _capture.Capture:
    return _capture.decide(MINE, results, NAMES, "2027-01-01T00:00:00Z", "a test")


@pytest.mark.parametrize("role", sorted(EXPECTED))
def test_an_answer_that_is_refused_and_one_that_never_comes_are_named(role: str, tmp_path: Path) -> None:
    refused, silent = EXPECTED[role][1], EXPECTED[role][-1]
    found = part(Server({refused}, {silent}), role, tmp_path)["capture"]["host"]
    missing = {one["statement"]: one["reason"] for one in found["missing"]}
    assert {refused, silent} <= set(missing)
    assert missing[refused].startswith("Access of x")
    assert missing[silent] == "the statement was not sent"
    told = json.dumps(found)
    assert "contoso" not in told
    assert "Brunhilde" not in told
    assert any(silent.split()[0] in text for text in found["failures"]), found["failures"]


def test_an_answer_of_an_unknown_form_is_kept_and_the_failure_is_in_the_file(tmp_path: Path) -> None:
    found = part(Server(), "management", tmp_path)["capture"]["host"]
    assert found["failures"] != []
    assert {one["pipeline"][0]["cmdlet"] for one in found["statements"]} >= {"Get-CsUser", "Get-CsComputer"}


def test_a_mistake_of_ours_costs_no_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __iter__(self) -> t.NoReturn:
            raise TypeError("contoso")

    monkeypatch.setattr(_recording, "READINGS", Broken())
    found = record(Server(), "management")
    assert "Get-CsComputer" in [label(one.statement) for one in found.asked]
    assert found.missing("management")["Get-CsSipDomain"] == ""
    (text,) = [one for one in found.mistakes if "TypeError in " in one]
    assert "contoso" not in text


def test_a_server_that_is_gone_is_not_asked_on_and_on() -> None:
    shell = Server(silent=set(EXPECTED["management"][1:]))
    found = record(shell, "management")
    assert len(shell.sent) == 4
    assert len(found.missing("management")) == len(EXPECTED["management"]) - 1
    assert any("was not sent" in text for text in found.failures)
    with pytest.raises(ShellError):
        record(Server(silent={"Get-Command"}), "edge")


def test_the_policy_of_a_user_is_no_gap_where_there_is_no_user() -> None:
    empty = Recording(Server())
    for statement in (_recording.COMMANDS, Statement("Get-CsUser")):
        empty.ask(statement)
    assert "Get-CsEffectivePolicy" in empty.missing("management")
    nobody = Recording(t.cast("t.Any", Empty()))
    nobody.ask(Statement("Get-CsUser"))
    assert "Get-CsEffectivePolicy" not in nobody.missing("management")


class Empty(Server):
    def capture(self, statement: Statement) -> Captured:
        return Captured(Answer())


def test_servers_that_say_nothing_are_in_the_file(tmp_path: Path) -> None:
    results = {
        "edge01": part(Server({"Get-Date"}), "edge", tmp_path),
        "fe01": {"failed": True, "msg": "CONTOSO\\Brunhilde was refused by fe01.contoso.test"},
        "fe02": {},
    }
    found = decided(results)
    text = json.dumps(found.document)
    for word in ("contoso", "CONTOSO", "Brunhilde", "fe01"):
        assert word not in text
    path = tmp_path / "capture.json"
    path.write_text(text)
    read = files.read(path)
    assert [(host.role, bool(host.statements)) for host in read.hosts] == [
        ("management", False), ("management", False), ("edge", True),
    ]  # fmt: skip
    first, *others = found.lines
    total = len(EXPECTED["edge"]) + 2 * len(EXPECTED["management"])
    answered = len(EXPECTED["edge"]) - 1
    assert first == "%d answers of 3 servers. %d are missing:" % (answered, total - answered)
    told = "\n".join(others)
    for words in (
        "edge01: Get-Date: Access of",
        "fe01: no answer: CONTOSO",
        "fe02: no answer: its process",
    ):
        assert words in told
    assert all(len(host["missing"]) == len(EXPECTED[host["role"]]) for host in found.document["hosts"][:2])


def test_without_a_gap_it_says_so(tmp_path: Path) -> None:
    whole = {"capture": {"profile": "lync2013", "host": {
        "name": "x", "role": "management", "versions": {}, "commands": [], "statements": [], "missing": [],
        "failures": [],
    }}}  # fmt: skip
    found = decided({"fe01": whole})
    assert found.lines == ("%d answers of 1 server. None is missing." % len(EXPECTED["management"]),)
    assert found.document["profile"] == "lync2013"


def test_what_the_user_has_to_mend_ends_the_run() -> None:
    wrong = {"reasons": ["key_file: other users may read it"], "failed": True}
    assert _capture.mistakes({"a": wrong, "b": wrong}) == ["key_file: other users may read it"]
    assert _capture.mistakes({"a": wrong, "b": {"msg": "gone"}}) == []
    assert _capture.mistakes({"a": wrong, "b": {"capture": {}}}) == []
    assert [_capture.role_of(MINE, host) for host in ("fe02", "edge01", "x")] == ["management", "edge", "front_end"]


def test_check_mode_makes_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key"
    assert len(read_key(str(path), check=True)) == 32
    assert not path.parent.exists()
    assert read_key(str(path)) == read_key(str(path), check=True)
