# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create the lab's certificate authority, and the only server certificate, which is for all hosts.

The certificates are created in the lab's directory if they are missing, end soon, or have other names. Only the owner
can read the key.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from .authority import Authority, common_name
from .endpoints import ADDRESSES
from .hosts import HOSTS

LIFETIME = datetime.timedelta(days=825)
RENEW_BEFORE = datetime.timedelta(days=30)


@dataclass(frozen=True)
class ServerIdentity:
    """Hold the paths of the CA certificate that clients trust, and of the server's certificate and key (PEM)."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return the context of a listener: TLS 1.2 or later."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context

    def channel_binding(self) -> bytes:
        """Return the ``tls-server-end-point`` data (RFC 5929, section 4). The certificate is signed with SHA-256."""
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text("ascii"))
        return b"tls-server-end-point:" + hashlib.sha256(der).digest()


def ensure_identity(directory: Path) -> ServerIdentity:
    """Return the identity in ``directory``. Create an identity if no identity is valid for another month."""
    identity = ServerIdentity(directory / "ca.pem", directory / "server.pem", directory / "server-key.pem")
    if not _usable(identity):
        _create(identity)
    return identity


def _usable(identity: ServerIdentity) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
        ca = x509.load_pem_x509_certificate(identity.ca.read_bytes())
        identity.context()
        certificate.verify_directly_issued_by(ca)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False
    now = datetime.datetime.now(datetime.timezone.utc)
    return names == _names() and certificate.not_valid_after_utc - RENEW_BEFORE > now


def _names() -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = [x509.DNSName(HOSTS[name].fqdn) for name in ADDRESSES]
    return x509.SubjectAlternativeName(names + [x509.IPAddress(ipaddress.ip_address(a)) for a in ADDRESSES.values()])


def _create(identity: ServerIdentity) -> None:
    """Create a new CA and certificate. The CA's key is not kept, so the CA can issue no other certificates."""
    # Every authority has a unique name, so that clients cannot confuse the certificates of two labs.
    ca_name = common_name("Contoso lab CA %x" % (x509.random_serial_number() & 0xFFFFFFFF))
    ca = Authority(ca_name, ec.generate_private_key(ec.SECP256R1()), LIFETIME)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = common_name(HOSTS["fe01"].fqdn)
    certificate = ca.issue(subject, key, _names(), LIFETIME, purposes=[ExtendedKeyUsageOID.SERVER_AUTH])
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(identity.key, secret)
    identity.certificate.write_bytes(certificate.public_bytes(pem))
    identity.ca.write_bytes(ca.certificate.public_bytes(pem))


def write_private(path: Path, data: bytes) -> None:
    """Write or replace a file that only the owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
        f.write(data)
