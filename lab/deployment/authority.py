# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issue certificates. The lab has three authorities: for its listeners, inside its company, and public."""

from __future__ import annotations

import datetime
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

# A server needs both purposes if the server also opens connections to other servers, as in XMPP.
BOTH_WAYS = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def common_name(text: str, organization: str = "") -> x509.Name:
    above = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*above, x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Issue certificates. The authority is a root authority or an intermediate authority."""

    def __init__(self, name: x509.Name, key: Key, lifetime: datetime.timedelta, above: Authority | None = None) -> None:
        self.name = name
        self._key = key
        issuer = above or self
        builder = issuer._builder(name, key, lifetime)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs=True, encipherment=False), critical=True)
        self.certificate = builder.sign(issuer._key, hashes.SHA256())

    @classmethod
    def existing(cls, certificate: x509.Certificate, key: Key) -> Authority:
        """Return an existing authority from the certificate and key."""
        authority = cls.__new__(cls)
        authority.name, authority._key, authority.certificate = certificate.subject, key, certificate
        return authority

    def issue(
        self,
        subject: x509.Name,
        key: Key,
        names: t.Iterable[x509.GeneralName],
        lifetime: datetime.timedelta,
        purposes: t.Iterable[x509.ObjectIdentifier] = BOTH_WAYS,
        more: t.Iterable[x509.ExtensionType] = (),
        age: datetime.timedelta = datetime.timedelta(0),
    ) -> x509.Certificate:
        """Issue a certificate for a server.

        more: further extensions, none critical.
        age: time since the start of the certificate.
        """
        builder = self._builder(subject, key, lifetime, age)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        usage = _usage(signs=False, encipherment=isinstance(key, rsa.RSAPrivateKey))
        builder = builder.add_extension(usage, critical=True)
        for extension in (x509.ExtendedKeyUsage(purposes), x509.SubjectAlternativeName(names), *more):
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _builder(
        self,
        subject: x509.Name,
        key: Key,
        lifetime: datetime.timedelta,
        age: datetime.timedelta = datetime.timedelta(0),
    ) -> x509.CertificateBuilder:
        # The start is one hour in the past, for slow clocks.
        start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=1) - age
        own, issuers = key.public_key(), self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(own)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + lifetime)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers), critical=False)
        )


def _usage(signs: bool, encipherment: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_encipherment=encipherment,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
