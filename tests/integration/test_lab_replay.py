# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A capture as a deployment over the wire, and what the command line says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement

from lab.replay.capture import Capture, write
from lab.replay.compare import own
from lab.replay.dialect import EXTRA, alien
from lab.testing import running_lab
from tests.integration.management import Management, target

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory, mine = tmp_path_factory.mktemp("captures"), own("lync2013")
    found: dict[str, Capture] = {"lab": mine, "alien": alien(mine)}
    for name, capture in found.items():
        write(capture, directory / (name + ".json"))
    return {name: directory / (name + ".json") for name in found}


def test_a_client_sees_what_was_captured(captures: dict[str, Path], tmp_path: Path) -> None:
    with running_lab(tmp_path, profile="lync2013", replay=captures["alien"]) as lab:
        shell = Management(lab, target(lab, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
        try:
            answer = shell.invoke([Statement("Get-CsXmppAllowedPartner"), Statement("New-CsXmppAllowedPartner")])
        finally:
            shell.session.close()
        items = answer.output
        assert [item["Identity"] for item in items] == ["partner%d.example" % number for number in range(3)]
        assert [item["AdditionalDomains"] for item in items] == [None, "a.example", ["b.example", "c.example"]]
        assert {item[EXTRA] for item in items} == {"nobody knows"}
        assert {item["TlsNegotiation"] for item in items} == {"Required"}
        (refused,) = answer.errors
        assert refused.message == "The lab replays a capture; New-CsXmppAllowedPartner would write."
        assert lab.store().partners() == {}


def test_on_the_command_line(captures: dict[str, Path], tmp_path: Path) -> None:
    def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lab", *arguments, "--directory", str(tmp_path)]
        return subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)

    assert lab("compare", str(captures["lab"])).returncode == 0
    other = lab("compare", str(captures["alien"]), "--json")
    assert other.returncode == 1
    lines = [json.loads(line) for line in other.stdout.splitlines()]
    assert {line["key"] for line in lines if line.get("verdict") == "refuted"} == {
        "enum-numbers", "extra-properties", "list-shapes",
    }  # fmt: skip
    assert lab("compare", str(tmp_path / "nothing.json")).stderr.startswith(
        "lab: %s/nothing.json cannot be read" % tmp_path
    )
    assert lab("replay", str(captures["lab"]), "--port", "0").returncode == 0
    try:
        assert "profile lync2013" in lab("status").stdout
    finally:
        assert lab("down").stdout == "the lab is down\n"
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    assert "is not a capture" in lab("replay", str(bad), "--port", "0").stderr
