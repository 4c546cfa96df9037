# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Relative paths of a user belong to the directory in which Ansible was started, whatever the environment says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.working_directory import absolute

TOP = Path(__file__).parents[3]


@pytest.mark.parametrize("pwd", [None, "", "/", "/nowhere"])
def test_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pwd: str | None) -> None:
    monkeypatch.chdir(tmp_path)
    if pwd is None:
        monkeypatch.delenv("PWD", raising=False)
    else:
        monkeypatch.setenv("PWD", pwd)
    here = Path.cwd()
    assert absolute("a/b.yml") == str(here / "a/b.yml")
    assert absolute("./a/") == str(here / "a")
    assert absolute("../b") == str(here.parent / "b")
    assert absolute("/srv/a/") == "/srv/a"


def test_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert absolute("~/lists.yml") == "/home/ann/lists.yml"


def test_a_directory_that_was_removed_is_an_error_for_relative_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(AnsibleError, match="the working directory of Ansible cannot be used"):
        absolute("a.yml")
    assert absolute("/srv/a") == "/srv/a"


def test_no_playbook_or_role_reads_it_from_the_environment() -> None:
    files = [path for folder in ("playbooks", "roles") for path in (TOP / folder).rglob("*.yml")]
    assert len(files) > 20
    assert [path.name for path in files if re.search(r"\bPWD\b", path.read_text(encoding="utf-8"))] == []
