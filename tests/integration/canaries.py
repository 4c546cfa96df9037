# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that must stand nowhere, and the places where they could: output, logs, reports, files, processes."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import threading
import time
import typing as t
import urllib.parse
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from tests.unit.certificates import Issued

# Every password and passphrase that the collection is given. Accounts and passwords are those of the lab.
SECRETS = {
    "ansible_password of a management host": "Lab-admin-1",
    "ansible_password of an Edge": "Lab-edge-1",
    "a wrong ansible_password": "Canary-wrong-4711",
    "sfb_xmpp_gateway.dialback_passphrase": "Canary-dialback<&\"'-4712",
    "sfb_xmpp_certificate.source.passphrase": "Canary-pfx-4713",
    "sfb_xmpp_certificate.source.ca_passphrase": "Canary-ca-4714",
    "sfb_xmpp_certificate.source.ca_password": "Canary-ca-account-4715",
    "credential.password of xmpp_im_test": "Canary-user-4716",
}


def forms(secret: str) -> set[str]:
    """As it may be spelled."""
    utf16 = secret.encode("utf-16-le")
    encoded = {base64.b64encode(data).decode().rstrip("=") for data in (secret.encode(), utf16)}
    return {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], urllib.parse.quote(secret, safe=""), *encoded}


def of_key(one: Issued) -> set[str]:
    """A private key: its bytes in base64, however they are broken into lines, and in hexadecimal."""
    found = set()
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        der = one.key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
        # The end of a key in DER is its own; where it stands in a text depends on what is before.
        found |= {base64.b64encode(der).decode()[40:100], der.hex()[-80:], der.hex().upper()[-80:]}
    return found


class Watch:
    """Looks at the command lines of all processes and at temporary files, while a block runs."""

    def __init__(self, places: t.Sequence[Path], patterns: t.Collection[str]) -> None:
        self.found: set[str] = set()
        self.looks = 0
        self._places, self._patterns = places, [one.encode() for one in patterns]
        self._over = threading.Event()

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                self._look(path)
            for place in self._places:
                for path in list(place.rglob("*")):
                    self._look(path)
            self.looks += 1
            time.sleep(0.1)

    def _look(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            if path.name == "cmdline" or (path.is_file() and path.stat().st_size < 10**7):
                data = path.read_bytes()
                self.found |= {"%s: %s" % (path, one.decode()) for one in self._patterns if one in data}


def searched(directory: Path, patterns: t.Collection[str]) -> tuple[list[str], int]:
    """Where one of the patterns stands below a directory, and how many files were searched. Base64 is looked into."""
    found, files = [], 0
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        files += 1
        data = path.read_bytes()
        for text in (data, re.sub(rb"\s|\\n", b"", data)):
            found += ["%s: %s" % (path, one) for one in patterns if one.encode() in text]
    return found, files


def core_files(directory: Path) -> list[Path]:
    """Dumps of processes."""
    return [path for path in directory.rglob("core*") if path.is_file() and os.path.getsize(path) > 10**5]
