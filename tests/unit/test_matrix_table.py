# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of ansible-cores in the README is what the run wrote, between its marks, and nothing else is touched."""

from __future__ import annotations

import datetime

import pytest

from tools.matrix import BEGIN, CORES, END, README, write_into

DAY = datetime.date(2026, 11, 25)


def test_only_the_table_is_replaced() -> None:
    page = "above\n%sold\n%sbelow\n" % (BEGIN, END)
    once = write_into(page, "| new |\n", DAY)
    assert once == "above\n%s\nRun on 2026-11-25:\n\n| new |\n\n%sbelow\n" % (BEGIN, END)
    assert write_into(once, "| new |\n", DAY) == once


@pytest.mark.parametrize("page", ["nothing\n", "only %s" % BEGIN, "only %s" % END])
def test_a_page_without_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="marks"):
        write_into(page, "| new |\n", DAY)


def test_the_readme_has_a_row_for_each_core() -> None:
    _before, _begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    rows = [line for line in rest.partition(END)[0].splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(CORES)
