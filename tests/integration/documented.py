# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples that stand in the README, the guides, the pages of playbooks, and the roles' READMEs."""

from __future__ import annotations

import functools
import re
import textwrap
import typing as t
from dataclasses import dataclass

import yaml

from tests.integration.plays import CHECKOUT

PAGES = (
    CHECKOUT / "README.md",
    *sorted(CHECKOUT.glob("docs/docsite/rst/*.rst")),
    *sorted(CHECKOUT.glob("roles/*/*.md")),
)
_FORMS = {
    ".rst": r"^( *)\.\. code-block:: (\S+)\n\n((?:\1 +.*\n|\n)+)",
    ".md": r"^( *)```(\S+)\n((?:.*\n)+?)\1```$",
}


@dataclass(frozen=True)
class Block:
    """page: without its ending; of a README of a role, the role's name."""

    page: str
    language: str
    text: str

    @property
    def content(self) -> t.Any:
        """Of YAML, also of several documents that stand one below the other."""
        return yaml.safe_load(self.text)

    @property
    def name(self) -> str:
        """The page and the first line that is no comment."""
        first = next(line for line in self.text.splitlines() if line.strip() and not line.startswith("#"))
        return "%s: %s" % (self.page, first.strip())


@functools.cache
def blocks() -> tuple[Block, ...]:
    found = []
    for path in PAGES:
        page = path.parent.name if path.parent.parent.name == "roles" else path.stem
        text = path.read_text(encoding="utf-8")
        for _indent, language, code in re.findall(_FORMS[path.suffix], text, re.MULTILINE):
            found.append(Block(page, language, textwrap.dedent(code).strip() + "\n"))
    return tuple(found)


def commands() -> list[str]:
    """Every command line once, in the order of the pages, without the comment behind it."""
    found: dict[str, None] = {}
    for block in blocks():
        if block.language != "console":
            continue
        for line in re.sub(r"\\\n *", "", block.text).splitlines():
            if line.startswith("$ "):
                found[re.sub(r" +# .*", "", line[2:]).replace("-i INVENTORY", "-i inventory").strip()] = None
    return list(found)


def values(kind: type) -> list[Block]:
    """The blocks of YAML that are a dictionary, or a list."""
    return [block for block in blocks() if block.language == "yaml" and isinstance(block.content, kind)]
