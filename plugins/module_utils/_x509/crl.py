# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a certificate is revoked, by the list of its issuer (CRL, RFC 5280 section 5). Pure.

A list proves something only if the issuer signed it and it is about this certificate. Everything else is unknown.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._base.texts import utc
from .fields import extension, issued
from .issuer import RevokedByIssuer

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
except ImportError:  # certificate.py says so, before anything here is called
    pass

if t.TYPE_CHECKING:
    from .certificate import Certificate


@dataclass(frozen=True)
class Revocation:
    """revoked: None if it is not, or if it is not known. unknown: why it is not known; empty if it is."""

    revoked: RevokedByIssuer | None = None
    unknown: str = ""


def places(certificate: Certificate) -> list[str]:
    """The addresses of the list of its issuer, in their order; those that HTTP can load."""
    points = extension(certificate, "CRLDistributionPoints") or ()
    names = (
        str(name.value)
        for point in points
        # A list of another issuer, or of some reasons only, does not tell what is asked.
        if point.full_name and point.crl_issuer is None and point.reasons is None
        for name in point.full_name
        if isinstance(name, x509.UniformResourceIdentifier)
    )
    return [name for name in names if name.lower().startswith("http://")]


def judge(
    data: bytes, certificate: Certificate, issuers: t.Iterable[Certificate], now: datetime.datetime
) -> Revocation:
    """What a list says about a certificate. issuers: CA certificates of which one may be its issuer."""
    issuer = next((one for one in issuers if issued(certificate, one)), None)
    if issuer is None:
        return Revocation(unknown="the certificate of its issuer is not known, so no signature can be verified")
    try:
        found = _load(data)
        wrong = _wrong(found, certificate, issuer, now)
        if wrong:
            return Revocation(unknown=wrong)
        entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
        revoked = _revoked(entry) if entry is not None else None
        ends = found.next_update_utc
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return Revocation(unknown="the answer is not a list of revoked certificates that can be read")
    current = ends is not None and now < ends
    # RevokedByIssuer stays revoked, so an old list proves that too. Only a hold may have ended.
    if revoked is not None and (current or revoked.reason != "certificateHold"):
        return Revocation(revoked)
    if not current:
        return Revocation(unknown="the list is out of date since %s" % (utc(ends) if ends else "its issue"))
    return Revocation()


def _load(data: bytes) -> x509.CertificateRevocationList:
    if data.lstrip()[:11] == b"-----BEGIN ":
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


def _wrong(
    found: x509.CertificateRevocationList, certificate: Certificate, issuer: Certificate, now: datetime.datetime
) -> str:
    """Why the list proves nothing about the certificate; empty if it does. RFC 5280 section 6.3.3."""
    try:
        signed = found.issuer == issuer.subject and found.is_signature_valid(t.cast(t.Any, issuer.public_key()))
    except (TypeError, ValueError, UnsupportedAlgorithm):
        signed = False
    if not signed:
        return "the list is not signed by the issuer of the certificate"
    if found.last_update_utc > now + datetime.timedelta(days=1):
        return "the list is of the future, %s" % utc(found.last_update_utc)
    for one in found.extensions:
        if isinstance(one.value, x509.IssuingDistributionPoint):
            if why := _of_others(one.value, certificate):
                return why
        elif one.critical:
            return "the list has a critical extension that is not supported (%s)" % one.oid.dotted_string
    return ""


def _of_others(point: x509.IssuingDistributionPoint, certificate: Certificate) -> str:
    if point.only_contains_ca_certs or point.only_contains_attribute_certs or point.indirect_crl:
        return "the list is not about certificates of servers"
    if point.only_some_reasons or point.relative_name is not None:
        return "the list is only a part, of a kind that is not supported"
    # An authority with several lists names in each which one it is, so that none stands in for another.
    own = [one for named in extension(certificate, "CRLDistributionPoints") or () for one in named.full_name or ()]
    if point.full_name and not any(name in own for name in point.full_name):
        return "the list is another one than the certificate names"
    return ""


def _revoked(entry: x509.RevokedCertificate) -> RevokedByIssuer:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        reason = ""
    return RevokedByIssuer(utc(entry.revocation_date_utc), str(reason))
