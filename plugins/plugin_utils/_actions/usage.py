# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the table of sfb_xmpp_usage, for the playbooks that show the use of partners."""

from __future__ import annotations

import typing as t

from ...module_utils._base import private_file
from .._files.output import path_of
from .._files.usage import DomainUse
from .._playbooks import usage


def usage_of(given: t.Any) -> list[DomainUse]:
    """Return the entries; empty if the setting names no file.

    given: the value of the setting.
    Raises Refused.
    """
    if not given:
        return []
    path = path_of(str(given), usage.VARIABLE)
    return usage.read(str(given), private_file.read(path, usage.VARIABLE))
