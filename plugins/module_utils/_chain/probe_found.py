# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What probes of partners say about a plan. Apart from what probes, which only a run that probes has to load."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class ProbeFound:
    """What the probes say. refusals: why nothing may be written. doubts: warnings. probed: as the task returns it."""

    refusals: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    probed: tuple[t.Mapping[str, t.Any], ...] = ()
