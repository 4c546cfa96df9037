# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace a certificate by a certificate with the same validity and purposes, but with other names and another key."""

from __future__ import annotations

import typing as t

from .._x509.certificate import Unusable, parse
from .pseudonyms import Pseudonyms

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True


def stand_in(der: bytes, names: Pseudonyms) -> bytes | None:
    """Return the replacing certificate; None if the data is not a certificate.

    The same key of the pseudonyms gives the same certificate and thumbprint. The path of the certificate cannot be
    checked, because no authority signed the certificate.
    """
    if not HAS_CRYPTOGRAPHY:
        return None
    try:
        former = parse(der)
        return _made(former, names)
    except (Unusable, ValueError, TypeError):
        return None


def _made(former: t.Any, names: Pseudonyms) -> bytes:
    serial = names.hexadecimal("%X" % former.serial_number)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(former.subject, names))
        .issuer_name(_name(former.issuer, names))
        .serial_number(int(serial, 16) or 1)
        .not_valid_before(former.not_valid_before_utc)
        .not_valid_after(former.not_valid_after_utc)
        .public_key(_public_key(former, names))
    )
    for extension in former.extensions:
        value = extension.value
        if isinstance(value, (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)):
            builder = builder.add_extension(value, extension.critical)
        elif isinstance(value, x509.SubjectAlternativeName):
            others = [x509.DNSName(names.text(one)) for one in value.get_values_for_type(x509.DNSName)]
            if others:
                builder = builder.add_extension(x509.SubjectAlternativeName(others), extension.critical)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(names.digest("signer", ""))
    return builder.sign(key, None).public_bytes(serialization.Encoding.DER)


def _name(name: t.Any, names: Pseudonyms) -> t.Any:
    """Return the name with pseudonyms for its texts. The country is left out, because a country shows a place."""
    found = []
    for attribute in name:
        if attribute.oid == x509.NameOID.COUNTRY_NAME or not isinstance(attribute.value, str):
            continue
        # X.520 allows 64 characters for most attributes.
        found.append(x509.NameAttribute(attribute.oid, names.text(attribute.value)[:64]))
    return x509.Name(found)


def _public_key(former: t.Any, names: Pseudonyms) -> t.Any:
    """Return a public key of the same kind and size. Its private key is not known."""
    key = former.public_key()
    seed = "%X" % former.serial_number
    if isinstance(key, rsa.RSAPublicKey):
        size = key.key_size // 8
        noise = b"".join(names.digest("key", "%s %d" % (seed, n)) for n in range(size // 32 + 1))[:size]
        number = int.from_bytes(noise, "big") | 1 | 1 << (8 * size - 1)
        return rsa.RSAPublicNumbers(65537, number).public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        private = int.from_bytes(names.digest("key", seed)[:16], "big") + 1
        return ec.derive_private_key(private, key.curve).public_key()
    return ed25519.Ed25519PrivateKey.from_private_bytes(names.digest("key", seed)).public_key()
