# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the lab's contract of the cmdlets with the public pages that it was transcribed from.

``python -m tools.contract DIRECTORY...``: each directory is a copy of a documentation repository (a checkout, or only
its files) with pages that ``lab/cmdlets/contract.yml`` or ``builtins.yml`` lists. The output has every difference that
these files do not explain. In a checkout, it also has every page that has changed since it was read. The exit code is
0 for no output, 1 for differences, and 2 if the directories contain none of the pages.

For each parameter, it compares the product's versions, the type, aliases, pipeline input and parameter sets. From the
page's SYNTAX, it also compares where the parameter is mandatory (except for switches). The lab has only parts of
PowerShell's own cmdlets. For these, it only checks that the page has each parameter. Entries of ``deviations`` explain
differences (``*``: all of a cmdlet). An entry that explains nothing is a difference, too.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab.cmdlets.contract import COMMON, PROFILES, Parameter, load

FILES = ("contract.yml", "builtins.yml")
FOLDER = Path(__file__).resolve().parents[1] / "lab" / "cmdlets"
_PRODUCTS = {"lync2013": "Lync Server 2013", "sfb2015": "Skype for Business Server 2015"}
_NOT_COMPARED = {*COMMON, "WhatIf", "Confirm", "ProgressAction"}
_PIPELINE = {"ByValue": "value", "ByPropertyName": "property"}


@dataclass(frozen=True)
class Documented:
    """Describe a documented parameter. mandatory: the parameter sets that need it. profiles: the versions with it."""

    name: str
    type: str
    aliases: frozenset[str]
    pipeline: frozenset[str]
    profiles: frozenset[str]
    sets: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()


@dataclass
class Page:
    """Describe a page. sets: its parameter sets. should_process: whether it has -WhatIf."""

    parameters: dict[str, Documented] = field(default_factory=dict)
    sets: list[str] = field(default_factory=list)
    should_process: bool = False


def parse(text: str, cmdlet: str) -> Page:
    """Read a page in the form of platyPS: SYNTAX with a block per set, PARAMETERS with a block per parameter."""
    text = text.replace("\r\n", "\n")
    syntax = _section(text, "SYNTAX")
    sets: dict[str, str] = {}
    for title, block in re.findall(r"(?:^### ([^\n]+)\n+)?```[a-z]*\n(.*?)```", syntax, re.M | re.S):
        sets[title.strip().removesuffix(" (Default)") or "(default)"] = " ".join(block.split())
    page = Page(sets=list(sets))
    for name, body in re.findall(r"^### -(\w+)\n(.*?)(?=^### |\Z)", _section(text, "PARAMETERS"), re.M | re.S):
        block = re.search(r"```ya?ml\n(.*?)```", body, re.S)
        if block is None or name in _NOT_COMPARED:
            page.should_process = page.should_process or name == "WhatIf"
            continue
        entry = {k.strip(): v.strip() for k, _c, v in (line.partition(":") for line in block[1].splitlines())}
        applicable = re.search(r"^> Applicable: (.*)$", body, re.M)
        where = [p for p in PROFILES if applicable is None or _PRODUCTS[p] in applicable[1]]
        inside = {title for title, usage in sets.items() if re.search(r"-%s\b" % name, usage)}
        page.parameters[name] = Documented(
            name=name,
            type=_short(entry.get("Type", "")),
            aliases=frozenset(_listed(entry.get("Aliases", ""))),
            pipeline=frozenset(v for k, v in _PIPELINE.items() if k in entry.get("Accept pipeline input", "")),
            profiles=frozenset(where),
            sets=frozenset(inside),
            mandatory=frozenset(title for title in inside if _is_mandatory(name, sets[title])),
        )
    if not page.parameters and cmdlet not in syntax:
        raise ValueError("the page of %s has no syntax" % cmdlet)
    return page


def _section(text: str, name: str) -> str:
    found = re.search(r"^## %s\n(.*?)(?=^## |\Z)" % name, text, re.M | re.S)
    return found[1] if found else ""


def _is_mandatory(name: str, usage: str) -> bool:
    """Return whether a name is mandatory: not in brackets as in ``[-Name <T>]`` or ``[[-Name] <T>]``."""
    found = re.search(r"-%s\b" % name, usage)
    if found is None:
        return False
    depth = usage[: found.start()].count("[") - usage[: found.start()].count("]")
    return depth == 0 or (depth == 1 and usage[found.end() : found.end() + 3] == "] <")


def _short(name: str) -> str:
    """Return ``System.Management.Automation.SwitchParameter`` as ``SwitchParameter``, and keep type arguments."""
    return re.sub(r"[A-Za-z]+\.(?=[A-Za-z])", "", name)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip() not in ("", "None", "none")]


def compare(name: str, page: Page, whole: bool = True) -> t.Iterator[tuple[str, str]]:
    """Return every difference of a cmdlet: (the parameter, or an empty text; the difference).

    whole: whether the lab must have everything on the page.
    """
    contracts = {profile: cmdlet for profile in PROFILES if (cmdlet := load(profile).get(name.lower())) is not None}
    cmdlet = contracts[PROFILES[-1]]
    if whole and cmdlet.should_process != page.should_process:
        yield "", "ShouldProcess: the lab has %s, the page %s" % (cmdlet.should_process, page.should_process)
    ours: dict[str, dict[str, Parameter]] = {}
    for profile, contract in contracts.items():
        for parameter in contract.parameters.values():
            if parameter.name not in _NOT_COMPARED:
                ours.setdefault(parameter.name, {})[profile] = parameter
    for documented in page.parameters.values():
        if whole and documented.name not in ours and documented.profiles:
            yield documented.name, "the lab does not have it"
    for parameter_name, by_profile in ours.items():
        found = page.parameters.get(parameter_name)
        if found is None:
            yield parameter_name, "the page does not have it"
            continue
        if not whole:
            continue
        if set(by_profile) != found.profiles:
            yield parameter_name, "versions: the lab has %s, the page %s" % (_words(by_profile), _words(found.profiles))
        for what, lab, theirs in _facts(by_profile[max(by_profile)], found, page.sets):
            if lab != theirs:
                yield parameter_name, "%s: the lab has %s, the page %s" % (what, lab, theirs)


def _facts(ours: Parameter, theirs: Documented, sets: t.Sequence[str]) -> t.Iterator[tuple[str, str, str]]:
    yield "type", ours.type, theirs.type
    yield "aliases", _words(map(str.lower, ours.aliases)), _words(map(str.lower, theirs.aliases))
    yield "pipeline", _words(ours.pipeline), _words(theirs.pipeline)
    everywhere = frozenset(sets)
    yield "parameter sets", _words(ours.sets or everywhere), _words(theirs.sets)
    mandatory = ours.sets or everywhere if "*" in ours.mandatory_in else ours.mandatory_in
    if ours.type != "SwitchParameter":
        yield "mandatory in", _words(mandatory), _words(theirs.mandatory)


def _words(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def check(directories: t.Sequence[Path]) -> tuple[list[str], int]:
    """Return the differences, one per line, and the number of compared pages."""
    lines: list[str] = []
    compared = 0
    for file in FILES:
        for name, raw in yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))["cmdlets"].items():
            where = next((d for d in directories if (d / raw["page"]["path"]).exists()), None)
            if where is None:
                continue
            compared += 1
            page = parse((where / raw["page"]["path"]).read_text(encoding="utf-8"), name)
            explained = dict(raw.get("deviations", {}))
            for parameter, what in compare(name, page, file == "contract.yml"):
                key = parameter if parameter in raw.get("deviations", {}) else "*"
                if key in raw.get("deviations", {}):
                    explained.pop(key, None)
                else:
                    lines.append("%s%s: %s" % (name, parameter and " -" + parameter, what))
            lines += [
                "%s -%s: deviations explains a difference that does not exist. Remove it" % (name, left)
                for left in explained
            ]
            changed = _changed(where, raw["page"]["path"])
            if changed > str(raw["page"]["date"]):
                lines.append("%s: the page changed on %s, it was read as of %s" % (name, changed, raw["page"]["date"]))
    return lines, compared


def _changed(directory: Path, path: str) -> str:
    """Return the date of the last commit that changed a file; empty without history."""
    command = ["git", "-C", str(directory), "log", "-1", "--format=%cs", "--", path]
    if not (directory / ".git").exists():
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main(argv: t.Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.contract", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="+", type=Path, help="a copy of a documentation repository")
    lines, compared = check(parser.parse_args(argv).directory)
    print("".join(line + "\n" for line in lines), end="")
    print("%d pages compared, %d differences" % (compared, len(lines)))
    return 2 if not compared else int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
