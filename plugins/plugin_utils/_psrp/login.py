# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Protect accounts from a lockout: the first login of a run goes alone, the other logins follow.

Each host has its own process, and all processes may log in with the same account at the same time. Active Directory
locks an account after a few refused logins. So a login first takes a lock: a file in the directory that Ansible makes
for a run and removes after the run. The file's content is the result of the first login. A process that ends releases
its lock. The remote shell and WinRM have separate locks, because WinRM also refuses valid accounts that are not local
administrators.

A login takes the lock after the connection is made. So a lock never waits for a server that cannot be reached.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time

from .errors import LoginRefused
from .limits import current
from .options import Target

# Seconds between two checks whether the first login has ended.
_LOOK = 0.05
_ACCEPTED, _REFUSED = "accepted", "refused "
# The remote shell of a Front End, which is always a member of a domain.
_DOMAIN_PATH = "ocspowershell"


class Login:
    """Control the login of one session. Different threads may call enter() and leave().

    target: the server and the account.
    directory: the directory of the run. Without a directory or a password, no lock is used.
    """

    def __init__(self, target: Target, directory: str) -> None:
        self._target = target
        self._handle: int | None = None
        self._over = False
        password = str(target.wsman.get("password") or "")
        # The name of the file does not reveal the password, not even to an attacker who tries many.
        self._file = "%s/login-%s" % (directory, _digest(target, password, directory)) if directory and password else ""

    def _open(self) -> int | None:
        """Open the file. Return None if the run is over and its directory is removed."""
        try:
            return os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            return None

    def enter(self) -> None:
        """Wait until this login may continue. Each connection calls this method before anything is sent.

        Raises LoginRefused, and TooLate if the time is over.
        """
        if not self._file or self._over or self._handle is not None:
            return
        handle = self._open()
        if handle is None:
            return
        try:
            while not self._known(handle):
                current().check()
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(_LOOK)
                    continue
                if not self._known(handle):  # The previous login may have just ended.
                    self._handle, handle = handle, -1
                return
        finally:
            if handle >= 0:
                os.close(handle)

    def _known(self, handle: int) -> bool:
        """Return whether the first login has ended. Raises LoginRefused."""
        found = os.pread(handle, 1000, 0).decode("utf-8", "replace")
        if found.startswith(_REFUSED):
            raise LoginRefused(
                "%s refused the account '%s' before in this run, so the same password is not tried on %s. Correct"
                " ansible_user or ansible_password" % (found[len(_REFUSED) :], self._target.user, self._target.host)
            )
        return found == _ACCEPTED

    def leave(self, accepted: bool, refused: bool = False) -> None:
        """Record the end of the login. Without a clear result, the next login also goes alone."""
        handle, self._handle = self._handle, None
        self._over = self._over or accepted
        if not self._file:
            return
        if refused and handle is None:  # Another host has already accepted the login.
            handle = self._open()
        if handle is None:
            return
        try:
            if accepted or refused:
                word = _ACCEPTED if accepted else _REFUSED + self._target.host
                os.ftruncate(handle, 0)
                os.pwrite(handle, word.encode(), 0)
        finally:
            os.close(handle)


def _digest(target: Target, password: str, salt: str) -> str:
    parts = "\0".join((_path(target), _realm(target), target.user.casefold(), password))
    return hashlib.scrypt(parts.encode(), salt=salt.encode(), n=2**12, r=8, p=1, dklen=16).hex()


def _realm(target: Target) -> str:
    """Return the domain of the account. If the name has no domain, return the server or the server's domain."""
    domain, backslash, _name = target.user.partition("\\")
    if backslash and domain != ".":
        return domain.casefold()
    _name, at, realm = target.user.rpartition("@")
    if at:
        return realm.casefold()
    return "" if _path(target) == _DOMAIN_PATH else target.host.casefold()


def _path(target: Target) -> str:
    return str(target.wsman.get("path") or "").strip("/").casefold()
