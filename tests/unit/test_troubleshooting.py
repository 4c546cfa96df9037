# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever searches the page of symptoms for a message finds it: what it quotes is what the collection says."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# What stands for a value in the code, and in a quotation for one of them.
VALUES = {
    "accept the account …": "accept …",
    "refused the account … before": "refused the account '…' before",
    "with kerberos authentication": "with … authentication",
    "kerberos authentication of": "authentication of",
}


def said() -> str:
    """All texts of the code, with one mark for every value in them."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (TOP / "plugins").rglob("*.py"))
    joined = re.sub(r"\"\s*\n\s*\"", "", text)
    return re.sub(r"%[sdr]", "…", joined)


def quoted() -> list[str]:
    page = (TOP / "docs" / "docsite" / "rst" / "guide_troubleshooting.rst").read_text(encoding="utf-8")
    lines = re.findall(r"^   \* - (.*)$", page, re.MULTILINE)
    return [quote for line in lines for quote in re.findall(r"``([^`]+)``", line)]


def test_every_message_that_is_quoted_is_one_of_the_collections() -> None:
    code, quotes = said(), quoted()
    assert len(quotes) > 15
    for quote in quotes:
        for ours, theirs in VALUES.items():
            quote = quote.replace(ours, theirs)
        for piece in filter(None, (piece.strip() for piece in quote.split("…"))):
            assert piece in code, (quote, piece)
