# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the lab's contract of the cmdlets with the public pages that it was transcribed from.

``python -m tools.contract DIRECTORY...``: each directory is a copy of a documentation repository (a checkout, or just
its files) that holds pages named in ``lab/cmdlets/contract.yml`` or ``builtins.yml``. Prints every difference that the
files do not explain, and in a checkout every page that has changed since it was read. Exit code: 0 if there is nothing
to say, 1 if there is, 2 if the directories hold none of the pages.

What is compared, for each parameter: whether it is there for the product's versions, its type, aliases, what it takes
from the pipeline, its parameter sets, and where it is mandatory, by the page's SYNTAX (which does not tell for
switches). Of PowerShell's own cmdlets, which the lab has in part, only whether the page knows each parameter. An entry
of ``deviations`` explains a difference (``*``: all of a cmdlet); one that explains nothing is a difference too.
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
    """A parameter as its page has it. mandatory: the parameter sets in which it is; profiles: who has it."""

    name: str
    type: str
    aliases: frozenset[str]
    pipeline: frozenset[str]
    profiles: frozenset[str]
    sets: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()


@dataclass
class Page:
    """What a page says. sets: its parameter sets; should_process: whether it has -WhatIf."""

    parameters: dict[str, Documented] = field(default_factory=dict)
    sets: list[str] = field(default_factory=list)
    should_process: bool = False


def parse(text: str, cmdlet: str) -> Page:
    """A page in the form of platyPS: SYNTAX with a block for each set, PARAMETERS with a block for each of them."""
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
    """In a usage, what may be left out stands in brackets: ``[-Name <T>]``, ``[[-Name] <T>]``; not ``[-Name] <T>``."""
    found = re.search(r"-%s\b" % name, usage)
    if found is None:
        return False
    depth = usage[: found.start()].count("[") - usage[: found.start()].count("]")
    return depth == 0 or (depth == 1 and usage[found.end() : found.end() + 3] == "] <")


def _short(name: str) -> str:
    """``System.Management.Automation.SwitchParameter`` as ``SwitchParameter``, type arguments kept."""
    return re.sub(r"[A-Za-z]+\.(?=[A-Za-z])", "", name)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip() not in ("", "None", "none")]


def compare(name: str, page: Page, whole: bool = True) -> t.Iterator[tuple[str, str]]:
    """Every difference of a cmdlet: (the parameter, or an empty text; what is different).

    whole: whether the lab claims to have all of the page.
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
    """The differences, a line each, and how many pages were compared."""
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
            lines += ["%s -%s: a deviation is explained that is none" % (name, left) for left in explained]
            changed = _changed(where, raw["page"]["path"])
            if changed > str(raw["page"]["date"]):
                lines.append("%s: the page changed on %s, it was read as of %s" % (name, changed, raw["page"]["date"]))
    return lines, compared


def _changed(directory: Path, path: str) -> str:
    """The date of the last commit that changed a file; empty where there is no history."""
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
