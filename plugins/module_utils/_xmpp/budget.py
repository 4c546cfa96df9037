# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time that a conversation may take, step by step and in all."""

from __future__ import annotations

import time


class Budget:
    """The time of one domain: each step has ``step`` seconds, all of them together ``total``."""

    def __init__(self, step: float, total: float) -> None:
        self._step = step
        self._started = time.monotonic()
        self._end = self._started + total

    def end_of_step(self) -> float:
        """When a step that starts now has to be over, by ``time.monotonic()``. Raises TimeUp."""
        now = time.monotonic()
        if now >= self._end:
            raise TimeUp
        return min(now + self._step, self._end)

    def seconds(self) -> float:
        """For a step that starts now. Raises TimeUp."""
        return self.end_of_step() - time.monotonic()

    def at_least(self, least: float) -> float:
        """For a step that starts now and needs no answer: ``least`` seconds even if the time is spent."""
        return max(least, min(self._step, self._end - time.monotonic()))

    def spent(self) -> float:
        return time.monotonic() - self._started


class TimeUp(Exception):
    """The domain's whole time is spent."""
