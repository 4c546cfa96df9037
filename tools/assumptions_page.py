# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the table of the lab's assumptions into its page of the docs: ``python -m tools.assumptions_page``."""

from __future__ import annotations

from pathlib import Path

from lab.assumptions import ASSUMPTIONS, as_text

PAGE = Path(__file__).resolve().parent.parent / "docs/docsite/rst/lab_assumptions.rst"


def page() -> str:
    """Return the page with the current table. The text above the table is not changed."""
    text = PAGE.read_text(encoding="utf-8")
    first = "\n" + as_text().strip().partition("\n")[0] + "\n"
    if text.count(first) != 1:
        first = "\n%s\n" % next(one.key for one in ASSUMPTIONS if text.count("\n%s\n" % one.key) == 1)
    return text[: text.index(first)] + "\n" + as_text().strip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
