# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For tests: a lab in a process of its own, for as long as a ``with`` block lasts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t
from pathlib import Path

from . import process
from .deployment.endpoints import ADDRESSES
from .deployment.store import Store


class Lab:
    """A running lab. ``ca`` is the file that clients trust; ``addresses`` has each host's IP address.

    ``xmpp_port`` is the gateway's on the addresses of the Edges.
    """

    addresses: t.Mapping[str, str] = ADDRESSES

    def __init__(
        self, directory: Path, profile: str, idle: float, xmpp_port: int = 0, replay: Path | None = None
    ) -> None:
        self.directory = directory
        self.ca = directory / "ca.pem"
        self.profile = profile
        self.port = 0
        self.xmpp_port = xmpp_port
        self._idle = idle
        self._replay = replay
        self._process: subprocess.Popen[bytes] | None = None
        self._store: Store | None = None

    def start(self, port: int = 0) -> None:
        """Start it, by default on the ports that it had before, else on free ones. Raises LabError."""
        running, self._process = process.start(
            self.directory, port or self.port, self.profile, self._idle, self.xmpp_port, self._replay
        )
        self.port = running.port
        self.xmpp_port = running.xmpp_port

    def stop(self) -> None:
        """End it in order. Its state stays."""
        process.stop(self.directory)
        self._reap()

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._reap()

    def store(self) -> Store:
        """The lab's state, to be read (or changed by hand) while it runs."""
        if self._store is None:
            self._store = Store(self.directory)
        return self._store

    def close(self) -> None:
        """End it and let go of its state."""
        self.stop()
        if self._store is not None:
            self._store.close()
            self._store = None

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def running_lab(
    directory: Path,
    port: int = 0,
    profile: str = process.DEFAULT_PROFILE,
    idle: float = process.DEFAULT_IDLE,
    xmpp_port: int = 0,
    replay: Path | None = None,
) -> t.Iterator[Lab]:
    """A lab whose state is below ``directory``. Ports of 0 are free ones; ``idle`` is in seconds; replay: a capture."""
    lab = Lab(Path(directory), profile, idle, xmpp_port, replay)
    try:
        lab.start(port)
        yield lab
    finally:
        lab.close()
