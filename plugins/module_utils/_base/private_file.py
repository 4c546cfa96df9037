# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the controller that hold keys: for their owner only, written whole or not at all, one writer at a time.

Files that decide what a run writes are opened here and nowhere else: only where nobody else could have written them.
"""

from __future__ import annotations

import binascii
import contextlib
import errno
import fcntl
import os
import pwd
import secrets
import stat
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
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as exc:
            raise Refused(["%s: %s" % (option, not_locked(directory, exc))]) from None
        yield
    finally:
        os.close(handle)


# Files that decide what a run writes, and what says who did what: plan, snapshot, journal, lock, key of a capture

# More than a snapshot of a deployment with 100,000 users has.
MOST_BYTES = 64 * 2**20
_LINKS = 40  # as many as Linux follows
_trusted: frozenset[int] = frozenset()


def trust(owners: t.Iterable[t.Any], option: str = "sfb_xmpp_trusted_owners") -> None:
    """Whose files this process takes, beside its own user's and root's: names or numbers. Raises Refused."""
    found, unknown = set(), []
    for owner in owners:
        text = str(owner)
        try:
            found.add(int(text) if text.isascii() and text.isdigit() else pwd.getpwnam(text).pw_uid)
        except KeyError:
            unknown.append("%s: there is no user %s on this controller; name it by its number" % (option, text))
    if unknown:
        raise Refused(unknown)
    global _trusted
    _trusted = frozenset(found)


def read_deciding(path: str, option: str, anybody: bool = False) -> bytes:
    """A file's content. Raises Refused where somebody else could have written it.

    anybody: the content is proven otherwise, by a digest that the user gave.
    """
    handle = _open(path, option, os.O_RDONLY | os.O_NONBLOCK, links=True, anybody=anybody)
    with os.fdopen(handle, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refused(["%s: %s is larger than %d MiB" % (option, path, MOST_BYTES // 2**20)])
    return data


def open_own(path: str, option: str, flags: int) -> int:
    """A handle of a file that is made where there is none, for its owner only, and never through a link.

    In a directory that a group may write, the group shares the file. Raises Refused.
    """
    return _open(path, option, flags | os.O_CREAT | os.O_NONBLOCK, links=False, anybody=False)


def write_deciding(path: str, data: bytes, option: str) -> None:
    """Replace a file in one step. Raises Refused where somebody else could replace it afterwards."""
    path = os.path.expanduser(path)
    mode = _mode(check_folder(os.path.dirname(path) or ".", option))
    write(path, data, option)
    if mode != 0o600:
        os.chmod(path, mode)


def make_folder(path: str, option: str) -> str:
    """The folder, made if it is missing, for its owner only. Raises Refused."""
    path = os.path.join(os.getcwd(), os.path.expanduser(path))
    try:
        there = path
        while not os.path.lexists(there):
            there = os.path.dirname(there)
        check_folder(there, option)
        os.makedirs(path, mode=0o700, exist_ok=True)
        check_folder(path, option)
        if not os.access(path, os.W_OK | os.X_OK):
            raise Refused(["%s: %s cannot be written" % (option, path)])
    except OSError as exc:
        raise Refused(["%s: %s cannot be used: %s" % (option, path, exc.strerror)]) from None
    return os.path.realpath(path)


def key(path: str, option: str) -> bytes:
    """The key of a file, made where there is none, for its owner only. Raises Refused."""
    make_folder(os.path.dirname(path) or ".", option)
    with alone(path, option):
        if os.path.lexists(path):
            text = read_deciding(path, option)
        else:
            text = secrets.token_hex(32).encode() + b"\n"
            write(path, text, option)
    if os.stat(path).st_mode & 0o077:
        raise Refused(["%s: others may read %s; set its mode to 0600" % (option, path)])
    try:
        found = binascii.unhexlify(text.strip())
    except (ValueError, binascii.Error):
        found = b""
    if len(found) < 16:
        raise Refused(["%s: %s holds no key; name a file that is not there yet, and one is made" % (option, path)])
    return found


def check_folder(path: str, option: str) -> os.stat_result:
    """Raises Refused where somebody else could put a file there, or replace a folder on the way."""
    try:
        folder, _last = _walk(os.path.expanduser(path), option, links=True, folder=True)
        try:
            return os.fstat(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        raise Refused(["%s: %s cannot be used: %s" % (option, path, exc.strerror)]) from None


def not_locked(path: str, exc: OSError) -> str:
    """Why a file cannot be locked, and the remedy where its file system has no locks."""
    if exc.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF):
        text = (
            "%s cannot be locked: the file system does not support flock (%s), as some NFS servers do not. Set"
            " sfb_xmpp_state_directory and ANSIBLE_HOME to directories of a file system that does"
        )
        return text % (path, exc.strerror)
    return "%s cannot be locked: %s" % (path, exc.strerror)


def _mode(folder: os.stat_result) -> int:
    return 0o660 if folder.st_mode & stat.S_IWGRP else 0o600


def _open(path: str, option: str, flags: int, links: bool, anybody: bool) -> int:
    path = os.path.expanduser(path)
    verb = "read" if flags & (os.O_WRONLY | os.O_RDWR) == 0 else "written"
    try:
        if anybody:
            handle = os.open(path, flags | os.O_CLOEXEC)
        else:
            folder, name = _walk(path, option, links)
            try:
                mode = _mode(os.fstat(folder))
                handle = os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode, dir_fd=folder)
            finally:
                os.close(folder)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            text = "%s: %s is a link, or leads through too many; remove the link"
            raise Refused([text % (option, path)]) from None
        raise Refused(["%s: %s cannot be %s: %s" % (option, path, verb, exc.strerror)]) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Refused(["%s: %s is not a regular file" % (option, path)])
        if not anybody:
            _check(found, path, option)
        if not links and found.st_nlink > 1:
            text = "%s: %s has a second name (a hard link); remove one of the two"
            raise Refused([text % (option, path)])
        if not links and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o660 != mode:
            os.fchmod(handle, mode)  # the umask has taken something away, or the folder was given to a group
    except BaseException:
        os.close(handle)
        raise
    return handle


def _walk(path: str, option: str, links: bool, folder: bool = False) -> tuple[int, str]:
    """A handle of the folder that a path leads to, each folder on the way checked, and the name in it.

    Goes from handle to handle, so nobody exchanges a folder that was checked. links: whether the last name may be a
    link; folders may be links in any case. folder: whether the path is a folder itself; the name is empty then. Raises
    OSError, and Refused.
    """
    left = _parts(os.path.join(os.getcwd(), path))
    here, shown, followed = _root(option), "/", 0
    try:
        while left:
            name = left.pop()
            last = not left and not folder
            target = _target(here, name, os.path.join(shown, name), option)
            if target and (links or not last):
                followed += 1
                if followed > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                left += _parts(target)
                if target.startswith("/"):
                    os.close(here)
                    here, shown = _root(option), "/"
                continue
            if last:
                return here, name
            below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here, shown = below, os.path.normpath(os.path.join(shown, name))
            _check(os.fstat(here), shown, option)
        return here, "" if folder else "."
    except BaseException:
        os.close(here)
        raise


def _parts(path: str) -> list[str]:
    """The last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


# A folder may be passed through by who may not list it. Not every system has O_PATH.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


def _root(option: str) -> int:
    handle = os.open("/", _FOLDER)
    try:
        _check(os.fstat(handle), "/", option)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _target(folder: int, name: str, path: str, option: str) -> str:
    """Where a link leads; empty if the name is none, or is not there. Raises OSError, and Refused."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return ""
    if not stat.S_ISLNK(found.st_mode):
        return ""
    _check(found, path, option)
    return os.readlink(name, dir_fd=folder)


def _check(found: os.stat_result, path: str, option: str) -> None:
    """Raises Refused where somebody else may change a file, a folder or a link."""
    if found.st_uid not in {os.geteuid(), 0, *_trusted}:
        text = (
            "%s: %s belongs to %s, who is neither you nor root and may change it. Change its owner, or name that user"
            " in sfb_xmpp_trusted_owners"
        )
        raise Refused([text % (option, path, _name(found.st_uid))])
    folder, link = stat.S_ISDIR(found.st_mode), stat.S_ISLNK(found.st_mode)
    # In a folder with the sticky bit, such as /tmp, nobody may replace what belongs to others.
    if found.st_mode & stat.S_IWOTH and not link and not (folder and found.st_mode & stat.S_ISVTX):
        text = "%s: anybody may write %s %s. Run: chmod o-w %s"
        raise Refused([text % (option, "into" if folder else "to", path, path)])


def _name(number: int) -> str:
    try:
        return "%s (%d)" % (pwd.getpwuid(number).pw_name, number)
    except KeyError:
        return "user %d" % number
