# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where users are homed: the pools with their site and release, which alone says whether XMPP is there."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.names import named
from .._base.result import Unreadable
from .._shell.statement import Shell, Statement
from .kinds import is_type_name
from .readings import Items, Reading, has, read_items
from .sites import site_from_server

# The releases by their names. XMPP federation exists in the first two (product pages of coexistence).
LYNC_2013, SFB_2015, SFB_2019 = "2013", "2015", "2019"
LEGACY = (LYNC_2013, SFB_2015)
# What SFB_2019 stands for: no later release has XMPP, so nothing depends on which of them it is.
LATER = "Skype for Business Server 2019 or later"
# The first number of a build, which is the ProductVersion of a replica.
_BUILDS = {5: LYNC_2013, 6: SFB_2015, 7: SFB_2019}
# Version of Get-CsService, which no page explains; only where a pool has no replica with a build.
_NUMBERS = {6: LYNC_2013, 7: SFB_2015, 8: SFB_2019}

SERVICE = "Get-CsService"
STATUS = "Get-CsManagementStoreReplicationStatus"
POOL = "Get-CsPool"


@dataclass(frozen=True)
class Pool:
    """fqdn; site: its name. computers: FQDNs. release: one of those above, None if unknown. registrar: homes users.

    front_end: whether it is a Front End pool, None if unknown. Survivable branch appliances home users too, and these
    have no XMPP (page configure-xmpp-gateway). Branch servers are taken for the same.
    """

    fqdn: str
    site: str
    computers: tuple[str, ...]
    release: str | None = None
    registrar: bool | None = None
    front_end: bool | None = None

    @property
    def legacy(self) -> bool | None:
        return None if self.release is None else self.release in LEGACY

    @property
    def has_xmpp(self) -> bool | None:
        """Whether users who are homed here can have XMPP; None if unknown."""
        if self.legacy is False or self.front_end is False:
            return False
        return True if self.legacy and self.front_end else None

    @property
    def lack(self) -> str:
        """Why ``has_xmpp`` is false or unknown, as the end of a sentence about the pool."""
        if self.legacy is False:
            return "which is of %s and has no XMPP" % LATER
        if self.front_end is False:
            return "which is a branch appliance or branch server and has no XMPP"
        return "whose release is not known" if self.legacy is None else "which may be a branch appliance without XMPP"


def _role(name: str) -> t.Callable[[t.Any], bool]:
    return lambda item: isinstance(item, dict) and "PoolFqdn" in item and item.get("Role") == name


def service_reading(name: str, role: str) -> Reading:
    """The services of a role."""
    return Reading(name, Statement(SERVICE, {role: True}), _role(role))


# What pools are made of, in the order in which it is sent. A branch appliance has a Registrar, but no UserServer.
REGISTRARS = service_reading("registrars", "Registrar")
USER_SERVERS = service_reading("user_servers", "UserServer")
REPLICAS = Reading("replicas", Statement(STATUS), has("ReplicaFqdn"))
POOLS = Reading("pools", Statement(POOL), has("Computers", "Fqdn"))


def read_pools(shell: Shell) -> tuple[Pool, ...]:
    """The pools that home users. Builds and versions only add the release. Raises ServerRefused, ShellError."""
    readings = (REGISTRARS, USER_SERVERS, REPLICAS, POOLS)
    items = read_items(shell, readings)
    items.require((POOL, SERVICE))
    return tuple(pool for pool in pools_of(items) or () if pool.registrar)


def pools_of(items: Items) -> tuple[Pool, ...] | None:
    """From what was read; None if the pools were not. Raises Unreadable."""
    pools, registrars, user_servers = (items.of(one.name) for one in (POOLS, REGISTRARS, USER_SERVERS))
    if pools is None:
        return None
    numbers = release_numbers([*(items.of("edges") or ()), *(registrars or ())])
    replicas = [one for one in items.of(REPLICAS.name) or () if isinstance(one, dict)]
    builds = {str(one.get("ReplicaFqdn")).casefold(): build_of(one) for one in replicas}
    homes = None if registrars is None else _fqdns(registrars)
    # A deployment without any UserServer does not exist.
    front_ends = _fqdns(user_servers or ()) or None
    return tuple(_pool(one, builds, numbers, homes, front_ends) for one in pools)


def _fqdns(services: t.Sequence[t.Any]) -> set[str]:
    return {text_of(SERVICE, one, "PoolFqdn").casefold() for one in services}


def build_of(replica: t.Mapping[str, t.Any]) -> str:
    """The first number of the product's version, empty where it is not told."""
    version = replica.get("ProductVersion")
    return version.partition(".")[0].strip() if isinstance(version, str) else ""


def release_of_build(version: str) -> str | None:
    """The release of a whole version, such as 6.0.9319.0; None if it is not known."""
    return _numbered(version.partition(".")[0], _BUILDS)


def release_numbers(services: t.Sequence[t.Any]) -> dict[str, str | None]:
    """Pool in lower case -> its release by the Version of its services."""
    return {text_of(SERVICE, one, "PoolFqdn").casefold(): _release(one.get("Version")) for one in services}


def _release(version: t.Any) -> str | None:
    return _numbered(version, _NUMBERS)


def _numbered(version: t.Any, releases: t.Mapping[int, str]) -> str | None:
    """A number may arrive as its text. Above the last one the release is later than all."""
    number = int(version) if isinstance(version, str) and version.isascii() and version.isdigit() else version
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return releases.get(min(number, max(releases)))


def _pool(
    item: t.Any,
    builds: t.Mapping[str, str],
    numbers: t.Mapping[str, str | None],
    homes: t.Collection[str] | None,
    front_ends: t.Collection[str] | None,
) -> Pool:
    """A pool that was read. homes: those that home users, front_ends: the Front End pools, None where that is not
    known. Raises Unreadable.
    """
    fqdn = text_of(POOL, item, "Fqdn")
    computers = tuple(str(one) for one in list_of(POOL, fqdn, item, "Computers"))
    known = {_numbered(builds.get(one.casefold(), ""), _BUILDS) for one in computers} - {None}
    release = known.pop() if len(known) == 1 else None if known else numbers.get(fqdn.casefold())
    site = site_from_server(text_of(POOL, item, "Site"))
    name = fqdn.casefold()
    registrar, front_end = (None if known is None else name in known for known in (homes, front_ends))
    return Pool(fqdn, site, computers, release, registrar, front_end)


def text_of(cmdlet: str, item: t.Any, name: str) -> str:
    """A property that is a text. Raises Unreadable."""
    value = named(item.get(name)) if isinstance(item, dict) else None
    if not isinstance(value, str) or not value or is_type_name(value):
        raise Unreadable(cmdlet, "", "an object has no %s that is a text" % name)
    return value


def list_of(cmdlet: str, identity: str, item: t.Any, name: str) -> list[t.Any]:
    """A list of one may arrive as its only element. Raises Unreadable."""
    value = item.get(name)
    found = [named(one) for one in ([] if value is None else value if isinstance(value, list) else [value])]
    if not all(isinstance(one, str) and not is_type_name(one) for one in found):
        raise Unreadable(cmdlet, identity, "%s is no list of texts" % name)
    return found
