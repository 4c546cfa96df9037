# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for a legacy Lync or Skype for Business deployment with an XMPP gateway.

It answers remote PowerShell on the loopback interface: a Front End's management shell and the WinRM of two Edge
Servers; and XMPP servers of partners, real ones, on the Edges' side. Start it with ``python -m lab up``. It
shares no code with the collection that it is there to test, but for the bytes of an XMPP stream (_xmpp), which
real servers test.

- ``remoting``: WS-Management, authentication, sessions and pipelines of the remote shell
- ``cmdlets``: the simulated cmdlets, bound strictly by their documented contract
- ``deployment``: the store, what is in it at first, its hosts and accounts, certificates, faults
- ``gateway``: the XMPP gateway and proxy that obey the store
- ``replay``: captures of real deployments: their file, a lab that answers from one, what one says of the assumptions
- ``partners``: Prosody, ejabberd, jabberd2, a server of wokkel and a name server, as plain processes of whoever runs
  the lab, with configuration rendered into ``partners`` in the lab's directory; nothing outside of it is read or
  written. Linux only, with Debian's packages
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path


def _find_collection() -> None:
    """Make the collection that the lab lies in importable, where nothing else does: an installed one is on no path of
    Python's, and a checkout may have any name.
    """
    top = str(Path(__file__).resolve().parent.parent)
    for name in ("ansible_collections", "ansible_collections.sfb", "ansible_collections.sfb.xmpp"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            module = types.ModuleType(name)
            module.__path__ = [top] if name.endswith(".xmpp") else []
            sys.modules[name] = module


_find_collection()
