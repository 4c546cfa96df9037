# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the result of probing a plan's partners. This module is separate, so that most runs do not load the probe."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class ProbeFound:
    """Describe the result of the probes.

    refusals: reasons why nothing must be written.
    doubts: warnings.
    probed: the entries that the task returns.
    """

    refusals: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    probed: tuple[t.Mapping[str, t.Any], ...] = ()
