# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of docs/automation, each as systemd runs it: with an empty environment, in the inventory's directory."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.plays import CHECKOUT, Plays
from tests.integration.test_examples import prepare

AUTOMATION = CHECKOUT / "docs" / "automation"


def commands(service: str, plays: Plays) -> list[list[str]]:
    """The values of ExecStart, in this test's places. systemd takes quotes as a shell does."""
    text = (AUTOMATION / (service + ".service")).read_text(encoding="utf-8")
    text = text.replace("/opt/sfb-xmpp/bin", str(Path(sys.executable).parent))
    text = text.replace("/var/lib/sfb-xmpp", str(plays.directory))
    return [shlex.split(line.partition("=")[2]) for line in text.splitlines() if line.startswith("ExecStart=")]


def start(service: str, plays: Plays, directory: Path) -> list[int]:
    """Run a service once; the exit status of each command until one fails."""
    codes: list[int] = []
    for command in commands(service, plays):
        run = subprocess.run(command, cwd=directory, env={}, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        codes.append(run.returncode)
        if run.returncode:
            print(run.stdout.decode(), run.stderr.decode())
            break
    return codes


@pytest.fixture
def repository(plays: Plays) -> Path:
    """A clone that has an inventory of the lab, and where it comes from."""
    prepare(plays)
    origin, clone = plays.directory / "origin.git", plays.directory / "clone"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin], check=True)
    subprocess.run(["git", "clone", "--quiet", origin, clone], check=True, capture_output=True)
    for name, value in (("user.name", "xmpp"), ("user.email", "xmpp@contoso.test"), ("push.default", "current")):
        subprocess.run(["git", "-C", clone, "config", name, value], check=True)
    (clone / "inventory").mkdir()
    shutil.copy(plays.write("hosts.yml", {"all": {"children": plays.hosts()}}), clone / "inventory" / "hosts.yml")
    settings = {
        "sfb_xmpp_state_directory": str(plays.directory / "state"),
        "sfb_xmpp_verification": {"nameservers": ["127.0.0.1:9"], "timeout": 1},
        "sfb_xmpp_partners": [],
    }
    (clone / "inventory" / "group_vars").mkdir()
    (clone / "inventory" / "group_vars" / "all.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (clone / "ansible.cfg").write_text("[defaults]\nhome = %s\n" % (plays.directory / "home"), encoding="utf-8")
    return clone


def log(repository: Path) -> list[str]:
    found = subprocess.run(
        ["git", "-C", repository, "log", "--format=%s", "origin/main"], capture_output=True, text=True, check=False
    )
    return found.stdout.splitlines()


def test_an_audit_a_renewal_and_an_export_without_an_environment(plays: Plays, repository: Path) -> None:
    assert start("sfb-xmpp-audit", plays, repository) in ([0], [2])
    assert {"audit.json", "audit.prom"} <= {path.name for path in (plays.directory / "audit").iterdir()}
    assert start("sfb-xmpp-renew", plays, repository) == [0]

    # The first night commits, the second has nothing to say, the third has what somebody did on a server.
    assert start("sfb-xmpp-export", plays, repository) == [0, 0, 0, 0]
    assert log(repository) == ["Export the servers"]
    assert start("sfb-xmpp-export", plays, repository) == [0, 0, 0, 0]
    assert log(repository) == ["Export the servers"]
    store = plays.lab.store()
    store.put("policy", "Tag:Night", {**store.policies()["Global"], "Identity": "Tag:Night", "Description": "night"})
    assert start("sfb-xmpp-export", plays, repository) == [0, 0, 0, 0]
    assert log(repository) == ["Export the servers"] * 2
