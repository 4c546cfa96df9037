# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one or several labs in separate processes while a ``with`` block runs, for tests."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from . import process
from .deployment import public_ca, replication
from .deployment.endpoints import ADDRESSES, free_port
from .deployment.seed import EDGE_POOL
from .deployment.shape import SHAPE, Shape
from .deployment.store import Store
from .errors import LabError

T = t.TypeVar("T")
SECOND_POOL = "edge2.contoso.test"
_PATIENCE = 60.0  # seconds for the start of a lab, and for the end


class Lab:
    """Control a running lab.

    ca: the file that clients trust.
    addresses: each host's IP address.
    xmpp_port: port of the gateway on the addresses of the Edges.
    """

    def __init__(
        self,
        directory: Path,
        profile: str,
        idle: float,
        xmpp_port: int = 0,
        replay: Path | None = None,
        shape: Shape = SHAPE,
    ) -> None:
        self.directory = directory
        self.shape = shape
        self.addresses: t.Mapping[str, str] = shape.addresses
        self.ca = directory / "ca.pem"
        self.profile = profile
        self.port = 0
        self.xmpp_port = xmpp_port
        self._idle = idle
        self._replay = replay
        self._process: subprocess.Popen[bytes] | None = None
        self._store: Store | None = None

    def start(self, port: int = 0) -> None:
        """Start the lab, by default on the former ports, or else on free ports. Raises LabError."""
        running, self._process = process.start(
            self.directory, port or self.port, self.profile, self._idle, self.xmpp_port, self._replay, self.shape
        )
        self.port = running.port
        self.xmpp_port = running.xmpp_port

    def adopt(self, parent: subprocess.Popen[bytes]) -> None:
        """Wait for the lab that another process starts in this directory. Raises LabError."""
        running = self._wait(lambda: process.find(self.directory), parent)
        if running is None:
            raise LabError("the lab in %s did not start. Read its lab.log" % self.directory)
        self.port, self.xmpp_port = running.port, running.xmpp_port

    def stop(self) -> None:
        """End the lab in order. The state of the lab stays."""
        process.stop(self.directory)
        self._reap()

    def kill(self) -> None:
        """Kill the lab, like a power failure."""
        running = process.find(self.directory)
        if running is not None:
            os.kill(running.pid, signal.SIGKILL)
        self._reap()

    def store(self) -> Store:
        """Return the state of the lab. Tests can read and change the state while the lab runs."""
        if self._store is None:
            self._store = Store(self.directory)
        return self._store

    def close(self) -> None:
        """End the lab and close the state."""
        self.stop()
        if self._store is not None:
            self._store.close()
            self._store = None

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        self._wait(lambda: process.find(self.directory) is None)

    def _wait(self, done: t.Callable[[], T], parent: subprocess.Popen[bytes] | None = None) -> T:
        """Return the first true result of ``done``, or the last result if the parent has ended or time is over."""
        end = time.monotonic() + _PATIENCE
        while not (found := done()) and time.monotonic() < end and (parent is None or parent.poll() is None):
            time.sleep(0.02)
        return found


@contextlib.contextmanager
def running_lab(
    directory: Path,
    port: int = 0,
    profile: str = process.DEFAULT_PROFILE,
    idle: float = process.DEFAULT_IDLE,
    xmpp_port: int = 0,
    replay: Path | None = None,
    shape: Shape = SHAPE,
) -> t.Iterator[Lab]:
    """Run a lab with the state below ``directory``. Port 0 is a free port.

    idle: seconds until an unused session ends.
    replay: a capture.
    """
    lab = Lab(Path(directory), profile, idle, xmpp_port, replay, shape)
    try:
        lab.start(port)
        yield lab
    finally:
        lab.close()


def add_edge_pool(store: Store) -> None:
    """Add SECOND_POOL, an Edge pool with XMPP that has no running server."""
    role = store.get("service_role", "EdgeServer:" + EDGE_POOL) or {}
    edge = {**role["Edge"], "AccessEdgeExternalFqdn": "sip2.contoso.test", "InternalInterfaceFqdn": SECOND_POOL}
    pool = {"Site": "Redmond", "Computers": [SECOND_POOL], "Roles": ["EdgeServer"], "Number": 9}
    store.put("pool", SECOND_POOL, pool)
    store.put("service_role", "EdgeServer:" + SECOND_POOL, {**role, "Pool": SECOND_POOL, "Edge": edge})
    store.put("computer", SECOND_POOL, {"Pool": SECOND_POOL})
    replication.install(store, SECOND_POOL)


@contextlib.contextmanager
def running_labs(
    directory: Path, count: int, profile: str = process.DEFAULT_PROFILE, idle: float = process.DEFAULT_IDLE
) -> t.Iterator[list[Lab]]:
    """Run several labs, each with a separate deployment and ports on the same addresses.

    This is faster than several calls of ``running_lab`` (see several.py). Raises LabError.
    """
    labs = [Lab(Path(directory) / str(number), profile, idle) for number in range(count)]
    command = [sys.executable, "-m", "lab.several", "--profile", profile, "--idle", str(idle)]
    command += [
        "%s:%d" % (lab.directory.resolve(), port)
        for lab, port in zip(labs, _free_ports(count, ADDRESSES.values()), strict=True)
    ]
    nursery = subprocess.Popen(command, cwd=process.CHECKOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        for lab in labs:
            lab.adopt(nursery)
        yield labs
    finally:
        for lab in labs:
            lab.close()
        nursery.wait()


@contextlib.contextmanager
def running_deployments(
    directory: Path, shapes: t.Mapping[str, Shape], profile: str = process.DEFAULT_PROFILE
) -> t.Iterator[dict[str, Lab]]:
    """Run a lab of another shape for each name: different deployments on different addresses.

    The labs share the ports and the public authority. Raises LabError.
    """
    labs = {
        name: Lab(Path(directory) / name, profile, process.DEFAULT_IDLE, shape=shape) for name, shape in shapes.items()
    }
    addresses = [address for lab in labs.values() for address in lab.addresses.values()]
    port, xmpp_port = _free_ports(2, addresses)
    first = Path(directory) / "public"
    first.mkdir(parents=True)
    public_ca.public_authority(first)
    for lab in labs.values():
        lab.xmpp_port = xmpp_port
        lab.directory.mkdir(parents=True)
        for name in (public_ca.ROOT_FILE, public_ca.KEY_FILE):
            shutil.copy(first / name, lab.directory / name)
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for started in [pool.submit(lab.start, port) for lab in labs.values()]:
                started.result()
        yield labs
    finally:
        for lab in labs.values():
            lab.close()


def _free_ports(count: int, addresses: t.Collection[str]) -> list[int]:
    """Return different ports, one for each lab. Labs that search at the same time could find the same port."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port(addresses))
    return sorted(found)
