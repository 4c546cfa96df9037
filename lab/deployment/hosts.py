# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts and accounts of the lab, public by design."""

from __future__ import annotations

from dataclasses import dataclass

from .shape import SHAPE

DOMAIN = "contoso.test"
NETBIOS = "CONTOSO"


@dataclass(frozen=True)
class Host:
    """A machine with a remote shell. role is ``management`` (OcsPowershell, cmdlets loaded) or ``edge`` (WinRM)."""

    name: str
    role: str

    @property
    def fqdn(self) -> str:
        return "%s.%s" % (self.name, DOMAIN)


@dataclass(frozen=True)
class Account:
    """Who may log in. roles: ``CsAdministrator``, ``CsViewOnlyAdministrator``, or ``Administrator`` on an Edge."""

    user: str
    password: str
    roles: tuple[str, ...]


HOSTS = {str(one["name"]): Host(str(one["name"]), str(one["role"])) for one in SHAPE.hosts}

_DOMAIN_ACCOUNTS = {
    "admin": Account("%s\\admin" % NETBIOS, "Lab-admin-1", ("CsAdministrator",)),
    "viewer": Account("%s\\viewer" % NETBIOS, "Lab-viewer-1", ("CsViewOnlyAdministrator",)),
}
_EDGE_ACCOUNT = Account("Administrator", "Lab-edge-1", ("Administrator",))


def login(host: Host, user: str) -> Account | None:
    """The account that a user name means on a host.

    Accepts ``DOMAIN\\user`` and ``user@domain`` for domain accounts, and ``user``, ``.\\user``, ``HOST\\user`` for the
    local account of an Edge (which is in a workgroup and knows no domain accounts).
    """
    if "\\" in user:
        domain, name = user.split("\\", 1)
    elif "@" in user:
        name, domain = user.rsplit("@", 1)
    else:
        name, domain = user, ""
    if host.role == "edge":
        local = domain.lower() in ("", ".", host.name, host.fqdn)
        return _EDGE_ACCOUNT if local and name.lower() == _EDGE_ACCOUNT.user.lower() else None
    if domain.lower() not in (NETBIOS.lower(), DOMAIN):
        return None
    return _DOMAIN_ACCOUNTS.get(name.lower())
