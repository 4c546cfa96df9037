# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation shows the lab's assumptions as they are."""

from __future__ import annotations

from pathlib import Path

from lab.assumptions import ASSUMPTIONS, as_text

PAGE = Path(__file__).resolve().parents[3] / "docs/docsite/rst/lab_assumptions.rst"


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith("\n\n" + as_text().strip() + "\n"), "run make generate"


def test_keys_are_unique() -> None:
    assert len({entry.key for entry in ASSUMPTIONS}) == len(ASSUMPTIONS)
