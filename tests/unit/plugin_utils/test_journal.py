# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of runs: what a task becomes in it, that no line is lost, and that a line changed by hand is noticed."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import socket
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.digest import digest_of
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.identity import Identity
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import history
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files import journal as _journal
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files import journal_line as _line
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.journal_chain import breaks

STEP = {"cmdlet": "Set-CsXmppAllowedPartner", "identity": "a.test", "parameters": {"ConnectionLimit": 5}}


def run(**result: t.Any) -> dict[str, t.Any]:
    return _line.make_line(
        result,
        inventory=[],
        playbook="converge",
        task="xmpp_federation",
        deployment="default",
        host="fe01",
        account="svc",
    )


def test_outcomes() -> None:
    assert run(changed=False)["outcome"] == "ok"
    assert run(changed=False)["message"] is None
    refused = run(failed=True, msg="Nothing was written, for 2 reasons:\n- a\n- b", reasons=["a", "b"])
    assert (refused["outcome"], refused["message"]) == ("refused", "a")
    failed = run(failed=True, msg="Set-CsX failed: no\nmore", steps=[{**STEP, "result": "failed"}])
    assert (failed["outcome"], failed["message"]) == ("failed", "Set-CsX failed: no")


def test_a_plan_and_the_run_that_carries_it_out_have_one_digest() -> None:
    planned, done = ([{**STEP, "result": word}] for word in ("planned", "done"))
    assert digest_of(Identity(), planned) == digest_of(Identity(), done) == run(steps=done)["digest"]
    assert digest_of(Identity(), planned) != digest_of(Identity(), [{**STEP, "parameters": {"ConnectionLimit": 6}}])


def test_the_user_is_whose_process_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run()["user"]
    monkeypatch.setenv("LOGNAME", "somebody")
    monkeypatch.setenv("USER", "somebody")
    assert run()["user"] == before != "somebody"


def test_the_commit_of_the_inventory_and_that_files_were_changed(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t.test", *words],
            cwd=tmp_path, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    hosts = tmp_path / "hosts.yml"
    hosts.write_text("all: {}\n")
    assert _line.commit(str(hosts)) is None
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "inventory")
    head = git("rev-parse", "HEAD")
    assert _line.commit(str(hosts)) == _line.commit(str(tmp_path)) == head
    hosts.write_text("all: {hosts: {a: }}\n")
    assert _line.commit(str(hosts)) == head + "-dirty"
    assert _line.commit("fe01,") is None


def written(directory: Path, number: int = 4) -> list[bytes]:
    """A journal with so many lines."""
    for ticket in range(number):
        _journal.append(str(directory), {**run(), "ticket": str(ticket)})
    return (directory / "runs.jsonl").read_bytes().splitlines(keepends=True)


def found_breaks(directory: Path) -> list[str]:
    return breaks(*_journal.read(str(directory)))


def test_the_files_are_their_owners(tmp_path: Path) -> None:
    written(tmp_path / "kept")
    names = sorted(os.listdir(tmp_path / "kept"))
    assert names == [".runs.head", ".runs.lock", "runs.jsonl"]
    assert {(tmp_path / "kept" / name).stat().st_mode & 0o777 for name in names} == {0o600}
    assert found_breaks(tmp_path / "kept") == []


def edited(line: bytes, **values: t.Any) -> bytes:
    return json.dumps({**json.loads(line), **values}).encode() + b"\n"


Lines = list[bytes]
CHANGES: dict[str, tuple[t.Callable[[Lines], Lines], str]] = {
    "the first taken out": (lambda lines: lines[1:], "before line 1"),
    "one taken out": (lambda lines: [lines[0], *lines[2:]], "between line 1"),
    "the last taken out": (lambda lines: lines[:-1], "at line 3"),
    "all but one taken out": (lambda lines: lines[:1], "at line 1"),
    "all taken out": (lambda lines: [], "is empty"),
    "one changed": (lambda lines: [lines[0], edited(lines[1], user="ann"), *lines[2:]], "line 2 was changed"),
    "the last changed": (lambda lines: [*lines[:-1], edited(lines[-1], user="ann")], "at line 4"),
    "one added": (lambda lines: [*lines[:2], edited(lines[1], before=None), *lines[2:]], "line 3 was added"),
    "one twice": (lambda lines: [*lines[:2], lines[1], *lines[2:]], "a line was added"),
    "one added at the end": (lambda lines: [*lines, edited(lines[1], before="0" * 64)], "after line 4"),
    "two exchanged": (lambda lines: [lines[0], lines[2], lines[1], lines[3]], "the order was changed"),
    "one that cannot be read": (lambda lines: [*lines[:2], b"{\n", *lines[2:]], "line 3 cannot be read"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_by_hand_breaks_the_chain(tmp_path: Path, change: str) -> None:
    how, text = CHANGES[change]
    lines = written(tmp_path)
    (tmp_path / "runs.jsonl").write_bytes(b"".join(how(lines)))
    assert [one for one in found_breaks(tmp_path) if text in one], found_breaks(tmp_path)
    # The next run does not mend it.
    written(tmp_path, 1)
    assert found_breaks(tmp_path)


def test_a_run_that_ended_between_line_and_head_breaks_nothing(tmp_path: Path) -> None:
    written(tmp_path, 2)
    head = (tmp_path / ".runs.head").read_bytes()
    written(tmp_path, 1)
    (tmp_path / ".runs.head").write_bytes(head)
    assert found_breaks(tmp_path) == []
    written(tmp_path, 1)
    assert found_breaks(tmp_path) == []


def test_lines_leave_by_their_age_and_that_is_written_down(tmp_path: Path) -> None:
    for year in (2020, 2021, 2030):
        _journal.append(str(tmp_path), {**run(), "time": "%d-01-01T00:00:00Z" % year}, keep_days=0)
    _journal.append(str(tmp_path), {**run(), "ticket": "now"}, keep_days=365)
    lines = [json.loads(line) for line in _journal.read(str(tmp_path))[0].splitlines()]
    assert [(line["time"][:4], line.get("removed")) for line in lines[:1]] == [("2030", None)]
    assert (lines[1]["ticket"], lines[2]["removed"]) == ("now", 2)
    assert found_breaks(tmp_path) == []
    # What is said to have been removed is all that may be.
    text = (tmp_path / "runs.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "runs.jsonl").write_bytes(b"".join(text[1:]))
    assert "before line 1" in found_breaks(tmp_path)[0]


def test_syslog_gets_the_line_as_well(tmp_path: Path) -> None:
    address = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(address)
        text = _journal.append(str(tmp_path / "kept"), {**run(), "ticket": "100 %s"})
        _journal.to_syslog(text, address)
        got = log.recv(65536)
    assert text.strip().encode() in got
    with pytest.raises(Refused, match="sfb_xmpp_journal"):
        _journal.to_syslog(text, str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["runs.jsonl", ".runs.head", ".runs.lock"])
@pytest.mark.parametrize("hard", [True, False])
def test_no_link_is_followed(tmp_path: Path, name: str, hard: bool) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious\n", encoding="utf-8")
    directory = tmp_path / "kept"
    directory.mkdir()
    (os.link if hard else os.symlink)(victim, directory / name)
    with contextlib.suppress(Refused):
        written(directory)
    assert victim.read_text(encoding="utf-8") == "precious\n"


def test_whom_and_what_a_line_names() -> None:
    steps = [
        {"cmdlet": "New-CsXmppAllowedPartner", "identity": "a.test", "parameters": {}, "result": "done"},
        {"cmdlet": "Set-CsXmppAllowedPartner", "identity": "b.test", "result": "done",
         "parameters": {"AdditionalDomains": {"add": ["x.b.test"], "remove": ["y.b.test"]}}},
        {"cmdlet": "Grant-CsExternalAccessPolicy", "identity": "sip:ann@c.test", "result": "failed",
         "parameters": {"PolicyName": "X"}},
        {"cmdlet": "Remove-CsExternalAccessPolicy", "identity": "Old", "parameters": {}, "result": "not_sent"},
    ]  # fmt: skip
    line = run(steps=steps, identity={"label": "default", "pools": ["p.test"], "sip_domains": []})
    assert line["objects"] == {
        "partner": ["a.test", "b.test", "x.b.test", "y.b.test"],
        "user": ["sip:ann@c.test"],
        "policy": ["X"],
    }
    assert line["deployment"]["pools"] == ["p.test"]
    assert history.concerning([line], "partner", ["Y.b.test"]) == [line]
    assert history.concerning([line], "partner", ["c.test"]) == history.concerning([{}], "user", ["x"]) == []


def test_what_others_say_of_themselves_is_marked() -> None:
    variables, environment = {"awx_user_name": "ann", "awx_job_id": 7}, {"GITLAB_USER_LOGIN": "bob", "USER": "eve"}
    assert _line.claims(variables, environment) == {"awx_user": "ann", "awx_job": "7", "ci_user": "bob"}
    assert "awx (says ann)" in history.run_lines([{"user": "awx", "claimed": {"awx_user": "ann"}}])[0]


def _append(directory: str, name: str) -> None:
    for _number in range(25):
        _journal.append(directory, {**run(), "ticket": name})


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append, args=(str(tmp_path), str(number))) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    found = [json.loads(line)["ticket"] for line in _journal.read(str(tmp_path))[0].splitlines()]
    assert sorted(found) == sorted("0123" * 25)
    assert found_breaks(tmp_path) == []


def test_a_directory_that_others_may_write_into_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(Refused, match="any user may write into"):
        _journal.append(str(tmp_path), run())


def test_line_separators_and_halves_of_characters_stay_within_a_line(tmp_path: Path) -> None:
    _journal.append(str(tmp_path), {**run(), "ticket": "a\u2028b\x85c\nd\udce9"})
    (found,) = history.runs(_journal.read(str(tmp_path))[0])
    assert found["outcome"] == "ok"
    assert r"a\u2028b\x85c\nd\udce9" in history.run_lines([found])[1]
