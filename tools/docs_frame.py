# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add the front page, menu and pictures to the generated documentation: ``python -m tools.docs_frame DIRECTORY``.

The index of antsibull-docs stays as a separate page, without its menu.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import yaml

# This comment in a page names a picture, with its description.
PICTURE = r"^\.\. picture (\w+): (.+)$"
DOCSITE = Path(__file__).resolve().parent.parent / "docs" / "docsite"


def _entry(page: str | dict[str, str]) -> str:
    """Return a line of a toctree: a page, with a title if the menu has a shorter title than the page."""
    return "docsite/" + page if isinstance(page, str) else "%s <docsite/%s>" % (page["title"], page["ref"])


def _named(page: str, kind: bool = False) -> str:
    """Return such a line for the page of a module or plugin: its name, with its kind if ``kind`` is true."""
    name, _dash, of_kind = page.rpartition("_")
    return "%s%s <%s>" % (name, " (%s)" % of_kind if kind else "", page)


def menu(pages: Path) -> dict[str, list[str]]:
    """Return the pages by the headings of the menu."""
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    found = {section["title"]: [_entry(page) for page in section["toctree"]] for section in sections}
    names = sorted(path.stem for path in pages.glob("*_*.rst") if path.stem != "environment_variables")
    roles = [name for name in names if name.endswith("_role")]
    modules = [name for name in names if name.endswith("_module")]
    plugins = [name for name in names if name not in roles + modules]
    # The menu has only names, because the titles of these pages are long.
    found["Roles"], found["Modules"] = ([_named(name) for name in kind] for kind in (roles, modules))
    found["Plugins"] = [_named(name, kind=True) for name in plugins]
    found["More"] = ["contents", "environment_variables", "elsewhere"]
    return found


def show_pictures(text: str) -> str:
    """Show the pictures of a page. They are comments in the guides, because docs.ansible.com accepts only text."""
    return re.sub(PICTURE, r".. image:: images/\1.png\n   :alt: \2", text, flags=re.MULTILINE)


def main(pages: Path) -> None:
    """Rewrite the index of a directory of pages."""
    generated = (pages / "index.rst").read_text(encoding="utf-8")
    without_menu = re.sub(r"^\.\. toctree::\n(?:[ \t]+.*\n|\n(?=[ \t]))*", "", generated, flags=re.MULTILINE)
    (pages / "contents.rst").write_text(
        without_menu.replace("Sfb.Xmpp\n========", "Contents\n========"), encoding="utf-8"
    )
    shutil.copy(DOCSITE / "elsewhere.rst", pages)
    for path in (pages / "docsite").glob("guide_*.rst"):
        path.write_text(show_pictures(path.read_text(encoding="utf-8")), encoding="utf-8")
    front = (DOCSITE / "front.rst").read_text(encoding="utf-8").replace("PICTURE", str(DOCSITE / "picture.svg"))
    for title, names in menu(pages).items():
        front += "\n.. toctree::\n   :caption: %s\n   :maxdepth: 1\n\n" % title
        front += "".join("   %s\n" % name for name in names)
    (pages / "index.rst").write_text(front, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
