# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report the outcome of a playbook. The task that did the work succeeds with the stats. The next task fails.

Ansible takes stats from successful tasks only. Ansible prints the full result of a failed task, so the failing task has
only one sentence.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._base.result import Refused
from .._documents.show import show
from .._playbooks.outcome import RunOutcome, outcome_of, planned_sentence, stats
from .._servers.inventory import servers_in
from .._settings.source import settings_of
from .in_process import CHECKED, PLAYBOOK, DirectAction

Result = dict[str, t.Any]


class ReportingAction(DirectAction):
    """Decide from the action's result how a run of the collection's playbooks ends.

    In users' own plays, the task fails normally.
    """

    def _reported(
        self, result: Result, variables: Result, before: t.Iterable[Result] = (), own: RunOutcome | None = None
    ) -> Result:
        """Return the result as a playbook keeps it.

        before: the results of earlier tasks of the run for the same deployment.
        own: the outcome of the task itself, if the task's result lacks the common keys.
        """
        if not variables.get(PLAYBOOK) or result.get("skipped"):
            return result
        own = own or outcome_of(result)
        if own.sentence and result.get("failed"):
            show(_reasons(result))
        own = self._held_to_no_changes(own, variables)
        total = RunOutcome()
        for one in before:
            total = total.and_then(outcome_of(one))
        total = total.and_then(own)
        kept = {name: value for name, value in result.items() if name != "failed"}
        return {
            **kept,
            "outcome": own.word,
            "sentence": own.sentence,
            "ansible_stats": stats(total, *place_in_run(variables)),
        }

    def _held_to_no_changes(self, outcome: RunOutcome, variables: Result) -> RunOutcome:
        """Make a check run fail if the run plans changes and the settings require a failure."""
        if outcome.sentence or not outcome.changes or not self._task.check_mode:
            return outcome
        if not self._fails_on_changes(variables):
            return outcome
        return RunOutcome(outcome.word, outcome.changes, outcome.digest, planned_sentence(outcome.changes))

    def _fails_on_changes(self, variables: Result) -> bool:
        try:
            values = settings_of(self, variables, self.playbook).values
        except Refused:  # the playbook continues in spite of mistakes in the settings
            return False
        return bool(boolean(values.get("fail_on_changes", False), strict=False))


def place_in_run(variables: t.Mapping[str, t.Any]) -> tuple[str, bool]:
    """Return the label of a host's deployment, and whether the run has other deployments."""
    servers = servers_in(variables)
    label = servers.of(str(variables["inventory_hostname"])).label
    checked = variables.get(CHECKED)
    # The first play has all hosts of a run. A later play has only the hosts of a group.
    if isinstance(checked, t.Mapping) and "deployments" in checked:
        return label, len(checked["deployments"]) > 1
    return label, servers.several


def _reasons(result: Result) -> list[str]:
    """Return the failures, one line each, if the sentence cannot show all failures."""
    reasons = [str(one) for one in result.get("reasons") or ()]
    if len(reasons) > 1:
        head = str(result.get("msg") or "").partition("\n")[0]
        return [head, *("  error  " + one for one in reasons)]
    failures = result.get("failures") or ()
    return ["  failed  %(cmdlet)s %(identity)s: %(message)s" % one for one in failures] if len(failures) > 1 else []
