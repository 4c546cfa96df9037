# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that a run prints for its partners, and what the way back does to these and to no others."""

from __future__ import annotations

import itertools
import json
import shlex
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.way_back import MOST

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

KEEPS, CHANGES, GOES, NEW = "keeps.test", "changes.test", "goes.test", "new.test"


def server(playbook: str = "converge") -> MemoryShell:
    shell = MemoryShell()
    shell.place = replace(shell.place, playbook=playbook)
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": True, "AllowFederatedUsers": True})
    for domain in (KEEPS, CHANGES, GOES):
        shell.put("CsXmppAllowedPartner", domain, {"Description": "was", "SaslNegotiation": "Optional"})
    shell.put("CsXmppAllowedPartner", CHANGES, {"AdditionalDomains": ("more.test",)})
    return shell


def converge(shell: MemoryShell, directory: Path | None, check: bool = False) -> list[str]:
    """Change one partner, add one, remove one. Returns the report."""
    declared = [{"domain": KEEPS}, {"domain": CHANGES, "description": "is"}, {"domain": NEW}]
    kept = {"snapshot_directory": str(directory)} if directory else {}
    done = run(FEDERATION, shell, check, partners=declared, partners_purge=True, removal_limit=100, **kept)
    return list(done.values["report"])


def command(report: list[str], playbook: str) -> dict[str, t.Any]:
    """The variables of a printed command, as Ansible reads them."""
    (line,) = (line for line in report if "ansible-playbook sfb.xmpp.%s " % playbook in line)
    words = shlex.split(line)
    given: dict[str, t.Any] = {}
    for option, value in itertools.pairwise(words):
        if option == "-e":
            given.update(json.loads(value) if value.startswith("{") else dict([value.split("=", 1)]))
    return given


@pytest.mark.parametrize("folder", ["kept", "a folder's name"])
def test_the_printed_command_returns_these_partners_and_no_others(tmp_path: Path, folder: str) -> None:
    shell = server()
    before = {domain: dict(item) for domain, item in shell.store["CsXmppAllowedPartner"].items()}
    planned = converge(shell, tmp_path / folder, check=True)
    assert not any("ansible-playbook" in line for line in planned)
    report = converge(shell, tmp_path / folder)
    assert command(report, "verify") == {"sfb_xmpp_for_partner": "%s,%s" % (NEW, CHANGES)}
    back = command(report, "restore")
    shell.put("CsXmppAllowedPartner", KEEPS, {"Description": "somebody else's"})
    shell.put("CsXmppAllowedPartner", "later.test", {})
    given = {
        "restore_from": back["sfb_xmpp_snapshot_file"],
        "restore_only": back["sfb_xmpp_for_partner"].split(","),
        "parts": ["partners", "removals"],
    }
    planned_back = run(FEDERATION, shell, True, **given)
    assert sorted((step["cmdlet"], step["identity"]) for step in planned_back.steps or []) == [
        ("New-CsXmppAllowedPartner", GOES),
        ("Remove-CsXmppAllowedPartner", NEW),
        ("Set-CsXmppAllowedPartner", CHANGES),
    ]
    run(FEDERATION, shell, False, **given)
    store = shell.store["CsXmppAllowedPartner"]
    assert sorted(store) == sorted([KEEPS, CHANGES, GOES, "later.test"])
    assert store[CHANGES] == before[CHANGES]
    assert store[GOES]["Description"] == "was"
    assert store[KEEPS]["Description"] == "somebody else's"
    assert not run(FEDERATION, shell, False, **given).changed


def test_an_additional_domain_names_its_partner_too(tmp_path: Path) -> None:
    shell = server()
    converge(shell, tmp_path)
    run(FEDERATION, shell, restore_from="newest", restore_only=["MORE.test."], snapshot_directory=str(tmp_path))
    assert shell.store["CsXmppAllowedPartner"][CHANGES]["Description"] == "was"
    assert NEW in shell.store["CsXmppAllowedPartner"]


def test_without_a_snapshot_or_a_playbook_nothing_is_promised(tmp_path: Path) -> None:
    assert not any("sfb.xmpp.restore" in line for line in converge(server(), None))
    assert not any("ansible-playbook" in line for line in converge(server(playbook=""), tmp_path))


def test_of_very_many_partners_the_commands_name_none(tmp_path: Path) -> None:
    shell = server()
    declared = [{"domain": "p%d.test" % number} for number in range(MOST + 1)]
    done = run(FEDERATION, shell, partners=declared, snapshot_directory=str(tmp_path))
    assert command(done.values["report"], "verify") == {}
    assert set(command(done.values["report"], "restore")) == {"sfb_xmpp_snapshot_file"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"restore_only": ["a.test"]},
            r"sfb_xmpp_for_partner: names partners of a snapshot, but there is no snapshot. Set sfb_xmpp_snapshot_file",
        ),
        ({"restore_from": "newest", "restore_only": ["*"]}, r"sfb_xmpp_for_partner\[0\]"),
    ],
)
def test_what_is_refused(tmp_path: Path, given: dict[str, t.Any], text: str) -> None:
    shell = server()
    converge(shell, tmp_path)
    begin = len(shell.writes())
    with pytest.raises(Refused, match=text):
        run(FEDERATION, shell, snapshot_directory=str(tmp_path), **given)
    assert len(shell.writes()) == begin
