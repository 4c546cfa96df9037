# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a sheet for the partner's administrators (see plugin_utils/_documents/partner_sheet.py)."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._base.names import Invalid
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._documents import partner_sheet as _partner_sheet
from ..plugin_utils._documents.short_document import Form


def partner_sheet(partner: t.Mapping[str, t.Any], own: t.Mapping[str, t.Any], form: Form = "markdown") -> str:
    try:
        return _partner_sheet.partner_sheet(plain(partner), plain(own), plain(form))
    except (Invalid, ValueError) as exc:
        raise AnsibleFilterError("partner_sheet: %s" % exc) from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"partner_sheet": partner_sheet}
