# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the hosts and accounts of the lab. The passwords are public by design."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .shape import SHAPE, Shape

DOMAIN = SHAPE.domain
NETBIOS = SHAPE.netbios


@dataclass(frozen=True)
class Host:
    """Hold a remote shell of a machine, and the machine's pool.

    role: ``management`` (OcsPowershell of a Front End, cmdlets loaded), ``front_end`` (WinRM of a Front End) or
        ``edge`` (WinRM).
    """

    name: str
    role: str
    domain: str = DOMAIN
    pool: str = ""

    @property
    def fqdn(self) -> str:
        return "%s.%s" % (self.name, self.domain)


@dataclass(frozen=True)
class Account:
    """Hold an account.

    roles: roles of ROLES, or ``Administrator`` on an Edge.
    """

    user: str
    password: str
    roles: tuple[str, ...]


def hosts_of(shape: Shape) -> dict[str, Host]:
    """Return the machines of a shape, each with the first shell of the machine."""
    return {one["name"]: Host(one["name"], one["role"], shape.domain, shape.pool_of(one)) for one in shape.hosts}


HOSTS = hosts_of(SHAPE)
WINRM = "/wsman"
# This table has every remote shell by name: the machine's name, and ``fe01/wsman`` for WinRM of a Front End.
SHELLS = {
    **HOSTS,
    **{name + WINRM: replace(host, role="front_end") for name, host in HOSTS.items() if host.role == "management"},
}

ADMINISTRATOR, VIEWER, GRANTER, PARTNERS = (
    "CsAdministrator", "CsViewOnlyAdministrator", "CsUserAdministrator", "XmppPartners",
)  # fmt: skip
# The management shell offers these cmdlets of the product to each role. The last role is not part of the product. This
# role simulates a role that an administrator creates with New-CsAdminRole only for partners.
ROLES = {
    ADMINISTRATOR: ("*",),
    VIEWER: ("Get-*",),
    GRANTER: ("Get-CsUser", "Get-CsEffectivePolicy", "Get-CsExternalAccessPolicy", "Grant-CsExternalAccessPolicy"),
    PARTNERS: ("Get-CsXmppAllowedPartner", "New-CsXmppAllowedPartner", "Set-CsXmppAllowedPartner",
               "Remove-CsXmppAllowedPartner"),
}  # fmt: skip

# The keys are in lower case. This table has only domain accounts.
_DOMAIN_ACCOUNTS = {
    name: Account("%s\\%s" % (NETBIOS, name), SHAPE.passwords[name], (role,))
    for name, role in {"admin": ADMINISTRATOR, "viewer": VIEWER, "granter": GRANTER, "partners": PARTNERS}.items()
    if name in SHAPE.passwords
}
# These are the names of all accounts.
USERS = (*(account.user for account in _DOMAIN_ACCOUNTS.values()), "Administrator")
_EDGE_ACCOUNT = Account("Administrator", SHAPE.passwords["edge"], ("Administrator",))


def login(host: Host, user: str) -> Account | None:
    """Return the account of a user name on a host; None if no account matches.

    Domain accounts have the forms ``DOMAIN\\user`` and ``user@domain``. The local account of an Edge has the forms
    ``user``, ``.\\user`` and ``HOST\\user``, because an Edge is in a workgroup without domain accounts. WinRM of a
    Front End accepts only its local administrators. Of the accounts, only ``admin`` is a local administrator.
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
    account = _DOMAIN_ACCOUNTS.get(name.lower())
    return None if account and host.role == "front_end" and ADMINISTRATOR not in account.roles else account
