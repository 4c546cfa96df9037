# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the files of an audit, and shows what it came to (see plugin_utils/_audit)."""

from __future__ import annotations

import datetime
import os
import typing as t

from ansible.errors import AnsibleError

from ..module_utils._base.names import Invalid
from ..module_utils._base.result import Refused
from ..module_utils._base.texts import utc
from ..module_utils._federation.files import safe
from ..modules.xmpp_audit import TASK
from ..plugin_utils._actions.in_process import DirectAction, failed, skipped
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._documents import audit_files as files
from ..plugin_utils._documents.audit_document import Audit
from ..plugin_utils._documents.show import show
from ..plugin_utils._files.working_directory import absolute
from ..plugin_utils._playbooks import server_reads
from ..plugin_utils._playbooks.audit_decide import access_edge, decide, lines, outcome
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._servers.servers import Servers
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]
Variables = dict[str, t.Any]

# What a play keeps of an Edge, and may keep of a Front End.
_OF_SERVER = "audit_certificates"
_UNREAD = {"msg": "they were not read in this run"}


class ActionModule(DirectAction):
    """Check mode makes no difference: an audit writes on the controller only."""

    work_of = TASK

    def _work(self, task_vars: Variables) -> Result:
        given, _secrets, wrong = self._validated()
        if wrong:
            return {"failed": True, "msg": wrong}
        if given["plan"].get("skipped"):  # tags of another playbook, which imports this one
            return skipped(str(given["plan"].get("skip_reason") or "there is no plan"))
        try:
            return self._audit(given, task_vars)
        except Refused as exc:
            return failed(exc.reasons)

    def _audit(self, given: Result, variables: Variables) -> Result:
        """Raises Refused."""
        settings = settings_of(self, variables, "audit").values
        fail_on = str(settings.get("audit", {}).get("fail_on") or "error")
        servers, host = servers_in(variables), str(variables["inventory_hostname"])
        own = servers.of(host)
        into = _directory(str(settings.get("into") or "sfb-xmpp-audit"), servers, own.label)
        hostvars = variables["hostvars"]
        read_services = {host: plain(hostvars[host].get(server_reads.SERVICES)) for host in own.hosts}
        try:
            audit = decide(
                deployment=own.label,
                host=host,
                time=utc(datetime.datetime.now(datetime.timezone.utc)),
                edges={edge: plain(hostvars[edge].get(_OF_SERVER) or _UNREAD) for edge in own.edges},
                # Of these, what a play has read.
                front_ends={host: plain(read) for host in own.front_ends if (read := hostvars[host].get(_OF_SERVER))},
                services=[one for one in server_reads.services(own, read_services) if "status" in one],
                access_edge=access_edge(settings.get("verification", {}), certificate_of(self, variables)),
                previous=_previous(into),
                **given,
            )
        except Invalid as exc:
            raise Refused(["the results cannot be used: %s" % exc]) from None
        paths = files.save(into, audit, fail_on)
        show(lines(audit, paths, fail_on))
        return outcome(audit, paths, fail_on)


def _directory(place: str, servers: Servers, label: str) -> str:
    """Each of several deployments has a directory of its own. Raises Refused."""
    try:
        path = absolute(place)
    except AnsibleError as exc:
        raise Refused(["%s: %s" % (files.OPTION, exc)]) from None
    return os.path.join(path, safe(label)) if servers.several else path


def _previous(into: str) -> Audit | None:
    """Raises Refused."""
    try:
        return files.previous(into)
    except Invalid as exc:
        raise Refused(["%s: %s: %s" % (files.OPTION, os.path.join(into, files.JSON), exc)]) from None
