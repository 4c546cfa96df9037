# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which own domains partners may address (see module_utils/_probe/own_domains.py)."""

from __future__ import annotations

import typing as t

from ..module_utils._probe import own_domains as _own_domains
from ..plugin_utils._actions.plain_values import plain


def own_domains(sip_domains: t.Sequence[str], names: t.Sequence[str] = ()) -> list[str]:
    return _own_domains.own_domains(plain(sip_domains), plain(names))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"own_domains": own_domains}
