# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A year of one deployment in some minutes: the lab, the partner and Ansible live at a date that moves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.moved_clock import moved_clock
from tests.integration.plays import CHECKOUT

STORY = "tests/integration/year_story.py"


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("gcc") is None, reason="a year is NOT tested: gcc is missing")
def test_a_year(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "year"), STORY],
        cwd=CHECKOUT,
        env={**os.environ, **moved_clock(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-8000:]
    assert "1 passed" in told.stdout
