# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the lab's deployment. The default is Contoso. SFB_LAB_SHAPE selects another shape.

SFB_LAB_SHAPE contains the name of a file in ``shapes/`` (``two-sites``, ``fourthcoffee``), the path of a file, or the
text of the shape. A shape is an object in JSON, or YAML in a file, with the attributes of Shape. Omitted attributes
have Contoso's values. A process has one shape, because a lab is a process. The store of a lab keeps the shape, for
other processes.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from ..errors import LabError
from .store import Store

VARIABLE = "SFB_LAB_SHAPE"
SETTING = "shape"  # in the store
_FOLDER = Path(__file__).with_name("shapes")


@dataclass(frozen=True)
class EdgePool:
    """Hold an Edge pool.

    fqdn: the FQDN of the pool.
    site: the site of the pool.
    access_edge: the external name of the pool.
    """

    fqdn: str
    site: str
    access_edge: str


@dataclass(frozen=True)
class Shape:
    """Hold the shape of a deployment.

    domain, netbios: names of the domain in Active Directory.
    passwords: for accounts ``admin``, ``viewer`` and (on Edges) ``edge``. ``granter`` and ``partners`` are optional.
    hosts: the hosts with a remote shell, including fe01 and edge01. Each is ``{"name", "role", "address"}``. The role
        is ``management`` (a Front End) or ``edge``. ``pool`` is the host's pool. The default is the pool of the first
        site, or the first Edge pool.
    sites: each site with the pool of the site. The first site has the Central Management Store.
    edge_pools: FQDNs, or ``{"fqdn", "site", "access_edge"}``. The defaults are the first site and ``access_edge``.
    branches: each branch site with the FQDN of its survivable branch appliance, which has no remote shell.
    users: None for Contoso's twenty users. Otherwise each user has ``sip``, ``upn``, ``account`` (DOMAIN\\user),
        ``name`` and ``dn`` (a name or a DN is enough), ``site``, also a branch site, and ``group``, a group's
        distinguished name.
    """

    domain: str = "contoso.test"
    netbios: str = "CONTOSO"
    passwords: t.Mapping[str, str] = field(
        default_factory=lambda: {
            **{name: "Lab-%s-1" % name for name in ("admin", "viewer", "edge", "granter", "partners")}
        }
    )
    hosts: tuple[t.Mapping[str, str], ...] = (
        {"name": "fe01", "role": "management", "address": "127.0.0.10"},
        {"name": "edge01", "role": "edge", "address": "127.0.0.21"},
        {"name": "edge02", "role": "edge", "address": "127.0.0.22"},
    )
    sip_domains: tuple[str, ...] = ("contoso.test", "contoso-emea.test")
    # fe11 has users, but no remote shell.
    sites: t.Mapping[str, str] = field(
        default_factory=lambda: {"Redmond": "fe01.contoso.test", "Dublin": "fe11.contoso.test"}
    )
    edge_pools: tuple[str | t.Mapping[str, str], ...] = ("edge.contoso.test",)
    access_edge: str = "sip.contoso.test"
    domain_controllers: tuple[str, ...] = ("dc01.contoso.test", "dc02.contoso.test")
    users: tuple[t.Mapping[str, str], ...] | None = None
    branches: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """Return the first site."""
        return next(iter(self.sites))

    @property
    def pools(self) -> tuple[EdgePool, ...]:
        """Return the Edge pools."""
        found = []
        for one in self.edge_pools:
            given = {"fqdn": one} if isinstance(one, str) else one
            found.append(EdgePool(**{"site": self.home, "access_edge": self.access_edge, **given}))
        return tuple(found)

    def pool_of(self, host: t.Mapping[str, str]) -> str:
        """Return the pool of one host."""
        default = self.sites[self.home] if host["role"] == "management" else self.pools[0].fqdn
        return host.get("pool", default)

    @property
    def addresses(self) -> dict[str, str]:
        """Return the IP addresses by host."""
        return {host["name"]: host["address"] for host in self.hosts}

    def edges(self, pool: str = "") -> tuple[str, ...]:
        """Return the names of the Edges, of all pools or of one pool (FQDN, lower case)."""
        edges = [host for host in self.hosts if host["role"] == "edge"]
        return tuple(host["name"] for host in edges if not pool or self.pool_of(host).lower() == pool)

    @property
    def own_records(self) -> dict[str, tuple[str, ...]]:
        """Return the external names of the Edge pools, with the addresses of the Edges."""
        found: dict[str, tuple[str, ...]] = {}
        for pool in self.pools:
            addresses = tuple(self.addresses[name] for name in self.edges(pool.fqdn.lower()))
            found[pool.access_edge] = (*found.get(pool.access_edge, ()), *addresses)
        return found

    def as_text(self) -> str:
        """Return a text that SFB_LAB_SHAPE accepts."""
        return json.dumps(asdict(self))


def read_shape(given: str | None = None) -> Shape:
    """Return a shape by name, path or text; Contoso by default. Raises LabError."""
    if not given:
        return Shape()
    path = Path(given) if os.sep in given else _FOLDER / (given + ".yml")
    try:
        text = given if given.startswith("{") else path.read_text("utf-8")
        values: dict[str, t.Any] = json.loads(text) if text.startswith("{") else _yaml(text)
        known = {one.name for one in fields(Shape)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError("'%s' must be one of %s" % (unknown[0], ", ".join(sorted(known))))
        lists: dict[str, t.Any] = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
        return Shape(**{**values, **lists})
    except (OSError, ValueError, TypeError) as e:
        names = ", ".join(sorted(one.stem for one in _FOLDER.glob("*.yml")))
        raise LabError(
            "%s: %s is not a shape of a lab. Use a file or one of %s: %s" % (VARIABLE, given, names, e)
        ) from e


def shape_in(store: Store) -> Shape:
    """Return the shape of the lab with this store, even if this process has another shape."""
    return read_shape(store.setting(SETTING))


def _yaml(text: str) -> dict[str, t.Any]:
    import yaml  # The import is slow.

    try:
        return dict(yaml.safe_load(text))
    except yaml.YAMLError as e:
        raise ValueError(str(e)) from e


SHAPE = read_shape(os.environ.get(VARIABLE))
