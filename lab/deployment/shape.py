# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's deployment is made of: Contoso, unless SFB_LAB_SHAPE says otherwise.

SFB_LAB_SHAPE holds the name of a file in ``shapes/`` (``two-sites``, ``fourthcoffee``), the path of a file, or the text
itself: an object in JSON, or YAML in a file, with the attributes of Shape. What it leaves out is Contoso's. A process
has one shape, because a lab is a process. The store of a lab keeps the shape, for other processes.
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
    """fqdn, site: of the pool. access_edge: its name on the outside."""

    fqdn: str
    site: str
    access_edge: str


@dataclass(frozen=True)
class Shape:
    """domain, netbios: of Active Directory. passwords: of the accounts ``admin``, ``viewer`` and (on Edges) ``edge``;
    ``granter`` and ``partners`` may be missing.

    hosts: those with a remote shell, ``{"name", "role", "address"}`` each, role ``management`` (a Front End) or
    ``edge``; fe01 and edge01 are among them. ``pool`` is the host's pool: by default that of the first site, or the
    first Edge pool.
    sites: each site with its pool; the first has the Central Management Store.
    edge_pools: FQDNs, or ``{"fqdn", "site", "access_edge"}`` with the first site and ``access_edge`` by default.
    branches: each branch site with the FQDN of its survivable branch appliance, which has no remote shell.
    users: None for Contoso's twenty; else each with ``sip``, ``upn``, ``account`` (DOMAIN\\user), ``name``, ``dn``
    (any but one may be missing), ``site``, which may be a branch, and ``group``, the distinguished name of one.
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
    # fe11 is there for its users; no shell
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
        """The first site."""
        return next(iter(self.sites))

    @property
    def pools(self) -> tuple[EdgePool, ...]:
        """The Edge pools."""
        found = []
        for one in self.edge_pools:
            given = {"fqdn": one} if isinstance(one, str) else one
            found.append(EdgePool(**{"site": self.home, "access_edge": self.access_edge, **given}))
        return tuple(found)

    def pool_of(self, host: t.Mapping[str, str]) -> str:
        """The pool of one of the hosts."""
        default = self.sites[self.home] if host["role"] == "management" else self.pools[0].fqdn
        return host.get("pool", default)

    @property
    def addresses(self) -> dict[str, str]:
        """Host -> IP address."""
        return {host["name"]: host["address"] for host in self.hosts}

    def edges(self, pool: str = "") -> tuple[str, ...]:
        """The names of the Edges, of all or of one pool (FQDN, lower case)."""
        edges = [host for host in self.hosts if host["role"] == "edge"]
        return tuple(host["name"] for host in edges if not pool or self.pool_of(host).lower() == pool)

    @property
    def own_records(self) -> dict[str, tuple[str, ...]]:
        """The outside names of the Edge pools, with the addresses of their Edges."""
        found: dict[str, tuple[str, ...]] = {}
        for pool in self.pools:
            addresses = tuple(self.addresses[name] for name in self.edges(pool.fqdn.lower()))
            found[pool.access_edge] = (*found.get(pool.access_edge, ()), *addresses)
        return found

    def as_text(self) -> str:
        """What SFB_LAB_SHAPE can hold."""
        return json.dumps(asdict(self))


def read_shape(given: str | None = None) -> Shape:
    """A shape by name, path or text; Contoso without one. Raises LabError."""
    if not given:
        return Shape()
    path = Path(given) if os.sep in given else _FOLDER / (given + ".yml")
    try:
        text = given if given.startswith("{") else path.read_text("utf-8")
        values: dict[str, t.Any] = json.loads(text) if text.startswith("{") else _yaml(text)
        known = {one.name for one in fields(Shape)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError("'%s' is none of %s" % (unknown[0], ", ".join(sorted(known))))
        lists: dict[str, t.Any] = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
        return Shape(**{**values, **lists})
    except (OSError, ValueError, TypeError) as e:
        names = ", ".join(sorted(one.stem for one in _FOLDER.glob("*.yml")))
        raise LabError(
            "%s: %s is not a shape of a lab; use a file or one of %s: %s" % (VARIABLE, given, names, e)
        ) from e


def shape_in(store: Store) -> Shape:
    """The shape of the lab whose store this is, whatever the shape of this process."""
    return read_shape(store.setting(SETTING))


def _yaml(text: str) -> dict[str, t.Any]:
    import yaml  # takes as long as all the rest of this file

    try:
        return dict(yaml.safe_load(text))
    except yaml.YAMLError as e:
        raise ValueError(str(e)) from e


SHAPE = read_shape(os.environ.get(VARIABLE))
