# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of the role verification, once for each deployment (see plugin_utils/_playbooks/verification.py)."""

from __future__ import annotations

import typing as t

from ..module_utils._base.names import Invalid
from ..module_utils._base.result import Refused
from ..module_utils._base.texts import printable
from ..module_utils._probe.options import MESSAGE
from ..module_utils._probe.own_domains import asking, own_domains
from ..module_utils._probe.tasks import READ as PROBE
from ..modules.xmpp_verification import TASK
from ..plugin_utils._actions.deployment import Inventory, connected
from ..plugin_utils._actions.in_process import failed, skipped
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._actions.playbook import PlaybookAction
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._playbooks import verification as _verification
from ..plugin_utils._playbooks.outcome import FAILED, OK, RunOutcome
from ..plugin_utils._playbooks.server_reads import views as views_of
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.source import settings_of
from ..plugin_utils._settings.table import PREFIX

Result = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]

# Options of the probe that are also parameters of the role.
_PASSED = ("gateway_port", "nameservers", "timeout", "workers", "expires_within", "allow_local")
_ROLE = "verification"


class ActionModule(PlaybookAction, ReportingAction):
    """Use the settings in the playbook, and the parameters of the role in a user's own play."""

    work_of = TASK

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        result = super().run(tmp, task_vars)
        if result.get("failed"):
            return result
        wrong = str(result.get("wrong") or "")
        own = RunOutcome(FAILED if wrong else OK, sentence=wrong)
        return self._reported(result, task_vars or {}, own=own)

    def _decide(self, variables: Result) -> Result:
        try:
            given = self._parameters(variables)
        except Refused as exc:
            return failed(exc.reasons)
        read: Result = {}
        inventory = Inventory(variables)
        if not given["own_domains"] or given["messages"]:
            # The call also chooses the first host of the deployment that answers.
            read = self._try("xmpp_topology_info", {}, variables)
            if read.get("skipped"):
                return read
        elif inventory.own in inventory.hosts[1:]:
            return skipped("another host works for the deployment")
        wanted = str(given["for_partner"] or "")
        try:
            partners = _verification.of_partner(given["partners"], wanted)
            absent = [one for one in _verification.each(wanted) if not _verification.of_partner(partners, one)]
        except Invalid as exc:
            return failed(["%sfor_partner: %s" % (PREFIX, exc)])
        elsewhere = [_not_declared(one, variables) for one in absent]
        for one in elsewhere:
            if one.get("failed") or not partners:
                return one
        own = _verification.own_certificate(certificate_of(self, variables))
        domains = given["own_domains"] or own_domains(
            read.get("sip_domains") or [], given["certificate_names"] or list(own.names)
        )
        from_domain = given["from_domain"] or asking(domains)
        if not from_domain:
            text = "The probe needs an own SIP domain, but none is known. Set own_domains in sfb_xmpp_verification"
            text += " (verification_own_domains of the role). The SIP domains could not be read from %s: %s"
            return {"failed": True, "msg": text % (inventory.own, _reason(read))}
        views = self._views(variables)
        result: Result = {"changed": False, "domains": [], "own": [], "summary": {}}
        if partners or domains:
            options = {
                **{name: given[name] for name in _PASSED},
                "partners": partners,
                "from_domain": from_domain,
                "own_domains": domains,
                "access_edge": given["access_edge"] or own.access_edge or None,
                "certificate": given["certificate"] or own.file,
                "trust_store": given["trust_store"] or None,
                "read": [] if given["own_domains"] else ["own_domains"],
                "views": views,
            }
            result = self._on_controller(PROBE, options)
        if result.get("failed"):
            return result
        note = "" if given["own_domains"] else _note(read, domains, inventory.own)
        numbers = _verification.messages_to(given["messages"], partners, wanted)
        messages = [self._send(given["messages"][number], variables) for number in numbers]
        entries = [*result["domains"], *result["own"]]
        lines = _verification.table(entries, messages, note, result["summary"])
        lines += _verification.of_edges(views)
        return {
            **result,
            "changed": False,
            "note": note,
            "messages": [
                {"to_user": one.to_user, "outcome": one.outcome, "latency": one.latency, "reason": one.reason}
                for one in messages
            ],
            "lines": ["Deployment %s" % inventory.deployment, *lines] if inventory.several else lines,
            "wrong": _verification.wrong(entries, messages, given["fail_on"]),
        }

    def _views(self, variables: Result) -> list[Result]:
        """Return the results of xmpp_edge_view in the deployment. The role in a user's own play does not ask Edges."""
        if self.playbook == _ROLE:
            return []
        mine = servers_in(variables).of(str(variables["inventory_hostname"]))
        return list(views_of(mine, {host: connected(variables, host) for host in mine.edges}).values())

    def _parameters(self, variables: Result) -> Result:
        """Return the parameters of the role, from settings or variables. Raises Refused."""
        if self.playbook != _ROLE:
            return _verification.parameters_of(settings_of(self, variables, self.playbook).values)
        given = {
            name: plain(self._templar.template(variables.get("%s_%s" % (_ROLE, name))))
            for name in _verification.PARAMETERS
        }
        return {
            name: default if given[name] in (None, "") else given[name]
            for name, default in _verification.PARAMETERS.items()
        }

    def _send(self, message: Variables, variables: Result) -> _verification.Message:
        """Send a test message, but not in check mode."""
        options = {name: message[name] for name in MESSAGE if message.get(name) is not None}
        return _verification.Message(str(message.get("to_user")), self._try("xmpp_im_test", options, variables))


def _not_declared(wanted: str, variables: t.Mapping[str, t.Any]) -> Result:
    """Return a skipped result if a different deployment declares the partner. Otherwise return a failed result."""
    hostvars = variables["hostvars"]
    doors = [one.doors[0] for one in Inventory(variables).servers.deployments if one.doors]
    if any(_verification.of_partner(plain(hostvars[host].get(PREFIX + "partners") or []), wanted) for host in doors):
        return skipped("%s is a partner of another deployment" % wanted)
    text = "%sfor_partner: %s is not a declared partner. Name a domain of %spartners"
    return failed([text % (PREFIX, wanted, PREFIX)])


def _note(read: t.Mapping[str, t.Any], domains: t.Sequence[str], host: str) -> str:
    if "sip_domains" in read:
        return "own domains: SIP domains of the deployment, read from %s" % host
    known = "the names of the certificate" if domains else "unknown, so your own side was not checked"
    return "own domains: %s; the SIP domains could not be read from %s: %s" % (known, host, _reason(read))


def _reason(read: t.Mapping[str, t.Any]) -> str:
    return printable(" ".join(str(read.get("msg") or read.get("unanswered") or "no reason given").split()))
