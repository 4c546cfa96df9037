# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One action for many modules: meta/runtime.yml routes them to it, and it finds the work of its task by its name."""

from __future__ import annotations

import importlib
import typing as t

from ...module_utils._base.task import Task
from .in_process import DirectAction

_MODULES = "%s.plugins.modules." % ".".join(__name__.split(".")[:3])


def task_of(action: str) -> Task:
    """The work of a module. action: its name as a play writes it, with or without the collection's."""
    return t.cast("Task", importlib.import_module(_MODULES + action.rpartition(".")[2]).TASK)


class ModuleAction(DirectAction):
    """See above."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        self.work_of = task_of(self._task.action)
        return super().run(tmp, task_vars)
