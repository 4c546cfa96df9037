# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guide on the chain says of findings, against what is found: the same ones, in the same order."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_preflight.rst").read_text(encoding="utf-8")
PACKAGES = ROOT / "plugins" / "module_utils"
FILES = ("_topology/chain.py", "_preflight/records.py", "_preflight/tasks.py", "_preflight/edges.py")


def told() -> dict[str, bool]:
    """Code -> whether it is said to stop additions, in the order of the table."""
    section = GUIDE.split("\nThe links, in their order\n")[1].split("\nAfter the writes\n")[0]
    firsts = re.findall(r"^   \* - (``.*)$", section, re.MULTILINE)
    return {code: "stops additions" in line for line in firsts for code in re.findall(r"``(\w+)``", line)}


def found() -> dict[str, bool]:
    """Code -> whether it blocks, in the order in which they stand in the source."""
    codes: dict[str, bool] = {}
    for name in FILES:
        calls = [n for n in ast.walk(ast.parse((PACKAGES / name).read_text("utf-8"))) if isinstance(n, ast.Call)]
        for node in sorted(calls, key=lambda call: call.lineno):
            if isinstance(node.func, ast.Name) and node.func.id == "Obstacle":
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    codes[str(code.value)] = any(keyword.arg == "blocks" for keyword in node.keywords)
    return codes


def test_the_guide_has_the_findings_that_there_are() -> None:
    codes, table = found(), told()
    made = {"gateway_not_installed", "proxy_not_installed", "gateway_stopped", "proxy_stopped"}
    made |= {"partner_allowed", "partner_blocked", "certificate_missing", "certificate_expired"}
    assert {code for code in codes if not code.endswith("_unknown")} | made == set(table)
    assert {code for code in codes if codes[code]} == {code for code, blocks in table.items() if blocks}


def test_the_table_is_in_the_order_of_the_chain() -> None:
    order = [code for code in found() if not code.endswith("_unknown")]
    assert [code for code in told() if code in order] == order
