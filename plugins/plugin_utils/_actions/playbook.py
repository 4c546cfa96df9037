# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Provide the common part of the actions of playbooks: results of other hosts, and work of other actions."""

from __future__ import annotations

import datetime
import fcntl
import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common import arg_spec, parameters

from ...module_utils._base.perform import perform
from ...module_utils._base.result import Refused
from ...module_utils._base.task import Task
from ...module_utils._base.texts import utc
from .._documents.show import show
from .._servers.inventory import servers_in
from .._servers.servers import Servers
from .in_process import DirectAction, failed
from .plain_values import plain

Result = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]

# The name under which the playbook failover keeps the topology of each deployment.
TOPOLOGY = "failover_topology"


class PlaybookAction(DirectAction):
    """Decide for a playbook of the collection. The action of a module does the work."""

    def _work(self, task_vars: Result) -> Result:
        if not self.playbook:
            return failed(["this module is internal. Use the playbooks and roles of the collection"])
        try:
            return self._decide(task_vars)
        except Refused as exc:
            return failed(exc.reasons)

    def _decide(self, variables: Result) -> Result:
        """Decide and return the result. Raises Refused before anything is written."""
        raise NotImplementedError

    def _show(self, lines: t.Iterable[str], variables: Variables) -> list[str]:
        """Show lines. If the inventory has several deployments, the name of the deployment comes first."""
        servers = servers_in(variables)
        label = servers.of(str(variables["inventory_hostname"])).label
        shown = ["Deployment %s" % label, *lines] if servers.several else list(lines)
        show(shown)
        return shown

    def _try(self, module: str, options: Variables, variables: Result) -> Result:
        """Return the result if the run continues without this host. An unreachable host is a failed result."""
        try:
            return self._hand_on(module, options, variables)
        except AnsibleError as exc:
            return {"failed": True, "changed": False, "unanswered": True, "msg": str(exc)}

    def _on_controller(self, task: Task, options: Variables) -> Result:
        """Run a module without a session in this process, and return the module's result."""
        validated = arg_spec.ArgumentSpecValidator(dict(task.argument_spec)).validate(dict(options))
        if validated.error_messages:
            return {"failed": True, "changed": False, "msg": str(validated.errors.msg)}
        result, warnings = perform(task, validated.validated_parameters, None, bool(self._task.check_mode))
        if warnings:
            result["warnings"] = list(dict.fromkeys(warnings))
        return t.cast("Result", parameters.remove_values(plain(result), set(validated._no_log_values)))


def time_of_run() -> str:
    """Return the same time (UTC) for all hosts of a run.

    The first host keeps the time in the directory that Ansible removes after a run.
    """
    path = os.path.join(str(vars(constants)["DEFAULT_LOCAL_TMP"]), "sfb-xmpp-certificate-run")
    with open(path, "a+", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        found = f.read()
        if not found:
            found = utc(datetime.datetime.now(datetime.timezone.utc))
            f.write(found)
    return found


def results_of(variables: Variables, hosts: t.Iterable[str], name: str) -> dict[str, Result]:
    """Return the registered results of an earlier play's task by host, without hosts on which the task did not run."""
    found = {}
    for host in hosts:
        result = variables["hostvars"][host].get(name)
        if result is not None:
            found[host] = plain(result)
    return found


def reads_of(servers: Servers, variables: Variables) -> dict[str, list[Result]]:
    """Return the results of the hosts that read the topology of each deployment for a failover."""
    read = {one.label: list(results_of(variables, one.doors, TOPOLOGY).values()) for one in servers.deployments}
    return {label: results for label, results in read.items() if results}
