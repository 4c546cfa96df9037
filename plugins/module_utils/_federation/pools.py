# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the pools that home users, with site and release. The release decides whether a pool has XMPP."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.names import named
from .._base.result import Unreadable
from .._shell.statement import Shell, Statement
from .kinds import is_type_name
from .readings import Items, Reading, has, read_items
from .sites import site_from_server

# The names of the releases. Only 2013 and 2015 have XMPP federation (product pages about coexistence).
LYNC_2013, SFB_2015, SFB_2019 = "2013", "2015", "2019"
LEGACY = (LYNC_2013, SFB_2015)
# The meaning of SFB_2019. Later releases have no XMPP either, so later releases need no names of their own.
LATER = "Skype for Business Server 2019 or later"
# The first number of a build. The ProductVersion of a replica is a build.
_BUILDS = {5: LYNC_2013, 6: SFB_2015, 7: SFB_2019}
# The Version of Get-CsService, which no page explains. This number is used only if a pool has no replica with a build.
_NUMBERS = {6: LYNC_2013, 7: SFB_2015, 8: SFB_2019}

SERVICE = "Get-CsService"
STATUS = "Get-CsManagementStoreReplicationStatus"
POOL = "Get-CsPool"


@dataclass(frozen=True)
class Pool:
    """This is a pool.

    fqdn: the FQDN.
    site: the name of the site.
    computers: the FQDNs of the pool's computers.
    release: one of the releases above; None if unknown.
    registrar: whether the pool homes users; None if unknown.
    front_end: whether the pool is a Front End pool; None if unknown. Survivable branch appliances home users too, but
      have no XMPP (page configure-xmpp-gateway). Branch servers are treated in the same way.
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
        """Return whether users of this pool can have XMPP; None if unknown."""
        if self.legacy is False or self.front_end is False:
            return False
        return True if self.legacy and self.front_end else None

    @property
    def lack(self) -> str:
        """Return why ``has_xmpp`` is false or unknown, as the end of a sentence about the pool."""
        if self.legacy is False:
            return "which runs %s and has no XMPP" % LATER
        if self.front_end is False:
            return "which is a branch appliance or branch server and has no XMPP"
        return "whose release is unknown" if self.legacy is None else "which can be a branch appliance without XMPP"


def _role(name: str) -> t.Callable[[t.Any], bool]:
    return lambda item: isinstance(item, dict) and "PoolFqdn" in item and item.get("Role") == name


def service_reading(name: str, role: str) -> Reading:
    """Return the reading of the services of a role."""
    return Reading(name, Statement(SERVICE, {role: True}), _role(role))


# The readings for pools, in the order of the requests. A branch appliance has a Registrar, but no UserServer.
REGISTRARS = service_reading("registrars", "Registrar")
USER_SERVERS = service_reading("user_servers", "UserServer")
REPLICAS = Reading("replicas", Statement(STATUS), has("ReplicaFqdn"))
POOLS = Reading("pools", Statement(POOL), has("Computers", "Fqdn"))


def read_pools(shell: Shell) -> tuple[Pool, ...]:
    """Read the pools that home users. Builds and versions only add the release. Raises ServerRefused, ShellError."""
    readings = (REGISTRARS, USER_SERVERS, REPLICAS, POOLS)
    items = read_items(shell, readings)
    items.require((POOL, SERVICE))
    return tuple(pool for pool in pools_of(items) or () if pool.registrar)


def pools_of(items: Items) -> tuple[Pool, ...] | None:
    """Return the pools from the items; None if the pools were not read. Raises Unreadable."""
    pools, registrars, user_servers = (items.of(one.name) for one in (POOLS, REGISTRARS, USER_SERVERS))
    if pools is None:
        return None
    numbers = release_numbers([*(items.of("edges") or ()), *(registrars or ())])
    replicas = [one for one in items.of(REPLICAS.name) or () if isinstance(one, dict)]
    builds = {str(one.get("ReplicaFqdn")).casefold(): build_of(one) for one in replicas}
    homes = None if registrars is None else _fqdns(registrars)
    # Every deployment has a UserServer. So an empty list means that the services could not be read.
    front_ends = _fqdns(user_servers or ()) or None
    return tuple(_pool(one, builds, numbers, homes, front_ends) for one in pools)


def _fqdns(services: t.Sequence[t.Any]) -> set[str]:
    return {text_of(SERVICE, one, "PoolFqdn").casefold() for one in services}


def build_of(replica: t.Mapping[str, t.Any]) -> str:
    """Return the first number of the product's version; empty if unknown."""
    version = replica.get("ProductVersion")
    return version.partition(".")[0].strip() if isinstance(version, str) else ""


def release_of_build(version: str) -> str | None:
    """Return the release of a full version, such as 6.0.9319.0; None if unknown."""
    return _numbered(version.partition(".")[0], _BUILDS)


def release_numbers(services: t.Sequence[t.Any]) -> dict[str, str | None]:
    """Return the release by FQDN of the pool in lower case, from the Version of the pool's services."""
    return {text_of(SERVICE, one, "PoolFqdn").casefold(): _release(one.get("Version")) for one in services}


def _release(version: t.Any) -> str | None:
    return _numbered(version, _NUMBERS)


def _numbered(version: t.Any, releases: t.Mapping[int, str]) -> str | None:
    """Return the release of a version number. The number can be a string. A higher number means the last release."""
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
    """Return a pool from the server's object. Raises Unreadable.

    builds: the first numbers of builds, by FQDN of the computer.
    numbers: the releases from the versions of services, by FQDN of the pool.
    homes: the FQDNs of the pools that home users; None if unknown.
    front_ends: the FQDNs of the Front End pools; None if unknown.
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
    """Return a property that is a string. Raises Unreadable."""
    value = named(item.get(name)) if isinstance(item, dict) else None
    if not isinstance(value, str) or not value or is_type_name(value):
        raise Unreadable(cmdlet, "", "%s of an object is missing or is not a string" % name)
    return value


def list_of(cmdlet: str, identity: str, item: t.Any, name: str) -> list[t.Any]:
    """Return a property that is a list of strings. A list with one string can arrive as a string. Raises Unreadable."""
    value = item.get(name)
    found = [named(one) for one in ([] if value is None else value if isinstance(value, list) else [value])]
    if not all(isinstance(one, str) and not is_type_name(one) for one in found):
        raise Unreadable(cmdlet, identity, "%s is not a list of strings" % name)
    return found
