# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comparison of the lab's contract with the public pages, on pages that say the same and on pages that do not."""

from __future__ import annotations

import datetime
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from lab.cmdlets.contract import PROFILES, load
from tools.checks import assumed
from tools.contract import FILES, FOLDER, main

# The form of a page; what is said of the parameters is that of Set-CsSite and Get-CsSipDomain.
VERSIONS = "Lync Server 2010, Lync Server 2013, Skype for Business Server 2015, Skype for Business Server 2019"
PARAMETER = """### -%s

> Applicable: %s

What it is for.

```yaml
Type: %s
Parameter Sets: (All)
Aliases: %s

Required: False
Position: Named
Accept pipeline input: %s
```

"""


def entry(name: str, kind: str = "String", aliases: str = "", pipeline: str = "False", versions: str = VERSIONS) -> str:
    return PARAMETER % (name, versions, kind, aliases, pipeline)


SYNTAX = """## SYNTAX

### Identity
```
Get-CsSipDomain [[-Identity] <XdsGlobalRelativeIdentity>] [<CommonParameters>]
```

### Filter
```
Get-CsSipDomain [-Filter <String>] [<CommonParameters>]
```

## DESCRIPTION
Text.

## PARAMETERS

"""
SIP_DOMAIN = SYNTAX + entry("Filter") + entry("Identity", "XdsGlobalRelativeIdentity") + "## INPUTS\n"
PATH = "skype/skype-ps/SkypeForBusiness/Get-CsSipDomain.md"


@pytest.fixture
def pages(tmp_path: Path) -> t.Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / PATH
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_page_that_says_the_same(pages: t.Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(pages(SIP_DOMAIN))]) == 0
    assert capsys.readouterr().out == "1 pages compared, 0 differences\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("-Filter", "-Query", "-Query: the lab does not have it"),
        ("-Filter", "-Query", "-Filter: the page does not have it"),
        ("Type: String", "Type: Int32", "-Filter: type: the lab has String, the page Int32"),
        ("Aliases: \n", "Aliases: f\n", "-Filter: aliases: the lab has none, the page f"),
        ("input: False", "input: True (ByPropertyName)", "-Filter: pipeline: the lab has none, the page property"),
        ("[-Filter <String>]", "-Filter <String>", "-Filter: mandatory in: the lab has none, the page Filter"),
        ("[[-Identity] <Xds", "[-Identity] <Xds", "-Identity: mandatory in: the lab has none, the page Identity"),
        ("### Filter\n", "### Other\n", "-Filter: parameter sets: the lab has Filter, the page Other"),
        ("Lync Server 2013, ", "", "-Filter: versions: the lab has lync2013, sfb2015, the page sfb2015"),
        ("## INPUTS", entry("WhatIf") + "## INPUTS", "ShouldProcess: the lab has False, the page True"),
    ],
)
def test_what_differs_is_said(
    pages: t.Callable[[str], Path], capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    changed = SIP_DOMAIN.replace(old, new)
    assert changed != SIP_DOMAIN
    assert main([str(pages(changed))]) == 1
    assert "Get-CsSipDomain " + said in capsys.readouterr().out.replace("SipDomain: Should", "SipDomain Should")


def test_a_page_that_changed_after_it_was_read(
    pages: t.Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    where = pages(SIP_DOMAIN)
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(where), *identity, *arguments], check=True)
    assert main([str(where)]) == 1
    today = datetime.datetime.now(datetime.timezone.utc).date()
    assert re.search(r"Get-CsSipDomain: the page changed on %s" % today, capsys.readouterr().out)


def test_a_directory_without_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2


def test_every_cmdlet_names_its_page_and_date() -> None:
    for file in FILES:
        for name, raw in yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))["cmdlets"].items():
            assert raw["page"]["path"].endswith("/%s.md" % name)
            assert isinstance(raw["page"]["date"], datetime.date), name


def test_explained_deviations_are_of_parameters_that_one_side_has() -> None:
    content = yaml.safe_load((FOLDER / "contract.yml").read_text(encoding="utf-8"))["cmdlets"]
    for name, raw in content.items():
        known = {parameter for profile in PROFILES for parameter in load(profile)[name.lower()].parameters}
        for parameter, why in raw.get("deviations", {}).items():
            assert why
            assert parameter in known | {"*"} or why.startswith("of Teams"), (name, parameter)


def test_tables_of_several_runs_are_added_up() -> None:
    header = "%d of %d passed tests rest on assumptions of the lab:\n"
    one = "x\n" + header % (2, 3) + "    2 list-shapes             1 null-values\n3 passed in 1.00s\n"
    other = header % (1, 9) + "    1 null-values\n9 passed in 1.00s\n"
    assert assumed([one, other, "5 passed in 0.10s"]) == [
        "3 of 12 passed tests rest on 2 assumptions of the lab:",
        "list-shapes 2, null-values 2",
    ]
    assert assumed(["5 passed in 0.10s"]) == []
