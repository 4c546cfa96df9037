# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate the built-in cmdlets for an Edge's file system, certificate stores (Cert:) and Env: drive.

The cmdlets are \\*-Content, \\*-Item, Get-ChildItem and Test-Path. Paths are absolute. -Path accepts wildcards,
-LiteralPath does not.
"""

from __future__ import annotations

import typing as t

from psrpcore.types import PSByte, PSByteArray, PSInt64, PSObject, PSString

from ..deployment.store import CertificateRow, fold
from ..deployment.wildcard import has_wildcard, like
from ..errors import CmdletError
from .binding import Arguments
from .certificates import windows_certificate
from .context import Context, invalid
from .objects import annotate, make

_STORES = ("My", "CA", "Root")
_ENCODINGS = {
    "UTF8": "utf-8-sig", "Unicode": "utf-16", "BigEndianUnicode": "utf-16-be", "UTF7": "utf-7", "UTF32": "utf-32",
    "BigEndianUTF32": "utf-32-be", "Ascii": "ascii", "String": "utf-16", "Unknown": "utf-16",
}  # fmt: skip


class _Item(t.NamedTuple):
    """Represent an item under a path.

    body: bytes (file), None (container), a certificate, or a text (Env:).
    """

    path: str
    body: bytes | CertificateRow | str | None

    @property
    def name(self) -> str:
        return self.path.rsplit("\\", 1)[-1].rsplit(":", 1)[-1]


def _environment(ctx: Context) -> dict[str, str]:
    temp = "C:\\Users\\Administrator\\AppData\\Local\\Temp"
    return {
        "COMPUTERNAME": ctx.host.name.upper(), "ProgramData": "C:\\ProgramData", "SystemDrive": "C:",
        "SystemRoot": "C:\\Windows", "TEMP": temp, "TMP": temp, "USERNAME": "Administrator",
        "USERPROFILE": "C:\\Users\\Administrator", "windir": "C:\\Windows",
    }  # fmt: skip


def _normal(path: str) -> str:
    """Return a path in the provider's own spelling, without provider prefix and trailing separators."""
    for prefix in ("Microsoft.PowerShell.Core\\FileSystem::", "Microsoft.PowerShell.Security\\Certificate::"):
        if fold(path).startswith(fold(prefix)):
            path = path[len(prefix) :]
            path = path if "FileSystem" in prefix else "Cert:\\" + path
    return path.replace("/", "\\").rstrip("\\")


def _drive(ctx: Context, path: str) -> str:
    drive = fold(path.partition(":")[0]) if ":" in path else ""
    if drive not in ("c", "cert", "env"):
        raise CmdletError(
            "Cannot find drive. A drive with the name '%s' does not exist." % path.partition(":")[0]
            if ":" in path
            else "The lab takes absolute paths only.",
            "DriveNotFound",
            "ObjectNotFound",
            path,
            "System.Management.Automation.DriveNotFoundException",
        )
    return drive


def _everything(ctx: Context, drive: str) -> list[_Item]:
    if drive == "env":
        return [_Item("Env:", None), *(_Item("Env:\\" + k, v) for k, v in _environment(ctx).items())]
    if drive == "cert":
        items = [_Item("Cert:", None), _Item("Cert:\\LocalMachine", None)]
        items += [_Item("Cert:\\LocalMachine\\" + store, None) for store in _STORES]
        rows = ctx.store.certificates(ctx.host.name)
        return items + [_Item("Cert:\\LocalMachine\\%s\\%s" % (r.store, r.thumbprint), r) for r in rows]
    return [_Item(path, content) for path, content in ctx.store.tree(ctx.host.name).items()]


def _find(ctx: Context, path: str, literal: bool) -> list[_Item]:
    """Return the items of a path. Unless the path is literal, each part can contain wildcards."""
    wanted = _normal(path)
    parts = wanted.split("\\")
    if len(parts) == 1 and ":" in wanted and not wanted.endswith(":"):  # Env:NAME
        drive, name = wanted.split(":", 1)
        parts = [drive + ":", name]
    found = []
    for item in _everything(ctx, _drive(ctx, wanted)):
        own = item.path.split("\\")
        if len(own) != len(parts):
            continue
        if all(fold(a) == fold(b) or (not literal and like(a, b)) for a, b in zip(own, parts, strict=True)):
            found.append(item)
    return found


def _paths(args: Arguments) -> list[tuple[str, bool]]:
    literal = "LiteralPath" in args
    return [(path, literal) for path in args.texts("LiteralPath" if literal else "Path")]


def _missing(path: str) -> CmdletError:
    return CmdletError(
        "Cannot find path '%s' because it does not exist." % path,
        "PathNotFound",
        "ObjectNotFound",
        path,
        "System.Management.Automation.ItemNotFoundException",
    )


def _existing(ctx: Context, args: Arguments) -> t.Iterator[_Item]:
    """Return the items of all paths. Report a path without wildcards that does not exist."""
    for path, literal in _paths(args):
        found = _find(ctx, path, literal)
        if not found and (literal or not has_wildcard(path)):
            ctx.error(_missing(path))
        yield from found


def _wire(item: _Item) -> PSObject:
    if isinstance(item.body, CertificateRow):
        return windows_certificate(item.body)
    if isinstance(item.body, str):
        entry = {"Name": item.name, "Key": item.name, "Value": item.body}
        return make(["System.Collections.DictionaryEntry"], entry, text="System.Collections.DictionaryEntry")
    provider = "Microsoft.PowerShell.Core\\FileSystem::"
    properties: dict[str, object] = {
        "Name": item.name, "FullName": item.path, "Exists": True, "Extension": "", "PSPath": provider + item.path,
        "PSChildName": item.name, "PSIsContainer": item.body is None,
    }  # fmt: skip
    if item.body is None:
        return make(["System.IO.DirectoryInfo", "System.IO.FileSystemInfo"], properties, text=item.path)
    folder, _slash, name = item.path.rpartition("\\")
    stem, dot, extension = name.rpartition(".")
    properties.update({"Length": PSInt64(len(item.body)), "DirectoryName": folder, "Extension": dot + extension})
    return make(["System.IO.FileInfo", "System.IO.FileSystemInfo"], properties, text=item.path)


def _get_item(ctx: Context, args: Arguments) -> t.Iterable[object]:
    pattern = args.text("Filter")
    return (_wire(item) for item in _existing(ctx, args) if pattern is None or like(item.name, pattern))


def _get_child_item(ctx: Context, args: Arguments) -> t.Iterable[object]:
    if "Path" not in args and "LiteralPath" not in args:
        args.values["Path"] = ("C:\\Users\\Administrator",)  # A remote session starts in this directory.
    pattern = args.text("Filter")
    for item in list(_existing(ctx, args)):
        if item.body is not None:
            yield _wire(item)
            continue
        top = item.path + "\\"
        for child in _everything(ctx, _drive(ctx, item.path)):
            rest = child.path[len(top) :]
            if not fold(child.path).startswith(fold(top)) or ("\\" in rest and not args.flag("Recurse")):
                continue
            if pattern is not None and not like(child.name, pattern):
                continue
            if (args.flag("File") and child.body is None) or (args.flag("Directory") and child.body is not None):
                continue
            yield _wire(child)


def _test_path(ctx: Context, args: Arguments) -> t.Iterable[object]:
    kind = args.text("PathType") or "Any"
    for path, literal in _paths(args):
        try:
            found = _find(ctx, path, literal)
        except CmdletError:
            found = []  # For this cmdlet, an unknown drive is not an error.
        kinds = {"Any": True, "Container": any(i.body is None for i in found)}
        yield bool(found) and kinds.get(kind, any(i.body is not None for i in found))


def _remove_item(ctx: Context, args: Arguments) -> t.Iterable[object]:
    for item in list(_existing(ctx, args)):
        if isinstance(item.body, CertificateRow):
            ctx.store.delete_certificate(ctx.host.name, item.body.store, item.body.thumbprint)
        elif isinstance(item.body, bytes):
            ctx.store.delete_file(ctx.host.name, item.path)
        elif item.body is None and _drive(ctx, item.path) == "c":
            inside = [i for i in _everything(ctx, "c") if fold(i.path).startswith(fold(item.path + "\\"))]
            if inside and not args.flag("Recurse"):
                raise prompt_failed("The item at %s has children and the Recurse parameter was not given." % item.path)
            for gone in (*inside, item):
                ctx.store.delete_file(ctx.host.name, gone.path)
        else:
            raise invalid("The lab removes files, directories and certificates only.", item.path)
    return []


def prompt_failed(why: str) -> CmdletError:
    """Return the error for a question to the user. A session without an interactive host cannot ask questions."""
    return CmdletError(
        "A command that prompts the user failed because the host does not support user interaction. %s" % why,
        "HostFunctionNotImplemented",
        "NotImplemented",
        "",
        "System.Management.Automation.Host.HostException",
    )


# -- content


def _bytes(ctx: Context, value: object, encoding: str, newline: bool) -> bytes:
    """Return the bytes that Set-Content and Add-Content write for -Value."""
    items: list[object] = list(value) if isinstance(value, list) else [] if value is None else [value]
    if encoding != "Byte":
        if any(isinstance(item, bytes) for item in items):
            # PowerShell enumerates a byte array: PowerShell writes one line of digits for each byte.
            items = [n for item in items for n in (item if isinstance(item, bytes) else [item])]
        end = "\r\n" if newline else ""
        text = "".join(str(item) + end for item in items)
        return text.encode(_ENCODINGS.get(encoding, "cp1252"), "replace")
    out = bytearray()
    for item in items:
        if isinstance(item, bytes):
            out += item
        elif isinstance(item, PSByte):
            out.append(int(item))
        else:
            raise CmdletError(
                "Cannot proceed with byte encoding. When using byte encoding the content must be of type byte.",
                "GetContentWriterArgumentError",
                "InvalidArgument",
                exception="System.Management.Automation.PSArgumentException",
            )
    return bytes(out)


def _write(ctx: Context, args: Arguments, append: bool) -> t.Iterable[object]:
    encoding = args.text("Encoding") or "Default"
    content = _bytes(ctx, args.get("Value"), encoding, newline=not args.flag("NoNewline"))
    for path, literal in _paths(args):
        wanted = _normal(path)
        if _drive(ctx, wanted) != "c":
            raise invalid("The lab writes content to files only.", path)
        found = _find(ctx, path, literal) if literal or has_wildcard(path) else _find(ctx, path, True)
        if not found and not literal and has_wildcard(path):
            raise _missing(path)
        targets = found or [_Item(wanted, b"")]
        for item in targets:
            if item.body is None:
                raise _no_access(item.path)
            if not found and not _find(ctx, wanted.rpartition("\\")[0], True):
                raise CmdletError(
                    "Could not find a part of the path '%s'." % wanted,
                    "GetContentWriterDirectoryNotFoundError",
                    "ObjectNotFound",
                    wanted,
                    "System.IO.DirectoryNotFoundException",
                )
            before = item.body if append and isinstance(item.body, bytes) else b""
            ctx.store.put_file(ctx.host.name, item.path, before + content)
    return []


def _no_access(path: str) -> CmdletError:
    return CmdletError(
        "Access to the path '%s' is denied." % path,
        "GetContentWriterUnauthorizedAccessError",
        "PermissionDenied",
        path,
        "System.UnauthorizedAccessException",
    )


def _set_content(ctx: Context, args: Arguments) -> t.Iterable[object]:
    return _write(ctx, args, append=False)


def _add_content(ctx: Context, args: Arguments) -> t.Iterable[object]:
    return _write(ctx, args, append=True)


def _get_content(ctx: Context, args: Arguments) -> t.Iterable[object]:
    encoding = args.text("Encoding") or "Default"
    limit = args.get("TotalCount")
    for item in list(_existing(ctx, args)):
        if isinstance(item.body, str):
            yield item.body
            continue
        if not isinstance(item.body, bytes):
            raise _no_access(item.path)
        if encoding == "Byte":
            data = item.body if limit is None else item.body[: int(limit)]
            if args.flag("Raw") or args.get("ReadCount") == 0:
                yield PSByteArray(data)
            else:
                yield from (PSByte(b) for b in data)
            continue
        text = item.body.decode(_ENCODINGS.get(encoding, "cp1252"), "replace")
        lines = [text] if args.flag("Raw") else text.splitlines()[: None if limit is None else int(limit)]
        for number, line in enumerate(lines, 1):
            yield _noted(item, line, number)


def _noted(item: _Item, line: str, number: int) -> PSString:
    """Return a line of a file with the note properties that Get-Content adds."""
    folder, _slash, name = item.path.rpartition("\\")
    provider = "Microsoft.PowerShell.Core\\FileSystem::"
    notes = {"PSPath": provider + item.path, "PSParentPath": provider + folder, "PSChildName": name}
    text = PSString(line)
    annotate(text, {**notes, "ReadCount": PSInt64(number)})
    return text


CMDLETS = {
    "Set-Content": _set_content,
    "Add-Content": _add_content,
    "Get-Content": _get_content,
    "Get-Item": _get_item,
    "Get-ChildItem": _get_child_item,
    "Remove-Item": _remove_item,
    "Test-Path": _test_path,
}
