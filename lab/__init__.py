# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate a legacy Lync or Skype for Business deployment with an XMPP gateway.

The lab answers remote PowerShell on the loopback interface. The lab plays the management shell of a Front End and the
WinRM
of two Edge servers. Stand-in servers for partners connect to the gateway. Start the lab with ``python -m lab up``. The
lab shares no code with the collection, except for the bytes of an XMPP stream (_xmpp). The stand-in servers test these
bytes.

- ``remoting``: WS-Management, authentication, sessions and pipelines of the remote shell
- ``cmdlets``: the simulated cmdlets; parameters are bound strictly, as the contract of a cmdlet documents
- ``deployment``: the store and its first content, hosts and accounts, certificates, faults
- ``gateway``: the XMPP gateway and proxy, which use the store
- ``replay``: captures of real deployments: the file of a capture, a lab that answers from a capture, and the comparison
with the assumptions
- ``partners``: Prosody, ejabberd, jabberd2, a server of wokkel and a name server, as plain processes of the user. The
configuration is in ``partners`` in the lab's directory. The servers read and write nothing outside this directory.
  The servers need Linux and Debian's packages
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path


def _find_collection() -> None:
    """Make the collection of this lab importable, if necessary.

    Python's path does not contain installed collections. A checkout can have any name.
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
