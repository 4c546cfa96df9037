# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate built-in cmdlets without a provider: modules, commands, help, the date, and output of a pipeline."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from psrpcore.types import PSObject

from ..assumptions import rests_on
from ..deployment.store import fold
from ..deployment.wildcard import has_wildcard, like
from ..errors import BindingError, CmdletError
from .binding import Arguments
from .context import Context
from .contract import COMMON, Cmdlet, Parameter
from .objects import CommandType, DisplayHint, annotate, int32, make, moment, properties_of, selected

SELECT = "Select-Object"
PRODUCT_MODULE = {"sfb2015": "SkypeForBusiness", "lync2013": "Lync"}
_CORE_MODULES = ("Microsoft.PowerShell.Management", "Microsoft.PowerShell.Utility", "Microsoft.PowerShell.Core")

# These properties are in the order of the message of Select-Object in a restricted session.
_PROXY_TAKES = (
    "ModuleName", "Namespace", "OutputType", "Count", "HelpUri", "Name", "CommandType", "ResolvedCommandName",
    "DefaultParameterSet", "CmdletBinding", "Parameters",
)  # fmt: skip


def _module(name: str) -> PSObject:
    properties = {"Name": name, "Version": "1.0.0.0", "ModuleType": "Manifest", "Description": ""}
    return make(["System.Management.Automation.PSModuleInfo"], properties, text=name)


def _import_module(ctx: Context, args: Arguments) -> t.Iterable[object]:
    product = PRODUCT_MODULE[ctx.profile]
    for name in args.texts("Name"):
        known = [m for m in (product, *_CORE_MODULES) if fold(m) == fold(name)]
        if not known:
            ctx.error(
                CmdletError(
                    "The specified module '%s' was not loaded because no valid module file was found in any module "
                    "directory." % name,
                    "Modules_ModuleNotFound",
                    "ResourceUnavailable",
                    name,
                    "System.IO.FileNotFoundException",
                )
            )
            continue
        ctx.modules.add(known[0])
        if args.flag("PassThru"):
            yield _module(known[0])


def _get_module(ctx: Context, args: Arguments) -> t.Iterable[object]:
    names = sorted({*ctx.modules, *_CORE_MODULES})
    if args.flag("ListAvailable"):
        names = sorted({*names, PRODUCT_MODULE[ctx.profile]})
    wanted = args.texts("Name")
    return [_module(n) for n in names if not wanted or any(like(n, pattern) for pattern in wanted)]


def _get_command(ctx: Context, args: Arguments) -> t.Iterable[object]:
    known = {fold(c.name): c for c in ctx.visible()}
    wanted = args.texts("Name")
    found: list[Cmdlet] = [] if wanted else list(known.values())
    for name in wanted:
        matches = [c for c in known.values() if like(c.name, name)]
        if not matches and not has_wildcard(name):
            ctx.error(unknown_command(name))
        found += matches
    kind = args.text("CommandType")
    limit = args.get("TotalCount")
    written = 0
    for command in found:
        module = PRODUCT_MODULE[ctx.profile] if command.is_product else _CORE_MODULES[0]
        verb, _dash, noun = command.name.partition("-")
        tests = (("Verb", verb), ("Noun", noun), ("Module", module))
        if any(args.texts(n) and not any(like(text, p) for p in args.texts(n)) for n, text in tests):
            continue
        own = CommandType.Function if command.is_function else CommandType.Cmdlet
        if kind not in (None, "All", own.name):
            continue
        if limit is not None and written >= int(limit):
            break
        written += 1
        properties = {"Name": command.name, "CommandType": own, "ModuleName": module, "Version": None}
        yield make(["System.Management.Automation.%sInfo" % own.name], properties, text=command.name)


def _get_help(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Answer for a command without a help file: the name and the syntax of the command."""
    wanted = args.text("Name") or "*"
    found = [c for c in ctx.visible() if like(c.name, wanted)]
    if not found and not has_wildcard(wanted):
        raise CmdletError(
            "Get-Help could not find %s in a help file in this session." % wanted,
            "HelpNotFound",
            "ResourceUnavailable",
            wanted,
            "Microsoft.PowerShell.Commands.HelpNotFoundException",
            terminating=False,
        )
    for command in found:
        module = PRODUCT_MODULE[ctx.profile] if command.is_product else _CORE_MODULES[0]
        content = {"Name": command.name, "Category": "Cmdlet", "ModuleName": module, "Synopsis": command.name}
        help_info = make(["ExtendedCmdletHelpInfo"], {})
        annotate(help_info, content)
        yield help_info


def _get_format_data(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Return nothing. The lab has no types with a special format."""
    return []


def unknown_command(name: str) -> CmdletError:
    return CmdletError(
        "The term '%s' is not recognized as the name of a cmdlet, function, script file, or operable program." % name,
        "CommandNotFoundException",
        "ObjectNotFound",
        name,
        "System.Management.Automation.CommandNotFoundException",
    )


def _date(ctx: Context, args: Arguments) -> t.Iterable[object]:
    now = moment(ctx.clock(time.time()))
    annotate(now, {"DisplayHint": DisplayHint[args.text("DisplayHint") or "DateTime"]})
    return [now]


def proxy(cmdlet: Cmdlet) -> Cmdlet:
    """Return Select-Object of a restricted session (GetRestrictedSelectObject in PowerShell's CommandMetadata.cs)."""
    kept = {name: cmdlet.parameters[name] for name in (*COMMON, "InputObject") if name in cmdlet.parameters}
    names = Parameter("Property", "String[]", valid=_PROXY_TAKES)
    return replace(cmdlet, parameters={"Property": names, **kept}, is_proxy=True)


def _incoming(ctx: Context, args: Arguments) -> list[object]:
    return [args.get("InputObject")] if "InputObject" in args else list(ctx.input)


def _select(ctx: Context, args: Arguments) -> t.Iterable[object]:
    items = _incoming(ctx, args)[int(args.get("Skip") or 0) :]
    first, last = args.get("First"), args.get("Last")
    if first is not None or last is not None:
        head = items[: int(first)] if first is not None else []
        items = head + (items[max(len(head), len(items) - int(last)) :] if last is not None else [])
    wanted = args.texts("Property")
    for name in wanted:
        rests_on("select-names")
        if not 1 <= len(name) <= 1000 or has_wildcard(name):
            raise BindingError(
                "Cannot validate argument on parameter 'Property'. The lab takes plain names of properties here.",
                "ParameterArgumentValidationError",
                "InvalidData",
            )
    expand = args.text("ExpandProperty")
    for item in items:
        properties = properties_of(item)
        if expand is not None:
            value = next((v for n, v in properties.items() if fold(n) == fold(expand)), None)
            yield from value if isinstance(value, list) else [value]
        elif wanted:
            known = {fold(name): name for name in properties}
            names = [known.get(fold(name), name) for name in wanted]
            yield selected(item, {name: properties.get(name) for name in names})
        else:
            yield item


def _measure(ctx: Context, args: Arguments) -> t.Iterable[object]:
    names = args.texts("Property")
    items = [{fold(n): v for n, v in properties_of(item).items()} for item in _incoming(ctx, args)]
    for name in names or (None,):
        counted = items if name is None else [item for item in items if item.get(fold(name)) is not None]
        unknown = dict.fromkeys(("Average", "Sum", "Maximum", "Minimum"))
        types = ["Microsoft.PowerShell.Commands.GenericMeasureInfo", "Microsoft.PowerShell.Commands.MeasureInfo"]
        yield make(types, {"Count": int32(len(counted)), **unknown, "Property": name})


def _out_default(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Write to the server's host. A remote session has no host."""
    return []


def _out_string(ctx: Context, args: Arguments) -> t.Iterable[object]:
    lines = []
    for item in _incoming(ctx, args):
        properties = properties_of(item)
        lines += ["%s : %s" % (n, v) for n, v in properties.items()] if properties else [str(item)]
    return lines if args.flag("Stream") else ["".join(line + "\r\n" for line in lines)]


CMDLETS = {
    "Import-Module": _import_module,
    "Get-Module": _get_module,
    "Get-Command": _get_command,
    "Get-Date": _date,
    "Get-FormatData": _get_format_data,
    "Get-Help": _get_help,
    "Measure-Object": _measure,
    SELECT: _select,
    "Out-Default": _out_default,
    "Out-String": _out_string,
}
