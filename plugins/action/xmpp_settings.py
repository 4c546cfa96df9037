# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the settings in the inventory before anything connects (see plugin_utils/_settings)."""

from __future__ import annotations

import collections
import os
import re
import typing as t

from ..module_utils._base.result import Refused
from ..modules.xmpp_settings import TASK
from ..plugin_utils._actions.in_process import CHECKED, PLAYBOOK, failed, may_write
from ..plugin_utils._actions.reporting import ReportingAction, place_in_run
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks.outcome import FAILED, REPORTING, RunOutcome, stats
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._servers.servers import DOORS, Servers
from ..plugin_utils._settings.hosts import differences
from ..plugin_utils._settings.settings import LENIENT, chosen
from ..plugin_utils._settings.source import settings_of
from ..plugin_utils._settings.table import PREFIX

Result = dict[str, t.Any]
Variables = dict[str, t.Any]

# Without a management host, these playbooks find nothing. Users must not read such a result as a success.
_NEED_DOORS = ("audit",)
# Without any setting, these playbooks have nothing to do. The missing settings are probably a mistake.
_DECLARING = ("audit", "certificate", "converge", "verify")

# See playbooks/internal/settings.yml.
_SET_BY_PLAY = ("ansible_connection", "ansible_host", "ansible_port", "ansible_user", "ansible_password")


class ActionModule(ReportingAction):
    """Check the variables of each host.

    If several hosts have the same mistake, only the first host reports the mistake.
    """

    work_of = TASK

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Result:
        variables = self._restored(task_vars or {})
        self.playbook = str(variables.get(PLAYBOOK) or "")
        result = self._checked(self.playbook, variables)
        return self._reported(result, variables) if result.get("failed") else self._begun(result, variables)

    def _begun(self, result: Result, variables: Variables) -> Result:
        """Set the outcome to failed until a later task sets the outcome, because Ansible may end the run before."""
        label, several = place_in_run({**variables, CHECKED: result})
        hosts = {*result.get("doors", ()), *result.get("edges", ())}
        if self.playbook in REPORTING and not several and hosts.intersection(_of_play(variables)):
            result["ansible_stats"] = stats(RunOutcome(FAILED), label, False)
        return result

    def _checked(self, playbook: str, variables: Variables) -> Result:
        first, before = self._place(variables)
        try:
            tags = chosen(playbook, variables.get("ansible_run_tags", ("all",)), variables.get("ansible_skip_tags", ()))
        except Refused as exc:  # all hosts have the same mistake
            return failed(exc.reasons, may_write(playbook, False)) if first else {"changed": False}
        if tags.nothing:
            if first:
                show([tags.nothing])
            return {"changed": False, "skipped": True, "skip_reason": tags.nothing}
        servers = servers_in(variables)
        around = [*(servers.mistakes if first else ()), *self._differences(servers, variables)]
        if first and playbook in _NEED_DOORS:
            around += _without_doors(servers, playbook, variables)
        warnings = around if playbook in LENIENT else []
        mistakes = [] if playbook in LENIENT else around
        try:
            warnings += settings_of(self, variables, playbook).warnings
        except Refused as exc:
            mistakes += self._own(list(exc.reasons), playbook, variables, before)
        if mistakes:
            return failed(mistakes, may_write(playbook, False))
        mine = servers.of(str(variables.get("inventory_hostname")))
        result: Result = {
            "changed": False,
            "playbook": playbook,
            "deployment": mine.label,
            "doors": list(mine.doors),
            "edges": list(mine.edges),
            "deployments": [one.label for one in servers.among(_of_play(variables)).deployments],
        }
        told = [*warnings, *(self._nothing_declared(playbook, variables) if first else ())]
        if told and (first or playbook not in LENIENT):
            result["warnings"] = told
        return result

    def _restored(self, variables: Variables) -> Variables:
        """Return the variables.

        For variables that the play sets, use the host's own values, because settings may use such variables.
        """
        own = variables["hostvars"].raw_get(variables["inventory_hostname"])
        others = {name: value for name, value in variables.items() if name not in _SET_BY_PLAY}
        restored = {**others, **{name: own[name] for name in _SET_BY_PLAY if name in own}}
        self._templar = self._templar.copy_with_new_env(available_variables=restored)
        return restored

    def _place(self, variables: Variables) -> tuple[bool, list[str]]:
        """Return whether the task's host is the first host of the play, and the hosts before the task's host."""
        hosts = _of_play(variables)
        own = str(variables.get("inventory_hostname"))
        before = hosts[: hosts.index(own)] if own in hosts else []
        return not before, before

    def _differences(self, servers: Servers, variables: Variables) -> list[str]:
        """Return the differences between this management host and the first management host of the deployment."""
        own = str(variables.get("inventory_hostname"))
        doors = servers.of(own).doors
        if own not in doors[1:]:
            return []
        return differences(variables, (doors[0], own))

    def _own(self, reasons: list[str], playbook: str, variables: Variables, before: list[str]) -> list[str]:
        """Return the mistakes that no earlier host of the play reports with the same value."""
        hostvars = variables["hostvars"]
        own = hostvars.raw_get(variables["inventory_hostname"])
        # The variables of a host do not include the variables of the play.
        of_play = {name: variables[name] for name in variables if name.startswith(PREFIX) and name not in own}
        left = list(reasons)
        for host in before:
            theirs = hostvars.raw_get(host)
            try:
                settings_of(self, collections.ChainMap(of_play, hostvars[host]), playbook)
            except Refused as exc:
                named = {_variable(reason) for reason in exc.reasons}
                said = {name for name in named if theirs.get(name) == own.get(name)}
                left = [reason for reason in left if _variable(reason) not in said]
            if not left:
                break
        return left

    def _nothing_declared(self, playbook: str, variables: Variables) -> list[str]:
        hosts = variables.get("ansible_play_hosts_all") or ()
        everywhere = {str(name) for host in hosts for name in variables["hostvars"][host]} | set(map(str, variables))
        if playbook not in _DECLARING or any(name.startswith(PREFIX) for name in everywhere):
            return []
        sources = [str(source) for source in variables.get("ansible_inventory_sources") or ()]
        beside = [os.path.dirname(source) if os.path.isfile(source) else source for source in sources]
        places = list(dict.fromkeys([*beside, str(variables.get("playbook_dir") or "")]))
        text = "no variable that begins with %s is set. Put group_vars and host_vars into one of these directories: %s"
        return [text % (PREFIX, ", ".join(place for place in places if place))]


def _of_play(variables: Variables) -> list[str]:
    return [str(host) for host in variables.get("ansible_play_hosts_all") or ()]


def _without_doors(servers: Servers, playbook: str, variables: Variables) -> list[str]:
    """Return a mistake if the run has no management host."""
    doors = {door for one in servers.deployments for door in one.doors}
    if not doors:
        text = "%s reads the deployment through a host of %s, but the inventory has none. Add one"
        return [text % (playbook, DOORS)]
    if not doors.intersection(variables.get("ansible_play_hosts_all") or ()):
        return ["%s reads the deployment through a host of %s. Add one to --limit" % (playbook, DOORS)]
    return []


def _variable(reason: str) -> str:
    """Return the variable at the start of a mistake."""
    return re.split(r"\W", reason, maxsplit=1)[0]
