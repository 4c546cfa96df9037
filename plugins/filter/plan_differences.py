# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is different from a plan that was kept (see plugin_utils/_plan_file.py)."""

from __future__ import annotations

import typing as t

from ..plugin_utils._plain import plain
from ..plugin_utils._plan_file import compare


def plan_differences(document: t.Mapping[str, t.Any], saved: str) -> list[str]:
    return compare(plain(document), str(saved))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"plan_differences": plan_differences}
