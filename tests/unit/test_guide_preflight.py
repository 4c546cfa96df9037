# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guide on the chain says of findings, against what is found: the same ones, in the same order."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import UNKNOWN, WARNING
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.links import LINKS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_preflight.rst").read_text(encoding="utf-8")


def told() -> dict[str, bool]:
    """Code -> whether it is said to stop additions, in the order of the table."""
    section = GUIDE.split("\nAll findings\n")[1].split("\nWait for replication\n")[0]
    firsts = re.findall(r"^   \* - (``.*)$", section, re.MULTILINE)
    return {code: "stops additions" in line for line in firsts for code in re.findall(r"``(\w+)``", line)}


def test_the_guide_has_the_links_that_there_are_in_their_order() -> None:
    assert told() == {link.code: link.stops for link in LINKS if link.severity != UNKNOWN}
    assert list(told()) == [link.code for link in LINKS if link.severity != UNKNOWN]


def test_every_warning_is_called_one() -> None:
    section = GUIDE.split("\nAll findings\n")[1]
    for link in LINKS:
        if link.severity == WARNING:
            assert "``%s`` (warning" % link.code in section, link.code
