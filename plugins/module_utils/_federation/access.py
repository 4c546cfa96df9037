# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether a session may send the steps of a plan. A view-only role can read everything, but cannot write.

The remote shell offers an account only the cmdlets of its RBAC roles (Get-CsAdminRole).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.step import Step
from .._base.texts import some
from .._shell.rights import missing, needed, roles_with
from .._shell.statement import Shell, place_of

SET_SITE = "Set-CsSite"
# Microsoft does not document whether the remote shell offers Set-CsSite. So the message names the way without this
# cmdlet.
_BY_HAND = (
    "set the route in Topology Builder (the site's properties, Federation route, Enable XMPP federation), publish, and"
    " run again"
)


@dataclass(frozen=True)
class Access:
    """Describe what a session does not offer.

    account: the account of the session; empty if unknown.
    lacking: the missing cmdlets of the plan.
    all_of_them: whether the session offers no cmdlet of the plan.
    beside: the other missing cmdlets, which the run sends in addition to its plan.
    """

    account: str
    lacking: tuple[str, ...] = ()
    all_of_them: bool = False
    beside: tuple[str, ...] = ()

    @property
    def only_routes(self) -> bool:
        """Return whether the session lacks only Set-CsSite. An administrator can set routes in Topology Builder."""
        return self.lacking == (SET_SITE,) and not self.all_of_them

    @property
    def text(self) -> str:
        """Return the message; empty if nothing is missing."""
        if not self.lacking:
            return ""
        who = self.account or "the session's account"
        what = "can read but not write" if self.all_of_them else "cannot write all of this"
        text = "%s %s. Its session does not offer %s. " % (who, what, some(self.lacking))
        if SET_SITE not in self.lacking:
            return text + needed(self.lacking)
        roles = " or ".join(roles_with(self.lacking))
        if len(self.lacking) == 1:
            return text + "Use an account with %s. If it does not have the cmdlet either, %s" % (roles, _BY_HAND)
        return text + "Use an account with %s. If it does not have %s either, %s" % (roles, SET_SITE, _BY_HAND)


def access_for(shell: Shell, steps: t.Sequence[Step], beside: t.Sequence[str] = ()) -> Access:
    """Find the cmdlets that the session does not offer. This check of the steps needs one request. Raises ShellError.

    If the session gives no answer about a cmdlet, the cmdlet is not reported as missing.

    steps: the steps of the plan.
    beside: other cmdlets that the run sends together with the steps.
    """
    cmdlets = list(dict.fromkeys(step.cmdlet for step in steps))
    found = missing(shell, [*cmdlets, *beside]) or set() if cmdlets else set()
    lacking = tuple(cmdlet for cmdlet in cmdlets if cmdlet in found)
    others = tuple(cmdlet for cmdlet in beside if cmdlet in found)
    return Access(place_of(shell).account, lacking, bool(lacking) and len(lacking) == len(cmdlets), others)
