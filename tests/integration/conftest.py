# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab of its own for every worker; every test that asks for one of its sessions starts on a fresh deployment."""

from __future__ import annotations

import typing as t

import pytest

from lab.testing import Lab, running_lab
from tests.integration.management import Management, renewed, target
from tests.integration.plays import Plays


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """A running lab with the profile sfb2015. Its state is whatever earlier tests left."""
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def lync(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """A lab of the other release, in the same way."""
    with running_lab(tmp_path_factory.mktemp("lync"), profile="lync2013") as running:
        yield running


@pytest.fixture
def fresh_lab(lab: Lab) -> Lab:
    """The same lab as if it had just been installed."""
    return renewed(lab)


@pytest.fixture
def management(fresh_lab: Lab) -> t.Iterator[Management]:
    """The administrator's session on the management host of a fresh lab."""
    shell = Management(fresh_lab, target(fresh_lab, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
    yield shell
    shell.session.close()


@pytest.fixture
def plays(fresh_lab: Lab) -> t.Iterator[Plays]:
    """Real Ansible runs against a fresh lab."""
    runner = Plays(fresh_lab)
    yield runner
    runner.close()
