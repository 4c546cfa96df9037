# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define a task: the parameters and the work of a module. A module is a task and a few lines (see module.py)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._shell.statement import Shell
from .result import Params, Result

STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}


@dataclass(frozen=True)
class Task:
    """Describe the parameters and the work of a module.

    argument_spec, required_if: the arguments of AnsibleModule.
    work: the function ``work(params, shell, check) -> Result``.
    session: whether the task needs a session.
    writes: whether the task may change something.
    """

    argument_spec: t.Mapping[str, t.Any]
    work: t.Callable[[Params, Shell, bool], Result]
    required_if: tuple[t.Any, ...] = field(default=())
    session: bool = True
    writes: bool = False
