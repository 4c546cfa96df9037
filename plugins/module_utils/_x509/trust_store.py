# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load the trusted CA certificates from a file or a directory on the controller, or from the system's store."""

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

# "TRUSTED CERTIFICATE" is OpenSSL's own form. The form has more data than the certificate (openssl-x509(1)).
_PEM = re.compile(rb"-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.*?-----END \1-----", re.DOTALL)

# The file names that `openssl rehash` makes and OpenSSL reads.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


class Store(t.NamedTuple):
    """These are the certificates of a trust store.

    certificates: the loaded certificates.
    skipped: one text for each certificate that cannot be loaded.
    """

    certificates: tuple[Certificate, ...]
    skipped: tuple[str, ...]

    @property
    def warnings(self) -> list[str]:
        """Return one text about all skipped certificates, because a store may have many such certificates."""
        return ["trust_store: skipped %s" % some(self.skipped)] if self.skipped else []


def default() -> str:
    """Return the path of the system's store, from the controller's Python. Raises Invalid without a store."""
    paths = ssl.get_default_verify_paths()
    found = paths.cafile or paths.capath
    if not found:
        raise Invalid("the system has no store of trusted CA certificates. Set a path")
    return found


def load(path: str) -> Store:
    """Load the certificates of a PEM file, or of a directory with OpenSSL's hashed names.

    A certificate that cannot be loaded is skipped, as in OpenSSL. Raises Invalid if no certificate is left.
    """
    path = os.path.expanduser(path)
    files = [path]
    if os.path.isdir(path):
        files = [os.path.join(path, name) for name in sorted(os.listdir(path)) if _HASHED.fullmatch(name)]
        if not files:
            text = "%s has no file with a name such as 1a2b3c4d.0. Run 'openssl rehash' for the directory"
            raise Invalid(text % path)
    found: list[Certificate] = []
    skipped: list[str] = []
    for file in files:
        data = _read(file)
        blocks = list(_PEM.finditer(data))
        if not blocks:
            skipped.append("%s (no PEM certificates)" % file)
        for number, block in enumerate(blocks, 1):
            try:
                found += load_chain(block[0])
            except Unusable:
                line = data.count(b"\n", 0, block.start()) + 1
                skipped.append("certificate %d of %s, at line %d (cannot be decoded)" % (number, file, line))
    if not found:
        text = "%s has no PEM certificates that can be loaded. Name a file with PEM CA certificates"
        raise Invalid(text % path)
    return Store(tuple(found), tuple(skipped))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as exc:
        raise Invalid("%s cannot be read: %s" % (path, exc.strerror)) from None
