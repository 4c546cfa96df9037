# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and write private files on the controller, such as keys. Only their owner can read them.

A file is replaced in one step, and by one process at a time. Only this code opens the files that decide what a run
writes. The code refuses a file that another user could have written.
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
    """Return a file's content. Raises Refused with the name of the option."""
    try:
        with open(os.path.expanduser(path), "rb") as stream:
            return stream.read()
    except OSError as exc:
        raise Refused(["%s: %s cannot be read: %s" % (option, path, exc.strerror)]) from None


def read_if_there(path: str, option: str) -> bytes | None:
    """Return a file's content, or None if the file does not exist. Raises Refused with the name of the option."""
    return read(path, option) if os.path.exists(os.path.expanduser(path)) else None


def write(path: str, data: bytes, option: str, secret: bool = True) -> None:
    """Replace a file in one step. Raises Refused with the name of the option.

    secret: whether the file has mode 0600. Otherwise it has mode 0644.
    """
    path = os.path.expanduser(path)
    name = ""
    try:
        # The file has mode 0600 from the start, so that no other user can read it at any time.
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
    """Remove a file if the file exists."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.expanduser(path))


@contextlib.contextmanager
def alone(path: str, option: str) -> t.Iterator[None]:
    """Lock the directory of ``path`` for other processes. The Edges of a pool run in parallel.

    The directory itself is locked, so that no lock file remains. Raises Refused if the directory does not exist.
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


# Files that decide what a run writes, and files of evidence: plan, snapshot, journal, lock, key of a capture

# Larger than a snapshot of a deployment with 100,000 users.
MOST_BYTES = 64 * 2**20
_LINKS = 40  # Linux follows at most this number of links
_trusted: frozenset[int] = frozenset()


def trust(owners: t.Iterable[t.Any], option: str = "sfb_xmpp_trusted_owners") -> None:
    """Set whose files this process accepts, in addition to its own user's and root's. Raises Refused.

    owners: names or numbers of users.
    """
    found, unknown = set(), []
    for owner in owners:
        text = str(owner)
        try:
            found.add(int(text) if text.isascii() and text.isdigit() else pwd.getpwnam(text).pw_uid)
        except KeyError:
            unknown.append("%s: this controller has no user %s. Use the number of the user" % (option, text))
    if unknown:
        raise Refused(unknown)
    global _trusted
    _trusted = frozenset(found)


def read_deciding(path: str, option: str, anybody: bool = False) -> bytes:
    """Return a file's content. Raises Refused if another user could have written the file.

    anybody: whether the owner of the file is not checked, because a digest from the user proves the content.
    """
    handle = _open(path, option, os.O_RDONLY | os.O_NONBLOCK, links=True, anybody=anybody)
    with os.fdopen(handle, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refused(["%s: %s is larger than %d MiB" % (option, path, MOST_BYTES // 2**20)])
    return data


def open_own(path: str, option: str, flags: int) -> int:
    """Open a file, without following a link. A missing file is created for its owner only. Raises Refused.

    If a group may write the directory, the group may also write the file.
    """
    return _open(path, option, flags | os.O_CREAT | os.O_NONBLOCK, links=False, anybody=False)


def write_deciding(path: str, data: bytes, option: str) -> None:
    """Replace a file in one step. Raises Refused if another user could replace the file afterwards."""
    path = os.path.expanduser(path)
    mode = _mode(check_folder(os.path.dirname(path) or ".", option))
    write(path, data, option)
    if mode != 0o600:
        os.chmod(path, mode)


def make_folder(path: str, option: str) -> str:
    """Return the real path of a folder. A missing folder is created for its owner only. Raises Refused."""
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
    """Return the key in a file. A missing file is created with a new key, for its owner only. Raises Refused."""
    make_folder(os.path.dirname(path) or ".", option)
    with alone(path, option):
        if os.path.lexists(path):
            text = read_deciding(path, option)
        else:
            text = secrets.token_hex(32).encode() + b"\n"
            write(path, text, option)
    if os.stat(path).st_mode & 0o077:
        raise Refused(["%s: other users may read %s. Set its mode to 0600" % (option, path)])
    try:
        found = binascii.unhexlify(text.strip())
    except (ValueError, binascii.Error):
        found = b""
    if len(found) < 16:
        raise Refused(["%s: %s has no key. Name a file that does not exist, and a key is created" % (option, path)])
    return found


def check_folder(path: str, option: str) -> os.stat_result:
    """Check a folder. Raises Refused if another user could add a file, or replace a folder of the path."""
    try:
        folder, _last = _walk(os.path.expanduser(path), option, links=True, folder=True)
        try:
            return os.fstat(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        raise Refused(["%s: %s cannot be used: %s" % (option, path, exc.strerror)]) from None


def not_locked(path: str, exc: OSError) -> str:
    """Return why a file cannot be locked, with the remedy if its file system has no locks."""
    if exc.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF):
        text = (
            "%s cannot be locked: its file system does not support flock (%s). Some NFS servers do not. Set"
            " sfb_xmpp_state_directory and ANSIBLE_HOME to directories of another file system"
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
            text = "%s: %s is a link, or its path has too many links. Remove the link"
            raise Refused([text % (option, path)]) from None
        raise Refused(["%s: %s cannot be %s: %s" % (option, path, verb, exc.strerror)]) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Refused(["%s: %s is not a regular file. Name a regular file" % (option, path)])
        if not anybody:
            _check(found, path, option)
        if not links and found.st_nlink > 1:
            text = "%s: %s has a second name (a hard link). Remove one of the two names"
            raise Refused([text % (option, path)])
        if not links and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o660 != mode:
            os.fchmod(handle, mode)  # the umask removed a right, or the folder now belongs to a group
    except BaseException:
        os.close(handle)
        raise
    return handle


def _walk(path: str, option: str, links: bool, folder: bool = False) -> tuple[int, str]:
    """Check each folder of a path. Return a handle of the last folder, and the last name. Raises OSError and Refused.

    Each folder is opened from the handle of the folder above. So no checked folder can be exchanged.

    links: whether the last name may be a link. Folders may always be links.
    folder: whether the path itself is a folder. The returned name is empty then.
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
    """Return the parts of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


# With O_PATH a folder can be opened without the right to list it. Some systems lack O_PATH.
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
    """Return the target of a link; empty if the name is not a link or does not exist. Raises OSError and Refused."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return ""
    if not stat.S_ISLNK(found.st_mode):
        return ""
    _check(found, path, option)
    return os.readlink(name, dir_fd=folder)


def _check(found: os.stat_result, path: str, option: str) -> None:
    """Check the owner and the mode. Raises Refused if another user may change the file, the folder or the link."""
    if found.st_uid not in {os.geteuid(), 0, *_trusted}:
        text = (
            "%s: %s belongs to %s, who can change it. The owner must be you or root. Change the owner, or add that"
            " user to sfb_xmpp_trusted_owners"
        )
        raise Refused([text % (option, path, _name(found.st_uid))])
    folder, link = stat.S_ISDIR(found.st_mode), stat.S_ISLNK(found.st_mode)
    # In a folder with the sticky bit, such as /tmp, users cannot replace the files of other users.
    if found.st_mode & stat.S_IWOTH and not link and not (folder and found.st_mode & stat.S_ISVTX):
        text = "%s: any user may write %s %s. Run: chmod o-w %s"
        raise Refused([text % (option, "into" if folder else "to", path, path)])


def _name(number: int) -> str:
    try:
        return "%s (%d)" % (pwd.getpwuid(number).pw_name, number)
    except KeyError:
        return "user %d" % number
