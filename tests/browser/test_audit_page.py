# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit.html with a thousand partners in a real browser: nothing leaves it, and it can be used on a phone, by keyboard,
on paper, and without its script.
"""

from __future__ import annotations

import functools
import http.server
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_page import render

from tests.browser.chromium import Browser
from tests.unit.plugin_utils.audit_sample import sample

ROWS = "[...document.querySelectorAll('#partner-table tbody tr[id]')]"
SHOWN = ROWS + ".filter((row) => row.offsetParent !== null || row.getClientRects().length > 0)"
FIRST = SHOWN + "[0].cells[0].textContent"
# The element that has the focus, in words.
FOCUS = "((e) => `${e.tagName} ${e.type || ''} ${e.textContent.trim().slice(0, 24)}`)(document.activeElement)"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pages")
    before = sample(1000, seed=2)
    for name, audit in (
        ("thousand", sample(1000, previous=before)),
        ("few", sample(20, previous=sample(20, seed=2))),
        ("none", sample(0)),
        ("hostile", sample(5, hostile=True, previous=sample(4, seed=2, hostile=True))),
    ):
        (directory / (name + ".html")).write_text(render(audit), encoding="utf-8")
    assert (directory / "thousand.html").stat().st_size < 2_000_000
    return directory


@pytest.fixture
def opened(browser: Browser, pages: Path) -> Browser:
    """The page with a thousand partners, on a wide screen."""
    browser.size(1200, 900)
    browser.media()
    browser.open((pages / "thousand.html").as_uri())
    return browser


class Log(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps what was asked for."""

    asked: t.ClassVar[list[str]] = []

    def log_message(self, format: str, *args: t.Any) -> None:
        self.asked.append(str(args[0]))


@pytest.mark.parametrize("name", ["thousand", "few", "none", "hostile"])
def test_nothing_leaves_the_page_and_the_console_is_empty(browser: Browser, pages: Path, name: str) -> None:
    """Served, so that the browser would ask for whatever it wants, an icon included."""
    Log.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Log, directory=str(pages))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = "http://127.0.0.1:%d/%s.html" % (server.server_port, name)
        browser.events.clear()
        browser.open(address)
        browser.evaluate("new Promise((done) => setTimeout(done, 300))")
        server.shutdown()
    assert browser.requests() == [address]
    assert ["GET /%s.html HTTP/1.1" % name] == Log.asked
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelectorAll('script').length") == 1


def test_its_policy_stops_what_would_be_added(opened: Browser) -> None:
    """The test of the test: a script, a style and a picture from outside are refused, and the console says so."""
    opened.events.clear()
    opened.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x.png\">')")
    opened.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.x = 1'}))"
    )
    opened.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert opened.evaluate("window.x") is None
    assert len(opened.complaints()) >= 2


@pytest.mark.parametrize("name", ["thousand", "few", "none", "hostile"])
@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_it_is_never_wider_than_the_screen(browser: Browser, pages: Path, name: str, width: int) -> None:
    browser.size(width, 800, 2, mobile=width < 768)
    browser.open((pages / (name + ".html")).as_uri())
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("innerWidth") == width
    drawn = "[...document.querySelectorAll('svg[role=img]')].filter((one) => one.getClientRects().length)"
    assert browser.evaluate(drawn + ".length") == 2
    assert browser.evaluate(drawn + ".every((one) => one.getBoundingClientRect().right <= innerWidth)")


def test_texts_on_a_phone_are_large_enough(browser: Browser, pages: Path) -> None:
    """12 pixels at least, those of drawings included; what can be pressed is 24 pixels high (WCAG 2.2, 2.5.8)."""
    browser.size(360, 800, 2, mobile=True)
    browser.open((pages / "thousand.html").as_uri())
    scale = "(one.ownerSVGElement ? one.getScreenCTM().a : 1)"
    sizes = (
        "Math.min(...[...document.querySelectorAll('body *')].filter((one) => one.getClientRects().length && "
        "[...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((one) => "
        "parseFloat(getComputedStyle(one).fontSize) * %s))" % scale
    )
    assert browser.evaluate(sizes) >= 12
    pressed = "[...document.querySelectorAll('button, input, select, summary, nav a')]"
    heights = pressed + ".map((one) => one.getBoundingClientRect().height).filter((height) => height > 0)"
    assert min(browser.evaluate(heights)) >= 24


def test_search_and_filters_narrow_the_table(opened: Browser) -> None:
    status = "document.getElementById('partner-status').textContent"
    assert opened.evaluate(status) == "1,000 of 1,000 partners"
    opened.evaluate("document.querySelector('input[type=search]').focus()")
    opened.type("Fabrikam  bank")
    names = opened.evaluate(SHOWN + ".map((row) => row.cells[0].textContent)")
    assert 0 < len(names) < 20
    assert all("fabrikam" in name and "bank" in name for name in names)
    assert opened.evaluate(status) == "%d of 1,000 partners" % len(names)
    opened.evaluate("document.querySelector('input[type=search]').value = ''")
    chosen = "((s) => { s.value = 'failed'; s.dispatchEvent(new Event('input', {bubbles: true})); })(%s)"
    opened.evaluate(chosen % "document.querySelector('select')")
    assert opened.evaluate(SHOWN + ".every((row) => row.dataset.v === 'failed')")
    groups = "[...document.querySelectorAll('.group')].filter((row) => row.getClientRects().length).length"
    assert opened.evaluate(groups) == 1
    # A link to a partner that is filtered out shows it.
    hidden = opened.evaluate(ROWS + ".find((row) => row.hidden).id")
    opened.evaluate("location.hash = '%s'" % hidden)
    opened.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert opened.evaluate("document.getElementById('%s').getClientRects().length" % hidden) == 1


def test_everything_works_by_keyboard_alone(opened: Browser) -> None:
    seen = []
    for _turn in range(200):
        opened.press("Tab")
        seen.append(opened.evaluate(FOCUS))
        assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", seen[-1]
        if "Findings" in seen[-1] and "BUTTON" in seen[-1]:
            break
    assert seen[0].startswith("A ")
    assert "Skip" in seen[0]
    wanted = ["INPUT search ", "SELECT select-one", *("BUTTON button " + name for name in ("Partner", "State", "Cert"))]
    found = [next(place for place, text in enumerate(seen) if text.startswith(word)) for word in wanted]
    assert found == sorted(found)
    # Back to the partner's button: Enter sorts, Enter again the other way, Space as well.
    while not opened.evaluate(FOCUS).startswith("BUTTON button Partner"):
        opened.press("Tab", shift=True)
    sorted_by = "document.activeElement.closest('th').getAttribute('aria-sort')"
    names = []
    for key, direction in (("Enter", "ascending"), ("Enter", "descending"), ("Space", "ascending")):
        opened.press(key)
        assert opened.evaluate(sorted_by) == direction
        assert opened.evaluate("document.querySelectorAll('th[aria-sort]').length") == 1
        names.append(opened.evaluate(FIRST))
    assert names[0] == names[2] == opened.evaluate(ROWS + ".map((row) => row.cells[0].textContent).sort()[0]")
    assert names[1] > names[0]
    # By state: the groups are back.
    opened.press("Tab")
    opened.press("Enter")
    assert opened.evaluate("document.querySelectorAll('.group').length") > 1
    assert opened.evaluate(SHOWN + "[0].dataset.v") == "failed"
    assert opened.evaluate(ROWS + ".length") == 1000


def test_certificates_sort_by_their_end_and_unknown_ones_are_last(opened: Browser) -> None:
    opened.evaluate("document.querySelectorAll('#partner-table thead button')[4].click()")
    days = opened.evaluate(SHOWN + ".map((row) => row.cells[4].dataset.k)")
    known = [day for day in days if day]
    assert known == sorted(known)
    assert days == known + [""] * (len(days) - len(known))
    assert len(known) < len(days) == 1000


def test_a_screen_reader_hears_a_table(opened: Browser) -> None:
    """By the browser's own tree of accessibility, on a phone too, where rows are laid out as cards."""
    for width in (1200, 360):
        opened.size(width, 800)
        nodes = opened.send("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
        for role in ("banner", "navigation", "main", "contentinfo", "search", "status", "table", "searchbox"):
            assert role in roles, role
        assert roles.count("columnheader") >= 6
        assert roles.count("rowheader") >= 1000
        images = [node for node in nodes if node.get("role", {}).get("value") == "image"]
        names = [node.get("name", {}).get("value", "") for node in images]
        assert any("own domains" in name for name in names)
        unnamed = [
            node["role"]["value"]
            for node in nodes
            if node.get("role", {}).get("value") in ("button", "searchbox", "combobox", "link", "table")
            and not node.get("name", {}).get("value")
        ]
        assert unnamed == []


def test_without_its_script_it_is_complete(browser: Browser, pages: Path) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.size(1200, 900)
        browser.open((pages / "thousand.html").as_uri())
        document = browser.send("DOM.getDocument", depth=0)["root"]["nodeId"]
        rows = browser.send("DOM.querySelectorAll", nodeId=document, selector="#partner-table tbody tr[id]")["nodeIds"]
        assert len(rows) == 1000
        looked_for = {"#partner-filter": False, "#partner-table thead button": False, "#partner-table": True}
        for selector, seen in looked_for.items():
            node = browser.send("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
            if not seen and not node:
                continue
            try:
                browser.send("DOM.getBoxModel", nodeId=node)
            except RuntimeError:
                assert not seen, selector
            else:
                assert seen, selector
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_paper_shows_everything_but_the_controls(browser: Browser, pages: Path) -> None:
    browser.size(1200, 900)
    browser.open((pages / "few.html").as_uri())
    browser.media("print", prefers_color_scheme="dark")
    gone = "[...document.querySelectorAll('nav, form, #partner-status')].filter((one) => one.getClientRects().length)"
    assert browser.evaluate(gone + ".length") == 0
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    browser.media()
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert browser.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    browser.evaluate("dispatchEvent(new Event('afterprint'))")
    printed = browser.pdf()
    assert printed.startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_scheme_of_the_reader(opened: Browser, scheme: str) -> None:
    opened.media(prefers_color_scheme=scheme)
    red = opened.evaluate("parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    assert (red > 200) == (scheme == "light")
