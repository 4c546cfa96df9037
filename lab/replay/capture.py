# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write the file of a capture: the answers of a real deployment to statements that only read.

This module needs only Python, so that any program can write such a file.

The file is one JSON object in UTF-8. The keys of the object are:

- ``format``: ``sfb.xmpp capture``. ``version``: 1. A reader refuses other formats and versions.
- ``made``: time in ISO 8601, UTC. ``by``: the program with its versions, as free text.
- ``profile``: ``lync2013`` or ``sfb2015``, the release of the legacy servers.
- ``hosts``: a list of objects, one for each captured server:

  - ``name``: the server's name.
  - ``role``: ``management`` (a Front End's OcsPowershell), ``edge`` (WinRM of an Edge) or ``front_end`` (WinRM of a
    Front End; only the services are captured).
  - ``versions``: an object of texts, such as the answers of WSMan's Identify and PowerShell's version. The object can
  be empty.
  - ``commands``: the names of all commands that the session offered, by Get-Command. Null if Get-Command failed.
  - ``statements``: a list of objects, in the order in which they were sent:

    - ``pipeline``: a list of ``{"cmdlet": NAME, "parameters": {NAME: VALUE}}``, one for each command between two pipe
      characters. A value is null, a Boolean, a number, a text, or a list of such values. Another type is an object with
      one key, which names the type: ``{"uint32": 5}``, ``{"bytes": LENGTH}``. A secret is ``{"secret": true}``.
    - ``output``: a list of texts. Each text is the unchanged CLIXML of one object: one element, such as ``<S>…</S>`` or
      ``<Obj RefId="0">…</Obj>``, without the ``Objs`` around it.
    - ``errors``: a list of ``{"message", "error_id", "category", "target", "exception", "cmdlet"}``, all texts.
    - ``warnings``: a list of texts.
    - ``seconds``: time from the start of the statement to its last object.

Names (domains, users, servers, thumbprints) can be replaced, consistently in the complete file. The file does not
record this, and readers need not know about the replacement. References (``Ref``, ``TNRef``) stay within one object.
"""

from __future__ import annotations

import datetime
import json
import os
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

FORMAT = "sfb.xmpp capture"
VERSION = 1
ROLES = ("management", "edge", "front_end")
PROFILES = ("lync2013", "sfb2015")


class CaptureError(Exception):
    """A file is not a readable capture. The text has the problem and the place in the file."""


@dataclass(frozen=True)
class Command:
    """Hold one command of a pipeline."""

    cmdlet: str
    parameters: dict[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """Hold one record of the error stream."""

    message: str
    error_id: str = ""
    category: str = "NotSpecified"
    target: str = ""
    exception: str = "System.Management.Automation.RuntimeException"
    cmdlet: str = ""


@dataclass(frozen=True)
class Answered:
    """Hold a statement and the answer.

    output: the CLIXML of each object.
    seconds: the time until the last object.
    """

    pipeline: tuple[Command, ...]
    output: tuple[str, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def cmdlet(self) -> str:
        """Return the first command."""
        return self.pipeline[0].cmdlet


@dataclass(frozen=True)
class Host:
    """Hold the answers of one server.

    commands: the names of the offered commands; None if Get-Command failed.
    """

    name: str
    role: str
    commands: tuple[str, ...] | None = None
    statements: tuple[Answered, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Capture:
    """Hold a complete capture."""

    profile: str
    hosts: tuple[Host, ...]
    made: str = ""
    by: str = ""

    def statements(self, cmdlet: str, role: str = "", whole: bool = True) -> list[Answered]:
        """Return the answered statements of a cmdlet, on all hosts or on the hosts of a role.

        whole: whether to return only statements with uncut objects.
        """
        hosts = [host for host in self.hosts if role in ("", host.role)]
        return [
            one
            for host in hosts
            for one in host.statements
            if one.cmdlet.lower() == cmdlet.lower() and (len(one.pipeline) == 1 or not whole)
        ]


def now() -> str:
    """Return the current time in the form of ``made``."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def write(capture: Capture, path: Path) -> None:
    """Write the file. Only the owner can read the file."""
    content = {"format": FORMAT, "version": VERSION, **asdict(capture)}
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        json.dump(content, f, ensure_ascii=False, indent=1)
        f.write("\n")


def read(path: Path) -> Capture:
    """Read a file. Raises CaptureError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise CaptureError("%s cannot be read: %s" % (path, e)) from e
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CaptureError("%s is not a capture: its format must be '%s'" % (path, FORMAT))
    if content.get("version") != VERSION:
        raise CaptureError(
            "%s has version %s. This lab reads only version %d" % (path, content.get("version"), VERSION)
        )
    try:
        hosts = tuple(_host(raw) for raw in content["hosts"])
        capture = Capture(str(content["profile"]), hosts, str(content.get("made", "")), str(content.get("by", "")))
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise CaptureError("%s is not a complete capture: %s: %s" % (path, type(e).__name__, e)) from e
    wrong = [host.role for host in hosts if host.role not in ROLES]
    if capture.profile not in PROFILES or wrong:
        raise CaptureError("%s: the value '%s' is unknown" % (path, wrong[0] if wrong else capture.profile))
    return capture


def _host(raw: dict[str, t.Any]) -> Host:
    commands = raw.get("commands")
    return Host(
        name=str(raw["name"]),
        role=str(raw["role"]),
        commands=None if commands is None else tuple(map(str, commands)),
        statements=tuple(map(_answered, raw["statements"])),
        versions={str(k): str(v) for k, v in raw.get("versions", {}).items()},
    )


def _answered(raw: dict[str, t.Any]) -> Answered:
    pipeline = tuple(Command(str(c["cmdlet"]), dict(c.get("parameters", {}))) for c in raw["pipeline"])
    if not pipeline:
        raise ValueError("a statement without a command")
    return Answered(
        pipeline=pipeline,
        output=tuple(map(str, raw.get("output", ()))),
        errors=tuple(Problem(**{k: str(v) for k, v in one.items()}) for one in raw.get("errors", ())),
        warnings=tuple(map(str, raw.get("warnings", ()))),
        seconds=float(raw.get("seconds", 0.0)),
    )
