# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's Windows services of a host, as Get-CsWindowsService shows them, and the calls that change them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.reading import read_objects
from .._base.result import Refused
from .._base.step import Step
from .._shell.statement import Shell, Statement

_UNKNOWN = (
    "on an Edge ansible_management_shell_modules has to be [SkypeForBusiness], or [Lync] for Lync Server 2013; "
    "elsewhere the account needs the role CsServerAdministrator or CsAdministrator"
)


@dataclass(frozen=True)
class WindowsService:
    """A Windows service of the product. status: as the product spells it, such as Running, Stopped, StartPending."""

    name: str
    display_name: str
    status: str

    @property
    def running(self) -> bool:
        return self.status.casefold() == "running"

    @property
    def stopped(self) -> bool:
        """Whether it may be started. Windows refuses to start a service in any other status."""
        return self.status.casefold() == "stopped"

    @property
    def draining(self) -> bool:
        """Whether it was stopped gracefully and sessions still last: a service of the product is Paused meanwhile."""
        return self.status.casefold() == "paused"

    @property
    def pending(self) -> bool:
        """Whether it gets into another status by itself within seconds."""
        return self.status.casefold().endswith("pending")

    @property
    def changing(self) -> bool:
        """Whether it gets into another status by itself, perhaps much later."""
        return self.pending or self.draining

    @property
    def is_xmpp(self) -> bool:
        """The gateway of a Front End and the proxy of an Edge have "XMPP" in their display name, as documented; of
        their service names only the gateway's, RTCXMPPTGW, is known.
        """
        return "XMPP" in self.display_name.upper()


def read_services(shell: Shell) -> list[WindowsService]:
    """All services of the product on this host. Raises Refused, ServerRefused, ShellError."""
    return services_of(read_objects(shell, Statement("Get-CsWindowsService"), _UNKNOWN))


def services_of(items: t.Iterable[t.Mapping[str, t.Any]]) -> list[WindowsService]:
    """The services that Get-CsWindowsService returned. Raises Refused."""
    found: list[WindowsService] = []
    for item in items:
        texts = [item.get("Name"), item.get("DisplayName"), item.get("Status")]
        if not all(isinstance(text, str) for text in texts) or not texts[0] or not texts[2]:
            raise Refused(["Get-CsWindowsService: Name, DisplayName or Status of a service is not a text"])
        service = WindowsService(*t.cast("list[str]", texts))
        if any(service.name.casefold() == other.name.casefold() for other in found):
            raise Refused(["Get-CsWindowsService: the service %s came back twice" % service.name])
        found.append(service)
    return found


def stop(name: str) -> Step:
    """Stop-CsWindowsService, as in the documented procedure for certificates. It ends the sessions of the service."""
    return Step("Stop-CsWindowsService", name, {"Name": name, "Confirm": False})


def stop_gracefully(name: str) -> Step:
    """Stop-CsWindowsService -Graceful: the service takes nothing new, and stops when its sessions have ended.

    NoWait: without it the call lasts as long as the sessions. Both are on the cmdlet's page.
    """
    return Step("Stop-CsWindowsService", name, {"Name": name, "Graceful": True, "NoWait": True, "Confirm": False})


def start(name: str) -> Step:
    """Start-CsWindowsService. It waits until the service has started."""
    return Step("Start-CsWindowsService", name, {"Name": name, "Confirm": False})
