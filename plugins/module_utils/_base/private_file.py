# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the controller that hold keys: for their owner only, written whole or not at all, one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import typing as t

from .result import Refused


def read(path: str, option: str) -> bytes:
    """A file's content. Raises Refused, naming the option."""
    try:
        with open(os.path.expanduser(path), "rb") as stream:
            return stream.read()
    except OSError as exc:
        raise Refused(["%s: %s cannot be read: %s" % (option, path, exc.strerror)]) from None


def read_if_there(path: str, option: str) -> bytes | None:
    """The same, or None if there is no such file."""
    return read(path, option) if os.path.exists(os.path.expanduser(path)) else None


def write(path: str, data: bytes, option: str, secret: bool = True) -> None:
    """Replace a file in one step; a secret one has mode 0600, another 0644. Raises Refused, naming the option."""
    path = os.path.expanduser(path)
    name = ""
    try:
        # Made with mode 0600, so that nobody else reads it at any moment.
        handle, name = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".sfb-xmpp-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if not secret:
            os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as exc:
        if name:
            with contextlib.suppress(OSError):
                os.unlink(name)
        raise Refused(["%s: %s cannot be written: %s" % (option, path, exc.strerror)]) from None


def remove(path: str) -> None:
    """Remove a file if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.expanduser(path))


@contextlib.contextmanager
def alone(path: str, option: str) -> t.Iterator[None]:
    """Keep other processes out that want to write beside ``path``: the Edges of a pool are served at the same time.

    The directory is what is locked, so that no lock file is left. Raises Refused if there is none.
    """
    directory = os.path.dirname(os.path.expanduser(path)) or "."
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError as exc:
        raise Refused(["%s: the directory %s cannot be used: %s" % (option, directory, exc.strerror)]) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
