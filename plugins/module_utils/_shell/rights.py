# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the cmdlets that a session offers. A restricted endpoint offers only what the account's roles allow."""

from __future__ import annotations

import typing as t

from .statement import Shell, Statement

LIST = "Get-Command"
SELECT = "Select-Object"
# Every cmdlet of the product that the collection may send. A session is asked for all cmdlets at once. So every caller
# asks the same question, and the answer can be kept. A test compares this list with the code.
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
    # Cmdlets of PowerShell itself that read a server's other data.
    "Get-ChildItem", "Get-Date", "Get-NetTCPConnection", "Get-WinEvent", "Resolve-DnsName", "Test-NetConnection",
)  # fmt: skip

# The predefined role that has all of the product's cmdlets in the remote shell. Source, also for the roles below: the
# page "Planning for Role-Based Access Control". The page names duties, not cmdlets. Get-CsAdminRole lists the cmdlets.
ADMINISTRATOR = "CsAdministrator"
# The other roles, the narrowest first, with the cmdlets that follow from their duties.
_OTHERS: tuple[tuple[str, t.Callable[[str], bool]], ...] = (
    # This role assigns policies that exist, and cannot change them.
    (
        "CsUserAdministrator",
        {
            "Get-CsUser",
            "Get-CsEffectivePolicy",
            "Get-CsExternalAccessPolicy",
            "Grant-CsExternalAccessPolicy",
        }.__contains__,
    ),
    # This role reads everything.
    ("CsViewOnlyAdministrator", lambda name: name.startswith("Get-Cs")),
    # This role starts and stops services.
    ("CsServerAdministrator", lambda name: name.endswith("-CsWindowsService")),
)


def roles_with(cmdlets: t.Collection[str]) -> tuple[str, ...]:
    """Return the predefined roles that have all of these cmdlets, the narrowest first."""
    return (*(role for role, has in _OTHERS if all(map(has, cmdlets))), ADMINISTRATOR)


def needed(cmdlets: t.Collection[str]) -> str:
    """Return what an account needs to have these cmdlets, as the text of a message."""
    # No remote shell of the product has the cmdlets for certificates.
    if any(name.endswith("-CsCertificate") for name in cmdlets):
        return (
            "An account in the group Administrators of the server is needed, with the product's module in its session"
        )
    return "%s is needed, or a role of your own with %s" % (
        " or ".join(roles_with(cmdlets)),
        "it" if len(cmdlets) == 1 else "them",
    )


def lacks(account: str, cmdlets: t.Sequence[str], wants: str) -> str:
    """Return the message for an account whose session does not offer some cmdlets.

    account: the account's name; empty if the name is unknown.
    cmdlets: the cmdlets that are missing.
    wants: what the account cannot do without the cmdlets, as an infinitive.
    """
    text = "%s may not %s. Its session does not offer %s. %s"
    return text % (account or "the session's account", wants, ", ".join(cmdlets), needed(cmdlets))


def question(cmdlets: t.Iterable[str] = ()) -> Statement:
    """Return the statement that asks which cmdlets of KNOWN and of ``cmdlets`` the session offers.

    A session keeps the answer. The question always includes Select-Object, because the session must know whether the
    server can select properties. The Select-Object of a restricted session accepts both selected properties.
    """
    return Statement(LIST, {"Name": (*sorted({*KNOWN, *cmdlets}), SELECT)}, select=("Name", "CommandType"))


def missing(shell: Shell, cmdlets: t.Iterable[str]) -> set[str] | None:
    """Return the cmdlets that the session does not offer; None if unknown. Needs one request a session.

    A cmdlet is missing only if the server reports so. Source: the page of Get-Command. For each unknown name the cmdlet
    writes an error and continues with the other names. Raises ShellError without a session.
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
            return None  # The error is not about a missing cmdlet. For example, Get-Command itself failed.
        denied.add(name)
    if not wanted.keys() <= found | denied or found & denied:
        return None
    return {name for folded, name in wanted.items() if folded in denied}
