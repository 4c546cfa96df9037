# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the certificate that a server presents stands for its domain; each fault by its own name. Pure.

Time and chain are checked as those of the own certificate (_x509), names as RFC 6120 section 13.7.1.2 has them.
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

# With one of these the certificate proves nothing.
FATAL = frozenset(("expired", "not_yet_valid", *CHAIN, "name_mismatch", "server_auth", "malformed"))

_SRV_NAME = "1.3.6.1.5.5.7.8.7"  # id-on-dnsSRV, RFC 4985
_XMPP_ADDR = "1.3.6.1.5.5.7.8.5"  # id-on-xmppAddr, RFC 6120 section 13.7.1.4
# What check() finds in a partner's certificate as well as in an own one.
_AS_IN_OWN = ("expired", "not_yet_valid", *CHAIN, "weak_signature", "key_size", NOT_CHECKED)
# Of a server's certificates, its own included. Public CAs need two to four; OpenSSL ends a handshake that brings more
# than 100 kB of them (SSL_CTX_set_max_cert_list).
MOST_CERTIFICATES = 20


def examine(
    chain: t.Sequence[Certificate],
    domain: str,
    anchors: t.Sequence[Certificate],
    now: datetime.datetime,
    expires_within: int,
    seconds: float = certificates.CHAIN_SECONDS,
) -> tuple[dict[str, t.Any], dict[str, str]]:
    """The first certificate in plain values, and its faults: code -> text.

    chain: as it was sent. domain: in A-labels. anchors: trusted CA certificates. now: UTC, aware. expires_within: days.
    seconds: that the checks of the chain may take.
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
    """The faults that it will have later, with the moments from which on. first: those of now; else as examine()."""
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
        # A chain that took too long once is not tried again.
        seconds=seconds if checked else -1.0,
    )


def covers(certificate: Certificate, domain: str) -> bool:
    """Whether one of its names is the domain, as dNSName, SRVName or xmppAddr."""
    wanted = (DNS_ID(domain), SRV_ID("_xmpp-server." + domain))
    if any(one.verify(pattern) for pattern in _patterns(certificate) for one in wanted):
        return True
    return domain in map(_ascii, _other_names(certificate, _XMPP_ADDR))


def _ascii(name: str) -> str:
    """A domain in A-labels (RFC 5891). A name that is none is returned as it is.

    Letters outside ASCII are not mapped to such of ASCII, as UTS 46 would: the sign of Kelvin is no k.
    """
    if name.isascii():
        return name
    # An xmppAddr is written in Unicode (RFC 6120 section 13.7.1.4), and compared without regard to case.
    folded = "".join(one.lower() if one.isascii() or not one.lower().isascii() else one for one in name)
    try:
        return idna.encode(folded).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return name


def _patterns(certificate: Certificate) -> t.Iterator[DNSPattern | SRVPattern]:
    """A name that is none, such as a bare asterisk, does not spoil the others."""
    kinds: tuple[tuple[t.Any, list[str]], ...] = (
        (DNSPattern, certificates.dns_names(certificate)),
        (SRVPattern, _other_names(certificate, _SRV_NAME)),
    )
    for kind, names in kinds:
        for name in names:
            if name != name.strip():
                continue  # service-identity would strip it
            try:
                yield kind.from_bytes(name.encode("ascii"))
            except (CertificateError, ValueError, IndexError):
                continue


def _more(certificate: Certificate) -> dict[str, t.Any]:
    """What describe() does not say, because the gateway's own certificate has no use for it."""
    purposes = extension(certificate, "ExtendedKeyUsage")
    anything = purposes is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes
    return {
        "server_auth": anything or ExtendedKeyUsageOID.SERVER_AUTH in (purposes or ()),
        "client_auth": anything or ExtendedKeyUsageOID.CLIENT_AUTH in (purposes or ()),
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
    # Of a certificate that lives for days, only the last third is a finding.
    if start <= now < end and end - now < min(datetime.timedelta(days=expires_within), (end - start) / 3):
        yield "expires_soon", "it expires on %s, in %d days" % (facts["not_after"], (end - now).days)
    if not covers(certificate, domain):
        names = (*facts["names"], *facts["srv_names"], *facts["xmpp_addresses"])
        yield "name_mismatch", "it is for %s, not for %s" % (", ".join(names[:8]) or "no name at all", domain)
    if not facts["server_auth"]:
        yield "server_auth", "it is not issued for server authentication"
    if not facts["client_auth"]:
        yield "client_auth", "it is not issued for client authentication"


def _other_names(certificate: Certificate, kind: str) -> list[str]:
    """The otherName entries of a kind whose value is a string, in lower case; to be compared."""
    names = extension(certificate, "SubjectAlternativeName")
    if names is None:
        return []
    values = [one.value for one in names.get_values_for_type(x509.OtherName) if one.type_id.dotted_string == kind]
    # Of letters outside ASCII some have one of ASCII as their lower case, such as the sign of Kelvin.
    return [text.lower() if text.isascii() else text for text in map(_der_text, values) if text]


def _der_text(value: bytes) -> str:
    """A DER UTF8String or IA5String of up to 127 bytes, or of up to 255 with one byte of length; else empty."""
    if value[:1] not in (b"\x0c", b"\x16"):
        return ""
    start = 3 if value[1:2] == b"\x81" else 2
    try:
        text = value[start:].decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if value[start - 1 : start] == bytes([len(value) - start & 0xFF]) else ""
