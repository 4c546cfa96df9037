# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limit the time of a conversation, for each step and for all steps."""

from __future__ import annotations

import time


class Budget:
    """Limit the time for one domain.

    step: seconds for each step.
    total: seconds for all steps.
    """

    def __init__(self, step: float, total: float) -> None:
        self._step = step
        self._started = time.monotonic()
        self._end = self._started + total

    def end_of_step(self) -> float:
        """Return the end of a step that starts now, by ``time.monotonic()``. Raises TimeUp."""
        now = time.monotonic()
        if now >= self._end:
            raise TimeUp
        return min(now + self._step, self._end)

    def seconds(self) -> float:
        """Return the seconds for a step that starts now. Raises TimeUp."""
        return self.end_of_step() - time.monotonic()

    def at_least(self, least: float) -> float:
        """Return the seconds for a step without an answer. Even after the limit, ``least`` seconds remain."""
        return max(least, min(self._step, self._end - time.monotonic()))

    def spent(self) -> float:
        return time.monotonic() - self._started


class TimeUp(Exception):
    """The time limit of the domain is over."""
