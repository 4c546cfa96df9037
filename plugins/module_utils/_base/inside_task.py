# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the task of modules whose action does the work, because only an action can read the variables of hosts."""

from __future__ import annotations

from .._shell.statement import Shell
from .result import Params, Refused, Result
from .task import Task


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Refuse the work. Raises Refused."""
    raise Refused(["async: this module works in Ansible's own process. Remove async from the task"])


TASK = Task({}, work, session=False)
