# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a task as an Ansible module: the only file that knows AnsibleModule."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ._converge import Result, ServerRefused
from ._plan import Refused
from ._session import ConnectionShell
from ._shell import ShellError
from ._tasks import Task


def run(task: Task) -> None:
    """Parse, work, report. A module's main() is this call."""
    module = AnsibleModule(
        argument_spec=dict(task.argument_spec),
        required_if=list(task.required_if),
        supports_check_mode=True,
    )
    try:
        result = task.work(module.params, ConnectionShell(module._socket_path), module.check_mode)
    except Refused as exc:
        module.fail_json(msg=refusal(exc.reasons), reasons=list(exc.reasons))
    except ServerRefused as exc:
        module.fail_json(msg=str(exc), failures=[_error(error.as_dict()) for error in exc.errors])
    except ShellError as exc:
        module.fail_json(msg=str(exc))
    else:
        finish(module, result)


def finish(module: t.Any, result: Result) -> None:
    for text in result.warnings:
        module.warn(text)
    if result.failures:
        module.fail_json(msg=result.message, **result.as_dict())
    module.exit_json(**result.as_dict())


def refusal(reasons: t.Sequence[str]) -> str:
    """The message of a run that was refused before anything was written."""
    if len(reasons) == 1:
        return "Nothing was written: " + reasons[0]
    return "Nothing was written, for %d reasons:\n%s" % (len(reasons), "\n".join("- " + text for text in reasons))


def _error(error: dict[str, str]) -> dict[str, str]:
    return {
        "cmdlet": error["cmdlet"],
        "identity": error["target"],
        **{k: error[k] for k in ("error_id", "category", "message")},
    }
