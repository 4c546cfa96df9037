# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create keys, certificate requests and certificates on the controller (cryptography).

The results depend only on the arguments and on random numbers. This code reads and writes no files.
"""

from __future__ import annotations

import datetime
import typing as t

from .._base.findings import error
from .._shell.statement import Secret
from .certificate import Bundle, Unusable, public_bytes, public_key_of
from .fields import may_sign

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:  # certificate.py reports a missing library before a function of this file is called.
    pass

if t.TYPE_CHECKING:
    from .certificate import Certificate

    Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

# The kinds of keys that the product and public authorities accept. Lync Server 2013 accepts only RSA.
KEYS = ("rsa2048", "rsa3072", "rsa4096", "ecdsa_p256", "ecdsa_p384")

# The validity begins in the past, because the clocks of other servers may be behind.
BACKDATED = datetime.timedelta(hours=1)


def is_elliptic(kind: str) -> bool:
    """Return whether a kind of KEYS is an elliptic curve."""
    return kind.startswith("ecdsa")


def make_key(kind: str) -> Key:
    """Create a private key.

    kind: a value of KEYS.
    """
    if is_elliptic(kind):
        return ec.generate_private_key(ec.SECP384R1() if kind == "ecdsa_p384" else ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def key_file(key: Key, passphrase: Secret | None) -> bytes:
    """Return the key in PEM (PKCS#8). With a passphrase, the key is encrypted."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.reveal().encode("utf-8"))
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def load_key(data: bytes, passphrase: Secret | None, what: str) -> Key:
    """Read a private key in PEM. Raises Unusable.

    what: the name of the key in messages.
    """
    secret = passphrase.reveal().encode("utf-8") if passphrase and passphrase.reveal() else None
    try:
        key = serialization.load_pem_private_key(data, secret)
    except TypeError:
        # The library raises TypeError for an encrypted key without a passphrase, and for a plain key with a passphrase.
        if secret:
            return load_key(data, None, what)
        raise Unusable(error("passphrase", "%s needs a passphrase" % what, "set its passphrase")) from None
    except (ValueError, UnsupportedAlgorithm):
        text = "%s cannot be read. The passphrase is wrong, or the file is not a private key in PEM" % what
        raise Unusable(error("passphrase", text, "check the file and its passphrase")) from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise Unusable(error("key_type", "%s must be an RSA or ECDSA key" % what, "use another key"))
    return key


def pkcs12_file(bundle: Bundle, passphrase: Secret | None) -> bytes:
    """Return the bundle as a PKCS#12 file for the controller. With a passphrase, the file has modern encryption."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase and passphrase.reveal():
        encryption = serialization.BestAvailableEncryption(passphrase.reveal().encode("utf-8"))
    return pkcs12.serialize_key_and_certificates(
        b"sfb.xmpp", bundle.key, bundle.certificate, list(bundle.others), encryption
    )


def request(key: Key, names: t.Sequence[str]) -> bytes:
    """Return a certificate request (PKCS#10, PEM) for the names. The first name is the subject."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(names))
    for extension, critical in _server_extensions(key, names):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def load_request(data: bytes) -> tuple[bytes, list[str]]:
    """Return the public key (DER) and the DNS names of a certificate request in PEM. Raises Unusable."""
    try:
        found = x509.load_pem_x509_csr(data)
        if not found.is_signature_valid:
            raise ValueError
        key = public_bytes(found.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unusable(error("request", "the file is not a certificate request in PEM", "remove the file")) from None
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return key, []
    return key, [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def load_answer(data: bytes) -> list[Certificate]:
    """Return the certificates of an authority's answer (PEM, DER or PKCS#7) in the answer's order. Raises Unusable."""
    for load in (
        x509.load_pem_x509_certificates,
        lambda content: [x509.load_der_x509_certificate(content)],
        pkcs7.load_pem_pkcs7_certificates,
        pkcs7.load_der_pkcs7_certificates,
    ):
        try:
            found = load(data)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if found:
            return list(found)
    text = "the file has no certificate (PEM, DER or PKCS#7)"
    raise Unusable(error("answer", text, "replace the file by the authority's answer"))


def answer_to(public_key: bytes, certificates: t.Sequence[Certificate]) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Return the certificate of a public key (DER), and the other certificates. Raises Unusable."""
    for one in certificates:
        if public_key_of(one) == public_key:
            return one, tuple(other for other in certificates if other is not one)
    raise Unusable(error("answer", "the file answers another request", "send the current request to the authority"))


class Authority:
    """Issue certificates with an own certification authority.

    chain: the authority's certificate, then the certificates above.
    key: the authority's private key.
    """

    def __init__(self, chain: t.Sequence[Certificate], key: Key) -> None:
        """Raise Unusable if certificate and key do not match, or if the authority may not sign certificates."""
        self.chain, self._key = tuple(chain), key
        if public_key_of(chain[0]) != public_bytes(key.public_key()):
            text = "the key does not belong to the CA certificate"
            raise Unusable(error("ca_key", text, "set the certificate and the key of the same CA"))
        if not may_sign(chain[0]):
            text = "%s is not a CA certificate" % chain[0].subject.rfc4514_string()
            raise Unusable(error("ca_certificate", text, "put the certificate of the CA first into the file"))

    def issue(self, key: Key, names: t.Sequence[str], days: int, now: datetime.datetime, crl: str | None) -> Bundle:
        """Issue a certificate for the names. The certificate ends no later than the authority's. Raises Unusable.

        days: the lifetime.
        crl: the URL of the CRL distribution point; None for none.
        """
        above = self.chain[0]
        if not above.not_valid_before_utc <= now < above.not_valid_after_utc:
            text = "the CA certificate %s is not valid now" % above.subject.rfc4514_string()
            raise Unusable(error("ca_expired", text, "renew the CA certificate, or correct the controller's clock"))
        end = min(now - BACKDATED + datetime.timedelta(days=days), above.not_valid_after_utc)
        certificate = _build(key, names, above.subject, now - BACKDATED, end, self._key, _identifier(above), crl)
        # The root is not sent.
        return Bundle(certificate, key, tuple(one for one in self.chain if one.subject != one.issuer))


def self_signed(key: Key, names: t.Sequence[str], days: int, now: datetime.datetime) -> Bundle:
    """Create a self-signed certificate for laboratories."""
    start, end = now - BACKDATED, now - BACKDATED + datetime.timedelta(days=days)
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return Bundle(_build(key, names, _subject(names), start, end, key, own, None), key)


def _identifier(authority: Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the identifier of the issuer's key, as the issuer's certificate names the key, to build chains."""
    try:
        own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except (x509.ExtensionNotFound, ValueError):
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(t.cast(t.Any, authority.public_key()))
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _build(
    key: Key,
    names: t.Sequence[str],
    issuer: x509.Name,
    start: datetime.datetime,
    end: datetime.datetime,
    signer: Key,
    authority: x509.AuthorityKeyIdentifier,
    crl: str | None,
) -> Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(names))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
    )
    for extension, critical in _server_extensions(key, names):
        builder = builder.add_extension(extension, critical)
    if crl:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    curve = signer.curve.name if isinstance(signer, ec.EllipticCurvePrivateKey) else ""
    # PKCS#1 v1.5 with an RSA key: the product does not support RSASSA-PSS.
    return builder.sign(signer, hashes.SHA384() if curve == "secp384r1" else hashes.SHA256())


def _subject(names: t.Sequence[str]) -> x509.Name:
    # A common name has at most 64 characters (RFC 5280, appendix A.1). A longer name is only an alternative name.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if len(names[0]) <= 64 else [])


def _server_extensions(key: Key, names: t.Sequence[str]) -> t.Iterator[tuple[t.Any, bool]]:
    """Yield the extensions of a gateway, which is a server and also a client of other servers."""
    yield x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), len(names[0]) > 64
    yield x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False
    usage = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    yield (
        x509.KeyUsage(
            digital_signature=True,
            key_encipherment=isinstance(key, rsa.RSAPrivateKey),
            encipher_only=False,
            decipher_only=False,
            **usage,
        ),
        True,
    )
