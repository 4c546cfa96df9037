# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the documented contract of every simulated cmdlet from contract.yml and builtins.yml."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

PROFILES = ("lync2013", "sfb2015")

# Windows PowerShell adds these parameters to every cmdlet (about_CommonParameters). If only one profile has a
# parameter, the profile is in the last column.
_COMMON = (
    ("Debug", "SwitchParameter", "db", ""),
    ("Verbose", "SwitchParameter", "vb", ""),
    ("ErrorAction", "ActionPreference", "ea", ""),
    ("ErrorVariable", "String", "ev", ""),
    ("WarningAction", "ActionPreference", "wa", ""),
    ("WarningVariable", "String", "wv", ""),
    ("OutBuffer", "Int32", "ob", ""),
    ("OutVariable", "String", "ov", ""),
    ("InformationAction", "ActionPreference", "infa", "sfb2015"),
    ("InformationVariable", "String", "iv", "sfb2015"),
    ("PipelineVariable", "String", "pv", "sfb2015"),
)
COMMON = tuple(name for name, *_rest in _COMMON)
_ACTION_PREFERENCES = ("SilentlyContinue", "Stop", "Continue", "Inquire", "Ignore", "Suspend")


@dataclass(frozen=True)
class Parameter:
    """Define one parameter of a cmdlet.

    sets: the parameter sets of the parameter; empty if the parameter belongs to all sets.
    mandatory_in: the sets that need the parameter; ``*`` for all.
    valid: the texts of the ValidateSet, in order; empty without a ValidateSet.
    """

    name: str
    type: str
    sets: tuple[str, ...] = ()
    mandatory_in: tuple[str, ...] = ()
    position: int | None = None
    pipeline: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    range: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    allow_null: bool = False
    simulated: bool = True

    def is_in(self, parameter_set: str) -> bool:
        return not self.sets or parameter_set in self.sets

    def is_mandatory(self, parameter_set: str) -> bool:
        return self.is_in(parameter_set) and ("*" in self.mandatory_in or parameter_set in self.mandatory_in)


@dataclass(frozen=True)
class Cmdlet:
    """Define one cmdlet in one profile.

    sets: the parameter sets of the cmdlet, the default set first.
    is_proxy: whether a restricted session has a function of the same name, which takes fewer parameters.
    error_source: the end of the cmdlet's error ids; empty for the class that belongs to the cmdlet's name.
    """

    name: str
    where: tuple[str, ...]
    sets: tuple[str, ...]
    parameters: t.Mapping[str, Parameter]
    output: str = ""
    should_process: bool = False
    prompts: bool = False
    gathers_input: bool = False
    is_proxy: bool = False
    error_source: str = ""

    @property
    def is_function(self) -> bool:
        """Return whether the command is a function. Commands of script and CIM modules are functions."""
        return self.is_proxy or self.error_source == self.name

    @property
    def is_product(self) -> bool:
        """Return whether the cmdlet comes with the product's module, and so is subject to RBAC."""
        return self.name.partition("-")[2].startswith("Cs")

    @property
    def source(self) -> str:
        """Return the .NET class of the cmdlet, which is the end of the error ids. The product's namespaces vary."""
        if self.error_source:
            return self.error_source
        verb, _dash, noun = self.name.partition("-")
        if self.is_product:
            return "Microsoft.Rtc.Management.Xds.%sOcs%sCmdlet" % (verb, noun.removeprefix("Cs"))
        return "Microsoft.PowerShell.Commands.%s%sCommand" % (verb, noun)


def _parameter(name: str, raw: t.Any, profile: str, enums: t.Mapping[str, list[str]]) -> Parameter | None:
    entry: dict[str, t.Any] = {"type": raw} if isinstance(raw, str) else dict(raw)
    if profile not in entry.get("profiles", PROFILES):
        return None
    mandatory = entry.get("mandatory", False)
    if profile in entry.get("mandatory_profiles", ()):
        mandatory = True
    kind = str(entry["type"])
    limits = entry.get("range")
    return Parameter(
        name=name,
        type=kind,
        sets=tuple(entry.get("sets", ())),
        mandatory_in=("*",) if mandatory is True else tuple(mandatory or ()),
        position=entry.get("position"),
        pipeline=tuple(entry.get("pipeline", ())),
        aliases=tuple(entry.get("aliases", ())),
        range=(limits[0], limits[1]) if limits else None,
        choices=tuple(enums.get(kind.removesuffix("[]"), ())),
        allow_null=bool(entry.get("allow_null", False)),
        simulated=bool(entry.get("simulated", True)),
    )


def _cmdlet(name: str, raw: t.Mapping[str, t.Any], profile: str, enums: t.Mapping[str, list[str]]) -> Cmdlet:
    entries = dict(raw["parameters"])
    sets = list(raw.get("sets", ("(default)",)))
    for role in raw.get("role_switches", ()):
        entries[role] = {"type": "SwitchParameter", "sets": [role], "mandatory": True}
    parameters = {n: p for n, e in entries.items() if (p := _parameter(n, e, profile, enums)) is not None}
    if raw.get("should_process"):
        parameters["WhatIf"] = Parameter("WhatIf", "SwitchParameter", aliases=("wi",))
        parameters["Confirm"] = Parameter("Confirm", "SwitchParameter", aliases=("cf",))
    for common, kind, alias, only in _COMMON:
        if only in ("", profile):
            choices = _ACTION_PREFERENCES if kind == "ActionPreference" else ()
            parameters[common] = Parameter(common, kind, aliases=(alias,), choices=choices)
    for parameter in parameters.values():
        sets.extend(s for s in parameter.sets if s not in sets)
    return Cmdlet(
        name=name,
        where=tuple(raw["where"]),
        sets=tuple(sets),
        parameters=parameters,
        output=str(raw.get("output", "")),
        should_process=bool(raw.get("should_process", False)),
        prompts=bool(raw.get("prompts", False)),
        gathers_input=bool(raw.get("gathers_input", False)),
        error_source=str(raw.get("source", "")),
    )


@functools.cache
def load(profile: str) -> t.Mapping[str, Cmdlet]:
    """Return the contracts of a profile (``lync2013`` or ``sfb2015``) by the cmdlet's name in lower case."""
    if profile not in PROFILES:
        raise ValueError("the lab has no profile '%s'. Use one of: %s" % (profile, ", ".join(PROFILES)))
    cmdlets: dict[str, Cmdlet] = {}
    for file in ("builtins.yml", "contract.yml"):
        content = yaml.safe_load(Path(__file__).with_name(file).read_text(encoding="utf-8"))
        for name, raw in content["cmdlets"].items():
            cmdlets[name.lower()] = _cmdlet(name, raw, profile, content["enums"])
    return cmdlets
