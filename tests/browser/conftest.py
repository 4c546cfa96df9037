# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The browser of these tests: one for each file."""

from __future__ import annotations

import typing as t

import pytest

from tests.browser.chromium import PROGRAM, Browser


@pytest.fixture(scope="module")
def browser() -> t.Iterator[Browser]:
    if not PROGRAM:
        pytest.skip("Chromium is not installed (Debian's package chromium)")
    opened = Browser()
    yield opened
    opened.close()
