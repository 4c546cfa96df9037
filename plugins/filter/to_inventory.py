# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write variables as the text of an inventory file (see module_utils/_base/inventory_text.py)."""

from __future__ import annotations

import typing as t

from ..module_utils._base.inventory_text import inventory_text
from ..plugin_utils._actions.plain_values import plain


def to_inventory(variables: t.Mapping[str, t.Any]) -> str:
    return inventory_text(plain(variables))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"to_inventory": to_inventory}
