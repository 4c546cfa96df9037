# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation as a site: nothing is cut off on a phone, and it has dark colours."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.browser.chromium import Browser

TOP = Path(__file__).resolve().parents[2]
# What ends behind the right edge, and is in nothing that scrolls.
CUT_OFF = """(() => {
  const width = document.documentElement.clientWidth;
  const right = (e) => e.getBoundingClientRect().right;
  const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX) && right(e) <= width + 1;
  const inside = (e) => e.tagName !== 'BODY' && (scrolls(e) || inside(e.parentElement));
  return [...document.querySelectorAll('[itemprop=articleBody] *')]
    .filter((e) => e.getBoundingClientRect().width && right(e) > width + 1 && !inside(e))
    .map((e) => e.tagName + ' ' + e.textContent.trim().slice(0, 40));
})()"""
BACKGROUND = "getComputedStyle(document.querySelector('.wy-nav-content-wrap')).backgroundColor"


@pytest.fixture(scope="module")
def site() -> Path:
    subprocess.run(["tools/docs.sh"], cwd=TOP, check=True)
    return TOP / "build" / "docs"


def test_no_page_is_cut_off_on_a_phone(browser: Browser, site: Path) -> None:
    browser.size(390, 840, mobile=True)
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 80
    wrong = {}
    for path in pages:
        browser.open(path.as_uri())
        found = browser.evaluate(CUT_OFF)
        too_wide = browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if found or too_wide > 0:
            wrong[path.name] = found or too_wide
    assert not wrong


def test_it_is_dark_for_those_who_prefer_it(browser: Browser, site: Path) -> None:
    browser.open((site / "index.html").as_uri())
    browser.media(prefers_color_scheme="light")
    light = browser.evaluate(BACKGROUND)
    browser.media(prefers_color_scheme="dark")
    dark = browser.evaluate(BACKGROUND)
    assert light == "rgb(252, 252, 252)"
    assert dark == "rgb(22, 25, 29)"
