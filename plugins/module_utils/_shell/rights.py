# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cmdlets a session offers: a restricted endpoint knows just those that the account's roles allow."""

from __future__ import annotations

import typing as t

from .statement import Shell, Statement

LIST = "Get-Command"
SELECT = "Select-Object"
# Every cmdlet of the product that the collection may send. A session is asked for all of them at once, so that the
# question is the same whoever asks, and its answer can be kept. A test compares this with the code.
KNOWN = (
    "Export-CsConfiguration", "Get-CsAccessEdgeConfiguration", "Get-CsAllowedDomain", "Get-CsBlockedDomain",
    "Get-CsCertificate", "Get-CsComputer", "Get-CsEffectivePolicy", "Get-CsExternalAccessPolicy",
    "Get-CsHealthMonitoringConfiguration", "Get-CsManagementStoreReplicationStatus", "Get-CsPool",
    "Get-CsServerVersion", "Get-CsService", "Get-CsSipDomain", "Get-CsSite", "Get-CsUser", "Get-CsWindowsService",
    "Get-CsXmppAllowedPartner", "Get-CsXmppGatewayConfiguration", "Grant-CsExternalAccessPolicy",
    "Import-CsCertificate", "Invoke-CsManagementStoreReplication", "New-CsExternalAccessPolicy",
    "New-CsXmppAllowedPartner", "Remove-CsCertificate", "Remove-CsExternalAccessPolicy",
    "Remove-CsXmppAllowedPartner", "Request-CsCertificate", "Set-CsAccessEdgeConfiguration", "Set-CsCertificate",
    "Set-CsExternalAccessPolicy", "Set-CsSite", "Set-CsXmppAllowedPartner", "Set-CsXmppGatewayConfiguration",
    "Start-CsWindowsService", "Stop-CsWindowsService", "Test-CsXmppIM",
    # Of PowerShell itself, what is read of a server beside the product.
    "Get-ChildItem", "Get-Date",
)  # fmt: skip

# The predefined role that has all of the product's cmdlets in the remote shell. Source: the page "Planning for
# Role-Based Access Control", as for the others below. It names duties, and no cmdlets: Get-CsAdminRole lists these.
ADMINISTRATOR = "CsAdministrator"
# The others, the narrowest first, with those of their cmdlets that follow from these duties.
_OTHERS: tuple[tuple[str, t.Callable[[str], bool]], ...] = (
    # Assigns policies that exist, and cannot change them.
    (
        "CsUserAdministrator",
        {
            "Get-CsUser",
            "Get-CsEffectivePolicy",
            "Get-CsExternalAccessPolicy",
            "Grant-CsExternalAccessPolicy",
        }.__contains__,
    ),
    # Looks at everything.
    ("CsViewOnlyAdministrator", lambda name: name.startswith("Get-Cs")),
    # Starts and stops services.
    ("CsServerAdministrator", lambda name: name.endswith("-CsWindowsService")),
)


def roles_with(cmdlets: t.Collection[str]) -> tuple[str, ...]:
    """The predefined roles that have all of these cmdlets, the narrowest first."""
    return (*(role for role, has in _OTHERS if all(map(has, cmdlets))), ADMINISTRATOR)


def needed(cmdlets: t.Collection[str]) -> str:
    """What an account needs that is to have these cmdlets, for a message."""
    if any(name.endswith("-CsCertificate") for name in cmdlets):  # no remote shell of the product has these
        return "an account in the group Administrators of the server is needed, and the product's module in its session"
    return "%s is needed, or a role of your own with %s" % (
        " or ".join(roles_with(cmdlets)),
        "it" if len(cmdlets) == 1 else "them",
    )


def lacks(account: str, cmdlets: t.Sequence[str], wants: str) -> str:
    """What is to be said of an account that is not offered these. wants: what it may not do."""
    verb = "is" if len(cmdlets) == 1 else "are"
    text = "%s may not %s: %s %s not offered to it; %s"
    return text % (account or "the session's account", wants, ", ".join(cmdlets), verb, needed(cmdlets))


def question(cmdlets: t.Iterable[str] = ()) -> Statement:
    """Which cmdlets the session offers, of KNOWN and of these. A session keeps the answer.

    Always asks for Select-Object too: its answer tells the session what it cuts. Both properties are among those that
    the Select-Object of a restricted session takes.
    """
    return Statement(LIST, {"Name": (*sorted({*KNOWN, *cmdlets}), SELECT)}, select=("Name", "CommandType"))


def missing(shell: Shell, cmdlets: t.Iterable[str]) -> set[str] | None:
    """Those of the cmdlets that the session does not offer; None where that cannot be known. One request a session.

    A cmdlet is missing only if the server says so. Source: the page of Get-Command, which writes an error for each name
    that it does not know and goes on with the others. Raises ShellError if there is no session.
    """
    wanted = {name.casefold(): name for name in cmdlets}
    if not wanted:
        return set()
    asked = question(wanted.values())
    answer = shell.invoke([asked])
    if answer.lost or answer.refused:
        return None
    names = {str(name).casefold() for name in t.cast("tuple[str, ...]", asked.parameters["Name"])}
    found = {str(item.get("Name")).casefold() for item in answer.output if isinstance(item, dict)}
    denied = set()
    for error in answer.errors:
        name = error.target.casefold()
        if "CommandNotFound" not in error.error_id or name not in names:
            return None  # about something else, such as Get-Command itself
        denied.add(name)
    if not wanted.keys() <= found | denied or found & denied:
        return None
    return {name for folded, name in wanted.items() if folded in denied}
