# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lock a deployment, so that only one run on this controller reads, plans and writes at a time.

A run that can write takes the lock before it reads. Otherwise the run would compare rights with a state that another
run is changing.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import os
import time
import typing as t

from .._base import private_file
from .._base.result import Refused
from .._shell.statement import Shell, place_of
from .files import Snapshots, safe

# The maximum wait for another run, in seconds. A run with the default replication_timeout takes less time.
LIMIT = 1800.0
# The time between two attempts to take the lock, in seconds.
_LOOK = 0.1
_HOME = "the directory of Ansible's own files"


@contextlib.contextmanager
def alone(shell: Shell, snapshots: Snapshots | None = None, limit: float = LIMIT) -> t.Iterator[None]:
    """Lock out other runs on this controller that can write to the same deployment. Raises Refused.

    There are two locks. Every module first takes the lock in Ansible's home. The second lock is in the directory of
    snapshots, if the run has one, because several homes can share this directory. Both use flock, so the locks end with
    the process.

    limit: the maximum wait for each lock, in seconds.
    """
    place = place_of(shell)
    name = ".%s.lock" % safe(place.deployment)
    tell = getattr(shell, "tell", lambda text: None)
    with contextlib.ExitStack() as held:
        # Ansible creates its home only when needed, so the directory can be missing.
        home = private_file.make_folder(place.home or "~/.ansible", _HOME)
        held.enter_context(_lock(os.path.join(home, name), _HOME, place.deployment, limit, tell))
        if snapshots:
            path = os.path.join(snapshots.prepare(), name)
            # The directory of snapshots can be Ansible's home. Then a second lock would wait for the first one.
            if os.path.dirname(path) != home:
                held.enter_context(_lock(path, snapshots.option, place.deployment, limit, tell))
        yield


@contextlib.contextmanager
def _lock(path: str, option: str, deployment: str, limit: float, tell: t.Callable[[str], None]) -> t.Iterator[None]:
    handle = private_file.open_own(path, option, os.O_RDWR)
    try:
        _acquire(handle, path, deployment, limit, tell)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, ("process %d of %s, since %s\n" % (os.getpid(), _user(), now)).encode(), 0)
        except OSError as exc:
            raise Refused(["%s: %s cannot be written: %s" % (option, path, exc.strerror)]) from None
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: str, deployment: str, limit: float, tell: t.Callable[[str], None]) -> None:
    """Take the lock. Raises Refused, with the holder's name, if the lock is not free within the limit."""
    end, told = time.monotonic() + limit, False
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode("utf-8", "replace").strip() or "another run"
        except OSError as exc:
            raise Refused([private_file.not_locked(path, exc)]) from None
        if time.monotonic() >= end:
            text = "another run that can write to %s holds the lock %s: %s"
            text %= (deployment, path, holder)
            if limit:
                text += ". This run waited %d minutes. Wait until the other run ends, or end it. Then run again"
                text %= limit // 60
            raise Refused([text])
        if not told:
            told = True
            tell("waits up to %d minutes for another run that can write to %s: %s" % (limit // 60, deployment, holder))
        time.sleep(_LOOK)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user of a container can have no name
        return "user %d" % os.getuid()
