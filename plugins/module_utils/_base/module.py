# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a task as an Ansible module. Only this file knows AnsibleModule."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from .perform import perform
from .task import Task


def run(task: Task) -> None:
    """Parse the parameters, do the work and report the result. A module's main() only calls this function."""
    module = AnsibleModule(
        argument_spec=dict(task.argument_spec),
        required_if=list(task.required_if),
        supports_check_mode=True,
    )
    result, warnings = perform(task, module.params, module._socket_path, module.check_mode)
    for text in warnings:
        module.warn(text)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
