# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a deployment: one run on this controller at a time reads, plans and writes.

A run that may write takes the lock before it reads. If it read earlier, it would compare rights with a state that
another run is about to change.
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

# Seconds that a run waits for another one: longer than a run with the default replication_timeout takes.
LIMIT = 1800.0
# Seconds between two looks whether the lock is free.
_LOOK = 0.1
_HOME = "the directory of Ansible's own files"


@contextlib.contextmanager
def alone(shell: Shell, snapshots: Snapshots | None = None, limit: float = LIMIT) -> t.Iterator[None]:
    """Keep out other runs on this controller that may write to the same deployment.

    There are two locks, always taken in this order: one in Ansible's home, which every module takes, and one in the
    directory of snapshots, if there is one: it may be shared by several homes. Both are flock's, which end with their
    process. limit: seconds to wait for each. Raises Refused if a lock cannot be had.
    """
    place = place_of(shell)
    name = ".%s.lock" % safe(place.deployment)
    tell = getattr(shell, "tell", lambda text: None)
    with contextlib.ExitStack() as held:
        # Ansible itself makes its home only when it has something to keep there.
        home = private_file.make_folder(place.home or "~/.ansible", _HOME)
        held.enter_context(_lock(os.path.join(home, name), _HOME, place.deployment, limit, tell))
        if snapshots:
            path = os.path.join(snapshots.prepare(), name)
            # The directory of snapshots may be Ansible's home itself: nobody waits for their own lock.
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
    """Take the lock. Raises Refused, with the holder's name, if it is not free within the limit."""
    end, told = time.monotonic() + limit, False
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode("utf-8", "replace").strip() or "another run"
        except OSError as exc:
            raise Refused([private_file.not_locked(path, exc)]) from None
        if time.monotonic() >= end:
            text = "another run that may write to %s holds the lock %s: %s"
            text %= (deployment, path, holder)
            if limit:
                text += ". This run waited %d minutes. Wait until the other run ends, or end it. Then run again"
                text %= limit // 60
            raise Refused([text])
        if not told:
            told = True
            tell("waits up to %d minutes for another run that may write to %s: %s" % (limit // 60, deployment, holder))
        time.sleep(_LOOK)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "user %d" % os.getuid()
