# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the playbooks, against their descriptions, and these against the playbooks."""

from __future__ import annotations

import pytest
import yaml

from tools import playbook_pages

NAMES = sorted(path.stem for path in (playbook_pages.TOP / "playbooks").glob("*.yml"))
DESCRIBED = playbook_pages.descriptions()


def test_every_playbook_is_described() -> None:
    assert sorted(DESCRIBED) == NAMES


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_the_page_is_what_the_description_gives(name: str) -> None:
    text = (playbook_pages.PAGES / ("playbook_%s.rst" % name)).read_text(encoding="utf-8")
    assert text == playbook_pages.page(name, DESCRIBED[name]), "run: python -m tools.playbook_pages"


@pytest.mark.parametrize("name", DESCRIBED)
def test_variables_are_those_that_the_playbook_reads(name: str) -> None:
    read = playbook_pages.variables(name)
    assert set(DESCRIBED[name]["variables"]) == read


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_tags_are_those_of_the_playbook(name: str) -> None:
    assert set(DESCRIBED[name]["tags"]) == playbook_pages.tags(name)


def test_the_pages_are_in_the_menu() -> None:
    menu = yaml.safe_load((playbook_pages.TOP / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))
    (pages,) = [section["toctree"] for section in menu["sections"] if section["title"] == "Playbooks"]
    assert pages == ["playbook_%s" % name for name in DESCRIBED]
