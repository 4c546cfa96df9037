# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of sites: bare where they are written, ``Site:NAME`` where Get-CsSite prints them."""

from __future__ import annotations

import typing as t

from .._base.names import Invalid, check_text


def canonical_site(text: str) -> str:
    """The bare name, in the writer's case. Raises Invalid."""
    name = text[5:] if text.lower().startswith("site:") else text
    if not name.strip() or name != name.strip() or ":" in name:
        raise Invalid("'%s' is no site's name; write it as Get-CsSite shows it, without 'Site:'" % text)
    return check_text(name, name=True)


def is_branch(item: t.Mapping[str, t.Any]) -> bool:
    """Whether an object is a branch site without an XMPP route of its own; which properties it has no page shows."""
    kind = item.get("SiteType")
    branch = bool(item.get("ParentSite")) or (isinstance(kind, str) and kind.casefold().startswith("branch"))
    return branch and "XmppFederationRoute" not in item


def site_from_server(value: object) -> str:
    text = str(value)
    return text[5:] if text.lower().startswith("site:") else text
