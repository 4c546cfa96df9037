# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, find and end the partners' processes. Any other process can find and end the same processes.

Each process and all child processes have the working directory in the environment. This variable identifies the
processes, because a process number can belong to another process later.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from ..errors import LabError

MARK = "SFB_LAB_PARTNER"

# This process started these children. Only this process can wait for these children.
_children: list[subprocess.Popen[bytes]] = []


def spawn(command: t.Sequence[str], folder: Path, more: t.Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program that works in ``folder``. The output goes to ``output.log`` in ``folder``. Raises LabError."""
    # The server does not need the caller's environment.
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": str(folder), **more}
    environment[MARK] = str(folder)
    try:
        with open(folder / "output.log", "ab") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as e:
        raise LabError("%s cannot be started: %s" % (command[0], e.strerror)) from None
    _children.append(process)
    return process


def running(folder: Path) -> list[int]:
    """Return the numbers of the processes that work in ``folder`` or a folder below."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _is_ours(int(name), folder)]


def _is_ours(pid: int, folder: Path) -> bool:
    mark = b"%s=%s" % (MARK.encode(), os.fsencode(folder))
    try:
        environment = Path("/proc/%d/environ" % pid).read_bytes()
    except OSError:  # The process has ended, or belongs to another user.
        return False
    return any(entry == mark or entry.startswith(mark + b"/") for entry in environment.split(b"\0"))


def send(folder: Path, number: signal.Signals) -> list[int]:
    """Send a signal to the processes that work in ``folder``, and return the numbers of the processes.

    Children get only SIGKILL, because a server ends the helpers.
    """
    pids = running(folder)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            if number != signal.SIGKILL and os.getsid(pid) != pid:
                continue
            handle = os.pidfd_open(pid)
            try:
                # This second check proves that the handle is for this process, not for a later process with the same
                # number.
                if _is_ours(pid, folder):
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)
    return pids


def end(folder: Path, patience: float = 5.0) -> bool:
    """End everything that works in ``folder``. Processes get SIGKILL after ``patience`` seconds.

    Return False if no process was running. Raises LabError if a process survives SIGKILL.
    """
    found = False
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        found = bool(send(folder, number)) or found
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            left = running(folder)
            _reap()
            if not left:
                return found
            time.sleep(0.02)
    raise LabError("processes %s do not end" % running(folder))


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def user() -> str:
    """Return the name of this process's user."""
    return pwd.getpwuid(os.geteuid()).pw_name
