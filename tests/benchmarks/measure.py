# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs one command and prints what it took, as JSON: ``python -m tests.benchmarks.measure COMMAND [ARGUMENT...]``.

A process of its own for every measurement, because the kernel keeps the peak memory of the largest child for a process'
whole life. It adopts what the command leaves behind, so that the process that keeps the session counts too.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 20.0  # seconds for what outlives the command


def main(command: list[str]) -> int:
    """The command's exit code."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    begun = time.monotonic()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    wall = time.monotonic() - begun
    _reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "code": done.returncode,
                "wall": wall,
                "cpu": used.ru_utime + used.ru_stime,
                "memory": used.ru_maxrss * 1024,
                "output": done.stdout.decode(errors="replace"),
            }
        )
    )
    return done.returncode


def _reap() -> None:
    """Wait for adopted processes; end those that stay."""
    deadline = time.monotonic() + PATIENCE
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
        for child in _children():
            os.kill(child, signal.SIGKILL)
        while True:
            os.wait()


def _children() -> list[int]:
    with open("/proc/self/task/%d/children" % os.getpid(), encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
