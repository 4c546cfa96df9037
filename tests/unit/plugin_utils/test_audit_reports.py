# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each format of an audit: it says all that it should, and no value in it becomes part of the format."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import one_line
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import (
    audit_files as files,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import (
    audit_junit,
    markdown,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import (
    audit_page as page,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import Audit
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_texts import counted
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.characters import clean
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.junit import Case, junit

from tests.unit.plugin_utils.audit_sample import HOSTILE, sample

HOSTILE_AUDIT = sample(5, hostile=True, previous=sample(4, seed=2, hostile=True))
STYLE = (Path(page.__file__).parent / "page.css").read_text(encoding="utf-8")


def visible(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", ["audit.json", "audit.md", "audit.html", "audit.xml"])
def test_each_format_names_just_the_objects_that_are_not_as_declared(name: str) -> None:
    audit = sample(60)
    drifted = {one["object"] for one in audit["findings"] if one["area"] == "drift"}
    assert len(drifted) == 7
    text = files.render(audit)[name]
    assert all(domain in text.replace("<wbr>", "") for domain in drifted)
    failing = {"audit.xml": r'classname="sfb.xmpp.audit.drift" name="([^"]*)"', "audit.md": r"\| Drift \| `([^`]*)`"}
    if name in failing:
        assert set(re.findall(failing[name], text)) == drifted


# JUnit


def cases(text: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter("testcase"))


def test_every_object_is_a_test_case_and_ci_agrees_with_the_exit_status() -> None:
    audit = sample(300)
    for fail_on in ("error", "unknown", "warning", "never"):
        found = cases(audit_junit.render(audit, fail_on))
        top = ET.fromstring(audit_junit.render(audit, fail_on))
        names = {(one.get("classname"), one.get("name")) for one in found}
        assert len(names) == len(found) == int(top.get("tests", 0))
        assert {one["domain"] for one in audit["partners"]} <= {name for _first, name in names}
        bad = [one for one in found if one.find("failure") is not None or one.find("error") is not None]
        assert len(bad) == int(top.get("failures", 0)) + int(top.get("errors", 0))
        assert bool(bad) == (fail_on != "never")


def test_what_could_not_be_seen_never_passes() -> None:
    audit = sample(300)
    unseen = {one["domain"] for one in audit["partners"] if one["verdict"] == "not_observable"}
    assert unseen
    for fail_on, outcome in (("error", "skipped"), ("unknown", "error")):
        found = {one.get("name"): one for one in cases(audit_junit.render(audit, fail_on))}
        assert all(found[name].find(outcome) is not None for name in unseen)
    audit["partners"][0]["verdict"] = "not_probed"
    name = audit["partners"][0]["domain"]
    partners = [one for one in cases(audit_junit.render(audit)) if one.get("classname") == "sfb.xmpp.audit.partner"]
    (one,) = [one for one in partners if one.get("name") == name]
    assert one.find("skipped") is not None


def test_hostile_texts_stay_texts_in_xml() -> None:
    names = [one.get("name") for one in cases(audit_junit.render(HOSTILE_AUDIT))]
    for text in HOSTILE:
        # Attributes keep line feeds as character references; what XML has no form for is replaced.
        assert clean(text) in names


def test_a_case_has_one_outcome_and_suites_count_their_own() -> None:
    text = junit("x", "2026-11-24T06:00:00Z", [Case("a", "1", ["f"], ["e"], ["s"], ["o"], 1.5), Case("b", "2")])
    top = ET.fromstring(text)
    assert (top.get("tests"), top.get("failures"), top.get("errors"), top.get("skipped")) == ("2", "1", "0", "0")
    first, second = top.findall("testsuite")
    assert (first.get("time"), second.get("failures")) == ("1.500", "0")
    assert [child.tag for child in first[0]] == ["failure", "system-out"]
    assert first[0][0].text == "f\ne\ns"


# Markdown


def test_hostile_texts_stay_texts_in_markdown() -> None:
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for text in (*HOSTILE, "``", "`", "a``b`", r"\|", "|", "![x](y)", "~~x~~", "<b>", "&amp;", "__x__", "a_b_c"):
        source = markdown.table(["A", "B", "C"], [[markdown.text(text), markdown.code(text), "end"]])
        tokens = parser.parse(source)
        cells = [token.children for token in tokens if token.type == "inline"][3:]
        assert len(cells) == 3, source
        plain, code, end = cells
        wanted = visible(one_line(text))
        assert {token.type for token in plain} <= {"text", "text_special"}, (text, plain)
        assert "".join(token.content for token in plain) == wanted
        assert [token.type for token in code] == ["code_inline"]
        assert code[0].content == wanted
        assert end[0].content == "end"


def test_a_long_audit_stays_a_ticket() -> None:
    text = files.render(sample(1000))["audit.md"]
    assert len(text) < 60_000  # GitHub takes 65,536 characters
    assert re.search(r"^\d+ more rows are in audit.html and audit.json\.$", text, re.M)


# Prometheus

_LABEL = r'([a-z_]+)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
_SAMPLE = re.compile(r"([a-z_]+)\{(%s(?:,%s)*)\} (-?[0-9.e+]+)\Z" % (_LABEL, _LABEL))

_UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """A strict reader of the text format: every line is a sample after the HELP and TYPE of its metric, or those."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    current, told = "", set()
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            assert current not in told
            told.add(current)
        elif line.startswith("# TYPE "):
            assert line == "# TYPE %s gauge" % current
        else:
            match = _SAMPLE.match(line)
            assert match, line
            assert match[1] == current
            labels = frozenset(
                (name, re.sub(r'\\[\\"n]', lambda found: _UNESCAPED[found[0]], value))
                for name, value in re.findall(_LABEL, match[2])
            )
            assert (current, labels) not in found
            found[(current, labels)] = float(match.groups()[-1])
    return found


def test_monitoring_gets_every_number_once() -> None:
    audit = sample(500)
    found = samples(files.render(audit)["audit.prom"])

    def total(metric: str, **labels: str) -> float:
        return sum(value for (name, has), value in found.items() if name == metric and set(labels.items()) <= has)

    for severity, number in audit["summary"]["findings"].items():
        assert total("sfb_xmpp_audit_findings", severity=severity) == number
    for verdict, number in audit["summary"]["partners"].items():
        assert total("sfb_xmpp_partners", verdict=verdict) == number
    assert total("sfb_xmpp_drift_objects") == audit["summary"]["drift"] == 7
    assert total("sfb_xmpp_certificate_days_left", host="edge02.contoso.com", usage="XmppServer") == 19
    assert total("sfb_xmpp_audit_timestamp_seconds") == 1795500000


def test_hostile_texts_stay_labels() -> None:
    found = samples(files.render(HOSTILE_AUDIT)["audit.prom"])
    assert {dict(labels)["deployment"] for _first, labels in found} == {HOSTILE_AUDIT["deployment"]}


# HTML

VOID = {"meta", "link", "input", "br", "wbr"}


class Page(html.parser.HTMLParser):
    """A page as its elements; fails where they are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("audit", [sample(0), sample(3), sample(60), HOSTILE_AUDIT], ids=["0", "3", "60", "hostile"])
def test_nothing_in_the_page_leads_out_of_it(audit: Audit) -> None:
    found = Page(page.render(audit))
    for tag, attributes in found.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("style", "src", "srcset", "action", "formaction"), (tag, name)
            if name in ("href", "xlink:href"):
                assert value.startswith(("#", "data:image/svg+xml,")), (tag, value)
    assert len(found.all("script")) == len(found.all("style")) == 1
    assert not {tag for tag, _rest in found.elements} & {
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "image",
        "foreignobject",
    }
    ids = [attributes["id"] for _first, attributes in found.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {one["href"][1:] for one in found.all("a") + found.all("use")} <= set(ids)


def test_the_policy_allows_just_what_is_in_the_page() -> None:
    found = Page(page.render(HOSTILE_AUDIT))
    (policy,) = [one["content"] for one in found.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256("".join(found.texts[tag]).encode()).digest()).decode()
        assert "%s-src 'sha256-%s'" % (tag, digest) in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_hostile_texts_are_seen_as_they_are() -> None:
    found = Page(page.render(HOSTILE_AUDIT))
    told = visible("".join(text for texts in found.texts.values() for text in texts))
    for text in HOSTILE:
        assert visible(clean(text)) in told, text


def test_a_thousand_partners_fit() -> None:
    text = page.render(sample(1000, previous=sample(1000, seed=2)))
    assert len(text.encode()) < 2_000_000
    found = Page(text)
    rows = [one for one in found.all("tr") if one.get("id", "").startswith("p")]
    assert len(rows) == 1000
    # Both drawings have a mark for each partner.
    assert sum(one["href"].startswith("#m-") for one in found.all("use")) > 2000


def test_headings_and_landmarks_are_in_order() -> None:
    found = Page(page.render(sample(60)))
    levels = [int(tag[1]) for tag, _rest in found.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    landmarks = ["header", "nav", "main", "footer"]
    assert [tag for tag, _rest in found.elements if tag in landmarks] == landmarks
    ids = {attributes["id"] for _first, attributes in found.elements if "id" in attributes}
    assert {one["aria-labelledby"] for one in found.all("section")} <= ids
    assert all(one.get("aria-label") for one in found.all("svg") if one.get("role") == "img")
    assert all(one.get("role") == "img" or one.get("aria-hidden") for one in found.all("svg"))


# Colours


def colours(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6}|#[0-9a-f]{3})\b", text))


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palettes() -> dict[str, dict[str, str]]:
    light, dark, printed = re.findall(r":root \{(.*?)\}", STYLE, re.S)
    return {"light": colours(light), "dark": colours(dark), "print": colours(printed)}


@pytest.mark.parametrize("name", ["light", "dark", "print"])
def test_every_text_can_be_told_from_its_ground(name: str) -> None:
    """WCAG 2.2 level AA: 4.5 for text, 3 for what else carries meaning."""
    found = palettes()[name]
    assert set(found) == set(palettes()["light"])
    for text in ("ink", "quiet", "accent", "ok", "warning", "failed", "unknown"):
        for ground in ("page", "card", "well"):
            assert contrast(found[text], found[ground]) >= 4.5, (text, ground)
    for state in ("ok", "warning", "failed", "unknown"):
        for text in ("ink", state):
            assert contrast(found[text], found[state + "-soft"]) >= 4.5, (text, state)


def test_numbers_have_their_nouns() -> None:
    assert [counted(n, "day") for n in (0, 1, 1000)] == ["0 days", "1 day", "1,000 days"]
    assert counted(2, "query", "queries") == "2 queries"
