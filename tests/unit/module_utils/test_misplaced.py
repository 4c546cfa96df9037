# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host in the wrong group is named as what it is, after a task has failed."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import KNOWN
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.misplaced import misplaced

from tests.unit.module_utils.memory_shell import MemoryShell

STORE = {name for name in KNOWN if "Xmpp" in name or "Policy" in name}
LOCAL = {name for name in KNOWN if name in ("Get-CsCertificate", "Get-CsWindowsService")}


class Server(MemoryShell):
    """offered: its cmdlets. services: the display names of its Windows services."""

    def __init__(self, offered: set[str], *services: str) -> None:
        super().__init__()
        self.hidden = set(KNOWN) - offered
        self.services = services

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        if statements[0].cmdlet == "Get-CsWindowsService":
            return Answer(tuple({"Name": one, "DisplayName": one, "Status": "Running"} for one in self.services))
        return super().invoke(statements)


FRONT_END = ("Skype for Business Server Front-End", "Skype for Business Server XMPP Translating Gateway")
ACCESS_EDGE = ("Skype for Business Server Access Edge", "Skype for Business Server XMPP Translating Gateway Proxy")


@pytest.mark.parametrize(
    ("group", "server", "expected"),
    [
        ("sfb_edge", Server(STORE), "the remote shell of a Front End. Move it to sfb_management"),
        ("sfb_edge", Server(STORE | LOCAL, *FRONT_END), "a Front End server. Move it to sfb_front_end"),
        ("sfb_edge", Server(LOCAL, *ACCESS_EDGE), ""),
        ("sfb_management", Server(set()), "has no cmdlet of Lync or Skype for Business"),
        ("sfb_management", Server(LOCAL, *ACCESS_EDGE), "is an Edge server. Move it to sfb_edge"),
        ("sfb_management", Server(STORE | LOCAL, *FRONT_END), ""),
        ("sfb_front_end", Server(set()), ""),
    ],
)
def test_a_host_is_named_as_what_it_is(group: str, server: Server, expected: str) -> None:
    found = misplaced(server, {group})
    assert expected in found
    assert bool(found) is bool(expected)
    assert server.writes() == []
