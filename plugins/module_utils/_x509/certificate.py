# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the requirements of the gateway's certificate. Read and write PKCS#12 files.

Pure, except for the time limit of a chain: bytes and the time come in, values go out. chain.py checks the chain. Source
of the rules: the product's pages on Edge certificates ("environmental requirements for Edge", "certificate requirements
for external user access").
"""

from __future__ import annotations

import datetime
import time
import typing as t
from dataclasses import dataclass, field, replace

from .._base.findings import UNKNOWN, WARNING, Finding, error, warning
from .._base.texts import foreign, some, utc
from .._shell.statement import Secret
from .chain import TimeIsUp, broken, check_chain, paths
from .fields import extension, issued, keep_quiet, self_signed, shown, unreadable

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, PublicKeyAlgorithmOID, SignatureAlgorithmOID
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

if t.TYPE_CHECKING:
    Certificate = x509.Certificate
    Certificates = t.Iterable[x509.Certificate]
    Key = pkcs12.PKCS12PrivateKeyTypes

MINIMUM_RSA_BITS = 2048
CURVES = ("secp256r1", "secp384r1")

# The keys of describe().
FACTS = (
    "thumbprint",
    "subject",
    "issuer",
    "serial_number",
    "names",
    "not_before",
    "not_after",
    "key",
    "server_auth",
    "client_auth",
    "public",
)

# The policies of extended, domain, organization and individual validation (TLS Baseline Requirements, section 7.1.6.1).
PUBLIC_POLICIES = frozenset(("2.23.140.1.1", "2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3"))
# A certificate ends soon if less than 14 days are left. For short lifetimes, the limit is a third of the lifetime.
SOON = datetime.timedelta(days=14)
# The time limit of all checks of a chain, in seconds. The check of a good chain takes milliseconds.
CHAIN_SECONDS = 5.0
# The code of the finding that the checks of a chain took too long.
NOT_CHECKED = "chain_not_checked"


class Unusable(Exception):
    """The file cannot be used.

    findings: the reasons.
    """

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(str(finding) for finding in findings))
        self.findings = findings


@dataclass(frozen=True)
class Bundle:
    """This is a certificate with its private key.

    others: the other certificates of the file.
    """

    certificate: Certificate
    key: Key = field(repr=False)
    others: tuple[Certificate, ...] = ()


def load_pkcs12(data: bytes, passphrase: Secret | None) -> Bundle:
    """Open a PKCS#12 file (RFC 7292) with any encryption. Raises Unusable."""
    keep_quiet()
    # A missing and an empty passphrase have different encodings, and tools confuse both encodings.
    attempts = [passphrase.reveal().encode("utf-8")] if passphrase and passphrase.reveal() else [None, b""]
    content = None
    for attempt in attempts:
        try:
            content = pkcs12.load_pkcs12(data, attempt)
            break
        except UnsupportedAlgorithm:
            raise Unusable(
                error("unsupported_encryption", "the file uses an encryption that is not supported", _EXPORT)
            ) from None
        except ValueError:  # The library's text does not distinguish the cases.
            continue
    if content is None:
        raise Unusable(_why_not_opened(data, passphrase))
    if content.key is None:
        raise Unusable(error("no_private_key", "the file has no private key", _EXPORT))
    if content.cert is None:
        raise Unusable(error("no_certificate", "the file has no certificate for its private key", _EXPORT))
    others = tuple(other.certificate for other in content.additional_certs)
    key = t.cast("Key", content.key)
    if public_bytes(key.public_key()) != public_bytes(content.cert.certificate.public_key()):
        raise Unusable(error("key_mismatch", "the private key does not belong to the certificate", _EXPORT))
    return Bundle(content.cert.certificate, key, others)


def wrap(bundle: Bundle, passphrase: Secret, now: datetime.datetime) -> bytes:
    """Return the PKCS#12 file that is sent: the certificate, its key and the intermediates, never a root.

    Every Windows Server from 2008 R2 on opens PBESv1 with SHA-1 and 3DES and a SHA-1 MAC. Windows Server 2016 and older
    answer "wrong password" to AES. So only the passphrase protects the file.
    """
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2048)  # the number of old tools; the passphrase is random, so more rounds do not help
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303  see above
        .build(passphrase.reveal().encode("ascii"))
    )
    name = (subject_name(bundle.certificate) or "sfb.xmpp").encode("utf-8")
    longest = max(paths(bundle.certificate, bundle.others, now).values(), key=len)
    intermediates = [one for one in longest[1:] if not self_signed(one)]
    return pkcs12.serialize_key_and_certificates(name, bundle.key, bundle.certificate, intermediates, encryption)


def load_chain(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM file in the file's order. Raises Unusable."""
    keep_quiet()
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError:
        raise Unusable(
            error("not_pem", "the file has no PEM certificates", "convert the certificates to PEM")
        ) from None


def parse(raw: bytes) -> Certificate:
    """Read a certificate from DER data. Raises Unusable."""
    keep_quiet()
    try:
        return x509.load_der_x509_certificate(raw)
    except ValueError:
        raise Unusable(error("malformed", "the certificate cannot be decoded", "replace the certificate")) from None


def thumbprint(certificate: Certificate) -> str:
    """Return the name of a certificate in Windows: the SHA-1 hash of its DER form in upper-case hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  the hash is only a name


def common_name(name: t.Any) -> str:
    """Return the common name of a subject or an issuer in printable form (foreign); empty without a common name."""
    return next((foreign(str(one.value)) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


def describe(certificate: Certificate) -> dict[str, t.Any]:
    """Return the certificate in plain values. Names have their printable form (foreign). Times are UTC in ISO 8601."""
    purposes = extension(certificate, "ExtendedKeyUsage")
    return {
        "thumbprint": thumbprint(certificate),
        "subject": shown(certificate.subject),
        "issuer": shown(certificate.issuer),
        "serial_number": "%X" % certificate.serial_number,
        "names": [foreign(name) for name in dns_names(certificate)],
        "not_before": utc(certificate.not_valid_before_utc),
        "not_after": utc(certificate.not_valid_after_utc),
        "key": _key_text(certificate),
        "server_auth": bool(purposes and ExtendedKeyUsageOID.SERVER_AUTH in purposes),
        "client_auth": bool(purposes and ExtendedKeyUsageOID.CLIENT_AUTH in purposes),
        "public": is_public(certificate),
    }


def is_public(certificate: Certificate) -> bool:
    """Return whether the certificate has a policy for public TLS certificates.

    A public TLS certificate has exactly one of the reserved policies (CA/Browser Forum, TLS Baseline
    Requirements, section 7.1.2.7.9).
    """
    policies = extension(certificate, "CertificatePolicies") or ()
    return any(one.policy_identifier.dotted_string in PUBLIC_POLICIES for one in policies)


def der(certificate: Certificate) -> bytes:
    """Return the certificate's DER form, which a Windows store shows as RawData."""
    return certificate.public_bytes(serialization.Encoding.DER)


def public_bytes(key: t.Any) -> bytes:
    """Return a public key as SubjectPublicKeyInfo in DER, so that keys can be compared."""
    return t.cast(bytes, key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def public_key_of(certificate: Certificate) -> bytes:
    """Return the certificate's public key as public_bytes() does; empty if the key cannot be decoded."""
    key = _public_key(certificate)
    return public_bytes(key) if key is not None else b""


def is_elliptic(certificate: Certificate) -> bool:
    return isinstance(_public_key(certificate), ec.EllipticCurvePublicKey)


def dns_names(certificate: Certificate) -> list[str]:
    """Return the DNS names of the subject alternative names for comparisons, in lower case and unsorted."""
    alternative = extension(certificate, "SubjectAlternativeName")
    if alternative is None:
        return []
    return [name.lower() for name in alternative.get_values_for_type(x509.DNSName)]


def subject_name(certificate: Certificate) -> str:
    """Return the subject's common name for comparisons, in lower case; empty without a common name."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value).lower() if names else ""


def check(
    certificate: Certificate,
    *,
    now: datetime.datetime,
    names: t.Sequence[str] = (),
    others: t.Sequence[Certificate] | None = None,
    anchors: t.Sequence[Certificate] | None = None,
    rsa_only: bool = False,
    seconds: float = CHAIN_SECONDS,
) -> list[Finding]:
    """Return the findings about a certificate, errors first.

    now: the time of the check, in UTC with its time zone.
    names: the canonical names that the certificate must cover, the Access Edge's first. Empty: names are not checked.
    others: the certificates that come with the certificate. None: unknown, so missing intermediates are not reported.
    anchors: the trusted CA certificates. None: trust is not checked.
    rsa_only: whether the server is a Lync Server 2013, which cannot use keys of the CNG providers.
    seconds: the time limit of the chain's checks. If the checks take longer, the finding NOT_CHECKED with the severity
        unknown replaces their findings.
    """
    found = [
        *_check_form(certificate),
        *_check_time(certificate, now),
        *_check_names(certificate, names),
        *_check_key(certificate, rsa_only),
        *_check_purpose(certificate),
    ]
    end = time.monotonic() + seconds
    try:
        found += [
            *_check_signatures(certificate, others or (), now, end),
            *_check_chain(certificate, others, anchors, now, end),
        ]
    except TimeIsUp:
        text = "its chain was not checked, because the check of its %d other certificates took more than %.0f s"
        found.append(Finding(NOT_CHECKED, UNKNOWN, text % (len(others or ()), max(1, seconds)), _NOTHING_ELSE))
    return sorted(found, key=lambda finding: finding.severity)


_EXPORT = "export the certificate again, with its private key and the intermediates"
_REPLACE = "request a new certificate"
_NOTHING_ELSE = "remove the CA certificates that do not belong to its chain"


def _why_not_opened(data: bytes, passphrase: Secret | None) -> Finding:
    # A PFX is a SEQUENCE that starts with the INTEGER 3 (RFC 7292 section 4).
    if data[:1] == b"\x30" and b"\x02\x01\x03" in data[:12]:
        # Ansible masks the passphrase in every text. So these texts avoid the passphrases of tests and labs.
        opens = "the passphrase does not open the file"
        given = opens if passphrase and passphrase.reveal() else "the file needs a passphrase"
        return error("passphrase", given + ", or the file is damaged", "set the passphrase of the export")
    if b"-----BEGIN" in data[:4096]:
        return error("not_pkcs12", "the file is PEM, not PKCS#12", "convert it with 'openssl pkcs12 -export'")
    return error("not_pkcs12", "the file is not PKCS#12", _EXPORT)


def _check_form(certificate: Certificate) -> t.Iterator[Finding]:
    why = unreadable(certificate)
    if why:
        yield error("malformed", why, _REPLACE)


def _check_time(certificate: Certificate, now: datetime.datetime) -> t.Iterator[Finding]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < start:
        yield error(
            "not_yet_valid", "it is not valid before %s" % utc(start), "wait, or correct the controller's clock"
        )
    elif now >= end:
        yield error("expired", "it expired on %s" % utc(end), _REPLACE)
    elif end - now < min(SOON, (end - start) / 3):
        yield warning("expires_soon", "it expires on %s" % utc(end), "renew it")


def _check_names(certificate: Certificate, names: t.Sequence[str]) -> t.Iterator[Finding]:
    listed = dns_names(certificate)
    wildcards = [name for name in listed if name.startswith("*.")]
    missing = [
        name for name in names if name not in listed and not any(_stands_for(wildcard, name) for wildcard in wildcards)
    ]
    if missing:
        yield error(
            "names_missing",
            "its DNS names do not cover %s" % ", ".join(missing),
            "request a certificate with these names as subject alternative names",
        )
    if wildcards:
        yield warning(
            "wildcard",
            "it has the wildcard %s. Most of the product's pages forbid wildcards" % some([*map(foreign, wildcards)]),
            "request a certificate that lists every name",
        )
    subject = subject_name(certificate)
    if names and subject != names[0]:
        yield warning(
            "subject",
            "its common name is %s, not the Access Edge %s" % (foreign(subject) or "empty", names[0]),
            "request a certificate with the Access Edge as common name",
        )


def _stands_for(wildcard: str, name: str) -> bool:
    """Return whether a wildcard covers a name. A wildcard covers exactly one label (RFC 9525 section 6.3)."""
    label, dot, rest = name.partition(".")
    return bool(label and dot) and wildcard[2:] == rest


def _check_key(certificate: Certificate, rsa_only: bool) -> t.Iterator[Finding]:
    key = _public_key(certificate)
    text = _key_text(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MINIMUM_RSA_BITS:
            yield error(
                "key_size", "its key is too short: %s" % text, "use RSA with %d bits or more" % MINIMUM_RSA_BITS
            )
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        yield error("key_type", "its key type is not supported: %s" % text, "use RSA, or ECDSA on P-256 or P-384")
    elif rsa_only:
        yield error("key_type", "its key is %s, but Lync Server 2013 cannot use it" % text, "use RSA")


def _check_signatures(
    certificate: Certificate, others: t.Sequence[Certificate], now: datetime.datetime, end: float
) -> t.Iterator[Finding]:
    pss = (SignatureAlgorithmOID.RSASSA_PSS, PublicKeyAlgorithmOID.RSASSA_PSS)
    # Only the certificates of the chains are checked. Other certificates of a file or a store are not sent.
    for one in paths(certificate, others, now, end):
        if one is not certificate and self_signed(one):
            continue  # The signature of a root is never checked.
        if one.signature_algorithm_oid in pss or one.public_key_algorithm_oid in pss:
            yield error(
                "rsassa_pss",
                "%s uses RSASSA-PSS, which the product does not support" % _which(one, certificate),
                "request a certificate with an RSA PKCS#1 v1.5 or ECDSA signature",
            )
        elif _hash_name(one) in ("md5", "sha1"):
            yield warning(
                "weak_signature",
                "%s is signed with %s, which partners refuse" % (_which(one, certificate), _hash_name(one)),
                _REPLACE,
            )


def _check_purpose(certificate: Certificate) -> t.Iterator[Finding]:
    purposes = extension(certificate, "ExtendedKeyUsage") or ()
    if ExtendedKeyUsageOID.SERVER_AUTH not in purposes:
        yield error(
            "server_auth", "it is not issued for server authentication", "request a certificate with this purpose"
        )
    if ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        yield warning(
            "client_auth",
            "it is for servers only (no client authentication, which public CAs no longer offer)",
            "if a partner requires client authentication, set the partner's sasl_negotiation to optional and"
            " support_dialback_negotiation to true",
        )
    if extension(certificate, "CRLDistributionPoints") is None:
        yield warning(
            "no_crl",
            "it has no CRL distribution point",
            "request a certificate with a CRL distribution point that the Edge server can reach",
        )


def _check_chain(
    certificate: Certificate,
    others: t.Sequence[Certificate] | None,
    anchors: t.Sequence[Certificate] | None,
    now: datetime.datetime,
    end: float,
) -> t.Iterator[Finding]:
    wrong = [] if anchors is None else check_chain(certificate, others or (), anchors, now, end)
    if wrong:
        yield from wrong
    elif self_signed(certificate):
        yield warning("self_signed", "it is self-signed, and partners do not trust it", "use a public CA")
    # A certificate directly below a root of the trust store needs no intermediate.
    elif others is not None and not any(issued(certificate, one) for one in (*others, *(anchors or ()))):
        yield warning(
            "intermediates_missing",
            "it comes without the certificate of its issuer %s" % shown(certificate.issuer),
            "add the intermediates, because partners need them to check the chain",
        )
    elif others is not None and anchors is None and len(paths(certificate, others, now, end)) == 1:
        yield from (replace(one, severity=WARNING) for one in broken(certificate, others, now, end))


def _which(one: Certificate, leaf: Certificate) -> str:
    return "it" if one is leaf else "the intermediate %s" % shown(one.subject)


def _hash_name(certificate: Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm else ""


def _public_key(certificate: Certificate) -> t.Any:
    try:
        return certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None


def _key_text(certificate: Certificate) -> str:
    key = _public_key(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA %d" % key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA %s" % {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name, key.curve.name)
    return type(key).__name__.replace("PublicKey", "") if key is not None else "unknown"
