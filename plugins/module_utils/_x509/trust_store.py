# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CA certificates that are trusted: a file or a directory on the controller, or what the system has."""

from __future__ import annotations

import os
import re
import ssl
import typing as t

from .._base.names import Invalid
from .certificate import Unusable, load_chain

if t.TYPE_CHECKING:
    from .certificate import Certificate

# As `openssl rehash` names them, and as OpenSSL finds them.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


def default() -> str:
    """The path of the system's, as the Python of the controller finds it. Raises Invalid if there is none."""
    paths = ssl.get_default_verify_paths()
    found = paths.cafile or paths.capath
    if not found:
        raise Invalid("the system has no store of trusted CA certificates; give one")
    return found


def load(path: str) -> tuple[Certificate, ...]:
    """The certificates of a PEM file, or of a directory with OpenSSL's hashed names. Raises Invalid."""
    path = os.path.expanduser(path)
    if not os.path.isdir(path):
        return _load_file(path)
    names = sorted(name for name in os.listdir(path) if _HASHED.fullmatch(name))
    if not names:
        raise Invalid("%s holds no file with a name such as 1a2b3c4d.0; run 'openssl rehash' on the directory" % path)
    return tuple(one for name in names for one in _load_file(os.path.join(path, name)))


def _load_file(path: str) -> tuple[Certificate, ...]:
    try:
        with open(path, "rb") as file:
            return load_chain(file.read())
    except OSError as exc:
        raise Invalid("%s cannot be read: %s" % (path, exc.strerror)) from None
    except Unusable:
        raise Invalid("%s holds no PEM certificates; give a file of PEM CA certificates" % path) from None
