# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows what the role verification found (see plugin_utils/_playbooks/verification.py)."""

from __future__ import annotations

import typing as t

from ..modules.xmpp_verification_report import TASK
from ..plugin_utils._actions.deployment import Inventory
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._actions.reporting import ReportingAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks.outcome import FAILED, OK, Outcome
from ..plugin_utils._playbooks.verification import Message, table, wrong


class ActionModule(ReportingAction):
    """The results are those that the tasks of the role keep."""

    work_of = TASK

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        def of_role(name: str) -> t.Any:
            return plain(self._templar.template(task_vars.get("verification_" + name)))

        probe, declared = of_role("probe"), of_role("messages")
        results = [one for one in (of_role("sent") or {}).get("results") or [] if not one.get("skipped")]
        messages = [Message(str(declared[one["verification_number"]].get("to_user")), one) for one in results]
        entries = [*probe["domains"], *probe["own"]]
        lines = table(entries, messages, probe["note"], probe["summary"])
        inventory = Inventory(task_vars)
        show(["Deployment %s" % inventory.deployment, *lines] if inventory.several else lines)
        sentence = wrong(entries, messages, of_role("fail_on"))
        own = Outcome(FAILED if sentence else OK, sentence=sentence)
        return self._reported({"changed": False, "report": lines, "wrong": sentence}, task_vars, own=own)
