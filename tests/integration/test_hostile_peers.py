# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bounded run of the hostile peers; ``python -m tests.benchmarks.hostile_peers --streams 1000000`` is a long one."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.hostile_peers import at_gateway, at_prober


def test_the_gateway_outlives_hostile_peers(tmp_path: Path) -> None:
    figures, complaints = at_gateway(1000, 7, tmp_path)
    assert complaints == []
    # Whether a peer that still talks sees the end or a reset depends on how fast both are.
    assert figures["ended"] + figures["reset"] == 1000
    assert figures["ended"] > 100


def test_a_probe_ends_whatever_it_is_answered() -> None:
    figures, complaints = at_prober(1000, 7)
    assert complaints == []
    assert figures["broken"] > 500
    assert figures["finished"] > 10
