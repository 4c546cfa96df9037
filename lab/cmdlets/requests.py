# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate Request-CsCertificate. The cmdlet creates keys on an Edge, for a request file or for a company's authority.

A pending request is a document of the kind ``certificate_request``. The document contains the key, which Windows keeps
in the certificate store for requests.
"""

from __future__ import annotations

import datetime
import functools
import typing as t
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..assumptions import rests_on
from ..deployment.authority import Authority, Key, common_name, rsa_key
from ..deployment.hosts import HOSTS, login
from ..deployment.seed import ACCESS_EDGE, thumbprint
from ..deployment.store import CertificateRow, Document, fold
from ..errors import CmdletError
from .binding import Arguments
from .context import Context, invalid

KIND = "certificate_request"
AUTHORITY = "ca01.contoso.test\\Contoso Enterprise CA"
_LIFETIME = datetime.timedelta(days=365)
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "ECDH_P256": ec.SECP256R1, "ECDH_P384": ec.SECP384R1, "ECDH_P521": ec.SECP521R1,
}  # fmt: skip


@functools.cache
def enterprise_authority() -> Authority:
    """Return the company's authority."""
    return Authority(common_name("Contoso Enterprise CA", "Contoso"), rsa_key(), datetime.timedelta(days=3650))


def request(ctx: Context, args: Arguments) -> t.Iterable[object]:
    if args.parameter_set == "ByRetrieve":
        return _retrieve(ctx)
    target, authority = args.text("Output"), args.text("CA")
    if authority is not None:
        rests_on("enterprise-authority")
    if (target is None) == (authority is None):
        raise invalid("Specify either Output or CA.")
    if authority is not None:
        _authorize(ctx, args, authority)
    key = _key(args)
    waiting = _waiting(args, key, authority or "")
    if target is not None:
        _write(ctx, target, waiting, key)
    ctx.store.put(KIND, "%s/%s" % (ctx.host.name, uuid.uuid4()), waiting)
    return _retrieve(ctx) if authority is not None else []


def join(ctx: Context, certificate: x509.Certificate) -> bool:
    """Join a certificate with the key of this computer's request. Return whether a request exists."""
    for name, waiting in _all(ctx).items():
        if _public(_load(waiting).public_key()) == _public(certificate.public_key()):
            rests_on("answer-to-a-request")
            _put(ctx, certificate, waiting)
            ctx.store.delete(KIND, name)
            return True
    return False


def _retrieve(ctx: Context) -> t.Iterable[object]:
    held = {name: waiting for name, waiting in _all(ctx).items() if waiting["CA"]}
    if not held:
        raise invalid("There is no pending certificate request.")
    if ctx.store.setting("enterprise_ca_delay"):
        return []
    for name, waiting in held.items():
        authority, key = enterprise_authority(), _load(waiting)
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if waiting["Client"] else [])]
        names = [x509.DNSName(text) for text in waiting["Names"]]
        _put(ctx, authority.issue(common_name(ACCESS_EDGE, "Contoso"), key, names, _LIFETIME, purposes), waiting)
        root = authority.certificate
        der = root.public_bytes(serialization.Encoding.DER)
        ctx.store.put_certificate(CertificateRow(ctx.host.name, "Root", thumbprint(root), der, None, False, ""))
        ctx.store.delete(KIND, name)
    return []


def _authorize(ctx: Context, args: Arguments, authority: str) -> None:
    if fold(authority) != fold(AUTHORITY):
        raise invalid('The certification authority "%s" was not found.' % authority, authority)
    account = login(HOSTS["fe01"], args.text("CaAccount") or "")
    if account is None or account.password != args.text("CaPassword"):
        raise CmdletError(
            "Access is denied by the certification authority.",
            "CertificateRequestDenied",
            "PermissionDenied",
            authority,
        )


def _key(args: Arguments) -> Key:
    kind = args.text("KeyAlg") or "RSA"
    if kind == "RSA":
        size = int(args.get("KeySize") or 2048)
        if size not in (1024, 2048, 4096):
            raise invalid("The key size %d is not supported." % size, str(size))
        return rsa.generate_private_key(public_exponent=65537, key_size=size)
    return ec.generate_private_key(_CURVES[kind]())


def _waiting(args: Arguments, key: Key, authority: str) -> Document:
    rests_on("requested-names")
    extra = [name.strip().lower() for name in (args.text("DomainName") or "").split(",") if name.strip()]
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    return {
        "CA": authority,
        "Client": bool(args.get("ClientEKU")),
        "FriendlyName": args.text("FriendlyName") or "",
        "Key": private.hex(),
        "Names": list(dict.fromkeys([ACCESS_EDGE, *extra])),
    }


def _write(ctx: Context, path: str, waiting: Document, key: Key) -> None:
    rests_on("request-file")
    folder = path.rpartition("\\")[0]
    if fold(folder) not in {fold(known) for known, content in ctx.store.tree(ctx.host.name).items() if content is None}:
        raise invalid("Could not find a part of the path '%s'." % path, path)
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in waiting["Names"]])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ACCESS_EDGE)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(names, critical=False)
    text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    ctx.store.put_file(ctx.host.name, path, text.replace(b"\n", b"\r\n"))


def _put(ctx: Context, certificate: x509.Certificate, waiting: Document) -> None:
    der = certificate.public_bytes(serialization.Encoding.DER)
    key = bytes.fromhex(waiting["Key"])
    rests_on("requested-keys")
    row = CertificateRow(ctx.host.name, "My", thumbprint(certificate), der, key, True, waiting["FriendlyName"])
    ctx.store.put_certificate(row)


def _all(ctx: Context) -> dict[str, Document]:
    prefix = ctx.host.name + "/"
    return {name: body for name, body in ctx.store.all(KIND).items() if name.startswith(prefix)}


def _load(waiting: Document) -> Key:
    return t.cast("Key", serialization.load_der_private_key(bytes.fromhex(waiting["Key"]), None))


def _public(key: t.Any) -> bytes:
    return t.cast(bytes, key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


CMDLETS = {"Request-CsCertificate": request}
