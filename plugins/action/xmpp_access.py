# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show which hosts can be used, and each other host's first broken link (see plugin_utils/_playbooks/access.py)."""

from __future__ import annotations

import typing as t

from ..modules.xmpp_access import TASK
from ..plugin_utils._actions.deployment import connected
from ..plugin_utils._actions.in_process import failed
from ..plugin_utils._actions.playbook import PlaybookAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks.access import access_of, result
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._servers.servers import GROUPS

Result = dict[str, t.Any]


class ActionModule(PlaybookAction):
    """Report on all hosts of the play in one task. The task connects to no host."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        servers = servers_in(variables)
        known = {host for one in servers.deployments for host in one.hosts}
        hosts = [str(host) for host in variables.get("ansible_play_hosts_all") or ()]
        groups = {group: variables["groups"].get(group) or () for group in GROUPS}
        found = [
            access_of(host, [group for group in GROUPS if host in groups[group]], connected(variables, host))
            for host in hosts
            if host in known
        ]
        if not found:
            text = "the inventory has no hosts in %s. Add your servers to these groups"
            return failed([text % ", ".join(GROUPS)], writes=False)
        shown = result(found, servers.among(hosts).deployments)
        show(shown["report"])
        return shown
