# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name server: what the zones ``test`` (the lab's own) and ``example`` (the partners') say."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from dataclasses import dataclass

from ..deployment.endpoints import ADDRESSES
from ..deployment.seed import ACCESS_EDGE, SIP_DOMAINS
from .servers import Partner

ADDRESS = "127.0.0.53"


@dataclass(frozen=True)
class Service:
    """An SRV record of ``_xmpp-server._tcp`` (RFC 2782) and the addresses of its target.

    An empty target says that the domain has no such service.
    """

    target: str
    port: int = 0
    addresses: tuple[str, ...] = ()


Records = dict[str, tuple[Service, ...]]


def published(partners: t.Iterable[Partner], gateway_port: int) -> Records:
    """The records of every partner's domains, and of the deployment's own."""
    records: Records = {}
    for partner in partners:
        here = (Service(partner.host, partner.server_port, (partner.address,)),)
        records.update(dict.fromkeys(partner.domains, here))
    edges = tuple(address for host, address in ADDRESSES.items() if host.startswith("edge"))
    records.update(dict.fromkeys(SIP_DOMAINS, (Service(ACCESS_EDGE, gateway_port, edges),)))
    return records


def hosts(records: Records) -> list[tuple[str, str]]:
    """Every target with each of its addresses."""
    services = [service for listed in records.values() for service in listed]
    return sorted({(service.target, address) for service in services for address in service.addresses})


def answers(port: int) -> bool:
    """Whether the name server is there. It listens on UDP and TCP from the same moment on."""
    try:
        socket.create_connection((ADDRESS, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_ports(address: str, count: int) -> list[int]:
    """TCP ports that nobody uses on the address now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _count in range(count)]
        for one in sockets:
            one.bind((address, 0))
        return [int(one.getsockname()[1]) for one in sockets]
