# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return the addresses at which the lab's hosts listen."""

from __future__ import annotations

import contextlib
import socket
import typing as t

from ..errors import LabError
from .hosts import SHELLS
from .shape import SHAPE

ADDRESSES = SHAPE.addresses


def path(shell: str) -> str:
    """Return the path of a remote shell. IIS publishes the management shell. WinRM publishes all other shells."""
    return "/OcsPowershell" if SHELLS[shell].role == "management" else "/wsman"


def url(shell: str, port: int) -> str:
    """Return the complete address of a remote shell."""
    return "https://%s:%d%s" % (ADDRESSES[SHELLS[shell].name], port, path(shell))


def free_port(addresses: t.Iterable[str]) -> int:
    """Return a TCP port that is free at all addresses. Raises LabError."""
    wanted = tuple(addresses)
    for _attempt in range(100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            port = 0
            for address in wanted:
                one = stack.enter_context(socket.socket())
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind((address, port))
                port = one.getsockname()[1]
            return port
    raise LabError("no TCP port is free at all of these addresses: %s" % ", ".join(wanted))
