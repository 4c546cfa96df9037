# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert values of Ansible to plain built-ins, as JSON does on the way to a module."""

from __future__ import annotations

import datetime
import typing as t


def plain(value: t.Any) -> t.Any:
    """Return the value as plain built-ins. Values of ansible-core 2.19 are subclasses, which pypsrp does not accept.

    Sequences become lists. Dates become texts in ISO 8601. Other types that JSON lacks become texts, for example texts
    from ansible-vault.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, t.Mapping):
        return {plain(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str.__str__(str(value))
