# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of runs: what a run becomes in it, that no line is lost, and that it has an end."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import history
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files import journal as _journal

STEP = {"cmdlet": "Set-CsXmppAllowedPartner", "identity": "a.test", "parameters": {"ConnectionLimit": 5}}


def run(**result: t.Any) -> _journal.Run:
    names = {"playbook": "converge", "deployment": "default", "host": "fe01", "account": "CONTOSO\\svc"}
    return _journal.make_run(result, inventory=[], **names)


def test_outcomes() -> None:
    assert run(changed=False)["outcome"] == "ok"
    assert run(changed=False)["message"] is None
    refused = run(failed=True, msg="Nothing was written, for 2 reasons:\n- a\n- b", reasons=["a", "b"])
    assert (refused["outcome"], refused["message"]) == ("refused", "a")
    failed = run(failed=True, msg="Set-CsX failed: no\nmore", steps=[{**STEP, "result": "failed"}])
    assert (failed["outcome"], failed["message"]) == ("failed", "Set-CsX failed: no")


def test_a_plan_and_the_run_that_carries_it_out_have_one_digest() -> None:
    planned, done = ([{**STEP, "result": word}] for word in ("planned", "done"))
    assert _journal.digest(planned) == _journal.digest(done) == run(steps=done)["digest"]
    assert _journal.digest(planned) != _journal.digest([{**STEP, "parameters": {"ConnectionLimit": 6}}])


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
    assert _journal.commit(str(hosts)) is None
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "inventory")
    head = git("rev-parse", "HEAD")
    assert _journal.commit(str(hosts)) == _journal.commit(str(tmp_path)) == head
    hosts.write_text("all: {hosts: {a: }}\n")
    assert _journal.commit(str(hosts)) == head + "-dirty"
    assert _journal.commit("fe01,") is None


def test_the_file_is_its_owners_and_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_journal, "MOST_RUNS", 3)
    monkeypatch.setattr(_journal, "KEPT", 2)
    directory = str(tmp_path / "kept")
    for number in range(11):
        _journal.append(directory, {**run(), "ticket": str(number)})
    assert sorted(os.listdir(directory)) == ["runs.jsonl", "runs.jsonl.1", "runs.jsonl.2"]
    assert {os.stat(os.path.join(directory, name)).st_mode & 0o777 for name in os.listdir(directory)} == {0o600}
    assert [found["ticket"] for found in history.runs(_journal.read(directory))] == [
        "10", "9", "8", "7", "6", "5", "4", "3",
    ]  # fmt: skip


def _append(directory: str, name: str) -> None:
    for _number in range(25):
        _journal.append(directory, {**run(), "ticket": name})


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_journal, "MOST_RUNS", 20)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append, args=(str(tmp_path), str(number))) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    found = [json.loads(line)["ticket"] for line in _journal.read(str(tmp_path)).splitlines()]
    assert sorted(found) == sorted("0123" * 25)


def test_a_directory_that_others_may_write_into_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(Refused, match="others may write into"):
        _journal.append(str(tmp_path), run())


def test_line_separators_and_halves_of_characters_stay_within_a_line(tmp_path: Path) -> None:
    _journal.append(str(tmp_path), {**run(), "ticket": "a\u2028b\x85c\nd\udce9"})
    (found,) = history.runs(_journal.read(str(tmp_path)))
    assert found["outcome"] == "ok"
    assert "a b c d" in history.text_table([found])
