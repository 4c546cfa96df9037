# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the work around a plan: checks before the plan, a backup before the writes, and replication after them.

The modules for single kinds use this class, which does nothing. xmpp_federation uses the class in _topology. That class
knows pools and replicas.
"""

from __future__ import annotations

import typing as t

from .._base.result import Failure
from .._base.step import Step
from .._shell.statement import Shell
from .access import Access
from .deployment import Deployment, Reader
from .resource import Resource
from .sip_domains import read_sip_domains


class Surroundings:
    """Do no work around the plan. The sequence in converge.py calls each method at one place.

    cmdlets: the cmdlets that a run can send in addition to the steps, for the check of rights.
    """

    cmdlets: tuple[str, ...] = ()

    def kinds(self, reader: Reader, resources: t.Sequence[Resource]) -> Deployment:
        """Read these kinds, and in the same pipeline everything that the work around the plan needs."""
        return reader.identified(resources)

    def look(self, after_plan: Deployment, steps: t.Sequence[Step]) -> None:
        """Check the expected deployment after the plan.

        after_plan: the deployment after the plan.
        steps: the steps of the plan.
        """

    def sip_domains(self, shell: Shell) -> tuple[str, ...] | None:
        """Return the SIP domains of the deployment; None if the account cannot read the domains.

        Called if the plan adds domains.
        """
        return read_sip_domains(shell)

    def refusals(self) -> list[str]:
        """Return the reasons to refuse the run."""
        return []

    def may_send(self, access: Access) -> list[str]:
        """Return the reasons to refuse the run if the session lacks some of ``cmdlets``.

        access: what the session does not offer.
        """
        return []

    def before(self, shell: Shell, steps: t.Sequence[Step]) -> None:
        """Do the work right before the first write. Raises Refused."""

    def after(self, shell: Shell, deployment: Deployment, done: t.Sequence[Step]) -> list[Failure]:
        """Do the work after the writes. Return failures. Raises no errors that a server can cause.

        deployment: the deployment after the writes.
        done: the steps that took effect.
        """
        return []

    def lines(self, check: bool) -> list[str]:
        """Return the lines to print below the plan."""
        return []

    def values(self) -> dict[str, t.Any]:
        """Return the additional keys of the module's result."""
        return {}

    def of_plan(self) -> dict[str, t.Any]:
        """Return the additional facts for a plan file."""
        return {}

    def warnings(self) -> list[str]:
        return []
