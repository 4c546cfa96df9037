# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A partner by two cmdlets over ansible.builtin.psrp, with a session of its own: a task per partner without this
collection. For the benchmark only: it does what a script on the server would do, and the lab runs no scripts.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc, unused-ignore]
    """Arguments: ``domain`` and ``description``."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        from pypsrp.powershell import PowerShell

        connection: t.Any = self._connection
        connection._connect()
        domain, description = (str(self._task.args[name]) for name in ("domain", "description"))
        shell = PowerShell(connection.runspace)
        shell.add_cmdlet("Get-CsXmppAllowedPartner").add_parameter("Identity", domain)
        (had,) = shell.invoke()
        changed = {**had.adapted_properties, **had.extended_properties}["Description"] != description
        if changed:
            shell = PowerShell(connection.runspace)
            shell.add_cmdlet("Set-CsXmppAllowedPartner").add_parameter("Identity", domain)
            shell.add_parameter("Description", description)
            shell.invoke()
        return {"changed": changed, "failed": bool(shell.streams.error)}
