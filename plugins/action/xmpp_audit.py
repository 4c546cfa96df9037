# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit a deployment: read, plan, probe, and write the files (see plugin_utils/_playbooks/audit_decide.py)."""

from __future__ import annotations

import datetime
import os
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._base import user_names
from ..module_utils._base.change_control import control_of
from ..module_utils._base.names import Invalid
from ..module_utils._base.result import Refused
from ..module_utils._base.texts import utc
from ..module_utils._probe.tasks import READ as PROBE
from ..module_utils._x509.renewal import SHARE, RenewalRule
from ..modules.xmpp_audit import TASK
from ..plugin_utils._actions.deployment import connected
from ..plugin_utils._actions.in_process import failed, skipped
from ..plugin_utils._actions.playbook import PlaybookAction
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._documents import audit_files as files
from ..plugin_utils._documents.audit_document import Audit
from ..plugin_utils._documents.show import show
from ..plugin_utils._files.output import directory_of
from ..plugin_utils._playbooks import accepted, server_reads
from ..plugin_utils._playbooks.audit_decide import access_edge, decide, lines, outcome, probe_options
from ..plugin_utils._playbooks.forecast import DAYS, Ahead
from ..plugin_utils._playbooks.outcome import CHANGES, FAILED, OK, RunOutcome, digest_of
from ..plugin_utils._servers.connected import Connected
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]
Variables = dict[str, t.Any]
Settings = t.Mapping[str, t.Any]


class ActionModule(PlaybookAction, ReportingAction):
    """Write the audit, in check mode too, because the files are written on the controller only."""

    work_of = TASK

    def _decide(self, variables: Variables) -> Result:
        self._task.check_mode = True  # for all later work: nothing is written on a server
        # The call also chooses the first host of the deployment that answers.
        existing = self._hand_on("xmpp_federation_info", {}, variables)
        if existing.get("skipped") or existing.get("failed"):
            return existing
        plan = self._try("xmpp_federation", {}, variables)
        if plan.get("skipped"):  # the tags belong to a playbook that imports the audit
            return skipped(str(plan.get("skip_reason") or "no plan was made"))
        try:
            settings = settings_of(self, variables, self.playbook).values
            probe = self._probe(existing, settings, variables)
            given = {"existing": existing, "plan": plan, "probe": probe, "views": self._views(variables)}
            return self._audit(user_names.shown(given), settings, variables)
        except Refused as exc:
            return self._reported(failed(exc.reasons), variables)

    def _probe(self, existing: Result, settings: Settings, variables: Variables) -> Result:
        """Probe the partners from the controller. Raises Refused."""
        if not boolean(settings.get("audit", {}).get("probe", True)):
            return skipped("sfb_xmpp_audit.probe is false")
        # The certificate selects from these domains. If the domains are missing, the probe reports the mistake.
        domains = self._try("xmpp_topology_info", {}, variables).get("sip_domains") or []
        verification = settings.get("verification", {})
        options = probe_options(verification, certificate_of(self, variables), domains)
        read = ["partners"] if verification.get("own_domains") else ["partners", "own_domains"]
        options = {**options, "partners": existing["partners"], "read": read}
        options["what_if"] = True
        return self._on_controller(PROBE, {**options, "views": list(self._views(variables).values())})

    def _views(self, variables: Variables) -> dict[str, Result]:
        """Return the results of xmpp_edge_view, by host. Raises Refused."""
        mine = servers_in(variables).of(str(variables["inventory_hostname"]))
        return server_reads.views(mine, {host: connected(variables, host) for host in mine.edges})

    def _audit(self, given: Result, settings: Settings, variables: Variables) -> Result:
        """Make the audit, write the audit's files, and return the result. Raises Refused."""
        fail_on = str(settings.get("audit", {}).get("fail_on") or "error")
        servers, host = servers_in(variables), str(variables["inventory_hostname"])
        own = servers.of(host)
        into = directory_of(str(settings.get("into") or "sfb-xmpp-audit"), servers, own.label)
        now = datetime.datetime.now(datetime.timezone.utc)
        results = {one: connected(variables, one) for one in own.hosts}
        try:
            audit = decide(
                deployment=own.label,
                host=host,
                time=utc(now),
                edges={edge: server_reads.certificates(results[edge]) for edge in own.edges},
                # The remote shell of a management host offers no certificates.
                front_ends={
                    one: server_reads.certificates(results[one]) for one in own.front_ends if one not in own.doors
                },
                services=server_reads.services(own, results),
                access_edge=access_edge(settings.get("verification", {}), certificate_of(self, variables)),
                previous=_previous(into),
                declared=settings,
                ahead=self._ahead(settings, results.values(), variables),
                accepted=accepted.read(settings.get("audit", {}).get("accepted") or (), now.date())[0],
                **given,
            )
        except Invalid as exc:
            raise Refused(["the results cannot be used: %s" % exc]) from None
        paths = files.save(into, audit, fail_on)
        report = lines(audit, paths, fail_on)
        show(report)
        result = {**outcome(audit, paths, fail_on), "report": report}
        drift = int(audit["summary"]["drift"])
        word = FAILED if result["sentence"] else CHANGES if drift else OK
        return self._reported(
            result, variables, own=RunOutcome(word, drift, digest_of(given["plan"]), result["sentence"])
        )

    def _ahead(self, settings: Settings, servers: t.Iterable[Connected | None], variables: Variables) -> Ahead:
        """Return the settings of the forecast. Raises Invalid, Refused."""
        seen = (one.server.product for one in servers if one and one.server and one.server.product)
        renew = certificate_of(self, variables).get("renew") or {}
        return Ahead(
            days=int(settings.get("audit", {}).get("forecast_days") or DAYS),
            releases=tuple(sorted({one.release for one in seen if one.release})),
            rule=RenewalRule(float(renew.get("lifetime_share") or SHARE), renew.get("days")),
            control=control_of(settings),
        )


def _previous(into: str) -> Audit | None:
    """Return the previous audit in the directory. Raises Refused."""
    try:
        return files.previous(into)
    except Invalid as exc:
        raise Refused(["%s: %s: %s" % (files.OPTION, os.path.join(into, files.JSON), exc)]) from None
