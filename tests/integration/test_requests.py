# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a run sends to the management host, by the log of the connection."""

from __future__ import annotations

import typing as t

import pytest

from lab.testing import Lab
from tests.integration.plays import Plays

HIDDEN = ("Get-CsServerVersion", "Get-CsAllowedDomain", "Get-CsBlockedDomain", "Get-CsManagementStoreReplicationStatus")
PARTNERS = [{"domain": "litware.example", "tls_negotiation": "required"}]


@pytest.fixture
def plays(fresh_lab: Lab) -> t.Iterator[Plays]:
    runner = Plays(fresh_lab)
    yield runner
    runner.close()


def requests(plays: Plays, hosts: dict[str, t.Any]) -> int:
    """Of a converge in check mode over the management host alone."""
    del hosts["sfb_edge"]
    where = plays.write("requests.yml", {"all": {"vars": {"sfb_xmpp_partners": PARTNERS}, "children": hosts}})
    log = plays.directory / "requests.log"
    log.unlink(missing_ok=True)
    written = {"ANSIBLE_LOG_PATH": str(log), "ANSIBLE_PERSISTENT_LOG_MESSAGES": "true"}
    run = plays.run("sfb.xmpp.converge", "--check", inventory=where, environment=written)
    assert run.tasks, run.output
    return log.read_text(encoding="utf-8").count(" objects in ")


def test_what_an_account_is_not_offered_costs_one_request_more_at_most(plays: Plays) -> None:
    whole = requests(plays, plays.hosts())
    assert 0 < whole < 5
    viewer = plays.hosts()
    password = plays.lab.shape.passwords["viewer"]
    viewer["sfb_management"]["vars"].update(ansible_user="CONTOSO\\viewer", ansible_password=password)
    assert 0 < requests(plays, viewer) <= whole + 1
    plays.lab.store().set_setting("cmdlets_hidden", list(HIDDEN))
    assert 0 < requests(plays, plays.hosts()) <= whole + 1
