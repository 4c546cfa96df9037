# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A path of the user as an absolute one (see plugin_utils/_files/working_directory.py)."""

from __future__ import annotations

import typing as t

from ..plugin_utils._files.working_directory import absolute


def absolute_path(path: str) -> str:
    return absolute(str(path))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"absolute_path": absolute_path}
