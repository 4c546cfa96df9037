# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the lab as a process: start, find and stop a lab in the background.

The process that serves a directory locks ``lab.pid`` in the directory. So the file of a crashed lab does not count as a
running lab, and a later process with the same number is never stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from .deployment.shape import SHAPE, VARIABLE, Shape
from .deployment.store import FILE, Store
from .errors import LabError

DEFAULT_PORT = 15986
DEFAULT_XMPP_PORT = 5269
DEFAULT_PROFILE = "sfb2015"
PROFILES = ("lync2013", "sfb2015")
# Windows keeps a silent session for two hours.
DEFAULT_IDLE = 7200.0

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Running:
    """Hold the address of a running lab.

    port: the port of every host.
    xmpp_port: the port of the gateway, on the Edges' addresses.
    """

    pid: int
    port: int
    profile: str
    xmpp_port: int


def default_directory() -> Path:
    """Return SFB_LAB_DIRECTORY, or ``.lab`` in the checkout."""
    return Path(os.environ.get("SFB_LAB_DIRECTORY") or CHECKOUT / ".lab")


def default_port() -> int:
    """Return SFB_LAB_PORT, or 15986. Raises LabError."""
    return _port("SFB_LAB_PORT", DEFAULT_PORT)


def default_xmpp_port() -> int:
    """Return SFB_LAB_XMPP_PORT, or 5269. Raises LabError."""
    return _port("SFB_LAB_XMPP_PORT", DEFAULT_XMPP_PORT)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdigit() or int(text) > 65535:
        raise LabError("%s is '%s', but it must be a port number" % (variable, text))
    return int(text)


def saved_profile(directory: Path) -> str | None:
    """Return the profile of the lab in ``directory``; None if the directory has no lab."""
    if not (directory / FILE).exists():
        return None
    with contextlib.closing(Store(directory)) as store:
        profile = store.setting("profile")
        return None if profile is None else str(profile)


def find(directory: Path) -> Running | None:
    """Return the lab that serves ``directory``, or None. A lab that is still starting does not count."""
    try:
        with open(directory / "lab.pid", "r+", encoding="utf-8") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Running(**json.loads(f.read()))
            return None
    except (OSError, ValueError, TypeError):
        return None


def serve(
    directory: Path,
    port: int,
    profile: str,
    idle: float,
    xmpp_port: int,
    replay: Path | None = None,
    until_eof: bool = False,
) -> None:
    """Run the lab until SIGTERM or SIGINT. If ``replay`` is a capture, answer from the capture. Raises LabError.

    until_eof: whether to end with standard input, which ends with the process that started the lab.
    """
    from .cmdlets.runspace import Deployment
    from .deployment.gateway_pfx import ensure_gateway_pfx
    from .deployment.nameserver import Nameserver
    from .gateway.gateway import Gateway
    from .remoting.server import LabServer
    from .replay.replay import ReplayDeployment

    directory.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    # The lock is never released explicitly. The lock ends with the process, so other processes can wait for the lock.
    lock = os.open(directory / "lab.pid", os.O_RDWR | os.O_CREAT, 0o600)
    _take(lock, directory)
    os.ftruncate(lock, 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if until_eof:
        threading.Thread(target=_until_eof, args=(stop,), daemon=True).start()
    ensure_gateway_pfx(directory)
    deployment = Deployment(directory, profile) if replay is None else ReplayDeployment(directory, replay)
    server = LabServer(deployment, directory, port, idle)
    try:
        gateway = Gateway(directory, xmpp_port)
        try:
            names = Nameserver(directory, gateway.port)
            running = Running(os.getpid(), server.port, deployment.profile, gateway.port)
            os.write(lock, json.dumps(asdict(running)).encode())
            # If another thread receives a signal, this thread does not wake up. But handlers run only in this thread.
            while not stop.wait(0.2):
                pass
            names.stop()
        finally:
            gateway.stop()
    finally:
        server.stop()


def _until_eof(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _take(lock: int, directory: Path) -> None:
    for _moment in _until(2):  # find() holds the lock for a short time.
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
    raise LabError("a lab is already up in %s" % directory)


def start(
    directory: Path,
    port: int,
    profile: str,
    idle: float,
    xmpp_port: int,
    replay: Path | None = None,
    shape: Shape = SHAPE,
) -> tuple[Running, subprocess.Popen[bytes]]:
    """Start a lab in the background, in a new session, and wait until the lab answers. Raises LabError."""
    running = find(directory)
    if running is not None:
        raise LabError("a lab is already up in %s: port %d, profile %s" % (directory, running.port, running.profile))
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "lab", "up", "--foreground"]
    command += ["--directory", str(directory.resolve()), "--port", str(port), "--profile", profile, "--idle", str(idle)]
    command += ["--xmpp-port", str(xmpp_port)]
    command += ["--replay", str(replay.resolve())] if replay is not None else []
    # If this process has the same shape, the environment has the shape already, or the shape is the default.
    environment = {**os.environ} if shape == SHAPE else {**os.environ, VARIABLE: shape.as_text()}
    with open(directory / "lab.log", "ab") as log:
        begin = log.tell()
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    for _moment in _until(30):
        running = find(directory)
        if running is not None and running.pid == process.pid:
            return running, process
        if process.poll() is not None:
            break
    else:
        process.kill()
        process.wait()
    said = (directory / "lab.log").read_bytes()[begin:].decode("utf-8", "replace").strip()
    raise LabError("the lab did not start: %s" % (said.rpartition("\n")[2] or "it printed nothing"))


def stop(directory: Path) -> bool:
    """Stop the lab of ``directory`` and wait for the end. Return False if no lab was running."""
    running = find(directory)
    if running is None:
        return False
    for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        try:
            os.kill(running.pid, number)
        except ProcessLookupError:
            return True
        for _moment in _until(patience):
            if find(directory) != running:
                return True
    raise LabError("process %d does not end" % running.pid)


def _until(seconds: float) -> t.Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)
