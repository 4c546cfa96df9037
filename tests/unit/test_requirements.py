# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-test installs is what the requirement files of the checkout ask for, and CI has a job for each core."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools.matrix import CORES

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, LAB, TEST = "requirements/runtime.in", "lab/requirements.txt", "requirements/test.in"
# ansible-test brings these itself.
BROUGHT = ("pytest>=8", "pytest-xdist>=3.5", "pyyaml>=6.0.1")


def wishes(*names: str) -> set[str]:
    lines = [line for name in names for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return {line.partition("  #")[0] for line in lines if line and not line.startswith(("#", "-r"))}


@pytest.mark.parametrize(
    ("of_ansible_test", "of_the_checkout"),
    [
        ("tests/unit/requirements.txt", (RUNTIME, LAB, TEST)),
        ("tests/integration/requirements.txt", (RUNTIME, LAB)),
    ],
)
def test_ansible_test_installs_the_same(of_ansible_test: str, of_the_checkout: tuple[str, ...]) -> None:
    assert wishes(of_ansible_test) == wishes(*of_the_checkout) - set(BROUGHT)


def test_every_core_has_a_job() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"]
    pairs = [(one["core"], one["python"]) for one in jobs["cores"]["strategy"]["matrix"]["include"]]
    assert pairs == [(core.name, core.pythons[0]) for core in CORES]
    rows = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))["cores"]["parallel"]["matrix"]
    found = [(core, row["VERSION"]) for row in rows for core in _listed(row["CORE"])]
    assert found == pairs


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
