# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether the certificate of a server is valid for the server's domain. Each fault has a code. Pure.

Validity and chain are checked in the same way as for the own certificate (_x509). The rules for names are in RFC 6120
section 13.7.1.2.
"""

from __future__ import annotations

import datetime
import typing as t

from .._base.texts import foreign
from .._x509 import certificate as certificates
from .._x509 import later as ahead
from .._x509.certificate import NOT_CHECKED, check, describe, parse
from .._x509.chain import CHAIN
from .._x509.fields import extension, unreadable

try:
    import idna
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID
    from service_identity import CertificateError
    from service_identity.hazmat import DNS_ID, SRV_ID, DNSPattern, SRVPattern
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

if t.TYPE_CHECKING:
    Certificate = x509.Certificate

# With one of these faults (codes), the certificate cannot authenticate the server.
FATAL = frozenset(("expired", "not_yet_valid", *CHAIN, "name_mismatch", "server_auth", "malformed"))

_SRV_NAME = "1.3.6.1.5.5.7.8.7"  # id-on-dnsSRV, RFC 4985
_XMPP_ADDR = "1.3.6.1.5.5.7.8.5"  # id-on-xmppAddr, RFC 6120 section 13.7.1.4
# The codes of check() that also apply to a partner's certificate.
_AS_IN_OWN = ("expired", "not_yet_valid", *CHAIN, "weak_signature", "key_size", NOT_CHECKED)
# The most certificates that a server can send, including the server's own certificate. Public CAs need two to four.
# OpenSSL ends a handshake with more than 100 kB of certificates (SSL_CTX_set_max_cert_list).
MOST_CERTIFICATES = 20


def examine(
    chain: t.Sequence[Certificate],
    domain: str,
    anchors: t.Sequence[Certificate],
    now: datetime.datetime,
    expires_within: int,
    seconds: float = certificates.CHAIN_SECONDS,
) -> tuple[dict[str, t.Any], dict[str, str]]:
    """Return the first certificate in plain values, and its faults: code -> text.

    chain: the certificates as the server sent them.
    domain: in A-labels.
    anchors: trusted CA certificates.
    now: UTC, aware.
    expires_within: days.
    seconds: the limit for the checks of the chain.
    """
    try:
        certificate = parse(certificates.der(chain[0]))
        why = unreadable(certificate)
        if why:
            return {}, {"malformed": why}
        facts = {**describe(certificate), **_more(certificate)}
        return facts, dict(_faults(certificate, facts, chain[1:], domain, anchors, now, expires_within, seconds))
    except (ValueError, certificates.Unusable):
        return {}, {"malformed": "it cannot be decoded"}


def examine_later(
    chain: t.Sequence[Certificate],
    domain: str,
    anchors: t.Sequence[Certificate],
    now: datetime.datetime,
    expires_within: int,
    first: dict[str, str],
    seconds: float = certificates.CHAIN_SECONDS,
) -> list[tuple[datetime.datetime, dict[str, str]]]:
    """Return the later faults of the certificate, each set with its first moment.

    first: the present faults. The other arguments are the arguments of examine().
    """
    if "malformed" in first:
        return []
    certificate = parse(certificates.der(chain[0]))
    facts = {**describe(certificate), **_more(certificate)}
    checked = NOT_CHECKED not in first

    def judge(at: datetime.datetime, left: float) -> dict[str, str]:
        return dict(_faults(certificate, facts, chain[1:], domain, anchors, at, expires_within, left))

    return ahead.later(
        certificate,
        (*chain[1:], *anchors) if checked else (),
        now=now,
        soon=datetime.timedelta(days=expires_within),
        first=first,
        judge=judge,
        same=frozenset,
        # If the check of the chain took too long, the check is not repeated.
        seconds=seconds if checked else -1.0,
    )


def covers(certificate: Certificate, domain: str) -> bool:
    """Return whether a name in the certificate (dNSName, SRVName or xmppAddr) is the domain."""
    wanted = (DNS_ID(domain), SRV_ID("_xmpp-server." + domain))
    if any(one.verify(pattern) for pattern in _patterns(certificate) for one in wanted):
        return True
    return domain in map(_ascii, _other_names(certificate, _XMPP_ADDR))


def _ascii(name: str) -> str:
    """Return a domain in A-labels (RFC 5891). A name that is not a domain is returned unchanged.

    Unlike UTS 46, this function does not map other letters to ASCII letters: the Kelvin sign is not a k.
    """
    if name.isascii():
        return name
    # An xmppAddr is in Unicode (RFC 6120 section 13.7.1.4). Upper and lower case are the same.
    folded = "".join(one.lower() if one.isascii() or not one.lower().isascii() else one for one in name)
    try:
        return idna.encode(folded).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return name


def _patterns(certificate: Certificate) -> t.Iterator[DNSPattern | SRVPattern]:
    """Return patterns of the valid names. Invalid names, such as a single asterisk, are skipped."""
    kinds: tuple[tuple[t.Any, list[str]], ...] = (
        (DNSPattern, certificates.dns_names(certificate)),
        (SRVPattern, _other_names(certificate, _SRV_NAME)),
    )
    for kind, names in kinds:
        for name in names:
            if name != name.strip():
                continue  # service-identity would strip the spaces
            try:
                yield kind.from_bytes(name.encode("ascii"))
            except (CertificateError, ValueError, IndexError):
                continue


def for_clients(certificate: Certificate) -> bool:
    """Return whether the certificate is for client authentication.

    Without the extension, the certificate is for all purposes.
    """
    purposes = extension(certificate, "ExtendedKeyUsage")
    known = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    return purposes is None or any(one in purposes for one in known)


def _more(certificate: Certificate) -> dict[str, t.Any]:
    """Return values that describe() does not have, because the gateway's own certificate has no use for the values."""
    purposes = extension(certificate, "ExtendedKeyUsage")
    anything = purposes is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes
    return {
        "server_auth": anything or ExtendedKeyUsageOID.SERVER_AUTH in (purposes or ()),
        "client_auth": for_clients(certificate),
        "srv_names": [foreign(name) for name in _other_names(certificate, _SRV_NAME)],
        "xmpp_addresses": [foreign(name) for name in _other_names(certificate, _XMPP_ADDR)],
    }


def _faults(
    certificate: Certificate,
    facts: t.Mapping[str, t.Any],
    others: t.Sequence[Certificate],
    domain: str,
    anchors: t.Sequence[Certificate],
    now: datetime.datetime,
    expires_within: int,
    seconds: float,
) -> t.Iterator[tuple[str, str]]:
    if len(others) < MOST_CERTIFICATES:
        findings = check(certificate, now=now, others=others, anchors=anchors, seconds=seconds)
    else:
        findings = check(certificate, now=now)
        text = "its chain was not checked: the server sends %d certificates, more than %d"
        yield NOT_CHECKED, text % (len(others) + 1, MOST_CERTIFICATES)
    found = {one.code: one.message for one in findings}
    for code in _AS_IN_OWN:
        if code in found:
            yield code, found[code]
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    # For a certificate that is valid for only some days, only the last third is a finding.
    if start <= now < end and end - now < min(datetime.timedelta(days=expires_within), (end - start) / 3):
        yield "expires_soon", "it expires on %s, in %d days" % (facts["not_after"], (end - now).days)
    if not covers(certificate, domain):
        names = (*facts["names"], *facts["srv_names"], *facts["xmpp_addresses"])
        yield "name_mismatch", "it is for %s, not for %s" % (", ".join(names[:8]) or "no name", domain)
    if not facts["server_auth"]:
        yield "server_auth", "it is not issued for server authentication"
    if not facts["client_auth"]:
        yield "client_auth", "it is not issued for client authentication"


def _other_names(certificate: Certificate, kind: str) -> list[str]:
    """Return the otherName entries of a kind that are strings, in lower case for comparisons."""
    names = extension(certificate, "SubjectAlternativeName")
    if names is None:
        return []
    values = [one.value for one in names.get_values_for_type(x509.OtherName) if one.type_id.dotted_string == kind]
    # Some other letters have an ASCII letter as their lower case, for example the Kelvin sign.
    return [text.lower() if text.isascii() else text for text in map(_der_text, values) if text]


def _der_text(value: bytes) -> str:
    """Return the text of a DER UTF8String or IA5String of up to 255 bytes; '' for other values."""
    if value[:1] not in (b"\x0c", b"\x16"):
        return ""
    start = 3 if value[1:2] == b"\x81" else 2
    try:
        text = value[start:].decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if value[start - 1 : start] == bytes([len(value) - start & 0xFF]) else ""
