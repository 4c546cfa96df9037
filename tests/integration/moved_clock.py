# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that live at another date (moved_clock.c). The date is moved while they run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_FILE, _LIBRARY = "SFB_MOVED_CLOCK", "LD_PRELOAD"
# The variables of such a process, for those that it starts.
MOVED = {name: os.environ[name] for name in (_FILE, _LIBRARY) if _FILE in os.environ}


def moved_clock(directory: Path) -> dict[str, str]:
    """Variables of a process whose clock can be moved; it is right at first. Raises subprocess.SubprocessError."""
    library, file = directory / "moved_clock.so", directory / "clock"
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    file.write_text("0", encoding="ascii")
    return {_FILE: str(file), _LIBRARY: str(library)}


def moved_to(day: float) -> None:
    """Move the clock of this process, and of all that it has started, to so many days after the true date."""
    file = Path(MOVED[_FILE])
    beside = file.with_suffix(".new")
    beside.write_text(str(int(day * 86400)), encoding="ascii")
    beside.replace(file)
