# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate \\*-CsCertificate on an Edge, and build the objects that represent certificates."""

from __future__ import annotations

import datetime
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID
from psrpcore.types import PSByteArray, PSList, PSObject

from ..assumptions import rests_on
from ..deployment import pkcs12
from ..deployment.seed import thumbprint
from ..deployment.store import CertificateRow, fold
from ..errors import CmdletError
from .binding import Arguments
from .context import Context, invalid
from .objects import CertType, int32, make, moment, properties_of
from .requests import join

EDGE_USAGES = ("AccessEdgeExternal", "DataEdgeExternal", "AudioVideoAuthentication", "Internal", "XmppServer")
_NAMES = {
    NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATION_NAME: "O", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.LOCALITY_NAME: "L", NameOID.STATE_OR_PROVINCE_NAME: "S", NameOID.COUNTRY_NAME: "C",
    NameOID.DOMAIN_COMPONENT: "DC", NameOID.EMAIL_ADDRESS: "E",
}  # fmt: skip


def distinguished_name(name: x509.Name) -> str:
    """Return a name as .NET's X509Certificate2 shows it: last attribute first, some parts in quotes."""
    parts = []
    for attribute in reversed(list(name)):
        value = str(attribute.value)
        if any(c in value for c in ',+="\n<>#;') or value != value.strip():
            value = '"%s"' % value.replace('"', '""')
        parts.append("%s=%s" % (_NAMES.get(attribute.oid, "OID." + attribute.oid.dotted_string), value))
    return ", ".join(parts)


def serial_number(certificate: x509.Certificate) -> str:
    digits = "%X" % certificate.serial_number
    return digits.rjust(len(digits) + len(digits) % 2, "0")


def alternative_names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return []
    return t.cast(x509.SubjectAlternativeName, found).get_values_for_type(x509.DNSName)


def windows_certificate(row: CertificateRow) -> PSObject:
    """Return the X509Certificate2 of the certificate provider, complete, for the next command of a pipeline."""
    certificate = x509.load_der_x509_certificate(row.der)
    path = "Microsoft.PowerShell.Security\\Certificate::LocalMachine\\%s" % row.store
    properties = {
        "Archived": False,
        "FriendlyName": row.friendly_name,
        "HasPrivateKey": row.key is not None,
        "Issuer": distinguished_name(certificate.issuer),
        "NotAfter": moment(certificate.not_valid_after_utc),
        "NotBefore": moment(certificate.not_valid_before_utc),
        "RawData": PSByteArray(row.der),
        "SerialNumber": serial_number(certificate),
        "Subject": distinguished_name(certificate.subject),
        "Thumbprint": row.thumbprint,
        "Version": int32(certificate.version.value + 1),
        "DnsNameList": PSList(alternative_names(certificate)),
        "PSPath": "%s\\%s" % (path, row.thumbprint),
        "PSParentPath": path,
        "PSChildName": row.thumbprint,
        "PSIsContainer": False,
    }
    base = "System.Security.Cryptography.X509Certificates.X509Certificate"
    return make([base + "2", base], properties)


def _reference(row: CertificateRow, usage: str, since: float, previous: str | None) -> PSObject:
    certificate = x509.load_der_x509_certificate(row.der)
    properties = {
        "Use": CertType[usage],
        "Thumbprint": row.thumbprint,
        "Issuer": distinguished_name(certificate.issuer),
        "Subject": distinguished_name(certificate.subject),
        "SerialNumber": serial_number(certificate),
        "NotBefore": moment(certificate.not_valid_before_utc),
        "NotAfter": moment(certificate.not_valid_after_utc),
        "AlternativeNames": PSList(alternative_names(certificate)),
        "EffectiveDate": moment(datetime.datetime.fromtimestamp(since, datetime.timezone.utc)),
        "PreviousThumbprint": previous,
    }
    return make(["Microsoft.Rtc.Management.Deployment.CertificateReference"], properties)


def _get(ctx: Context, args: Arguments) -> t.Iterable[object]:
    wanted = args.texts("Type")
    rests_on("initial-certificates")
    rows = ctx.store.sql(
        "SELECT usage, thumbprint, previous, at FROM assignment WHERE host=? ORDER BY rowid", ctx.host.name
    )  # fmt: skip
    if wanted and not {row[0] for row in rows} >= set(wanted):
        rests_on("certificate-unassigned")
    for usage, print_, previous, at in rows:
        if wanted and usage not in wanted:
            continue
        found = ctx.store.certificate(ctx.host.name, "My", print_)
        if found is not None:
            yield _reference(found, usage, at, previous)


def _usages(args: Arguments) -> tuple[str, ...]:
    usages = args.texts("Type") or ("Default",)
    for usage in usages:
        if usage not in EDGE_USAGES:
            rests_on("edge-usages")
            raise invalid('The certificate type "%s" does not apply to this computer.' % usage, usage)
    return usages


def _set(ctx: Context, args: Arguments) -> t.Iterable[object]:
    usages = _usages(args)
    if args.parameter_set == "CertificateReference":
        wanted = str(properties_of(args.get("Reference")).get("Thumbprint", ""))
    else:
        wanted = args.need("Thumbprint")
    row = ctx.store.certificate(ctx.host.name, "My", wanted)
    if row is None:
        raise CmdletError(
            'The certificate with the thumbprint "%s" was not found in the certificate store.' % wanted,
            "CertificateNotFound",
            "ObjectNotFound",
            wanted,
        )
    if row.key is None:
        raise invalid('The certificate "%s" has no private key.' % row.thumbprint, wanted)
    elliptic = isinstance(x509.load_der_x509_certificate(row.der).public_key(), ec.EllipticCurvePublicKey)
    if elliptic and ctx.profile == "lync2013":
        raise CmdletError(
            "The buffer supplied to a function was too small.",
            "InvalidCryptographicProvider",
            "InvalidOperation",
            wanted,
            "System.Security.Cryptography.CryptographicException",
        )
    for usage in usages:
        ctx.store.assign(ctx.host.name, usage, row.thumbprint)
    return []


def _import(ctx: Context, args: Arguments) -> t.Iterable[object]:
    path = args.need("Path")
    content = {fold(p): c for p, c in ctx.store.files(ctx.host.name).items()}.get(fold(path))
    if content is None:
        raise CmdletError(
            'Could not find file "%s".' % path,
            "FileNotFound",
            "ObjectNotFound",
            path,
            "System.IO.FileNotFoundException",
        )
    answer = _bare(content)
    if answer is not None:
        if not join(ctx, answer):
            raise invalid("The file holds no certificate with its private key.", path)
        return []
    try:
        opened = pkcs12.open_as_windows(content, args.text("Password") or "")
    except pkcs12.Pkcs12Error as error:
        raise CmdletError(
            str(error),
            "ImportCertificateFailed",
            "InvalidOperation",
            path,
            "System.Security.Cryptography.CryptographicException",
        ) from None
    if opened.certificate is None or opened.key is None:
        raise invalid("The file holds no certificate with its private key.", path)
    key = opened.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    readable = args.flag("PrivateKeyExportable")
    if not readable:
        rests_on("network-service-key")
    _put(ctx, "My", opened.certificate, key, readable, opened.friendly_name)
    for other in opened.others:
        rests_on("intermediates-of-a-file")
        _put(ctx, "CA", other, None, False, "")
    return []


def _bare(content: bytes) -> x509.Certificate | None:
    """Return the certificate of a file that contains nothing but this certificate."""
    for load in (x509.load_der_x509_certificate, x509.load_pem_x509_certificate):
        try:
            return load(content)
        except ValueError:
            continue
    return None


def _put(
    ctx: Context, store: str, certificate: x509.Certificate, key: bytes | None, readable: bool, friendly: str
) -> None:
    der = certificate.public_bytes(serialization.Encoding.DER)
    row = CertificateRow(ctx.host.name, store, thumbprint(certificate), der, key, readable, friendly)
    ctx.store.put_certificate(row)


def _remove(ctx: Context, args: Arguments) -> t.Iterable[object]:
    usages = _usages(args)
    assigned = ctx.store.assignments(ctx.host.name)
    for usage in usages:
        if usage not in assigned:
            raise invalid('No certificate is assigned to "%s".' % usage, usage)
        ctx.store.unassign(ctx.host.name, usage)
    return []


CMDLETS = {
    "Get-CsCertificate": _get,
    "Set-CsCertificate": _set,
    "Import-CsCertificate": _import,
    "Remove-CsCertificate": _remove,
}
