# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collect the simulated cmdlets. Each module has a table CMDLETS."""

from __future__ import annotations

import typing as t

from . import (
    certificates,
    core,
    directory,
    domains,
    network,
    partners,
    policies,
    providers,
    replication,
    requests,
    services,
    settings,
    synthetic,
    topology,
)
from .context import Handler

_TABLES: tuple[t.Mapping[str, Handler], ...] = (
    certificates.CMDLETS,
    core.CMDLETS,
    directory.CMDLETS,
    domains.CMDLETS,
    network.CMDLETS,
    partners.CMDLETS,
    policies.CMDLETS,
    providers.CMDLETS,
    replication.CMDLETS,
    requests.CMDLETS,
    services.CMDLETS,
    settings.CMDLETS,
    synthetic.CMDLETS,
    topology.CMDLETS,
)

HANDLERS: t.Mapping[str, Handler] = {name: handler for table in _TABLES for name, handler in table.items()}
