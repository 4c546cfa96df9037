# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes what the role verification is to look at, once for each deployment (see _playbooks/verification.py)."""

from __future__ import annotations

import typing as t

from ..module_utils._base.names import Invalid
from ..module_utils._base.result import Refused
from ..module_utils._base.texts import printable
from ..module_utils._probe.own_domains import own_domains
from ..modules.xmpp_verification import TASK
from ..plugin_utils._actions.deployment import Inventory
from ..plugin_utils._actions.in_process import DirectAction, failed, skipped
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._playbooks import verification as _verification
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.table import PREFIX

Result = dict[str, t.Any]

# Options of the probe that are parameters of the role, as they are.
_PASSED = ("gateway_port", "nameservers", "timeout", "workers", "expires_within")
_OTHERS = (
    "partners for_partner own_domains certificate_names from_domain access_edge certificate trust_store messages"
    " topology"
).split()
# What the reading of the SIP domains came to, in the role.
_READ = "verification_topology"


class ActionModule(DirectAction):
    """The parameters are those of the role. In the playbook the certificate is that of the deployment's Edges."""

    work_of = TASK

    def _work(self, task_vars: dict[str, t.Any]) -> Result:
        given = {
            name: plain(self._templar.template(task_vars.get("verification_" + name))) for name in (*_PASSED, *_OTHERS)
        }
        own = _verification.OwnCertificate()
        if self.playbook:
            if _works(task_vars) != task_vars["inventory_hostname"]:
                return skipped("another host works for the deployment")
            try:
                own = _verification.own_certificate(certificate_of(self, task_vars))
            except Refused as exc:
                return failed(exc.reasons)
        wanted = str(given["for_partner"] or "")
        try:
            partners = _verification.of_partner(given["partners"], wanted)
        except Invalid as exc:
            return failed(["%sfor_partner: %s" % (PREFIX, exc)])
        if wanted and not partners:
            return _not_declared(wanted, task_vars)
        read = given.get("topology") or {}
        names = given["certificate_names"] or list(own.names)
        domains = given["own_domains"] or own_domains(read.get("sip_domains") or [], names)
        from_domain = given["from_domain"] or next(iter(domains), "")
        if not from_domain:
            text = "Partners are asked in the name of an own SIP domain, and none is known. Set own_domains in"
            text += " sfb_xmpp_verification (verification_own_domains of the role). They could not be read from %s: %s"
            return {"failed": True, "msg": text % (task_vars["inventory_hostname"], _reason(read))}
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
            }
            result = self._execute_module(
                module_name="sfb.xmpp.xmpp_partner_probe_info", module_args=options, task_vars=task_vars
            )
        if result.get("failed"):
            return result
        note = "" if given["own_domains"] else _note(read, domains, task_vars["inventory_hostname"])
        return {**result, "note": note, "messages": _verification.messages_to(given["messages"], partners, wanted)}


def _works(variables: t.Mapping[str, t.Any]) -> str:
    """The host that works for the deployment of this one."""
    hostvars = variables["hostvars"]
    inventory = Inventory(variables)
    return _verification.door({host: plain(hostvars[host].get(_READ) or {"skipped": True}) for host in inventory.hosts})


def _not_declared(wanted: str, variables: t.Mapping[str, t.Any]) -> Result:
    """A partner of another deployment is no mistake; one that none declares is."""
    hostvars = variables["hostvars"]
    doors = [one.doors[0] for one in Inventory(variables).servers.deployments if one.doors]
    if any(_verification.of_partner(plain(hostvars[host].get(PREFIX + "partners") or []), wanted) for host in doors):
        return skipped("%s is a partner of another deployment" % wanted)
    text = "%sfor_partner: %s is not a declared partner; name a domain of %spartners"
    return failed([text % (PREFIX, wanted, PREFIX)])


def _note(read: t.Mapping[str, t.Any], domains: t.Sequence[str], host: str) -> str:
    if "sip_domains" in read:
        return "own domains: SIP domains of the deployment, read from %s" % host
    known = "the names of the certificate" if domains else "unknown, so the own side was not checked"
    return "own domains: %s; the SIP domains could not be read from %s: %s" % (known, host, _reason(read))


def _reason(read: t.Mapping[str, t.Any]) -> str:
    return printable(" ".join(str(read.get("msg") or read.get("unanswered") or "no reason given").split()))
