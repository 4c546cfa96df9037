# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints the seconds of each task of a playbook, from its start to the start of the next one."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_seconds
type: aggregate
short_description: Prints the seconds of each task
description: For benchmarks only.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_seconds"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[tuple[str, float]] = []

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self.tasks.append((task.get_name(), time.monotonic()))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        ends = [begun for _name, begun in self.tasks[1:]] + [time.monotonic()]
        for (name, begun), end in zip(self.tasks, ends, strict=True):
            self._display.display("task %.3f %s" % (end - begun, name))
