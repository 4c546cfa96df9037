# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart the XMPP services of a server if an earlier task of the playbook requires a restart."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._base.result import Refused
from ..module_utils._base.texts import printable
from ..modules.xmpp_affected_services import TASK
from ..plugin_utils._actions.in_process import skipped
from ..plugin_utils._actions.playbook import PlaybookAction, reads_of, results_of
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks.failover import TO, owner, service_state, topologies_of
from ..plugin_utils._playbooks.revoked_services import NOT_RESTARTED, revoked, took_part, unable
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._servers.servers import Servers
from ..plugin_utils._settings.source import settings_of
from ..plugin_utils._settings.table import PREFIX

Result = dict[str, t.Any]

_TO = TO.removeprefix(PREFIX)
# The names under which the playbooks keep the results of their tasks.
MOVED, STARTED = "failover_moved", "failover_started"
REVOKED, RESTARTED = "xmpp_federation", "revoke_restarted"


class ActionModule(PlaybookAction, ReportingAction):
    """Restart services only because of changes in the server's own deployment."""

    work_of = TASK

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        variables = task_vars or {}
        phase = self._task.args.get("phase")
        result = super().run(tmp, variables)
        if phase == "look":  # nothing was written yet
            return result
        mine = servers_in(variables).of(str(variables["inventory_hostname"]))
        servers = [*mine.front_ends, *mine.edges]
        earlier: list[Result] = []
        for hosts, name in ((mine.doors, MOVED), (servers, STARTED), (mine.doors, REVOKED), (servers, RESTARTED)):
            earlier += results_of(variables, hosts, name).values()
        return self._reported(result, variables, earlier)

    def _decide(self, variables: Result) -> Result:
        own = str(variables["inventory_hostname"])
        servers = servers_in(variables)
        mine = servers.of(own)
        if self._task.args.get("phase") == "look":
            return self._look_before(servers, variables)
        if self.playbook == "failover":
            state = service_state(list(results_of(variables, mine.doors, MOVED).values()), own in mine.front_ends)
            return self._services(state, "no route was moved in the deployment %s" % mine.label, variables)
        wanted = boolean(settings_of(self, variables, self.playbook).values.get("revoke_restart", False))
        if not wanted:
            return skipped("sfb_xmpp_revoke_restart is not true")
        if self._task.args.get("phase") == "check":
            restarts = results_of(variables, [*mine.front_ends, *mine.edges], RESTARTED)
            doors = results_of(variables, [own], REVOKED)
            wrong = revoked(list(doors.values())) and not took_part(list(restarts.values()))
            return {"changed": False, **({"failed": True, "msg": NOT_RESTARTED} if wrong else {})}
        done = revoked(list(results_of(variables, mine.doors, REVOKED).values()))
        reason = "no domain was revoked in the deployment %s" % mine.label
        return self._services("restarted" if done else "", reason, variables)

    def _look_before(self, servers: Servers, variables: Result) -> Result:
        """Check before any write whether the services of this server can be restarted."""
        own = str(variables["inventory_hostname"])
        state = "restarted"
        try:
            values = settings_of(self, variables, self.playbook).values
            if self.playbook == "failover":
                found = owner(topologies_of(reads_of(servers, variables)), str(values[_TO]))
                if found != servers.of(own).label:
                    return skipped("nothing is moved in the deployment %s" % servers.of(own).label)
                state = "restarted" if own in servers.of(own).front_ends else "started"
            elif not boolean(values.get("revoke_restart", False)):
                return skipped("sfb_xmpp_revoke_restart is not true")
        except Refused:
            return skipped("the settings have mistakes, which a later task reports")
        look = self._seen(state, variables)
        if self.playbook == "revoke":
            show(unable(own, look))
        return look

    def _seen(self, state: str, variables: Result) -> Result:
        """Return the result of the check.

        able: whether the services can be changed.
        reached: whether the server answered.
        reason: why the services cannot be changed; empty if they can be changed.
        """
        check, self._task.check_mode = self._task.check_mode, True
        try:
            result = self._hand_on("xmpp_gateway_service", {"state": state}, variables)
        except AnsibleConnectionFailure as exc:
            result = {"failed": True, "unanswered": True, "msg": str(exc)}
        finally:
            self._task.check_mode = check
        able = not result.get("failed")
        reached = not (result.get("unanswered") or result.get("unreachable"))
        reason = "" if able else printable(str(result.get("msg") or "no reason given"))
        return {"changed": False, "able": able, "reached": reached, "reason": reason}

    def _services(self, state: str, otherwise: str, variables: Result) -> Result:
        return self._hand_on("xmpp_gateway_service", {"state": state}, variables) if state else skipped(otherwise)
