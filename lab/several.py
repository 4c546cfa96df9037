# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run several labs in separate processes, for tests (lab.testing.running_labs): ``python -m lab.several``.

The start of a lab needs a long time, so several labs share one start. This process loads everything, makes the
certificates of the first lab, and forks a process for each lab. The process ends when all labs have ended.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import typing as t
from pathlib import Path

from . import process
from .cmdlets.runspace import Deployment
from .deployment import gateway_pfx, public_ca
from .gateway import gateway as _gateway
from .remoting import server as _server

log = logging.getLogger(__name__)

LOADED = (_gateway, _server)  # Otherwise, process.serve loads these modules for each lab.
_MADE_ONCE = (public_ca.ROOT_FILE, public_ca.KEY_FILE, gateway_pfx.FILE)


def main(argv: t.Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.several", description="Several labs at once, for tests.")
    parser.add_argument("--profile", choices=process.PROFILES, default=process.DEFAULT_PROFILE)
    parser.add_argument("--idle", type=float, default=process.DEFAULT_IDLE, help="seconds that a session may be silent")
    parser.add_argument("place", nargs="+", metavar="DIRECTORY:PORT")
    arguments = parser.parse_args(argv)
    places = [(Path(text.rpartition(":")[0]), int(text.rpartition(":")[2])) for text in arguments.place]
    for directory, _port in places:
        _prepare(directory, places[0][0], arguments.profile)
    children = []
    for directory, port in places:
        child = os.fork()
        if not child:
            _be(directory, port, arguments.profile, arguments.idle)
        children.append(child)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def _prepare(directory: Path, first: Path, profile: str) -> None:
    """Create the files of a lab's first start. The deployment's certificates are created once per process."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in _MADE_ONCE if directory != first else ():
        shutil.copy(first / name, directory / name)
    gateway_pfx.ensure_gateway_pfx(directory)
    Deployment(directory, profile).store.close()


def _be(directory: Path, port: int, profile: str, idle: float) -> t.NoReturn:
    """Run one of the labs as ``up`` does: in a new session, with a separate log."""
    code = 1
    try:
        os.setsid()
        output = os.open(directory / "lab.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        process.serve(directory, port, profile, idle, 0)
        code = 0
    except Exception:
        log.exception("the lab in %s broke", directory)
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
