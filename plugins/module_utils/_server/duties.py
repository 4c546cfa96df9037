# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs that an account can have on a server of each kind, and the cmdlets that each needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .._federation.catalogue import GRANT, PARTS, POLICY, REMOVALS, RESOURCES
from .._federation.deployment import USERS, getting

# What a job that only looks is called. The others have the name of their tag.
READ, CERTIFICATE, SERVICES = "read", "certificate", "services"
_SERVICE = "-CsWindowsService"


@dataclass(frozen=True)
class Duty:
    """name: the tag of converge that is the job, or READ or SERVICES. reads, writes: cmdlets."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...] = ()

    @property
    def cmdlets(self) -> tuple[str, ...]:
        return (*self.reads, *self.writes)


def _of_tag(tag: str) -> Duty:
    if tag == GRANT.part:
        return Duty(tag, (USERS, getting(POLICY)), ("Grant-" + POLICY.noun,))
    own = [one for one in RESOURCES if tag in (one.tag or one.limited_as, one.limited_as)]
    writes = [
        "%s-%s" % (verb, one.noun)
        for one in own
        for verb in (("Set",) if one.fixed or one.single else ("New", "Set", "Remove"))
    ]
    # Who has a policy is read before it changes, so that nobody loses rights.
    users = (USERS,) if POLICY in own else ()
    return Duty(tag, (*map(getting, own), *users), tuple(writes))


_SHARED = {one.limited_as for one in RESOURCES if one.tag}
# In the remote management shell.
AT_DOORS = (
    Duty(READ, tuple(map(getting, RESOURCES))),
    *(_of_tag(part) for part in PARTS if part != REMOVALS and part not in _SHARED),
)
# By WinRM. What starts and stops services belongs to the certificate, since its services restart.
_LOOK = Duty(READ, ("Get" + _SERVICE, "Get-CsCertificate"))
ON_EDGES = (
    _LOOK,
    Duty(
        CERTIFICATE,
        _LOOK.reads,
        (
            "Import-CsCertificate", "Remove-CsCertificate", "Request-CsCertificate", "Set-CsCertificate",
            "Start" + _SERVICE, "Stop" + _SERVICE,
        ),
    ),
)  # fmt: skip
ON_FRONT_ENDS = (_LOOK, Duty(SERVICES, ("Get" + _SERVICE,), ("Start" + _SERVICE, "Stop" + _SERVICE)))
