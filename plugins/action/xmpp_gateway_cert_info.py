# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of this name, in Ansible's own process. In the playbook audit its options are settings of the Edge."""

from __future__ import annotations

import typing as t

from ..module_utils._base.result import Refused
from ..modules.xmpp_gateway_cert_info import TASK
from ..plugin_utils._actions.in_process import DirectAction, failed
from ..plugin_utils._settings.source import settings_of

# What sfb_xmpp_certificate says of a certificate that is only read.
_READ = ("names", "renew", "trust_store")


class ActionModule(DirectAction):
    work_of = TASK

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if self.playbook == "audit":
            try:
                certificate = settings_of(self, task_vars, self.playbook).values.get("certificate", {})
            except Refused as exc:
                return failed(exc.reasons)
            self._task.args = {name: certificate[name] for name in _READ if certificate.get(name) not in (None, "")}
        return super()._work(task_vars)
