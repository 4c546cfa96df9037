# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture the lab itself, to test programs that read captures, and to compare the lab's own answers."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict

from ..cmdlets.clixml import serialize
from ..cmdlets.masking import show_parameters
from ..cmdlets.runspace import Call, Deployment, Runspace
from ..deployment.hosts import HOSTS
from ..errors import ErrorDetails
from .capture import Answered, Capture, Command, Host, Problem, now

Statement = t.Sequence[tuple[str, dict[str, t.Any]]]


def _certificates(store: str) -> Statement:
    selected = {"Property": ["RawData", "HasPrivateKey"]}
    return [("Get-ChildItem", {"Path": "Cert:\\LocalMachine\\" + store}), ("Select-Object", selected)]


# These statements read everything.
MANAGEMENT: tuple[Statement, ...] = (
    [("Get-CsExternalAccessPolicy", {})],
    [("Get-CsXmppAllowedPartner", {})],
    [("Get-CsXmppGatewayConfiguration", {})],
    [("Get-CsAccessEdgeConfiguration", {})],
    [("Get-CsUser", {})],
    [("Get-CsSite", {})],
    [("Get-CsPool", {})],
    [("Get-CsComputer", {})],
    [("Get-CsService", {})],
    [("Get-CsService", {"EdgeServer": True})],
    [("Get-CsService", {"Registrar": True})],
    [("Get-CsSipDomain", {})],
    [("Get-CsAllowedDomain", {})],
    [("Get-CsBlockedDomain", {})],
    [("Get-CsHealthMonitoringConfiguration", {})],
    [("Get-CsManagementStoreReplicationStatus", {})],
    [("Get-CsManagementStoreReplicationStatus", {"CentralManagementStoreStatus": True})],
    [("Get-CsWindowsService", {})],
)
EDGE: tuple[Statement, ...] = (
    [("Get-CsServerVersion", {})],
    [("Get-CsWindowsService", {})],
    [("Get-CsCertificate", {})],
    [("Get-CsCertificate", {"Type": ["XmppServer"]})],
    [("Get-CsXmppAllowedPartner", {"LocalStore": True})],
    [("Get-CsXmppAllowedPartner", {})],
    [("Get-Date", {})],
    _certificates("My"),
    _certificates("CA"),
    _certificates("Root"),
    [("Get-ChildItem", {"Path": "C:\\Windows\\Temp", "Filter": "sfb-xmpp-*"})],
)
_USERS = {"management": "CONTOSO\\admin", "edge": "Administrator"}


class _Recorder:
    def __init__(self) -> None:
        self.values: list[object] = []
        self.problems: list[ErrorDetails] = []
        self.warnings: list[str] = []
        self.stopped = False

    def output(self, value: object) -> None:
        self.values.append(value)

    def error(self, record: ErrorDetails) -> None:
        self.problems.append(record)

    def failed(self, record: ErrorDetails) -> None:
        self.problems.append(record)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def record(
    deployment: Deployment, management: t.Sequence[Statement] = MANAGEMENT, edge: t.Sequence[Statement] = EDGE
) -> Capture:
    """Query every host of a lab in this process, and return the answers."""
    hosts = []
    for name, host in HOSTS.items():
        runspace = deployment.open_runspace(name, _USERS[host.role], "capture-%s" % name)
        if host.role == "edge":
            module = {"lync2013": "Lync", "sfb2015": "SkypeForBusiness"}[deployment.profile]
            _ask(runspace, [("Import-Module", {"Name": module})])
        commands = [str(value.PSObject.to_string) for value in _ask(runspace, [("Get-Command", {})]).values]  # type: ignore[attr-defined]
        statements = management if host.role == "management" else edge
        answered = tuple(_answered(runspace, statement) for statement in statements)
        hosts.append(Host(host.fqdn, host.role, tuple(commands), answered, {"lab": deployment.profile}))
        runspace.close()
    return Capture(deployment.profile, tuple(hosts), now(), "the lab")


def _ask(runspace: Runspace, statement: Statement) -> _Recorder:
    recorder = _Recorder()
    runspace.run([[Call(cmdlet, tuple(parameters.items())) for cmdlet, parameters in statement]], recorder)
    return recorder


def _answered(runspace: Runspace, statement: Statement) -> Answered:
    begin = time.monotonic()
    said = _ask(runspace, statement)
    return Answered(
        pipeline=tuple(Command(name, show_parameters(None, tuple(given.items()))) for name, given in statement),
        output=tuple(map(serialize, said.values)),
        errors=tuple(Problem(**asdict(problem)) for problem in said.problems),
        warnings=tuple(said.warnings),
        seconds=round(time.monotonic() - begin, 6),
    )
