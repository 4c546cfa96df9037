# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the lab's hosts listen."""

from __future__ import annotations

from .hosts import HOSTS

ADDRESSES = {"fe01": "127.0.0.10", "edge01": "127.0.0.21", "edge02": "127.0.0.22"}


def path(host: str) -> str:
    """The path of a host's remote shell: IIS publishes a Front End's management shell, WinRM answers on an Edge."""
    return "/OcsPowershell" if HOSTS[host].role == "management" else "/wsman"


def url(host: str, port: int) -> str:
    """The whole address of a host's remote shell."""
    return "https://%s:%d%s" % (ADDRESSES[host], port, path(host))
