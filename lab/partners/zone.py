# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the name server's zones: ``test`` for the lab, and ``example`` for the partners."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from dataclasses import dataclass

from ..deployment.shape import SHAPE, Shape
from .servers import Partner

ADDRESS = "127.0.0.53"


@dataclass(frozen=True)
class Service:
    """Hold an SRV record of ``_xmpp-server._tcp`` (RFC 2782) and the addresses of the target.

    If the target is empty, the domain has no XMPP service.
    """

    target: str
    port: int = 0
    addresses: tuple[str, ...] = ()


Records = dict[str, tuple[Service, ...]]


def published(partners: t.Iterable[Partner], gateway_port: int, shape: Shape = SHAPE) -> Records:
    """Return the records of every partner's domains, and of the own domains (first Edge pool)."""
    records: Records = {}
    for partner in partners:
        here = (Service(partner.host, partner.server_port, (partner.address,)),)
        records.update(dict.fromkeys(partner.domains, here))
    records.update(dict.fromkeys(shape.sip_domains, own(shape, shape.pools[0].fqdn, gateway_port)))
    return records


def own(shape: Shape, pool: str, gateway_port: int) -> tuple[Service, ...]:
    """Return the records of a deployment's SIP domains while an Edge pool (FQDN) carries XMPP."""
    name = next(one.access_edge for one in shape.pools if one.fqdn == pool)
    return (Service(name, gateway_port, shape.own_records[name]),)


def hosts(records: Records) -> list[tuple[str, str]]:
    """Return every target with each address."""
    services = [service for listed in records.values() for service in listed]
    return sorted({(service.target, address) for service in services for address in service.addresses})


def answers(port: int) -> bool:
    """Return whether the name server is up. UDP and TCP start at the same moment."""
    try:
        socket.create_connection((ADDRESS, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_ports(address: str, count: int) -> list[int]:
    """Return TCP ports that are free on the address now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _count in range(count)]
        for one in sockets:
            one.bind((address, 0))
        return [int(one.getsockname()[1]) for one in sockets]
