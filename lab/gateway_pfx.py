# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate for the lab's gateway, as a public authority would sell it: ``gateway.pfx`` in the lab's directory.

``public-ca.pem`` beside it is the authority's root, for a trust store. The file is encrypted as today's tools do it
(AES), which the lab's Edges, like Windows Server 2016, cannot open.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .seed import ACCESS_EDGE, SIP_DOMAINS
from .tls import write_private

PASSPHRASE = "Lab-pfx-1"  # noqa: S105 - public by design, like every secret of the lab
LIFETIME = datetime.timedelta(days=200)  # what public authorities issue in 2026
RENEW_BEFORE = datetime.timedelta(days=70)
NAMES = (ACCESS_EDGE, *SIP_DOMAINS, *("sip." + domain for domain in SIP_DOMAINS[1:]), "webcon." + SIP_DOMAINS[0])
FILE = "gateway.pfx"
ROOT_FILE = "public-ca.pem"


def ensure_gateway_pfx(directory: Path) -> None:
    """Make the two files unless there is a pair that is good for a while yet."""
    if not _usable(directory):
        _create(directory)


def _usable(directory: Path) -> bool:
    try:
        content = pkcs12.load_pkcs12((directory / FILE).read_bytes(), PASSPHRASE.encode())
        x509.load_pem_x509_certificate((directory / ROOT_FILE).read_bytes())
    except (OSError, ValueError):
        return False
    left = content.cert.certificate.not_valid_after_utc - _now() if content.cert else RENEW_BEFORE
    return left > RENEW_BEFORE


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _create(directory: Path) -> None:
    root_key, issuer_key, key = (rsa.generate_private_key(65537, 2048) for _key in range(3))
    root_name, issuer_name = _name("Contoso Lab Public Root"), _name("Contoso Lab Public Issuing CA")
    root = _authority(root_name, root_key, root_name, root_key)
    issuer = _authority(issuer_name, issuer_key, root_name, root_key)
    leaf = (
        _builder(_name(ACCESS_EDGE), key, issuer_name, issuer_key, LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(_revocation_list(), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    content = pkcs12.serialize_key_and_certificates(b"gateway", key, leaf, [issuer], encryption)
    write_private(directory / FILE, content)
    (directory / ROOT_FILE).write_bytes(root.public_bytes(serialization.Encoding.PEM))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _revocation_list() -> x509.CRLDistributionPoints:
    place = x509.UniformResourceIdentifier("http://crl.contoso.test/issuing.crl")
    return x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])


def _builder(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    lifetime: datetime.timedelta,
) -> x509.CertificateBuilder:
    start = _now() - datetime.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _authority(
    name: x509.Name, key: rsa.RSAPrivateKey, issuer: x509.Name, issuer_key: rsa.RSAPrivateKey
) -> x509.Certificate:
    return (
        _builder(name, key, issuer, issuer_key, datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
