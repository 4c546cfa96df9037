#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show lines of a report. The action of this name does the work."""

from __future__ import annotations

from ..module_utils._base import inside_task as _task
from ..module_utils._base.module import run
from ..module_utils._base.task import Task

TASK = Task({"lines": {"type": "list", "elements": "str", "required": True}}, _task.work, session=False)


def main() -> None:
    run(TASK)


if __name__ == "__main__":
    main()
