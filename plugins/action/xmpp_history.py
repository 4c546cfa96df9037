# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the journal of runs and the snapshots, check the journal's chain, and name the newest snapshots."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError

from ..module_utils._base import user_names
from ..module_utils._base.names import Invalid, canonical_domain
from ..module_utils._base.result import Refused
from ..module_utils._federation.files import Snapshots
from ..module_utils._shell.statement import Place
from ..modules.xmpp_history import TASK
from ..plugin_utils._actions import state
from ..plugin_utils._actions.in_process import DirectAction, failed
from ..plugin_utils._documents import history
from ..plugin_utils._documents.show import show
from ..plugin_utils._files import journal as _journal
from ..plugin_utils._files.journal_chain import breaks
from ..plugin_utils._files.journal_line import PARTNER, POLICY, USER
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]
Variables = dict[str, t.Any]


class ActionModule(DirectAction):
    """Show the directories of all hosts on the first host of the play, each directory once.

    Each host names its snapshots.
    """

    work_of = TASK

    def _work(self, task_vars: Variables) -> Result:
        try:
            check = self._task.args.get("phase") == "check"
            return self._check(task_vars) if check else self._history(task_vars)
        except (Refused, AnsibleError) as exc:
            return failed(exc.reasons if isinstance(exc, Refused) else [str(exc)])

    def _history(self, variables: Variables) -> Result:
        """Show the directories, and return the result. Raises Refused, AnsibleError."""
        own = str(variables["inventory_hostname"])
        values = settings_of(self, variables, "history").values
        shown: list[str] = []
        for directory in self._directories(variables):
            text, head = _journal.read(directory)
            found, chosen = history.runs(text), False
            for kind, names in _objects(values):
                found, chosen = history.concerning(found, kind, names), True
            snapshots = None if chosen else _journal.snapshots(directory)
            shown += history.lines(directory, found, snapshots, breaks(text, head))
        show(shown)
        place = Place(deployment=servers_in(variables).of(own).label)
        directory = state.snapshot_directory(self, variables)
        kept = Snapshots(directory, "sfb_xmpp_snapshot_directory", place).files()
        wanted = int(values.get("history", {}).get("changes") or 0)
        return {"changed": False, "report": shown, "newest": [os.path.basename(path) for path in kept[:wanted]]}

    def _check(self, variables: Variables) -> Result:
        """Return a failed result if a journal's chain is broken. Raises Refused, AnsibleError."""
        broken = [one for one in self._directories(variables) if breaks(*_journal.read(one))]
        text = "the chain of the journal is broken in %s, because a line was changed. See the lines above"
        return {"failed": True, "changed": False, "msg": text % ", ".join(broken)} if broken else {"changed": False}

    def _directories(self, variables: Variables) -> list[str]:
        """Return the directories of all hosts for the first host, and no directories for all other hosts.

        Raises AnsibleError.
        """
        own = str(variables["inventory_hostname"])
        hosts = [str(host) for host in variables.get("ansible_play_hosts_all") or (own,)]
        if own != hosts[0]:
            return []
        of_hosts = {host: variables if host == own else variables["hostvars"][host] for host in hosts}
        return list(dict.fromkeys(state.snapshot_directory(self, of_host) for of_host in of_hosts.values()))


def _objects(values: t.Mapping[str, t.Any]) -> list[tuple[str, list[str]]]:
    """Return the objects to which the history is limited: the kind, and the possible names. Raises Refused."""
    found = []
    if partner := values.get("for_partner"):
        try:
            found.append((PARTNER, [canonical_domain(str(partner).rpartition("@")[2])]))
        except Invalid as exc:
            raise Refused(["sfb_xmpp_for_partner: %s" % exc]) from None
    if policy := values.get("for_policy"):
        found.append((POLICY, [str(policy)]))
    if user := values.get("for_user"):
        name = str(user)
        found.append((USER, [name, name.removeprefix("sip:"), "sip:" + name, user_names.pseudonym(name)]))
    return found
