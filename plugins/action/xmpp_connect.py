# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect to a server, and read at once what the run needs of the server (see plugin_utils/_playbooks/connect.py)."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._base.result import Refused
from ..module_utils._federation.words import ROLES
from ..module_utils._server.server import CMDLETS, server_of
from ..modules.xmpp_connect import TASK
from ..plugin_utils._actions.deployment import Inventory, connected
from ..plugin_utils._actions.federation import parts_of
from ..plugin_utils._actions.in_process import CHECKED, PLAYBOOK, skipped
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._actions.playbook import PlaybookAction, time_of_run
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks import certificate as _certificate
from ..plugin_utils._playbooks.connect import Need, missed, need_of, plans
from ..plugin_utils._playbooks.edge_questions import PLAYBOOKS as EDGE_PLAYBOOKS
from ..plugin_utils._playbooks.edge_questions import questions
from ..plugin_utils._psrp.options import target, through_proxy
from ..plugin_utils._servers.connected import Connected, Way
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._servers.servers import DeploymentHosts
from ..plugin_utils._settings.settings import AccessChosen, access_chosen, certificate_chosen
from ..plugin_utils._settings.source import settings_of
from ..plugin_utils._settings.table import PREFIX

Result = dict[str, t.Any]

# The playbooks and roles that end before they connect if the settings or the files in the settings have mistakes.
_PREPARED = ("converge", "restore", *ROLES)
_NOT_OF_VIEW = ("changed", "invocation", "warnings")
_LEFT = ("certificates", "clock_ahead", "msg", "reasons", "failures", "failed")


class ActionModule(PlaybookAction, ReportingAction):
    """Do all reads of a server over one session."""

    work_of = TASK

    def _mistakes(self, variables: Result) -> list[str]:
        """Return no mistakes, because a later task reports all mistakes."""
        return []

    def _decide(self, variables: Result) -> Result:
        own = str(variables["inventory_hostname"])
        mine = servers_in(variables).of(own)
        self._check = bool(self._task.check_mode)
        try:
            need = self._need(own, variables)
        except Refused:
            need = None
        if self._task.args.get("phase") == "check":
            return self._judged(own, mine, need, variables)
        if need is None:
            return skipped("this run does not connect to this host")
        found = self._connect(need, own, variables)
        access = self._access(variables)
        if access.looked_at:
            found = replace(found, way=self._way())
        if need.again and variables.get(PLAYBOOK):
            # A later play uses the session. Ansible ends the session that is in this argument.
            self._task.args.pop("_ansible_socket", None)
        result = {"changed": False, **found.as_dict()}
        # A run that only checks the access reports unreachable hosts, so unreachable hosts do not fail the task.
        return result if found.reached or access.alone else {**result, "failed": True, "msg": found.reason}

    def _need(self, own: str, variables: Result) -> Need | None:
        """Return what the run reads of this host. Raises Refused. A later task reports mistakes in the settings."""
        if (variables.get(CHECKED) or {}).get("skipped"):
            return None
        if not variables.get(PLAYBOOK) and super()._mistakes(variables):
            return None
        inventory = Inventory(variables)
        if self.playbook in _PREPARED and inventory.own in inventory.hosts:
            task = self._task.copy()
            task.args = {}
            if self._other("sfb.xmpp.xmpp_federation", task).refuses(variables):
                return None
        if self.playbook == "revoke" and len(inventory.deployments) > 1:
            return None
        values = settings_of(self, variables, self.playbook).values
        if self.playbook == "verification":
            names = ("own_domains", "messages")
            given = {name: plain(self._templar.template(variables.get("verification_" + name))) for name in names}
            values = {"verification": given}
        tags = variables.get("ansible_run_tags", ("all",)), variables.get("ansible_skip_tags", ())
        mine = inventory.servers.of(own)
        view = self._questions(mine, values, variables) if own in mine.edges else None
        of_edges, access = certificate_chosen(*tags), self._access(variables)
        return need_of(self.playbook, own, mine, values, parts_of(*tags), of_edges, access, view)

    def _access(self, variables: Result) -> AccessChosen:
        tags = variables.get("ansible_run_tags", ("all",)), variables.get("ansible_skip_tags", ())
        return access_chosen(self.playbook, *tags)

    def _way(self) -> Way:
        """Return the connection to this host, from the host's connection options."""
        goal = target(self._connection.get_options())
        return Way(
            address=goal.host,
            port=int(goal.wsman["port"]),
            endpoint=goal.endpoint,
            tls=bool(goal.wsman["ssl"]),
            checked=bool(goal.wsman["cert_validation"]),
            proxy=through_proxy(goal),
            account=goal.user,
            configuration=goal.configuration_name,
        )

    def _questions(self, mine: DeploymentHosts, values: t.Mapping[str, t.Any], variables: Result) -> Result | None:
        """Return the questions to an Edge about partners, which may be declared for the management hosts only."""
        if self.playbook not in EDGE_PLAYBOOKS:
            return None
        hostvars = variables["hostvars"]

        def of_deployment(option: str) -> t.Any:
            places = [values.get(option), *(hostvars[door].get(PREFIX + option) for door in mine.doors)]
            return next((plain(one) for one in places if one), None)

        try:
            verification, partners = of_deployment("verification") or {}, of_deployment("partners") or []
            probes = boolean((of_deployment("audit") or {}).get("probe", True), strict=False)
        except AnsibleError:
            return None  # a later task reports a variable that cannot be evaluated
        wanted = str(values.get("for_partner") or "")
        return questions(self.playbook, verification, partners, wanted, probes or self.playbook != "audit")

    def _connect(self, need: Need, own: str, variables: Result) -> Connected:
        """Read all needed data. Stop at the first read that the server does not answer."""
        found = Connected(own, True)
        settings = self._of_certificate(need, variables)
        if need.gather or (need.plan and settings is None):
            answer = self._try("xmpp_server_info", {"gather": list(need.gather) or [CMDLETS]}, variables)
            if answer.get("failed"):
                return Connected(own, False, str(answer["msg"]))
            server = server_of(answer)
            if not server.reached:
                return Connected(own, False, server.reason, broken=server.broken)
            found = replace(found, server=server)
        if need.certificates is not None:
            answer = self._try("xmpp_gateway_cert_info", need.certificates, variables)
            if answer.get("unanswered"):
                return Connected(own, False, str(answer["msg"]))
            found = replace(found, certificates={name: answer[name] for name in _LEFT if name in answer})
        if settings is not None:
            answer = self._plan(settings, own, variables)
            if answer.get("unanswered"):
                return Connected(own, False, str(answer["msg"]))
            if not (answer.get("failed") or answer.get("changed")):
                found = replace(found, planned={k: v for k, v in answer.items() if k != "invocation"})
        if need.view is not None:
            answer = self._try("xmpp_edge_view", need.view, variables)
            if answer.get("failed"):
                return Connected(own, False, str(answer["msg"]))
            found = replace(found, view={k: v for k, v in answer.items() if k not in _NOT_OF_VIEW})
        if need.restart:
            answer = self._try("xmpp_affected_services", {"phase": "look"}, variables)
            if not answer.get("reached"):
                return Connected(own, False, str(answer.get("reason") or answer.get("msg")))
        return found

    def _of_certificate(self, need: Need, variables: Result) -> _certificate.CertificateSettings | None:
        """Return the settings of the certificate if the certificate is planned now; otherwise None."""
        if not need.plan:
            return None
        values = settings_of(self, variables, self.playbook).values
        settings = _certificate.CertificateSettings(
            certificate=values.get("certificate") or {},
            phase=str(values.get("certificate_phase") or "all"),
            hook=bool(values.get("certificate_hook")),
            ask=bool(values.get("certificate_ask")),
            check=self._check,
        )
        return settings if plans(settings) else None

    def _plan(self, settings: _certificate.CertificateSettings, own: str, variables: Result) -> Result:
        """Return the plan of staging. If the plan has no changes, the run does not ask this Edge again."""
        mine = servers_in(variables).of(own)
        play = [str(host) for host in variables.get("ansible_play_hosts_all") or ()]
        pool = _certificate.pool_of(mine.edges, play, play, {})
        decision = _certificate.Decision(_certificate.STAGE, settings.usages)
        self._task.check_mode = True
        try:
            options = _certificate.options_of(settings, decision, pool, time_of_run())
            return self._try("xmpp_gateway_cert", options, variables)
        finally:
            self._task.check_mode = self._check

    def _judged(self, own: str, mine: DeploymentHosts, need: Need | None, variables: Result) -> Result:
        """Decide whether the run continues without a host that did not answer."""
        one = connected(variables, own)
        if one is None:
            return {"changed": False, "replaced": False}
        if self._access(variables).looked_at:
            return {"changed": False, "replaced": False}
        if text := missed(self.playbook, own, mine, need, one):
            show(["%s does not answer." % own])
            return self._reported({"failed": True, "changed": False, "msg": text}, variables)
        playing = variables.get("ansible_play_hosts_all") or ()
        others = (connected(variables, door) for door in mine.doors if door in playing)
        replaced = own in mine.doors and any(other is not None and other.reached for other in others)
        what = ", so another host of its deployment is used" if replaced else ""
        return {
            "changed": False,
            "replaced": replaced,
            "warnings": ["%s does not answer%s: %s" % (own, what, one.reason)],
        }
