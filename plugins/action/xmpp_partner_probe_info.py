# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of this name. In the playbook audit its options come from the settings of the inventory."""

from __future__ import annotations

import typing as t

from ..module_utils._base.result import Refused
from ..modules.xmpp_partner_probe_info import TASK
from ..plugin_utils._actions.in_process import DirectAction, failed
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._playbooks.audit_decide import probe_options
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.source import settings_of

Variables = dict[str, t.Any]


class ActionModule(DirectAction):
    work_of = TASK

    def _work(self, task_vars: Variables) -> dict[str, t.Any]:
        if self.playbook == "audit":
            try:
                self._task.args.update(self._of_settings(task_vars))
            except Refused as exc:
                return failed(exc.reasons)
        return super()._work(task_vars)

    def _of_settings(self, variables: Variables) -> dict[str, t.Any]:
        """The options of an audit. Its task gives the SIP domains as own domains. Raises Refused."""
        verification = settings_of(self, variables, self.playbook).values.get("verification", {})
        sip_domains = plain(self._task.args.get("own_domains")) or []
        return probe_options(verification, certificate_of(self, variables), sip_domains)
