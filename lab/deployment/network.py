# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect over the network of the Edges, which can differ from the network of the controller.

The setting ``edge_network`` has the differences by IP address. ``false`` means that an Edge does not reach the address.
If only an Edge reaches an address, the value is the real place, ``ADDRESS:PORT``. All other addresses are unchanged.
"""

from __future__ import annotations

import errno
import os
import socket
import typing as t

from .endpoints import ADDRESSES
from .store import Store

# This table of the kernel has one line for each connection of this machine. Source: proc(5).
_TABLE = "/proc/net/tcp"
_ESTABLISHED = "01"


class Connection(t.NamedTuple):
    """Hold an established TCP connection of an Edge, as the Edge sees the connection."""

    local: tuple[str, int]
    remote: tuple[str, int]


def connect(store: Store, host: str, address: str, port: int, seconds: float) -> socket.socket:
    """Open a TCP connection from an Edge, over the network of the Edge. Raises OSError."""
    place = store.setting("edge_network").get(address, "%s:%d" % (address, port))
    if not place:
        raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    where, _colon, number = str(place).rpartition(":")
    return socket.create_connection((where, int(number)), seconds, (ADDRESSES[host], 0))


def connections(store: Store, host: str) -> list[Connection]:
    """Return the established connections of an Edge; empty if the kernel has no table of connections."""
    outside = {str(place): address for address, place in store.setting("edge_network").items() if place}
    try:
        with open(_TABLE, encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
    except OSError:
        return []
    found = []
    for row in rows:
        local, remote, state = _end(row[1]), _end(row[2]), row[3]
        if state == _ESTABLISHED and local[0] == ADDRESSES[host]:
            address = outside.get("%s:%d" % remote, remote[0])
            found.append(Connection(local, (address, remote[1])))
    return found


def _end(text: str) -> tuple[str, int]:
    """Read an end of a connection. The kernel writes the address as a little-endian number in this table."""
    address, _colon, port = text.partition(":")
    return socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)
