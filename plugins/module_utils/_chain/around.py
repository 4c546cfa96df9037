# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add the checks, the product's own backup and the replication to the plan of xmpp_federation.

The chain of conditions is read together with the kinds of objects, in one pipeline. The chain is checked against the
deployment as the plan will leave it. A broken link stops a plan that adds something, because no message could pass. A
plan that only removes something is never stopped.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import replace

from .._base.result import Failure, Params, Refused, ServerRefused
from .._base.step import Step
from .._federation.access import Access
from .._federation.catalogue import RESOURCES
from .._federation.deployment import Deployment, Reader, Records, getting
from .._federation.guard import BREAKS_PARTNER
from .._federation.identity import Identity, read_identity
from .._federation.resource import Resource
from .._federation.surroundings import Surroundings
from .._shell.statement import Shell, Statement, place_of
from .._topology.replicate import PUSHED, Replication
from .._topology.replication import PUSH, Time
from .._topology.topology import CENTRAL, READINGS, Topology, topology_of
from .known import Known
from .links import RIGHTS
from .planned_impact import PlannedImpact
from .probe_found import ProbeFound
from .walk import Obstacle, accepted, idle, short_lines, walk

EXPORT = "Export-CsConfiguration"
# The sites are not read a second time: the routes are one of the kinds.
BESIDE = (CENTRAL, *(one for one in READINGS if one.name != "sites"))


class Around(Surroundings):
    """Connect the checks, the backup and the replication to a run.

    name: returns the name of an option in messages.
    probing: options of the probe; used only if ``probe_first`` is set.
    impact: whether the result shows the plan's effect on users.
    """

    def __init__(
        self,
        params: Params,
        shell: Shell,
        name: t.Callable[[str], str] = str,
        clock: Time = time,
        probing: Params | None = None,
        impact: bool = False,
    ) -> None:
        self._shell, self._name = shell, name
        self._probing = (probing or {}) if params.get("probe_first") else None
        self._may_break = BREAKS_PARTNER in (params.get("allow") or ())
        self._probed = ProbeFound()
        self._impact = PlannedImpact(params, name, impact)
        self._reader: Reader | None = None
        self._before: Deployment | None = None  # all kinds, before the plan
        self._preflight, self._ignore = bool(params["preflight"]), list(params["preflight_ignore"])
        self._backup = str(params["configuration_backup"] or "")
        self._replication = Replication(
            params["replication"], params["replication_timeout"], clock, name("replication")
        )
        self._topology: Topology | None = None
        self._others: dict[str, Records] = {}  # kinds that the plan does not need
        self._known = Known()
        self._found: list[Obstacle] | None = None  # None: not checked
        self._ignored: list[str] = []
        self._adds = False
        self._kept = False
        sent = {EXPORT: bool(self._backup), PUSH: params["replication"] == PUSHED}
        self.cmdlets = tuple(cmdlet for cmdlet, wanted in sent.items() if wanted)

    # Reading

    def kinds(self, reader: Reader, resources: t.Sequence[Resource]) -> Deployment:
        """Read the declared kinds of objects. With preflight or impact, also read the topology and other kinds."""
        if not (self._preflight or self._impact.wanted) or not resources:
            return reader.identified(resources)
        self._reader = reader
        wanted = {resource.part for resource in resources}
        self._topology = Topology()
        try:
            whole, items = reader.kinds_and(RESOURCES, BESIDE)
        except ServerRefused:  # the plan possibly does not need the refused cmdlets: read only its own kinds
            label = place_of(self._shell).deployment
            return replace(reader.kinds(resources), identity=read_identity(self._shell, label))
        items.require(map(getting, resources))
        self._before = whole
        with contextlib.suppress(ServerRefused):
            self._topology = topology_of(items, place_of(self._shell).host)
        pools = self._topology.pools
        homes = None if pools is None else tuple(pool for pool in pools if pool.registrar)
        self._others = {part: own for part, own in whole.records.items() if part not in wanted}
        records = {part: own for part, own in whole.records.items() if part in wanted}
        return replace(whole, records=records, pools=homes, identity=self._identity())

    def _identity(self) -> Identity:
        topology = self._topology or Topology()
        return Identity(place_of(self._shell).deployment, topology.central, tuple(sorted(topology.sip_domains or ())))

    # Checks

    def look(self, after_plan: Deployment, steps: t.Sequence[Step]) -> None:
        if self._probing is not None:
            own = after_plan.identity.sip_domains or self.sip_domains(self._shell) or ()
            self._probed = self._probe(steps, self._probing, own)
        self._look_at_users(after_plan, steps)
        if self._topology is None or not self._preflight:
            return
        self._judge(Known(self._topology, self._whole(after_plan), wants_users=False))
        self._adds = any(map(adds, steps))

    def _look_at_users(self, after_plan: Deployment, steps: t.Sequence[Step]) -> None:
        if self._reader is not None and self._topology is not None:
            before = self._before or replace(after_plan, records={})
            self._impact.look(self._reader, self._topology, before, self._whole(after_plan), steps)

    def _probe(self, steps: t.Sequence[Step], settings: Params, own: t.Sequence[str]) -> ProbeFound:
        # Imported here: a run without a probe does not load the probe.
        from .probe_first import changes_of, probe

        changes = changes_of(steps)
        return probe(changes, settings, own, self._name, self._may_break) if changes else ProbeFound()

    def _judge(self, known: Known) -> None:
        self._known = known
        self._found, self._ignored = accepted(walk(known), self._ignore)

    def sip_domains(self, shell: Shell) -> tuple[str, ...] | None:
        """Return the SIP domains. If the chain was read, no request is sent."""
        return super().sip_domains(shell) if self._topology is None else self._topology.sip_domains

    def refusals(self) -> list[str]:
        blocking = self._blocking() if self._adds else []
        text = "no message could pass: %s (%s); to run anyway, add %s to %s"
        option = self._name("preflight_ignore")
        return [
            *(text % (one.message, one.remedy, one.code, option) for one in blocking),
            *self._probed.refusals,
            *self._impact.refusals(),
        ]

    def _blocking(self) -> list[Obstacle]:
        return [one for one in self._found or () if one.blocks]

    def may_send(self, access: Access) -> list[str]:
        if self._found is not None:
            self._judge(replace(self._known, rights=access.text))
        who, lacking = access.account or "the session's account", access.beside
        if PUSH in lacking:
            self._replication.not_offered(who)
        text = (
            "%s: %s is not offered to %s; make the backup in the Management Shell of a server, and run without the"
            " variable"
        )
        return [text % (self._name("configuration_backup"), EXPORT, who)] if EXPORT in lacking else []

    # Around the writes

    def before(self, shell: Shell, steps: t.Sequence[Step]) -> None:
        if self._backup:
            self._back_up(shell)
        self._replication.before(shell, steps)

    def _back_up(self, shell: Shell) -> None:
        answer = shell.invoke([Statement(EXPORT, {"FileName": self._backup})])
        if answer.errors or answer.lost:
            said = answer.errors[0].message if answer.errors else answer.lost
            text = "%s: %s failed, so there is no backup: %s"
            raise Refused([text % (self._name("configuration_backup"), EXPORT, said)])
        self._kept = True

    def after(self, shell: Shell, deployment: Deployment, done: t.Sequence[Step]) -> list[Failure]:
        return self._replication.run(shell, self._topology, self._whole(deployment), done)

    def _whole(self, deployment: Deployment) -> Deployment:
        return replace(deployment, records={**self._others, **deployment.records})

    # The report

    def lines(self, check: bool) -> list[str]:
        # The missing rights of the account are not shown here: the report already shows the missing rights next to the
        # plan.
        found = short_lines([one for one in self._found or () if one.code != RIGHTS])
        found += ["Accepted (%s): %s" % (self._name("preflight_ignore"), ", ".join(self._ignored))] * bool(
            self._ignored
        )
        codes = ", ".join(one.code for one in self._blocking()) if self._adds else ""
        if check and codes:
            found.append("A real run would be refused before its first write: %s." % codes)
        if check:
            found += ["A real run would be refused before its first write: %s" % text for text in self._probed.refusals]
        found += self._impact.lines(check)
        if self._kept:
            found.append("The backup of Export-CsConfiguration is on the server: %s" % self._backup)
        return [*found, *self._replication.lines()]

    def values(self) -> dict[str, t.Any]:
        values: dict[str, t.Any] = {}
        if self._found is not None:
            values["preflight"] = {
                "findings": [one.as_dict() for one in self._found],
                "blocking": [one.code for one in self._blocking()],
                "ignored": self._ignored,
            }
        if self._probed.probed:
            values["probed"] = [dict(one) for one in self._probed.probed]
        if self._kept:
            values["configuration_backup"] = self._backup
        return {**values, **self._impact.values(), **self._replication.values()}

    def of_plan(self) -> dict[str, t.Any]:
        return self._impact.of_plan()

    def warnings(self) -> list[str]:
        text = "%s: the finding %s no longer occurs; remove the finding from the list"
        spare = [] if self._found is None else idle(self._ignore, self._ignored, self._known)
        return [*(text % (self._name("preflight_ignore"), code) for code in spare), *self._probed.doubts]


def adds(step: Step) -> bool:
    """Return whether a step adds a right or a partner, which has no use while no message can pass.

    Changes of other settings are not checked.
    """
    if step.part == "grants":
        return bool((step.after or {}).get("policy"))
    if step.part not in ("policies", "partners") or step.expect is None:
        return False
    before = step.before
    if before is None:
        return True
    new = ((value, before.get(option)) for option, value in step.expect.items())
    return any(set(value) - set(had or ()) if isinstance(value, list) else value is True for value, had in new)
