# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several labs at once: deployments of their own, which neither share nor notice anything of each other."""

from __future__ import annotations

import socket
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement

from lab import process
from lab.testing import Lab, running_labs
from tests.integration.management import Management, target

COUNT = 5


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[list[Lab]]:
    with running_labs(tmp_path_factory.mktemp("labs"), COUNT) as found:
        yield found


def test_each_is_a_deployment_of_its_own(labs: list[Lab]) -> None:
    assert len({lab.port for lab in labs}) == len({lab.xmpp_port for lab in labs}) == COUNT
    for number, lab in enumerate(labs):
        shell = Management(lab, target(lab, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
        try:
            answer = shell.invoke([Statement("New-CsXmppAllowedPartner", {"Identity": "p%d.example" % number})])
        finally:
            shell.session.close()
        assert answer.errors == ()
    assert [list(lab.store().partners()) for lab in labs] == [["p%d.example" % number] for number in range(COUNT)]
    assert all(len([e for e in lab.store().events() if e.kind == "session-open"]) == 1 for lab in labs)


def test_one_may_die_and_come_back_while_the_others_go_on(labs: list[Lab]) -> None:
    victim, *others = labs
    victim.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((victim.addresses["fe01"], victim.port), 5.0)
    assert all(process.find(lab.directory) is not None for lab in others)
    before = victim.port
    victim.start()
    assert victim.port == before
    assert len(victim.store().partners()) == 1
    victim.stop()
    assert process.find(victim.directory) is None


def test_none_is_left_and_nothing_was_complained_about(tmp_path: Path) -> None:
    with running_labs(tmp_path, 2, "lync2013") as found:
        assert all(lab.store().setting("profile") == "lync2013" for lab in found)
    assert all(process.find(lab.directory) is None for lab in found)
    assert "Traceback" not in "".join((lab.directory / "lab.log").read_text() for lab in found)
