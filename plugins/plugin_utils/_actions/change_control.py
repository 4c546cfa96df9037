# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a run against the settings of change control: windows, freezes, plan, ticket, second person."""

from __future__ import annotations

import datetime
import typing as t

from ...module_utils._base.account import system_user
from ...module_utils._base.change_control import Brought, control_of, reasons
from ...module_utils._federation.plan_file import PlanFile

Values = t.Mapping[str, t.Any]


def held(values: Values, allow: t.Collection[str] = ()) -> list[str]:
    """Return why a run that writes is refused now; empty if the run may write. Raises Invalid.

    values: the settings by name, without the prefix sfb_xmpp_.
    allow: the values of sfb_xmpp_allow.
    """
    control = control_of(values, allow)
    if not control:
        return []
    file, digest = values.get("plan_file"), bool(values.get("plan_digest"))
    planner = PlanFile(str(file), "sfb_xmpp_plan_file", anybody=digest).planner() if file else ""
    ticket = str(values.get("ticket") or "")
    brought = Brought(digest=digest, ticket=ticket, planner=planner, applier=system_user())
    return reasons(control, brought, datetime.datetime.now(datetime.timezone.utc))
