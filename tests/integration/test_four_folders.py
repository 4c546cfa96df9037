# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At run time the collection needs meta, plugins, roles and playbooks. A rehearsal needs the lab too, and says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.plays import CHECKOUT, Plays

NEEDED = ("meta", "plugins", "roles", "playbooks")
PARTNER = {"domain": "fabrikam.example", "tls_negotiation": "required", "sasl_negotiation": "optional",
           "support_dialback_negotiation": True}  # fmt: skip


@pytest.fixture
def four(tmp_path: Path) -> dict[str, str]:
    """The variables with which Ansible finds only a copy of the four folders."""
    top = tmp_path / "ansible_collections" / "sfb" / "xmpp"
    for name in NEEDED:
        shutil.copytree(CHECKOUT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "galaxy.yml", top)
    return {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}


def test_a_deployment_converges(plays: Plays, four: dict[str, str]) -> None:
    partners = plays.write("partners.yml", {"sfb_xmpp_partners": [PARTNER]})
    arguments = ("sfb.xmpp.converge", "--limit", "sfb_management", "-e", "@%s" % partners)
    planned = plays.run(*arguments, "--check", environment=four, directory=plays.directory)
    assert planned.code == 0, planned.output
    assert not plays.lab.store().all("partner")
    assert plays.run(*arguments, environment=four, directory=plays.directory).code == 0
    assert list(plays.lab.store().all("partner")) == ["fabrikam.example"]
    again = plays.run(*arguments, environment=four, directory=plays.directory)
    assert again.code == 0
    assert not [task for task in again.tasks if task.result.get("changed")]


def test_a_rehearsal_says_what_to_install(plays: Plays, four: dict[str, str]) -> None:
    run = plays.run("sfb.xmpp.rehearse", environment=four, directory=plays.directory)
    assert run.code == 2
    (failure,) = run.failures()
    assert "ansible-galaxy collection install" in failure.result["msg"]
    assert str(four["ANSIBLE_COLLECTIONS_PATH"]) in failure.result["msg"]
