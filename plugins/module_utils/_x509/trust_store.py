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
from .._base.texts import some
from .certificate import Unusable, load_chain

if t.TYPE_CHECKING:
    from .certificate import Certificate

# "TRUSTED CERTIFICATE" is OpenSSL's own form, with more than the certificate in it (openssl-x509(1)).
_PEM = re.compile(rb"-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.*?-----END \1-----", re.DOTALL)

# As `openssl rehash` names them, and as OpenSSL finds them.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


class Store(t.NamedTuple):
    """The certificates of a trust store, and a text for each one that cannot be loaded."""

    certificates: tuple[Certificate, ...]
    skipped: tuple[str, ...]

    @property
    def warnings(self) -> list[str]:
        """At most one text, since a store may hold many of them."""
        return ["trust_store: not used: %s" % some(self.skipped)] if self.skipped else []


def default() -> str:
    """The path of the system's, as the Python of the controller finds it. Raises Invalid if there is none."""
    paths = ssl.get_default_verify_paths()
    found = paths.cafile or paths.capath
    if not found:
        raise Invalid("the system has no store of trusted CA certificates; give one")
    return found


def load(path: str) -> Store:
    """The certificates of a PEM file, or of a directory with OpenSSL's hashed names.

    A certificate that cannot be loaded is skipped, as OpenSSL does. Raises Invalid if none is left.
    """
    path = os.path.expanduser(path)
    files = [path]
    if os.path.isdir(path):
        files = [os.path.join(path, name) for name in sorted(os.listdir(path)) if _HASHED.fullmatch(name)]
        if not files:
            text = "%s holds no file with a name such as 1a2b3c4d.0; run 'openssl rehash' on the directory"
            raise Invalid(text % path)
    found: list[Certificate] = []
    skipped: list[str] = []
    for file in files:
        data = _read(file)
        blocks = list(_PEM.finditer(data))
        if not blocks:
            skipped.append("%s (it holds no PEM certificates)" % file)
        for number, block in enumerate(blocks, 1):
            try:
                found += load_chain(block[0])
            except Unusable:
                line = data.count(b"\n", 0, block.start()) + 1
                skipped.append("certificate %d of %s, at line %d (it cannot be decoded)" % (number, file, line))
    if not found:
        text = "%s holds no PEM certificates that can be loaded; give a file of PEM CA certificates"
        raise Invalid(text % path)
    return Store(tuple(found), tuple(skipped))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as exc:
        raise Invalid("%s cannot be read: %s" % (path, exc.strerror)) from None
