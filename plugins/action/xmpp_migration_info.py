# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module with the name of this file in Ansible's own process (see plugin_utils/_actions/deployment.py)."""

from __future__ import annotations

import typing as t

from ..module_utils._base.result import Refused
from ..modules.xmpp_migration_info import TASK
from ..plugin_utils._actions.deployment import DeploymentAction, Inventory, Result
from ..plugin_utils._actions.in_process import failed
from ..plugin_utils._actions.usage import usage_of
from ..plugin_utils._files.usage import DomainUse
from ..plugin_utils._playbooks import migration
from ..plugin_utils._playbooks.migration_target import target_of
from ..plugin_utils._settings.source import settings_of


class ActionModule(DeploymentAction):
    """In the playbook, take the options from the settings. Add the report as a document."""

    work_of = TASK
    _usage: t.Sequence[DomainUse] = ()
    _target = migration.DEFAULT

    def _work(self, task_vars: Result) -> Result:
        if self.playbook:
            try:
                values = settings_of(self, task_vars, self.playbook).values
                self._task.args.update(migration.options(values))
                self._usage = usage_of(values.get("usage"))
                self._target = target_of(values.get("target"))
            except Refused as exc:
                return failed(exc.reasons)
        return super()._work(task_vars)

    def _finished(self, result: Result, variables: dict[str, t.Any]) -> Result:
        if "nobody_left" in result:
            used = migration.compared(result, self._usage)
            result["report"] = migration.report(result, Inventory(variables).deployment, used, self._target)
            if used:
                result["usage"] = used.as_dict()
        if self.playbook and "reasons" in result:
            result.update(failed(migration.named(result["reasons"])))
        return result
