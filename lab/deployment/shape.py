# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's deployment is made of: Contoso, unless a file says otherwise that SFB_LAB_SHAPE names.

The file is an object in JSON with the attributes of Shape, and what it leaves out is Contoso's. A process has one
shape, because a lab is a process.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass, field, fields

from ..errors import LabError

VARIABLE = "SFB_LAB_SHAPE"


@dataclass(frozen=True)
class Shape:
    """hosts: those with a remote shell, ``{"name", "role", "address"}`` each; fe01 and edge01 are among them.

    sites: each site with its pool; the first has the Edge pool, the Central Management Store and the computers of
    the management hosts. edge_pools: the first has the Edges. users: None for Contoso's twenty; else each with
    ``sip``, ``upn``, ``account`` (DOMAIN\\user), ``name``, ``dn`` (any but one may be missing) and ``site``.
    """

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
    edge_pools: tuple[str, ...] = ("edge.contoso.test",)
    access_edge: str = "sip.contoso.test"
    domain_controllers: tuple[str, ...] = ("dc01.contoso.test", "dc02.contoso.test")
    users: tuple[t.Mapping[str, str], ...] | None = None


def read_shape() -> Shape:
    """Raises LabError."""
    path = os.environ.get(VARIABLE)
    if not path:
        return Shape()
    try:
        with open(path, encoding="utf-8") as f:
            given: dict[str, t.Any] = json.load(f)
        known = {one.name for one in fields(Shape)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError("'%s' is none of %s" % (unknown[0], ", ".join(sorted(known))))
        values: dict[str, t.Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        return Shape(**values)
    except (OSError, ValueError, TypeError) as e:
        raise LabError("%s: %s is no shape of a lab: %s" % (VARIABLE, path, e)) from e


SHAPE = read_shape()
