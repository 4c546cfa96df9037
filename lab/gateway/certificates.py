# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the certificate of another server for the server's domain (RFC 6120, section 13.7; RFC 6125, section 6.4)."""

from __future__ import annotations

import datetime
import typing as t

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from OpenSSL import crypto

from ..assumptions import rests_on

SRV_NAME = ObjectIdentifier("1.3.6.1.5.5.7.8.7")  # RFC 4985
XMPP_ADDRESS = ObjectIdentifier("1.3.6.1.5.5.7.8.5")  # RFC 6120, section 13.7.1.4
_SERVICE = "_xmpp-server."

Purpose = t.Literal["client", "server"]
_PURPOSES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


def problem(
    chain: t.Sequence[x509.Certificate],
    anchors: t.Iterable[x509.Certificate],
    domain: str,
    now: datetime.datetime,
    purpose: Purpose,
) -> str:
    """Return the problem of a certificate for a domain; '' for no problem.

    chain: the certificate, then certificates that can connect the first certificate to an anchor.
    now: the current time in UTC.
    purpose: the other side's role in TLS.
    """
    if not chain:
        return "there is none"
    try:
        return (
            _chain_problem(chain, anchors, now)
            or _name_problem(chain[0], domain)
            or _purpose_problem(chain[0], purpose)
        )
    # A part of a malformed certificate can cause an error only when that part is read.
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, crypto.Error) as e:
        return "it cannot be read: %s" % e


def _chain_problem(
    chain: t.Sequence[x509.Certificate], anchors: t.Iterable[x509.Certificate], now: datetime.datetime
) -> str:
    store = crypto.X509Store()
    for anchor in anchors:
        store.add_cert(crypto.X509.from_cryptography(anchor))
    store.set_time(now)
    leaf, *above = (crypto.X509.from_cryptography(certificate) for certificate in chain)
    try:
        crypto.X509StoreContext(store, leaf, above).verify_certificate()
    except crypto.X509StoreContextError as e:
        return str(e)
    return ""


def _name_problem(certificate: x509.Certificate, domain: str) -> str:
    names = _names(certificate)
    wanted = _ascii(domain)
    for name in names:
        if _ascii(name) == wanted:
            return ""
        # A wildcard matches exactly one label, the first.
        if name.startswith("*.") and wanted.partition(".")[2] == _ascii(name[2:]):
            return ""
    return "it is for %s, not for %s" % (", ".join(names) or "no name", domain)


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    names = list(alternative.get_values_for_type(x509.DNSName))
    for other in alternative.get_values_for_type(x509.OtherName):
        text = _text(other.value)
        if other.type_id == XMPP_ADDRESS:
            names.append(text)
        elif other.type_id == SRV_NAME and text.lower().startswith(_SERVICE):
            names.append(text[len(_SERVICE) :])
    return names


def _text(der: bytes) -> str:
    """Return the content of a UTF8String or IA5String of fewer than 128 bytes. No usual domain is longer."""
    if len(der) < 2 or der[0] not in (0x0C, 0x16) or der[1] != len(der) - 2:
        return ""
    return der[2:].decode("utf-8", "replace")


def _ascii(domain: str) -> str:
    folded = domain.rstrip(".").lower()
    try:
        return folded.encode("idna").decode("ascii")
    except UnicodeError:
        return folded


def _purpose_problem(certificate: x509.Certificate, purpose: Purpose) -> str:
    """Return the problem of the extended key usage. Without the extension, a certificate is valid for all purposes."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        rests_on("gateway-extended-key-usage")
        return ""
    if _PURPOSES[purpose] in usage or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage:
        return ""
    rests_on("gateway-extended-key-usage")
    return "its extended key usage has no %s authentication" % purpose
