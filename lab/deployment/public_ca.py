# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create the lab's public certificate authority, which issues the certificates of the gateway and the partners.

``public-ca.pem`` in the lab's directory is the root of this authority, for a trust store. ``public-ca-key.pem`` has the
certificate and the key of the issuing authority below the root. Only the owner of the file can read the file. The key
of the root is not kept.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .authority import Authority, common_name, rsa_key
from .tls import write_private

ROOT_FILE = "public-ca.pem"
KEY_FILE = "public-ca-key.pem"
LIFETIME = datetime.timedelta(days=3650)
RENEW_BEFORE = datetime.timedelta(days=365)


def public_authority(directory: Path) -> tuple[Authority, tuple[x509.Certificate, ...]]:
    """Return the issuing authority (new if necessary), and the chain that a server sends after a certificate."""
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        issuer = _load(directory) or _create(directory)
    return issuer, (issuer.certificate,)


@contextlib.contextmanager
def _alone(directory: Path) -> t.Iterator[None]:
    """Lock the directory, because a lab and its partners that start together must not create two authorities."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _load(directory: Path) -> Authority | None:
    try:
        root = x509.load_pem_x509_certificate((directory / ROOT_FILE).read_bytes())
        pem = (directory / KEY_FILE).read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem, None)
        certificate.verify_directly_issued_by(root)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return None
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.timezone.utc)
    if left < RENEW_BEFORE or not isinstance(key, rsa.RSAPrivateKey):
        return None
    return Authority.existing(certificate, key)


def _create(directory: Path) -> Authority:
    root = Authority(common_name("Contoso Lab Public Root"), rsa_key(), LIFETIME)
    key = rsa_key()
    issuer = Authority(common_name("Contoso Lab Public Issuing CA"), key, LIFETIME, above=root)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(directory / KEY_FILE, secret + issuer.certificate.public_bytes(pem))
    (directory / ROOT_FILE).write_bytes(root.certificate.public_bytes(pem))
    return issuer
