# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes this ansible-core one whose start_connection takes another argument, as a later one's might."""

from __future__ import annotations

import typing as t

from ansible.executor import task_executor
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: other_core
type: aggregate
short_description: Changes an internal of Ansible
description: For tests only.
"""

_start: t.Any = task_executor.start_connection


def start_connection(play_context: t.Any, options: t.Any, task_uuid: t.Any, more: t.Any = None) -> t.Any:
    return _start(play_context, options, task_uuid)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "other_core"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        task_executor.start_connection = start_connection
