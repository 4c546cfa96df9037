#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether federation with a domain can work."""

from __future__ import annotations

from ..module_utils._base.module import run
from ..module_utils._probe import tasks as _probe_task

TASK = _probe_task.TASK


def main() -> None:
    run(TASK)


if __name__ == "__main__":
    main()
