# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check with the issuer's CRL whether a certificate is revoked (RFC 5280 section 5). This code is pure.

A CRL is a proof only if the issuer signed the CRL, and if the CRL is about the certificate. Otherwise the result is
unknown.
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
except ImportError:  # certificate.py reports a missing library before a function of this file is called.
    pass

if t.TYPE_CHECKING:
    from .certificate import Certificate


@dataclass(frozen=True)
class Revocation:
    """This is the result of a check for revocation.

    revoked: the revocation; None if the certificate is not revoked, or if the result is unknown.
    unknown: why the result is unknown; empty for a known result.
    """

    revoked: RevokedByIssuer | None = None
    unknown: str = ""


def places(certificate: Certificate) -> list[str]:
    """Return the HTTP addresses of the issuer's CRL, in the certificate's order."""
    points = extension(certificate, "CRLDistributionPoints") or ()
    names = (
        str(name.value)
        for point in points
        # A CRL of another issuer cannot be used. A CRL for some reasons only cannot be used either.
        if point.full_name and point.crl_issuer is None and point.reasons is None
        for name in point.full_name
        if isinstance(name, x509.UniformResourceIdentifier)
    )
    return [name for name in names if name.lower().startswith("http://")]


def judge(
    data: bytes, certificate: Certificate, issuers: t.Iterable[Certificate], now: datetime.datetime
) -> Revocation:
    """Check a certificate with a CRL.

    data: the CRL.
    issuers: CA certificates that can be the issuer.
    """
    issuer = next((one for one in issuers if issued(certificate, one)), None)
    if issuer is None:
        return Revocation(unknown="the issuer's certificate is unknown, so the signature of the CRL cannot be verified")
    try:
        found = _load(data)
        wrong = _wrong(found, certificate, issuer, now)
        if wrong:
            return Revocation(unknown=wrong)
        entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
        revoked = _revoked(entry) if entry is not None else None
        ends = found.next_update_utc
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return Revocation(unknown="the answer is not a CRL, or the CRL cannot be read")
    current = ends is not None and now < ends
    # A revoked certificate stays revoked, so an old CRL is also a proof. Only a hold can end.
    if revoked is not None and (current or revoked.reason != "certificateHold"):
        return Revocation(revoked)
    if not current:
        text = "the CRL expired on %s" % utc(ends) if ends else "the CRL has no time of the next update"
        return Revocation(unknown=text)
    return Revocation()


def _load(data: bytes) -> x509.CertificateRevocationList:
    if data.lstrip()[:11] == b"-----BEGIN ":
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


def _wrong(
    found: x509.CertificateRevocationList, certificate: Certificate, issuer: Certificate, now: datetime.datetime
) -> str:
    """Return why the CRL cannot be used for the certificate; empty if the CRL can be used (RFC 5280 section 6.3.3)."""
    try:
        signed = found.issuer == issuer.subject and found.is_signature_valid(t.cast(t.Any, issuer.public_key()))
    except (TypeError, ValueError, UnsupportedAlgorithm):
        signed = False
    if not signed:
        return "the issuer of the certificate did not sign the CRL"
    if found.last_update_utc > now + datetime.timedelta(days=1):
        return "the CRL is from the future, %s" % utc(found.last_update_utc)
    for one in found.extensions:
        if isinstance(one.value, x509.IssuingDistributionPoint):
            if why := _of_others(one.value, certificate):
                return why
        elif one.critical:
            return "the CRL has a critical extension that is not supported (%s)" % one.oid.dotted_string
    return ""


def _of_others(point: x509.IssuingDistributionPoint, certificate: Certificate) -> str:
    if point.only_contains_ca_certs or point.only_contains_attribute_certs or point.indirect_crl:
        return "the CRL is not for certificates of servers"
    if point.only_some_reasons or point.relative_name is not None:
        return "the CRL is only a part of a list, in a form that is not supported"
    # If an authority has several CRLs, each CRL contains its own address. So a CRL cannot replace another CRL.
    own = [one for named in extension(certificate, "CRLDistributionPoints") or () for one in named.full_name or ()]
    if point.full_name and not any(name in own for name in point.full_name):
        return "the certificate has the address of another CRL"
    return ""


def _revoked(entry: x509.RevokedCertificate) -> RevokedByIssuer:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        reason = ""
    return RevokedByIssuer(utc(entry.revocation_date_utc), str(reason))
