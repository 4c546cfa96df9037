# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do one stage of the removal of XMPP federation (see plugin_utils/_playbooks/decommission.py)."""

from __future__ import annotations

import os
import typing as t

from ..module_utils._base.result import Refused
from ..module_utils._federation.files import safe
from ..module_utils._federation.guard import IMPACT
from ..module_utils._probe.own_domains import own_domains
from ..modules.xmpp_decommission import TASK
from ..plugin_utils._actions import state
from ..plugin_utils._actions.deployment import connected
from ..plugin_utils._actions.in_process import skipped
from ..plugin_utils._actions.playbook import PlaybookAction, results_of
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._actions.usage import usage_of
from ..plugin_utils._documents.show import show
from ..plugin_utils._files import export, output
from ..plugin_utils._files.kept import kept_files
from ..plugin_utils._playbooks import decommission, left_over, usage
from ..plugin_utils._playbooks.outcome import went_wrong
from ..plugin_utils._playbooks.server_reads import certificates
from ..plugin_utils._playbooks.verification import own_certificate
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.source import settings_of, source_of

Result = dict[str, t.Any]

# The names under which the playbook keeps the results of its tasks.
EXISTING, TOPOLOGY = "decommission_existing", "decommission_topology"
DONE, UNBOUND = "decommission_done", "decommission_unbound"
_PASSED_ON = ("replication_timeout", "snapshot_directory", "snapshot_keep", "impact_limit")


class ActionModule(PlaybookAction, ReportingAction):
    """Do the stage that is due on a management host, and the Edge's part of the stage on an Edge."""

    work_of = TASK

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        variables = task_vars or {}
        phase = self._task.args.get("phase")
        unbinds = phase == "unbind"
        result = super().run(tmp, variables)
        if phase == "left":
            return result
        mine = servers_in(variables).of(str(variables["inventory_hostname"]))
        earlier: list[Result] = []
        if unbinds:
            earlier += results_of(variables, mine.doors, DONE).values()
            earlier += results_of(variables, mine.edges, UNBOUND).values()
        return self._reported(result, variables, earlier)

    def _decide(self, variables: Result) -> Result:
        self._own = str(variables["inventory_hostname"])
        self._servers = servers_in(variables)
        self._mine = self._servers.of(self._own)
        phases = {"unbind": self._unbind, "left": self._left}
        return phases.get(str(self._task.args.get("phase")), self._stage)(variables)

    def _left(self, variables: Result) -> Result:
        """Show the manual steps after the last stage, also in check mode. Raises Refused."""
        done = results_of(variables, [self._own], DONE).get(self._own, {})
        if decommission.stage_of([done]) not in decommission.LAST:
            return skipped("the deployment %s is at another stage, or another host did the work" % self._mine.label)
        values = settings_of(self, variables, self.playbook).values
        topology = results_of(variables, [self._own], TOPOLOGY)[self._own]
        certificate = certificate_of(self, variables)
        unbound = results_of(variables, self._mine.edges, UNBOUND)
        found = left_over.left_over(
            left_over.WayOut(
                servers=tuple(self._reached(host, variables) for host in (*self._mine.edges, *self._mine.front_ends)),
                edges=tuple(left_over.keys_of(edge, unbound.get(edge)) for edge in self._mine.edges),
                own_domains=tuple(own_domains(topology["sip_domains"] or [], own_certificate(certificate).names)),
                account=self._value(self._own, left_over.USER, variables),
                source=certificate.get("source") or {},
                files=tuple(
                    kept_files(
                        state.state_directory(self, variables),
                        state.snapshot_directory(self, variables),
                        self._mine.label,
                        certificate,
                        self._into(values),
                    )
                ),
            )
        )
        report = self._show(left_over.lines(found), variables)
        return {"changed": False, "left": [one.as_dict() for one in found], "report": report}

    def _reached(self, host: str, variables: Result) -> left_over.ReachedServer:
        user, port, protocol = (self._value(host, names, variables) for names in left_over.REACHED)
        return left_over.reached(host, user, port, protocol)

    def _value(self, host: str, names: t.Sequence[str], variables: Result) -> str:
        """Return the value of the last of these variables that a host has; empty if the host has no such variable.

        Raises Refused.
        """
        source = source_of(self, variables if host == self._own else variables["hostvars"][host])
        named = [name for name in names if name in source.names]
        try:
            return str(source.value(named[-1]) or "") if named else ""
        except ValueError as exc:
            raise Refused(["%s of %s cannot be evaluated: %s" % (named[-1], host, exc)]) from None

    def _into(self, values: t.Mapping[str, t.Any]) -> str:
        return output.directory_of(str(values.get("into", "sfb-xmpp-decommission")), self._servers, self._mine.label)

    def _unbind(self, variables: Result) -> Result:
        stage = decommission.stage_of(list(results_of(variables, self._mine.doors, DONE).values()))
        if stage not in decommission.LAST:
            return skipped("the deployment %s is at another stage" % self._mine.label)
        return self._hand_on("xmpp_gateway_cert", {"usages": ["XmppServer"], "state": "absent"}, variables)

    def _stage(self, variables: Result) -> Result:
        """Do the stage that is due. Raises Refused before anything is written."""
        values = dict(settings_of(self, variables, self.playbook).values)
        check = bool(self._task.check_mode)
        wanted = decommission.sentence(self._mine.label)
        if not check and values.get("decommission") != wanted:
            argument = decommission.argument(self._mine.label)
            show(["This removes XMPP federation permanently. To confirm, add:", "  " + argument])
            raise Refused(["this removes XMPP federation permanently. Confirm it with %s" % argument])
        info = results_of(variables, [self._own], EXISTING)[self._own]
        topology = results_of(variables, [self._own], TOPOLOGY)[self._own]
        used = usage_of(values.get("usage"))
        into = self._into(values)
        edges = self._mine.edges
        stage = decommission.find_stage(
            info,
            asked=str(values.get("decommission_stage", "")),
            exported=os.path.exists(os.path.join(into, export.VARIABLES)),
            protect=_names(values.get("protect")),
            bound=decommission.bound_edges(edges, {edge: certificates(connected(variables, edge)) for edge in edges}),
        )
        if stage.name in decommission.LAST:
            decommission.check_topology(topology["edge_pools"])
        if stage.kept:
            show(["sfb_xmpp_protect keeps %s." % ", ".join(stage.kept)])
        result = self._do(stage, info, topology, into, values, variables)
        if went_wrong(result) or result.get("skipped"):
            return result
        found = usage.compare(used, info["partners"], topology["sip_domains"] or []) if used else None
        shown = usage.lines(found) if found and stage.name in decommission.WITH_PARTNERS else []
        lines = [*shown, "Stage: " + stage.name, decommission.what_next(stage.name, check)]
        if values.get("decommission") != wanted:
            lines += ["To do this stage, run without --check and add:", "  " + decommission.argument(self._mine.label)]
        show(lines)
        told: Result = {"stage": stage.name, "kept": list(stage.kept), "report": [*result.get("report", ()), *lines]}
        return {**result, **told, **({"usage": found.as_dict()} if found else {})}

    def _do(
        self,
        stage: decommission.Stage,
        info: Result,
        topology: Result,
        into: str,
        values: t.Mapping[str, t.Any],
        variables: Result,
    ) -> Result:
        if stage.name == "export":
            declared = own_certificate(values.get("certificate") or {})
            own = own_domains(topology["sip_domains"] or [], declared.names)
            kept = export.files(export.make_export(info), deployment=self._mine.label, host=self._own)
            export.check_ours(into, kept)
            sheets = decommission.sheets(info, own, str(values.get("decommission_date", "")), safe)
            # The inventory's file is written last. If this file exists, the stage is done.
            texts = {os.path.join(into, name): text for name, text in (*sheets.items(), *reversed(kept.items()))}
            # The sheets are sent to partners, so other users may read them. The export names users.
            return output.write(
                texts, bool(self._task.check_mode), shared={os.path.join(into, name) for name in sheets}
            )
        if stage.name not in ("remove", "route"):
            return {"changed": False}
        options: Result = {name: values[name] for name in _PASSED_ON if name in values}
        options["replication"] = "wait"
        allowed = [word for word in _names(values.get("allow")) if word == IMPACT]
        if stage.name == "route":
            options.update(federation_routes=list(stage.routes), allow=["clear_route", *allowed])
        else:
            # Policies lose only XMPP, for all users of the policies. The purge does not remove protected partners.
            options.update(policies=list(stage.policies), partners=[], partners_purge=True)
            options.update(protect=_names(values.get("protect")))
            options.update(allow=["empty_purge", "large_purge", "many_updates", *allowed])
        return self._hand_on("xmpp_federation", options, variables)


def _names(value: t.Any) -> list[str]:
    """Return a list of names. The value can be a text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(one) for one in value or ()]
