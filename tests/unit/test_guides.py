# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site as a whole: its menu, the one line to install, the one table of ports, and tables that follow from code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import PeerHeader, PeerOffer
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.rows import suggest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.onboarding import PORT
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import SETTINGS

from tests.unit.module_utils.test_probe_findings import OWN, answered
from tests.unit.prose import of_rst, passages
from tools.docs_frame import PICTURE, show_pictures

TOP = Path(__file__).resolve().parents[2]
DOCSITE = TOP / "docs" / "docsite"
PAGES = DOCSITE / "rst"
GROUPS = ["Start", "Daily work", "Certificates", "Troubleshoot and prove", "Reference and internals"]
# A title that is not cut off in the menu at 390 px.
WIDEST = 28


def page(name: str) -> str:
    return (PAGES / ("guide_%s.rst" % name)).read_text(encoding="utf-8")


def table(text: str, title: str) -> list[list[str]]:
    """The rows of the first table below a heading, without the row of its headings."""
    section = text.split("\n%s\n%s" % (title, title[0] and "-" * len(title)))[1].split("\n---")[0]
    found: list[list[str]] = []
    first = section.split(".. list-table::")[1]
    body = ".. list-table::" + re.split(r"\n(?=\S)", first)[0] + "\n"
    width = len(re.search(r":widths: (.*)", body)[1].split())  # type: ignore[index]
    cells = [one.text for one in of_rst(body) if one.kind == "cell"]
    for start in range(width, len(cells), width):
        found.append(cells[start : start + width])
    return found


# The menu


def menu() -> dict[str, list[tuple[str, str]]]:
    """Page and title of each entry, by the heading of its group."""
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text("utf-8"))["sections"]
    found: dict[str, list[tuple[str, str]]] = {}
    for section in sections:
        for one in section["toctree"]:
            name = one if isinstance(one, str) else one["ref"]
            title = passages(PAGES / (name + ".rst"))[0].text if isinstance(one, str) else one["title"]
            found.setdefault(section["title"], []).append((name, title))
    return found


def test_the_guides_stand_in_five_groups_each_once() -> None:
    groups = menu()
    assert list(groups) == [*GROUPS, "Playbooks"]
    listed = [name for entries in groups.values() for name, _title in entries]
    assert sorted(listed) == sorted(path.stem for path in PAGES.glob("*.rst"))


@pytest.mark.parametrize("group", GROUPS)
def test_titles_of_the_menu_are_short(group: str) -> None:
    assert [title for _name, title in menu()[group] if len(title) > WIDEST] == []


def test_the_readme_lists_the_guides_in_the_same_groups() -> None:
    readme = (TOP / "README.md").read_text("utf-8")
    found = {
        group: re.findall(r"docs/docsite/rst/(guide_\w+)\.rst", line)
        for group, line in re.findall(r"^- \*\*([^*]+)\*\*: (\[.*)$", readme, re.MULTILINE)
    }
    assert found == {
        group: [name for name, _title in entries if name.startswith("guide_")]
        for group, entries in menu().items()
        if group in GROUPS
    }


def test_pictures_are_comments_until_the_site_is_made() -> None:
    named = []
    for path in PAGES.glob("*.rst"):
        text = path.read_text("utf-8")
        assert not re.search(r"^ *\.\. (?:image|figure)::", text, re.MULTILINE), path.name
        named += [name for name, _text in re.findall(PICTURE, text, re.MULTILINE)]
        assert show_pictures(text).count(".. image::") == text.count("\n.. picture ")
    assert sorted(named) == sorted(path.stem for path in (PAGES / "images").glob("*"))


# Installing


def test_the_line_that_installs_is_one_and_the_same() -> None:
    texts = {path.name: path.read_text("utf-8") for path in [TOP / "README.md", *PAGES.glob("*.rst")]}
    lines = {
        (name, line.strip()) for name, text in texts.items() for line in text.splitlines() if "collection build" in line
    }
    assert {name for name, _line in lines} == {"README.md", "guide_quickstart.rst"}
    ((line),) = {line for _name, line in lines}
    for file in re.findall(r"-r (\S+)", line):
        assert (TOP / file).is_file()


# Ports


def test_the_table_of_ports_has_those_of_the_product_and_of_the_collection() -> None:
    cells = [one.text for one in of_rst(page("network")) if one.kind == "cell"]
    rows = [cells[start : start + 4] for start in range(4, len(cells), 4)]
    ports = {number for row in rows for number in re.findall(r"\b\d{2,5}\b", row[2])}
    assert ports == {"443", "5986", "88", "53", str(PORT), "23456", "4443", "80"}
    ends = {(row[0].partition(",")[0], row[1].partition(",")[0], row[2]) for row in rows}
    assert len(ends) == len(rows)
    for both in (("Edge", "Partners"), ("Partners", "Public address of each Edge")):
        assert (*both, "TCP %d" % PORT) in ends


@pytest.mark.parametrize("name", ["quickstart", "preflight", "failover", "troubleshooting"])
def test_pages_that_need_ports_lead_to_the_table(name: str) -> None:
    assert "docsite.guide_network" in page(name)


# What a partner's server offers


# In the order of the rows.
SERVERS = [
    answered(**OWN),
    answered(header=PeerHeader("x", "1.0", False), after=PeerOffer("", ("EXTERNAL",), False)),
    answered(**OWN, faults={"client_auth": "x"}),
    answered(starttls=""),
    answered(tls="TLSv1.3"),
    answered(starttls="required", tls="TLSv1.3"),
]


def test_the_table_of_settings_is_what_the_probe_suggests() -> None:
    rows = table(page("verify"), "Choose the settings of a partner")
    assert len(rows) == len(SERVERS)
    for (text, *cells), facts in zip(rows, SERVERS, strict=True):
        tls, sasl, dialback = (cell.strip("`") for cell in cells)
        row = suggest(facts)
        told = None if tls == "none" else Row(tls, sasl, dialback == "true")
        assert told == row, text


# Files for the variables


def test_variables_of_the_command_line_are_those_that_decide_about_one_run() -> None:
    (cell,) = (
        row[1] for row in table(page("inventory"), "Files for the variables") if "command line" in row[0].lower()
    )
    named = re.findall(r"``(sfb_xmpp_\w+)``", cell)
    once = {one.name for one in SETTINGS if one.once}
    starts = tuple(name for name in named if name.endswith("_"))
    assert {name for name in once if not name.startswith(starts)} == set(named) - set(starts)
    assert all(any(name.startswith(start) for name in once) for start in starts)
    assert not [one.name for one in SETTINGS if not one.once and one.name.startswith(starts)]


# The state of the product


def test_every_fact_of_the_page_on_the_product_has_a_source_or_is_marked() -> None:
    text = page("product")
    titles = ("Support of the product", "Coexistence with Subscription Edition", "Certificates of public CAs")
    for title in (*titles, "TLS versions"):
        for row in table(text, title):
            source = row[-1]
            assert (
                re.search(r"https://|Ballot SC-081v3|^The same (page|announcement)$|^not found$", source)
                or "not found" in row
            ), row
