# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use of partners, from a table of the Monitoring database: every form that it may have, and every mistake."""

from __future__ import annotations

import re
import sqlite3
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.import_records import UnreadableSource
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.usage import DomainUse, read_usage
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import usage
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.usage import PartnerUsage, compare, lines

HEAD = "domain,last_used,sessions\n"
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "docsite" / "rst" / "guide_migration.rst"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "b.com,2026-11-30,120\n",
        # Of Export-Csv, of Management Studio with German settings, in another order.
        '#TYPE System.Data.DataRow\n"domain","last_used","sessions"\n"B.com.","2026-11-30T12:00:00","120"\n',
        "Sessions;Last Used;DOMAIN;pool\n120;2026-11-30 12:00:00.000;b.com;fe01\n",
    ],
)
def test_forms(text: str) -> None:
    for data in (
        text.encode(),
        "\ufeff".encode() + text.encode(),
        "\ufeff".encode("utf-16-le") + text.encode("utf-16-le"),
    ):
        assert read_usage(data) == [DomainUse("b.com", "2026-11-30", 120)]


def test_a_domain_without_a_session_has_no_day() -> None:
    assert read_usage((HEAD + "b.com,,0\n").encode()) == [DomainUse("b.com", "", 0)]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("", ["the file is empty"]),
        (HEAD, ["the file has no entries, so every partner would be unused"]),
        (
            "domain,when\nb.com,x\n",
            ["the column last_used, sessions is missing. The required columns are domain, last_used, sessions"],
        ),
        (HEAD + "b.com,2026-11-30,many\n", ["line 2: sessions: 'many' must be a whole number"]),
        (HEAD + "b.com,2026-11-30,-1\n", ["line 2: sessions: '-1' must be a whole number"]),
        (HEAD + "b.com,2026-11-30,\n", ["line 2: sessions: '' must be a whole number"]),
        (HEAD + "b.com,30.11.2026,1\n", ["line 2: last_used: '30.11.2026' must be a day such as 2026-11-30"]),
        (HEAD + "b.com,2026-13-30,1\n", ["line 2: last_used: '2026-13-30' must be a day such as 2026-11-30"]),
        (HEAD + "b.com,,1\n", ["line 2: last_used: is empty, but must have a day, because sessions is 1"]),
        (
            HEAD + "ann@b.com,2026-11-30,1\n",
            ["line 2: domain: 'ann@b.com' is an address. Write only the domain, as in 'fabrikam.com'"],
        ),
        (HEAD + ",2026-11-30,1\n", ["line 2: domain: is empty. Write a domain such as 'fabrikam.com'"]),
        (
            HEAD + "b.com,2026-11-30,1\nB.COM,2026-11-30,2\n",
            ["line 3: domain: has the same name 'b.com' as line 2. Join the two lines and add their sessions"],
        ),
        (
            HEAD + "b.com,x,y\nc.com,2026-11-30,1,2\n",
            ["line 3: 4 cells for 3 columns. Put quotes around texts that contain the delimiter"],
        ),
        (
            HEAD + "b.com,x,y\n",
            [
                "line 2: sessions: 'y' must be a whole number",
                "line 2: last_used: 'x' must be a day such as 2026-11-30",
            ],
        ),
    ],
)  # fmt: skip
def test_mistakes_name_line_and_column(text: str, reasons: list[str]) -> None:
    with pytest.raises(UnreadableSource) as caught:
        read_usage(text.encode())
    assert list(caught.value.reasons) == reasons
    with pytest.raises(Refused) as refused:
        usage.read("usage.csv", text.encode())
    assert list(refused.value.reasons) == ["sfb_xmpp_usage: 'usage.csv' cannot be read: " + one for one in reasons]


ROWS = [DomainUse("b.com", "2026-11-01", 3), DomainUse("c.b.com", "2026-11-30", 4), DomainUse("z.com", "2026-01-01", 1)]


@pytest.mark.parametrize(
    ("partners", "own", "used", "unused", "undeclared"),
    [
        ([], [], [], [], ["b.com", "c.b.com", "z.com"]),
        ([], ["Z.com"], [], [], ["b.com", "c.b.com"]),
        ([{"domain": "B.com"}], [], [("B.com", "2026-11-01", 3)], [], ["c.b.com", "z.com"]),
        (
            [{"domain": "b.com", "additional_domains": ["c.b.com", "B.COM"]}], ["z.com"],
            [("b.com", "2026-11-30", 7)], [], [],
        ),
        (
            [{"domain": "q.com"}, {"domain": "bad name"}], [],
            [("q.com", "", 0), ("bad name", "", 0)], ["q.com", "bad name"], ["b.com", "c.b.com", "z.com"],
        ),
    ],
)  # fmt: skip
def test_use_of_partners(
    partners: list[dict[str, t.Any]], own: list[str], used: list[t.Any], unused: list[str], undeclared: list[str]
) -> None:
    found = compare(ROWS, partners, own)
    assert [(one.domain, one.last_used, one.sessions) for one in found.partners] == used
    assert (list(found.unused), list(found.undeclared)) == (unused, undeclared)
    assert PartnerUsage.of(found.as_dict()) == found
    shown = "\n".join(lines(found))
    for name in (*unused, *undeclared):
        assert name in shown
    assert ("Unused partners" in shown, "no partner" in shown) == (bool(unused), bool(undeclared))


def test_the_query_of_the_guide_makes_this_table() -> None:
    """It is for SQL Server: what differs in SQLite is replaced. Tables and columns are the documented ones."""
    text = GUIDE.read_text(encoding="utf-8")
    (query,) = re.findall(r"^ {3}(SELECT.*?;)$", text, re.MULTILINE | re.DOTALL)
    for form, other in (
        (r"CONVERT\(char\(10\), MAX\((.*?)\), 23\)", r"date(MAX(\1))"),
        (r"CHARINDEX\('(.)', ([^)]*?)\)", r"instr(\2, '\1')"),
        (r"SUBSTRING", "substr"),
        (r"\+ ';'", "|| ';'"),
        (r"dbo\.", ""),
    ):
        query, number = re.subn(form, other, query)
        assert number, form
    database = sqlite3.connect(":memory:")
    database.executescript(
        """CREATE TABLE Users (UserId int, UserUri text);
        CREATE TABLE SessionDetails (SessionIdTime text, SessionIdSeq int, User1Id int, User2Id int, MediaTypes int);
        INSERT INTO Users VALUES (1, 'ann@a.com'), (2, 'bob@B.com'), (3, 'eve@c.com;user=phone'), (4, '+1234');
        INSERT INTO SessionDetails VALUES ('2026-11-01 10:00:00', 1, 1, 2, 1), ('2026-11-30 10:00:00', 1, 2, 1, 1),
          ('2026-11-29 10:00:00', 1, 1, 3, 1), ('2026-11-30 11:00:00', 1, 1, 3, 16),
          ('2026-11-30 12:00:00', 1, 1, 4, 1);"""
    )
    done = database.execute(query)
    head = [column[0] for column in done.description]
    table = "\n".join(",".join(map(str, row)) for row in (head, *done.fetchall()))
    assert {(one.domain, one.last_used, one.sessions) for one in read_usage(table.encode())} == {
        ("a.com", "2026-11-30", 4), ("b.com", "2026-11-30", 2), ("c.com", "2026-11-29", 1),
    }  # fmt: skip
