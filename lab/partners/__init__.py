# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real XMPP servers as federation partners: Prosody, ejabberd and a name server, on the loopback interface.

They run as plain processes of whoever runs the lab, with configuration rendered into ``partners`` in the lab's
directory; nothing outside of it is read or written. Linux only, with Debian's packages. ``client`` has their users.
"""

from __future__ import annotations

from .certificates import KINDS
from .control import Partners, find, start, stop
from .launch import PASSWORD
from .programs import missing
from .servers import SERVERS, Partner
from .zone import Service

__all__ = [
    "KINDS",
    "PASSWORD",
    "SERVERS",
    "Partner",
    "Partners",
    "Service",
    "find",
    "missing",
    "start",
    "stop",
]
