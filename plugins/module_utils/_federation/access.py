# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a session may send what a plan would send. A view-only role reads everything, and has no cmdlet that writes.

The remote shell offers an account those cmdlets that its RBAC roles have (Get-CsAdminRole); the others do not exist.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.step import Step
from .._base.texts import some
from .._shell.rights import missing, needed, roles_with
from .._shell.statement import Shell, place_of

SET_SITE = "Set-CsSite"
# Whether the remote shell offers it to anyone is not documented, and there is another way.
_BY_HAND = (
    "set the route in Topology Builder (the site's properties, Federation route, Enable XMPP federation), publish, and"
    " run again"
)


@dataclass(frozen=True)
class Access:
    """lacking: cmdlets of the plan that the session does not offer. all_of_them: whether it offers no other either.

    beside: cmdlets that it does not offer, of those that the run would send beside its plan.
    """

    account: str
    lacking: tuple[str, ...] = ()
    all_of_them: bool = False
    beside: tuple[str, ...] = ()

    @property
    def only_routes(self) -> bool:
        """Whether nothing but routes is out of reach, which can be set elsewhere."""
        return self.lacking == (SET_SITE,) and not self.all_of_them

    @property
    def text(self) -> str:
        """What is to be told; empty where nothing is missing."""
        if not self.lacking:
            return ""
        who = self.account or "the session's account"
        what = "may read but not write" if self.all_of_them else "may not write all of this"
        verb = "is" if len(self.lacking) == 1 else "are"
        text = "%s %s: %s %s not offered to it; " % (who, what, some(self.lacking), verb)
        if SET_SITE not in self.lacking:
            return text + needed(self.lacking)
        roles = " or ".join(roles_with(self.lacking))
        if len(self.lacking) == 1:
            return text + "%s may have it, and if not, %s" % (roles, _BY_HAND)
        return text + "%s is needed, and if that has no %s either, %s" % (roles, SET_SITE, _BY_HAND)


def access_for(shell: Shell, steps: t.Sequence[Step], beside: t.Sequence[str] = ()) -> Access:
    """One request, where there are steps. What cannot be known is not missing. Raises ShellError.

    beside: cmdlets that are to be sent as well where the steps are.
    """
    cmdlets = list(dict.fromkeys(step.cmdlet for step in steps))
    found = missing(shell, [*cmdlets, *beside]) or set() if cmdlets else set()
    lacking = tuple(cmdlet for cmdlet in cmdlets if cmdlet in found)
    others = tuple(cmdlet for cmdlet in beside if cmdlet in found)
    return Access(place_of(shell).account, lacking, bool(lacking) and len(lacking) == len(cmdlets), others)
