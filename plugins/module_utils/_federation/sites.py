# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert names of sites, and refuse policies of sites that do not exist.

Users write the bare name. Get-CsSite prints ``Site:NAME``. A policy of a missing site is refused before anything is
written, also in check mode.
"""

from __future__ import annotations

import typing as t

from .._base.names import Invalid, check_text
from .._base.names import key as key_of
from .._base.step import Step
from .._shell.statement import Shell, Statement
from .kinds import did_you_mean

SITE = "Get-CsSite"
_SCOPE = "site:"


def canonical_site(text: str) -> str:
    """Return the bare name. Upper and lower case stay. Raises Invalid."""
    name = text[5:] if text.lower().startswith("site:") else text
    if not name.strip() or name != name.strip() or ":" in name:
        raise Invalid("'%s' is not the name of a site. Write it as Get-CsSite shows it, without 'Site:'" % text)
    return check_text(name, name=True)


def is_branch(item: t.Mapping[str, t.Any]) -> bool:
    """Return whether an object is a branch site without an XMPP route.

    No page lists the properties of a branch site.
    """
    kind = item.get("SiteType")
    branch = bool(item.get("ParentSite")) or (isinstance(kind, str) and kind.casefold().startswith("branch"))
    return branch and "XmppFederationRoute" not in item


def new_policies_of_sites(steps: t.Iterable[Step]) -> list[str]:
    """Return the policies of sites that the steps add, as ``site:NAME``."""
    return [one.identity for one in steps if one.part == "policies" and not one.before and one.key.startswith(_SCOPE)]


def read_sites(shell: Shell) -> tuple[str, ...] | None:
    """Read the bare names of all sites; None if the account cannot read the sites. Raises ShellError."""
    answer = shell.invoke([Statement(SITE)])
    names = [item.get("Identity") for item in answer.output if isinstance(item, dict)]
    if answer.errors or answer.lost or not names or not all(isinstance(name, str) for name in names):
        return None
    return tuple(map(site_from_server, names))


def unknown_sites(policies: t.Iterable[str], sites: t.Sequence[str]) -> list[str]:
    """Return why policies cannot be created.

    policies: the policies as ``site:NAME``.
    sites: the bare names of the existing sites.
    """
    known = {key_of(site) for site in sites}
    wrong = [(policy, policy[len(_SCOPE) :]) for policy in policies]
    text = "policies: '%s': there is no site '%s' in the deployment%s"
    return [text % (policy, site, did_you_mean(site, sites)) for policy, site in wrong if key_of(site) not in known]


def site_from_server(value: object) -> str:
    text = str(value)
    return text[5:] if text.lower().startswith("site:") else text
