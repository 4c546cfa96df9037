# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write what users see of each task into the file that SFB_REHEARSAL_RECORD names."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: sfb_rehearsal
type: aggregate
short_description: Keeps the outcome of tasks for sfb.xmpp.rehearse
description: Not for use by itself.
"""


class CallbackModule(CallbackBase):
    """Follow the DOCUMENTATION above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sfb_rehearsal"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, state: str, result: t.Any) -> None:
        found = result._result
        line = {
            "state": state,
            "host": result._host.get_name(),
            "task": result._task.get_name(),
            "changed": bool(found.get("changed")),
            "msg": str(found.get("msg") or ""),
            "summary": found.get("summary"),
        }
        with open(os.environ["SFB_REHEARSAL_RECORD"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result: t.Any) -> None:
        # The task that did the work succeeds with the reasons, and the next task fails with a sentence.
        self._record("failed" if result._result.get("outcome") in ("refused", "failed") else "ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._record("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._record("unreachable", result)
