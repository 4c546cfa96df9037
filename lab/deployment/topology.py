# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read pools and users from the topology, for cmdlets and the gateway."""

from __future__ import annotations

import typing as t

from .store import Document, Store, fold

# Get-CsService's Version is 6 for Lync Server 2013, 7 for Skype for Business Server 2015, 8 for the 2019 release:
# service-version-numbers.
LEGACY = ("6", "7")
VERSIONS = {"lync2013": "6", "sfb2015": "7"}
VERSION_2019 = "8"
# Servers of a version report this build.
BUILDS = {"6": "5.0.8308.0", "7": "6.0.9319.0", VERSION_2019: "7.0.2046.0"}
PRODUCTS = {
    "6": "Microsoft Lync Server 2013",
    "7": "Skype for Business Server 2015",
    VERSION_2019: "Skype for Business Server 2019",
}
ON_PREMISES = "SRV:"  # HostingProvider of a user in this deployment


def sites(store: Store) -> dict[str, str]:
    """Return the names of the sites by pool in lower case."""
    return {fold(fqdn): str(pool["Site"]) for fqdn, pool in store.all("pool").items()}


def version_of(roles: t.Mapping[str, Document], pool: str) -> str:
    """Return the version of a pool's services; empty if the pool does not exist."""
    return next((str(role["Version"]) for role in roles.values() if fold(role["Pool"]) == fold(pool)), "")


def home_problem(roles: t.Mapping[str, Document], user: Document) -> str:
    """Return why a user's home pool has no XMPP; empty if the pool has XMPP.

    roles: the documents of kind ``service_role``.
    """
    if not user.get("Enabled", True):
        return "is not enabled"
    if user.get("HostingProvider", ON_PREMISES) != ON_PREMISES:
        return "is homed online"
    if version_of(roles, user["RegistrarPool"]) not in LEGACY:
        return "is homed on %s, which has no XMPP" % user["RegistrarPool"]
    if not any(r["Role"] == "UserServer" and fold(r["Pool"]) == fold(user["RegistrarPool"]) for r in roles.values()):
        return "is homed on %s, a branch appliance, which has no XMPP" % user["RegistrarPool"]
    return ""
