# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs that the guide on security shows, and the roles of the lab's accounts, against what the code needs."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.duties import AT_DOORS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import POOL, SERVICE, STATUS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.sip_domains import SIP_DOMAIN
from ansible_collections.sfb.xmpp.plugins.module_utils._server.duties import CERTIFICATE, ON_EDGES
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import roles_with
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.access import LINKS

from lab.deployment import hosts

DOCS = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
SECURITY = (DOCS / "guide_security.rst").read_text(encoding="utf-8")
SECTION = SECURITY.split("\nSeparate accounts for separate jobs\n")[1].split("\nConnections to the servers\n")[0]
AT_DOOR = {duty.name: set(duty.cmdlets) for duty in AT_DOORS}
NEEDED = {**AT_DOOR, CERTIFICATE: {name for duty in ON_EDGES for name in duty.cmdlets}}


def test_the_guide_shows_three_jobs_with_what_each_needs() -> None:
    table = SECTION.split("* - Job")[1].split("\n\n")[0]
    rows = re.split(r"^   \* - ``(\w+)``$", table, flags=re.MULTILINE)[1:]
    told = {name: set(re.findall(r"``(\w+-Cs\w+)``", text)) for name, text in zip(rows[::2], rows[1::2], strict=True)}
    assert list(told) == ["grants", "partners", "certificate"]
    assert told == {name: NEEDED[name] for name in told}
    assert roles_with(AT_DOOR["grants"])[0] == "CsUserAdministrator"


def test_the_roles_that_the_guide_makes_have_what_partners_and_everything_need() -> None:
    commands = re.findall(r"New-CsAdminRole -Identity (\w+) -Template \w+ (.*?)\n\n", SECTION, re.DOTALL)
    made = {name: set(re.findall(r'"(\w+-\w+)"', command)) for name, command in commands}
    assert made == {
        "XmppPartners": AT_DOOR["partners"],
        "XmppFederation": {SERVICE, STATUS, POOL, SIP_DOMAIN}.union(*AT_DOOR.values()),
    }


def test_the_accounts_of_the_lab_are_offered_what_their_job_needs_and_nothing_else() -> None:
    assert set(hosts.ROLES[hosts.GRANTER]) == AT_DOOR["grants"]
    assert set(hosts.ROLES[hosts.PARTNERS]) == AT_DOOR["partners"]


def test_the_guide_on_the_first_day_has_the_links_in_their_order() -> None:
    text = (DOCS / "guide_preflight.rst").read_text(encoding="utf-8")
    table = (
        text.split("\nCheck the access to the servers\n")[1].split("* - Link")[1].split("\nCheck the requirements\n")[0]
    )
    assert tuple(re.findall(r"^   \* - ``(\w+)``$", table, re.MULTILINE)) == LINKS
