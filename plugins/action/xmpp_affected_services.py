# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts the XMPP services of a server where an earlier task of the playbook makes that necessary."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ..modules.xmpp_affected_services import TASK
from ..plugin_utils._actions.in_process import skipped
from ..plugin_utils._actions.playbook import PlaybookAction, results_of
from ..plugin_utils._playbooks.failover import service_state
from ..plugin_utils._playbooks.revoked_services import NOT_RESTARTED, revoked, took_part
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]

# The names under which the playbooks keep the results of their tasks.
MOVED, REVOKED, RESTARTED = "failover_moved", "xmpp_federation", "revoke_restarted"


class ActionModule(PlaybookAction):
    """Only what happened in the server's own deployment counts."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        own = str(variables["inventory_hostname"])
        mine = servers_in(variables).of(own)
        if self.playbook == "failover":
            state = service_state(list(results_of(variables, mine.doors, MOVED).values()), own in mine.front_ends)
            return self._services(state, "no route was moved in the deployment %s" % mine.label, variables)
        wanted = boolean(settings_of(self, variables, self.playbook).values.get("revoke_restart", False))
        if not wanted:
            return skipped("sfb_xmpp_revoke_restart is not true")
        if self._task.args.get("phase") == "check":
            servers = results_of(variables, [*mine.front_ends, *mine.edges], RESTARTED)
            doors = results_of(variables, [own], REVOKED)
            wrong = revoked(list(doors.values())) and not took_part(list(servers.values()))
            return {"changed": False, **({"failed": True, "msg": NOT_RESTARTED} if wrong else {})}
        done = revoked(list(results_of(variables, mine.doors, REVOKED).values()))
        reason = "no domain was revoked in the deployment %s" % mine.label
        return self._services("restarted" if done else "", reason, variables)

    def _services(self, state: str, otherwise: str, variables: Result) -> Result:
        return self._hand_on("xmpp_gateway_service", {"state": state}, variables) if state else skipped(otherwise)
