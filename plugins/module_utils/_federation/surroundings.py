# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has around its plan: what federation depends on, a backup before the writes, replication after them.

The modules for single kinds have nothing of it. What xmpp_federation has is in _topology, which knows pools and
replicas.
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
    """A run without any. Each is called at its place in the sequence (converge.py), and only there.

    cmdlets: what it may send beside the plan's steps, for the one question about rights.
    """

    cmdlets: tuple[str, ...] = ()

    def kinds(self, reader: Reader, resources: t.Sequence[Resource]) -> Deployment:
        """The one reading: these kinds, and in the same pipeline whatever else is to be known."""
        return reader.identified(resources)

    def look(self, after_plan: Deployment, steps: t.Sequence[Step]) -> None:
        """What speaks against the steps. after_plan: what they will make of the deployment."""

    def sip_domains(self, shell: Shell) -> tuple[str, ...] | None:
        """The SIP domains of the deployment, asked for where the plan adds domains. None: not readable."""
        return read_sip_domains(shell)

    def refusals(self) -> list[str]:
        """Why a run may not begin."""
        return []

    def may_send(self, access: Access) -> list[str]:
        """Why a run may not begin, where the session does not offer some of ``cmdlets``. access: what it offers."""
        return []

    def before(self, shell: Shell, steps: t.Sequence[Step]) -> None:
        """Right before the first write of these steps. Raises Refused."""

    def after(self, shell: Shell, deployment: Deployment, done: t.Sequence[Step]) -> list[Failure]:
        """When these steps were written. Raises nothing that a server may cause."""
        return []

    def lines(self, check: bool) -> list[str]:
        """What people are told, below the plan."""
        return []

    def values(self) -> dict[str, t.Any]:
        """Return keys of the task."""
        return {}

    def of_plan(self) -> dict[str, t.Any]:
        """What the file of a plan has beside the plan."""
        return {}

    def warnings(self) -> list[str]:
        return []
