# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the product's Windows services of a host with Get-CsWindowsService, and make the calls that change services."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.reading import read_objects
from .._base.result import Refused
from .._base.step import Step
from .._shell.statement import Shell, Statement

_UNKNOWN = (
    "On an Edge server, set ansible_management_shell_modules to [SkypeForBusiness], or to [Lync] for Lync Server 2013. "
    "On other servers, give the account the role CsServerAdministrator or CsAdministrator"
)


@dataclass(frozen=True)
class WindowsService:
    """Describe a Windows service of the product.

    name, display_name: the names in Windows.
    status: the product's word, such as Running, Stopped, StartPending.
    """

    name: str
    display_name: str
    status: str

    @property
    def running(self) -> bool:
        return self.status.casefold() == "running"

    @property
    def stopped(self) -> bool:
        """Return whether the service may be started. Windows refuses to start a service with another status."""
        return self.status.casefold() == "stopped"

    @property
    def draining(self) -> bool:
        """Return whether the service was stopped gracefully and still has sessions. The status is then Paused."""
        return self.status.casefold() == "paused"

    @property
    def pending(self) -> bool:
        """Return whether the status changes by itself within seconds."""
        return self.status.casefold().endswith("pending")

    @property
    def changing(self) -> bool:
        """Return whether the status changes by itself, possibly much later."""
        return self.pending or self.draining

    @property
    def is_xmpp(self) -> bool:
        """Return whether this is an XMPP service: the gateway of a Front End or the proxy of an Edge.

        The gateway and the proxy have "XMPP" in their documented display name. Only the gateway's service name,
        RTCXMPPTGW, is known.
        """
        return "XMPP" in self.display_name.upper()


def read_services(shell: Shell) -> list[WindowsService]:
    """Return all services of the product on this host. Raises Refused, ServerRefused, ShellError."""
    return services_of(read_objects(shell, Statement("Get-CsWindowsService"), _UNKNOWN))


def services_of(items: t.Iterable[t.Mapping[str, t.Any]]) -> list[WindowsService]:
    """Return the services of an answer of Get-CsWindowsService. Raises Refused."""
    found: list[WindowsService] = []
    for item in items:
        texts = [item.get("Name"), item.get("DisplayName"), item.get("Status")]
        if not all(isinstance(text, str) for text in texts) or not texts[0] or not texts[2]:
            raise Refused(["Get-CsWindowsService: Name, DisplayName or Status of a service is not a string"])
        service = WindowsService(*t.cast("list[str]", texts))
        if any(service.name.casefold() == other.name.casefold() for other in found):
            raise Refused(["Get-CsWindowsService: returned the service %s twice" % service.name])
        found.append(service)
    return found


def stop(name: str) -> Step:
    """Return a call of Stop-CsWindowsService, which ends the sessions of the service.

    Source: the documented procedure for certificates.
    """
    return Step("Stop-CsWindowsService", name, {"Name": name, "Confirm": False})


def stop_gracefully(name: str) -> Step:
    """Return a call of Stop-CsWindowsService -Graceful.

    The service accepts no new sessions, and stops when its sessions have ended. Without NoWait the call lasts as long
    as the sessions. Source: the cmdlet's page.
    """
    return Step("Stop-CsWindowsService", name, {"Name": name, "Graceful": True, "NoWait": True, "Confirm": False})


def start(name: str) -> Step:
    """Return a call of Start-CsWindowsService, which waits until the service has started."""
    return Step("Start-CsWindowsService", name, {"Name": name, "Confirm": False})
