# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys, certificate requests and certificates that are made on the controller (cryptography).

Pure: what is made depends on the arguments and on chance, files are somebody else's affair.
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
except ImportError:  # certificate.py says so, before anything here is called
    pass

if t.TYPE_CHECKING:
    from .certificate import Certificate

    Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

# The kinds of keys that the product and public authorities take. Lync Server 2013 takes RSA only.
KEYS = ("rsa2048", "rsa3072", "rsa4096", "ecdsa_p256", "ecdsa_p384")

# A certificate begins a little in the past, for clocks that are behind.
BACKDATED = datetime.timedelta(hours=1)


def is_elliptic(kind: str) -> bool:
    """Whether a kind of KEYS is an elliptic curve."""
    return kind.startswith("ecdsa")


def make_key(kind: str) -> Key:
    """A new private key of one of KEYS."""
    if is_elliptic(kind):
        return ec.generate_private_key(ec.SECP384R1() if kind == "ecdsa_p384" else ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def key_file(key: Key, passphrase: Secret | None) -> bytes:
    """The key in PEM (PKCS#8), encrypted if there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.reveal().encode("utf-8"))
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def load_key(data: bytes, passphrase: Secret | None, what: str) -> Key:
    """A private key in PEM; ``what`` names it in messages. Raises Unusable."""
    secret = passphrase.reveal().encode("utf-8") if passphrase and passphrase.reveal() else None
    try:
        key = serialization.load_pem_private_key(data, secret)
    except TypeError:
        # The library's words for: encrypted and no passphrase, or the other way round.
        if secret:
            return load_key(data, None, what)
        raise Unusable(error("passphrase", "%s needs a passphrase" % what, "give its passphrase")) from None
    except (ValueError, UnsupportedAlgorithm):
        text = "%s cannot be read: the passphrase does not open it, or it is no private key in PEM" % what
        raise Unusable(error("passphrase", text, "give the right file and its passphrase")) from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise Unusable(error("key_type", "%s is neither RSA nor ECDSA" % what, "use another key"))
    return key


def pkcs12_file(bundle: Bundle, passphrase: Secret | None) -> bytes:
    """The bundle as a PKCS#12 file for the controller, in today's encryption if there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase and passphrase.reveal():
        encryption = serialization.BestAvailableEncryption(passphrase.reveal().encode("utf-8"))
    return pkcs12.serialize_key_and_certificates(
        b"sfb.xmpp", bundle.key, bundle.certificate, list(bundle.others), encryption
    )


def request(key: Key, names: t.Sequence[str]) -> bytes:
    """A certificate request (PKCS#10, PEM) for the names, the first of them the subject."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(names))
    for extension, critical in _server_extensions(key, names):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def load_request(data: bytes) -> tuple[bytes, list[str]]:
    """The public key (DER) and the DNS names of a certificate request in PEM. Raises Unusable."""
    try:
        found = x509.load_pem_x509_csr(data)
        if not found.is_signature_valid:
            raise ValueError
        key = public_bytes(found.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unusable(error("request", "it is no certificate request in PEM", "remove the file")) from None
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return key, []
    return key, [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def load_answer(data: bytes) -> list[Certificate]:
    """The certificates in an authority's answer (PEM, DER or PKCS#7) in their order. Raises Unusable."""
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
    raise Unusable(error("answer", "it holds no certificate (PEM, DER or PKCS#7)", "give the authority's answer"))


def answer_to(public_key: bytes, certificates: t.Sequence[Certificate]) -> tuple[Certificate, tuple[Certificate, ...]]:
    """The certificate that belongs to a public key (DER), and the others of the answer. Raises Unusable."""
    for one in certificates:
        if public_key_of(one) == public_key:
            return one, tuple(other for other in certificates if other is not one)
    raise Unusable(error("answer", "it answers another request", "send the present request to the authority"))


class Authority:
    """An authority of one's own: its certificate first, then those above it, and its key."""

    def __init__(self, chain: t.Sequence[Certificate], key: Key) -> None:
        """Raises Unusable if they do not belong together or may not sign certificates."""
        self.chain, self._key = tuple(chain), key
        if public_key_of(chain[0]) != public_bytes(key.public_key()):
            raise Unusable(error("ca_key", "the key is not that of the CA certificate", "give the right pair"))
        if not may_sign(chain[0]):
            text = "%s is not a CA certificate" % chain[0].subject.rfc4514_string()
            raise Unusable(error("ca_certificate", text, "give the certificate of a CA, its own first"))

    def issue(self, key: Key, names: t.Sequence[str], days: int, now: datetime.datetime, crl: str | None) -> Bundle:
        """A certificate for the names. It ends with the authority's own at the latest. Raises Unusable."""
        above = self.chain[0]
        if not above.not_valid_before_utc <= now < above.not_valid_after_utc:
            text = "the CA certificate %s is not valid now" % above.subject.rfc4514_string()
            raise Unusable(error("ca_expired", text, "renew the CA, or set the controller's clock"))
        end = min(now - BACKDATED + datetime.timedelta(days=days), above.not_valid_after_utc)
        certificate = _build(key, names, above.subject, now - BACKDATED, end, self._key, _identifier(above), crl)
        # A root does not travel.
        return Bundle(certificate, key, tuple(one for one in self.chain if one.subject != one.issuer))


def self_signed(key: Key, names: t.Sequence[str], days: int, now: datetime.datetime) -> Bundle:
    """A certificate that nobody vouches for, for laboratories."""
    start, end = now - BACKDATED, now - BACKDATED + datetime.timedelta(days=days)
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return Bundle(_build(key, names, _subject(names), start, end, key, own, None), key)


def _identifier(authority: Certificate) -> x509.AuthorityKeyIdentifier:
    """By which a certificate names its issuer's key: as the issuer itself does, or chains could not be built."""
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
    # A common name has 64 characters at most (RFC 5280, appendix A.1); a longer one stands among the names only.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if len(names[0]) <= 64 else [])


def _server_extensions(key: Key, names: t.Sequence[str]) -> t.Iterator[tuple[t.Any, bool]]:
    """What a certificate needs with which the gateway is a server and, to other servers, a client."""
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
