# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issue the partners' certificates: valid certificates, and certificates with exactly one mistake.

The certificates contain only DNS names. ejabberd 23.01 cannot read a peer's certificate with an XMPP address (RFC 6120,
section 13.7.1.4).
"""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..deployment.authority import BOTH_WAYS, Authority, common_name
from ..deployment.public_ca import public_authority
from ..deployment.tls import write_private
from ..errors import LabError

KINDS = ("good", "expired", "wrongname", "unknownca", "serveronly")
LIFETIME = datetime.timedelta(days=90)


def write_certificate(directory: Path, path: Path, domain: str, kind: str) -> None:
    """Issue a certificate by the authority of the lab in ``directory`` into ``path``: key, certificate, chain (PEM).

    Raises LabError if ``kind`` is not in KINDS.
    """
    if kind not in KINDS:
        raise LabError("the kind of certificate %r must be one of %s" % (kind, ", ".join(KINDS)))
    issuer, chain = public_authority(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    if kind == "unknownca":
        name = common_name("Internal CA of %s" % domain)
        issuer = Authority(name, ec.generate_private_key(ec.SECP256R1()), LIFETIME)
        chain = (issuer.certificate,)
    subject = "mail." + domain if kind == "wrongname" else domain
    certificate = issuer.issue(
        common_name(subject),
        key,
        [x509.DNSName(subject)],
        LIFETIME,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH] if kind == "serveronly" else BOTH_WAYS,
        age=LIFETIME + datetime.timedelta(days=10) if kind == "expired" else datetime.timedelta(0),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(path, secret + b"".join(one.public_bytes(pem) for one in (certificate, *chain)))


def read_certificate(path: Path) -> bytes:
    """Return the certificate (DER) in a file from ``write_certificate``."""
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
